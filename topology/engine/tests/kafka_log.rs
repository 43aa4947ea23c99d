//! The Kafka log against a real cluster: set `KAFKA_BOOTSTRAP` to its address.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use concord_engine::dead_letters::{self, ReplayChoice};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Header, Isolation, Log, LogErrorKind, LogRecord, Offset,
    OutgoingRecord, ProducerSettings, ReaderEvent, TopicPartition, TopicSpec, TransactionalProducer, read_whole_topic,
};
use concord_engine::topology::{Cleanup, TopologyBuilder};
use concord_engine::value::Value;
use concord_engine::worker::{DEAD_LETTER_CODE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION, DEAD_LETTER_TOPIC};
use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
use concord_schemas::list_reconciliation::Registration;

const PATIENCE: Duration = Duration::from_secs(90);
const SHORT: Duration = Duration::from_millis(100);
const BOTH: [GroupProtocol; 2] = [GroupProtocol::Consumer, GroupProtocol::Classic];

struct Registrations;

impl Value for Registrations {
    type Of<'a> = Registration<'a>;

    fn schema() -> &'static TopicSchema {
        &PDS_REGISTRATION
    }
}

struct Cluster {
    log: KafkaLog,
}

fn cluster() -> Option<Cluster> {
    cluster_by(GroupProtocol::Auto)
}

fn cluster_by(protocol: GroupProtocol) -> Option<Cluster> {
    let Ok(bootstrap_servers) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: this test needs a Kafka cluster; set KAFKA_BOOTSTRAP=host:port");
        return None;
    };
    let settings = KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol };
    Some(Cluster { log: KafkaLog::connect(settings).unwrap() })
}

fn unique(name: &str) -> Arc<str> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Arc::from(format!("test.{nanos:x}.{}.{name}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

impl Cluster {
    fn topic(&self, name: &str, partitions: i32) -> Arc<str> {
        self.topic_with(name, partitions, &[])
    }

    fn topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Arc<str> {
        let name = unique(name);
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let spec = TopicSpec { name: Arc::clone(&name), partitions, replication: 1, settings };
        self.log.create_topics(&[spec]).unwrap();
        name
    }

    fn producer_of(&self, id: &str, max_record_bytes: usize) -> Box<dyn TransactionalProducer> {
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

    fn producer(&self) -> Box<dyn TransactionalProducer> {
        self.producer_of(&unique("producer"), 1 << 20)
    }

    /// Commits one record for each value.
    fn write(&self, topic: &Arc<str>, partition: i32, values: impl IntoIterator<Item = u64>) {
        let mut producer = self.producer();
        producer.begin().unwrap();
        for value in values {
            send(&mut *producer, topic, partition, value);
        }
        producer.drain(PATIENCE).unwrap();
        producer.commit().unwrap();
    }

    fn member(&self, group: &str, instance: &str, topics: &[&Arc<str>]) -> Box<dyn GroupConsumer> {
        let settings = GroupSettings {
            group: group.to_owned(),
            instance: format!("{group}-{instance}"),
            topics: topics.iter().map(|t| Arc::clone(t)).collect(),
            session_timeout: Duration::from_secs(10),
            fetch_ahead_bytes: 8 << 20,
        };
        self.log.group_consumer(&settings).unwrap()
    }

    /// All values from the beginning to the end, as a reader sees them, and that end.
    fn read_all(&self, topic: &Arc<str>, partition: i32, isolation: Isolation) -> (Vec<u64>, Offset) {
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

fn send(producer: &mut dyn TransactionalProducer, topic: &Arc<str>, partition: i32, value: u64) {
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

fn value_of(record: &LogRecord) -> u64 {
    u64::from_be_bytes(record.value.as_deref().unwrap().try_into().unwrap())
}

/// A member with what it has seen, which answers the group as a worker would.
struct Member {
    consumer: Box<dyn GroupConsumer>,
    owned: Vec<TopicPartition>,
    values: Vec<u64>,
    revocations: usize,
}

impl Member {
    fn new(consumer: Box<dyn GroupConsumer>) -> Self {
        Self { consumer, owned: Vec::new(), values: Vec::new(), revocations: 0 }
    }

    /// Polls once. Partitions that come are read from the group's position if `read`, else held; those that go are
    /// released.
    fn turn(&mut self, read: bool) {
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

    fn own(&mut self, count: usize) {
        until("an assignment", || {
            self.turn(false);
            self.owned.len() == count
        });
    }
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
    }
}

#[test]
fn records_appear_with_their_commit_and_aborted_ones_never() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("visibility", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 1);
    producer.drain(PATIENCE).unwrap();
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    reader.assign(&partition, 0).unwrap();
    let events = reader.poll(10, Duration::from_secs(5)).unwrap();
    assert!(matches!(events[..], [ReaderEvent::End { offset: 0, .. }]), "the last stable offset is 0: {events:?}");
    assert_eq!(reader.watermarks(&partition, PATIENCE).unwrap(), (0, 1), "the true end is behind the open record");

    producer.commit().unwrap();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 2);
    producer.drain(PATIENCE).unwrap();
    producer.abort().unwrap();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 3);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [1, 3]);
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadUncommitted).0, [1, 2, 3]);
}

