//! Allergies: the observations in the entries, or the narrative where there is no entry.

use concord_schemas::patient_documents::ObservedAllergy;

use super::narrative;
use super::sections::Section;
use super::types::{Code, Narrative};
use crate::found::{Found, Spot};
use crate::values::{code_system, joined, squeezed};
use crate::xml::Element;

/// Status of an allergy (LOINC 33999-4): it was so, and is so no longer. SNOMED CT: inactive, resolved.
const OVER: [&str; 2] = ["73425007", "413322009"];

/// What an observation beside an allergy may be of: severity, status, criticality. None of them is an allergy.
const OF_ALLERGIES: [&str; 3] = ["SEV", "33999-4", "82606-5"];

pub(super) fn read(section: &Section<'_>, found: &mut Found) {
    let mut is_understood = false;
    for (at, entry) in section.element.all("entry") {
        is_understood |= read_within(entry, &format!("{}/entry[{at}]", section.path), &section.narrative, found);
    }
    if !is_understood {
        narrative::allergies(section, found);
    }
}

/// The observations directly in it, or in the act of a concern; says whether one of them spoke of an allergy.
fn read_within(element: &Element, path: &str, narrative: &Narrative<'_>, found: &mut Found) -> bool {
    let mut is_understood = false;
    for child in &element.children {
        let path = format!("{path}/{}", child.name);
        is_understood |= match child.name.as_str() {
            "observation" => read_observation(child, path, narrative, found),
            "act" | "organizer" | "component" | "entryRelationship" => read_within(child, &path, narrative, found),
            _ => false,
        };
    }
    is_understood
}

/// An allergy that is denied, or over, is understood too, and is none.
fn read_observation(observation: &Element, path: String, narrative: &Narrative<'_>, found: &mut Found) -> bool {
    let status = observation.child("statusCode").and_then(|code| code.attribute("code")).unwrap_or_default();
    let code = observation.child("code").and_then(|code| code.attribute("code")).unwrap_or_default();
    if OF_ALLERGIES.contains(&code) {
        return false;
    }
    let is_denied = observation.attribute("negationInd") == Some("true");
    if is_denied || matches!(status, "nullified" | "aborted") || is_over(observation) {
        return true;
    }
    let substance = substance_of(observation, narrative);
    if code_system::denies_allergies(&substance.code, &substance.text) {
        return true;
    }
    if substance.is_empty() {
        return false;
    }
    let reactions: Vec<String> = reactions_of(observation, narrative);
    let observed = ObservedAllergy {
        code_system: substance.system.into(),
        code: substance.code.into(),
        substance: substance.text.into(),
        reaction: joined(reactions.iter(), ", ").into(),
        ..ObservedAllergy::default()
    };
    found.allergy(observed, &Spot::at_path(path));
    true
}

/// The participant; without one the value of the observation, which then says to what.
fn substance_of(observation: &Element, narrative: &Narrative<'_>) -> Code {
    for (_, participant) in observation.all("participant") {
        let Some(entity) = participant.at(&["participantRole", "playingEntity"]) else { continue };
        let mut code = entity.child("code").map(|code| Code::of(code, narrative)).unwrap_or_default();
        let name = entity.child("name").map(|name| squeezed(&name.text())).unwrap_or_default();
        // Where there is no code, its text may say just that.
        if code.text.is_empty() || (code.code.is_empty() && !name.is_empty()) {
            code.text = name;
        }
        if !code.is_empty() {
            return code;
        }
    }
    observation.child("value").map(|value| Code::of(value, narrative)).unwrap_or_default()
}

/// Templates of observations of a reaction: CCD, C-CDA.
const REACTIONS: [&str; 2] = ["2.16.840.1.113883.10.20.1.54", "2.16.840.1.113883.10.20.22.4.9"];

/// What the observation is manifest by: the relationship says so, or the template of the other observation.
fn reactions_of(observation: &Element, narrative: &Narrative<'_>) -> Vec<String> {
    let is_reaction = |one: &Element| {
        let mut templates = one.child("observation").into_iter().flat_map(|other| other.all("templateId"));
        one.attribute("typeCode") == Some("MFST")
            || templates.any(|(_, id)| id.attribute("root").is_some_and(|root| REACTIONS.contains(&root)))
    };
    let related = observation.all("entryRelationship").filter(|(_, one)| is_reaction(one));
    let observations = related.filter_map(|(_, one)| one.child("observation"));
    let reaction = |observation: &Element| {
        let coded = observation.child("value").map(|value| Code::of(value, narrative).text).unwrap_or_default();
        let written = || observation.child("text").map(|text| narrative.cells_of(text, narrative::is_reaction));
        if coded.is_empty() { written().unwrap_or_default() } else { coded }
    };
    observations.map(reaction).collect()
}

fn is_over(observation: &Element) -> bool {
    observation.all("entryRelationship").filter_map(|(_, one)| one.child("observation")).any(|status| {
        let is_status = status.child("code").and_then(|code| code.attribute("code")) == Some("33999-4");
        let value = status.child("value").and_then(|value| value.attribute("code")).unwrap_or_default();
        is_status && OVER.contains(&value)
    })
}
