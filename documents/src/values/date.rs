//! Dates of documents as ISO dates, perhaps only a year or a year and month. A day that there is not is no date.

use jiff::civil::Date;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Of ISO 8601: `1958`, `1958-12`, `1958-12-31`, the last perhaps with a time behind it.
pub(crate) fn from_iso(text: &str) -> Option<String> {
    let text = text.trim();
    let date = text.split_once('T').map_or(text, |(date, _)| date);
    let mut parts = date.split('-');
    let year = exactly(4, parts.next()?)?;
    let month = parts.next().map(|month| exactly(2, month));
    let day = parts.next().map(|day| exactly(2, day));
    if parts.next().is_some() || month == Some(None) || day == Some(None) {
        return None;
    }
    written(year, month.flatten(), day.flatten())
}

/// Of CDA and HL7 v2: `1958`, `195812`, `19581231`, the last perhaps with a time and a zone behind it.
pub(crate) fn from_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let part = |from: usize, length: usize| text.get(from..from + length).and_then(|part| exactly(length, part));
    match digits {
        4 => written(part(0, 4)?, None, None),
        6 => written(part(0, 4)?, Some(part(4, 2)?), None),
        8.. => written(part(0, 4)?, Some(part(4, 2)?), Some(part(6, 2)?)),
        _ => None,
    }
}

/// Of people: either of the above, or day, month and year in this order, the month as number or word. A year has four digits,
/// since two do not say which century.
pub(crate) fn from_words(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if let Some(date) = from_iso(text).or_else(|| (text.len() >= 8).then(|| from_digits(text)).flatten()) {
        return Some(date);
    }
    let separators = |one: char| one.is_whitespace() || matches!(one, '/' | '.' | '-' | ',');
    let parts: Vec<&str> = text.split(separators).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [day, month, year] => {
            // A month that is a word may stand before its day.
            let is_word = day.starts_with(char::is_alphabetic);
            let (day, month) = if is_word { (month, day) } else { (day, month) };
            written(exactly(4, year)?, Some(month_of(month)?), Some(day_of(day)?))
        }
        [month, year] => written(exactly(4, year)?, Some(month_of(month)?), None),
        _ => None,
    }
}

/// A number of exactly so many digits.
fn exactly(digits: usize, text: &str) -> Option<u16> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn day_of(text: &str) -> Option<u16> {
    let digits = text.trim_end_matches(|one: char| one.is_ascii_alphabetic());
    let suffix = &text[digits.len()..];
    let is_day = digits.len() <= 2 && matches!(suffix, "" | "st" | "nd" | "rd" | "th");
    is_day.then(|| digits.parse().ok()).flatten()
}

fn month_of(text: &str) -> Option<u16> {
    if text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let word = text.to_lowercase();
    let named = |month: &&str| **month == word || (word.len() >= 3 && word.len() <= 4 && month.starts_with(&word));
    let place = MONTHS.iter().position(named)?;
    u16::try_from(place + 1).ok()
}

fn written(year: u16, month: Option<u16>, day: Option<u16>) -> Option<String> {
    let whole = |month: u16, day: u16| {
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    // Nobody in a document was born, and no medicine given, before 1800; it is a number that looks like a date.
    if !(1800..=2999).contains(&year) {
        return None;
    }
    match (month, day) {
        (None, None) => Some(format!("{year:04}")),
        (Some(month), None) => whole(month, 1).map(|_| format!("{year:04}-{month:02}")),
        (Some(month), Some(day)) => whole(month, day).map(|date| date.to_string()),
        (None, Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn iso_dates_may_be_partial_and_may_have_a_time() {
        let read = [
            ("1958", Some("1958")),
            ("1958-12", Some("1958-12")),
            ("1958-12-31", Some("1958-12-31")),
            ("1958-12-31T10:00:00+01:00", Some("1958-12-31")),
            ("1958-02-30", None),
            ("58-12-31", None),
            ("1958-1-1", None),
            ("", None),
        ];
        for (text, date) in read {
            assert_eq!(from_iso(text).as_deref(), date, "{text}");
        }
    }

    #[test]
    fn digits_alone_are_dates_of_messages() {
        let read = [
            ("1958", Some("1958")),
            ("195812", Some("1958-12")),
            ("19581231", Some("1958-12-31")),
            ("19581231235959.123+0100", Some("1958-12-31")),
            ("19581331", None),
            ("1958123", None),
            ("0000", None),
        ];
        for (text, date) in read {
            assert_eq!(from_digits(text).as_deref(), date, "{text}");
        }
    }

    #[test]
    fn people_write_the_day_first_and_the_month_as_number_or_word() {
        let read = [
            ("31/12/1958", Some("1958-12-31")),
            ("1.2.1958", Some("1958-02-01")),
            ("31-Dec-1958", Some("1958-12-31")),
            ("1st February 1958", Some("1958-02-01")),
            ("3 Sept 1958", Some("1958-09-03")),
            ("December 31, 1958", Some("1958-12-31")),
            ("Dec 1958", Some("1958-12")),
            ("1958-12-31", Some("1958-12-31")),
            ("19581231", Some("1958-12-31")),
            ("1958", Some("1958")),
            ("31/12/58", None),
            ("12/31/1958", None),
            ("1 Nonember 1958", None),
            ("yesterday", None),
        ];
        for (text, date) in read {
            assert_eq!(from_words(text).as_deref(), date, "{text}");
        }
    }
}
