#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use concord_schemas::patient_documents::Features;
use serde_json::{Value, json};

use super::*;

fn read_json(document: &Value) -> Features<'static> {
    read(&document.to_string(), &Limits::default()).unwrap()
}

fn problem_of(text: &str) -> Problem {
    read(text, &Limits::default()).unwrap_err().problem
}

/// Field, value and place of what was observed.
fn observed(features: &Features<'_>) -> Vec<(String, String, String)> {
    let of = features.demographics.iter();
    of.map(|one| (one.field.to_string(), one.value.to_string(), one.place.to_string())).collect()
}

fn values_of(features: &Features<'_>, field: &str) -> Vec<String> {
    observed(features).into_iter().filter(|(own, ..)| own == field).map(|(_, value, _)| value).collect()
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

#[test]
fn a_usual_name_beside_an_official_one_is_what_friends_say() {
    let patient = |names: Value| {
        let text = json!({"resourceType": "Patient", "name": names}).to_string();
        let features = read(&text, &Limits::default()).unwrap();
        let given = features.demographics.iter().filter(|one| one.field == "given_names");
        given.map(|one| one.value.to_string()).collect::<Vec<_>>()
    };
    let usual = json!({"use": "usual", "given": ["Jim"]});
    assert_eq!(
        patient(json!([usual, {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]}])),
        ["Peter James"]
    );
    assert_eq!(patient(json!([usual, {"use": "nickname", "given": ["Jimmy"]}])), ["Jim"]);
}

#[test]
fn a_patient_is_read_with_the_place_of_every_value() {
    let features = read_json(&json!({
        "resourceType": "Patient",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999 054 8609"}],
        "name": [{"use": "official", "family": "O'Toole", "given": ["Åsa", "Marie"]}],
        "gender": "female",
        "birthDate": "1958-12-31",
        "address": [{"use": "home", "line": ["1 Trevelyan Square"], "city": "Leeds", "postalCode": "ls1 6ae"}],
        "telecom": [{"system": "phone", "value": "0113 496 0000", "use": "mobile"}, {"system": "email", "value": "a@b"}],
    }));
    let expected = [
        ("nhs_number", "9990548609", "Patient.identifier[0].value"),
        ("family_name", "O'Toole", "Patient.name[0]"),
        ("given_names", "Åsa Marie", "Patient.name[0]"),
        ("birth_date", "1958-12-31", "Patient.birthDate"),
        ("sex", "female", "Patient.gender"),
        ("phone", "01134960000", "Patient.telecom[0].value"),
        ("address", "1 Trevelyan Square, Leeds", "Patient.address[0]"),
        ("postcode", "LS1 6AE", "Patient.address[0]"),
    ];
    assert_eq!(observed(&features), expected.map(|(field, value, place)| (field.into(), value.into(), place.into())));
    assert!(features.demographics.iter().all(|one| one.confidence == 100));
    assert_eq!(features.phones[0].usage, "mobile");
    assert_eq!(features.addresses[0].usage, "home");
}

#[test]
fn former_names_addresses_and_phones_are_no_observation_of_the_field() {
    let features = read_json(&json!({
        "resourceType": "Patient",
        "name": [
            {"use": "maiden", "family": "Before"},
            {"use": "official", "family": "Past", "period": {"end": "2001"}},
            {"use": "nickname", "given": ["Zed"]},
            {"family": "Now", "given": ["Ann"]},
        ],
        "address": [{"use": "old", "line": ["1 Then Road"]}, {"line": ["2 Now Road"]}],
        "telecom": [{"system": "phone", "value": "0113 496 0001", "use": "old"}],
    }));
    assert_eq!(values_of(&features, "family_name"), ["Now"]);
    assert_eq!(values_of(&features, "address"), ["2 Now Road"]);
    assert_eq!(features.addresses.len(), 2);
    assert_eq!(values_of(&features, "phone"), [""; 0]);
    assert_eq!(features.phones.len(), 1);
}

#[test]
fn a_name_in_one_text_is_told_apart_and_less_sure() {
    let features = read_json(&json!({"resourceType": "Patient", "name": [{"text": "Mrs Ann Smith"}]}));
    assert_eq!(values_of(&features, "family_name"), ["Smith"]);
    assert_eq!(features.demographics[0].confidence, 80);
}

