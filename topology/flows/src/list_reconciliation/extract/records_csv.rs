//! An extract as the two tables that the earlier offline validator wrote: its records, and how often each field is invalid.
//!
//! Its readers know them byte for byte: columns, joins, the lines of a record in the place of a reason, CR LF at the ends.

use concord_schemas::list_reconciliation::GpRecord;

use super::Profile;
use super::field_checks as check;
use super::invalid_record::{InvalidRecord, ON_LINES, logged_download, logged_value};
use super::reader::ReadRecord;
use super::rows::{FIELDS, Field};
use super::rules::RULES;
use crate::list_reconciliation::outputs::csv_row::CsvRow;

/// Ends every row of both tables.
pub const RECORDS_LINE_END: &str = "\r\n";

const REASONS: &str = "_INVALID_";

/// The first row of the records' table, without its line end.
pub fn write_records_header(out: &mut String) {
    let mut row = CsvRow::start(out);
    row.field(REASONS);
    for rule in &RULES {
        row.field(rule.key);
    }
}

/// The row of a record, without its line end. The reasons are names of fields, with `explained` their messages too.
pub fn write_records_row(out: &mut String, read: &ReadRecord<'_>, explained: bool) {
    match &read.record {
        Ok(record) => write_valid(out, record),
        Err(invalid) => write_invalid(out, invalid, explained),
    }
}

fn write_valid(out: &mut String, record: &GpRecord<'_>) {
    let mut row = CsvRow::start(out);
    row.field("");
    for rule in &RULES {
        row.field(&valid_value(rule.field, record));
    }
}

/// What [`logged_value`] is for a record that has been cut already.
fn valid_value(field: Field, record: &GpRecord<'_>) -> String {
    let number = |value: Option<i32>| value.map_or_else(String::new, |number| number.to_string());
    let text = match field {
        Field::RecordType1 | Field::RecordType2 => "DOW",
        Field::Download => return as_text(&logged_download(record.download_date, record.download_time)),
        Field::Sex => return number(record.sex),
        Field::RppMileage => return number(record.rpp_mileage),
        Field::WalkingUnits => return number(record.walking_units),
        Field::BirthDate => {
            let day = record.date_of_birth.and_then(check::day);
            return day.map_or_else(String::new, |day| day.to_string());
        }
        Field::RegisteredGp => record.registered_gp,
        Field::Cipher => record.cipher,
        Field::TransactionNumber => record.trans_id,
        Field::NhsNumber => record.nhs_number.unwrap_or_default(),
        Field::Surname => record.surname.unwrap_or_default(),
        Field::Forenames => record.forenames.unwrap_or_default(),
        Field::PreviousSurname => record.previous_surname.unwrap_or_default(),
        Field::Title => record.title.unwrap_or_default(),
        Field::AddressLine1 => record.address_line_1.unwrap_or_default(),
        Field::AddressLine2 => record.address_line_2.unwrap_or_default(),
        Field::AddressLine3 => record.address_line_3.unwrap_or_default(),
        Field::AddressLine4 => record.address_line_4.unwrap_or_default(),
        Field::AddressLine5 => record.address_line_5.unwrap_or_default(),
        Field::Postcode => record.postcode.unwrap_or_default(),
        Field::DrugsDispensedMarker => record.drugs_dispensed_marker.unwrap_or_default(),
        Field::BlockedRoute => record.blocked_route_special_district_marker.unwrap_or_default(),
        Field::ResidentialInstituteCode => record.residential_institute_code.unwrap_or_default(),
    };
    text.to_string()
}

fn write_invalid(out: &mut String, invalid: &InvalidRecord<'_>, explained: bool) {
    let mut reasons: Vec<String> = Vec::new();
    for error in &invalid.errors {
        reasons.push(if explained { format!("{} {}", error.key, error.message) } else { error.key.to_string() });
    }
    // The earlier tool kept the lines among the reasons, and wrote them as one.
    reasons.push(if explained { format!("{ON_LINES} {}", invalid.on_lines()) } else { ON_LINES.to_string() });
    let mut row = CsvRow::start(out);
    row.field(&reasons.join(" | "));
    for rule in &RULES {
        let is_broken = invalid.errors.iter().any(|error| error.key == rule.key);
        row.field(&invalid.fields().map_or_else(String::new, |raw| as_text(&logged_value(rule.field, raw, is_broken))));
    }
}

fn as_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How often each field is invalid.
#[derive(Debug, Default)]
pub struct InvalidCounts {
    by_field: [u64; FIELDS],
    /// Whether any record could be cut into fields.
    has_fields: bool,
}

impl InvalidCounts {
    /// Counts a record in. One that could not be cut into fields has none that could be invalid.
    pub fn add(&mut self, read: &ReadRecord<'_>) {
        let Err(invalid) = &read.record else {
            self.has_fields = true;
            return;
        };
        self.has_fields |= invalid.fields().is_some();
        for (count, rule) in self.by_field.iter_mut().zip(&RULES) {
            *count += u64::from(invalid.errors.iter().any(|error| error.key == rule.key));
        }
    }

    /// Invalid fields of all records.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_field.iter().sum()
    }

    /// The whole table. The earlier tool did not know the fields where no record had any.
    pub fn write(&self, out: &mut String, profile: Profile) {
        out.push_str("COLUMN,COUNT");
        out.push_str(RECORDS_LINE_END);
        if profile == Profile::Compatible && !self.has_fields {
            return;
        }
        for (count, rule) in self.by_field.iter().zip(&RULES) {
            let mut row = CsvRow::start(out);
            row.field(rule.key);
            row.field(&count.to_string());
            out.push_str(RECORDS_LINE_END);
        }
    }
}
