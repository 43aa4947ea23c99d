//! A record that breaks rules, and how the failure log shows it.

use std::fmt;

use serde_json::{Map, Value};

use super::field_checks as check;
use super::rows::{Field, RawRecord};
use super::rules::RULES;
use super::validation::join_date_and_time;

/// Stands in the failure log of an invalid record, with its reasons.
pub(in crate::list_reconciliation) const REASONS: &str = "_INVALID_";
/// Stands among the reasons of an invalid record, with its lines.
pub(in crate::list_reconciliation) const ON_LINES: &str = "ON_LINES";

/// A rule that a field breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in reports, such as `SURNAME`; `INVALID_RECORD` for the record as a whole.
    pub key: &'static str,
    /// What the field must be.
    pub message: &'static str,
}

/// A record that breaks at least one rule.
///
/// It holds patient data: its `Debug` form shows only lines and keys.
#[derive(Clone)]
pub struct InvalidRecord<'a> {
    /// The lines of its two rows, counted as the profile does.
    pub lines: (u64, u64),
    /// The rules it breaks, in the order of the fields.
    pub errors: Vec<FieldError>,
    /// Its rows as received. The second is empty when the file ends after the first.
    pub rows: [&'a str; 2],
    /// `None` when the rows could not be told apart into fields.
    fields: Option<Box<RawRecord<'a>>>,
}

impl<'a> InvalidRecord<'a> {
    pub(super) fn new(
        rows: [&'a str; 2],
        lines: (u64, u64),
        errors: Vec<FieldError>,
        fields: Option<RawRecord<'a>>,
    ) -> Self {
        Self { lines, errors, rows, fields: fields.map(Box::new) }
    }

    /// The record as the failure log lists it: all its fields in order, then `_INVALID_` with the message of each
    /// broken rule by key, and `ON_LINES`.
    ///
    /// Transaction numbers beyond 64 bits come as text, since JSON readers would lose their last digits.
    #[must_use]
    pub fn to_failure_log(&self) -> Map<String, Value> {
        let mut log = Map::new();
        if let Some(raw) = &self.fields {
            for rule in &RULES {
                let is_broken = self.errors.iter().any(|error| error.key == rule.key);
                log.insert(rule.key.to_owned(), logged_value(rule.field, raw, is_broken));
            }
        }
        let mut invalid = Map::new();
        for error in &self.errors {
            invalid.insert(error.key.to_owned(), error.message.into());
        }
        invalid.insert(ON_LINES.to_owned(), self.on_lines().into());
        log.insert(REASONS.to_owned(), invalid.into());
        log
    }

    /// Its lines as reports write them.
    #[must_use]
    pub fn on_lines(&self) -> String {
        format!("{}-{}", self.lines.0, self.lines.1)
    }

    /// `None` when the rows could not be told apart into fields.
    pub(super) fn fields(&self) -> Option<&RawRecord<'a>> {
        self.fields.as_deref()
    }
}

/// Shows no field: they are patient data.
impl fmt::Debug for InvalidRecord<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.errors.iter().map(|error| error.key).collect();
        formatter
            .debug_struct("InvalidRecord")
            .field("lines", &self.lines)
            .field("errors", &keys)
            .finish_non_exhaustive()
    }
}

/// The value where it can be read, the raw text where it cannot, null where it is empty.
pub(super) fn logged_value(field: Field, raw: &RawRecord<'_>, is_broken: bool) -> Value {
    let text = raw.get(field);
    match field {
        Field::RecordType1 | Field::RecordType2 if is_broken => Value::Null,
        Field::Download => logged_download(text, raw.download_time),
        Field::RppMileage => check::rpp_mileage(text).into(),
        Field::BlockedRoute => check::blocked_route(text).into(),
        Field::WalkingUnits => check::walking_units(text).into(),
        _ if text.is_empty() => Value::Null,
        Field::TransactionNumber if check::is_transaction_number(text) => {
            text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
        }
        Field::Sex => check::sex(text).map_or_else(|| text.into(), Value::from),
        Field::BirthDate => check::day(text).map_or_else(|| text.into(), |day| day.to_string().into()),
        _ => text.into(),
    }
}

pub(super) fn logged_download(date: &str, time: &str) -> Value {
    if date.is_empty() && time.is_empty() {
        return Value::Null;
    }
    let minute = join_date_and_time(date, time).and_then(|joined| check::minute(&joined));
    match minute {
        Some(minute) => minute.strftime("%Y-%m-%d %H:%M:%S").to_string().into(),
        None => format!("{date}{time}").into(),
    }
}
