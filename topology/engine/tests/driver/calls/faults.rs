//! Exactly once, whatever call to the log fails, whoever dies, and however the calls themselves end.

use std::time::Duration;

use concord_engine::driver::{CallRates, DriverSettings, ScriptedCalls, TopologyTestDriver};
use concord_engine::log::Guarantee;
use concord_engine::log::embedded::{Call, Fault, FaultPlan, FaultRates};

use super::reading::{LIMITS, READ, assert_read_once, driver, pending, read_of, register, settings, started, topology};
use crate::counting::{PATIENTS, register as register_all, register_from, settle};
use crate::freezing::pass;
use crate::scenarios::{Promise, ROUNDS, take_turns};

const PROMISE: Promise = Promise { start: driver, check: assert_read_once };

#[test]
fn every_call_has_its_effects_once_after_a_crash_at_any_call_to_the_log() {
    PROMISE.holds_after_a_crash_at_any_call();
}

#[test]
fn every_call_has_its_effects_once_when_the_tasks_of_a_silent_worker_go_to_another() {
    PROMISE.holds_when_the_tasks_of_a_silent_worker_go_to_another();
}

#[test]
fn every_call_has_its_effects_once_whatever_becomes_of_a_commit() {
    let faults =
        [Fault::UnknownOutcome { took_effect: false }, Fault::UnknownOutcome { took_effect: true }, Fault::MustAbort];
    for fault in faults {
        for call in [Call::Commit, Call::SendOffsets, Call::Drain] {
            for nth in 1..=20 {
                PROMISE.run(2, FaultPlan::none().at(call, nth, fault), &format!("{fault:?} at {call:?} number {nth}"));
            }
        }
    }
}

#[test]
fn every_call_has_its_effects_once_after_a_crash_with_the_loss_of_the_disk() {
    let calls = PROMISE.calls_of_a_run(2);
    for nth in (1..=calls).step_by(3) {
        let mut driver = driver(2, FaultPlan::none().at_call(nth, Fault::Crash { took_effect: nth % 2 == 0 }));
        register_all(&mut driver, ROUNDS);
        for _ in 0..100 {
            for worker in 0..2 {
                driver.step(worker).unwrap();
                if !driver.is_up(worker) {
                    driver.crash_with_disk(worker).unwrap();
                }
            }
            driver.advance(25);
        }
        driver.restart_all().unwrap();
        settle(&mut driver);
        assert_read_once(&driver, ROUNDS, &format!("disk lost at call {nth}"));
    }
}

/// Two workers; faults of the log, of the workers and of the calls at once. Calls finish in any order, some never.
#[test]
fn every_call_has_its_effects_once_under_faults_of_every_kind() {
    let rates = FaultRates {
        retriable: 0.02,
        must_abort: 0.03,
        unknown_outcome: 0.03,
        crash: 0.01,
        delivery_failure: 0.02,
        marker_delay: 0.2,
        longest_marker_delay_ms: 500,
        short_poll: 0.3,
    };
    for seed in 0..200 {
        let plan = FaultPlan::seeded(seed, rates);
        let settings = settings(2, plan.clone());
        settings.calls.disturb(!seed, CallRates { fails: 0.2, never: 0.05, longest_ms: 300 });
        let mut driver = started(LIMITS, settings);
        for half in [0, ROUNDS / 2] {
            register_from(&mut driver, half, half + ROUNDS / 2);
            take_turns(&mut driver, 2, 60, seed);
        }
        plan.stop();
        driver.restart_all().unwrap();
        settle(&mut driver);
        assert_read_once(&driver, ROUNDS, &format!("seed {seed}"));
    }
}

