//! A processor is told that an attempt has begun: of what takes longer than a commit, before its result, by whoever has the task.

use bytes::Bytes;
use concord_engine::calls::CallResult;
use concord_engine::driver::{CallRates, DriverSettings, ScriptedCalls, TopologyTestDriver};
use concord_engine::log::embedded::{Call, Fault, FaultPlan, FaultRates};
use concord_engine::topology::{CallHandle, Cleanup, SinkHandle, Topology, TopologyBuilder};
use concord_engine::{Context, ProcessError, Rejection};
use concord_schemas::list_reconciliation::Registration;

use super::reading::{LIMITS, READ, register, script};
use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, settle};
use crate::scenarios::take_turns;

/// Sends on what it is told: `begun <attempt>`, and `read`.
struct Watching {
    read: CallHandle,
    out: SinkHandle<Registrations>,
}

impl Watching {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let patient = ctx.key()?.as_bytes();
        ctx.call(self.read, patient, Bytes::copy_from_slice(value.gp_practice.as_bytes()))
    }

    /// Of one patient it does not want to hear, of another it has too much to say.
    fn on_begun(&mut self, ctx: &mut Context<'_>, attempt: u32) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        if key == REFUSING {
            return Err(Rejection::by_processor("TEST-REFUSED", "it does not want to hear").into());
        }
        let told = if key == LARGE { "x".repeat(2 << 20) } else { format!("begun {attempt}") };
        ctx.send(self.out, key, &Registration { nhs_number: "", gp_practice: &told, dispensing_flag: "" })
    }

    fn on_read(&mut self, ctx: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        let told = if result.outcome.is_ok() { "read" } else { "not read" };
        ctx.send(self.out, key, &Registration { nhs_number: "", gp_practice: told, dispensing_flag: "" })
    }
}

const REFUSING: &str = PATIENTS[2];
const LARGE: &str = PATIENTS[3];

