//! The name of a GP extract: `<practice>_GPR4<cipher>1.<month><day><part>`, such as `A82023_GPR4BRF1.B1A`.

use jiff::civil::{Date, DateTime};

use super::profile::Profile;
use super::uk_time::uk_date;

const TOO_LONG: &str = "Filename exceeds character limit";
const INVALID_CHARACTERS: &str = "Filename contains invalid characters";
const INVALID_PRACTICE: &str = "Filename contains invalid practice code";
const INVALID_DOWNLOAD_NAME: &str = "Filename contains invalid DOW name and/or HA cipher";
const INVALID_EXTENSION: &str = "Filename contains invalid extension";
const WRONG_FORMAT: &str = "Filename does not have the correct format";
const INVALID_DATE: &str = "Filename contains invalid date";
const FUTURE_DATE: &str = "File date must not be from the future";
const OLD_DATE: &str = "File date must not be older than 14 days";
/// Ours: the earlier implementation crashed here and left the file lying.
const UNDATABLE_IN_JANUARY: &str = "File date must be 18 to 31 December when the file is processed on 1 to 14 January";

/// `<practice:6>_GPR4<cipher:3>1.<month><day><part>`.
const NAME_LENGTH: usize = 19;
const MAX_AGE_DAYS: i32 = 14;

/// What the name of an accepted extract says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractFileName {
    /// Upper case, without the `.DAT` that transport adds.
    pub normalised: String,
    /// Practice code: a letter and five digits.
    pub practice: String,
    /// Health Authority cipher: three characters.
    pub cipher: String,
    /// The day of extraction, a UK date.
    pub extract_date: Date,
}

/// Reads the name of an extract.
///
/// `now` is the processing time in UTC. `Fixed` asks for the dot before the extension, accepts files dated in
/// January during the first half of January, and takes "today" from UK time.
///
/// # Errors
/// The reasons for refusing the file, in the order a report lists them.
///
/// ```
/// use concord_flows::list_reconciliation::{file_name::parse_extract_file_name, profile::Profile};
/// use jiff::civil::date;
///
/// let name = parse_extract_file_name("a82023_gpr4brf1.b1a.dat", date(2020, 2, 1).at(0, 0, 0, 0), Profile::Fixed);
/// let name = name.expect("a valid name");
/// assert_eq!(name.normalised, "A82023_GPR4BRF1.B1A");
/// assert_eq!(name.extract_date, date(2020, 2, 1));
/// ```
pub fn parse_extract_file_name(
    name: &str,
    now: DateTime,
    profile: Profile,
) -> Result<ExtractFileName, Vec<&'static str>> {
    let upper_case = name.to_uppercase();
    let normalised = without_transport_suffix(&upper_case);
    if normalised.chars().count() > NAME_LENGTH {
        return Err(vec![TOO_LONG]);
    }
    let name = normalised.as_bytes();
    let is_allowed = |byte: &u8| is_capital_or_digit(*byte) || matches!(byte, b'_' | b'.');
    if name.is_empty() || !name.iter().all(is_allowed) {
        return Err(vec![INVALID_CHARACTERS]);
    }

    let mut reasons = Vec::new();
    if !starts_with_practice_code(name) {
        reasons.push(INVALID_PRACTICE);
    }
    if !name.windows(8).any(is_download_name) {
        reasons.push(INVALID_DOWNLOAD_NAME);
    }
    if !ends_with_extension(name, profile) {
        reasons.push(INVALID_EXTENSION);
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    // Each part is somewhere; now each must be in its place.
    if name.len() != NAME_LENGTH || name[6] != b'_' || !is_download_name(&name[7..15]) {
        return Err(vec![WRONG_FORMAT]);
    }

    Ok(ExtractFileName {
        practice: normalised[..6].to_owned(),
        cipher: normalised[11..14].to_owned(),
        extract_date: extract_date(name[16], name[17], now, profile).map_err(|reason| vec![reason])?,
        normalised: normalised.to_owned(),
    })
}

/// MESH delivers files as `.dat`. The suffix is taken off once; a name that is nothing else keeps it.
fn without_transport_suffix(upper_case: &str) -> &str {
    match upper_case.strip_suffix(".DAT") {
        Some(stem) if !stem.is_empty() => stem,
        _ => upper_case,
    }
}

fn starts_with_practice_code(name: &[u8]) -> bool {
    matches!(name, [letter, digits @ ..]
        if letter.is_ascii_uppercase() && digits.len() >= 5 && digits[..5].iter().all(u8::is_ascii_digit))
}

/// `GPR4`, the cipher, `1`.
fn is_download_name(part: &[u8]) -> bool {
    matches!(part, [b'G', b'P', b'R', b'4', cipher @ .., b'1']
        if cipher.len() == 3 && cipher.iter().copied().all(is_capital_or_digit))
}

fn ends_with_extension(name: &[u8], profile: Profile) -> bool {
    let Some([separator, month, day, part]) = name.last_chunk() else {
        return false;
    };
    // The earlier implementation took any character for the dot.
    let separated = profile == Profile::Compatible || *separator == b'.';
    separated && month_of(*month).is_some() && day_of(*day).is_some() && part.is_ascii_uppercase()
}

fn is_capital_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// `A` to `L` are January to December.
fn month_of(letter: u8) -> Option<i8> {
    match letter {
        b'A'..=b'L' => i8::try_from(letter - b'A' + 1).ok(),
        _ => None,
    }
}

/// `1` to `9`, then `A` to `V` for 10 to 31.
fn day_of(letter: u8) -> Option<i8> {
    match letter {
        b'1'..=b'9' => i8::try_from(letter - b'0').ok(),
        b'A'..=b'V' => i8::try_from(letter - b'A' + 10).ok(),
        _ => None,
    }
}

/// The name has no year: it is this year's date, but late December seen from early January is last year's.
fn extract_date(month: u8, day: u8, now: DateTime, profile: Profile) -> Result<Date, &'static str> {
    let (Some(month), Some(day)) = (month_of(month), day_of(day)) else {
        return Err(INVALID_EXTENSION);
    };
    let today = match profile {
        Profile::Fixed => uk_date(now),
        Profile::Compatible => now.date(),
    };
    let year = match (today.month(), today.day()) {
        (1, 1..=14) if month == 12 && day >= 18 => today.year() - 1,
        (1, 1..=14) if profile == Profile::Compatible => return Err(UNDATABLE_IN_JANUARY),
        _ => today.year(),
    };
    let date = Date::new(year, month, day).map_err(|_| INVALID_DATE)?;
    if date > today {
        return Err(FUTURE_DATE);
    }
    if (today - date).get_days() > MAX_AGE_DAYS {
        return Err(OLD_DATE);
    }
    Ok(date)
}

#[cfg(test)]
mod tests;
