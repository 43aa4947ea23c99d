//! What becomes of a job when an answer comes, or comes again, or is not good, or does not come.

use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::dps_exchange::{
    AnswerEnd, ExchangeState, JobInExchange, Reaction, codes, receive, time_out,
};

use crate::bad_answers::{HEADER, PATIENT, PERSON, TRAILER};
use crate::files::read;

fn end_of(lines: &[&str]) -> AnswerEnd {
    read(&(lines.join("\n") + "\n"), Profile::Fixed, 512, &mut |_| {})
}

fn good() -> AnswerEnd {
    end_of(&[HEADER, PATIENT, PERSON, TRAILER])
}

fn react(state: &ExchangeState, answer: &AnswerEnd) -> Reaction {
    receive(Some(&JobInExchange { practice: "Y12345", file: "Y12345_GPR4LNA1.H9A", records: 5, state }), answer)
}

fn code_of(reaction: &Reaction) -> &str {
    match reaction {
        Reaction::Refuse(refusal) => refusal.code,
        Reaction::Accept(_) => "accepted",
        Reaction::Filter => "filtered",
    }
}

#[test]
fn a_job_that_waits_takes_the_first_good_answer_and_no_other() {
    let Reaction::Accept(answered) = react(&ExchangeState::Waiting, &good()) else { panic!("not accepted") };
    assert_eq!(answered, ExchangeState::Answered { sha256: good().sha256 });
    assert_eq!(react(&answered, &good()), Reaction::Filter);
    let other = end_of(&[HEADER, PERSON, &TRAILER.replace(r#""lines":3"#, r#""lines":2"#)]);
    assert_eq!(code_of(&react(&answered, &other)), codes::ANSWERED_ALREADY);
}

#[test]
fn a_bad_answer_leaves_the_job_waiting_for_a_good_one() {
    let table = [
        (end_of(&[HEADER, PATIENT, PERSON]), codes::CUT),
        (end_of(&[HEADER, PERSON, TRAILER]), codes::TOTALS_DIFFER),
        (end_of(&[HEADER, "{}", TRAILER]), codes::LINE_INVALID),
    ];
    for (answer, code) in table {
        // A refusal says nothing of a new state: the old one stays.
        assert_eq!(code_of(&react(&ExchangeState::Waiting, &answer)), code);
    }
    assert_eq!(code_of(&react(&ExchangeState::Waiting, &good())), "accepted");
}

#[test]
fn an_answer_about_no_job_or_another_file_or_a_job_that_was_never_sent_is_refused() {
    assert_eq!(code_of(&receive(None, &good())), codes::UNKNOWN_JOB);
    assert_eq!(code_of(&react(&ExchangeState::NotSent, &good())), codes::NOT_ASKED);
    let state = ExchangeState::Waiting;
    for (practice, file) in [("Y54321", "Y12345_GPR4LNA1.H9A"), ("Y12345", "Y12345_GPR4LNA1.H8A")] {
        let reaction = receive(Some(&JobInExchange { practice, file, records: 5, state: &state }), &good());
        assert_eq!(code_of(&reaction), codes::HEADER_CONTRADICTS);
    }
}

#[test]
fn an_answer_that_counts_other_records_than_the_extract_has_is_refused() {
    let (practice, file, state) = ("Y12345", "Y12345_GPR4LNA1.H9A", &ExchangeState::Waiting);
    let reaction = receive(Some(&JobInExchange { practice, file, records: 6, state }), &good());
    assert_eq!(code_of(&reaction), codes::TOTALS_DIFFER);
}

#[test]
fn an_answer_about_a_job_that_an_operator_has_ended_is_refused() {
    assert_eq!(code_of(&react(&ExchangeState::GivenUp, &good())), codes::GIVEN_UP);
}

#[test]
fn every_code_of_a_refusal_has_a_remedy() {
    for code in [codes::UNKNOWN_JOB, codes::ANSWERED_ALREADY, codes::LINE_INVALID, codes::GIVEN_UP] {
        assert!(!codes::remedy(code).is_empty());
    }
}

#[test]
fn an_answer_that_does_not_say_what_it_is_about_is_refused_for_what_is_wrong_with_it() {
    assert_eq!(code_of(&receive(None, &end_of(&["<html>"]))), codes::LINE_INVALID);
    assert_eq!(code_of(&receive(None, &end_of(&[]))), codes::CUT);
    let newer = HEADER
        .replace(r#""version":1"#, r#""version":2,"shape":"other""#)
        .replace(r#""reasons":[]"#, r#""reasons":null"#);
    assert_eq!(code_of(&receive(None, &end_of(&[&newer]))), codes::VERSION_UNKNOWN);
}

#[test]
fn a_job_without_an_answer_times_out_once_and_takes_a_late_one_all_the_same() {
    let (state, refusal) = time_out(&ExchangeState::Waiting, 360).unwrap();
    assert_eq!((&state, refusal.code), (&ExchangeState::TimedOut, codes::NO_ANSWER));
    assert!(time_out(&state, 360).is_none());
    for state in [ExchangeState::Answered { sha256: String::new() }, ExchangeState::NotSent, ExchangeState::GivenUp] {
        assert!(time_out(&state, 360).is_none());
    }
    assert_eq!(code_of(&react(&state, &good())), "accepted");
}
