//! CDA R2: the patient of the record target, and the sections of medicines and allergies.

mod allergies;
mod medications;
mod narrative;
mod record_target;
mod sections;
mod types;

use concord_schemas::patient_documents::Features;

use crate::found::Found;
use crate::{Limits, Problem, ReadFailure, xml};
use sections::SectionKind;

/// Reads a CDA document.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Features<'static>, ReadFailure> {
    let document = xml::parse(text, limits)?;
    if document.name != "ClinicalDocument" {
        return Err(ReadFailure::new(Problem::NoPatientDocument, "XML that is no ClinicalDocument"));
    }
    let mut found = Found::new("cda-r2", limits);
    record_target::read(&document, &mut found)?;
    for section in sections::of(&document) {
        match section.kind {
            SectionKind::Medications => medications::read(&section, &mut found),
            SectionKind::Allergies => allergies::read(&section, &mut found),
        }
        if found.is_full() {
            break;
        }
    }
    found.finish()
}

#[cfg(test)]
mod tests;
