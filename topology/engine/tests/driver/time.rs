//! Timers on both clocks, stream time, and stores with a time to live, across crashes and moves.

use bytes::Bytes;
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{Fault, FaultPlan};
use concord_engine::log::{Isolation, TopicPartition};
use concord_engine::topics::TOMBSTONE_RETENTION_MS;
use concord_engine::topology::{Cleanup, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::{Context, ProcessError, Timer, TimerClock};
use concord_schemas::list_reconciliation::Registration;

use std::sync::Arc;
use std::time::Duration;

use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, settle};
use crate::freezing::pass;

const DELAY_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
const START_MS: i64 = 1_600_000_000_000;

/// Sets a timer on each clock for every record, tells of each that fires, and keeps the patient for a day.
struct Reminder {
    recent: StoreHandle<()>,
    out: SinkHandle<Registrations>,
}

impl Reminder {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let key = ctx.key()?.as_bytes();
        ctx.put_bytes(self.recent, key, Bytes::copy_from_slice(value.gp_practice.as_bytes()))?;
        ctx.set_timer(TimerClock::WallClock, key, ctx.wall_clock_ms() + DELAY_MS, Bytes::new())?;
        ctx.set_timer(TimerClock::StreamTime, key, ctx.input().timestamp_ms + DELAY_MS, Bytes::new())
    }

    fn fire(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let clock = if timer.clock == TimerClock::WallClock { "wall" } else { "stream" };
        ctx.send(self.out, ctx.key()?, &Registration { nhs_number: "", gp_practice: clock, dispensing_flag: "" })
    }
}

fn topology(partitions: i32) -> Topology {
    let mut t = TopologyBuilder::new("reminders");
    let input = t.input::<Registrations>(INPUT, "NHS number", partitions, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "NHS number", partitions, Cleanup::Compact);
    t.sub_topology("remind", |sub| {
        let source = sub.source(input);
        let store = sub.key_value_store_with_time_to_live::<()>("recent", DAY_MS);
        sub.processor("reminder", |p| {
            p.on(source, Reminder::on);
            p.on_timer(Reminder::fire);
            let (recent, out) = (p.store(store), p.sink(output));
            move || Reminder { recent, out }
        });
    });
    t.build().unwrap()
}

fn started(workers: usize, faults: FaultPlan) -> TopologyTestDriver {
    let settings = DriverSettings { faults, now_ms: START_MS, ..DriverSettings::with_workers(workers) };
    TopologyTestDriver::start(topology(2), settings).unwrap()
}

fn register(driver: &mut TopologyTestDriver, patient: &str, at_ms: i64) {
    let value = Registration { nhs_number: patient, gp_practice: "B85001", dispensing_flag: "" };
    driver.pipe_at::<Registrations>(INPUT, patient, &value, at_ms).unwrap();
}

/// What fired, as `patient clock`, in order of the words.
fn fired(driver: &TopologyTestDriver) -> Vec<String> {
    let mut fired = Vec::new();
    for output in driver.outputs::<Registrations>(OUTPUT).unwrap() {
        fired.push(format!("{} {}", output.key(), output.value().unwrap().unwrap().gp_practice));
    }
    fired.sort();
    fired
}

/// One record of every patient; a minute later by the wall clock; then one more of each, a minute later by its own time,
/// whose timers stay set.
fn run_past_both_clocks(driver: &mut TopologyTestDriver) {
    for patient in PATIENTS {
        register(driver, patient, START_MS);
    }
    settle(driver);
    driver.advance(DELAY_MS);
    settle(driver);
    for patient in PATIENTS {
        // Replaces no timer: the patient is another one.
        register(driver, &format!("later-{patient}"), START_MS + DELAY_MS);
    }
    settle(driver);
    driver.restart_all().unwrap();
    settle(driver);
}

fn assert_fired_once(driver: &TopologyTestDriver, case: &str) {
    driver.check_settled().unwrap_or_else(|error| panic!("{case}: {error}"));
    // How many of the later ones are due by the wall clock depends on how long recovery took; by stream time none is.
    let fired: Vec<String> = fired(driver).into_iter().filter(|fired| !fired.starts_with("later")).collect();
    let mut expected = Vec::new();
    for patient in PATIENTS {
        expected.push(format!("{patient} wall"));
        expected.push(format!("{patient} stream"));
    }
    expected.sort();
    assert_eq!(fired, expected, "{case}");
}