#[test]
fn a_record_comes_back_with_key_value_time_and_headers_and_null_is_not_empty() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("shape", 2);
    let headers = [
        Header { name: Arc::from("concord-rule"), value: Bytes::from_static(b"LR-1") },
        Header { name: Arc::from("empty"), value: Bytes::new() },
        Header { name: Arc::from("concord-rule"), value: Bytes::from_static(b"LR-2") },
    ];
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    type Shape<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a [Header]);
    let shapes: [Shape<'_>; 4] = [
        (Some(b"key"), Some(b"value"), &headers),
        (None, Some(b""), &[]),
        (Some(b""), None, &headers[..1]),
        (None, None, &[]),
    ];
    for (time, (key, value, headers)) in (1_700_000_000_001..).zip(shapes) {
        let record = OutgoingRecord { topic: &topic, partition: 1, timestamp_ms: time, key, value, headers };
        producer.send(&record).unwrap();
    }
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    let partition = TopicPartition::new(topic, 1);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    reader.assign(&partition, 0).unwrap();
    let mut read = Vec::new();
    until("four records", || {
        for event in reader.poll(10, SHORT).unwrap() {
            if let ReaderEvent::Records { from, records } = event {
                assert_eq!(from, partition);
                read.extend(records);
            }
        }
        read.len() >= 4
    });
    assert_eq!(read.len(), 4);
    for (index, (record, (key, value, headers))) in read.iter().zip(shapes).enumerate() {
        assert_eq!(record.offset, index as i64);
        assert_eq!(record.timestamp_ms, 1_700_000_000_001 + index as i64);
        assert_eq!(record.key.as_deref(), key, "key of record {index}");
        assert_eq!(record.value.as_deref(), value, "value of record {index}");
        assert_eq!(record.headers, headers, "headers of record {index}");
    }
}

#[test]
fn a_reader_meets_the_true_end_of_empty_committed_and_aborted_partitions() {
    let Some(cluster) = cluster() else { return };
    let empty = cluster.topic("empty", 1);
    assert_eq!(cluster.read_all(&empty, 0, Isolation::ReadCommitted), (vec![], 0));

    let committed = cluster.topic("committed", 1);
    cluster.write(&committed, 0, [7, 8]);
    assert_eq!(cluster.read_all(&committed, 0, Isolation::ReadCommitted), (vec![7, 8], 3), "the marker counts");

    let aborted = cluster.topic("aborted", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &aborted, 0, 1);
    producer.drain(PATIENCE).unwrap();
    producer.abort().unwrap();
    assert_eq!(cluster.read_all(&aborted, 0, Isolation::ReadCommitted), (vec![], 2));
}

