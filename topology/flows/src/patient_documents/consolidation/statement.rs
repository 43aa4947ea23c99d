//! What one document says of its patient, as the consolidation takes it in.

use concord_schemas::patient_documents::{Extraction, ObservedAllergy, ObservedField, ObservedMedication};

use super::fields::Field;

/// What one document says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its id.
    pub document_id: &'a str,
    /// What read it, which decides how far it is trusted.
    pub reader: &'a str,
    /// When the contents that were read were created or changed last, milliseconds since the epoch, UTC.
    pub contents_last_updated_ms: i64,
    /// Fields of the patient; a field may stand there several times.
    pub fields: Vec<SaidField<'a>>,
    /// Medications.
    pub medications: Vec<SaidMedication<'a>>,
    /// Allergies.
    pub allergies: Vec<SaidAllergy<'a>>,
}

/// One value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidField<'a> {
    /// Which field.
    pub field: Field,
    /// The value as it was read.
    pub value: &'a str,
    /// How sure the reader is of it, in percent.
    pub confidence: u8,
}

/// One medication. What the document does not say is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SaidMedication<'a> {
    /// dm+d or SNOMED code; empty when it has another one or none.
    pub code: &'a str,
    /// Its name, which may hold strength and form too.
    pub name: &'a str,
    /// Such as `500 mg`.
    pub strength: &'a str,
    /// Such as `tablet`.
    pub form: &'a str,
    /// How much is taken when, in words.
    pub dose: &'a str,
    /// Such as `oral`.
    pub route: &'a str,
    /// Such as `active`.
    pub status: &'a str,
    /// How sure the reader is of it, in percent.
    pub confidence: u8,
}

/// One allergy. What the document does not say is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SaidAllergy<'a> {
    /// dm+d or SNOMED code; empty when it has another one or none.
    pub code: &'a str,
    /// What the patient is allergic to.
    pub substance: &'a str,
    /// What it does; may be empty.
    pub reaction: &'a str,
    /// How sure the reader is of it, in percent.
    pub confidence: u8,
}

/// Systems whose codes merge. Codes of dm+d are SNOMED codes.
const MERGING_SYSTEMS: [&str; 2] = ["dm+d", "snomed"];

impl<'a> Statement<'a> {
    /// What was read from a document; `None` while nothing was.
    #[must_use]
    pub fn of(extraction: &'a Extraction<'_>) -> Option<Self> {
        let features = extraction.features.as_ref()?;
        Some(Self {
            document_id: extraction.document_id,
            reader: &features.reader,
            contents_last_updated_ms: extraction.features_as_of_ms.unwrap_or(extraction.contents_last_updated_ms),
            fields: features.demographics.iter().filter_map(field).collect(),
            medications: features.medications.iter().map(medication).collect(),
            allergies: features.allergies.iter().map(allergy).collect(),
        })
    }
}

/// A field that this program does not know is one of a newer reader.
fn field<'a>(observed: &'a ObservedField<'_>) -> Option<SaidField<'a>> {
    let field = Field::of_name(&observed.field)?;
    Some(SaidField { field, value: &observed.value, confidence: percent(observed.confidence) })
}

fn medication<'a>(observed: &'a ObservedMedication<'_>) -> SaidMedication<'a> {
    SaidMedication {
        code: merging_code(&observed.code_system, &observed.code),
        name: &observed.name,
        strength: &observed.strength,
        form: &observed.form,
        dose: &observed.dose,
        route: &observed.route,
        status: &observed.status,
        confidence: percent(observed.confidence),
    }
}

fn allergy<'a>(observed: &'a ObservedAllergy<'_>) -> SaidAllergy<'a> {
    SaidAllergy {
        code: merging_code(&observed.code_system, &observed.code),
        substance: &observed.substance,
        reaction: &observed.reaction,
        confidence: percent(observed.confidence),
    }
}

fn merging_code<'a>(system: &str, code: &'a str) -> &'a str {
    if MERGING_SYSTEMS.contains(&system) { code.trim() } else { "" }
}

fn percent(confidence: i32) -> u8 {
    u8::try_from(confidence.clamp(0, 100)).unwrap_or_default()
}
