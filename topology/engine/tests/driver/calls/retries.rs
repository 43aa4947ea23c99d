//! Attempts that fail: repeated with growing pauses that outlive the process, and in the end a dead letter.

use std::time::Duration;

use concord_engine::calls::CallLimits;
use concord_engine::dead_letters::{ReplayChoice, replay};
use concord_engine::driver::{CallRates, SCRIPTED_FAILURE};
use concord_engine::lineage;
use concord_engine::log::embedded::FaultPlan;
use concord_engine::rejection::codes;
use concord_engine::worker::DEAD_LETTER_CALL;

use super::reading::{LIMITS, READ, UNREADABLE, pending, read_of, register, settings, started, topology};
use crate::counting::{INPUT, PATIENTS, count_of, settle};

const FEW: CallLimits = CallLimits { attempts: 4, longest_pause: Duration::from_millis(300), ..LIMITS };

#[test]
fn a_failed_attempt_is_repeated_behind_a_pause_that_doubles() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    calls.disturb(0, CallRates { fails: 1.0, ..CallRates::default() });
    let mut driver = started(FEW, settings);
    register(&mut driver, PATIENTS[0], "A");
    settle(&mut driver);
    let begun = calls.begun();
    let attempts: Vec<u32> = begun.iter().map(|(_, call)| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    for (pair, at_least) in begun.windows(2).zip([100, 200, 300]) {
        let between = pair[1].0 - pair[0].0 - 30;
        assert!((at_least..at_least + 60).contains(&between), "{between} ms instead of {at_least}");
    }
    let letters = driver.dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].code.as_str()), (1, SCRIPTED_FAILURE));
}

#[test]
fn a_failure_that_passes_leaves_no_trace_but_the_result() {
    let mut driver = started(FEW, settings(1, FaultPlan::none()));
    register(&mut driver, PATIENTS[0], "LATER");
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["LATER: read LATER"]);
    assert_eq!(driver.dead_letters().unwrap(), []);
}

#[test]
fn an_attempt_that_does_not_come_back_fails_at_its_time_limit() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    calls.disturb(0, CallRates { never: 1.0, ..CallRates::default() });
    let mut driver = started(FEW, settings);
    register(&mut driver, PATIENTS[0], "A");
    settle(&mut driver);
    assert_eq!(calls.begun().len(), 4);
    let letters = driver.dead_letters().unwrap();
    assert_eq!(
        (letters.len(), letters[0].code.as_str(), letters[0].stage.as_str()),
        (1, codes::CALL_TIME_LIMIT, "call")
    );
}

#[test]
fn what_can_never_be_answered_is_a_dead_letter_at_once_and_later_calls_of_its_key_go_on() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(FEW, settings);
    register(&mut driver, PATIENTS[0], "BAD");
    register(&mut driver, PATIENTS[0], "A");
    settle(&mut driver);
    assert_eq!(calls.begun().len(), 2);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A"]);
    let [letter] = &driver.dead_letters().unwrap()[..] else { panic!("one letter") };
    assert_eq!((letter.code.as_str(), letter.stage.as_str()), (UNREADABLE, "call"));
    assert_eq!((letter.topic.as_str(), letter.offset.as_str()), (INPUT, "0"));
    assert_eq!(letter.record.value.as_deref(), Some(&b"BAD"[..]), "the payload is the request");
    assert_eq!(letter.record.key.as_deref(), Some(PATIENTS[0].as_bytes()));
    let header = |name| letter.record.headers.iter().find(|h| &*h.name == name).map(|h| h.value.clone()).unwrap();
    assert_eq!(header(DEAD_LETTER_CALL), READ);
    assert_eq!(lineage::parse(&header(lineage::LINEAGE))[0].to_string(), format!("{INPUT}/{}/0", letter.partition));
    // The handler's own writes before it refused are gone with its rejection.
    let counts = driver.state("reading", "read-counts").unwrap();
    assert_eq!(count_of(counts.get(PATIENTS[0].as_bytes()).map(|count| &count[..])), 1);
}

#[test]
fn replaying_the_letter_of_a_call_asks_again() {
    let mut driver = started(FEW, settings(1, FaultPlan::none()));
    register(&mut driver, PATIENTS[0], "BAD");
    settle(&mut driver);
    let topology = topology(FEW);
    for expected in [1, 1] {
        let replayed = replay(driver.log(), &topology, &ReplayChoice::default()).unwrap();
        assert_eq!(replayed.published, expected);
        settle(&mut driver);
    }
    let letters = driver.dead_letters().unwrap();
    assert_eq!(letters.len(), 3);
    assert!(letters.iter().all(|letter| letter.record.value.as_deref() == Some(&b"BAD"[..])));
}

#[test]
fn failed_attempts_and_their_pause_outlive_the_process_and_its_disk() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    calls.disturb(0, CallRates { fails: 1.0, ..CallRates::default() });
    let limits = CallLimits { first_pause: Duration::from_secs(10), longest_pause: Duration::from_secs(10), ..FEW };
    let mut driver = started(limits, settings);
    register(&mut driver, PATIENTS[0], "A");
    for _ in 0..40 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    driver.crash_with_disk(0).unwrap();
    driver.restart(0).unwrap();
    for _ in 0..40 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    assert_eq!((calls.begun().len(), pending(&driver)), (1, 1), "the pause is not over");
    settle(&mut driver);
    let attempts: Vec<u32> = calls.begun().iter().map(|(_, call)| call.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
}

/// Larger than the log accepts, which only shows when it is sent: the transaction is given up, and the next time it is a letter.
#[test]
fn a_result_with_an_output_that_the_log_refuses_is_a_dead_letter_and_the_stream_goes_on() {
    let mut settings = settings(1, FaultPlan::none());
    settings.worker.max_record_bytes = 4 << 20;
    let mut driver = started(FEW, settings);
    for (patient, practice) in PATIENTS.iter().zip(["A", "LARGE", "B"]) {
        register(&mut driver, patient, practice);
    }
    settle(&mut driver);
    driver.check_settled().unwrap();
    let letters = driver.dead_letters().unwrap();
    assert_eq!((letters.len(), letters[0].code.as_str()), (1, codes::OUTPUT_TOO_LARGE));
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A"]);
    assert_eq!(read_of(&driver, PATIENTS[2]), ["B: read B"]);
}

#[test]
fn calls_do_not_wait_for_a_clock_that_was_set_back() {
    const HOURS_MS: i64 = 3 * 60 * 60 * 1000;
    let mut driver = started(FEW, settings(1, FaultPlan::none()));
    settle(&mut driver);
    for practice in ["A", "B", "C"] {
        register(&mut driver, PATIENTS[0], practice);
    }
    while pending(&driver) == 0 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    driver.advance(-HOURS_MS);
    let before = driver.now_ms();
    driver.crash(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert!(driver.now_ms() - before < HOURS_MS / 2);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A", "B: read B", "C: read C"]);
}
