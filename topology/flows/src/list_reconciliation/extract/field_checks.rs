//! What a single filled field must look like, whatever else the record says.

use jiff::civil::{Date, DateTime};

use super::characters::{Characters, is_white_space};
use super::python_integer::python_integer;

const CAPITALS_DIGITS: Characters = Characters::CAPITALS.and(Characters::DIGITS);
const NAME: Characters = Characters::CAPITALS.and(Characters::ACCENTED_CAPITALS).and(Characters::APOSTROPHE_HYPHEN);
const SURNAME: Characters = NAME.and(Characters::WHITE_SPACE);
const FORENAME: Characters = NAME.and(Characters::STOP_COMMA);
const TITLE: Characters = Characters::CAPITALS.and(Characters::WHITE_SPACE).and(Characters::APOSTROPHE_HYPHEN);
const ADDRESS: Characters =
    CAPITALS_DIGITS.and(Characters::WHITE_SPACE).and(Characters::APOSTROPHE_HYPHEN).and(Characters::STOP_COMMA);
const NHS_NUMBER: Characters = CAPITALS_DIGITS.and(Characters::QUESTION_SLASH);

const LONGEST_TEXT: usize = 35;

/// `1234567,123ABC`.
pub(super) fn is_registered_gp(text: &str) -> bool {
    let Some((national, local)) = text.split_once(',') else {
        return false;
    };
    Characters::DIGITS.make_up(national, 7, 7) && CAPITALS_DIGITS.make_up(local, 1, 6)
}

pub(super) fn is_cipher(text: &str) -> bool {
    CAPITALS_DIGITS.make_up(text, 3, 3)
}

/// Digits without leading zero, of any length.
pub(super) fn is_transaction_number(text: &str) -> bool {
    !text.starts_with('0') && Characters::DIGITS.make_up(text, 1, usize::MAX)
}

/// Ten digits or an older form. The check digit is not looked at: a wrong one is a person PDS does not know.
pub(super) fn is_nhs_number(text: &str) -> bool {
    NHS_NUMBER.make_up(text, 1, 15)
}

pub(super) fn is_surname(text: &str) -> bool {
    SURNAME.make_up(text, 1, LONGEST_TEXT)
}

/// The limit of length holds for each forename.
pub(super) fn is_forenames(text: &str) -> bool {
    let mut words = text.split(is_white_space).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| FORENAME.make_up(word, 1, LONGEST_TEXT))
}

pub(super) fn is_title(text: &str) -> bool {
    TITLE.make_up(text, 1, LONGEST_TEXT)
}

pub(super) fn is_sex(text: &str) -> bool {
    sex(text).is_some()
}

pub(super) fn is_address_line(text: &str) -> bool {
    ADDRESS.make_up(text, 1, LONGEST_TEXT)
}

/// Eight characters: outward and inward part with any padding around.
pub(super) fn is_postcode(text: &str) -> bool {
    // Eight characters of at most four bytes.
    if text.len() > 32 || text.chars().count() != 8 {
        return false;
    }
    let mut parts = text.split(is_white_space).filter(|part| !part.is_empty());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(outward), Some(inward), None) => is_outward(outward.as_bytes()) && is_inward(inward.as_bytes()),
        _ => false,
    }
}

fn is_outward(part: &[u8]) -> bool {
    let letter = u8::is_ascii_uppercase;
    let digit = u8::is_ascii_digit;
    match part {
        [a, b] => letter(a) && digit(b),
        [a, b, c] => letter(a) && ((digit(b) && (digit(c) || letter(c))) || (letter(b) && digit(c))),
        [a, b, c, d] => letter(a) && letter(b) && digit(c) && (digit(d) || letter(d)),
        _ => false,
    }
}

fn is_inward(part: &[u8]) -> bool {
    matches!(part, [a, b, c] if a.is_ascii_digit() && b.is_ascii_uppercase() && c.is_ascii_uppercase())
}

pub(super) fn is_drugs_dispensed_marker(text: &str) -> bool {
    text == "Y"
}

pub(super) fn is_residential_institute_code(text: &str) -> bool {
    CAPITALS_DIGITS.make_up(text, 2, 2)
}

/// The number of a valid sex.
pub(super) fn sex(text: &str) -> Option<i32> {
    match text {
        "0" => Some(0),
        "1" => Some(1),
        "2" => Some(2),
        "9" => Some(9),
        _ => None,
    }
}

/// 3 to 50; anything else counts as an empty field.
pub(super) fn rpp_mileage(text: &str) -> Option<i32> {
    number_within(text, 3, 50)
}

/// `B` or `S`; anything else counts as an empty field.
pub(super) fn blocked_route(text: &str) -> Option<&str> {
    matches!(text, "B" | "S").then_some(text)
}

/// 3 to 99, divisible by 3; anything else counts as an empty field.
pub(super) fn walking_units(text: &str) -> Option<i32> {
    number_within(text, 3, 99).filter(|units| units % 3 == 0)
}

fn number_within(text: &str, least: i32, most: i32) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let number = i32::try_from(python_integer(text)?).ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// The day of `YYYYMMDD`.
pub(super) fn day(text: &str) -> Option<Date> {
    let digits: &[u8; 8] = text.as_bytes().try_into().ok()?;
    day_of_digits(digits)
}

/// The minute of `YYYYMMDDHHMM`.
pub(super) fn minute(text: &[u8; 12]) -> Option<DateTime> {
    let (date, time) = text.split_first_chunk::<8>()?;
    let date = day_of_digits(date)?;
    let hour = number(&time[..2]).filter(|hour| *hour < 24)?;
    let minute = number(&time[2..]).filter(|minute| *minute < 60)?;
    Some(date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0))
}

fn day_of_digits(digits: &[u8; 8]) -> Option<Date> {
    let year = number(&digits[..4]).filter(|year| *year > 0)?;
    let month = i8::try_from(number(&digits[4..6])?).ok()?;
    let day = i8::try_from(number(&digits[6..])?).ok()?;
    Date::new(year, month, day).ok()
}

/// At most four digits.
fn number(digits: &[u8]) -> Option<i16> {
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i16::from(digit - b'0');
    }
    Some(value)
}

#[cfg(test)]
mod tests;
