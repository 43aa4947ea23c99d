//! What a FHIR resource says of one NHS number.

use concord_schemas::nhs_number;

use super::fhir_resource::{Identifier, Resource};
use super::fhir_selection::{Selection, select};
use super::record::{PdsChange, PdsEntry, PdsRecordOwned};

const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// The code of the outcome for a number that PDS does not know.
pub(super) const RESOURCE_NOT_FOUND: &str = "RESOURCE_NOT_FOUND";
/// The code of the outcome for a number that was given out in error.
pub(super) const INVALIDATED_RESOURCE: &str = "INVALIDATED_RESOURCE";

/// Why a resource cannot be used. Repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub field: &'static str,
    pub problem: &'static str,
    pub remedy: &'static str,
    /// Whether the resource is of another NHS number than was asked for.
    pub is_of_another: bool,
}

impl Flaw {
    fn new(field: &'static str, problem: &'static str, remedy: &'static str) -> Self {
        Self { field, problem, remedy, is_of_another: false }
    }
}

/// Reads a resource as the answer for a number. `asked_for` is the number where it is known otherwise than from the resource;
/// `today` is an ISO date.
pub(super) fn entry_of(
    asked_for: Option<String>,
    mut resource: Resource,
    selection: Selection,
    today: &str,
) -> Result<PdsEntry, Flaw> {
    let nhs_number = nhs_number_of(asked_for, &mut resource)?;
    let change = match resource.resource_type.as_deref() {
        Some("Patient") => patient(&nhs_number, resource, selection, today)?,
        Some("OperationOutcome") => outcome(&nhs_number, &resource)?,
        _ => {
            return Err(Flaw::new(
                "resourceType",
                "it is neither Patient nor OperationOutcome",
                "send one FHIR R4 Patient or OperationOutcome per line",
            ));
        }
    };
    Ok(PdsEntry { nhs_number, change })
}

fn nhs_number_of(asked_for: Option<String>, resource: &mut Resource) -> Result<String, Flaw> {
    let own = own_nhs_number(resource);
    if let (Some(asked_for), Some(own)) = (&asked_for, &own)
        && asked_for != own
    {
        let flaw = Flaw::new(
            "nhsNumber",
            "the resource inside is of another NHS number (perhaps the record was merged into it)",
            "ask PDS for the record under its own number",
        );
        return Err(Flaw { is_of_another: true, ..flaw });
    }
    let Some(nhs_number) = asked_for.or(own) else {
        return Err(Flaw::new(
            "id",
            "the line names no NHS number",
            "put the NHS number into id, or send {\"nhsNumber\": ..., \"resource\": ...}",
        ));
    };
    if !nhs_number::is_valid(&nhs_number) {
        return Err(Flaw::new(
            "id",
            "it is not a valid NHS number",
            "give ten digits, the last of which is the check digit",
        ));
    }
    Ok(nhs_number)
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

fn patient(nhs_number: &str, mut resource: Resource, selection: Selection, today: &str) -> Result<PdsChange, Flaw> {
    let gender = resource.gender.take().unwrap_or_default().to_ascii_lowercase();
    if !matches!(gender.as_str(), "" | "male" | "female" | "other" | "unknown") {
        return Err(Flaw::new("gender", "it is not a FHIR gender", "use male, female, other or unknown"));
    }
    let date_of_birth = resource.birth_date.take().unwrap_or_default();
    if !is_perhaps_partial_date(&date_of_birth) {
        return Err(Flaw::new(
            "birthDate",
            "it is not a FHIR date",
            "write YYYY-MM-DD, or YYYY-MM or YYYY when no more is known",
        ));
    }
    // No rule compares it, so whatever form it has costs nobody the record.
    let date_of_death = resource.deceased_date_time.take().unwrap_or_default();
    let mut record = PdsRecordOwned {
        nhs_number: nhs_number.to_owned(),
        version: resource.meta.version_id.take().unwrap_or_default(),
        sensitivity: resource.meta.security.iter_mut().find_map(|label| label.code.take()).unwrap_or_default(),
        gender,
        date_of_birth,
        date_of_death,
        ..PdsRecordOwned::default()
    };
    select(&mut record, resource, selection, today);
    Ok(PdsChange::Upsert(Box::new(record)))
}

fn outcome(nhs_number: &str, resource: &Resource) -> Result<PdsChange, Flaw> {
    match outcome_code(resource) {
        Some(RESOURCE_NOT_FOUND) => Ok(PdsChange::NotFound),
        Some(INVALIDATED_RESOURCE) => Ok(PdsChange::Upsert(Box::new(PdsRecordOwned::redacted(nhs_number)))),
        _ => Err(Flaw::new(
            "issue.details.coding.code",
            "the outcome says nothing of the person: it is neither RESOURCE_NOT_FOUND nor INVALIDATED_RESOURCE",
            "ask PDS for this record again",
        )),
    }
}

/// The first code of an OperationOutcome.
pub(super) fn outcome_code(resource: &Resource) -> Option<&str> {
    resource.issue.iter().flat_map(|issue| &issue.details.coding).find_map(|coding| coding.code.as_deref())
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
