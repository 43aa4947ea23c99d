//! A worker that is frozen in the middle of a step, before any of its calls, while the other one goes on.

use std::time::Duration;

use concord_engine::driver::{DriverError, DriverSettings, TopologyTestDriver};

use crate::counting::{assert_counted_once, register, register_from, settle, topology};

const ROUNDS: usize = 4;
/// Steps of a run in which something happens.
const STEPS: usize = 12;

/// Time passes while worker 1 goes on working.
pub fn pass(driver: &mut TopologyTestDriver, ms: i64) -> Result<(), DriverError> {
    const TURNS: i64 = 40;
    for _ in 0..TURNS {
        driver.advance(ms / TURNS);
        driver.step(1)?;
    }
    Ok(())
}

/// The session ends before the transaction does, or behind it.
fn settings(session: Duration) -> DriverSettings {
    let mut settings = DriverSettings::with_workers(2);
    settings.worker.session_timeout = session;
    settings
}

#[test]
fn every_record_counts_once_when_a_worker_is_frozen_before_any_call() {
    for session in [5, 30].map(Duration::from_secs) {
        for silent_ms in [400, 10_000, 40_000] {
            for step in 0..STEPS {
                for nth in 1.. {
                    let mut driver = TopologyTestDriver::start(topology(2), settings(session)).unwrap();
                    register(&mut driver, ROUNDS / 2);
                    for _ in 0..step {
                        driver.step(0).unwrap();
                        driver.step(1).unwrap();
                        driver.advance(20);
                    }
                    let was_frozen = driver.step_frozen(0, nth, |driver| pass(driver, silent_ms)).unwrap();
                    register_from(&mut driver, ROUNDS / 2, ROUNDS);
                    settle(&mut driver);
                    let case =
                        format!("session {session:?}, frozen for {silent_ms} ms before call {nth} of step {step}");
                    assert_counted_once(&driver, ROUNDS, &case);
                    if !was_frozen {
                        break;
                    }
                }
            }
        }
    }
}

/// Two workers of one process: what the group has taken from the frozen one, the other cannot open before that one hears of it.
#[test]
fn a_task_that_another_worker_of_the_process_still_has_is_waited_for() {
    let mut waited = 0;
    for step in 0..STEPS {
        let mut settings = settings(Duration::from_secs(5));
        settings.one_disk = true;
        let mut driver = TopologyTestDriver::start(topology(2), settings).unwrap();
        register(&mut driver, ROUNDS / 2);
        for _ in 0..step {
            driver.step(0).unwrap();
            driver.step(1).unwrap();
            driver.advance(20);
        }
        let had_tasks = driver.step(0).unwrap().tasks_running > 0;
        pass(&mut driver, 10_000).unwrap();
        let report = driver.step(1).unwrap();
        if had_tasks {
            assert!(report.tasks_restoring > 0, "step {step}: nothing is waited for");
            waited += 1;
        }
        register_from(&mut driver, ROUNDS / 2, ROUNDS);
        settle(&mut driver);
        assert_counted_once(&driver, ROUNDS, &format!("frozen behind step {step}"));
    }
    assert!(waited > 0);
}

/// The first worker has all tasks and must give half of them to a second one that comes; it is frozen while it does.
#[test]
fn every_record_counts_once_when_a_worker_is_frozen_while_it_hands_tasks_over() {
    for silent_ms in [400, 10_000, 40_000] {
        for step in 0..3 {
            for nth in 1.. {
                let mut driver = TopologyTestDriver::start(topology(2), settings(Duration::from_secs(30))).unwrap();
                driver.stop(1).unwrap();
                register(&mut driver, ROUNDS / 2);
                settle(&mut driver);
                register_from(&mut driver, ROUNDS / 2, ROUNDS);
                driver.step(0).unwrap();
                driver.restart(1).unwrap();
                driver.step(1).unwrap();
                for _ in 0..step {
                    driver.step(0).unwrap();
                    driver.step(1).unwrap();
                }
                let was_frozen = driver.step_frozen(0, nth, |driver| pass(driver, silent_ms)).unwrap();
                settle(&mut driver);
                let case = format!("frozen for {silent_ms} ms before call {nth} of step {step}");
                assert_counted_once(&driver, ROUNDS, &case);
                if !was_frozen {
                    break;
                }
            }
        }
    }
}
