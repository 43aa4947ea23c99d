//! A little topology with a call: every registration is read elsewhere, and what was read is sent on and counted.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use concord_engine::calls::{CallFailure, CallLimits, CallResult};
use concord_engine::driver::{DriverSettings, ScriptedCalls, TopologyTestDriver};
use concord_engine::log::embedded::FaultPlan;
use concord_engine::topology::{CallHandle, Cleanup, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::Registration;

use crate::counting::{INPUT, OUTPUT, PATIENTS, Registrations, count_of};

pub const READ: &str = "read";
/// The only code that the script itself gives.
pub const UNREADABLE: &str = "TEST-UNREADABLE";

/// Attempts enough that nothing is given up under faults.
pub const LIMITS: CallLimits = CallLimits {
    time_limit: Duration::from_secs(1),
    attempts: 40,
    first_pause: Duration::from_millis(100),
    longest_pause: Duration::from_millis(500),
    in_flight: 8,
    most_pending: 1_000,
};

struct Reading {
    read: CallHandle,
    counts: StoreHandle<()>,
    out: SinkHandle<Registrations>,
}

impl Reading {
    /// The practice is what is to be read. `REPLACE <what>` takes back what is pending for the patient, `CANCEL` does no more than that.
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let patient = ctx.key()?.as_bytes();
        let mut asked = value.gp_practice;
        if asked == "CANCEL" || asked.starts_with("REPLACE ") {
            ctx.cancel_calls(self.read, patient)?;
            asked = asked.trim_start_matches("REPLACE ");
        }
        if asked == "CANCEL" {
            return Ok(());
        }
        ctx.call(self.read, patient, Bytes::copy_from_slice(asked.as_bytes()))
    }

    fn on_read(&mut self, ctx: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        let count = count_of(ctx.get(self.counts, key.as_bytes())?.as_deref()) + 1;
        ctx.put_bytes(self.counts, key.as_bytes(), Bytes::copy_from_slice(&count.to_be_bytes()))?;
        let request = String::from_utf8_lossy(&result.request);
        let answer = result.outcome?;
        let read = if request == "LARGE" { "x".repeat(2 << 20) } else { String::from_utf8_lossy(&answer).into_owned() };
        ctx.send(self.out, key, &Registration { nhs_number: &request, gp_practice: &read, dispensing_flag: "" })
    }
}

pub fn topology(limits: CallLimits) -> Topology {
    let mut t = TopologyBuilder::new("reading");
    let input = t.input::<Registrations>(INPUT, "NHS number", 2, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    let output = t.output::<Registrations>(OUTPUT, "NHS number", 2, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    t.sub_topology("reading", |sub| {
        let source = sub.source(input);
        let counts = sub.key_value_store::<()>("read-counts");
        sub.processor("reader", |p| {
            p.on(source, Reading::on);
            let read = p.call(READ, limits, Reading::on_read);
            let (counts, out) = (p.store(counts), p.sink(output));
            move || Reading { read, counts, out }
        });
    });
    t.build().unwrap()
}

/// What is read of `X` is `read X`; `BAD` is unreadable for good, `LATER` until the third attempt.
pub fn script() -> ScriptedCalls {
    ScriptedCalls::default().on(READ, |asked| match &asked.request[..] {
        b"BAD" => Err(CallFailure::for_good(UNREADABLE, "it cannot be read")),
        b"LATER" if asked.attempt < 3 => Err(CallFailure::for_now(UNREADABLE, "it cannot be read yet")),
        request => Ok(Bytes::from([b"read ", request].concat())),
    })
}

pub fn settings(workers: usize, faults: FaultPlan) -> DriverSettings {
    DriverSettings { faults, calls: script(), ..DriverSettings::with_workers(workers) }
}

/// Every attempt takes 30 milliseconds.
pub fn driver(workers: usize, faults: FaultPlan) -> TopologyTestDriver {
    started(LIMITS, settings(workers, faults))
}

pub fn started(limits: CallLimits, settings: DriverSettings) -> TopologyTestDriver {
    settings.calls.take(30);
    TopologyTestDriver::start(topology(limits), settings).unwrap()
}

pub fn register(driver: &mut TopologyTestDriver, patient: &str, practice: &str) {
    let value = Registration { nhs_number: patient, gp_practice: practice, dispensing_flag: "" };
    driver.pipe::<Registrations>(INPUT, patient, &value).unwrap();
}

/// What was read of a patient, in order, as `asked: read`.
pub fn read_of(driver: &TopologyTestDriver, patient: &str) -> Vec<String> {
    let mut read = Vec::new();
    for output in driver.outputs::<Registrations>(OUTPUT).unwrap() {
        if output.key() == patient {
            let value = output.value().unwrap().unwrap();
            read.push(format!("{}: {}", value.nhs_number, value.gp_practice));
        }
    }
    read
}

/// Asserts that each of `rounds * 4` registrations was read and sent on once, those of a patient in the order in which they came, and that
/// nothing is pending. What was rejected counts as well: it is in the dead letters.
pub fn assert_read_once(driver: &TopologyTestDriver, rounds: usize, case: &str) {
    driver.check_settled().unwrap_or_else(|error| panic!("{case}: {error}"));
    let mut origins: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for output in driver.outputs::<Registrations>(OUTPUT).unwrap() {
        let [origin] = &output.lineage()[..] else { panic!("{case}: an output has one origin") };
        let value = output.value().unwrap().unwrap();
        assert_eq!(value.gp_practice, format!("read {}", value.nhs_number), "{case}: the answer to another request");
        origins.entry(output.key().to_owned()).or_default().push(origin.offset);
    }
    assert_eq!(origins.len(), PATIENTS.len(), "{case}");
    for (patient, offsets) in &origins {
        assert_eq!(offsets.len(), rounds, "{case}: results of {patient}: {offsets:?}");
        assert!(offsets.is_sorted_by(|one, next| one < next), "{case}: results of {patient} come as {offsets:?}");
    }
    let counts = driver.state("reading", "read-counts").unwrap();
    assert!(counts.values().all(|count| count_of(Some(count)) as usize == rounds), "{case}: {counts:?}");
    assert_eq!(pending(driver), 0, "{case}");
}

/// How many calls are pending, by the rows of the store.
pub fn pending(driver: &TopologyTestDriver) -> usize {
    driver.state("reading", "reading-calls").unwrap().keys().filter(|row| row.starts_with(b"p/")).count()
}
