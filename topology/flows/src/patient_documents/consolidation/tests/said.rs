//! Documents that say something, in few words.

use concord_schemas::patient_documents::{
    Extraction, Features, ObservedAllergy, ObservedField, ObservedMedication, PatientConsolidation, Place,
    ProcessingStatus,
};

use crate::patient_documents::consolidation::{Rules, consolidate};

/// A document that was read.
pub fn document<'a>(
    document_id: &'a str,
    reader: &'a str,
    at_ms: i64,
    fields: &[(&'a str, &'a str)],
) -> Extraction<'a> {
    let place = || Place::at_path("line 1");
    let said = |(field, value): &(&'a str, &'a str)| ObservedField {
        field: (*field).into(),
        value: (*value).into(),
        place: place(),
        confidence: 100,
    };
    Extraction {
        document_id,
        patient_id: "patient-1",
        name: document_id,
        source: "",
        status: ProcessingStatus::Complete,
        failure_count: 0,
        status_last_updated_ms: at_ms,
        duration_ms: Some(1),
        content_type: "text/plain",
        content_sha256: "ab",
        contents_last_updated_ms: at_ms,
        reason_code: "",
        reason: "",
        features_as_of_ms: Some(at_ms),
        features: Some(Features {
            reader: reader.into(),
            demographics: fields.iter().map(said).collect(),
            ..Features::default()
        }),
    }
}

/// A document that names medicines: (code, name, strength, form, dose).
pub fn medicines<'a>(document_id: &'a str, named: &[[&'a str; 5]]) -> Extraction<'a> {
    let mut document = document(document_id, "fhir-r4", 1, &[]);
    let medication = |[code, name, strength, form, dose]: &[&'a str; 5]| ObservedMedication {
        code_system: if code.is_empty() { "".into() } else { "dm+d".into() },
        code: (*code).into(),
        name: (*name).into(),
        strength: (*strength).into(),
        form: (*form).into(),
        dose: (*dose).into(),
        status: "active".into(),
        confidence: 100,
        ..ObservedMedication::default()
    };
    document.features.as_mut().unwrap().medications = named.iter().map(medication).collect();
    document
}

/// A document that names allergies: (code, substance, reaction).
pub fn allergies<'a>(document_id: &'a str, named: &[[&'a str; 3]]) -> Extraction<'a> {
    let mut document = document(document_id, "fhir-r4", 1, &[]);
    let allergy = |[code, substance, reaction]: &[&'a str; 3]| ObservedAllergy {
        code_system: "snomed".into(),
        code: (*code).into(),
        substance: (*substance).into(),
        reaction: (*reaction).into(),
        confidence: 100,
        ..ObservedAllergy::default()
    };
    document.features.as_mut().unwrap().allergies = named.iter().map(allergy).collect();
    document
}

pub fn record(documents: &[Extraction<'_>]) -> PatientConsolidation<'static> {
    consolidate("patient-1", documents, &Rules::default())
}

/// The chosen value of a field, and the step that decided.
pub fn chosen(record: &PatientConsolidation<'_>, field: &str) -> (Option<String>, String) {
    let field = record.fields.iter().find(|of| of.field == field).unwrap_or_else(|| panic!("no field {field}"));
    (field.value.as_ref().map(ToString::to_string), field.decided_by.to_string())
}

/// The ids of the conflicts.
pub fn conflicts(record: &PatientConsolidation<'_>) -> Vec<String> {
    record.conflicts.iter().map(|conflict| conflict.field.to_string()).collect()
}
