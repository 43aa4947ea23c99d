//! The fields of a patient: how each is compared, shown and chosen.

use concord_schemas::nhs_number;
use jiff::civil::Date;

use super::policy::{Policy, Step};
use super::words::{folded, spaced};

/// A field of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// NHS number.
    NhsNumber,
    /// Family name.
    FamilyName,
    /// Given names, in order.
    GivenNames,
    /// Date of birth.
    BirthDate,
    /// Sex, as recorded.
    Sex,
    /// Address without the postcode.
    Address,
    /// Postcode.
    Postcode,
    /// Phone number.
    Phone,
}

/// What is the same in two documents, and what a person is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Values with one key are one value.
    pub key: String,
    /// As it may be shown.
    pub shown: String,
}

/// Why an observed value does not count.
type NotCounted = &'static str;

/// What holds of a field.
pub(super) struct FieldRule {
    pub field: Field,
    /// Its name in records, configurations and questions.
    pub name: &'static str,
    /// A patient may have several at a time: documents conflict where they have none in common.
    pub may_be_several: bool,
    /// The policy, unless the configuration has another one.
    pub policy: &'static [Step],
    pub read: fn(&str) -> Result<Reading, NotCounted>,
}

const BY_MAJORITY: &[Step] = &[Step::Majority, Step::MostRecent, Step::Smallest];

/// Every field, in the order of the record.
pub(super) static FIELDS: [FieldRule; 8] = [
    FieldRule {
        field: Field::NhsNumber,
        name: "nhs_number",
        may_be_several: false,
        policy: &[Step::MustAgree],
        read: read_nhs_number,
    },
    FieldRule {
        field: Field::FamilyName,
        name: "family_name",
        may_be_several: false,
        policy: BY_MAJORITY,
        read: read_words,
    },
    FieldRule {
        field: Field::GivenNames,
        name: "given_names",
        may_be_several: false,
        policy: BY_MAJORITY,
        read: read_words,
    },
    FieldRule {
        field: Field::BirthDate,
        name: "birth_date",
        may_be_several: false,
        policy: BY_MAJORITY,
        read: read_birth_date,
    },
    FieldRule { field: Field::Sex, name: "sex", may_be_several: false, policy: BY_MAJORITY, read: read_sex },
    FieldRule { field: Field::Address, name: "address", may_be_several: true, policy: BY_MAJORITY, read: read_words },
    FieldRule {
        field: Field::Postcode,
        name: "postcode",
        may_be_several: true,
        policy: BY_MAJORITY,
        read: read_postcode,
    },
    FieldRule { field: Field::Phone, name: "phone", may_be_several: true, policy: BY_MAJORITY, read: read_phone },
];

impl Field {
    /// Its name, such as `birth_date`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// The field of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        FIELDS.iter().find(|rule| rule.name == name).map(|rule| rule.field)
    }

    /// Every field, in the order of the record.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|rule| rule.field)
    }

    /// The policy by which it is chosen unless the configuration has another one.
    #[must_use]
    pub fn default_policy(self) -> String {
        Policy::of(self.rule().policy).to_string()
    }

    pub(super) fn rule(self) -> &'static FieldRule {
        &FIELDS[self as usize]
    }
}

fn read_nhs_number(text: &str) -> Result<Reading, NotCounted> {
    let digits: String = text.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
    if !nhs_number::is_valid(&digits) {
        return Err("its check digit is wrong, or it is not ten digits");
    }
    Ok(Reading { key: digits.clone(), shown: digits })
}

fn read_words(text: &str) -> Result<Reading, NotCounted> {
    let key = folded(text);
    if key.is_empty() {
        return Err("it has no letter and no digit");
    }
    Ok(Reading { key, shown: spaced(text) })
}

fn read_birth_date(text: &str) -> Result<Reading, NotCounted> {
    let date: Date = text.trim().parse().map_err(|_| "it is no whole date")?;
    let iso = date.to_string();
    Ok(Reading { key: iso.clone(), shown: iso })
}

/// The words of FHIR, the letters of HL7 v2, and the digits of the NHS data dictionary.
const SEXES: [(&str, &[&str]); 3] = [
    ("male", &["male", "m", "1", "man"]),
    ("female", &["female", "f", "2", "woman"]),
    ("other", &["other", "o", "9", "un", "indeterminate"]),
];