#[test]
fn a_reader_moves_back_and_out_of_range_and_in_again() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("moves", 1);
    cluster.write(&topic, 0, 0..5);
    let partition = TopicPartition::new(topic, 0);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    let read_to_end = |reader: &mut Box<dyn concord_engine::log::PartitionReader>| {
        let mut values = Vec::new();
        let mut ended = false;
        until("the end", || {
            for event in reader.poll(2, SHORT).unwrap() {
                match event {
                    ReaderEvent::Records { records, .. } => values.extend(records.iter().map(value_of)),
                    ReaderEvent::End { offset, .. } => ended = offset == 6,
                    ReaderEvent::OutOfRange(_) => panic!("out of range"),
                }
            }
            ended
        });
        values
    };
    reader.assign(&partition, 0).unwrap();
    assert_eq!(read_to_end(&mut reader), [0, 1, 2, 3, 4]);
    reader.assign(&partition, 3).unwrap();
    assert_eq!(read_to_end(&mut reader), [3, 4]);
    reader.assign(&partition, 6).unwrap();
    assert_eq!(read_to_end(&mut reader), [0u64; 0], "the end is told again after a move to it");

    reader.assign(&partition, 99).unwrap();
    let events = reader.poll(10, PATIENCE).unwrap();
    assert!(matches!(&events[..], [ReaderEvent::OutOfRange(p)] if *p == partition), "{events:?}");
    reader.assign(&partition, 1).unwrap();
    assert_eq!(read_to_end(&mut reader), [1, 2, 3, 4]);
    reader.unassign(&partition).unwrap();
    reader.assign(&partition, 4).unwrap();
    assert_eq!(read_to_end(&mut reader), [4]);
}

#[test]
fn a_newer_producer_of_the_same_id_fences_the_older() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("fencing", 1);
    let id = unique("fenced");
    let mut older = cluster.producer_of(&id, 1 << 20);
    older.begin().unwrap();
    send(&mut *older, &topic, 0, 1);
    older.drain(PATIENCE).unwrap();
    let mut newer = cluster.producer_of(&id, 1 << 20);
    assert_eq!(older.commit().unwrap_err().kind, LogErrorKind::Rebuild);
    newer.begin().unwrap();
    send(&mut *newer, &topic, 0, 2);
    newer.drain(PATIENCE).unwrap();
    newer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [2]);
    let closing = Instant::now();
    drop(older);
    assert!(closing.elapsed() < Duration::from_secs(3), "a fenced producer closed in {:?}", closing.elapsed());
}

#[test]
fn acknowledged_tells_the_last_changelog_offset_of_this_transaction_only() {
    let Some(cluster) = cluster() else { return };
    let changelog = cluster.topic("store.changelog", 2);
    let other = cluster.topic("output", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    for value in 0..3 {
        send(&mut *producer, &changelog, 1, value);
        send(&mut *producer, &other, 0, value);
    }
    producer.drain(PATIENCE).unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), Some(2));
    assert_eq!(producer.acknowledged(&changelog, 0), None);
    assert_eq!(producer.acknowledged(&other, 0), None, "kept for changelogs only");
    producer.commit().unwrap();
    producer.begin().unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), None);
    send(&mut *producer, &changelog, 1, 9);
    producer.drain(PATIENCE).unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), Some(4), "behind the marker at 3");
    producer.abort().unwrap();
}

#[test]
fn a_record_too_large_is_refused_before_it_is_sent_and_leaves_the_transaction_usable() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("large", 1);
    let mut producer = cluster.producer_of(&unique("large"), 5000);
    producer.begin().unwrap();
    let value = vec![0; 5000];
    let record = OutgoingRecord {
        topic: &topic,
        partition: 0,
        timestamp_ms: 1,
        key: Some(b"k"),
        value: Some(&value),
        headers: &[],
    };
    assert_eq!(producer.send(&record).unwrap_err().kind, LogErrorKind::TooLarge);
    send(&mut *producer, &topic, 0, 5);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [5]);
}

#[test]
fn a_record_that_only_the_topic_refuses_stops_with_the_remedy() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic_with("small", 1, &[("max.message.bytes", "1000")]);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    let mut state = 1u32;
    let value: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5000)
    .collect();
    let record =
        OutgoingRecord { topic: &topic, partition: 0, timestamp_ms: 1, key: None, value: Some(&value), headers: &[] };
    producer.send(&record).unwrap();
    let error = producer.drain(PATIENCE).unwrap_err();
    assert_eq!(error.kind, LogErrorKind::Fatal, "{error}");
    assert!(error.message.contains("max.message.bytes"), "{error}");
}