#[test]
fn timers_of_both_clocks_fire_once_after_a_crash_at_any_call() {
    let mut undisturbed = started(2, FaultPlan::none());
    run_past_both_clocks(&mut undisturbed);
    assert_fired_once(&undisturbed, "undisturbed");
    for nth in 1..=undisturbed.faults().calls() {
        for took_effect in [false, true] {
            let mut driver = started(2, FaultPlan::none().at_call(nth, Fault::Crash { took_effect }));
            run_past_both_clocks(&mut driver);
            assert_fired_once(&driver, &format!("crash at call {nth}, took effect: {took_effect}"));
        }
    }
}

/// A worker is frozen in the middle of firing, while the other goes on: for a moment, until its tasks are the other's, or until its
/// transaction is aborted as well.
#[test]
fn timers_fire_once_when_a_worker_is_frozen_before_any_call() {
    for silent_ms in [400, 10_000, 40_000] {
        for step in 0..4 {
            for nth in 1.. {
                let mut settings = DriverSettings { now_ms: START_MS, ..DriverSettings::with_workers(2) };
                settings.worker.session_timeout = Duration::from_secs(5);
                let mut driver = TopologyTestDriver::start(topology(2), settings).unwrap();
                for patient in PATIENTS {
                    register(&mut driver, patient, START_MS);
                    register(&mut driver, &format!("late-{patient}"), START_MS + DELAY_MS);
                }
                settle(&mut driver);
                // In strides that no session ends by.
                driver.run_for(DELAY_MS - 1_000).unwrap();
                driver.advance(1_000);
                for _ in 0..step {
                    driver.step(0).unwrap();
                    driver.advance(20);
                }
                let was_frozen = driver.step_frozen(0, nth, |driver| pass(driver, silent_ms)).unwrap();
                settle(&mut driver);
                driver.check_settled().unwrap();
                let fired = fired(&driver);
                let mut once = fired.clone();
                once.dedup();
                assert_eq!(fired, once, "frozen for {silent_ms} ms before call {nth} of step {step}");
                let walls = fired.iter().filter(|fired| fired.ends_with("wall")).count();
                assert_eq!(walls, 2 * PATIENTS.len(), "frozen for {silent_ms} ms before call {nth} of step {step}");
                if !was_frozen {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_timer_does_not_fire_before_its_time() {
    let mut driver = started(1, FaultPlan::none());
    register(&mut driver, PATIENTS[0], START_MS);
    settle(&mut driver);
    assert!(fired(&driver).is_empty());
    driver.advance(DELAY_MS);
    settle(&mut driver);
    assert_eq!(fired(&driver), [format!("{} wall", PATIENTS[0])]);
}

#[test]
fn stream_time_does_not_go_back_when_a_task_moves_to_another_disk() {
    let mut driver = started(1, FaultPlan::none());
    register(&mut driver, PATIENTS[0], START_MS + DAY_MS);
    settle(&mut driver);
    driver.crash_with_disk(0).unwrap();
    driver.restart(0).unwrap();
    // Late: its timer by stream time is due at once, since the task has seen a time beyond it.
    register(&mut driver, PATIENTS[0], START_MS);
    settle(&mut driver);
    assert_eq!(fired(&driver), [format!("{} stream", PATIENTS[0])]);
}

#[test]
fn entries_past_their_time_to_live_leave_the_store_and_stay_away() {
    let mut driver = started(2, FaultPlan::none());
    for patient in PATIENTS {
        register(&mut driver, patient, START_MS);
    }
    settle(&mut driver);
    assert_eq!(driver.state("remind", "recent").unwrap().len(), PATIENTS.len());
    for patient in PATIENTS {
        // Two days later by the records' own time, on every partition.
        register(&mut driver, &format!("later-{patient}"), START_MS + 2 * DAY_MS);
    }
    settle(&mut driver);
    let left: Vec<Vec<u8>> = driver.state("remind", "recent").unwrap().into_keys().collect();
    assert!(left.iter().all(|key| key.starts_with(b"later-")), "{left:?}");
    driver.crash_with_disk(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    driver.check_settled().unwrap();
    assert_eq!(driver.state("remind", "recent").unwrap().len(), PATIENTS.len());
}

/// The first timer of a patient takes the second one back: both are due at the same time.
#[test]
fn a_timer_that_an_earlier_one_has_cancelled_does_not_fire() {
    let mut t = TopologyBuilder::new("cancelling");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "timer", 1, Cleanup::Compact);
    t.sub_topology("cancel", |sub| {
        let source = sub.source(input);
        sub.processor("canceller", |p| {
            p.on(source, |_: &mut SinkHandle<Registrations>, ctx, _| {
                let now = ctx.wall_clock_ms();
                ctx.set_timer(TimerClock::WallClock, b"first", now, Bytes::new())?;
                ctx.set_timer(TimerClock::WallClock, b"second", now, Bytes::new())?;
                ctx.set_timer(TimerClock::WallClock, b"third", now, Bytes::new())
            });
            p.on_timer(|out, ctx, timer| {
                if timer.key == "first" {
                    ctx.cancel_timer(TimerClock::WallClock, b"second")?;
                    let later = ctx.wall_clock_ms() + DELAY_MS;
                    ctx.set_timer(TimerClock::WallClock, b"third", later, Bytes::new())?;
                }
                ctx.send(*out, ctx.key()?, &Registration { nhs_number: "", gp_practice: "", dispensing_flag: "" })
            });
            let out = p.sink(output);
            move || out
        });
    });
    let mut driver = TopologyTestDriver::start(t.build().unwrap(), DriverSettings::with_workers(1)).unwrap();
    let names = |driver: &TopologyTestDriver| -> Vec<String> {
        driver.outputs::<Registrations>(OUTPUT).unwrap().iter().map(|output| output.key().to_owned()).collect()
    };
    register(&mut driver, PATIENTS[0], START_MS);
    settle(&mut driver);
    assert_eq!(names(&driver), ["first"]);
    driver.advance(DELAY_MS);
    settle(&mut driver);
    assert_eq!(names(&driver), ["first", "third"]);
}

/// A worker is away with its disk; meanwhile another fires its timers, and the changelog forgets that they were set.
#[test]
fn timers_that_fired_elsewhere_do_not_come_back_with_an_old_disk() {
    let mut driver = started(2, FaultPlan::none());
    for patient in PATIENTS {
        register(&mut driver, patient, START_MS);
    }
    settle(&mut driver);
    driver.stop(0).unwrap();
    driver.advance(DELAY_MS);
    settle(&mut driver);
    let expected = fired(&driver);
    assert_eq!(expected.len(), PATIENTS.len());
    driver.advance(TOMBSTONE_RETENTION_MS);
    settle(&mut driver);
    for store in ["remind-timers", "recent"] {
        driver.log().compact(&format!("reminders.{store}.changelog"), true).unwrap();
    }
    driver.restart(0).unwrap();
    settle(&mut driver);
    driver.check_settled().unwrap();
    assert_eq!(fired(&driver), expected);
}

const RECENT_CHANGELOG: &str = "reminders.recent.changelog";

/// A worker that nothing comes to knows all the same that its state is of today.
#[test]
fn a_kill_behind_days_without_input_rebuilds_no_store() {
    let mut settings = DriverSettings { now_ms: START_MS, ..DriverSettings::with_workers(1) };
    // In few strides, none of which ends its session: to join again would restore its state.
    settings.worker.session_timeout = Duration::from_secs(60 * 60);
    let mut driver = TopologyTestDriver::start(topology(2), settings).unwrap();
    for patient in PATIENTS {
        register(&mut driver, patient, START_MS);
    }
    settle(&mut driver);
    driver.advance(DELAY_MS);
    settle(&mut driver);
    let expected = fired(&driver);
    driver.run_for(2 * TOMBSTONE_RETENTION_MS).unwrap();
    let known = driver.state("remind", "recent").unwrap();
    assert_eq!(known.len(), PATIENTS.len());
    // Nothing could be made of the changelog any more.
    for (partition, record) in driver.log().records(RECENT_CHANGELOG, Isolation::ReadUncommitted).unwrap() {
        let from = TopicPartition::new(Arc::from(RECENT_CHANGELOG), partition);
        driver.log().delete_before(&from, record.offset + 1).unwrap();
    }
    driver.crash(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert_eq!(fired(&driver), expected);
    assert_eq!(driver.state("remind", "recent").unwrap(), known, "the state on disk was thrown away");
}

/// Of a transaction that is not committed the brokers make an end, and its records are processed again and again.
#[test]
fn commits_do_not_wait_for_a_clock_that_was_set_back() {
    let mut driver = started(1, FaultPlan::none());
    register(&mut driver, PATIENTS[0], START_MS);
    settle(&mut driver);
    driver.advance(-3 * HOUR_MS);
    register(&mut driver, PATIENTS[1], START_MS);
    let mut committed = false;
    for _ in 0..10 {
        committed |= driver.step(0).unwrap().committed;
    }
    assert!(committed);
}
