//! A topic on its way out: a member of a group that reads it, and a producer that writes what became of its records.
//!
//! What is written and the position behind the records go out in one transaction. So after a crash the position says truly
//! what the log knows, and a process that was taken for dead cannot commit beside its successor.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Header, LogRecord, Offset, OutgoingRecord,
    ProducerSettings, TopicPartition, TransactionalProducer,
};
use concord_engine::metric_names as names;
use concord_engine::partitioner::partition_of;
use concord_engine::worker::{
    DEAD_LETTER_CODE, DEAD_LETTER_MESSAGE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION, DEAD_LETTER_STAGE,
    DEAD_LETTER_TIMESTAMP, DEAD_LETTER_TOPIC,
};
use concord_schemas::codec::{self, Encoder};
use concord_schemas::list_reconciliation::Delivery;

use super::error::{ConnectProblem, Trouble};
use super::surroundings::Surroundings;
use crate::next_step::Problem;

/// How long the log may take for one question, and to take what was sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a silent member keeps its partitions.
const SESSION: Duration = Duration::from_secs(30);
/// Above the time that a commit takes, below the session: a dead process's transaction is gone before its partitions move.
const TRANSACTION: Duration = Duration::from_secs(15);
/// Records taken at a time; a file's pieces have up to 256 KiB.
const MOST_RECORDS: usize = 200;
const AHEAD_BYTES: usize = 4 << 20;

/// What a poll brings.
pub(super) enum Fed {
    /// These partitions are read, from these positions on.
    Came(Vec<(TopicPartition, Offset)>),
    /// These partitions go: commit what is done, unless they are another's already, and answer with [`Feed::release`].
    Go(Vec<TopicPartition>, bool),
    /// Records in order.
    Records(TopicPartition, Vec<LogRecord>),
}

/// See the module.
pub(super) struct Feed {
    topic: &'static str,
    consumer: Box<dyn GroupConsumer>,
    producer: Box<dyn TransactionalProducer>,
    encoder: Encoder,
    partitions: BTreeSet<i32>,
    deliveries: (Arc<str>, i32),
    dead_letters: (Arc<str>, i32),
    outgoing: Vec<Outgoing>,
}

struct Outgoing {
    topic: Arc<str>,
    partition: i32,
    timestamp_ms: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Vec<Header>,
}

impl Feed {
    /// Joins the group of `way`, such as `mesh.pcse`, which reads `topic`.
    pub(super) fn join(surroundings: &Surroundings, way: &str, topic: &'static str) -> Result<Self, Trouble> {
        let Surroundings { log, schemas, application, instance, .. } = surroundings;
        let letters = format!("{application}.dead-letters");
        let partitions = |name: &str| Ok::<_, Trouble>((Arc::from(name), surroundings.partitions_of(name)?));
        let (deliveries, dead_letters) = (partitions(codec::DELIVERY.name())?, partitions(&letters)?);
        let group = format!("{application}.connect.{way}");
        let member = format!("{group}-{instance}");
        let mut producer = log.transactional_producer(&ProducerSettings {
            guarantee: Guarantee::ExactlyOnce,
            transactional_id: member.clone(),
            transaction_timeout: TRANSACTION,
            expected_partitions: 4,
            max_record_bytes: 2 << 20,
            queue_bytes: AHEAD_BYTES,
        })?;
        producer.init(PATIENCE)?;
        let consumer = log.group_consumer(&GroupSettings {
            group,
            instance: member,
            topics: vec![Arc::from(topic)],
            session_timeout: SESSION,
            fetch_ahead_bytes: AHEAD_BYTES,
        })?;
        Ok(Self {
            topic,
            consumer,
            producer,
            encoder: schemas.encoder(),
            partitions: BTreeSet::new(),
            deliveries,
            dead_letters,
            outgoing: Vec::new(),
        })
    }

