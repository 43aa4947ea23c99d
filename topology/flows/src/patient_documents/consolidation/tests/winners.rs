//! Which value of a field counts.

use concord_schemas::patient_documents::ProcessingStatus;

use super::said::{chosen, conflicts, document, record};
use crate::patient_documents::consolidation::{Field, Policy, Rules, Step, consolidate};

fn value(text: &str, step: &str) -> (Option<String>, String) {
    (Some(text.to_owned()), step.to_owned())
}

#[test]
fn what_all_documents_say_is_the_value_without_a_choice() {
    let record = record(&[
        document("a", "ocr", 1, &[("family_name", "SMITH"), ("birth_date", "1980-02-29")]),
        document("b", "fhir-r4", 2, &[("family_name", "Smith"), ("birth_date", "1980-02-29")]),
    ]);
    assert_eq!(chosen(&record, "birth_date"), value("1980-02-29", ""));
    assert_eq!(chosen(&record, "family_name"), value("Smith", ""), "as the most trusted document writes it");
    assert_eq!(record.fields[0].observed[0].documents, [0, 1]);
    assert!(record.conflicts.is_empty());
}

#[test]
fn the_majority_is_weighed_by_trust() {
    let born = |date| [("birth_date", date)];
    let two_scans = [
        document("a", "ocr", 1, &born("1980-01-02")),
        document("b", "ocr", 2, &born("1980-01-02")),
        document("c", "fhir-r4", 1, &born("1980-01-01")),
    ];
    assert_eq!(chosen(&record(&two_scans), "birth_date"), value("1980-01-01", "majority"));
    let two_letters = [
        document("a", "labelled-text", 1, &born("1980-01-02")),
        document("b", "pdf-text", 2, &born("1980-01-02")),
        document("c", "fhir-r4", 1, &born("1980-01-01")),
    ];
    assert_eq!(chosen(&record(&two_letters), "birth_date"), value("1980-01-02", "majority"));
}

#[test]
fn a_doubtful_reading_weighs_less() {
    let mut doubtful = document("a", "ocr", 2, &[("birth_date", "1980-01-02")]);
    doubtful.features.as_mut().unwrap().demographics[0].confidence = 60;
    let record = record(&[doubtful, document("b", "ocr", 1, &[("birth_date", "1980-01-01")])]);
    assert_eq!(chosen(&record, "birth_date"), value("1980-01-01", "majority"));
}

#[test]
fn between_equals_the_most_recent_document_counts_and_then_the_smallest_value() {
    let lives = |id, at_ms, postcode| document(id, "hl7-v2", at_ms, &[("postcode", postcode)]);
    let newer = record(&[lives("a", 2, "LS1 2AB"), lives("b", 1, "AB1 2CD")]);
    assert_eq!(chosen(&newer, "postcode"), value("LS1 2AB", "most-recent"));
    let same = record(&[lives("a", 2, "LS1 2AB"), lives("b", 2, "AB1 2CD")]);
    assert_eq!(chosen(&same, "postcode"), value("AB1 2CD", "smallest"));
}

#[test]
fn identifiers_must_agree_or_none_counts() {
    let numbered = |id, number| document(id, "fhir-r4", 1, &[("nhs_number", number)]);
    let two = [numbered("a", "9434765919"), numbered("b", "9434765919"), numbered("c", "9990548609")];
    let unresolved = record(&two);
    assert_eq!(chosen(&unresolved, "nhs_number"), (None, "must-agree".to_owned()));
    assert_eq!(conflicts(&unresolved), ["nhs_number"]);
    assert_eq!(unresolved.conflicts[0].chosen, None);
}

#[test]
fn a_number_with_a_wrong_check_digit_is_told_and_does_not_count() {
    let record = record(&[
        document("a", "fhir-r4", 1, &[("nhs_number", "9434765919")]),
        document("b", "ocr", 1, &[("nhs_number", "9434765918")]),
    ]);
    assert_eq!(chosen(&record, "nhs_number"), value("9434765919", ""));
    assert!(record.conflicts.is_empty());
    let observed = &record.fields[0].observed;
    assert_eq!((&*observed[1].value, observed[1].not_counted.is_empty()), ("9434765918", false));
}

#[test]
fn a_document_that_repeats_itself_has_one_voice() {
    let record = record(&[
        document("a", "hl7-v2", 1, &[("sex", "male"), ("sex", "M"), ("sex", "male")]),
        document("b", "fhir-r4", 1, &[("sex", "female")]),
    ]);
    assert_eq!(chosen(&record, "sex"), value("female", "majority"));
}

#[test]
fn a_document_that_cannot_be_read_any_more_still_says_what_was_read_before() {
    let mut edited = document("a", "fhir-r4", 1, &[("sex", "male")]);
    edited.status = ProcessingStatus::Failed;
    edited.contents_last_updated_ms = 99;
    let record = record(&[edited, document("b", "fhir-r4", 2, &[("sex", "female")])]);
    assert_eq!(chosen(&record, "sex"), value("female", "most-recent"), "it is as old as what was read");
    assert_eq!(record.documents[0].status, "Failed");
}

#[test]
fn policies_and_trust_are_those_of_the_configuration() {
    let documents = [
        document("a", "ocr", 2, &[("phone", "01134960001")]),
        document("b", "fhir-r4", 1, &[("phone", "01134960002")]),
    ];
    let mut rules = Rules::default();
    rules.set_policy(Field::Phone, Policy::of(&[Step::MostRecent, Step::Majority]));
    let by_time = consolidate("patient-1", &documents, &rules);
    assert_eq!(chosen(&by_time, "phone"), value("01134960001", "most-recent"));
    assert_eq!(by_time.fields[0].policy, "most-recent, majority");
    let mut rules = Rules::default();
    rules.set_trust("ocr", 200);
    assert_eq!(chosen(&consolidate("patient-1", &documents, &rules), "phone"), value("01134960001", "majority"));
}

#[test]
fn steps_are_read_by_their_names() {
    for name in ["must-agree", "majority", "most-recent", "most-trusted", "smallest"] {
        assert_eq!(name.parse::<Step>().unwrap().as_str(), name);
    }
    assert!("largest".parse::<Step>().unwrap_err().to_string().contains("write must-agree"));
}
