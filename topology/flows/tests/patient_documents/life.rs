//! One document through its days, and what becomes of its patient.

use concord_flows::patient_documents::topology::EXTRACTION;
use concord_flows::patient_documents::values::Extractions;
use concord_schemas::patient_documents::ProcessingStatus;

use crate::reader::TOOK_MS;
use crate::stage::{SECOND, Stage, settings};

#[test]
fn a_document_is_read_and_its_patient_consolidated() {
    let mut stage = Stage::new();
    stage.calls.take(3 * SECOND);
    stage.upload("p1", "d1", "family_name: Smith\nbirth_date: 1980-01-01");
    stage.work_for(SECOND);
    assert_eq!(stage.extractions()["p1/d1"], "InProgress 0");
    assert_eq!(stage.patient("p1"), None);
    stage.rest();
    stage.rest();
    assert_eq!(stage.extractions()["p1/d1"], "Complete 0");
    let patient = stage.patient("p1").unwrap();
    assert_eq!((&*patient["family_name"], &*patient["birth_date"]), ("Smith", "1980-01-01"));
    let outputs = stage.driver.outputs::<Extractions>(EXTRACTION).unwrap();
    let read = outputs.last().unwrap().value().unwrap().unwrap();
    assert_eq!((read.duration_ms, read.content_type), (Some(TOOK_MS), "text/plain"));
    assert_eq!(read.content_sha256.len(), 64);
    assert_eq!(read.features.unwrap().demographics[1].place.to_string(), "line 2");
    stage.check();
}

#[test]
fn a_document_is_pending_until_a_reader_has_it_and_in_progress_until_it_is_read() {
    let mut settings = settings(1);
    settings.reading.in_flight = 1;
    let mut stage = Stage::with(&settings);
    stage.calls.take(3 * SECOND);
    stage.upload("p1", "d1", "family_name: Smith");
    stage.work_for(SECOND);
    stage.upload("p1", "d2", "family_name: Smith");
    stage.work_for(SECOND);
    assert_eq!(stage.extractions()["p1/d1"], "InProgress 0");
    assert_eq!(stage.extractions()["p1/d2"], "Pending 0");
    // Asking for what waits adds nothing.
    stage.ask_to_read("d2");
    stage.rest();
    stage.rest();
    for document in ["d1", "d2"] {
        assert_eq!(stage.statuses(document), ["Pending", "InProgress", "Complete"]);
        assert_eq!(stage.times_read(document), 1);
    }
    stage.check();
}

#[test]
fn a_failed_document_that_is_asked_for_is_pending_once_more() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", crate::reader::BROKEN);
    stage.rest();
    stage.calls.take(SECOND);
    stage.ask_to_read("d1");
    stage.rest();
    assert_eq!(stage.statuses("d1"), ["Pending", "Failed", "Pending", "InProgress", "Failed"]);
    stage.driver.check_settled().unwrap();
}

#[test]
fn documents_that_contradict_each_other_make_a_conflict_until_they_do_not() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "birth_date: 1980-01-01");
    stage.upload("p1", "d2", "birth_date: 1980-01-01");
    stage.upload("p1", "d3", "birth_date: 1980-01-02");
    stage.rest();
    assert_eq!(stage.patient("p1").unwrap()["birth_date"], "1980-01-01");
    assert_eq!(stage.conflicts()["p1/birth_date"], ["1980-01-01", "1980-01-02"]);
    stage.upload("p1", "d3", "birth_date: 1980-01-01");
    stage.rest();
    assert!(stage.conflicts().is_empty());
    stage.check();
}

#[test]
fn an_edit_beats_the_read_that_is_under_way() {
    let mut stage = Stage::new();
    stage.calls.take(20 * SECOND);
    stage.upload("p1", "d1", "family_name: Old");
    stage.work_for(SECOND);
    assert_eq!(stage.times_read("d1"), 1);
    stage.calls.take(SECOND);
    stage.upload("p1", "d1", "family_name: New");
    stage.pass(60 * SECOND);
    assert_eq!(stage.patient("p1").unwrap()["family_name"], "New");
    let read: Vec<String> = stage
        .driver
        .outputs::<Extractions>(EXTRACTION)
        .unwrap()
        .iter()
        .filter_map(|output| output.value().unwrap())
        .filter(|extraction| extraction.status == ProcessingStatus::Complete)
        .map(|extraction| extraction.features.unwrap().demographics[0].value.to_string())
        .collect();
    assert_eq!(read, ["New"], "nothing came of the older read");
    stage.check();
}