fn topology() -> Topology {
    let mut t = TopologyBuilder::new("watching");
    let input = t.input::<Registrations>(INPUT, "NHS number", 2, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 2, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    t.sub_topology("watching", |sub| {
        let source = sub.source(input);
        sub.processor("watcher", |p| {
            p.on(source, Watching::on);
            let read = p.call(READ, LIMITS, Watching::on_read);
            p.on_begun(read, Watching::on_begun);
            let out = p.sink(output);
            move || Watching { read, out }
        });
    });
    t.build().unwrap()
}

fn start(workers: usize, faults: FaultPlan) -> (TopologyTestDriver, ScriptedCalls) {
    let calls = script();
    let settings = DriverSettings { faults, calls: calls.clone(), ..DriverSettings::with_workers(workers) };
    (TopologyTestDriver::start(topology(), settings).unwrap(), calls)
}

/// What the processor was told of a patient, in order.
fn told(driver: &TopologyTestDriver, patient: &str) -> Vec<String> {
    let outputs = driver.outputs::<Registrations>(OUTPUT).unwrap();
    let of_patient = outputs.iter().filter(|output| output.key() == patient);
    of_patient.map(|output| output.value().unwrap().unwrap().gp_practice.to_owned()).collect()
}

/// Steps of the first worker, until so many attempts have begun and so much time has passed since.
fn work_until_begun(driver: &mut TopologyTestDriver, calls: &ScriptedCalls, attempts: usize, ms: i64) {
    while calls.begun().len() < attempts {
        driver.step(0).unwrap();
        driver.advance(25);
    }
    for _ in 0..ms / 25 {
        driver.advance(25);
        driver.step(0).unwrap();
    }
}

#[test]
fn a_processor_is_told_of_every_attempt_that_takes_longer_than_a_commit() {
    let (mut driver, calls) = start(1, FaultPlan::none());
    calls.take(500);
    register(&mut driver, PATIENTS[0], "A");
    register(&mut driver, PATIENTS[1], "LATER");
    settle(&mut driver);
    assert_eq!(told(&driver, PATIENTS[0]), ["begun 1", "read"]);
    assert_eq!(told(&driver, PATIENTS[1]), ["begun 1", "begun 2", "begun 3", "read"]);
    let outputs = driver.outputs::<Registrations>(OUTPUT).unwrap();
    assert!(outputs.iter().all(|output| output.lineage().len() == 1), "each names the record that asked");
    driver.check_settled().unwrap();
}

#[test]
fn of_an_attempt_that_is_over_soon_nothing_is_told() {
    let (mut driver, calls) = start(1, FaultPlan::none());
    calls.take(20);
    register(&mut driver, PATIENTS[0], "A");
    settle(&mut driver);
    assert_eq!(told(&driver, PATIENTS[0]), ["read"]);
}

#[test]
fn a_processor_that_does_not_want_to_hear_or_says_too_much_holds_up_no_call() {
    let (mut driver, calls) = start(1, FaultPlan::none());
    calls.take(500);
    for patient in PATIENTS {
        register(&mut driver, patient, "A");
    }
    settle(&mut driver);
    for patient in PATIENTS {
        let begun = patient != REFUSING && patient != LARGE;
        assert_eq!(told(&driver, patient), if begun { vec!["begun 1", "read"] } else { vec!["read"] }, "{patient}");
    }
    assert_eq!(driver.dead_letters().unwrap(), []);
    driver.check_settled().unwrap();
}

#[test]
fn what_was_told_in_a_transaction_that_came_to_nothing_is_told_again() {
    for fault in [Fault::MustAbort, Fault::UnknownOutcome { took_effect: false }] {
        let (mut driver, calls) = start(1, FaultPlan::none());
        settle(&mut driver);
        calls.take(800);
        register(&mut driver, PATIENTS[0], "A");
        work_until_begun(&mut driver, &calls, 1, 0);
        driver.fail_next(Call::Commit, fault);
        settle(&mut driver);
        assert_eq!(told(&driver, PATIENTS[0]), ["begun 1", "read"], "{fault:?}");
        driver.check_settled().unwrap();
    }
}

#[test]
fn whoever_has_the_task_next_tells_of_its_own_attempt() {
    let (mut driver, calls) = start(1, FaultPlan::none());
    settle(&mut driver);
    calls.take(800);
    register(&mut driver, PATIENTS[0], "A");
    work_until_begun(&mut driver, &calls, 1, 400);
    assert_eq!(told(&driver, PATIENTS[0]), ["begun 1"]);
    driver.crash(0).unwrap();
    driver.restart(0).unwrap();
    settle(&mut driver);
    assert_eq!(told(&driver, PATIENTS[0]), ["begun 1", "begun 1", "read"]);
    assert_eq!(calls.begun().len(), 2);
}

#[test]
fn a_beginning_never_comes_behind_its_result_whatever_goes_wrong() {
    let rates =
        FaultRates { retriable: 0.02, must_abort: 0.05, unknown_outcome: 0.05, crash: 0.01, ..FaultRates::default() };
    for seed in 0..100 {
        let plan = FaultPlan::seeded(seed, rates);
        let (mut driver, calls) = start(2, plan.clone());
        calls.disturb(!seed, CallRates { fails: 0.2, never: 0.05, longest_ms: 600 });
        register(&mut driver, PATIENTS[0], "A");
        register(&mut driver, PATIENTS[1], "B");
        take_turns(&mut driver, 2, 120, seed);
        plan.stop();
        driver.restart_all().unwrap();
        settle(&mut driver);
        for patient in &PATIENTS[..2] {
            let told = told(&driver, patient);
            let (last, begun) = told.split_last().unwrap();
            assert_eq!(last, "read", "seed {seed}: {told:?}");
            let attempts = begun.iter().map(|told| told.strip_prefix("begun ").unwrap().parse::<u32>().unwrap());
            assert!(attempts.is_sorted(), "seed {seed}: {told:?}");
        }
        driver.check_settled().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