#[test]
fn a_topic_that_does_not_exist_is_named() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("narrow", 1);
    cluster.write(&topic, 0, [1]);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 1);
    producer.drain(PATIENCE).unwrap();
    let record = OutgoingRecord { topic: &topic, partition: 7, timestamp_ms: 1, key: None, value: None, headers: &[] };
    let error = match producer.send(&record) {
        Ok(()) => producer.drain(PATIENCE).unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind, LogErrorKind::UnknownTopic, "{error}");
    assert!(error.message.contains(&*topic), "{error}");
    producer.abort().unwrap();
}

#[test]
fn a_transaction_begun_before_is_needed_to_send() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("usage", 1);
    let mut producer = cluster.producer();
    let record = OutgoingRecord { topic: &topic, partition: 0, timestamp_ms: 1, key: None, value: None, headers: &[] };
    assert_eq!(producer.send(&record).unwrap_err().kind, LogErrorKind::Fatal);
}

#[test]
fn what_was_sent_but_not_drained_can_be_aborted_quickly() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("undrained", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    for value in 0..10_000 {
        send(&mut *producer, &topic, 0, value);
    }
    let aborting = Instant::now();
    producer.abort().unwrap();
    assert!(aborting.elapsed() < Duration::from_secs(5), "aborted in {:?}", aborting.elapsed());
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 5);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [5]);
}

#[test]
fn there_is_no_proof_of_membership_before_the_group_lets_a_member_in() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("membership", 1);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        assert_eq!(member.consumer.membership().unwrap_err().kind, LogErrorKind::NotMember);
        member.own(1);
        let membership = member.consumer.membership().unwrap();
        assert!(membership.generation > 0 && !membership.member.is_empty(), "{membership:?}");
        member.consumer.close(true).unwrap();
        assert_eq!(member.consumer.membership().unwrap_err().kind, LogErrorKind::NotMember);
    }
}

#[test]
fn offsets_are_committed_with_the_transaction_and_with_it_only() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("offsets", 2);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let both = [TopicPartition::new(Arc::clone(&topic), 1), TopicPartition::new(Arc::clone(&topic), 0)];
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [None, None]);

        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let membership = member.consumer.membership().unwrap();
        assert_eq!(producer.send_offsets(&[], &membership).unwrap_err().kind, LogErrorKind::Fatal);
        producer.send_offsets(&[(both[0].clone(), 5)], &membership).unwrap();
        producer.commit().unwrap();
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [Some(5), None]);

        producer.begin().unwrap();
        let membership = member.consumer.membership().unwrap();
        producer.send_offsets(&[(both[0].clone(), 9), (both[1].clone(), 9)], &membership).unwrap();
        producer.abort().unwrap();
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [Some(5), None]);
    }
}

