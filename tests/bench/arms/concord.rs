//! S: the workloads as flows of Concord, on its public API, run as `concord run` runs a flow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use concord_engine::calls::NoCalls;
use concord_engine::clock::SystemClock;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::queries::CommittedViews;
use concord_engine::topology::{Cleanup, Fingerprint, SinkHandle, StoreHandle, Topology, TopologyBuilder};
use concord_engine::worker::{Worker, WorkerParts, WorkerSettings};
use concord_engine::{Context, ProcessError, topics};
use concord_schemas::Schemas;
use concord_state::{RocksDirectory, RocksOptions};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{ArmSettings, END_OF_METRICS, Workload, await_end};
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::inputs::values::{
    Difference, Finding, FindingKind, Findings, Message, Messages, Outcome, Outcomes, Person, Persons, Status,
};

/// Longer than any bench: the times of its records are not those of today.
const FOR_EVER: Cleanup = Cleanup::DeleteAfter { retention_ms: 100 * 365 * 24 * 3_600_000 };
const STEP: Duration = Duration::from_millis(100);

/// Of these the recorder keeps the last ones: the quantiles are of all of them.
const BUCKETS: u32 = 3;

/// The client as P and S use it. Kafka Streams compresses nothing either: the letters are random.
pub fn connect(settings: &ArmSettings) -> Result<KafkaLog> {
    Ok(KafkaLog::connect(KafkaSettings {
        bootstrap_servers: settings.bootstrap.clone(),
        client: BTreeMap::from([("compression.type".to_owned(), "none".to_owned())]),
        protocol: GroupProtocol::Classic,
    })?)
}

pub fn run(settings: &ArmSettings) -> Result<()> {
    let metrics = PrometheusBuilder::new()
        .set_bucket_duration(Duration::from_secs(settings.pauses_over_s) / BUCKETS)?
        .install_recorder()?;
    let topology = Arc::new(topology(settings)?);
    let log = Arc::new(connect(settings)?);
    topics::create(log.as_ref(), &topology, 1)?;
    let stores = RocksOptions { memory_budget_bytes: settings.store_memory_mib << 20, ..RocksOptions::default() };
    let parts = WorkerParts {
        fingerprint: Fingerprint::of(&topology).to_text(),
        topology,
        schemas: Arc::new(Schemas::bundled()),
        log,
        directory: Arc::new(RocksDirectory::open(&settings.state, stores)?),
        clock: Arc::new(SystemClock),
        views: CommittedViews::default(),
        calls: Arc::new(NoCalls),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for number in 0..settings.threads {
        let (parts, stop) = (parts.clone(), Arc::clone(&stop));
        let (leaves, settings) = (settings.leaves, worker(settings, number));
        threads.push(thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            if let Err(error) = work(parts, settings, leaves, &stop) {
                // Nobody waits for this thread while the arm runs.
                eprintln!("concord: {error}");
                std::process::exit(1);
            }
        })?);
    }
    await_end(|| {
        println!("{}\n{END_OF_METRICS}", metrics.render());
    });
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().map_err(|_| "a worker panicked")?;
    }
    Ok(())
}

/// As `concord run` shares out its memory: half to the stores, the rest to what is under way.
fn worker(settings: &ArmSettings, number: usize) -> WorkerSettings {
    let share = 2 * (settings.store_memory_mib << 20) / settings.threads;
    WorkerSettings {
        uncommitted_bytes: share / 8,
        fetch_ahead_bytes: share / 16,
        producer_queue_bytes: share / 8,
        ..WorkerSettings::named(format!("{}-{}-{number}", settings.application, settings.instance))
    }
}

fn work(parts: WorkerParts, settings: WorkerSettings, leaves: bool, stop: &AtomicBool) -> Result<()> {
    let mut worker = Worker::start(parts, settings)?;
    while !stop.load(Ordering::SeqCst) {
        worker.step(STEP)?;
    }
    Ok(worker.stop(!leaves)?)
}

fn topology(settings: &ArmSettings) -> Result<Topology> {
    let mut t = TopologyBuilder::new(&settings.application);
    match settings.workload {
        Workload::W0 => pass_on(&mut t, settings),
        Workload::W1 => sequence_gaps(&mut t, settings),
        Workload::W2 => list_difference(&mut t, settings),
    }
    Ok(t.build()?)
}

fn pass_on(t: &mut TopologyBuilder, settings: &ArmSettings) {
    let messages = t.input::<Messages>(&settings.input, "sender", PARTITIONS, FOR_EVER);
    let copies = t.output::<Messages>(&settings.output, "sender", PARTITIONS, FOR_EVER);
    t.sub_topology("pass-on", |sub| {
        let source = sub.source(messages);
        sub.processor("pass-on", |p| {
            let copies = p.sink(copies);
            p.on(source, |copies: &mut SinkHandle<Messages>, ctx, message| ctx.send(*copies, ctx.key()?, &message));
            move || copies
        });
    });
}

fn sequence_gaps(t: &mut TopologyBuilder, settings: &ArmSettings) {
    let messages = t.input::<Messages>(&settings.input, "sender", PARTITIONS, FOR_EVER);
    let findings = t.output::<Findings>(&settings.output, "sender", PARTITIONS, FOR_EVER);
    t.sub_topology("sequence", |sub| {
        let source = sub.source(messages);
        let highest = sub.key_value_store("highest");
        let missing = match settings.time_to_live_ms {
            0 => sub.key_value_store("missing"),
            time_to_live_ms => sub.key_value_store_with_time_to_live("missing", time_to_live_ms),
        };
        sub.processor("gaps", |p| {
            p.on(source, Gaps::on_message);
            let (highest, missing, findings) = (p.store(highest), p.store(missing), p.sink(findings));
            move || Gaps { highest, missing, findings, key: Vec::new() }
        });
    });
}

