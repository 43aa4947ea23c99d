//! What a patient costs by the number of documents: on the broker, and by the rules alone.

use std::time::{Duration, Instant};

use concord_documents::{Limits, read};
use concord_flows::patient_documents::consolidation::{Consolidation, Rules};
use concord_flows::patient_documents::topology::DOCUMENT;
use concord_schemas::patient_documents::{Extraction, Features, ProcessingStatus};
use serde_json::{Value, json};

use super::planted::{Patient, STRUCTURED, encoder, publish};
use super::rate::{Consolidated, DOCUMENT_EVENTS};
use crate::Result;
use crate::figures::line::Line;
use crate::figures::table::Table;
use crate::inputs::feed::EPOCH_MS;
use crate::program::Program;
use crate::stage::Stage;

const LONGEST: Duration = Duration::from_secs(3_600);
/// The least of so many consolidations counts.
const TRIES: usize = 5;

/// Figures of patients with growing numbers of documents.
pub struct Patients {
    table: Table,
    /// Documents, and the milliseconds of one consolidation.
    by_rules: Vec<(f64, f64)>,
}

/// A patient for each number of documents, one after the other, on a program that runs.
pub fn measure(stage: &Stage, program: &Program, first: u64, sizes: &[u64]) -> Result<Patients> {
    let mut table = Table::of(&["documents", "s to read", "s to record", "ms of rules", "us each", "KiB of record"]);
    let mut by_rules = Vec::new();
    let mut running = program.start()?;
    let mut consolidated = Consolidated::follow(stage)?;
    for (place, documents) in sizes.iter().copied().enumerate() {
        eprintln!("a patient with {documents} documents");
        let patient = Patient { number: first + place as u64, documents };
        let before = running.processed(DOCUMENT_EVENTS);
        let (mut encoder, mut publishing) = (encoder(), stage.topics.publish(DOCUMENT, None, 20)?);
        let began = Instant::now();
        publish(patient, &mut encoder, &mut publishing)?;
        publishing.finish()?;
        running.wait(LONGEST, |running| Ok(running.processed(DOCUMENT_EVENTS) >= before + 2 * documents))?;
        let read = began.elapsed();
        consolidated.await_all(&mut running, &[patient])?;
        let took = began.elapsed();
        // What a document costs depends on what it says: documents of one and the same patient, at all sizes.
        let rules_ms = time_of_rules(Patient { number: first, documents })?.as_secs_f64() * 1e3;
        by_rules.push((documents as f64, rules_ms));
        table.add(&[
            documents as f64,
            read.as_secs_f64(),
            took.as_secs_f64(),
            rules_ms,
            rules_ms * 1e3 / documents as f64,
            consolidated.bytes_of(patient) as f64 / 1024.0,
        ]);
    }
    running.stop()?;
    Ok(Patients { table, by_rules })
}

/// One consolidation of what was read of all documents.
fn time_of_rules(patient: Patient) -> Result<Duration> {
    let record = patient.record();
    let mut features: Vec<Features<'static>> = Vec::new();
    for kind in STRUCTURED {
        features.push(read(&kind.write(&record), &Limits::default(), &std::env::temp_dir())?.features);
    }
    let ids: Vec<String> = (0..patient.documents).map(|number| format!("{}-{number:05}", patient.number)).collect();
    let extractions: Vec<Extraction<'_>> =
        ids.iter().enumerate().map(|(place, id)| extraction(id, &features[place % STRUCTURED.len()])).collect();
    let rules = Rules::default();
    let once = || {
        let began = Instant::now();
        let mut consolidation = Consolidation::new(&rules);
        extractions.iter().for_each(|extraction| consolidation.add(extraction));
        let record = consolidation.record("a patient");
        let took = began.elapsed();
        drop(record);
        took
    };
    Ok((0..TRIES).map(|_| once()).min().unwrap_or_default())
}

fn extraction<'a>(document_id: &'a str, features: &Features<'a>) -> Extraction<'a> {
    Extraction {
        document_id,
        patient_id: "a patient",
        name: "a document",
        source: "",
        status: ProcessingStatus::Complete,
        failure_count: 0,
        status_last_updated_ms: EPOCH_MS,
        duration_ms: Some(1),
        content_type: "",
        content_sha256: "",
        contents_last_updated_ms: EPOCH_MS,
        reason_code: "",
        reason: "",
        features_as_of_ms: Some(EPOCH_MS),
        features: Some(features.clone()),
    }
}

impl Patients {
    pub fn print(&self) {
        println!(
            "\none patient, on a program that runs (a second of quiet included), and one consolidation by the rules alone"
        );
        self.table.print();
        if let Some(line) = Line::through(&self.by_rules) {
            println!(
                "a line through the rules: {:.2} ms + {:.2} ms for each 1,000 documents, at most {:.1} % off it",
                line.at_zero,
                1_000.0 * line.slope,
                100.0 * line.worst_deviation(&self.by_rules)
            );
        }
    }

    pub fn to_json(&self) -> Value {
        let line = Line::through(&self.by_rules);
        json!({
            "patients": self.table.to_json(),
            "ms_for_1000": line.map(|line| 1_000.0 * line.slope),
            "worst_deviation": line.map(|line| line.worst_deviation(&self.by_rules)),
        })
    }
}