#[test]
fn nothing_is_read_from_a_partition_before_its_position_is_given() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("held", 2);
        cluster.write(&topic, 0, 0..100);
        cluster.write(&topic, 1, 100..200);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let held_until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < held_until {
            member.turn(false);
        }
        assert_eq!(member.values, [0u64; 0], "{protocol:?}: nothing asked for, nothing read");
        member.consumer.fetch_from(&[(TopicPartition::new(Arc::clone(&topic), 1), 90)]).unwrap();
        until("the last ten of partition 1", || {
            member.turn(false);
            member.values.len() >= 10
        });
        assert_eq!(member.values, (190..200).collect::<Vec<_>>(), "{protocol:?}: the other partition is still held");
        member.consumer.fetch_from(&[(TopicPartition::new(Arc::clone(&topic), 0), 0)]).unwrap();
        until("all of partition 0", || {
            member.turn(false);
            member.values.len() >= 110
        });
        assert_eq!(member.values[10..], (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn moving_back_with_records_already_fetched_loses_and_repeats_nothing() {
    const COUNT: u64 = 20_000;
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("back", 1);
        cluster.write(&topic, 0, 0..COUNT);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(1);
        let partition = TopicPartition::new(Arc::clone(&topic), 0);
        member.consumer.fetch_from(&[(partition.clone(), 0)]).unwrap();
        let mut at = 0;
        // Forth by whole polls, back by a part of them, as after aborts; fetched-ahead records are in the queue each time.
        for back in [1, 700, 0, 1500, 3, 999, 2000, 0, 1] {
            until("some records", || {
                member.values.clear();
                member.turn(false);
                !member.values.is_empty()
            });
            let expected: Vec<u64> = (at..at + member.values.len() as u64).collect();
            assert_eq!(member.values, expected, "{protocol:?}");
            at += member.values.len() as u64;
            at = at.saturating_sub(back);
            member.consumer.fetch_from(&[(partition.clone(), at as i64)]).unwrap();
        }
        member.values.clear();
        until("all records", || {
            member.turn(false);
            member.values.len() as u64 >= COUNT - at
        });
        assert_eq!(member.values, (at..COUNT).collect::<Vec<_>>(), "{protocol:?}");
    }
}

#[test]
fn a_position_that_does_not_exist_is_told_and_another_can_be_taken() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("range", 2);
        cluster.write(&topic, 0, 0..10);
        cluster.write(&topic, 1, 100..110);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let [zero, one] = [0, 1].map(|p| TopicPartition::new(Arc::clone(&topic), p));
        member.consumer.fetch_from(&[(zero.clone(), 500), (one.clone(), 0)]).unwrap();
        let mut told = false;
        until("out of range", || {
            for event in member.consumer.poll(5, SHORT).unwrap() {
                match event {
                    ConsumerEvent::OutOfRange(partition) => {
                        assert_eq!(partition, zero);
                        told = true;
                    }
                    ConsumerEvent::Records { from, records } => {
                        assert_eq!(from, one);
                        member.values.extend(records.iter().map(value_of));
                    }
                    other => panic!("{other:?}"),
                }
            }
            told
        });
        let earliest = member.consumer.earliest(&zero, PATIENCE).unwrap();
        assert_eq!(earliest, 0);
        member.consumer.fetch_from(&[(zero, earliest)]).unwrap();
        until("all records", || {
            member.turn(false);
            member.values.len() >= 20
        });
        member.values.sort_unstable();
        assert_eq!(
            member.values,
            (0..10).chain(100..110).collect::<Vec<_>>(),
            "{protocol:?}: nothing lost or repeated"
        );
    }
}

#[test]
fn a_second_member_gets_its_share_only_after_the_first_released_it() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topics = [cluster.topic("share.a", 4), cluster.topic("share.b", 4)];
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topics[0], &topics[1]]));
        first.own(8);
        let mut second = Member::new(cluster.member(&group, "1", &[&topics[0], &topics[1]]));

        let mut going = Vec::new();
        until("a revocation", || {
            second.turn(false);
            for event in first.consumer.poll(10, SHORT).unwrap() {
                if let ConsumerEvent::Revoked { partitions, lost } = event {
                    assert!(!lost);
                    going = partitions;
                }
            }
            !going.is_empty()
        });
        let waited_until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < waited_until {
            second.turn(false);
            assert!(first.consumer.poll(10, SHORT).unwrap().is_empty());
        }
        assert_eq!(second.owned, [], "{protocol:?}: nothing moves before the release");
        // The last transaction of the old owner is still accepted: it is a member until it lets go.
        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let membership = first.consumer.membership().unwrap();
        producer.send_offsets(&[(going[0].clone(), 3)], &membership).unwrap();
        producer.commit().unwrap();
        let (one, rest) = going.split_at(1);
        first.owned.retain(|p| !going.contains(p));
        first.consumer.release(one).unwrap();
        first.consumer.release(rest).unwrap();
        until("four partitions each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 4 && second.owned.len() == 4
        });
        for member in [&first, &second] {
            let mut of_each = topics.each_ref().map(|topic| {
                let mut numbers: Vec<i32> =
                    member.owned.iter().filter(|p| p.topic == *topic).map(|p| p.partition).collect();
                numbers.sort_unstable();
                numbers
            });
            assert_eq!(of_each[0], of_each[1], "{protocol:?}: equal numbers of both topics stay together");
            of_each[0].dedup();
            assert_eq!(of_each[0].len(), 2);
        }

        // And back, when the second leaves. The new protocol keeps a static member's place until its session ends.
        if protocol == GroupProtocol::Consumer {
            continue;
        }
        second.consumer.close(false).unwrap();
        until("all partitions again", || {
            if second.owned.is_empty() {
                second.consumer.close(true).unwrap();
            } else {
                second.turn(false);
            }
            first.turn(false);
            first.owned.len() == 8
        });
    }
}

