//! Reader of FHIR R4 resources as PDS answers them, one per line (NDJSON), plain or gzip.

use std::io::BufRead;

use jiff::civil::Date;

use super::fhir_entry::entry_of;
use super::fhir_resource::Resource;
use super::fhir_selection::Selection;
use super::record::PdsEntry;
use crate::lines::Lines;
use crate::rejected::ReadError;

/// What the reader must be told.
#[derive(Debug, Clone, Copy)]
pub struct FhirSettings {
    /// Which of several names and addresses is taken.
    pub selection: Selection,
    /// The day on which periods of names and addresses must hold.
    pub today: Date,
}

/// Reads resources line by line. A bad line is an error of its own; the lines behind it are still read.
///
/// A line is one of
/// - a `Patient`; its `id` is the NHS number, or else the identifier of the NHS number system;
/// - an `OperationOutcome` whose `id` is the NHS number that was asked for: `RESOURCE_NOT_FOUND` says that there is no
///   record, `INVALIDATED_RESOURCE` gives a record of nothing but the marker `REDACTED`. Any other outcome (PDS was busy,
///   access was denied) says nothing of the person and is an error;
/// - `{"nhsNumber": "...", "resource": {...}}` around either, for answers that do not name the number.
///
/// ```
/// use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, Selection};
///
/// let lines = r#"{"resourceType": "Patient", "id": "9000000009", "name": [{"use": "usual", "family": "Smith"}]}"#;
/// let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
/// let mut reader = FhirReader::open("pds.ndjson", lines.as_bytes(), settings)?;
/// let Some(PdsChange::Upsert(record)) = reader.next().transpose()?.map(|entry| entry.change) else {
///     unreachable!("the line is a patient")
/// };
/// assert_eq!(record.as_record().surname, "Smith");
/// # Ok::<(), concord_connectors::rejected::ReadError>(())
/// ```
pub struct FhirReader<'source> {
    lines: Lines<'source>,
    selection: Selection,
    today: String,
}

impl<'source> FhirReader<'source> {
    /// Starts at the beginning of a source. `file` is the name for errors.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn open(file: &str, source: impl BufRead + Send + 'source, settings: FhirSettings) -> Result<Self, ReadError> {
        Ok(Self { lines: Lines::open(file, source)?, selection: settings.selection, today: settings.today.to_string() })
    }

    fn entry(&self) -> Result<PdsEntry, ReadError> {
        let mut resource = self.parsed()?;
        let asked_for = resource.nhs_number.take();
        if let Some(inner) = resource.resource.take() {
            resource = *inner;
        }
        entry_of(asked_for, resource, self.selection, &self.today)
            .map_err(|flaw| self.lines.reject(flaw.field, flaw.problem, flaw.remedy))
    }

    fn parsed(&self) -> Result<Resource, ReadError> {
        let line = self.lines.line();
        let error = match serde_json::from_slice(line) {
            Ok(resource) => return Ok(resource),
            Err(error) => error,
        };
        if !error.is_data() {
            return Err(self.not_json());
        }
        // The error's own text quotes the value, which names a patient: find the path to it and say no more.
        let parser = &mut serde_json::Deserializer::from_slice(line);
        let Err(error) = serde_path_to_error::deserialize::<_, Resource>(parser) else {
            return Err(self.not_json());
        };
        let path = error.path();
        if path.iter().next().is_none() {
            return Err(self.not_json());
        }
        Err(self.lines.reject(
            path.to_string(),
            "it has another JSON type than FHIR R4 gives it",
            "send FHIR R4 resources",
        ))
    }

    fn not_json(&self) -> ReadError {
        self.lines.reject("the line", "it is not a JSON object", "send one JSON object per line, in UTF-8")
    }
}

impl Iterator for FhirReader<'_> {
    type Item = Result<PdsEntry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.lines.next_line()? {
            return Some(Err(error));
        }
        Some(self.entry())
    }
}

#[cfg(test)]
mod tests;