#[test]
fn every_call_has_its_effects_once_when_a_worker_is_frozen_before_any_call_to_the_log() {
    for silent_ms in [400, 10_000, 40_000] {
        for step in 0..14 {
            for nth in 1.. {
                let mut settings = settings(2, FaultPlan::none());
                settings.worker.session_timeout = Duration::from_secs(5);
                let mut driver = started(LIMITS, settings);
                register_all(&mut driver, ROUNDS / 2);
                for _ in 0..step {
                    driver.step(0).unwrap();
                    driver.step(1).unwrap();
                    driver.advance(20);
                }
                let was_frozen = driver.step_frozen(0, nth, |driver| pass(driver, silent_ms)).unwrap();
                register_from(&mut driver, ROUNDS / 2, ROUNDS);
                settle(&mut driver);
                assert_read_once(
                    &driver,
                    ROUNDS,
                    &format!("frozen for {silent_ms} ms before call {nth} of step {step}"),
                );
                if !was_frozen {
                    break;
                }
            }
        }
    }
}

/// Steps until the first attempt has begun.
fn begin(driver: &mut TopologyTestDriver, calls: &ScriptedCalls) {
    for _ in 0..100 {
        driver.step(0).unwrap();
        if !calls.begun().is_empty() {
            return;
        }
        driver.advance(25);
    }
    panic!("no call has begun");
}

#[test]
fn a_call_begins_only_when_what_asked_for_it_is_committed() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    register(&mut driver, PATIENTS[0], "A");
    driver.fail_next(Call::Commit, Fault::Crash { took_effect: false });
    while driver.is_up(0) {
        driver.step(0).unwrap();
        driver.advance(10);
    }
    assert_eq!(calls.begun(), [], "the transaction was never committed");
    driver.restart(0).unwrap();
    begin(&mut driver, &calls);
    assert_eq!(pending(&driver), 1);
    settle(&mut driver);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A"]);
}

#[test]
fn what_was_in_flight_is_begun_again_where_the_task_goes() {
    let settings = settings(2, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    calls.take(900);
    for patient in PATIENTS {
        register(&mut driver, patient, "A");
    }
    for _ in 0..8 {
        driver.step(0).unwrap();
        driver.step(1).unwrap();
        driver.advance(25);
    }
    assert_eq!(calls.begun().len(), PATIENTS.len());
    driver.stop(0).unwrap();
    settle(&mut driver);
    let again = calls.begun().len() - PATIENTS.len();
    assert!(again > 0 && again < PATIENTS.len(), "{again} calls were begun again");
    assert_read_once(&driver, 1, "handed over");
}

/// A result whose transaction is not committed is no result: the call is performed again.
#[test]
fn a_crash_between_a_result_and_its_commit_repeats_the_call_and_not_its_effects() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(LIMITS, settings);
    settle(&mut driver);
    register(&mut driver, PATIENTS[0], "A");
    begin(&mut driver, &calls);
    driver.fail_next(Call::Commit, Fault::Crash { took_effect: false });
    while driver.is_up(0) {
        driver.step(0).unwrap();
        driver.advance(10);
    }
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert_eq!(calls.begun().len(), 2);
    assert_eq!(read_of(&driver, PATIENTS[0]), ["A: read A"]);
}

#[test]
fn a_worker_does_not_start_where_nobody_performs_its_calls() {
    let settings = DriverSettings::with_workers(1);
    let refused = TopologyTestDriver::start(topology(LIMITS), settings).err().unwrap().to_string();
    assert!(refused.contains(&format!("nobody performs the call `{READ}`")), "{refused}");
}

fn at_least_once(faults: FaultPlan) -> TopologyTestDriver {
    let mut settings = settings(2, faults);
    settings.worker.guarantee = Guarantee::AtLeastOnce;
    let mut driver = started(LIMITS, settings);
    register_all(&mut driver, 2);
    settle(&mut driver);
    driver.restart_all().unwrap();
    settle(&mut driver);
    driver
}

#[test]
fn at_least_once_no_call_is_lost_by_a_crash() {
    let calls = at_least_once(FaultPlan::none()).faults().calls();
    for nth in 1..=calls {
        let driver = at_least_once(FaultPlan::none().at_call(nth, Fault::Crash { took_effect: nth % 2 == 0 }));
        driver.check_settled().unwrap();
        for patient in PATIENTS {
            let mut read = read_of(&driver, patient);
            read.sort();
            read.dedup();
            assert_eq!(read.len(), 2, "crash at call {nth}: of {patient} there is {read:?}");
        }
    }
}
