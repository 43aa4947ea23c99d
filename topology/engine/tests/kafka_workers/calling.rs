//! Calls on a real cluster, performed on threads: a topology that holds its input all the time, and is restarted in the middle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord_engine::calls::{CallFailure, CallLimits, CallPool, CallResult, Until};
use concord_engine::clock::{Clock, SystemClock};
use concord_engine::log::{Log, LogRecord, OutgoingRecord, Publisher, read_whole_topic};
use concord_engine::partitioner::partition_of;
use concord_engine::queries::CommittedViews;
use concord_engine::topics;
use concord_engine::topology::{CallHandle, Cleanup, Fingerprint, SinkHandle, Topology, TopologyBuilder};
use concord_engine::worker::{Worker, WorkerParts, WorkerSettings};
use concord_engine::{Context, ProcessError};
use concord_schemas::Schemas;
use concord_schemas::codec::{Encoder, PDS_REGISTRATION};
use concord_schemas::list_reconciliation::Registration;
use concord_state::MemoryDirectory;

use crate::counting::{PATIENCE, Registrations, application_of_its_own, cluster, log_at};

const PARTITIONS: i32 = 2;
const KEYS: usize = 20;
const ROUNDS: usize = 15;

struct Asking {
    ask: CallHandle,
    out: SinkHandle<Registrations>,
}

impl Asking {
    fn on(&mut self, ctx: &mut Context<'_>, value: Registration<'_>) -> Result<(), ProcessError> {
        ctx.call(self.ask, ctx.key()?.as_bytes(), Bytes::copy_from_slice(value.gp_practice.as_bytes()))
    }

    fn on_answer(&mut self, ctx: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
        let answer = result.outcome?;
        let answer = String::from_utf8_lossy(&answer);
        ctx.send(self.out, ctx.key()?, &Registration { nhs_number: "", gp_practice: &answer, dispensing_flag: "" })
    }
}

fn topology(application: &str) -> Topology {
    let mut t = TopologyBuilder::new(application);
    let keeps = Cleanup::DeleteAfter { retention_ms: 1 << 40 };
    let input = t.input::<Registrations>(&format!("{application}.in"), "any", PARTITIONS, keeps);
    let output = t.output::<Registrations>(&format!("{application}.out"), "any", PARTITIONS, keeps);
    t.sub_topology("asking", |sub| {
        let source = sub.source(input);
        sub.processor("ask", |p| {
            p.on(source, Asking::on);
            let limits = CallLimits {
                time_limit: Duration::from_secs(5),
                first_pause: Duration::from_millis(10),
                in_flight: 4,
                most_pending: 8,
                ..CallLimits::default()
            };
            let (ask, out) = (p.call("ask", limits, Asking::on_answer), p.sink(output));
            move || Asking { ask, out }
        });
    });
    t.build().unwrap()
}

fn publish(log: &dyn Log, topology: &Topology, encoder: &mut Encoder) {
    let mut publisher: Box<dyn Publisher> = log.publisher().unwrap();
    // Of today: the topics keep records for 2^40 ms, 35 years, and the broker looks every five minutes for those that are older.
    let timestamp_ms = SystemClock.now_ms();
    for round in 0..ROUNDS {
        for key in 0..KEYS {
            let (asked, key) = (format!("{round:02}"), format!("key-{key}"));
            let mut value = Vec::new();
            let registration = Registration { nhs_number: "", gp_practice: &asked, dispensing_flag: "" };
            encoder.encode(&PDS_REGISTRATION, &registration, &mut value).unwrap();
            let record = OutgoingRecord {
                topic: &topology.topics[0].name,
                partition: partition_of(key.as_bytes(), PARTITIONS),
                timestamp_ms,
                key: Some(key.as_bytes()),
                value: Some(&value),
                headers: &[],
            };
            publisher.send(&record).unwrap();
        }
    }
    publisher.flush(PATIENCE).unwrap();
}