#[test]
fn a_number_that_fails_its_check_digit_is_an_identifier_only() {
    let number = json!({"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990548608"});
    let features = read_json(&json!({"resourceType": "Patient", "identifier": [number]}));
    assert_eq!(features.identifiers[0].value, "9990548608");
    assert!(features.demographics.is_empty());
}

fn statement(fields: Value) -> Value {
    let mut statement = json!({"resourceType": "MedicationStatement", "status": "active"});
    for (name, value) in fields.as_object().unwrap() {
        statement[name] = value.clone();
    }
    statement
}

#[test]
fn a_medicine_is_read_from_a_concept_the_best_code_first() {
    let features = read_json(&statement(json!({
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://example.org", "code": "x"},
                {"system": "http://snomed.info/sct", "code": "322236009", "display": "Paracetamol 500mg tablets"},
            ],
        },
        "effectivePeriod": {"start": "2024-01-01", "end": "2024-02"},
        "dosage": [{"text": "1 tablet twice a day", "route": {"coding": [{"display": "Oral"}]}}],
    })));
    let medication = &features.medications[0];
    assert_eq!((medication.code_system.as_ref(), medication.code.as_ref()), ("snomed", "322236009"));
    assert_eq!(
        (medication.name.as_ref(), medication.strength.as_ref(), medication.form.as_ref()),
        ("Paracetamol", "500 mg", "tablet")
    );
    assert_eq!((medication.dose.as_ref(), medication.route.as_ref()), ("1 tablet twice a day", "oral"));
    assert_eq!(
        (medication.start.as_ref(), medication.end.as_ref(), medication.status.as_ref()),
        ("2024-01-01", "2024-02", "active")
    );
    assert_eq!(medication.place.to_string(), "MedicationStatement.medication");
}

#[test]
fn a_medicine_is_found_contained_by_id_by_url_and_absent() {
    let product = json!({"resourceType": "Medication", "id": "m", "code": {"text": "Ramipril"}, "form": {"text": "Capsules"},
        "ingredient": [{"strength": {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "capsule"}}}]});
    let contained = statement(json!({"contained": [product], "medicationReference": {"reference": "#m"}}));
    let by_id = statement(json!({"medicationReference": {"reference": "Medication/m"}}));
    let by_url = statement(json!({"medicationReference": {"reference": "urn:uuid:1"}}));
    let absent =
        statement(json!({"medicationReference": {"reference": "Medication/2", "display": "Aspirin 75 mg tablets"}}));
    let mut documents = bundle(&[contained, by_id, by_url, absent, product]);
    documents["entry"][4]["fullUrl"] = json!("urn:uuid:1");
    let features = read_json(&documents);
    let names: Vec<_> =
        features.medications.iter().map(|one| format!("{} {} {}", one.name, one.strength, one.form)).collect();
    assert_eq!(
        names,
        ["Ramipril 5 mg capsule", "Ramipril 5 mg capsule", "Ramipril 5 mg capsule", "Aspirin 75 mg tablet"]
    );
    assert_eq!(features.medications[1].place.to_string(), "entry[1].resource.medication");
}

