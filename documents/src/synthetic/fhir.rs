//! A FHIR R4 bundle: a patient, and medicines and allergies that refer to it; medicines are resources of their own.

use serde_json::{Value, json};

use super::{SyntheticAllergy, SyntheticMedication, SyntheticRecord};

pub(super) fn bundle(record: &SyntheticRecord) -> Vec<u8> {
    let mut entries = vec![entry(patient(record))];
    for (at, medication) in record.medications.iter().enumerate() {
        entries.push(entry(product(at, medication)));
        entries.push(entry(statement(at, medication)));
    }
    entries.extend(record.allergies.iter().enumerate().map(|(at, one)| entry(allergy(at, one))));
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    bundle.to_string().into_bytes()
}

fn entry(resource: Value) -> Value {
    let url = format!(
        "https://example.org/fhir/{}/{}",
        resource["resourceType"].as_str().unwrap_or_default(),
        resource["id"].as_str().unwrap_or_default()
    );
    json!({"fullUrl": url, "resource": resource})
}

fn patient(record: &SyntheticRecord) -> Value {
    let (lines, town) = record.address.rsplit_once(", ").unwrap_or((&record.address, ""));
    let mut patient = json!({"resourceType": "Patient", "id": "p1"});
    if !record.nhs_number.is_empty() {
        patient["identifier"] = json!([{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": record.nhs_number}]);
    }
    let given: Vec<&str> = record.given_names.split(' ').filter(|name| !name.is_empty()).collect();
    patient["name"] = json!([{"use": "official", "family": record.family_name, "given": given}]);
    if !record.birth_date.is_empty() {
        patient["birthDate"] = json!(record.birth_date);
    }
    if !record.sex.is_empty() {
        patient["gender"] = json!(record.sex);
    }
    patient["address"] = json!([{"use": "home", "line": lines.split(", ").collect::<Vec<_>>(), "city": town, "postalCode": record.postcode}]);
    patient["telecom"] = json!([{"system": "phone", "value": record.phone, "use": "home"}]);
    patient
}

fn product(at: usize, medication: &SyntheticMedication) -> Value {
    let mut resource = json!({"resourceType": "Medication", "id": format!("m{at}"), "code": {"text": medication.name}});
    if !medication.code.is_empty() {
        resource["code"]["coding"] = json!([{"system": "https://dmd.nhs.uk", "code": medication.code}]);
    }
    if !medication.form.is_empty() {
        resource["form"] = json!({"text": medication.form});
    }
    if let Some(strength) = ratio(&medication.strength) {
        resource["ingredient"] = json!([{"itemCodeableConcept": {"text": medication.name}, "strength": strength}]);
    } else if !medication.strength.is_empty() {
        resource["code"]["text"] = json!(format!("{} {}", medication.name, medication.strength));
    }
    resource
}

/// `500 mg` and `250 mg/5 ml` as ratios; `None` of a percentage.
fn ratio(strength: &str) -> Option<Value> {
    let (numerator, denominator) = strength.split_once('/').unwrap_or((strength, "1 tablet"));
    let quantity = |text: &str| {
        let (value, unit) = text.split_once(' ').unwrap_or(("1", text));
        Some(json!({"value": value.parse::<serde_json::Number>().ok()?, "unit": unit}))
    };
    (!strength.contains('%') && !strength.is_empty())
        .then(|| Some(json!({"numerator": quantity(numerator)?, "denominator": quantity(denominator)?})))
        .flatten()
}

fn statement(at: usize, medication: &SyntheticMedication) -> Value {
    let mut statement = json!({
        "resourceType": "MedicationStatement",
        "id": format!("s{at}"),
        "status": if medication.end.is_empty() { "active" } else { "completed" },
        "medicationReference": {"reference": format!("Medication/m{at}")},
        "subject": {"reference": "Patient/p1"},
        "dosage": [{"text": medication.dose, "route": {"text": medication.route}}],
    });
    let mut period = json!({});
    for (name, date) in [("start", &medication.start), ("end", &medication.end)] {
        if !date.is_empty() {
            period[name] = json!(date);
        }
    }
    statement["effectivePeriod"] = period;
    statement
}

fn allergy(at: usize, allergy: &SyntheticAllergy) -> Value {
    let manifestations: Vec<Value> =
        allergy.reaction.split(", ").filter(|one| !one.is_empty()).map(|one| json!({"text": one})).collect();
    let mut code = json!({"text": allergy.substance});
    if !allergy.code.is_empty() {
        code["coding"] = json!([{"system": "http://snomed.info/sct", "code": allergy.code}]);
    }
    json!({
        "resourceType": "AllergyIntolerance",
        "id": format!("a{at}"),
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "patient": {"reference": "https://example.org/fhir/Patient/p1"},
        "code": code,
        "reaction": [{"manifestation": manifestations}],
    })
}
