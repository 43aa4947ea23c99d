//! Bounds: of what is in flight, and of what is pending.

use concord_engine::calls::CallLimits;
use concord_engine::driver::TopologyTestDriver;
use concord_engine::log::embedded::{Fault, FaultPlan};

use super::reading::{LIMITS, assert_read_once, pending, register, settings, started};
use crate::counting::{PATIENTS, register as register_all, settle};

const NARROW: CallLimits = CallLimits { in_flight: 2, most_pending: 6, ..LIMITS };

#[test]
fn no_more_calls_are_in_flight_than_declared() {
    let settings = settings(1, FaultPlan::none());
    let calls = settings.calls.clone();
    let mut driver = started(NARROW, settings);
    settle(&mut driver);
    calls.take(300);
    for patient in PATIENTS {
        register(&mut driver, patient, "A");
    }
    settle(&mut driver);
    let begun: Vec<i64> = calls.begun().iter().map(|(at, _)| *at).collect();
    assert_eq!(begun.len(), PATIENTS.len());
    for (at, two_before) in begun[2..].iter().zip(&begun) {
        assert!(at - two_before >= 300, "three at once: {begun:?}");
    }
}

/// The most pending calls of a task that were ever seen.
fn run_and_watch(driver: &mut TopologyTestDriver, rounds: usize) -> usize {
    let mut most = 0;
    for _ in 0..2_000 {
        for worker in 0..2 {
            if !driver.is_up(worker) {
                driver.restart(worker).unwrap();
            }
            driver.step(worker).unwrap();
        }
        driver.advance(10);
        // Until every task is open its store cannot be seen.
        most = driver.state("reading", "reading-calls").map_or(most, |_| most.max(pending(driver)));
    }
    settle(driver);
    assert_read_once(driver, rounds, "bounded");
    most
}

#[test]
fn input_waits_when_too_many_calls_are_pending_and_goes_on_when_they_are_done() {
    const ROUNDS: usize = 20;
    let mut driver = started(NARROW, settings(2, FaultPlan::none()));
    register_all(&mut driver, ROUNDS);
    let most = run_and_watch(&mut driver, ROUNDS);
    assert!((6..=12).contains(&most), "{most} calls of two tasks were pending at once");
}

#[test]
fn held_input_is_not_lost_by_a_crash_at_any_call_to_the_log() {
    const ROUNDS: usize = 6;
    let run = |faults| {
        let mut driver = started(NARROW, settings(2, faults));
        register_all(&mut driver, ROUNDS);
        settle(&mut driver);
        driver.restart_all().unwrap();
        settle(&mut driver);
        driver
    };
    let undisturbed = run(FaultPlan::none());
    assert_read_once(&undisturbed, ROUNDS, "undisturbed");
    for nth in 1..=undisturbed.faults().calls() {
        let driver = run(FaultPlan::none().at_call(nth, Fault::Crash { took_effect: nth % 2 == 0 }));
        assert_read_once(&driver, ROUNDS, &format!("crash at call {nth}"));
    }
}
