//! The `Log` seam: what the engine asks of Kafka, and nothing more.
//!
//! Two implementations pass one conformance suite: [`embedded`], an in-process log with the same transactional
//! semantics, and [`kafka`], a real cluster. A worker uses one [`GroupConsumer`], one [`TransactionalProducer`] and one
//! [`PartitionReader`], all on its own thread.

pub mod conformance;
pub mod embedded;
pub mod kafka;
mod partition_reads;
mod whole_topic;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use partition_reads::{read_partition, record_at};
pub use whole_topic::read_whole_topic;

/// Position of a record in its partition. Offsets rise, with gaps where control records stand.
pub type Offset = i64;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// 0-based number of the partition.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Name.
    pub name: Arc<str>,
    /// Value, most often UTF-8 text.
    pub value: Bytes,
}

/// A record as read from a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Where it stands.
    pub offset: Offset,
    /// Milliseconds since the epoch, set by its producer.
    pub timestamp_ms: i64,
    /// Key; `None` when the producer gave none.
    pub key: Option<Bytes>,
    /// Value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// A record to be written.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRecord<'a> {
    /// Topic.
    pub topic: &'a Arc<str>,
    /// Partition, chosen by the engine.
    pub partition: i32,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in order.
    pub headers: &'a [Header],
}

/// What a failed call means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogErrorKind {
    /// The same call may be made again with the same arguments.
    Retriable,
    /// The transaction must be aborted; the producer stays usable.
    MustAbort,
    /// The producer is fenced, or what became of the transaction is unknown: build a new producer and read the truth again.
    Rebuild,
    /// The record is larger than the log accepts; nothing was sent.
    TooLarge,
    /// This consumer is not (or no longer) a member of its group with a generation: it must not commit.
    NotMember,
    /// The log cannot be reached for now.
    Unavailable,
    /// The topic or partition does not exist.
    UnknownTopic,
    /// Configuration or usage that no repetition mends.
    Fatal,
    /// Simulation only: the process has died at this call.
    Crashed,
}

/// An error of the log, classified by what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct LogError {
    /// What to do about it.
    pub kind: LogErrorKind,
    /// What happened, without any record's content.
    pub message: String,
}

impl LogError {
    /// An error of `kind` with a message that says what was attempted and what the log answered.
    pub fn new(kind: LogErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Result of a call to the log.
pub type LogResult<T> = Result<T, LogError>;

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Name.
    pub name: Arc<str>,
    /// Number of partitions.
    pub partitions: i32,
    /// Copies on a cluster; the embedded log ignores it.
    pub replication: i32,
    /// Topic settings by Kafka's names, such as `cleanup.policy`.
    pub settings: Vec<(String, String)>,
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Name.
    pub name: Arc<str>,
    /// Number of partitions.
    pub partitions: i32,
    /// The identity a topic keeps from its creation to its deletion, so that a recreated topic is noticed. Empty when the log tells none.
    pub id: String,
}

/// How a worker joins its group.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// Group, which is the application id.
    pub group: String,
    /// Static member name: `<application>-<instance>-<worker>`.
    pub instance: String,
    /// All source and repartition topics.
    pub topics: Vec<Arc<str>>,
    /// How long a silent member keeps its partitions.
    pub session_timeout: Duration,
    /// Bytes that may be fetched ahead of the worker.
    pub fetch_ahead_bytes: usize,
}

/// What is promised of a record's effects when something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarantee {
    /// Each record takes effect once: outputs, changelogs and positions are one transaction.
    #[default]
    ExactlyOnce,
    /// No record is lost, some take effect again: writes are visible at once and stand, the positions follow.
    AtLeastOnce,
}

/// How a worker writes.
#[derive(Debug, Clone)]
pub struct ProducerSettings {
    /// Whether the producer writes in transactions.
    pub guarantee: Guarantee,
    /// `<application>-<instance>-<worker>`; a newer producer of the same id fences the older one. Without transactions it
    /// is a name only.
    pub transactional_id: String,
    /// After this long the log aborts an open transaction. Without transactions: after this long an undelivered record
    /// is given up.
    pub transaction_timeout: Duration,
    /// How many partitions a transaction is expected to touch; sets the linger.
    pub expected_partitions: usize,
    /// Largest record in bytes, key, value and headers together.
    pub max_record_bytes: usize,
    /// Bytes that may wait in the client.
    pub queue_bytes: usize,
}

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Committed records only, up to the last stable offset.
    ReadCommitted,
    /// Everything, open and aborted transactions included.
    ReadUncommitted,
}

