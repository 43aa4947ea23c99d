//! Pieces of answers that are missing, come twice, or stand under the wrong key.

use concord_flows::list_reconciliation::dps_exchange::codes;
use concord_flows::list_reconciliation::{DpsExchange, Profile};

use crate::side::{HOUR, Side, answer_events, answer_of_dps, settings, sha256};
use crate::world::{File, world};

fn waiting() -> (Side, File, String) {
    let (file, pds) = world(70, 21, 4);
    let mut asking = Side::of(DpsExchange::Asks);
    asking.send(&file);
    let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
    (asking, file, answer)
}

#[test]
fn an_answer_that_is_published_again_before_it_has_ended_is_read_once() {
    let (mut asking, file, answer) = waiting();
    let id = sha256(answer.as_bytes());
    let events = answer_events(&file.job_id, &id, answer.as_bytes());
    assert!(events.len() > 12, "several slices");
    // A connector dies behind each event, and begins again.
    for cut in 1..events.len() {
        for event in &events[..cut] {
            asking.answer_event(&file.job_id, event);
        }
        asking.idle();
    }
    asking.answer(&file.job_id, &answer);
    let job = asking.job(&file.job_id);
    assert_eq!(job.status, "RECONCILED");
    assert_eq!(job.history.iter().filter(|step| step.contains("DPS has answered")).count(), 1);
    asking.check();
}

#[test]
fn two_answers_whose_pieces_stand_between_each_other_are_told_apart() {
    let (mut asking, file, good) = waiting();
    let bad = good.replacen("\"version\":1", "\"version\":2", 1);
    let (good_id, bad_id) = (sha256(good.as_bytes()), sha256(bad.as_bytes()));
    let of_good = answer_events(&file.job_id, &good_id, good.as_bytes());
    let of_bad = answer_events(&file.job_id, &bad_id, bad.as_bytes());
    for (one, other) in of_bad.iter().zip(&of_good) {
        asking.answer_event(&file.job_id, one);
        asking.answer_event(&file.job_id, other);
    }
    asking.idle();
    asking.assert_refused(codes::VERSION_UNKNOWN, "version 2");
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
    asking.check();
}

#[test]
fn an_answer_whose_end_marker_does_not_come_is_given_up() {
    let (mut asking, file, answer) = waiting();
    let id = sha256(answer.as_bytes());
    for event in &answer_events(&file.job_id, &id, answer.as_bytes())[..4] {
        asking.answer_event(&file.job_id, event);
    }
    asking.idle();
    asking.pass(6 * HOUR);
    asking.assert_refused(codes::CUT, "3 pieces of the answer came, and no end marker within 360 minutes");
    // Late, but whole.
    asking.answer(&file.job_id, &answer);
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
    asking.check();
}

#[test]
fn pieces_that_cannot_be_of_an_answer_are_dead_letters() {
    let (mut asking, file, answer) = waiting();
    let id = sha256(answer.as_bytes());
    let events = answer_events(&file.job_id, &id, answer.as_bytes());
    asking.answer_event(&file.job_id, &events[1]);
    asking.answer_event(&file.job_id, &events[0]);
    asking.answer_event(&file.job_id, &events[2]);
    asking.answer_event("another", &events[1]);
    asking.answer_event(&file.job_id, events.last().unwrap());
    asking.idle();
    let mut codes: Vec<String> = asking.driver.dead_letters().unwrap().into_iter().map(|letter| letter.code).collect();
    codes.sort();
    let expected = [codes::NOT_OPENED, codes::PIECE_MISSING, codes::PIECE_MISSING, codes::KEY_DIFFERS];
    assert_eq!(codes, expected);
    // Published again whole it is completed.
    asking.answer(&file.job_id, &answer);
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
}

#[test]
fn a_content_that_is_not_the_one_of_its_id_is_refused() {
    let (mut asking, file, answer) = waiting();
    let id = sha256(b"something else");
    for event in &answer_events(&file.job_id, &id, answer.as_bytes()) {
        asking.answer_event(&file.job_id, event);
    }
    asking.idle();
    asking.assert_refused(codes::KEY_DIFFERS, "checksum");
    asking.answer(&file.job_id, &answer);
    assert_eq!(asking.job(&file.job_id).status, "RECONCILED");
    asking.check();
}