    /// Waits up to `timeout` for what comes. Reading begins at the committed positions; of a group without any, at the first
    /// record that there is.
    pub(super) fn poll(&mut self, timeout: Duration) -> Result<Vec<Fed>, Trouble> {
        let mut fed = Vec::new();
        for event in self.consumer.poll(MOST_RECORDS, timeout)? {
            match event {
                ConsumerEvent::Assigned(partitions) => {
                    let committed = self.consumer.committed(&partitions, PATIENCE)?;
                    let mut positions = Vec::with_capacity(partitions.len());
                    for (partition, position) in partitions.iter().zip(committed) {
                        let position = match position {
                            Some(position) => position,
                            None => self.consumer.earliest(partition, PATIENCE)?,
                        };
                        positions.push((partition.clone(), position));
                    }
                    self.consumer.fetch_from(&positions)?;
                    self.partitions.extend(partitions.iter().map(|partition| partition.partition));
                    fed.push(Fed::Came(positions));
                }
                ConsumerEvent::Revoked { partitions, lost } => fed.push(Fed::Go(partitions, lost)),
                ConsumerEvent::Records { from, records } => fed.push(Fed::Records(from, records)),
                ConsumerEvent::OutOfRange(partition) => {
                    metrics::counter!(names::INPUT_GAPS).increment(1);
                    tracing::warn!(%partition, "Records were deleted before they were read.");
                    let first = self.consumer.earliest(&partition, PATIENCE)?;
                    self.consumer.fetch_from(&[(partition, first)])?;
                }
            }
        }
        Ok(fed)
    }

    /// Gives partitions back, behind [`Fed::Go`].
    pub(super) fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), Trouble> {
        for partition in partitions {
            self.partitions.remove(&partition.partition);
        }
        Ok(self.consumer.release(partitions)?)
    }

    /// Whether this process reads the records of a key.
    pub(super) fn reads_key(&self, key: &str, partitions: i32) -> bool {
        self.partitions.contains(&partition_of(key.as_bytes(), partitions))
    }

    /// A delivery for the next commit.
    pub(super) fn tell(&mut self, delivery: &Delivery<'_>) -> Result<(), Trouble> {
        let mut value = Vec::new();
        self.encoder
            .encode(&codec::DELIVERY, delivery, &mut value)
            .map_err(|e| Trouble::new(ConnectProblem::Log, "writing a delivery", e))?;
        let route = delivery.route.to_owned();
        metrics::counter!(names::DELIVERIES, "route" => route, "state" => delivery.state.to_owned()).increment(1);
        self.outgoing.push(Outgoing {
            topic: self.deliveries.0.clone(),
            partition: partition_of(delivery.job_id.as_bytes(), self.deliveries.1),
            timestamp_ms: delivery.at_ms,
            key: Some(Bytes::copy_from_slice(delivery.job_id.as_bytes())),
            value: Some(Bytes::from(value)),
            headers: Vec::new(),
        });
        Ok(())
    }

    /// A record that is no value of its topic becomes a dead letter with the next commit.
    pub(super) fn reject(&mut self, from: &TopicPartition, record: LogRecord, cause: &str) {
        let code = ConnectProblem::Unreadable.code();
        tracing::warn!(code, %from, offset = record.offset, cause, "A record is not readable; it is a dead letter.");
        metrics::counter!(names::RECORDS_REJECTED, "code" => code, "stage" => "decode").increment(1);
        let mut headers = record.headers;
        for (name, value) in [
            (DEAD_LETTER_TOPIC, self.topic.to_owned()),
            (DEAD_LETTER_PARTITION, from.partition.to_string()),
            (DEAD_LETTER_OFFSET, record.offset.to_string()),
            (DEAD_LETTER_TIMESTAMP, record.timestamp_ms.to_string()),
            (DEAD_LETTER_STAGE, "decode".to_owned()),
            (DEAD_LETTER_CODE, code.to_owned()),
            (DEAD_LETTER_MESSAGE, cause.to_owned()),
        ] {
            headers.push(Header { name: Arc::from(name), value: Bytes::from(value) });
        }
        self.outgoing.push(Outgoing {
            topic: self.dead_letters.0.clone(),
            partition: from.partition % self.dead_letters.1,
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            value: record.value,
            headers,
        });
    }

    /// What was told and rejected, with the positions, all or none. Without positions there must be nothing to write.
    pub(super) fn commit(&mut self, positions: &[(TopicPartition, Offset)]) -> Result<(), Trouble> {
        if positions.is_empty() {
            return Ok(());
        }
        let membership = self.consumer.membership()?;
        self.producer.begin()?;
        for outgoing in self.outgoing.drain(..) {
            self.producer.send(&OutgoingRecord {
                topic: &outgoing.topic,
                partition: outgoing.partition,
                timestamp_ms: outgoing.timestamp_ms,
                key: outgoing.key.as_deref(),
                value: outgoing.value.as_deref(),
                headers: &outgoing.headers,
            })?;
        }
        self.producer.drain(PATIENCE)?;
        self.producer.send_offsets(positions, &membership)?;
        Ok(self.producer.commit()?)
    }
}
