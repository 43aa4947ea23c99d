//! Documents that are not read at once, or not at all.

use concord_flows::patient_documents::codes;

use concord_flows::patient_documents::topology::EXTRACTION;
use concord_flows::patient_documents::values::Extractions;

use crate::reader::{
    AWAY_AT_FIRST, BROKEN, BROKEN_CODE, BUSY_CODE, ELSEWHERE, FOUND_SHA256, HOPELESS, NOWHERE, STUBBORN, TOOK_MS,
};
use crate::stage::{SECOND, Stage};

/// Longer than all attempts and their pauses take.
const ALL_ATTEMPTS: i64 = 600 * SECOND;

#[test]
fn a_document_that_is_read_by_a_later_attempt_is_complete() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", &format!("{STUBBORN}family_name: Smith"));
    stage.pass(ALL_ATTEMPTS);
    assert_eq!(stage.extractions()["p1/d1"], "Complete 2");
    assert_eq!(stage.patient("p1").unwrap()["family_name"], "Smith");
    assert_eq!(stage.times_read("d1"), 3);
    stage.check();
}

#[test]
fn a_document_that_nobody_can_read_fails_at_once_with_a_dead_letter() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", BROKEN);
    stage.upload("p1", "d2", "family_name: Smith");
    stage.rest();
    assert_eq!(stage.extractions()["p1/d1"], format!("Failed 1 {BROKEN_CODE}"));
    assert_eq!(stage.times_read("d1"), 1);
    assert_eq!(stage.patient("p1").unwrap()["family_name"], "Smith", "the others count");
    let letters = stage.driver.dead_letters().unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((&*letters[0].code, letters[0].record.key.as_deref()), (codes::NOT_READ, Some(&b"d1"[..])));
    assert!(letters[0].message.contains(BROKEN_CODE), "{}", letters[0].message);
    stage.driver.check_settled().unwrap();
}

#[test]
fn a_document_that_no_attempt_reads_fails_after_the_last() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", HOPELESS);
    stage.pass(ALL_ATTEMPTS);
    assert_eq!(stage.extractions()["p1/d1"], format!("Failed 3 {BUSY_CODE}"));
    assert_eq!(stage.driver.dead_letters().unwrap().len(), 1);
    assert_eq!(stage.patient("p1").unwrap().len(), 0, "it is among the documents, and says nothing");
}

#[test]
fn what_was_found_out_of_a_document_that_no_attempt_reads_is_published() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", HOPELESS);
    stage.pass(ALL_ATTEMPTS);
    let outputs = stage.driver.outputs::<Extractions>(EXTRACTION).unwrap();
    let failed = outputs.last().unwrap().value().unwrap().unwrap();
    assert_eq!((failed.content_type, failed.content_sha256), ("text/plain", FOUND_SHA256));
    assert_eq!(failed.duration_ms, Some(TOOK_MS));
}

#[test]
fn a_document_whose_bytes_are_elsewhere_is_read_where_they_are() {
    let mut stage = Stage::new();
    stage.upload_elsewhere("p1", "d1", ELSEWHERE);
    stage.upload_elsewhere("p2", "d2", AWAY_AT_FIRST);
    stage.pass(ALL_ATTEMPTS);
    assert_eq!(stage.extractions()["p1/d1"], "Complete 0");
    assert_eq!(stage.extractions()["p2/d2"], "Complete 1");
    for patient in ["p1", "p2"] {
        assert_eq!(stage.patient(patient).unwrap()["family_name"], "Smith");
    }
    stage.check();
}

#[test]
fn a_document_whose_bytes_are_nowhere_fails_at_once_and_is_read_when_they_are_uploaded() {
    let mut stage = Stage::new();
    stage.upload_elsewhere("p1", "d1", NOWHERE);
    stage.rest();
    assert_eq!(stage.extractions()["p1/d1"], format!("Failed 1 {}", codes::NOT_FETCHED));
    assert_eq!(stage.times_read("d1"), 1);
    let letters = stage.driver.dead_letters().unwrap();
    assert!(letters[0].message.contains(codes::NOT_FETCHED), "{}", letters[0].message);
    stage.upload_elsewhere("p1", "d1", ELSEWHERE);
    stage.rest();
    assert_eq!(stage.extractions()["p1/d1"], "Complete 0");
    stage.driver.check_settled().unwrap();
}

#[test]
fn a_reader_that_never_comes_back_fails_at_the_time_limit() {
    let mut stage = Stage::new();
    stage.calls.take(1_000 * SECOND);
    stage.upload("p1", "d1", "family_name: Smith");
    stage.pass(2 * ALL_ATTEMPTS);
    assert_eq!(stage.extractions()["p1/d1"], "Failed 3 CONCORD-EN-0008");
    stage.driver.check_settled().unwrap();
}

#[test]
fn a_failed_document_is_read_again_when_somebody_asks() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", HOPELESS);
    stage.pass(ALL_ATTEMPTS);
    stage.ask_to_read("d1");
    stage.pass(ALL_ATTEMPTS);
    assert_eq!(stage.extractions()["p1/d1"], format!("Failed 6 {BUSY_CODE}"));
    assert_eq!(stage.times_read("d1"), 6);
    stage.upload("p1", "d1", "family_name: Smith");
    stage.rest();
    assert_eq!(stage.extractions()["p1/d1"], "Complete 0", "an edit begins anew");
    stage.driver.check_settled().unwrap();
}