#[test]
fn a_dose_is_put_together_where_nobody_wrote_it() {
    for (dosage, dose) in [
        (
            json!({"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}], "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}),
            "2 tablet twice a day",
        ),
        (
            json!({"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "g"}, "high": {"value": 2, "unit": "g"}}}], "asNeededBoolean": true}),
            "1 g to 2 g as needed",
        ),
        (json!({"timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}}), "every 8 hours"),
        (json!({"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "wk"}}}), "3 times a week"),
        (json!({"timing": {"code": {"text": "at night"}}}), "at night"),
    ] {
        let features = read_json(&statement(json!({"medicationCodeableConcept": {"text": "A"}, "dosage": [dosage]})));
        assert_eq!(features.medications[0].dose, dose);
    }
}

#[test]
fn what_is_an_error_or_is_forbidden_is_no_medicine() {
    let concept = json!({"text": "A"});
    let request = |fields: Value| {
        let mut request = json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": concept});
        for (name, value) in fields.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    let features = read_json(&bundle(&[
        statement(json!({"status": "entered-in-error", "medicationCodeableConcept": concept})),
        request(json!({"status": "entered-in-error"})),
        request(json!({"doNotPerform": true})),
        request(json!({"status": "cancelled", "authoredOn": "2024-03-01T10:00:00Z"})),
        request(json!({"intent": "plan"})),
        request(
            json!({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2024-04-01"}}}}], "authoredOn": "2024-03-01"}),
        ),
    ]));
    let found: Vec<_> = features.medications.iter().map(|one| (one.status.as_ref(), one.start.as_ref())).collect();
    assert_eq!(found, [("stopped", "2024-03-01"), ("intended", ""), ("active", "2024-04-01")]);
}

#[test]
fn allergies_are_read_but_for_those_that_are_denied_or_over() {
    let allergy = |fields: Value| {
        let mut allergy = json!({"resourceType": "AllergyIntolerance", "code": {"text": "Penicillin"}});
        for (name, value) in fields.as_object().unwrap() {
            allergy[name] = value.clone();
        }
        allergy
    };
    let status = |code: &str| json!({"coding": [{"code": code}]});
    let features = read_json(&bundle(&[
        allergy(json!({"reaction": [{"manifestation": [{"text": "rash"}, {"text": "wheeze"}]}]})),
        allergy(json!({"verificationStatus": status("refuted")})),
        allergy(json!({"verificationStatus": "entered-in-error"})),
        allergy(json!({"clinicalStatus": status("resolved")})),
        allergy(json!({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}})),
        allergy(json!({"code": null, "reaction": [{"substance": {"text": "Latex"}}]})),
    ]));
    let found: Vec<_> = features.allergies.iter().map(|one| (one.substance.as_ref(), one.reaction.as_ref())).collect();
    assert_eq!(found, [("Penicillin", "rash, wheeze"), ("Latex", "")]);
}

#[test]
fn several_patients_are_one_when_they_are_the_same_or_only_one_is_spoken_of() {
    let patient = |id: &str, family: &str| json!({"resourceType": "Patient", "id": id, "name": [{"family": family}]});
    let about = |reference: &str| {
        statement(json!({"subject": {"reference": reference}, "medicationCodeableConcept": {"text": "A"}}))
    };
    let features = read_json(&bundle(&[patient("1", "One"), patient("2", "Two"), about("Patient/2")]));
    assert_eq!(values_of(&features, "family_name"), ["Two"]);
    let features = read_json(&bundle(&[patient("1", "One"), about("Patient/9")]));
    assert_eq!(values_of(&features, "family_name"), ["One"]);
    let features = read_json(&bundle(&[patient("1", "One"), patient("1", "One")]));
    assert_eq!(values_of(&features, "family_name"), ["One", "One"]);
    for several in [
        bundle(&[patient("1", "One"), patient("2", "Two")]),
        bundle(&[patient("1", "One"), patient("2", "Two"), about("Patient/1"), about("Patient/2")]),
        bundle(&[about("Patient/1"), about("Patient/2")]),
        bundle(&[patient("1", "One"), about("Patient/1"), about("Patient/2")]),
    ] {
        assert_eq!(problem_of(&several.to_string()), Problem::SeveralPatients);
    }
}

#[test]
fn resources_may_stand_in_an_array_or_behind_each_other() {
    let patient = json!({"resourceType": "Patient", "birthDate": "1958"});
    let medication = statement(json!({"medicationCodeableConcept": {"text": "A"}}));
    let features = read_json(&json!([patient, medication]));
    assert_eq!(features.medications[0].place.to_string(), "[1].medication");
    let lines = format!("{patient}\n{medication}\n");
    assert_eq!(read(&lines, &Limits::default()).unwrap(), features);
}

#[test]
fn json_that_says_nothing_of_a_patient_is_refused_with_its_reason() {
    assert_eq!(problem_of(r#"{"a": 1}"#), Problem::NoPatientDocument);
    assert_eq!(problem_of(r#"{"resourceType": "Observation"}"#), Problem::NoPatientDocument);
    assert_eq!(problem_of(r#"{"resourceType": "Patient""#), Problem::Damaged);
    assert_eq!(problem_of(r#"{"resourceType": "Patient"} x"#), Problem::Damaged);
}

#[test]
fn depth_number_and_observations_are_limited() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(problem_of(&deep), Problem::TooDeep);
    let wide = format!("[{}1]", "1,".repeat(600_000));
    assert_eq!(problem_of(&wide), Problem::TooMany);
    let phones: Vec<Value> = (0..50).map(|_| json!({"system": "phone", "value": "01134960000"})).collect();
    let patient = json!({"resourceType": "Patient", "telecom": phones}).to_string();
    let limits = Limits { observations: 20, ..Limits::default() };
    assert_eq!(read(&patient, &limits).unwrap_err().problem, Problem::TooMany);
}
