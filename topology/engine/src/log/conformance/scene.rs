//! What the checks have in common: topics, clients, and waiting for what must happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::ConformanceHarness;
use crate::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Isolation, LogError, LogErrorKind, LogRecord, LogResult,
    Offset, OutgoingRecord, PartitionReader, ProducerSettings, Publisher, ReaderEvent, TopicPartition, TopicSpec,
    TransactionalProducer,
};

/// For calls that a check expects to be answered.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a member may be silent.
pub(super) const SESSION_TIMEOUT: Duration = Duration::from_secs(10);
/// Records larger than this are refused by the producers of the checks.
pub(super) const LARGEST_RECORD_BYTES: usize = 2_000;
const POLL_RECORDS: usize = 100;
const STEP: Duration = Duration::from_millis(50);

/// Tries until there is an answer, letting time pass in between.
pub(super) fn eventually<T>(harness: &dyn ConformanceHarness, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(answer) = attempt() {
            return answer;
        }
        assert!(waited < harness.patience(), "{what} did not happen within {waited:?}");
        harness.pass_time(STEP);
        waited += STEP;
    }
}

/// Repeats a call for as long as it answers `Retriable`, or `Unavailable` as a client may that has waited in vain.
pub(super) fn retried<T>(harness: &dyn ConformanceHarness, what: &str, mut call: impl FnMut() -> LogResult<T>) -> T {
    eventually(harness, what, || match call() {
        Ok(answer) => Some(answer),
        Err(error) if matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable) => None,
        Err(error) => panic!("{what}: {error} ({:?})", error.kind),
    })
}

/// The kind of the error that a call must give.
pub(super) fn refused<T>(outcome: LogResult<T>) -> LogErrorKind {
    let error: Option<LogError> = outcome.err();
    error.expect("the call must be refused").kind
}

/// Creates a topic with a name of its own.
pub(super) fn topic(harness: &dyn ConformanceHarness, stem: &str, partitions: i32) -> Arc<str> {
    topic_with(harness, stem, partitions, &[])
}

/// Creates a topic with settings. Its records are of any age, and stay: a broker looks every few minutes for old ones to delete.
pub(super) fn topic_with(
    harness: &dyn ConformanceHarness,
    stem: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Arc<str> {
    let name: Arc<str> = harness.unique(stem).into();
    let settings = settings.iter().chain(&[("retention.ms", "-1")]);
    let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let spec = TopicSpec { name: Arc::clone(&name), partitions, replication: 1, settings };
    harness.log().create_topics(&[spec]).expect("the topic is created");
    name
}

/// An initialised producer of this transactional id.
pub(super) fn producer(harness: &dyn ConformanceHarness, transactional_id: &str) -> Box<dyn TransactionalProducer> {
    producer_with_timeout(harness, transactional_id, Duration::from_secs(60))
}

/// An initialised producer whose transactions may be open this long.
pub(super) fn producer_with_timeout(
    harness: &dyn ConformanceHarness,
    transactional_id: &str,
    transaction_timeout: Duration,
) -> Box<dyn TransactionalProducer> {
    let mut producer = new_producer(harness, transactional_id, transaction_timeout);
    retried(harness, "init", || producer.init(CALL_TIMEOUT));
    producer
}

/// A producer that is not yet initialised.
pub(super) fn new_producer(
    harness: &dyn ConformanceHarness,
    transactional_id: &str,
    transaction_timeout: Duration,
) -> Box<dyn TransactionalProducer> {
    made_producer(harness, Guarantee::ExactlyOnce, transactional_id, transaction_timeout)
}

/// An initialised producer without transactions.
pub(super) fn plain_producer(harness: &dyn ConformanceHarness, id: &str) -> Box<dyn TransactionalProducer> {
    let mut producer = made_producer(harness, Guarantee::AtLeastOnce, id, Duration::from_secs(60));
    retried(harness, "init", || producer.init(CALL_TIMEOUT));
    producer
}

fn made_producer(
    harness: &dyn ConformanceHarness,
    guarantee: Guarantee,
    transactional_id: &str,
    transaction_timeout: Duration,
) -> Box<dyn TransactionalProducer> {
    let settings = ProducerSettings {
        guarantee,
        transactional_id: transactional_id.to_owned(),
        transaction_timeout,
        expected_partitions: 4,
        max_record_bytes: LARGEST_RECORD_BYTES,
        queue_bytes: 1 << 20,
    };
    harness.log().transactional_producer(&settings).expect("the producer is made")
}

/// Sends a record whose key and value are this text.
pub(super) fn send(producer: &mut dyn TransactionalProducer, topic: &Arc<str>, partition: i32, text: &str) {
    producer.send(&record(topic, partition, text, text)).expect("the record is sent");
}

/// A record of these texts.
pub(super) fn record<'a>(topic: &'a Arc<str>, partition: i32, key: &'a str, value: &'a str) -> OutgoingRecord<'a> {
    OutgoingRecord {
        topic,
        partition,
        timestamp_ms: 1_700_000_000_000,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        headers: &[],
    }
}