#[test]
fn every_call_has_its_effects_once_and_in_order_though_input_is_held_and_a_worker_is_dropped_in_the_middle() {
    let Some(bootstrap) = cluster() else { return };
    let topology = Arc::new(topology(&application_of_its_own("calls")));
    let log = Arc::new(log_at(&bootstrap));
    topics::create(log.as_ref(), &topology, 1).unwrap();
    let schemas = Arc::new(Schemas::bundled());
    publish(log.as_ref(), &topology, &mut schemas.encoder());
    let performed = Arc::new(AtomicUsize::new(0));
    let counts = performed.clone();
    // Every seventh attempt fails, and each takes a little.
    let answers = move |_: &[u8], request: &[u8], until: &Until| {
        until.wait(Duration::from_millis(2));
        match counts.fetch_add(1, Ordering::SeqCst) % 7 {
            0 => Err(CallFailure::for_now("TEST-0001", "it fails now and then")),
            _ => Ok(Bytes::copy_from_slice(request)),
        }
    };
    let pool = CallPool::new(4).perform("ask", answers).start().unwrap();
    let disk = MemoryDirectory::new();
    let views = CommittedViews::default();
    let start = || {
        let parts = WorkerParts {
            fingerprint: Fingerprint::of(&topology).to_text(),
            topology: topology.clone(),
            schemas: schemas.clone(),
            log: log.clone(),
            directory: Arc::new(disk.clone()),
            clock: Arc::new(SystemClock),
            views: views.clone(),
            calls: Arc::new(pool.clone()),
        };
        Worker::start(parts, WorkerSettings::named(format!("{}-0", topology.application))).unwrap()
    };
    let mut worker = start();
    let deadline = Instant::now() + PATIENCE;
    let half = KEYS * ROUNDS / 2;
    let mut dropped = false;
    let mut most_pending = 0;
    loop {
        let report = worker.step(Duration::from_millis(100)).unwrap();
        most_pending = most_pending.max(worker.pending_calls().unwrap());
        if !dropped && performed.load(Ordering::SeqCst) > half {
            dropped = true;
            // Without a word, with what it had in flight and in its transaction.
            drop(worker);
            worker = start();
            continue;
        }
        // Reading the topic takes longer than many steps.
        let is_done =
            report.is_idle() && !worker.has_uncommitted() && performed.load(Ordering::SeqCst) >= KEYS * ROUNDS;
        let worth_it = is_done && worker.pending_calls().unwrap() == 0;
        let answered = answers_by_key(log.as_ref(), &topology, worth_it);
        let count: usize = answered.values().map(Vec::len).sum();
        if count >= KEYS * ROUNDS {
            let expected: Vec<String> = (0..ROUNDS).map(|round| format!("{round:02}")).collect();
            for (key, answers) in &answered {
                assert_eq!(answers, &expected, "answers of {key}");
            }
            assert_eq!(answered.keys().collect::<BTreeSet<_>>().len(), KEYS);
            break;
        }
        let performed = performed.load(Ordering::SeqCst);
        let pending = worker.pending_calls().unwrap();
        assert!(
            Instant::now() < deadline,
            "{count} of {} answers; {performed} attempts, {pending} pending; {report:?}",
            KEYS * ROUNDS
        );
    }
    assert!(dropped);
    assert!((8..=16).contains(&most_pending), "{most_pending} calls of two tasks were pending at once");
    worker.stop(true).unwrap();
}

/// The committed answers, in order; looked for only when it is worth it.
fn answers_by_key(log: &dyn Log, topology: &Topology, worth_it: bool) -> BTreeMap<String, Vec<String>> {
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !worth_it {
        return answers;
    }
    let decoder = Schemas::bundled().decoder();
    read_whole_topic(log, &topology.topics[1].name, &mut |_, record: LogRecord| {
        let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
        let value: Registration<'_> = decoder.decode(&PDS_REGISTRATION, record.value.as_deref().unwrap()).unwrap();
        answers.entry(key).or_default().push(value.gp_practice.to_owned());
    })
    .unwrap();
    answers
}