#[test]
fn an_old_proof_of_membership_is_fenced_once_the_group_has_moved_on() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("zombie", 2);
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topic]));
        first.own(2);
        let old = first.consumer.membership().unwrap();
        let mut second = Member::new(cluster.member(&group, "1", &[&topic]));
        until("one partition each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 1 && second.owned.len() == 1
        });
        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let error = producer.send_offsets(&[(second.owned[0].clone(), 7)], &old).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::MustAbort, "{protocol:?}: {error}");
        producer.abort().unwrap();
        producer.begin().unwrap();
        let now = second.consumer.membership().unwrap();
        producer.send_offsets(&[(second.owned[0].clone(), 1)], &now).unwrap();
        producer.commit().unwrap();
    }
}

#[test]
fn a_member_whose_place_another_has_taken_commits_no_positions() {
    let Some(cluster) = cluster_by(GroupProtocol::Classic) else { return };
    let topic = cluster.topic("replaced", 1);
    let group = unique("group");
    let mut older = Member::new(cluster.member(&group, "0", &[&topic]));
    older.own(1);
    let position = |offset| [(older.owned[0].clone(), offset)];
    older.consumer.commit(&position(3)).unwrap();
    let later = position(9);
    let mut newer = Member::new(cluster.member(&group, "0", &[&topic]));
    newer.own(1);
    // It is told to stop as soon as it asks, or, if its client knows already, that it is no member.
    let error = older.consumer.commit(&later).unwrap_err();
    assert!(matches!(error.kind, LogErrorKind::Fatal | LogErrorKind::MustAbort | LogErrorKind::NotMember), "{error}");
    let committed = newer.consumer.committed(&[later[0].0.clone()], PATIENCE).unwrap();
    assert_eq!(committed, [Some(3)]);
}

#[test]
fn a_member_that_closes_and_keeps_its_place_finds_its_partitions_again_and_disturbs_nobody() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("restart", 2);
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topic]));
        let mut second = Member::new(cluster.member(&group, "1", &[&topic]));
        until("one partition each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 1 && second.owned.len() == 1
        });
        let (kept, revocations) = (second.owned.clone(), first.revocations);
        second.consumer.close(true).unwrap();
        let mut again = Member::new(cluster.member(&group, "1", &[&topic]));
        until("its partition", || {
            first.turn(false);
            again.turn(false);
            again.owned.len() == 1
        });
        assert_eq!(again.owned, kept, "{protocol:?}");
        assert_eq!(first.revocations, revocations, "{protocol:?}");
        assert_eq!(first.owned.len(), 1);
    }
}

#[test]
fn topics_are_created_once_and_keep_an_identity() {
    let Some(cluster) = cluster() else { return };
    let name = cluster.topic_with("identity", 3, &[("cleanup.policy", "compact")]);
    let spec = TopicSpec { name: Arc::clone(&name), partitions: 3, replication: 1, settings: Vec::new() };
    cluster.log.create_topics(&[spec]).unwrap();
    let topics = cluster.log.topics().unwrap();
    let found = topics.iter().find(|t| t.name == name).unwrap();
    assert_eq!(found.partitions, 3);
    assert!(!found.id.is_empty());
    let missing = unique("missing");
    let ids = cluster.log.topic_ids(&[Arc::clone(&missing), Arc::clone(&name)]).unwrap();
    assert_eq!(ids, [String::new(), found.id.clone()]);
    assert!(topics.iter().all(|t| !t.name.starts_with("__")));

    let wrong = TopicSpec {
        name: unique("wrong"),
        partitions: 1,
        replication: 1,
        settings: vec![("no.such.setting".into(), "1".into())],
    };
    assert_eq!(cluster.log.create_topics(&[wrong]).unwrap_err().kind, LogErrorKind::Fatal);
}

#[test]
fn a_publisher_writes_outside_transactions_and_tells_the_first_failure() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("published", 1);
    let mut publisher = cluster.log.publisher().unwrap();
    for value in 0..50_000u64 {
        let value = value.to_be_bytes();
        let record = OutgoingRecord {
            topic: &topic,
            partition: 0,
            timestamp_ms: 1,
            key: None,
            value: Some(&value),
            headers: &[],
        };
        publisher.send(&record).unwrap();
    }
    publisher.flush(PATIENCE).unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, (0..50_000).collect::<Vec<_>>());

    let small = cluster.topic_with("published.small", 1, &[("max.message.bytes", "100")]);
    let value: Vec<u8> = (0..=255).collect();
    let record =
        OutgoingRecord { topic: &small, partition: 0, timestamp_ms: 1, key: None, value: Some(&value), headers: &[] };
    publisher.send(&record).unwrap();
    assert_eq!(publisher.flush(PATIENCE).unwrap_err().kind, LogErrorKind::TooLarge);
    publisher.flush(PATIENCE).unwrap();
}

