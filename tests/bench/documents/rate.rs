//! Documents that wait in the log, and how fast the flow reads and consolidates them; the same copied without a flow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use concord_flows::patient_documents::topology::{CONSOLIDATION, DOCUMENT, EXTRACTION};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::patient_documents::{Extraction, PatientConsolidation, ProcessingStatus};
use rdkafka::message::Message;
use serde_json::{Value, json};

use super::planted::{Accuracy, Patient, encoder, kind_of, publish};
use crate::Result;
use crate::broker::topics::Reading;
use crate::figures::line::Line;
use crate::inputs::feed::SEED;
use crate::pass_through::copy;
use crate::process::{busy_seconds, children, cpu_seconds, peak_memory_mib, resident_memory_mib};
use crate::program::{Program, Running};
use crate::stage::Stage;

pub const DOCUMENT_EVENTS: &str = "bench.document-events.repartition";
const LONGEST: Duration = Duration::from_secs(3_600);
/// Passes before the measured one: a broker that has just been started compiles itself first.
const WARM_UPS: usize = 2;
/// Of the documents: before so many the memory of the program is not looked at, since caches fill.
const BEFORE_MEMORY: f64 = 0.2;

/// What the flow took for some documents.
pub struct Passed {
    pub documents: u64,
    pub patients: u64,
    /// From its start to the last document read.
    pub read: Duration,
    /// From its start to the last patient consolidated.
    pub took: Duration,
    /// Of the process and its readers, a document.
    pub cpu_us: f64,
    pub broker_cpu_us: f64,
    /// Processors that others kept busy.
    pub others: f64,
    pub peak_mib: f64,
    /// Seconds of the workers by what they spent them on.
    worker_s: Vec<(String, f64)>,
    /// Documents read, and MiB resident of the program, and of its readers.
    memory: Vec<(f64, f64, f64)>,
    pub accuracy: BTreeMap<&'static str, Accuracy>,
}

/// Publishes documents while the program is stopped, then runs it until all patients are consolidated.
pub fn pass(stage: &Stage, program: &Program, patients: &[Patient]) -> Result<Passed> {
    let documents: u64 = patients.iter().map(|patient| patient.documents).sum();
    eprintln!("publishing {documents} documents of {} patients", patients.len());
    let (mut encoder, mut publishing) = (encoder(), stage.topics.publish(DOCUMENT, None, 20)?);
    for patient in patients {
        publish(*patient, &mut encoder, &mut publishing)?;
    }
    publishing.finish()?;
    let mut consolidated = Consolidated::follow(stage)?;
    let (broker_before, busy_before) = (cpu_seconds(stage.broker.pid)?, busy_seconds()?);
    let own_before = cpu_seconds(std::process::id())?;
    let began = Instant::now();
    let mut running = program.start()?;
    let mut memory = Vec::new();
    // Of each document there are two events: it was given to a reader, and it was read.
    running.wait(LONGEST, |running| {
        let events = running.processed(DOCUMENT_EVENTS);
        memory.push(memory_at(running, events / 2)?);
        Ok(events >= 2 * documents)
    })?;
    let read = began.elapsed();
    consolidated.await_all(&mut running, patients)?;
    let took = began.elapsed();
    let readers = children(running.pid());
    let cpu_s = cpu_seconds(running.pid())? + readers.into_iter().filter_map(|pid| cpu_seconds(pid).ok()).sum::<f64>();
    let broker_s = cpu_seconds(stage.broker.pid)? - broker_before;
    let own_s = cpu_seconds(std::process::id())? - own_before;
    let busy_s = busy_seconds()? - busy_before;
    let peak_mib = peak_memory_mib(running.pid())?;
    let page = running.metrics().ok_or("the program tells no metrics")?;
    running.stop()?;
    let part = |labels: &str| labels.split('"').nth(1).unwrap_or_default().to_owned();
    let worker_s = page.series(metric_names::WORKER_TIME).map(|(labels, us)| (part(labels), us / 1e6)).collect();
    let a_document = |seconds: f64| seconds * 1e6 / documents as f64;
    Ok(Passed {
        documents,
        patients: patients.len() as u64,
        read,
        took,
        cpu_us: a_document(cpu_s),
        broker_cpu_us: a_document(broker_s),
        others: (busy_s - cpu_s - broker_s - own_s).max(0.0) / took.as_secs_f64(),
        peak_mib,
        worker_s,
        memory,
        accuracy: accuracy(stage, patients)?,
    })
}

fn memory_at(running: &Running, documents: u64) -> Result<(f64, f64, f64)> {
    let readers = children(running.pid()).into_iter().filter_map(|pid| resident_memory_mib(pid).ok()).sum();
    Ok((documents as f64, resident_memory_mib(running.pid())?, readers))
}

/// How many documents a second a bare copy gets through.
pub fn bare(program: &Program, documents: u64) -> Result<f64> {
    let log = program.log()?;
    for _ in 0..WARM_UPS {
        copy(&log, DOCUMENT, documents)?;
    }
    Ok(documents as f64 / copy(&log, DOCUMENT, documents)?.as_secs_f64())
}

/// The topic of consolidations as it grows.
pub struct Consolidated {
    reading: Reading,
    /// Documents that are read in the last record of each patient, and the bytes of that.
    read: BTreeMap<String, (u64, usize)>,
}

impl Consolidated {
    pub fn follow(stage: &Stage) -> Result<Self> {
        Ok(Self { reading: stage.topics.follow_all(CONSOLIDATION)?, read: BTreeMap::new() })
    }

