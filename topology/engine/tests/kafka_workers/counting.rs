//! An application that counts the records of each key, on a real cluster, and what can be done to its changelog.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use concord_engine::calls::NoCalls;
use concord_engine::clock::SystemClock;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Guarantee, Isolation, Log, OutgoingRecord, TopicPartition};
use concord_engine::queries::CommittedViews;
use concord_engine::topics;
use concord_engine::topology::{Cleanup, Fingerprint, StoreHandle, Topology, TopologyBuilder};
use concord_engine::value::Value;
use concord_engine::worker::{Worker, WorkerParts, WorkerSettings};
use concord_schemas::Schemas;
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;
use concord_state::MemoryDirectory;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::{Offset, TopicPartitionList};

pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

/// The cluster to use; says so when there is none.
pub fn cluster() -> Option<String> {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: this test needs a Kafka cluster; set KAFKA_BOOTSTRAP=host:port");
        return None;
    };
    Some(bootstrap)
}

/// An application id that no other test and no earlier run has used.
pub fn application_of_its_own(name: &str) -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{name}-{nanos:x}")
}

pub fn log_at(bootstrap: &str) -> KafkaLog {
    let bootstrap_servers = bootstrap.to_owned();
    let settings = KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol: GroupProtocol::Classic };
    KafkaLog::connect(settings).unwrap()
}

/// Counts by key. One partition, so that every record meets the same task.
pub struct Counting {
    bootstrap: String,
    topology: Arc<Topology>,
    input: Arc<str>,
    changelog: Arc<str>,
}

type Counts = BTreeMap<String, u8>;

impl Counting {
    pub fn new(name: &str) -> Option<Self> {
        let bootstrap = cluster()?;
        let application = application_of_its_own(name);
        let mut t = TopologyBuilder::new(&application);
        let input = t.input::<Registrations>(&format!("{application}.in"), "any", 1, Cleanup::Compact);
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
        let counting = Self {
            bootstrap,
            topology: Arc::new(t.build().unwrap()),
            input: Arc::from(format!("{application}.in")),
            changelog: Arc::from(format!("{application}.counts.changelog")),
        };
        topics::create(&counting.log(), &counting.topology, 1).unwrap();
        Some(counting)
    }

    /// A client of its own each time, which knows nothing of topics as they were.
    fn log(&self) -> KafkaLog {
        log_at(&self.bootstrap)
    }

    /// One record of each key.
    pub fn publish(&self, keys: &[&str]) {
        let mut value = Vec::new();
        let registration = Registration { nhs_number: "", gp_practice: "", dispensing_flag: "" };
        Schemas::bundled().encoder().encode(Registrations::schema(), &registration, &mut value).unwrap();
        let mut publisher = self.log().publisher().unwrap();
        for key in keys {
            let (key, value) = (Some(key.as_bytes()), Some(&value[..]));
            let record = OutgoingRecord { topic: &self.input, partition: 0, timestamp_ms: 1, key, value, headers: &[] };
            publisher.send(&record).unwrap();
        }
        publisher.flush(PATIENCE).unwrap();
    }

    /// A worker on `disk` processes what there is, and then holds these counts.
    pub fn work(&self, disk: &MemoryDirectory, guarantee: Guarantee, expected: &[(&str, u8)]) {
        let expected: Counts = expected.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect();
        let views = CommittedViews::default();
        let parts = WorkerParts {
            fingerprint: Fingerprint::of(&self.topology).to_text(),
            topology: self.topology.clone(),
            schemas: Arc::new(Schemas::bundled()),
            log: Arc::new(self.log()),
            directory: Arc::new(disk.clone()),
            clock: Arc::new(SystemClock),
            views: views.clone(),
            calls: Arc::new(NoCalls),
        };
        let name = format!("{}-0", self.topology.application);
        let settings = WorkerSettings { guarantee, ..WorkerSettings::named(name) };
        let mut worker = Worker::start(parts, settings).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = worker.step(Duration::from_millis(50)).unwrap();
            let idle = report.is_idle() && report.tasks_running == 1 && !worker.has_uncommitted();
            let counts = counts(&views);
            if idle && counts == expected {
                return worker.stop(true).unwrap();
            }
            assert!(Instant::now() < deadline, "the counts are {counts:?} and not {expected:?}");
        }
    }

    pub fn end_of_changelog(&self) -> i64 {
        let mut reader = self.log().reader(Isolation::ReadUncommitted).unwrap();
        reader.watermarks(&TopicPartition::new(self.changelog.clone(), 0), PATIENCE).unwrap().1
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().unwrap()
    }

    /// Deletes the records of the changelog below an offset, as retention does. Kafka does so only where a topic's policy
    /// permits it, which a changelog's does not before somebody changes it.
    pub fn truncate_changelog(&self, below: i64) {
        let change =
            AlterConfig::new(ResourceSpecifier::Topic(&self.changelog)).set("cleanup.policy", "compact,delete");
        let changed = wait_for(self.admin().alter_configs(&[change], &AdminOptions::new())).unwrap();
        assert!(changed.iter().all(Result::is_ok), "{changed:?}");
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(&self.changelog, 0, Offset::Offset(below)).unwrap();
        let deleted = wait_for(self.admin().delete_records(&offsets, &AdminOptions::new())).unwrap();
        assert!(deleted.elements().iter().all(|partition| partition.error().is_ok()), "{deleted:?}");
        let mut reader = self.log().reader(Isolation::ReadCommitted).unwrap();
        let low = reader.watermarks(&TopicPartition::new(self.changelog.clone(), 0), PATIENCE).unwrap().0;
        assert_eq!(low, below);
    }

    /// Deletes the changelog, and makes an empty one of the same name.
    pub fn make_changelog_again(&self) {
        let deleted = wait_for(self.admin().delete_topics(&[&self.changelog], &AdminOptions::new())).unwrap();
        assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
        let log = self.log();
        let deadline = Instant::now() + PATIENCE;
        while log.topics().unwrap().iter().any(|topic| topic.name == self.changelog) {
            assert!(Instant::now() < deadline, "the changelog is still there");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        topics::create(&log, &self.topology, 1).unwrap();
    }
}

fn counts(views: &CommittedViews) -> Counts {
    let mut counts = Counts::new();
    for (_, view) in views.tasks() {
        view.reader
            .scan("counts", b"", None, &mut |key, value| {
                counts.insert(String::from_utf8(key.to_vec()).unwrap(), value[0]);
                true
            })
            .unwrap();
    }
    counts
}

fn wait_for<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
