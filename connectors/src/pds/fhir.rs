//! Reader of FHIR R4 resources as PDS answers them, one per line (NDJSON), plain or gzip.

use std::io::BufRead;

use concord_schemas::nhs_number;
use jiff::civil::Date;

use super::fhir_resource::{Identifier, Resource};
use super::fhir_selection::{Selection, select};
use super::record::{PdsChange, PdsEntry, PdsRecordOwned};
use crate::lines::Lines;
use crate::rejected::ReadError;

const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

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
        let nhs_number = self.nhs_number(asked_for, &mut resource)?;
        match resource.resource_type.as_deref() {
            Some("Patient") => self.patient(nhs_number, resource),
            Some("OperationOutcome") => self.outcome(nhs_number, &resource),
            _ => Err(self.lines.reject(
                "resourceType",
                "it is neither Patient nor OperationOutcome",
                "send one FHIR R4 Patient or OperationOutcome per line",
            )),
        }
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

    fn nhs_number(&self, asked_for: Option<String>, resource: &mut Resource) -> Result<String, ReadError> {
        let own = own_nhs_number(resource);
        if let (Some(asked_for), Some(own)) = (&asked_for, &own)
            && asked_for != own
        {
            return Err(self.lines.reject(
                "nhsNumber",
                "the resource inside is of another NHS number (perhaps the record was merged into it)",
                "ask PDS for the record under its own number",
            ));
        }
        let Some(nhs_number) = asked_for.or(own) else {
            return Err(self.lines.reject(
                "id",
                "the line names no NHS number",
                "put the NHS number into id, or send {\"nhsNumber\": ..., \"resource\": ...}",
            ));
        };
        if !nhs_number::is_valid(&nhs_number) {
            return Err(self.lines.reject(
                "id",
                "it is not a valid NHS number",
                "give ten digits, the last of which is the check digit",
            ));
        }
        Ok(nhs_number)
    }

    fn patient(&self, nhs_number: String, mut resource: Resource) -> Result<PdsEntry, ReadError> {
        let gender = resource.gender.take().unwrap_or_default().to_ascii_lowercase();
        if !matches!(gender.as_str(), "" | "male" | "female" | "other" | "unknown") {
            return Err(self.lines.reject("gender", "it is not a FHIR gender", "use male, female, other or unknown"));
        }
        let date_of_birth = resource.birth_date.take().unwrap_or_default();
        if !is_perhaps_partial_date(&date_of_birth) {
            return Err(self.lines.reject(
                "birthDate",
                "it is not a FHIR date",
                "write YYYY-MM-DD, or YYYY-MM or YYYY when no more is known",
            ));
        }
        let mut record = PdsRecordOwned {
            nhs_number: nhs_number.clone(),
            version: resource.meta.version_id.take().unwrap_or_default(),
            sensitivity: resource.meta.security.iter_mut().find_map(|label| label.code.take()).unwrap_or_default(),
            gender,
            date_of_birth,
            ..PdsRecordOwned::default()
        };
        select(&mut record, resource, self.selection, &self.today);
        Ok(PdsEntry { nhs_number, change: PdsChange::Upsert(Box::new(record)) })
    }

    fn outcome(&self, nhs_number: String, resource: &Resource) -> Result<PdsEntry, ReadError> {
        let code =
            resource.issue.iter().flat_map(|issue| &issue.details.coding).find_map(|coding| coding.code.as_deref());
        let change = match code {
            Some("RESOURCE_NOT_FOUND") => PdsChange::NotFound,
            Some("INVALIDATED_RESOURCE") => PdsChange::Upsert(Box::new(PdsRecordOwned::redacted(&nhs_number))),
            _ => {
                return Err(self.lines.reject(
                    "issue.details.coding.code",
                    "the outcome says nothing of the person: it is neither RESOURCE_NOT_FOUND nor INVALIDATED_RESOURCE",
                    "ask PDS for this record again",
                ));
            }
        };
        Ok(PdsEntry { nhs_number, change })
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

/// The NHS number that the resource itself gives: its id, unless that is some other kind of id, else its identifier.
fn own_nhs_number(resource: &mut Resource) -> Option<String> {
    let id = resource.id.take();
    if id.as_deref().is_some_and(|id| id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_digit())) {
        return id;
    }
    let is_nhs_number = |identifier: &Identifier| identifier.system.as_deref() == Some(NHS_NUMBER_SYSTEM);
    let identifier = resource.identifier.iter_mut().find(|identifier| is_nhs_number(identifier));
    identifier.and_then(|identifier| identifier.value.take()).or(id)
}

/// Empty, `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_perhaps_partial_date(text: &str) -> bool {
    let shape = b"dddd-dd-dd";
    matches!(text.len(), 0 | 4 | 7 | 10)
        && text
            .bytes()
            .zip(shape)
            .all(|(byte, &place)| if place == b'd' { byte.is_ascii_digit() } else { byte == place })
}

#[cfg(test)]
mod tests;
