//! At least once: whatever call fails and whoever dies, no record is lost. Some count again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::lineage;
use concord_engine::log::embedded::{Call, Fault, FaultPlan, FaultRates};
use concord_engine::log::{Guarantee, Header, Isolation, Log, OutgoingRecord};
use concord_engine::partitioner::partition_of;
use concord_engine::worker::GENERATION;

use crate::counting::{
    INPUT, OUTPUT, PATIENTS, assert_counted_once, count_of, register, register_from, settle, topology,
};
use crate::scenarios::{Promise, ROUNDS};

const BY_PRACTICE: &str = "counting.by-practice.repartition";
const PATIENT_COUNTS: &str = "counting.patient-counts.changelog";

fn driver(workers: usize, faults: FaultPlan) -> TopologyTestDriver {
    let mut settings = DriverSettings { faults, ..DriverSettings::with_workers(workers) };
    settings.worker.guarantee = Guarantee::AtLeastOnce;
    TopologyTestDriver::start(topology(2), settings).unwrap()
}

/// Every record of `source` is named as the origin of a record of `result`.
fn assert_all_answered(driver: &TopologyTestDriver, source: &str, result: &str, case: &str) {
    let mut answered = BTreeSet::new();
    for (_, record) in driver.log().records(result, Isolation::ReadCommitted).unwrap() {
        let origin = record.headers.iter().find(|header| &*header.name == lineage::LINEAGE).unwrap();
        answered.extend(lineage::parse(&origin.value).iter().map(ToString::to_string));
    }
    for (partition, record) in driver.log().records(source, Isolation::ReadCommitted).unwrap() {
        let place = format!("{source}/{partition}/{}", record.offset);
        assert!(answered.contains(&place), "{case}: {place} has no answer in {result}");
    }
}

fn patient_counts(driver: &TopologyTestDriver) -> Vec<u32> {
    let counts = driver.state("patients", "patient-counts").unwrap();
    PATIENTS.map(|patient| count_of(counts.get(patient.as_bytes()).map(|count| &count[..]))).to_vec()
}

fn assert_nothing_lost(driver: &TopologyTestDriver, rounds: usize, case: &str) {
    driver.check_settled().unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_all_answered(driver, INPUT, BY_PRACTICE, case);
    assert_all_answered(driver, BY_PRACTICE, OUTPUT, case);
    for count in patient_counts(driver) {
        assert!(count as usize >= rounds, "{case}: a patient counts {count}, which is below {rounds}");
    }
}

const PROMISE: Promise = Promise { start: driver, check: assert_nothing_lost };

#[test]
fn every_record_counts_once_while_nothing_fails() {
    let mut driver = driver(1, FaultPlan::none());
    register(&mut driver, ROUNDS);
    settle(&mut driver);
    assert_counted_once(&driver, ROUNDS, "undisturbed");
    assert_eq!(driver.faults().calls_of(Call::SendOffsets), 0, "there are no transactions");
    assert!(driver.faults().calls_of(Call::CommitPositions) > 0);
}

#[test]
fn nothing_is_lost_by_a_crash_at_any_call() {
    PROMISE.holds_after_a_crash_at_any_call();
}

#[test]
fn nothing_is_lost_by_a_crash_with_the_loss_of_the_disk() {
    let calls = PROMISE.calls_of_a_run(2);
    for nth in (1..=calls).step_by(3) {
        let faults = FaultPlan::none().at_call(nth, Fault::Crash { took_effect: nth % 2 == 0 });
        let mut driver = driver(2, faults);
        register(&mut driver, ROUNDS);
        for _ in 0..200 {
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
        assert_nothing_lost(&driver, ROUNDS, &format!("disk lost at call {nth}"));
    }
}

#[test]
fn nothing_is_lost_whatever_any_call_answers() {
    let calls = [Call::Init, Call::Drain, Call::CommitPositions, Call::Commit, Call::Committed, Call::Watermarks];
    let faults = [
        Fault::Retriable,
        Fault::MustAbort,
        Fault::UnknownOutcome { took_effect: false },
        Fault::UnknownOutcome { took_effect: true },
    ];
    for call in calls {
        for fault in faults {
            // Neither asks to abort a transaction, since none is open.
            if fault == Fault::MustAbort && matches!(call, Call::Init | Call::Committed | Call::Watermarks) {
                continue;
            }
            for nth in 1..=8 {
                PROMISE.run(2, FaultPlan::none().at(call, nth, fault), &format!("{fault:?} at {call:?} number {nth}"));
            }
        }
    }
}

#[test]
fn nothing_is_lost_when_the_tasks_of_a_silent_worker_go_to_another() {
    PROMISE.holds_when_the_tasks_of_a_silent_worker_go_to_another();
}

#[test]
fn nothing_is_lost_under_faults_of_every_kind() {
    let rates = FaultRates {
        retriable: 0.03,
        must_abort: 0.03,
        unknown_outcome: 0.03,
        crash: 0.01,
        delivery_failure: 0.02,
        short_poll: 0.3,
        ..FaultRates::default()
    };
    PROMISE.holds_under_faults_at_these_rates(100, &rates);
}

/// Writes a count of the first patient to the changelog, as a worker of this generation would.
fn write_count(driver: &TopologyTestDriver, count: u32, generation: i32) {
    let key = PATIENTS[0].as_bytes();
    let header = Header { name: Arc::from(GENERATION), value: Bytes::from(generation.to_string()) };
    let record = OutgoingRecord {
        topic: &Arc::from(PATIENT_COUNTS),
        partition: partition_of(key, 2),
        timestamp_ms: driver.now_ms(),
        key: Some(key),
        value: Some(&count.to_be_bytes()),
        headers: &[header],
    };
    driver.log().publisher().unwrap().send(&record).unwrap();
}

#[test]
fn a_restore_leaves_out_what_a_former_owner_wrote_after_it_had_lost_the_task() {
    for disk_is_lost in [false, true] {
        let mut driver = driver(1, FaultPlan::none());
        register(&mut driver, ROUNDS);
        settle(&mut driver);
        write_count(&driver, 77, 0);
        if disk_is_lost {
            driver.crash_with_disk(0).unwrap();
        }
        driver.restart(0).unwrap();
        settle(&mut driver);
        assert_eq!(patient_counts(&driver), [4, 4, 4, 4], "disk lost: {disk_is_lost}");
    }
}

#[test]
fn what_is_written_after_the_group_counts_its_generations_anew_is_not_taken_for_old() {
    let mut driver = driver(1, FaultPlan::none());
    register(&mut driver, 1);
    settle(&mut driver);
    write_count(&driver, 10, 1_000);
    driver.restart(0).unwrap();
    register_from(&mut driver, 1, 2);
    settle(&mut driver);
    assert_eq!(patient_counts(&driver), [11, 2, 2, 2]);
    driver.restart(0).unwrap();
    register_from(&mut driver, 2, 3);
    settle(&mut driver);
    driver.crash_with_disk(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert_eq!(patient_counts(&driver), [12, 3, 3, 3]);
}

#[test]
fn workers_may_change_between_the_guarantees_at_a_restart() {
    let mut driver = driver(1, FaultPlan::none());
    for (round, guarantee) in
        [Guarantee::AtLeastOnce, Guarantee::ExactlyOnce, Guarantee::AtLeastOnce].into_iter().enumerate()
    {
        driver.worker_settings().guarantee = guarantee;
        driver.restart(0).unwrap();
        register_from(&mut driver, round, round + 1);
        settle(&mut driver);
    }
    driver.crash_with_disk(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert_eq!(patient_counts(&driver), [3, 3, 3, 3]);
}