fn read_sex(text: &str) -> Result<Reading, NotCounted> {
    let word = folded(text);
    let known = SEXES.iter().find(|(_, written)| written.contains(&word.as_str()));
    let (sex, _) = known.ok_or("it says nothing about the sex")?;
    Ok(Reading { key: (*sex).to_owned(), shown: (*sex).to_owned() })
}

/// The inward part of a postcode has three characters.
const INWARD: usize = 3;

fn read_postcode(text: &str) -> Result<Reading, NotCounted> {
    let key: String = text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
    if !key.is_ascii() || !(5..=7).contains(&key.len()) {
        return Err("it is no postcode");
    }
    let (outward, inward) = key.split_at(key.len() - INWARD);
    let shown = format!("{outward} {inward}");
    Ok(Reading { key, shown })
}

/// Fewer digits are an extension, or what is left of a number.
const FEWEST_PHONE_DIGITS: usize = 6;

fn read_phone(text: &str) -> Result<Reading, NotCounted> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let plain = text.replace("(0)", "");
    let mut key = digits(&plain);
    let international = plain.trim_start().starts_with('+').then(|| key.clone()).or_else(|| {
        // Dialled from within the country.
        key.strip_prefix("00").map(ToOwned::to_owned)
    });
    if let Some(national) = international.as_deref().and_then(|number| number.strip_prefix("44")) {
        key = format!("0{}", national.trim_start_matches('0'));
    }
    if key.len() < FEWEST_PHONE_DIGITS {
        return Err("it has too few digits");
    }
    Ok(Reading { key, shown: spaced(text) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn key(field: Field, text: &str) -> Option<String> {
        (field.rule().read)(text).ok().map(|reading| reading.key)
    }

    fn shown(field: Field, text: &str) -> String {
        (field.rule().read)(text).unwrap().shown
    }

    #[test]
    fn the_table_has_each_field_at_its_place() {
        for (place, rule) in FIELDS.iter().enumerate() {
            assert_eq!(rule.field as usize, place, "{}", rule.name);
            assert_eq!(Field::of_name(rule.name), Some(rule.field));
        }
    }

    #[test]
    fn an_nhs_number_counts_with_its_check_digit_only() {
        assert_eq!(shown(Field::NhsNumber, "943 476 5919"), "9434765919");
        assert_eq!(key(Field::NhsNumber, "943-476-5919"), Some("9434765919".to_owned()));
        for wrong in ["9434765918", "943476591", "", "ten digits"] {
            assert_eq!(key(Field::NhsNumber, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_are_the_same_however_they_are_written_and_are_shown_as_they_are() {
        assert_eq!(key(Field::FamilyName, "O'NEIL"), key(Field::FamilyName, "O\u{2019}Neil "));
        assert_eq!(shown(Field::GivenNames, " Anna   Maria "), "Anna Maria");
        assert_eq!(key(Field::FamilyName, " - "), None);
    }

    #[test]
    fn a_birth_date_counts_when_it_is_whole() {
        assert_eq!(shown(Field::BirthDate, "1980-02-29"), "1980-02-29");
        for wrong in ["1980", "1980-02", "1981-02-29", "yesterday"] {
            assert_eq!(key(Field::BirthDate, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_system_has_its_letters_for_a_sex() {
        for (text, sex) in [("F", "female"), ("Female", "female"), ("1", "male"), ("other", "other")] {
            assert_eq!(shown(Field::Sex, text), sex);
        }
        assert_eq!(key(Field::Sex, "unknown"), None);
    }

    #[test]
    fn a_postcode_is_shown_with_its_space() {
        assert_eq!(shown(Field::Postcode, "ls12ab"), "LS1 2AB");
        assert_eq!(shown(Field::Postcode, " SW1A  1AA"), "SW1A 1AA");
        assert_eq!(key(Field::Postcode, "Leeds LS1 2AB"), None);
    }

    #[test]
    fn a_phone_number_is_the_same_from_abroad() {
        let home = key(Field::Phone, "0113 496 0999");
        for text in ["+44 113 496 0999", "+44 (0)113 4960999", "0044 113 496 0999", "(0113) 496-0999"] {
            assert_eq!(key(Field::Phone, text), home, "{text}");
        }
        assert_eq!(shown(Field::Phone, " 0113  496 0999"), "0113 496 0999");
        assert_eq!(key(Field::Phone, "ext. 12"), None);
    }
}