/// Waits until every record is acknowledged.
pub(super) fn drain(harness: &dyn ConformanceHarness, producer: &mut dyn TransactionalProducer) {
    retried(harness, "drain", || producer.drain(CALL_TIMEOUT));
}

/// Writes these texts to a partition in one transaction and commits it.
pub(super) fn commit_texts(
    harness: &dyn ConformanceHarness,
    producer: &mut dyn TransactionalProducer,
    topic: &Arc<str>,
    partition: i32,
    texts: &[&str],
) {
    write_texts(harness, producer, topic, partition, texts);
    producer.commit().expect("the transaction commits");
}

/// Writes these texts to a partition in a transaction that stays open.
pub(super) fn write_texts(
    harness: &dyn ConformanceHarness,
    producer: &mut dyn TransactionalProducer,
    topic: &Arc<str>,
    partition: i32,
    texts: &[&str],
) {
    producer.begin().expect("the transaction begins");
    for text in texts {
        send(producer, topic, partition, text);
    }
    drain(harness, producer);
}

/// Writes these texts to a partition outside transactions.
pub(super) fn publish_texts(harness: &dyn ConformanceHarness, topic: &Arc<str>, partition: i32, texts: &[&str]) {
    let mut publisher: Box<dyn Publisher> = harness.log().publisher().expect("the publisher is made");
    for text in texts {
        publisher.send(&record(topic, partition, text, text)).expect("the record is sent");
    }
    publisher.flush(CALL_TIMEOUT).expect("the records are acknowledged");
}

/// What a reader saw of one partition.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Records in order.
    pub(super) records: Vec<LogRecord>,
    /// The end it was told last.
    pub(super) end: Option<Offset>,
}

impl Seen {
    /// The values as texts.
    pub(super) fn texts(&self) -> Vec<String> {
        self.records.iter().map(text_of).collect()
    }
}

/// The value of a record as text; empty for a tombstone.
pub(super) fn text_of(record: &LogRecord) -> String {
    String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned()
}

/// Reads a partition from its start until the end is told once, wherever that is now.
pub(super) fn read_to_end(
    harness: &dyn ConformanceHarness,
    topic: &Arc<str>,
    partition: i32,
    isolation: Isolation,
) -> Seen {
    read_until(harness, topic, partition, isolation, |_| true)
}

/// Reads the committed records of a partition as a restore does: until the end told reaches the high watermark.
pub(super) fn restore(harness: &dyn ConformanceHarness, topic: &Arc<str>, partition: i32) -> Seen {
    let (_, target) = watermarks(harness, topic, partition);
    read_until(harness, topic, partition, Isolation::ReadCommitted, |end| end >= target)
}

/// The lowest offset and the high watermark.
pub(super) fn watermarks(harness: &dyn ConformanceHarness, topic: &Arc<str>, partition: i32) -> (Offset, Offset) {
    let mut reader = harness.log().reader(Isolation::ReadCommitted).expect("the reader is made");
    let name = TopicPartition::new(Arc::clone(topic), partition);
    retried(harness, "watermarks", || reader.watermarks(&name, CALL_TIMEOUT))
}

/// Polls a reader of one partition, once.
pub(super) fn poll_reader(harness: &dyn ConformanceHarness, reader: &mut dyn PartitionReader, seen: &mut Seen) {
    for event in reader.poll(POLL_RECORDS, harness.poll_wait()).expect("the reader polls") {
        match event {
            ReaderEvent::Records { records, .. } => seen.records.extend(records),
            ReaderEvent::End { offset, .. } => seen.end = Some(offset),
            ReaderEvent::OutOfRange(partition) => panic!("{partition} was out of range"),
        }
    }
}