/// A letter may be as large as a worker writes records, which is more than the client lets through by itself.
#[test]
fn a_letter_as_large_as_a_record_may_be_is_replayed() {
    let Some(cluster) = cluster() else { return };
    let application = unique("letters");
    let input: Arc<str> = Arc::from(format!("{application}.in"));
    let mut builder = TopologyBuilder::new(&*application);
    let events = builder.input::<Registrations>(&input, "any", 1, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    builder.sub_topology("nothing", |sub| {
        let source = sub.source(events);
        sub.processor("none", |p| {
            p.on(source, |_: &mut (), _, _| Ok(()));
            || ()
        });
    });
    let topology = builder.build().unwrap();
    concord_engine::topics::create(&cluster.log, &topology, 1).unwrap();
    let letters = topology.topics[topology.dead_letters].name.clone();
    let payload = vec![b'x'; 1 << 20];
    let header = |name: &str, value: &str| Header { name: Arc::from(name), value: Bytes::from(value.to_owned()) };
    let headers = [
        header(DEAD_LETTER_TOPIC, &input),
        header(DEAD_LETTER_PARTITION, "0"),
        header(DEAD_LETTER_OFFSET, "0"),
        header(DEAD_LETTER_CODE, "TEST-0001"),
    ];
    let mut producer = cluster.producer_of(&unique("producer"), 2 << 20);
    producer.begin().unwrap();
    let letter = OutgoingRecord {
        topic: &letters,
        partition: 0,
        timestamp_ms: 1,
        key: Some(b"key"),
        value: Some(&payload),
        headers: &headers,
    };
    producer.send(&letter).unwrap();
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    let replayed = dead_letters::replay(&cluster.log, &topology, &ReplayChoice::default()).unwrap();
    assert_eq!((replayed.published, replayed.kept.len()), (1, 0));
    let mut found = Vec::new();
    read_whole_topic(&cluster.log, &input, &mut |_, record| found.push(record.value.unwrap().len())).unwrap();
    assert_eq!(found, [payload.len()]);
}

#[test]
fn a_cluster_that_does_not_answer_is_unavailable_and_a_wrong_property_is_named() {
    if cluster().is_none() {
        return;
    }
    let settings = |client: &[(&str, &str)]| KafkaSettings {
        bootstrap_servers: "127.0.0.1:1".into(),
        client: client.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        protocol: GroupProtocol::Auto,
    };
    let refused = |client: &[(&str, &str)]| KafkaLog::connect(settings(client)).err().unwrap();
    assert_eq!(refused(&[]).kind, LogErrorKind::Unavailable);
    let error = refused(&[("no.such.property", "1")]);
    assert_eq!(error.kind, LogErrorKind::Fatal);
    assert!(error.message.contains("no.such.property"), "{error}");
}

/// The checks that every log must pass, on this one.
mod conformance {
    use concord_engine::log::conformance::ConformanceHarness;

    use super::*;

    struct OnKafka(Cluster);

    impl ConformanceHarness for OnKafka {
        fn log(&self) -> &dyn Log {
            &self.0.log
        }

        fn unique(&self, stem: &str) -> String {
            unique(stem).to_string()
        }

        fn pass_time(&self, duration: Duration) {
            std::thread::sleep(duration);
        }

        fn poll_wait(&self) -> Duration {
            SHORT
        }

        fn patience(&self) -> Duration {
            PATIENCE
        }
    }

    mod classic {
        use super::*;

        concord_engine::log_conformance_tests!(cluster_by(GroupProtocol::Classic).map(OnKafka));
    }

    mod consumer {
        use super::*;

        concord_engine::log_conformance_tests!(cluster_by(GroupProtocol::Consumer).map(OnKafka));
    }
}
