//! A little topology: registrations are counted per patient, and, through a repartition topic, per practice.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord_engine::driver::{DriverError, DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::FaultPlan;
use concord_engine::topology::{Cleanup, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::value::Value;
use concord_engine::{Context, ProcessError};
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;

pub const INPUT: &str = "pds.registration";
pub const OUTPUT: &str = "practice.count";

pub struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

struct Count {
    counts: StoreHandle<()>,
    next: SinkHandle<Registrations>,
    /// To what `next` is keyed: the practice instead of the patient, or the same again.
    by_practice: bool,
}

impl Count {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        let count = count_of(ctx.get(self.counts, key.as_bytes())?.as_deref()) + 1;
        ctx.put_bytes(self.counts, key.as_bytes(), Bytes::copy_from_slice(&count.to_be_bytes()))?;
        if self.by_practice {
            return ctx.send(self.next, value.gp_practice, &value);
        }
        let count = count.to_string();
        ctx.send(self.next, key, &Registration { nhs_number: "", gp_practice: key, dispensing_flag: &count })
    }
}

pub fn count_of(stored: Option<&[u8]>) -> u32 {
    stored.and_then(|bytes| bytes.first_chunk().copied()).map_or(0, u32::from_be_bytes)
}

pub fn topology(partitions: i32) -> Topology {
    let mut t = TopologyBuilder::new("counting");
    let input = t.input::<Registrations>(INPUT, "NHS number", partitions, Cleanup::Compact);
    let by_practice = t.repartition::<Registrations>("by-practice", "practice", partitions);
    let output = t.output::<Registrations>(OUTPUT, "practice", partitions, Cleanup::Compact);
    t.sub_topology("patients", |sub| {
        let source = sub.source(input);
        let counts = sub.key_value_store::<()>("patient-counts");
        sub.processor("count-patients", |p| {
            p.on(source, Count::on);
            let (counts, next) = (p.store(counts), p.sink(by_practice));
            move || Count { counts, next, by_practice: true }
        });
    });
    t.sub_topology("practices", |sub| {
        let source = sub.source(by_practice);
        let counts = sub.ordered_store::<()>("practice-counts");
        sub.processor("count-practices", |p| {
            p.on(source, Count::on);
            let (counts, next) = (p.store(counts), p.sink(output));
            move || Count { counts, next, by_practice: false }
        });
    });
    t.build().unwrap()
}

pub const PATIENTS: [&str; 4] = ["9990548609", "9449304424", "9000000009", "9449305552"];
pub const PRACTICES: [&str; 3] = ["B85001", "H81109", "Y12345"];

pub fn driver(workers: usize, faults: FaultPlan) -> TopologyTestDriver {
    TopologyTestDriver::start(topology(2), DriverSettings { faults, ..DriverSettings::with_workers(workers) }).unwrap()
}

/// Publishes `rounds` registrations of every patient, each with another practice.
pub fn register(driver: &mut TopologyTestDriver, rounds: usize) {
    register_from(driver, 0, rounds);
}

/// The rounds from `first` to before `end`.
pub fn register_from(driver: &mut TopologyTestDriver, first: usize, end: usize) {
    for round in first..end {
        for (number, patient) in PATIENTS.iter().enumerate() {
            let gp_practice = PRACTICES[(round + number) % PRACTICES.len()];
            let value = Registration { nhs_number: patient, gp_practice, dispensing_flag: "" };
            driver.pipe::<Registrations>(INPUT, patient, &value).unwrap();
        }
    }
}

/// Runs until idle; when every worker has died over it, starts them again.
pub fn settle(driver: &mut TopologyTestDriver) {
    for _ in 0..50 {
        match driver.run_until_idle() {
            Ok(()) => return,
            Err(DriverError::NotIdle(_)) if driver.running_workers() == 0 => driver.restart_all().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the workers die again and again");
}

/// Asserts that each of `rounds * 4` registrations was counted once by patient and once by practice, and that the counts of
/// each practice came out as 1, 2, 3 and so on.
pub fn assert_counted_once(driver: &TopologyTestDriver, rounds: usize, case: &str) {
    driver.check_settled().unwrap_or_else(|error| panic!("{case}: {error}"));
    let patients = driver.state("patients", "patient-counts").unwrap();
    assert_eq!(patients.len(), PATIENTS.len(), "{case}");
    for count in patients.values() {
        assert_eq!(count_of(Some(count)) as usize, rounds, "{case}: a patient's count");
    }
    let mut expected: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..rounds {
        for number in 0..PATIENTS.len() {
            *expected.entry(PRACTICES[(round + number) % PRACTICES.len()]).or_default() += 1;
        }
    }
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    for output in driver.outputs::<Registrations>(OUTPUT).unwrap() {
        let count: u32 = output.value().unwrap().unwrap().dispensing_flag.parse().unwrap();
        let before = told.entry(output.key().to_owned()).or_default();
        assert_eq!(count, *before + 1, "{case}: the count told of {}", output.key());
        *before = count;
    }
    let told: BTreeMap<&str, u32> = told.iter().map(|(practice, count)| (practice.as_str(), *count)).collect();
    assert_eq!(told, expected, "{case}: counts told of practices");
}
