#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::civil::date;

use super::*;
use crate::pds::{PdsChange, PdsRecordOwned};
use crate::test_rows::{gzipped, row_error};

fn read_as(content: &[u8], selection: Selection) -> Vec<Result<PdsEntry, ReadError>> {
    let settings = FhirSettings { selection, today: date(2021, 8, 10) };
    FhirReader::open("pds.ndjson", content, settings).unwrap().collect()
}

fn read(content: &str) -> Vec<Result<PdsEntry, ReadError>> {
    read_as(content.as_bytes(), Selection::OneElement)
}

fn only(content: &str) -> Result<PdsEntry, ReadError> {
    let mut entries = read(content);
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

fn record(content: &str) -> PdsRecordOwned {
    match only(content).unwrap().change {
        PdsChange::Upsert(record) => *record,
        PdsChange::NotFound => panic!("not a record"),
    }
}

const PATIENT: &str = concat!(
    r#"{"resourceType": "Patient", "id": "9000000009", "#,
    r#""meta": {"versionId": "2", "security": [{"system": "s"}, {"code": "U"}]}, "#,
    r#""name": [{"use": "usual", "given": ["Jane", null, "Ann"], "family": "Smith", "prefix": ["Mrs"]}], "#,
    r#""gender": "female", "birthDate": "2010-10-22", "deceasedDateTime": "2010-10-22T00:00:00+00:00", "#,
    r#""address": [{"use": "home", "line": ["1 Square", "Leeds"], "postalCode": "LS1 6AE"}], "#,
    r#""generalPractitioner": [{"identifier": {"value": "Y12345", "period": {"start": "2020-01-01"}}}], "#,
    r#""telecom": [{"value": "0"}]}"#,
);

#[test]
fn a_patient_is_read_field_by_field() {
    let text = |text: &str| text.to_owned();
    let expected = PdsRecordOwned {
        nhs_number: text("9000000009"),
        version: text("2"),
        sensitivity: text("U"),
        surname: text("Smith"),
        forenames: vec![text("Jane"), text("Ann")],
        titles: vec![text("Mrs")],
        gender: text("female"),
        date_of_birth: text("2010-10-22"),
        address: vec![text("1 Square"), text("Leeds")],
        postcode: text("LS1 6AE"),
        gp_practice: text("Y12345"),
        gp_registered_date: text("2020-01-01"),
        date_of_death: text("2010-10-22T00:00:00+00:00"),
    };
    assert_eq!(record(PATIENT), expected);
    assert_eq!(expected.as_record().forenames, ["Jane", "Ann"]);
    let mut packed = read_as(&gzipped(PATIENT.as_bytes()), Selection::FirstOfEachPart);
    assert_eq!(packed.remove(0).unwrap().change, PdsChange::Upsert(Box::new(expected)));
}

#[test]
fn absent_parts_are_empty_and_a_partial_birth_date_is_kept() {
    let record = record(r#"{"resourceType": "Patient", "id": "9000000009", "birthDate": "1923-05"}"#);
    let expected = PdsRecordOwned {
        nhs_number: "9000000009".to_owned(),
        date_of_birth: "1923-05".to_owned(),
        ..PdsRecordOwned::default()
    };
    assert_eq!(record, expected);
}

#[test]
fn the_nhs_number_is_the_id_or_the_identifier_or_the_wrappers() {
    for line in [
        r#"{"resourceType": "Patient", "id": "9000000009"}"#,
        r#"{"resourceType": "Patient", "id": "a-uuid", "identifier": [{"system": "x", "value": "1"}, {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009"}]}"#,
        r#"{"nhsNumber": "9000000009", "resource": {"resourceType": "Patient"}}"#,
        r#"{"nhsNumber": "9000000009", "resource": {"resourceType": "Patient", "id": "9000000009"}}"#,
    ] {
        assert_eq!(only(line).unwrap().nhs_number, "9000000009", "{line}");
    }
}

#[test]
fn outcomes_are_a_tombstone_a_redacted_record_or_an_error() {
    let outcome = |code: &str| {
        format!(
            r#"{{"resourceType": "OperationOutcome", "id": "9000000009", "issue": [{{"details": {{"coding": [{{"code": "{code}"}}]}}}}]}}"#
        )
    };
    assert_eq!(only(&outcome("RESOURCE_NOT_FOUND")).unwrap().change, PdsChange::NotFound);
    assert_eq!(record(&outcome("INVALIDATED_RESOURCE")), PdsRecordOwned::redacted("9000000009"));
    for code in ["TOO_MANY_REQUESTS", "ACCESS_DENIED", ""] {
        assert_eq!(row_error(only(&outcome(code))).remedy, "ask PDS for this record again");
    }
    let wrapped = format!(
        r#"{{"nhsNumber": "9000000017", "resource": {}}}"#,
        outcome("RESOURCE_NOT_FOUND").replace(r#""id": "9000000009", "#, "")
    );
    let expected = PdsEntry { nhs_number: "9000000017".to_owned(), change: PdsChange::NotFound };
    assert_eq!(only(&wrapped).unwrap(), expected);
}

#[test]
fn a_bad_line_names_its_field_and_nothing_of_the_patient_and_the_next_is_read() {
    let table = [
        ("{", "the line"),
        ("<html>Smith</html>", "the line"),
        ("\"Smith\"", "the line"),
        (r#"{"resourceType": "Bundle", "id": "9000000009"}"#, "resourceType"),
        (r#"{"resourceType": "Patient"}"#, "id"),
        (r#"{"resourceType": "Patient", "id": "9000000008"}"#, "id"),
        (r#"{"resourceType": "Patient", "id": "Smith"}"#, "id"),
        (r#"{"resourceType": "Patient", "id": "9000000009", "gender": "Smith"}"#, "gender"),
        (r#"{"resourceType": "Patient", "id": "9000000009", "birthDate": "22 Smith"}"#, "birthDate"),
        (r#"{"resourceType": "Patient", "id": "9000000009", "name": [{"given": "Smith"}]}"#, "name[0].given"),
        (r#"{"nhsNumber": "9000000017", "resource": {"resourceType": "Patient", "id": "9000000009"}}"#, "nhsNumber"),
    ];
    for (line, field) in table {
        let mut entries = read(&format!("{PATIENT}\n{line}\n{PATIENT}"));
        assert_eq!(entries.len(), 3, "{line}");
        assert!(entries.pop().unwrap().is_ok());
        let result = entries.pop().unwrap();
        let Err(ReadError::Row(rejected)) = &result else { panic!("{line}: {result:?}") };
        assert_eq!(rejected.row, line.as_bytes());
        assert!(!format!("{rejected:?}").contains("Smith"), "{rejected:?}");
        let error = row_error(result);
        assert_eq!((error.line, error.field.as_str()), (2, field), "{line}");
        assert!(!error.to_string().contains("Smith") && !error.to_string().contains("90000000"), "{error}");
    }
}

#[test]
fn the_published_example_of_a_patient_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/list-reconciliation/pds-fhir-patient.json");
    let Ok(example) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED: the_published_example_of_a_patient_is_read: {path} is absent");
        return;
    };
    let on_one_line: serde_json::Value = serde_json::from_str(&example).unwrap();
    let record = record(&on_one_line.to_string());
    assert_eq!(record.forenames, ["Jane"]);
    assert_eq!(record.address.len(), 5);
    assert_eq!((record.sensitivity.as_str(), record.gp_practice.as_str()), ("U", "Y12345"));
}
