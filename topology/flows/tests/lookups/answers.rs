//! What the answers of PDS make of the records that wait, of its store, and of standing lists.

use concord_flows::list_reconciliation::Lookups;
use concord_schemas::list_reconciliation::PdsRecord;
use concord_schemas::pds::FOUND;

use crate::people::{ANNA, BERT, CARA, DORA, HERE, THERE, on_pds};
use crate::stage::{File, Outcome, Stage};

#[test]
fn a_record_that_is_found_is_stored_and_seen_by_every_standing_list() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let there = File::of(THERE, &[ANNA]);
    stage.send(&there);
    stage.not_found(ANNA);
    // Bert is registered there, and not on the list of that practice.
    let here = File::of(HERE, &[BERT]);
    stage.send(&here);
    stage.found(&on_pds(BERT, THERE));
    assert_eq!(stage.stored_version(BERT).as_deref(), Some("1"));
    assert_eq!(stage.stands(HERE), [format!("{BERT}/ONLY-ON-GP")]);
    assert_eq!(stage.stands(THERE), [format!("{ANNA}/ONLY-ON-GP"), format!("{BERT}/ONLY-ON-PDS")]);
    stage.check();
}

#[test]
fn whom_pds_does_not_know_is_unmatched() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    stage.not_found(ANNA);
    assert_eq!(stage.outcomes(&file)[&1], Outcome::of("Unmatched"));
    assert_eq!(stage.rows(&file, "OnlyOnGP").len(), 1);
    assert_eq!(stage.job(&file).counts.unmatched, 1);
    stage.check();
}

#[test]
fn the_sensitive_and_the_redacted_are_only_said_to_be_that() {
    for sensitivity in ["R", "V", "REDACTED"] {
        let mut stage = Stage::asking(Lookups::Unknown);
        let file = File::of(HERE, &[ANNA]);
        stage.send(&file);
        stage.found(&PdsRecord { nhs_number: ANNA, sensitivity, ..PdsRecord::default() });
        let outcome = &stage.outcomes(&file)[&1];
        assert_eq!((outcome.status.as_str(), outcome.sensitive), ("Deducted Patient Match", true));
        assert_eq!((stage.rows(&file, "OnlyOnGP").len(), stage.rows(&file, "CDD").len()), (0, 1));
        assert_eq!(stage.stands(HERE), [format!("{ANNA}/sensitive")]);
        stage.check();
    }
}

#[test]
fn where_pds_is_asked_about_everybody_its_word_that_there_is_no_record_removes_what_is_stored() {
    let mut stage = Stage::asking(Lookups::Always);
    stage.publish(&on_pds(ANNA, THERE));
    let there = File::of(THERE, &[ANNA]);
    stage.send(&there);
    stage.found(&on_pds(ANNA, THERE));
    assert_eq!(stage.stands(THERE), [""; 0]);

    let here = File::of(HERE, &[ANNA]);
    stage.send(&here);
    stage.not_found(ANNA);
    assert_eq!((stage.stored_version(ANNA), stage.outcomes(&here)[&1].clone()), (None, Outcome::of("Unmatched")));
    let stands = &stage.differences()[&format!("{THERE}/{ANNA}/ONLY-ON-GP")];
    assert_eq!((stands.status.as_str(), stands.cause.as_str()), ("Unmatched", "PDS_REMOVED"));
    stage.check();
}

#[test]
fn who_was_published_since_the_question_is_compared_with_that() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA, BERT]);
    stage.send(&file);
    for nhs in [ANNA, BERT] {
        stage.publish(&PdsRecord { version: "7", ..on_pds(nhs, HERE) });
    }
    stage.not_found(ANNA);
    stage.failed(BERT, "CONCORD-PD-0006");
    assert!(stage.outcomes(&file).values().all(|outcome| *outcome == Outcome::of("Matched")));
    assert_eq!(stage.stored_version(ANNA).as_deref(), Some("7"));
    assert_eq!(stage.job(&file).counts.lookup_failed, 0);
    stage.check();
}

#[test]
fn an_answer_that_is_older_than_the_stored_record_does_not_take_its_place() {
    for (answered, stays) in [("9", "10"), ("10", "10"), ("11", "11"), ("not a number", "not a number")] {
        let mut stage = Stage::asking(Lookups::Always);
        stage.publish(&PdsRecord { version: "10", ..on_pds(ANNA, HERE) });
        let file = File::of(HERE, &[ANNA]);
        stage.send(&file);
        stage.found(&PdsRecord { version: answered, ..on_pds(ANNA, HERE) });
        assert_eq!(stage.stored_version(ANNA).as_deref(), Some(stays));
        assert_eq!(stage.job(&file).status, "RECONCILED");
        stage.check();
    }
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA, BERT]);
    stage.send(&file);
    stage.found(&on_pds(ANNA, HERE));
    // Meanwhile something newer is published; the answer is repeated, as after a crash of whoever gives it.
    stage.publish(&PdsRecord { version: "2", surname: "Lark", ..on_pds(ANNA, HERE) });
    stage.found(&on_pds(ANNA, HERE));
    stage.not_found(ANNA);
    stage.failed(ANNA, "CONCORD-PD-0006");
    stage.found(&on_pds(DORA, HERE));
    assert_eq!((stage.stored_version(ANNA).as_deref(), stage.stored_version(DORA)), (Some("2"), None));
    assert_eq!(stage.stands(HERE), [format!("{ANNA}/MN-BR-SN-01")]);
    stage.not_found(BERT);
    stage.not_found(BERT);
    assert_eq!((stage.outcomes(&file).len(), stage.job(&file).status.as_str()), (2, "RECONCILED"));
    stage.check();
}

#[test]
fn what_is_no_answer_is_set_aside_and_the_record_goes_on_waiting() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    stage.answer(ANNA, "PERHAPS", None, "");
    stage.answer(ANNA, FOUND, None, "");
    stage.idle();
    let letters = stage.driver.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| letter.code.as_str()).collect::<Vec<_>>(), ["CONCORD-LR-0040"; 2]);
    assert_eq!(stage.waiting(), 1);
    stage.found(&on_pds(ANNA, HERE));
    assert_eq!(stage.job(&file).status, "RECONCILED");
}

#[test]
fn a_record_that_could_not_be_published_is_no_answer_to_compare_with() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA, BERT]);
    stage.send(&file);
    stage.found(&PdsRecord { gender: "f", ..on_pds(ANNA, HERE) });
    stage.answer(BERT, FOUND, Some(on_pds(CARA, HERE)), "");
    stage.idle();
    assert_eq!(stage.outcomes(&file)[&1], Outcome::failed("CONCORD-LR-0012"));
    assert_eq!(stage.outcomes(&file)[&2], Outcome::failed("CONCORD-LR-0010"));
    assert_eq!((stage.stored_version(ANNA), stage.stored_version(CARA)), (None, None));
    stage.check();
}
