//! `AllergyIntolerance`.

use concord_schemas::patient_documents::ObservedAllergy;
use serde_json::Value;

use super::element::{Concept, list_of, status_of};
use super::references::Resource;
use crate::found::{Found, Spot};
use crate::values::{code_system, joined};

/// Takes the statement back, or denies it.
const TAKEN_BACK: [&str; 2] = ["entered-in-error", "refuted"];
/// It was so, and is so no longer.
const OVER: [&str; 2] = ["inactive", "resolved"];

pub(super) fn read(resource: &Resource<'_>, found: &mut Found) {
    let allergy = resource.value;
    let is_over = OVER.contains(&status_of(allergy, "clinicalStatus"));
    if is_over || TAKEN_BACK.contains(&status_of(allergy, "verificationStatus")) {
        return;
    }
    let reactions = list_of(allergy, "reaction");
    let mut concept = Concept::of(allergy.get("code").unwrap_or(&Value::Null));
    if concept.is_empty() {
        let substances =
            reactions.iter().map(|reaction| Concept::of(reaction.get("substance").unwrap_or(&Value::Null)));
        concept = substances.into_iter().find(|substance| !substance.is_empty()).unwrap_or_default();
    }
    if code_system::denies_allergies(&concept.code, &concept.text) {
        return;
    }
    let manifestations = reactions.iter().flat_map(|reaction| list_of(reaction, "manifestation")).map(Concept::of);
    let manifestations: Vec<String> = manifestations.map(|manifestation| manifestation.text).collect();
    let observed = ObservedAllergy {
        code_system: concept.system.into(),
        code: concept.code.into(),
        substance: concept.text.into(),
        reaction: joined(manifestations.iter(), ", ").into(),
        ..ObservedAllergy::default()
    };
    found.allergy(observed, &Spot::at_path(resource.path("code")));
}
