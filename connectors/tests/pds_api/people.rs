//! Invented people as PDS answers about them: status and body.

use std::collections::BTreeMap;
use std::fs;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection, TestPackReader};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use serde_json::{Value, json};

/// What PDS answers by number, and what must come of it.
#[derive(Default)]
pub struct People {
    pub answers: BTreeMap<String, (u16, String)>,
    pub expected: BTreeMap<String, PdsChange>,
}

/// One person, enough for most tests.
pub const NUMBER: &str = "9000000009";

pub fn one_person() -> People {
    let mut people = People::default();
    let record = PdsRecordOwned {
        nhs_number: NUMBER.to_owned(),
        version: "2".to_owned(),
        sensitivity: "U".to_owned(),
        surname: "Wren".to_owned(),
        forenames: vec!["Anna".to_owned()],
        titles: vec!["Dr".to_owned()],
        gender: "female".to_owned(),
        date_of_birth: "1980-02-28".to_owned(),
        address: vec!["1 Oak Lane".to_owned(), "Elmton".to_owned()],
        postcode: "AB1 2CD".to_owned(),
        gp_practice: "Y12345".to_owned(),
        gp_registered_date: "2019-04-01".to_owned(),
        date_of_death: String::new(),
    };
    people.answers.insert(NUMBER.to_owned(), answer_of(&record));
    people.expected.insert(NUMBER.to_owned(), PdsChange::Upsert(Box::new(record)));
    people
}

/// The 690 people of the test pack; `None`, said loudly, when it is not at hand.
pub fn test_pack(test: &str) -> Option<People> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/list-reconciliation/pds-test-pack.csv");
    let Ok(content) = fs::read(path) else {
        eprintln!("SKIPPED: {test}: {path} is absent");
        return None;
    };
    let mut people = People::default();
    for entry in TestPackReader::open("pds-test-pack.csv", content.as_slice()).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = &entry.change {
            people.answers.insert(entry.nhs_number.clone(), answer_of(record));
        }
        people.expected.insert(entry.nhs_number, entry.change);
    }
    Some(people)
}

/// A generated practice; whoever PDS does not know is expected as not found.
pub fn synthetic(patients: u64) -> People {
    let now = "2021-08-10T13:40:00Z".parse().unwrap();
    let settings = SyntheticSettings { practice: "Y12345".to_owned(), patients, seed: 7, first_person: 0, now };
    let practice = SyntheticPractice::generate(settings).unwrap();
    let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
    let mut people = People::default();
    for line in practice.pds() {
        let resource: Value = serde_json::from_str(&line).unwrap();
        let status = if resource["resourceType"] == "Patient" { 200 } else { 404 };
        let mut reader = FhirReader::open("pds.ndjson", line.as_bytes(), settings).unwrap();
        let entry = reader.next().unwrap().unwrap();
        drop(reader);
        people.answers.insert(entry.nhs_number.clone(), (status, line));
        people.expected.insert(entry.nhs_number, entry.change);
    }
    for rows in practice.extract().skip(1) {
        let number = rows.split('~').nth(7).unwrap().to_owned();
        people.expected.entry(number).or_insert(PdsChange::NotFound);
    }
    people
}

/// An outcome as PDS writes it.
pub fn outcome(code: &str, display: &str) -> String {
    let coding = json!([{"system": "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode", "code": code, "display": display}]);
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "details": {"coding": coding}}]})
        .to_string()
}

fn answer_of(record: &PdsRecordOwned) -> (u16, String) {
    if record.sensitivity == "REDACTED" {
        return (404, outcome("INVALIDATED_RESOURCE", "Resource that has been marked as invalid was requested"));
    }
    let mut patient = json!({
        "resourceType": "Patient",
        "id": record.nhs_number,
        "meta": {"versionId": record.version, "security": [{"code": record.sensitivity}]},
        "gender": record.gender,
        "birthDate": record.date_of_birth,
        "name": [
            {"use": "old", "family": "Former", "prefix": ["Prof"]},
            {"use": "usual", "family": record.surname, "given": record.forenames, "prefix": record.titles},
        ],
        "address": [
            {"use": "temp", "line": ["Somewhere"], "postalCode": "ZZ9 9ZZ"},
            {"use": "home", "line": record.address, "postalCode": record.postcode},
        ],
    });
    if !record.date_of_death.is_empty() {
        patient["deceasedDateTime"] = json!(record.date_of_death);
    }
    if !record.gp_practice.is_empty() {
        let mut identifier = json!({"value": record.gp_practice});
        if !record.gp_registered_date.is_empty() {
            identifier["period"] = json!({"start": record.gp_registered_date});
        }
        patient["generalPractitioner"] = json!([{"identifier": identifier}]);
    }
    (200, patient.to_string())
}