    /// Waits until the record of each patient has all its documents.
    pub fn await_all(&mut self, running: &mut Running, patients: &[Patient]) -> Result<()> {
        running.wait(LONGEST, |_| {
            self.take_all()?;
            let has_all = |patient: &Patient| self.read.get(&patient.id()).is_some_and(|of| of.0 == patient.documents);
            Ok(patients.iter().all(has_all))
        })
    }

    /// Of the record of a patient.
    pub fn bytes_of(&self, patient: Patient) -> usize {
        self.read.get(&patient.id()).map_or(0, |of| of.1)
    }

    /// Takes what is there: until nothing has come for a moment. Ends of partitions, which come in between, are no records.
    fn take_all(&mut self) -> Result<()> {
        const MOMENT: Duration = Duration::from_millis(40);
        let decoder = Schemas::bundled().decoder();
        let (mut unreadable, mut last) = (None, Instant::now());
        while last.elapsed() < MOMENT && unreadable.is_none() {
            self.reading.poll(MOMENT / 4, |message| {
                last = Instant::now();
                let bytes = message.payload().unwrap_or_default();
                match decoder.decode::<PatientConsolidation<'_>>(&codec::CONSOLIDATION, bytes) {
                    Ok(record) => {
                        let read = record.documents.iter().filter(|document| document.status == "Complete").count();
                        self.read.insert(record.patient_id.to_string(), (read as u64, bytes.len()));
                    }
                    Err(error) => unreadable = Some(error),
                }
            })?;
        }
        unreadable.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// How much of what was planted was read, by kind.
fn accuracy(stage: &Stage, patients: &[Patient]) -> Result<BTreeMap<&'static str, Accuracy>> {
    let records: BTreeMap<String, _> = patients.iter().map(|patient| (patient.id(), patient.record())).collect();
    let decoder = Schemas::bundled().decoder();
    let (mut accuracy, mut unreadable) = (BTreeMap::<&'static str, Accuracy>::new(), None);
    let mut reading = stage.topics.follow_all(EXTRACTION)?;
    while !reading.at_end() {
        reading.poll(Duration::from_millis(200), |message| {
            let bytes = message.payload().unwrap_or_default();
            match decoder.decode::<Extraction<'_>>(&codec::EXTRACTION, bytes) {
                Ok(of) if of.status == ProcessingStatus::Complete => {
                    let (record, kind) = (records.get(of.patient_id), kind_of(of.document_id));
                    if let (Some(record), Some(kind), Some(features)) = (record, kind, &of.features) {
                        accuracy.entry(kind.extension()).or_default().add(record, features);
                    }
                }
                Ok(_) => {}
                Err(error) => unreadable = Some(error),
            }
        })?;
    }
    match unreadable {
        Some(error) => Err(error.into()),
        None => Ok(accuracy),
    }
}

impl Passed {
    pub fn print(&self, p: f64) {
        let (reading, both) = (self.a_second(self.read), self.a_second(self.took));
        println!("P pass-through      {p:>9.0} documents/s");
        println!("S reading           {reading:>9.0} documents/s  ({:.1} s, start included)", self.read.as_secs_f64());
        println!(
            "S and consolidating {both:>9.0} documents/s  ({:.1} s, a second of quiet included)",
            self.took.as_secs_f64()
        );
        println!("S/P                 {:>9.4}", both / p);
        println!("CPU of S, readers   {:>9.0} microseconds a document", self.cpu_us);
        println!("  of the broker     {:>9.0}", self.broker_cpu_us);
        println!("other programs      {:>9.2} processors", self.others);
        println!("peak memory of S    {:>9.0} MiB resident", self.peak_mib);
        println!("time of the workers, seconds:");
        for (part, seconds) in &self.worker_s {
            println!("  {part:<20} {seconds:>6.2}");
        }
        for (what, line) in [("the program", self.memory_line(|of| of.1)), ("its readers", self.memory_line(|of| of.2))]
        {
            match line {
                Some(line) => println!(
                    "memory of {what}: {:.1} MiB at {} documents, {:+.2} MiB for each 1,000 more",
                    line.at(self.documents as f64),
                    self.documents,
                    1_000.0 * line.slope
                ),
                None => println!("memory of {what}: too few looks at it"),
            }
        }
        println!("read to the letter, in percent (seed {SEED}):");
        for (kind, accuracy) in &self.accuracy {
            accuracy.print(kind);
        }
    }

    pub fn to_json(&self, p: f64) -> Value {
        let accuracy: serde_json::Map<_, _> =
            self.accuracy.iter().map(|(kind, of)| ((*kind).to_owned(), of.to_json())).collect();
        let slope = |of: fn(&(f64, f64, f64)) -> f64| self.memory_line(of).map(|line| 1_000.0 * line.slope);
        json!({
            "documents": self.documents, "patients": self.patients, "p_documents_s": p,
            "read_documents_s": self.a_second(self.read), "s_documents_s": self.a_second(self.took),
            "s_over_p": self.a_second(self.took) / p, "cpu_us": self.cpu_us, "broker_cpu_us": self.broker_cpu_us,
            "others": self.others, "peak_mib": self.peak_mib, "mib_for_1000": slope(|of| of.1),
            "readers_mib_for_1000": slope(|of| of.2), "accuracy": accuracy,
        })
    }

    fn a_second(&self, took: Duration) -> f64 {
        self.documents as f64 / took.as_secs_f64()
    }

    fn memory_line(&self, of: fn(&(f64, f64, f64)) -> f64) -> Option<Line> {
        let from = BEFORE_MEMORY * self.documents as f64;
        let points: Vec<_> = self.memory.iter().filter(|at| at.0 >= from).map(|at| (at.0, of(at))).collect();
        Line::through(&points)
    }
}
