//! FHIR R4 JSON: a patient, medicines and allergies, alone or in a bundle, and what they refer to.

mod allergy;
mod element;
mod medication;
mod patient;
mod references;
mod structure;

use concord_schemas::patient_documents::Features;
use serde_json::Value;

use crate::found::Found;
use crate::{Limits, Problem, ReadFailure};
use element::text_of;
use references::Resources;

/// Kinds of resources that say something of a patient.
const READ: [&str; 4] = ["Patient", "MedicationStatement", "MedicationRequest", "AllergyIntolerance"];

/// Reads a resource, a bundle, an array of resources, or resources line by line.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Features<'static>, ReadFailure> {
    structure::check(text, limits)?;
    let documents = parsed(text)?;
    let resources = Resources::of(&documents);
    if !resources.all().any(|resource| READ.contains(&resource.kind) || resource.kind == "Bundle") {
        let kinds = "no Patient, Bundle, MedicationStatement, MedicationRequest or AllergyIntolerance";
        return Err(ReadFailure::new(Problem::NoPatientDocument, kinds));
    }
    let subject = resources.subject()?;
    let mut found = Found::new("fhir-r4", limits);
    for resource in resources.all() {
        if found.is_full() {
            break;
        }
        match resource.kind {
            "Patient" if subject.is(resource) => patient::read(resource, &mut found),
            "MedicationStatement" => medication::read_statement(resource, &resources, &mut found),
            "MedicationRequest" => medication::read_request(resource, &resources, &mut found),
            "AllergyIntolerance" => allergy::read(resource, &mut found),
            _ => {}
        }
    }
    found.finish()
}

/// One value, or several behind each other.
fn parsed(text: &str) -> Result<Vec<Value>, ReadFailure> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let values = values.map_err(|error| {
        ReadFailure::damaged(format!("no JSON at line {}, column {}", error.line(), error.column()))
    })?;
    let is_resource = |value: &Value| text_of(value, "resourceType").is_some();
    let names_resources = match &values[..] {
        [Value::Array(resources)] => resources.iter().any(is_resource),
        several => several.iter().any(is_resource),
    };
    if !names_resources {
        return Err(ReadFailure::new(Problem::NoPatientDocument, "JSON without a type of resource"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
