//! What documents contradict each other about.

use super::said::{conflicts, document, record};

#[test]
fn fields_of_which_there_is_one_conflict_when_two_values_are_said() {
    let record = record(&[
        document("a", "fhir-r4", 10, &[("birth_date", "1980-01-01"), ("sex", "female"), ("given_names", "Anna")]),
        document("b", "fhir-r4", 20, &[("birth_date", "1980-01-02"), ("sex", "female"), ("given_names", "anna")]),
        document("c", "fhir-r4", 30, &[("birth_date", "1980-01-01")]),
    ]);
    assert_eq!(conflicts(&record), ["birth_date"]);
    let conflict = &record.conflicts[0];
    assert_eq!(conflict.chosen.as_deref(), Some("1980-01-01"));
    let values: Vec<(&str, &[i32])> = conflict.values.iter().map(|v| (&*v.value, &*v.documents)).collect();
    assert_eq!(values, [("1980-01-01", &[0, 2][..]), ("1980-01-02", &[1][..])]);
    assert_eq!(conflict.since_ms, 20, "since the first document that says something else");
}

#[test]
fn fields_of_which_there_may_be_several_conflict_when_documents_have_none_in_common() {
    let home_and_mobile = document("a", "fhir-r4", 1, &[("phone", "01134960001"), ("phone", "07700900001")]);
    let home = document("b", "hl7-v2", 1, &[("phone", "+441134960001")]);
    assert!(record(&[home_and_mobile.clone(), home]).conflicts.is_empty());
    let other = document("c", "hl7-v2", 1, &[("phone", "01134960003")]);
    assert_eq!(conflicts(&record(&[home_and_mobile, other])), ["phone"]);
}

#[test]
fn the_ways_of_writing_an_address_are_no_conflict() {
    let record = record(&[
        document("a", "fhir-r4", 1, &[("address", "12 High Street, Leeds"), ("postcode", "LS1 2AB")]),
        document("b", "hl7-v2", 1, &[("address", "12 HIGH STREET  LEEDS"), ("postcode", "LS12AB")]),
    ]);
    assert!(record.conflicts.is_empty(), "{:?}", record.conflicts);
}

#[test]
fn what_does_not_count_contradicts_nothing() {
    let record = record(&[
        document("a", "fhir-r4", 1, &[("birth_date", "1980-01-01"), ("sex", "female")]),
        document("b", "fhir-r4", 1, &[("birth_date", "1979"), ("sex", "unknown")]),
    ]);
    assert!(record.conflicts.is_empty(), "{:?}", record.conflicts);
}
