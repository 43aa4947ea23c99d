//! Rejected records: a dead letter, and no other trace.

use bytes::Bytes;
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{Fault, FaultPlan};
use concord_engine::topology::{Cleanup, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::{Context, ProcessError, Rejection, TimerClock};
use concord_schemas::list_reconciliation::Registration;

use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, settle};

/// Writes to its store, sets a timer, sends, and then rejects whoever registers at `BAD`.
struct Regretful {
    seen: StoreHandle<()>,
    out: SinkHandle<Registrations>,
    remembered: u8,
}

impl Regretful {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        self.remembered += 1;
        let key = ctx.key()?;
        ctx.put_bytes(self.seen, key.as_bytes(), Bytes::copy_from_slice(value.gp_practice.as_bytes()))?;
        ctx.set_timer(TimerClock::WallClock, key.as_bytes(), 0, Bytes::new())?;
        ctx.send(self.out, key, &value)?;
        if value.gp_practice == "BAD" {
            return Err(Rejection::by_processor("TEST-0001", "the practice is not there").into());
        }
        Ok(())
    }
}

fn topology() -> Topology {
    let mut t = TopologyBuilder::new("regretful");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 1, Cleanup::Compact);
    t.sub_topology("regret", |sub| {
        let source = sub.source(input);
        let store = sub.key_value_store::<()>("seen");
        sub.processor("regretful", |p| {
            p.on(source, Regretful::on);
            p.on_timer(|_, _, _| Ok(()));
            let (seen, out) = (p.store(store), p.sink(output));
            move || Regretful { seen, out, remembered: 0 }
        });
        // Sees every record before or after the other one, and must not remember those that were rejected.
        sub.processor("witness", |p| {
            p.on(source, |_: &mut (), _, _| Ok(()));
            || ()
        });
    });
    t.build().unwrap()
}

fn started(faults: FaultPlan) -> TopologyTestDriver {
    let settings = DriverSettings { faults, ..DriverSettings::with_workers(1) };
    TopologyTestDriver::start(topology(), settings).unwrap()
}

fn registration(gp_practice: &str) -> Registration<'_> {
    Registration { nhs_number: "", gp_practice, dispensing_flag: "" }
}

fn assert_one_letter_and_no_trace(driver: &TopologyTestDriver, case: &str) {
    driver.check_settled().unwrap_or_else(|error| panic!("{case}: {error}"));
    let letters = driver.dead_letters().unwrap();
    assert_eq!(letters.len(), 1, "{case}");
    let letter = &letters[0];
    assert_eq!((letter.topic.as_str(), letter.partition.as_str(), letter.offset.as_str()), (INPUT, "0", "1"), "{case}");
    assert_eq!((letter.stage.as_str(), letter.code.as_str()), ("processor", "TEST-0001"), "{case}");
    assert_eq!(letter.message, "the practice is not there", "{case}");
    assert_eq!(letter.record.key.as_deref(), Some(PATIENTS[1].as_bytes()), "{case}");
    assert!(letter.record.value.is_some(), "{case}: the payload is kept");
    let seen = driver.state("regret", "seen").unwrap();
    assert!(!seen.contains_key(PATIENTS[1].as_bytes()), "{case}: the rejected record is in the store");
    assert_eq!(seen.len(), 2, "{case}");
    let sent: Vec<String> =
        driver.outputs::<Registrations>(OUTPUT).unwrap().iter().map(|output| output.key().to_owned()).collect();
    assert_eq!(sent, [PATIENTS[0], PATIENTS[2]], "{case}");
}

fn pipe_two_good_around_one_bad(driver: &mut TopologyTestDriver) {
    for (patient, practice) in PATIENTS.iter().zip(["B85001", "BAD", "H81109"]) {
        driver.pipe::<Registrations>(INPUT, patient, &registration(practice)).unwrap();
    }
}

#[test]
fn a_rejected_record_leaves_no_trace_but_its_dead_letter() {
    let mut driver = started(FaultPlan::none());
    pipe_two_good_around_one_bad(&mut driver);
    settle(&mut driver);
    assert_one_letter_and_no_trace(&driver, "undisturbed");
}

#[test]
fn a_rejected_record_has_one_dead_letter_after_a_crash_at_any_call() {
    let mut undisturbed = started(FaultPlan::none());
    pipe_two_good_around_one_bad(&mut undisturbed);
    settle(&mut undisturbed);
    for nth in 1..=undisturbed.faults().calls() {
        for took_effect in [false, true] {
            let mut driver = started(FaultPlan::none().at_call(nth, Fault::Crash { took_effect }));
            pipe_two_good_around_one_bad(&mut driver);
            settle(&mut driver);
            driver.restart_all().unwrap();
            settle(&mut driver);
            assert_one_letter_and_no_trace(&driver, &format!("crash at call {nth}, took effect: {took_effect}"));
        }
    }
}

#[test]
fn bytes_that_are_no_value_and_tombstones_of_events_go_to_the_dead_letters_unchanged() {
    let mut driver = started(FaultPlan::none());
    driver.pipe_bytes(INPUT, Some(b"key"), Some(b"no avro")).unwrap();
    driver.pipe_bytes(INPUT, Some(b"key"), None).unwrap();
    settle(&mut driver);
    let letters = driver.dead_letters().unwrap();
    let causes: Vec<(&str, Option<&[u8]>)> =
        letters.iter().map(|letter| (letter.code.as_str(), letter.record.value.as_deref())).collect();
    assert_eq!(causes, [("CONCORD-EN-0001", Some(&b"no avro"[..])), ("CONCORD-EN-0003", None)]);
    assert!(driver.state("regret", "seen").unwrap().is_empty());
}

/// `first` keeps in a field of its own what it has seen, and tells of it; `second` rejects behind it.
#[test]
fn processors_before_the_rejecting_one_forget_the_record_too() {
    let mut t = TopologyBuilder::new("two-in-a-row");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 1, Cleanup::Compact);
    t.sub_topology("row", |sub| {
        let source = sub.source(input);
        sub.processor("first", |p| {
            let out = p.sink(output);
            p.on(source, move |seen: &mut Vec<String>, ctx, value: Registration<'_>| {
                seen.push(value.gp_practice.to_owned());
                let all = seen.join(" ");
                ctx.send(out, ctx.key()?, &registration(&all))
            });
            Vec::new
        });
        sub.processor("second", |p| {
            p.on(source, |_: &mut (), _, value: Registration<'_>| match value.gp_practice {
                "BAD" => Err(Rejection::by_processor("TEST-0002", "not here").into()),
                _ => Ok(()),
            });
            || ()
        });
    });
    let mut driver = TopologyTestDriver::start(t.build().unwrap(), DriverSettings::with_workers(1)).unwrap();
    pipe_two_good_around_one_bad(&mut driver);
    settle(&mut driver);
    let outputs = driver.outputs::<Registrations>(OUTPUT).unwrap();
    let told: Vec<&str> = outputs.iter().map(|output| output.value().unwrap().unwrap().gp_practice).collect();
    assert!(told.iter().all(|seen| !seen.contains("BAD")), "{told:?}");
}
