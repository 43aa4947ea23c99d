//! The rules of a record as a table: a row for each field, in the order in which errors are reported.
//!
//! Keys and messages are read by existing users and kept letter by letter, with their slips of the pen.

use super::field_checks as check;
use super::rows::{FIELDS, Field};

/// A field, its name in reports, and what it must satisfy.
pub(super) struct FieldRule {
    pub(super) field: Field,
    pub(super) key: &'static str,
    /// `None`: any value is accepted, and what cannot be used counts as empty.
    pub(super) requirement: Option<Requirement>,
}

pub(super) struct Requirement {
    pub(super) check: Check,
    pub(super) message: &'static str,
}

/// How a field is judged.
pub(super) enum Check {
    /// Empty is invalid.
    Required(fn(&str) -> bool),
    /// Empty is valid.
    Optional(fn(&str) -> bool),
    /// `DOW` and, in `Fixed`, the number of the row (counted from 0 here).
    RecordType(usize),
    /// The cipher of the file's name.
    FileCipher,
    /// Neither in the future nor older than fourteen days.
    RecentMinute,
    /// Unique in the file.
    TransactionNumber,
    /// Not in the future.
    BirthDate,
}

/// What is wrong with a record whose rows do not have the right number of fields.
pub(super) const INVALID_RECORD_KEY: &str = "INVALID_RECORD";
pub(super) const WRONG_FIELD_COUNT: &str = "Record - Must contain the correct number of data fields for parsing";

const ADDRESS: &str = "Address Lines - Must contain only uppercase alphabetic characters and space, apostrophe, hyphen, \
                       comma or full-stop. Max length 35.";

pub(super) static RULES: [FieldRule; FIELDS] = [
    rule(
        Field::RecordType1,
        "RECORD_TYPE_1",
        Check::RecordType(0),
        "Transaction/Record Type - Row 1 of record must be 'DOW~1'.",
    ),
    rule(
        Field::RegisteredGp,
        "REGISTERED_GP_GMC_NUMBER,REGISTERED_GP_LOCAL_CODE",
        Check::Required(check::is_registered_gp),
        "GP Code - Must be a valid 7-digit numeric GMC National GP code and 1-6-digit alphanumeric Local GP code \
         separated by a comma.",
    ),
    rule(
        Field::Cipher,
        "TRADING_PARTNER_NHAIS_CIPHER",
        Check::FileCipher,
        "Destination HA Cipher - Must be a valid 3-digit alphanumeric code that matches the GP HA cipher",
    ),
    rule(
        Field::Download,
        "DATE_OF_DOWNLOAD",
        Check::RecentMinute,
        "Transaction/Record Date and Time - Must be a valid transmission date and timestamp, in the format \
         YYYMMDDHHMM, which is less than 14 days old and not in the future.",
    ),
    rule(
        Field::TransactionNumber,
        "TRANS_ID",
        Check::TransactionNumber,
        "Transaction/Record Number - Must be a unique, not-null integer greater than 0.",
    ),
    rule(
        Field::NhsNumber,
        "NHS_NUMBER",
        Check::Optional(check::is_nhs_number),
        "NHS Number - Must be a valid NHS number. Max length 10.",
    ),
    rule(
        Field::Surname,
        "SURNAME",
        Check::Optional(check::is_surname),
        "Surname - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
    ),
    rule(
        Field::Forenames,
        "FORENAMES",
        Check::Optional(check::is_forenames),
        "Forename - must contain only uppercase alphabetic characters and space, apostrophe, hyphen, comma or \
         full-stop. Max length 35.",
    ),
    rule(
        Field::PreviousSurname,
        "PREV_SURNAME",
        Check::Optional(check::is_surname),
        "Previous Surname - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max \
         length 35.",
    ),
    rule(
        Field::Title,
        "TITLE",
        Check::Optional(check::is_title),
        "Title - must contain only uppercase alphabetic characters and space, apostrophe or hyphen. Max length 35.",
    ),
    rule(
        Field::Sex,
        "SEX",
        Check::Optional(check::is_sex),
        "Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.",
    ),
    rule(
        Field::BirthDate,
        "DOB",
        Check::BirthDate,
        "Date of Birth - Must be a date in the past, and in the format YYYYMMDD.",
    ),
    rule(Field::AddressLine1, "ADDRESS_LINE1", Check::Optional(check::is_address_line), ADDRESS),
    rule(Field::AddressLine2, "ADDRESS_LINE2", Check::Optional(check::is_address_line), ADDRESS),
    rule(
        Field::RecordType2,
        "RECORD_TYPE_2",
        Check::RecordType(1),
        "Transaction/Record Type - Row 2 of record must be 'DOW~2'.",
    ),
    rule(Field::AddressLine3, "ADDRESS_LINE3", Check::Optional(check::is_address_line), ADDRESS),
    rule(Field::AddressLine4, "ADDRESS_LINE4", Check::Optional(check::is_address_line), ADDRESS),
    rule(Field::AddressLine5, "ADDRESS_LINE5", Check::Optional(check::is_address_line), ADDRESS),
    rule(
        Field::Postcode,
        "POSTCODE",
        Check::Optional(check::is_postcode),
        "Postcode - Must be 8 characters and in one of the following formats: AN   NAA, ANN  NAA, AAN  NAA, AANN NAA, \
         ANA  NAA, AANA NAA.",
    ),
    rule(
        Field::DrugsDispensedMarker,
        "DRUGS_DISPENSED_MARKER",
        Check::Optional(check::is_drugs_dispensed_marker),
        "Drug Dispensed Marker - Must be 'Y' or blank.",
    ),
    never_invalid(Field::RppMileage, "RPP_MILEAGE"),
    never_invalid(Field::BlockedRoute, "BLOCKED_ROUTE_SPECIAL_DISTRICT_MARKER"),
    never_invalid(Field::WalkingUnits, "WALKING_UNITS"),
    rule(
        Field::ResidentialInstituteCode,
        "RESIDENTIAL_INSTITUTE_CODE",
        Check::Optional(check::is_residential_institute_code),
        "Residential Institute Code - Must be a 2-character string and valid code for the patients Health Authority.",
    ),
];

const fn rule(field: Field, key: &'static str, check: Check, message: &'static str) -> FieldRule {
    FieldRule { field, key, requirement: Some(Requirement { check, message }) }
}

const fn never_invalid(field: Field, key: &'static str) -> FieldRule {
    FieldRule { field, key, requirement: None }
}
