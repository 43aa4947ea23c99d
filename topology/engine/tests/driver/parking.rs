//! A record whose schema is not at hand: its partition waits, all others go on, and nothing is lost or done twice.

use std::time::{Duration, Instant};

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::Guarantee;
use concord_schemas::list_reconciliation::Registration;

use crate::counting::{INPUT, OUTPUT, Registrations, count_of, settle, topology};
use crate::registry::{Answer, Registry, written_with_the_further_schema};

/// Their records are in partitions of their own.
const WAITING: &str = "9990548609";
const OTHER: &str = "9000000009";

fn started(registry: &Registry, workers: usize, guarantee: Guarantee) -> TopologyTestDriver {
    let mut settings = DriverSettings { schemas: registry.schemas(), ..DriverSettings::with_workers(workers) };
    settings.worker.guarantee = guarantee;
    TopologyTestDriver::start(topology(2), settings).unwrap()
}

fn registration(patient: &str) -> Registration<'_> {
    Registration { nhs_number: patient, gp_practice: "B85001", dispensing_flag: "" }
}

/// One known record, one with the further schema, one known behind it; and three of another patient.
fn pipe(driver: &mut TopologyTestDriver) {
    let further = written_with_the_further_schema(&registration(WAITING));
    driver.pipe::<Registrations>(INPUT, WAITING, &registration(WAITING)).unwrap();
    driver.pipe_bytes(INPUT, Some(WAITING.as_bytes()), Some(&further)).unwrap();
    driver.pipe::<Registrations>(INPUT, WAITING, &registration(WAITING)).unwrap();
    for _ in 0..3 {
        driver.pipe::<Registrations>(INPUT, OTHER, &registration(OTHER)).unwrap();
    }
}

/// Some seconds of work, in which nothing comes to rest.
fn work(driver: &mut TopologyTestDriver, workers: usize) {
    for _ in 0..100 {
        for worker in 0..workers {
            driver.step(worker).unwrap();
        }
        driver.advance(50);
    }
}

fn counts(driver: &TopologyTestDriver) -> [u32; 2] {
    let counts = driver.state("patients", "patient-counts").unwrap();
    [WAITING, OTHER].map(|patient| count_of(counts.get(patient.as_bytes()).map(|bytes| &bytes[..])))
}

/// What was told of the practice: each count once, when each record counted once.
fn told(driver: &TopologyTestDriver) -> Vec<String> {
    let outputs = driver.outputs::<Registrations>(OUTPUT).unwrap();
    outputs.iter().map(|output| output.value().unwrap().unwrap().dispensing_flag.to_owned()).collect()
}

#[test]
fn a_partition_waits_for_a_schema_while_others_go_on_and_then_goes_on_where_it_was() {
    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtLeastOnce] {
        let registry = Registry::answering(Answer::Outage);
        let mut driver = started(&registry, 1, guarantee);
        pipe(&mut driver);
        work(&mut driver, 1);
        assert_eq!(counts(&driver), [1, 3], "{guarantee:?}: the partition did not wait, or the other did");
        assert_eq!(driver.log().lag("counting"), 2, "{guarantee:?}: the records wait in the log");
        registry.answer(Answer::Schema);
        settle(&mut driver);
        driver.check_settled().unwrap();
        assert_eq!(counts(&driver), [3, 3], "{guarantee:?}");
        assert_eq!(told(&driver), ["1", "2", "3", "4", "5", "6"], "{guarantee:?}");
        assert!(driver.dead_letters().unwrap().is_empty(), "{guarantee:?}");
    }
}

#[test]
fn a_waiting_partition_goes_on_though_the_clock_was_set_back() {
    let registry = Registry::answering(Answer::Outage);
    let mut driver = started(&registry, 1, Guarantee::ExactlyOnce);
    pipe(&mut driver);
    work(&mut driver, 1);
    registry.answer(Answer::Schema);
    driver.advance(-3 * 60 * 60 * 1000);
    work(&mut driver, 1);
    assert_eq!(counts(&driver), [3, 3]);
}

#[test]
fn a_waiting_partition_that_moves_after_a_crash_waits_there_and_counts_once() {
    let registry = Registry::answering(Answer::Outage);
    let mut driver = started(&registry, 2, Guarantee::ExactlyOnce);
    pipe(&mut driver);
    work(&mut driver, 2);
    assert_eq!(counts(&driver), [1, 3]);
    for worker in 0..2 {
        driver.crash_with_disk(worker).unwrap();
        // The session of the dead ends, and the other one has all tasks.
        driver.advance(60_000);
        work(&mut driver, 2);
        assert_eq!(counts(&driver), [1, 3], "after the crash of worker {worker}");
        driver.restart_all().unwrap();
        work(&mut driver, 2);
    }
    registry.answer(Answer::Schema);
    settle(&mut driver);
    driver.check_settled().unwrap();
    assert_eq!(counts(&driver), [3, 3]);
    assert_eq!(told(&driver), ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn a_schema_that_the_registry_does_not_know_is_a_dead_letter_and_its_partition_goes_on() {
    let registry = Registry::answering(Answer::Unknown);
    let mut driver = started(&registry, 1, Guarantee::ExactlyOnce);
    pipe(&mut driver);
    settle(&mut driver);
    driver.check_settled().unwrap();
    assert_eq!(counts(&driver), [2, 3]);
    let letters = driver.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| letter.code.as_str()).collect::<Vec<_>>(), ["CONCORD-EN-0002"]);
}

/// A worker that waited for the answer would lose its transaction, and after some time its tasks.
#[test]
fn a_registry_that_does_not_answer_holds_up_no_step() {
    let registry = Registry::answering(Answer::Silence);
    let mut driver = started(&registry, 1, Guarantee::ExactlyOnce);
    pipe(&mut driver);
    let began = Instant::now();
    work(&mut driver, 1);
    assert!(began.elapsed() < Duration::from_secs(4), "the steps took {:?}", began.elapsed());
    assert_eq!(counts(&driver), [1, 3]);
    registry.answer(Answer::Schema);
    let deadline = Instant::now() + Duration::from_secs(60);
    while counts(&driver) != [3, 3] {
        assert!(Instant::now() < deadline, "the question was not asked again: {:?}", counts(&driver));
        // The question under way is given up in the time of the wall.
        std::thread::sleep(Duration::from_millis(50));
        work(&mut driver, 1);
    }
    settle(&mut driver);
    driver.check_settled().unwrap();
    assert_eq!(told(&driver), ["1", "2", "3", "4", "5", "6"]);
}