/// Remembers the highest number of each sender, and each number below it that has not come.
struct Gaps {
    /// By sender: the form's number, then the highest number of the sender.
    highest: StoreHandle<()>,
    /// By sender and number: the form's number.
    missing: StoreHandle<()>,
    findings: SinkHandle<Findings>,
    key: Vec<u8>,
}

const FORM: u8 = 1;

impl Gaps {
    fn on_message(&mut self, ctx: &mut Context<'_>, message: Message<'_>) -> std::result::Result<(), ProcessError> {
        let sender = message.sender.as_bytes();
        let Some(stored) = ctx.get(self.highest, sender)? else {
            return self.keep_highest(ctx, &message);
        };
        let highest = stored.get(1..).and_then(|rest| rest.first_chunk()).copied().map_or(0, i32::from_be_bytes);
        if message.sequence > highest {
            for number in highest + 1..message.sequence {
                self.name_missing(sender, number);
                ctx.put_bytes(self.missing, &self.key, Bytes::from_static(&[FORM]))?;
            }
            if message.sequence > highest + 1 {
                self.tell(ctx, &message, FindingKind::Gap, highest + 1, message.sequence - 1)?;
            }
            return self.keep_highest(ctx, &message);
        }
        self.name_missing(sender, message.sequence);
        if ctx.get(self.missing, &self.key)?.is_none() {
            ctx.count_filtered("known already");
            return Ok(());
        }
        ctx.delete(self.missing, &self.key)?;
        self.tell(ctx, &message, FindingKind::Resolved, message.sequence, message.sequence)
    }

    fn keep_highest(&self, ctx: &mut Context<'_>, message: &Message<'_>) -> std::result::Result<(), ProcessError> {
        let mut value = [FORM; 5];
        value[1..].copy_from_slice(&message.sequence.to_be_bytes());
        ctx.put_bytes(self.highest, message.sender.as_bytes(), Bytes::copy_from_slice(&value))
    }

    fn name_missing(&mut self, sender: &[u8], number: i32) {
        self.key.clear();
        self.key.extend_from_slice(sender);
        self.key.push(b'/');
        self.key.extend_from_slice(&number.to_be_bytes());
    }

    fn tell(
        &self,
        ctx: &mut Context<'_>,
        message: &Message<'_>,
        kind: FindingKind,
        first: i32,
        last: i32,
    ) -> std::result::Result<(), ProcessError> {
        let finding = Finding { sender: message.sender, kind, first, last, at: message.at };
        ctx.send(self.findings, message.sender, &finding)
    }
}

fn list_difference(t: &mut TopologyBuilder, settings: &ArmSettings) {
    let reference = t.input::<Persons>(&settings.reference, "NHS number", PARTITIONS, FOR_EVER);
    let extract = t.input::<Persons>(&settings.input, "NHS number", PARTITIONS, FOR_EVER);
    let findings = t.output::<Outcomes>(&settings.output, "NHS number", PARTITIONS, FOR_EVER);
    t.sub_topology("lists", |sub| {
        let (reference, extract) = (sub.source(reference), sub.source(extract));
        let (known, outcomes) = (sub.key_value_store("reference"), sub.key_value_store("outcomes"));
        sub.processor("difference", |p| {
            p.on_change(reference, Lists::on_reference);
            p.on(extract, Lists::on_extract);
            let (known, outcomes, findings) = (p.store(known), p.store(outcomes), p.sink(findings));
            move || Lists { known, outcomes, findings }
        });
    });
}

struct Lists {
    /// By NHS number.
    known: StoreHandle<Persons>,
    /// By NHS number.
    outcomes: StoreHandle<Outcomes>,
    findings: SinkHandle<Outcomes>,
}

impl Lists {
    fn on_reference(
        &mut self,
        ctx: &mut Context<'_>,
        person: Option<Person<'_>>,
    ) -> std::result::Result<(), ProcessError> {
        let key = ctx.key()?.as_bytes();
        match person {
            Some(person) => ctx.put(self.known, key, &person),
            None => ctx.delete(self.known, key),
        }
    }

    fn on_extract(&mut self, ctx: &mut Context<'_>, extract: Person<'_>) -> std::result::Result<(), ProcessError> {
        let key = ctx.key()?;
        let stored = ctx.get(self.known, key.as_bytes())?;
        let mut differences = Vec::new();
        let status = match &stored {
            None => Status::Missing,
            Some(stored) => {
                let known = ctx.read(self.known, stored)?;
                let fields = Person::FIELDS.iter().zip(known.fields().into_iter().zip(extract.fields()));
                for (field, (reference, extract)) in fields {
                    if reference != extract {
                        differences.push(Difference { field, reference, extract });
                    }
                }
                if differences.is_empty() { Status::Same } else { Status::Different }
            }
        };
        let outcome = Outcome { nhs_number: extract.nhs_number, status, at: ctx.input().timestamp_ms, differences };
        ctx.put(self.outcomes, key.as_bytes(), &outcome)?;
        if status != Status::Same {
            ctx.send(self.findings, key, &outcome)?;
        }
        Ok(())
    }
}
