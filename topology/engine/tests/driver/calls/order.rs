//! One key, one call behind the other; many keys, side by side; and a newer one instead of an older.

use concord_engine::driver::CallRates;
use concord_engine::log::embedded::FaultPlan;

use super::reading::{LIMITS, pending, read_of, register, settings, started};
use crate::counting::{PATIENTS, settle};

#[test]
fn calls_of_one_key_are_performed_in_order_one_behind_the_other() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(500);
    for practice in ["A", "B", "C"] {
        register(&mut driver, PATIENTS[0], practice);
    }
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A", "B: read B", "C: read C"]);
    let begun: Vec<i64> = calls.begun().iter().map(|(at, _)| *at).collect();
    assert!(begun.is_sorted_by(|one, next| one + 500 <= *next), "{begun:?}");
}

#[test]
fn calls_of_different_keys_are_performed_side_by_side() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(500);
    for patient in PATIENTS {
        register(&mut driver, patient, "A");
    }
    let before = driver.now_ms();
    settle(&mut driver);
    assert!(driver.now_ms() - before < 1_000, "they took {} ms", driver.now_ms() - before);
    assert_eq!(calls.begun().len(), PATIENTS.len());
}

#[test]
fn results_of_a_key_keep_their_order_though_attempts_fail() {
    for seed in 0..50 {
        let settings = settings(1, FaultPlan::none());
        settings.calls.disturb(seed, CallRates { fails: 0.4, never: 0.1, longest_ms: 500 });
        let mut driver = started(LIMITS, settings);
        for practice in ["A", "B", "C", "D"] {
            register(&mut driver, PATIENTS[0], practice);
        }
        settle(&mut driver);
        let expected = ["A: read A", "B: read B", "C: read C", "D: read D"];
        assert_eq!(read_of(&driver, PATIENTS[0]), expected, "seed {seed}");
    }
}

#[test]
fn a_newer_call_replaces_those_that_wait_and_the_one_in_flight() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(900);
    register(&mut driver, PATIENTS[0], "OLD");
    register(&mut driver, PATIENTS[0], "OLDER");
    register(&mut driver, PATIENTS[1], "OTHER");
    while calls.begun().len() < 2 {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    register(&mut driver, PATIENTS[0], "REPLACE NEW");
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["NEW: read NEW"]);
    assert_eq!(read_of(&driver, PATIENTS[1]), ["OTHER: read OTHER"]);
    let asked: Vec<_> = calls.begun().into_iter().map(|(_, call)| call.request).collect();
    assert_eq!(asked, ["OLD", "OTHER", "NEW"]);
    driver.check_settled().unwrap();
}

/// The old answer is here when the new call stands in the open transaction: it is the answer to what was taken back.
#[test]
fn an_answer_to_the_older_call_is_none_to_the_newer() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(500);
    register(&mut driver, PATIENTS[0], "OLD");
    while calls.begun().is_empty() {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    driver.advance(600);
    register(&mut driver, PATIENTS[0], "REPLACE NEW");
    driver.step(0).unwrap();
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["NEW: read NEW"]);
}

#[test]
fn what_is_taken_back_leaves_nothing() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(500);
    register(&mut driver, PATIENTS[0], "A");
    register(&mut driver, PATIENTS[0], "B");
    while calls.begun().is_empty() {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    assert_eq!(pending(&driver), 2);
    register(&mut driver, PATIENTS[0], "CANCEL");
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), Vec::<String>::new());
    assert_eq!((pending(&driver), calls.begun().len()), (0, 1));
    assert_eq!(driver.dead_letters().unwrap(), []);
}