/// Proof of membership, sent along with the offsets so that the log can fence a member that lost its partitions.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Generation (member epoch); never negative.
    pub generation: i32,
    /// Member id; never empty.
    pub member: String,
    /// What the implementation needs to pass it on.
    pub(crate) token: MembershipToken,
}

/// The implementation's own form of a membership.
#[derive(Debug, Clone)]
pub(crate) enum MembershipToken {
    /// The embedded log needs nothing more.
    Embedded,
    /// A handle of the Kafka client.
    Kafka(kafka::GroupMetadata),
}

/// What a group consumer's poll brings.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// These partitions are now this member's. Nothing is read from them until [`GroupConsumer::fetch_from`].
    Assigned(Vec<TopicPartition>),
    /// These partitions go to another member: finish, commit, then answer with [`GroupConsumer::release`].
    /// When `lost` they are another's already: abort.
    Revoked {
        /// What is taken.
        partitions: Vec<TopicPartition>,
        /// Whether it is taken already.
        lost: bool,
    },
    /// Records of one partition in order.
    Records {
        /// Where they stand.
        from: TopicPartition,
        /// At least one.
        records: Vec<LogRecord>,
    },
    /// The position asked for does not exist (any more).
    OutOfRange(TopicPartition),
}

/// A member of a consumer group, reading committed records.
pub trait GroupConsumer: Send {
    /// Waits up to `timeout` for events; an empty answer is usual. At most about `max_records` records.
    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ConsumerEvent>>;
    /// Starts (or moves) reading of assigned partitions at these offsets. Records polled before are not repeated.
    fn fetch_from(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()>;
    /// Stops reading of assigned partitions until [`Self::fetch_from`]. What was read and not polled is not handed out.
    fn hold(&mut self, partitions: &[TopicPartition]) -> LogResult<()>;
    /// The group's committed positions, waiting out transactions that have not yet decided. `None`: nothing committed.
    fn committed(&mut self, partitions: &[TopicPartition], timeout: Duration) -> LogResult<Vec<Option<Offset>>>;
    /// The lowest offset that exists.
    fn earliest(&mut self, partition: &TopicPartition, timeout: Duration) -> LogResult<Offset>;
    /// The answer to [`ConsumerEvent::Revoked`].
    fn release(&mut self, partitions: &[TopicPartition]) -> LogResult<()>;
    /// Proof of membership as of now; [`LogErrorKind::NotMember`] when there is none.
    fn membership(&mut self) -> LogResult<Membership>;
    /// Commits the group's new positions outside transactions, fenced by this member's generation:
    /// [`LogErrorKind::NotMember`] without one, [`LogErrorKind::MustAbort`] when the group has moved on without this
    /// member. After any other error it is unknown what was committed. An empty list is refused as [`LogErrorKind::Fatal`].
    fn commit(&mut self, positions: &[(TopicPartition, Offset)]) -> LogResult<()>;
    /// Leaves cleanly: partitions are revoked through further polls, then the member is gone. With static membership
    /// `keep_assignment` closes without leaving, so that a restart finds its partitions again.
    fn close(&mut self, keep_assignment: bool) -> LogResult<()>;
}

/// A transactional producer. One made for [`Guarantee::AtLeastOnce`] is idempotent and fences nobody: its records are
/// visible once acknowledged, `begin` and `commit` only mark off what `drain` and `acknowledged` speak of, `send_offsets`
/// is refused, and `abort` waits for what is under way and answers [`LogErrorKind::Rebuild`], since what was written stands.
pub trait TransactionalProducer: Send {
    /// Fences older producers of the same id, and finishes or aborts what they left open. Once, first.
    fn init(&mut self, timeout: Duration) -> LogResult<()>;
    /// Begins a transaction.
    fn begin(&mut self) -> LogResult<()>;
    /// Queues a record, waiting while the queue is full. A failed delivery shows in [`Self::drain`].
    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()>;
    /// Waits until every record is acknowledged.
    fn drain(&mut self, timeout: Duration) -> LogResult<()>;
    /// The highest offset acknowledged in this transaction for a partition, after [`Self::drain`].
    fn acknowledged(&self, topic: &Arc<str>, partition: i32) -> Option<Offset>;
    /// Adds the group's new positions to the transaction. An empty list is refused as [`LogErrorKind::Fatal`],
    /// since the log would not fence it.
    fn send_offsets(&mut self, offsets: &[(TopicPartition, Offset)], membership: &Membership) -> LogResult<()>;
    /// Commits. `Ok` is certain. [`LogErrorKind::MustAbort`]: certainly not. Anything else is unknown: [`LogErrorKind::Rebuild`].
    fn commit(&mut self) -> LogResult<()>;
    /// Aborts.
    fn abort(&mut self) -> LogResult<()>;
}

/// What a reader's poll brings.
#[derive(Debug)]
pub enum ReaderEvent {
    /// Records of one partition in order.
    Records {
        /// Where they stand.
        from: TopicPartition,
        /// At least one.
        records: Vec<LogRecord>,
    },
    /// Nothing more to see for now: the reader stands at `offset` (the last stable offset when reading committed).
    /// Raised again whenever the reader catches up again.
    End {
        /// The partition.
        from: TopicPartition,
        /// Its end.
        offset: Offset,
    },
    /// The position asked for does not exist (any more).
    OutOfRange(TopicPartition),
}

/// Reads partitions outside any group: restore, queries by offset, verification.
pub trait PartitionReader: Send {
    /// Says which topics will be read, so that a log with something to find out about them can begin with it; waits for nothing.
    fn expect(&mut self, topics: &[Arc<str>]) -> LogResult<()>;
    /// Adds a partition, or moves it.
    fn assign(&mut self, partition: &TopicPartition, from: Offset) -> LogResult<()>;
    /// Removes a partition.
    fn unassign(&mut self, partition: &TopicPartition) -> LogResult<()>;
    /// Waits up to `timeout` for events.
    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ReaderEvent>>;
    /// Lowest existing offset, and the offset behind the last record, open transactions included.
    fn watermarks(&mut self, partition: &TopicPartition, timeout: Duration) -> LogResult<(Offset, Offset)>;
    /// The watermarks of several partitions in their order. A log that can asks for all of them at once.
    fn watermarks_of_all(
        &mut self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> LogResult<Vec<(Offset, Offset)>> {
        partitions.iter().map(|partition| self.watermarks(partition, timeout)).collect()
    }
}

/// Writes outside transactions: idempotent, in order. For producers at the edge.
pub trait Publisher: Send {
    /// Queues a record, waiting while the queue is full.
    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()>;
    /// Waits until every record is acknowledged; an error names the first failure.
    fn flush(&mut self, timeout: Duration) -> LogResult<()>;
}

/// A log: topics with partitions, groups and transactions.
pub trait Log: Send + Sync {
    /// The topics there are, internal ones of the log itself left out.
    fn topics(&self) -> LogResult<Vec<TopicDescription>>;
    /// The identities of these topics in their order, as [`TopicDescription::id`]; empty for one that does not exist.
    fn topic_ids(&self, topics: &[Arc<str>]) -> LogResult<Vec<String>>;
    /// Creates topics; one that exists already is left as it is.
    fn create_topics(&self, topics: &[TopicSpec]) -> LogResult<()>;
    /// Joins a group.
    fn group_consumer(&self, settings: &GroupSettings) -> LogResult<Box<dyn GroupConsumer>>;
    /// A transactional producer, not yet initialised.
    fn transactional_producer(&self, settings: &ProducerSettings) -> LogResult<Box<dyn TransactionalProducer>>;
    /// A reader outside any group.
    fn reader(&self, isolation: Isolation) -> LogResult<Box<dyn PartitionReader>>;
    /// A producer outside transactions.
    fn publisher(&self) -> LogResult<Box<dyn Publisher>>;
}
