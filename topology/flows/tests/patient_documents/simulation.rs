//! The same under seeded faults: whatever goes wrong with workers, log and readers, the records are those of the documents.
//!
//! `CONCORD_SEED=17 cargo test -p concord-flows --test patient_documents simulation` is one run again, `CONCORD_SEEDS=1000` are many.

use std::collections::BTreeMap;

use concord_engine::driver::{CallRates, DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{FaultPlan, FaultRates};
use concord_flows::patient_documents::consolidation::{Rules, consolidate};
use concord_flows::patient_documents::topology;
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::patient_documents::{Extraction, ProcessingStatus};

use crate::random::Random;
use crate::reader::features;
use crate::stage::{NOW, QUIET, SECOND, Stage, WORKERS, script, settings};

/// Runs of a test without `CONCORD_SEEDS`.
const SEEDS: u64 = 60;
const PATIENTS: u64 = 3;
const DOCUMENTS: u64 = 12;
const TURNS: u64 = 120;

/// What stands of a document: patient, text, time of its contents.
type Standing = BTreeMap<String, (String, String, i64)>;

#[test]
fn the_records_are_those_of_the_documents_whatever_goes_wrong() {
    let seeds = match (number("CONCORD_SEED"), number("CONCORD_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    let (mut crashes, mut uploads) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let _replay = Replay(seed);
        let mut random = Random::of(seed);
        let plan = FaultPlan::seeded(seed, rates(&mut random));
        let calls = script();
        calls.take(200);
        calls.disturb(seed, CallRates { fails: 0.1, never: 0.02, longest_ms: 3 * SECOND });
        let mut driver = DriverSettings {
            faults: plan.clone(),
            now_ms: NOW,
            calls: calls.clone(),
            ..DriverSettings::with_workers(WORKERS)
        };
        driver.worker.poll_records = 1 + random.below(20) as usize;
        let mut flow = settings(1 + random.below(3) as i32);
        // Nothing is given up: what a reader fails at is tried until it comes.
        flow.reading.attempts = 1_000;
        flow.reading.time_limit = std::time::Duration::from_secs(10);
        flow.reading.longest_pause = std::time::Duration::from_secs(5);
        let mut stage = Stage::of(TopologyTestDriver::start(topology(&flow).unwrap(), driver).unwrap(), calls.clone());
        let mut standing = Standing::new();
        for _ in 0..TURNS {
            uploads += change(&mut stage, &mut random, &mut standing);
            for _ in 0..=random.below(6) {
                crashes += turn(&mut stage, &mut random);
            }
        }
        plan.stop();
        calls.disturb(seed, CallRates::default());
        stage.recover();
        stage.pass(200 * SECOND);
        stage.pass(QUIET);
        stage.recover();
        assert_eq!(stage.records(), expected(&standing, stage.records().keys()), "seed {seed}");
        let keys: Vec<String> = standing.iter().map(|(id, (patient, ..))| format!("{patient}/{id}")).collect();
        let mut found: Vec<String> = stage.extractions().into_keys().collect();
        found.sort_by(|a, b| a.split_once('/').unwrap().1.cmp(b.split_once('/').unwrap().1));
        assert_eq!(found, keys, "seed {seed}");
        stage.check();
    }
    eprintln!("{count} runs agreed: {crashes} crashes, {uploads} uploads, edits and deletions");
}

/// Somebody uploads, edits, moves or deletes a document.
fn change(stage: &mut Stage, random: &mut Random, standing: &mut Standing) -> u64 {
    if random.percent(60) {
        return 0;
    }
    let document = format!("d{:02}", random.below(DOCUMENTS));
    if random.percent(15) {
        stage.delete(&document);
        standing.remove(&document);
        return 1;
    }
    let patient = match standing.get(&document) {
        Some((patient, ..)) if random.percent(85) => patient.clone(),
        _ => format!("p{}", random.below(PATIENTS)),
    };
    let text = format!(
        "birth_date: 1980-01-0{}\nfamily_name: {}\nmedicine: |Warfarin {}mg tablets|||{} daily",
        1 + random.below(3),
        ["Smith", "SMITH", "Smyth"][random.below(3) as usize],
        1 + random.below(2),
        1 + random.below(2),
    );
    let at_ms = stage.driver.now_ms();
    stage.upload_as_of(&patient, &document, &text, at_ms);
    standing.insert(document, (patient, text, at_ms));
    1
}

/// Time passes, and one worker takes a step, dies, or comes back; answers how many died.
fn turn(stage: &mut Stage, random: &mut Random) -> u64 {
    stage.driver.advance(random.below(1_500) as i64 + 1);
    let worker = random.below(WORKERS as u64) as usize;
    if !stage.driver.is_up(worker) {
        if random.percent(40) {
            stage.driver.restart(worker).unwrap();
        }
        return 0;
    }
    match random.below(200) {
        0 => stage.driver.crash_with_disk(worker).unwrap(),
        1..=3 => stage.driver.crash(worker).unwrap(),
        4 => stage.driver.stop(worker).unwrap(),
        _ => {
            stage.driver.step(worker).unwrap();
        }
    }
    u64::from(!stage.driver.is_up(worker))
}

/// What the pure consolidation makes of what stands; a tombstone for patients of whom nothing does.
fn expected<'a>(
    standing: &'a Standing,
    patients: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut records = BTreeMap::new();
    let mut encoder = Schemas::bundled().encoder();
    let with_documents = standing.values().map(|(patient, ..)| patient);
    for patient in patients.chain(with_documents) {
        let documents: Vec<Extraction<'_>> = standing
            .iter()
            .filter(|(_, (of, ..))| of == patient)
            .map(|(id, (patient, text, at_ms))| Extraction {
                document_id: id,
                patient_id: patient,
                name: id,
                source: "",
                status: ProcessingStatus::Complete,
                failure_count: 0,
                status_last_updated_ms: 0,
                duration_ms: None,
                content_type: "text/plain",
                content_sha256: "",
                contents_last_updated_ms: *at_ms,
                reason_code: "",
                reason: "",
                features_as_of_ms: Some(*at_ms),
                features: Some(features(text)),
            })
            .collect();
        let record = (!documents.is_empty()).then(|| {
            let mut bytes = Vec::new();
            let record = consolidate(patient, &documents, &Rules::default());
            encoder.encode(&codec::CONSOLIDATION, &record, &mut bytes).unwrap();
            bytes
        });
        records.insert(patient.clone(), record);
    }
    records
}

/// Some runs see all kinds of faults, some only a few.
fn rates(random: &mut Random) -> FaultRates {
    let mut rate = |most: f64| if random.percent(60) { most * (1 + random.below(4)) as f64 / 4.0 } else { 0.0 };
    FaultRates {
        retriable: rate(0.05),
        must_abort: rate(0.1),
        unknown_outcome: rate(0.1),
        crash: rate(0.004),
        delivery_failure: rate(0.005),
        marker_delay: rate(0.5),
        longest_marker_delay_ms: 2_000,
        short_poll: rate(0.4),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text}: write a number")))
}

/// Tells how to run a failed seed again.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Again: CONCORD_SEED={} cargo test -p concord-flows --test patient_documents simulation", self.0);
        }
    }
}