#[test]
fn an_older_upload_changes_nothing() {
    let mut stage = Stage::new();
    let now = stage.driver.now_ms();
    stage.upload_as_of("p1", "d1", "family_name: New", now);
    stage.rest();
    stage.upload_as_of("p1", "d1", "family_name: Old", now - 1);
    stage.rest();
    assert_eq!(stage.patient("p1").unwrap()["family_name"], "New");
    assert_eq!(stage.times_read("d1"), 1);
    stage.check();
}

#[test]
fn what_was_read_stands_while_an_edit_is_being_read_and_when_it_cannot_be() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith");
    stage.rest();
    let read_at = stage.driver.now_ms();
    stage.calls.take(10 * SECOND);
    stage.upload("p1", "d1", crate::reader::BROKEN);
    stage.work_for(SECOND);
    let last = |stage: &Stage| {
        let outputs = stage.driver.outputs::<Extractions>(EXTRACTION).unwrap();
        let last = outputs.last().unwrap().value().unwrap().unwrap();
        (last.status, last.features_as_of_ms.unwrap() < read_at, last.features.is_some())
    };
    assert_eq!(last(&stage), (ProcessingStatus::InProgress, true, true));
    stage.pass(60 * SECOND);
    assert_eq!(last(&stage), (ProcessingStatus::Failed, true, true));
    assert_eq!(stage.patient("p1").unwrap()["family_name"], "Smith");
    stage.driver.check_settled().unwrap();
}

#[test]
fn a_deleted_document_takes_what_only_it_said_with_it() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith\nphone: 01134960001");
    stage.upload("p1", "d2", "family_name: Smith\nphone: 01134960002");
    stage.rest();
    assert!(stage.conflicts().contains_key("p1/phone"));
    stage.delete("d2");
    stage.rest();
    assert_eq!(stage.patient("p1").unwrap()["phone"], "01134960001");
    assert!(stage.conflicts().is_empty());
    assert_eq!(stage.extractions().keys().collect::<Vec<_>>(), ["p1/d1"]);
    stage.delete("d1");
    stage.rest();
    assert_eq!(stage.patient("p1"), None);
    assert_eq!(stage.documents(), 0);
    stage.check();
}

#[test]
fn a_document_that_is_deleted_while_it_is_read_leaves_nothing() {
    let mut stage = Stage::new();
    stage.calls.take(20 * SECOND);
    stage.upload("p1", "d1", "family_name: Smith");
    stage.work_for(SECOND);
    assert_eq!(stage.times_read("d1"), 1);
    stage.delete("d1");
    stage.pass(60 * SECOND);
    assert!(stage.extractions().is_empty());
    assert_eq!(stage.patient("p1"), None);
    stage.check();
}

#[test]
fn a_document_can_become_another_patients() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith");
    stage.upload("p1", "d2", "sex: female");
    stage.rest();
    let at_ms = stage.driver.now_ms();
    stage.upload_as_of("p2", "d1", "family_name: Smith", at_ms);
    stage.rest();
    assert!(!stage.patient("p1").unwrap().contains_key("family_name"));
    assert_eq!(stage.patient("p2").unwrap()["family_name"], "Smith");
    assert_eq!(stage.extractions().keys().collect::<Vec<_>>(), ["p1/d2", "p2/d1"]);
    stage.check();
}

#[test]
fn what_is_delivered_again_is_not_read_again() {
    let mut stage = Stage::new();
    let at_ms = stage.driver.now_ms();
    for _ in 0..3 {
        stage.upload_as_of("p1", "d1", "family_name: Smith", at_ms);
        stage.settle();
        stage.ask_to_read("d1");
        stage.rest();
    }
    assert_eq!(stage.times_read("d1"), 1);
    assert_eq!(stage.times_consolidated("p1"), 1);
    stage.check();
}

#[test]
fn the_same_contents_at_a_later_time_are_not_read_again_and_are_as_recent_as_they_say() {
    let mut stage = Stage::new();
    stage.upload_as_of("p1", "d1", "phone: 01134960001", 10);
    stage.upload_as_of("p1", "d2", "phone: 01134960002", 20);
    stage.rest();
    assert_eq!(stage.patient("p1").unwrap()["phone"], "01134960002");
    stage.upload_as_of("p1", "d1", "phone: 01134960001", 30);
    stage.rest();
    assert_eq!(stage.patient("p1").unwrap()["phone"], "01134960001");
    assert_eq!(stage.times_read("d1"), 1);
    stage.check();
}

#[test]
fn medicines_of_all_documents_are_merged() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "medicine: 322236009|Paracetamol|500 mg|tablet|1 daily");
    stage.upload("p1", "d2", "medicine: |Paracetamol 500mg tablets|||2 daily");
    stage.rest();
    assert_eq!(stage.conflicts()["p1/medications/322236009/dose"], ["1 daily", "2 daily"]);
    stage.check();
}
