//! An at-least-once worker on a real cluster: set `KAFKA_BOOTSTRAP` to its address.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use concord_engine::clock::SystemClock;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Guarantee, Log, OutgoingRecord};
use concord_engine::queries::CommittedViews;
use concord_engine::topics;
use concord_engine::topology::{Cleanup, Fingerprint, StoreHandle, Topology, TopologyBuilder};
use concord_engine::value::Value;
use concord_engine::worker::{Worker, WorkerParts, WorkerSettings};
use concord_schemas::Schemas;
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;
use concord_state::MemoryDirectory;

const PATIENCE: Duration = Duration::from_secs(60);
const PATIENT: &str = "9990548609";

struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

fn counting(application: &str) -> Topology {
    let mut t = TopologyBuilder::new(application);
    let input = t.input::<Registrations>(&format!("{application}.in"), "NHS number", 1, Cleanup::Compact);
    t.sub_topology("counting", |sub| {
        let source = sub.source(input);
        let counts = sub.key_value_store::<()>("counts");
        sub.processor("count", |p| {
            let counts = p.store(counts);
            p.on(source, |counts: &mut StoreHandle<()>, ctx, _| {
                let before = ctx.get(*counts, ctx.key()?.as_bytes())?.map_or(0, |count| count[0]);
                ctx.put_bytes(*counts, ctx.key()?.as_bytes(), Bytes::copy_from_slice(&[before + 1]))
            });
            move || counts
        });
    });
    t.build().unwrap()
}

/// The count once it has reached `expected`, by a worker that begins on an empty disk.
fn count_on_an_empty_disk(log: &Arc<dyn Log>, topology: &Arc<Topology>, expected: u8) -> Vec<u8> {
    let views = CommittedViews::default();
    let parts = WorkerParts {
        fingerprint: Fingerprint::of(topology).to_text(),
        topology: topology.clone(),
        schemas: Arc::new(Schemas::bundled()),
        log: log.clone(),
        directory: Arc::new(MemoryDirectory::new()),
        clock: Arc::new(SystemClock),
        views: views.clone(),
    };
    let settings = WorkerSettings {
        guarantee: Guarantee::AtLeastOnce,
        ..WorkerSettings::named(format!("{}-0", topology.application))
    };
    let mut worker = Worker::start(parts, settings).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        worker.step(Duration::from_millis(50)).unwrap();
        let mut counts = Vec::new();
        for (_, view) in views.tasks() {
            view.reader
                .scan("counts", PATIENT.as_bytes(), None, &mut |_, value| {
                    counts.extend_from_slice(value);
                    true
                })
                .unwrap();
        }
        if worker.readiness() == (1, 1) && !worker.has_uncommitted() && counts.first() >= Some(&expected) {
            worker.stop(true).unwrap();
            return counts;
        }
        assert!(Instant::now() < deadline, "the count stands at {counts:?}, not at {expected}");
    }
}

#[test]
fn a_worker_without_transactions_counts_restores_and_goes_on_where_it_was() {
    let Ok(bootstrap_servers) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: this test needs a Kafka cluster; set KAFKA_BOOTSTRAP=host:port");
        return;
    };
    let settings = KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol: GroupProtocol::Classic };
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(settings).unwrap());
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let topology = Arc::new(counting(&format!("alo-{nanos:x}")));
    topics::create(&*log, &topology, 1).unwrap();
    let input: Arc<str> = Arc::from(format!("{}.in", topology.application));
    let mut value = Vec::new();
    let registration = Registration { nhs_number: PATIENT, gp_practice: "B85001", dispensing_flag: "" };
    Schemas::bundled().encoder().encode(Registrations::schema(), &registration, &mut value).unwrap();
    for expected in [3, 6] {
        let mut publisher = log.publisher().unwrap();
        for _ in 0..3 {
            let (key, value) = (Some(PATIENT.as_bytes()), Some(&value[..]));
            let record = OutgoingRecord { topic: &input, partition: 0, timestamp_ms: 1, key, value, headers: &[] };
            publisher.send(&record).unwrap();
        }
        publisher.flush(PATIENCE).unwrap();
        assert_eq!(count_on_an_empty_disk(&log, &topology, expected), [expected]);
    }
}
