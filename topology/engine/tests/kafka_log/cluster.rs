//! The cluster under test, and what the tests do with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Isolation, Log, LogRecord, Offset, OutgoingRecord,
    ProducerSettings, ReaderEvent, TopicPartition, TopicSpec, TransactionalProducer,
};
use concord_engine::value::Value;
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;

pub const PATIENCE: Duration = Duration::from_secs(90);
pub const SHORT: Duration = Duration::from_millis(100);
pub const BOTH: [GroupProtocol; 2] = [GroupProtocol::Consumer, GroupProtocol::Classic];

pub struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

pub struct Cluster {
    pub log: KafkaLog,
}

pub fn cluster() -> Option<Cluster> {
    cluster_by(GroupProtocol::Auto)
}

pub fn cluster_by(protocol: GroupProtocol) -> Option<Cluster> {
    let Ok(bootstrap_servers) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: this test needs a Kafka cluster; set KAFKA_BOOTSTRAP=host:port");
        return None;
    };
    let settings = KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol };
    Some(Cluster { log: KafkaLog::connect(settings).unwrap() })
}

pub fn unique(name: &str) -> Arc<str> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Arc::from(format!("test.{nanos:x}.{}.{name}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

impl Cluster {
    pub fn topic(&self, name: &str, partitions: i32) -> Arc<str> {
        self.topic_with(name, partitions, &[])
    }

    /// Its records are old, and stay: the broker looks every few minutes for old ones to delete.
    pub fn topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Arc<str> {
        let name = unique(name);
        let settings = settings.iter().chain(&[("retention.ms", "-1")]);
        let settings = settings.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let spec = TopicSpec { name: Arc::clone(&name), partitions, replication: 1, settings };
        self.log.create_topics(&[spec]).unwrap();
        name
    }

    pub fn producer_of(&self, id: &str, max_record_bytes: usize) -> Box<dyn TransactionalProducer> {
        let settings = ProducerSettings {
            guarantee: Guarantee::ExactlyOnce,
            transactional_id: id.to_owned(),
            transaction_timeout: Duration::from_secs(20),
            expected_partitions: 1,
            max_record_bytes,
            queue_bytes: 16 << 20,
        };
        let mut producer = self.log.transactional_producer(&settings).unwrap();
        producer.init(Duration::from_secs(30)).unwrap();
        producer
    }

    pub fn producer(&self) -> Box<dyn TransactionalProducer> {
        self.producer_of(&unique("producer"), 1 << 20)
    }

    /// Commits one record for each value.
    pub fn write(&self, topic: &Arc<str>, partition: i32, values: impl IntoIterator<Item = u64>) {
        let mut producer = self.producer();
        producer.begin().unwrap();
        for value in values {
            send(&mut *producer, topic, partition, value);
        }
        producer.drain(PATIENCE).unwrap();
        producer.commit().unwrap();
    }

    pub fn member(&self, group: &str, instance: &str, topics: &[&Arc<str>]) -> Box<dyn GroupConsumer> {
        self.member_with(Duration::from_secs(10), group, instance, topics)
    }

    pub fn member_with(
        &self,
        session_timeout: Duration,
        group: &str,
        instance: &str,
        topics: &[&Arc<str>],
    ) -> Box<dyn GroupConsumer> {
        let settings = GroupSettings {
            group: group.to_owned(),
            instance: format!("{group}-{instance}"),
            topics: topics.iter().map(|t| Arc::clone(t)).collect(),
            session_timeout,
            fetch_ahead_bytes: 8 << 20,
        };
        self.log.group_consumer(&settings).unwrap()
    }

    /// All values from the beginning to the end, as a reader sees them, and that end.
    pub fn read_all(&self, topic: &Arc<str>, partition: i32, isolation: Isolation) -> (Vec<u64>, Offset) {
        let mut reader = self.log.reader(isolation).unwrap();
        let partition = TopicPartition::new(Arc::clone(topic), partition);
        let (low, high) = reader.watermarks(&partition, PATIENCE).unwrap();
        reader.assign(&partition, low).unwrap();
        let mut values = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for event in reader.poll(1000, SHORT).unwrap() {
                match event {
                    ReaderEvent::Records { records, .. } => values.extend(records.iter().map(value_of)),
                    ReaderEvent::End { offset, .. } if offset >= high => return (values, offset),
                    ReaderEvent::End { .. } => {}
                    ReaderEvent::OutOfRange(partition) => panic!("{partition} has no offset {low}"),
                }
            }
        }
        panic!("no end of {partition} at {high}");
    }
}

pub fn send(producer: &mut dyn TransactionalProducer, topic: &Arc<str>, partition: i32, value: u64) {
    let value = value.to_be_bytes();
    let record = OutgoingRecord {
        topic,
        partition,
        timestamp_ms: 1_700_000_000_000,
        key: Some(b"k"),
        value: Some(&value),
        headers: &[],
    };
    producer.send(&record).unwrap();
}

pub fn value_of(record: &LogRecord) -> u64 {
    u64::from_be_bytes(record.value.as_deref().unwrap().try_into().unwrap())
}

/// A member with what it has seen, which answers the group as a worker would.
pub struct Member {
    pub consumer: Box<dyn GroupConsumer>,
    pub owned: Vec<TopicPartition>,
    pub values: Vec<u64>,
    pub revocations: usize,
}

impl Member {
    pub fn new(consumer: Box<dyn GroupConsumer>) -> Self {
        Self { consumer, owned: Vec::new(), values: Vec::new(), revocations: 0 }
    }

    /// Polls once. Partitions that come are read from the group's position if `read`, else held; those that go are
    /// released.
    pub fn turn(&mut self, read: bool) {
        for event in self.consumer.poll(1000, SHORT).unwrap() {
            match event {
                ConsumerEvent::Assigned(partitions) => {
                    if read {
                        let committed = self.consumer.committed(&partitions, PATIENCE).unwrap();
                        let starts: Vec<_> =
                            partitions.iter().cloned().zip(committed.iter().map(|o| o.unwrap_or(0))).collect();
                        self.consumer.fetch_from(&starts).unwrap();
                    }
                    self.owned.extend(partitions);
                }
                ConsumerEvent::Revoked { partitions, .. } => {
                    self.owned.retain(|p| !partitions.contains(p));
                    self.revocations += 1;
                    self.consumer.release(&partitions).unwrap();
                }
                ConsumerEvent::Records { from, records } => {
                    assert!(self.owned.contains(&from), "records of {from}, which is not assigned");
                    self.values.extend(records.iter().map(value_of));
                }
                ConsumerEvent::OutOfRange(partition) => panic!("{partition} is out of range"),
            }
        }
    }

    pub fn own(&mut self, count: usize) {
        until("an assignment", || {
            self.turn(false);
            self.owned.len() == count
        });
    }
}

pub fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
    }
}