fn read_until(
    harness: &dyn ConformanceHarness,
    topic: &Arc<str>,
    partition: i32,
    isolation: Isolation,
    is_far_enough: impl Fn(Offset) -> bool,
) -> Seen {
    let mut reader = harness.log().reader(isolation).expect("the reader is made");
    reader.assign(&TopicPartition::new(Arc::clone(topic), partition), 0).expect("the partition is assigned");
    let mut seen = Seen::default();
    eventually(harness, "reading to the end", || {
        poll_reader(harness, reader.as_mut(), &mut seen);
        seen.end.filter(|end| is_far_enough(*end))
    });
    seen
}

/// A group member with what it was told, answering nothing by itself.
pub(super) struct Member<'a> {
    harness: &'a dyn ConformanceHarness,
    pub(super) consumer: Box<dyn GroupConsumer>,
    /// What it holds, by what it was told.
    pub(super) held: BTreeSet<TopicPartition>,
    /// What it was asked to give back and has not yet.
    pub(super) asked_back: Vec<TopicPartition>,
    /// What it was told it had lost.
    pub(super) lost: Vec<TopicPartition>,
    /// What it read, by partition.
    pub(super) read: BTreeMap<TopicPartition, Vec<LogRecord>>,
    /// Positions that it was told do not exist.
    pub(super) out_of_range: Vec<TopicPartition>,
}

impl<'a> Member<'a> {
    /// A member of `group` that has not polled yet.
    pub(super) fn new(harness: &'a dyn ConformanceHarness, group: &str, instance: &str, topics: &[&Arc<str>]) -> Self {
        let settings = GroupSettings {
            group: group.to_owned(),
            instance: instance.to_owned(),
            topics: topics.iter().map(|topic| Arc::clone(topic)).collect(),
            session_timeout: SESSION_TIMEOUT,
            fetch_ahead_bytes: 1 << 20,
        };
        let consumer = harness.log().group_consumer(&settings).expect("the consumer is made");
        Self {
            harness,
            consumer,
            held: BTreeSet::new(),
            asked_back: Vec::new(),
            lost: Vec::new(),
            read: BTreeMap::new(),
            out_of_range: Vec::new(),
        }
    }

    /// A member that holds everything of these topics alone.
    pub(super) fn alone(
        harness: &'a dyn ConformanceHarness,
        group: &str,
        instance: &str,
        topics: &[&Arc<str>],
        partitions: usize,
    ) -> Self {
        let mut member = Self::new(harness, group, instance, topics);
        member.poll_until("the only member is given everything", |member| member.held.len() == partitions);
        member
    }

    /// Polls once and keeps what came.
    pub(super) fn poll(&mut self) {
        let events = self.consumer.poll(POLL_RECORDS, self.harness.poll_wait()).expect("the member polls");
        for event in events {
            match event {
                ConsumerEvent::Assigned(partitions) => self.held.extend(partitions),
                ConsumerEvent::Revoked { partitions, lost: false } => self.asked_back.extend(partitions),
                ConsumerEvent::Revoked { partitions, lost: true } => {
                    self.held.retain(|held| !partitions.contains(held));
                    self.lost.extend(partitions);
                }
                ConsumerEvent::Records { from, records } => self.read.entry(from).or_default().extend(records),
                ConsumerEvent::OutOfRange(partition) => self.out_of_range.push(partition),
            }
        }
    }

    /// Polls until the condition holds.
    pub(super) fn poll_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let harness = self.harness;
        eventually(harness, what, || {
            self.poll();
            condition(self).then_some(())
        });
    }

    /// Gives back what was asked for.
    pub(super) fn release_asked(&mut self) {
        let asked_back = std::mem::take(&mut self.asked_back);
        if asked_back.is_empty() {
            return;
        }
        self.held.retain(|held| !asked_back.contains(held));
        self.consumer.release(&asked_back).expect("the partitions are released");
    }

    /// The group's committed position of a partition, once it is stable.
    pub(super) fn committed(&mut self, partition: &TopicPartition) -> Option<Offset> {
        let (harness, consumer) = (self.harness, &mut self.consumer);
        let asked = [partition.clone()];
        let mut answer = retried(harness, "committed", || consumer.committed(&asked, CALL_TIMEOUT));
        answer.pop().expect("there is an answer for the partition")
    }
}

/// Polls two members, each giving back what it is asked for, until they hold this many partitions each.
pub(super) fn share<'a>(
    harness: &dyn ConformanceHarness,
    first: &mut Member<'a>,
    second: &mut Member<'a>,
    each: usize,
) {
    eventually(harness, "two members share the partitions", || {
        for member in [&mut *first, &mut *second] {
            member.poll();
            member.release_asked();
        }
        (first.held.len() == each && second.held.len() == each).then_some(())
    });
}
