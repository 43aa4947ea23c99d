//! The broker: one state behind one lock, served by whoever calls next.
//!
//! There is no thread of its own. What falls due with time (sessions, transaction time-outs, delayed markers) is done at
//! the start of the next call, and waiters wake for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;

use super::super::{LogError, LogErrorKind, LogResult, TopicPartition, TopicSpec};
use super::faults::FaultPlan;
use super::groups::Group;
use super::partition::{Partition, TransactionNumber};
use super::transactions::{PendingMarker, TransactionalId};
use crate::clock::Clock;

/// Kafka's own default of `max.message.bytes`.
const DEFAULT_LARGEST_RECORD_BYTES: usize = 1_048_588;

/// Nothing falls due.
pub(super) const NEVER: i64 = i64::MAX;

/// A partition's place in the broker; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) topic: usize,
    pub(super) partition: usize,
}

/// A topic and its partitions.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: Arc<str>,
    pub(super) partitions: Vec<Partition>,
    pub(super) compacted: bool,
    pub(super) largest_record_bytes: usize,
}

/// Everything the broker knows.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) topics: Vec<Topic>,
    topic_places: HashMap<Arc<str>, usize>,
    pub(super) groups: BTreeMap<String, Group>,
    /// Which group a member id belongs to; ids of members that are gone are gone from here too.
    pub(super) group_of_member: HashMap<String, String>,
    pub(super) members_made: u64,
    pub(super) transactional_ids: Vec<TransactionalId>,
    pub(super) transactions_made: TransactionNumber,
    pub(super) pending_markers: Vec<PendingMarker>,
    pub(super) markers_held: bool,
    pub(super) faults: FaultPlan,
    /// No session, transaction or marker is due before this.
    next_due_ms: i64,
    something_changed: bool,
    waiting: usize,
    waiting_uncommitted: usize,
}

impl Broker {
    fn new(faults: FaultPlan) -> Self {
        Self {
            topics: Vec::new(),
            topic_places: HashMap::new(),
            groups: BTreeMap::new(),
            group_of_member: HashMap::new(),
            members_made: 0,
            transactional_ids: Vec::new(),
            transactions_made: 0,
            pending_markers: Vec::new(),
            markers_held: false,
            faults,
            next_due_ms: NEVER,
            something_changed: false,
            waiting: 0,
            waiting_uncommitted: 0,
        }
    }

    /// Creates a topic unless there is one of that name.
    pub(super) fn create_topic(&mut self, spec: &TopicSpec) -> LogResult<()> {
        if self.topic_places.contains_key(&spec.name) {
            return Ok(());
        }
        let partition_count = usize::try_from(spec.partitions).unwrap_or(0);
        if partition_count == 0 {
            let message =
                format!("topic {} was asked for with {} partitions: ask for 1 or more", spec.name, spec.partitions);
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        let mut topic = Topic {
            name: Arc::clone(&spec.name),
            partitions: Vec::new(),
            compacted: false,
            largest_record_bytes: DEFAULT_LARGEST_RECORD_BYTES,
        };
        topic.partitions.resize_with(partition_count, Partition::default);
        for (name, value) in &spec.settings {
            match name.as_str() {
                "cleanup.policy" => topic.compacted = value.split(',').any(|policy| policy.trim() == "compact"),
                "max.message.bytes" => {
                    topic.largest_record_bytes = value.parse().map_err(|_| {
                        let message =
                            format!("topic {}: max.message.bytes is {value}: write a number of bytes", spec.name);
                        LogError::new(LogErrorKind::Fatal, message)
                    })?;
                }
                // Retention, compression and the like make no difference to a log that keeps everything in memory.
                _ => {}
            }
        }
        self.topic_places.insert(Arc::clone(&spec.name), self.topics.len());
        self.topics.push(topic);
        self.rebalance_subscribers_of(&spec.name);
        Ok(())
    }

    /// Where a partition is kept.
    pub(super) fn slot(&self, topic: &str, partition: i32) -> LogResult<Slot> {
        let Some(&place) = self.topic_places.get(topic) else {
            let message = format!("topic {topic} does not exist: create it first");
            return Err(LogError::new(LogErrorKind::UnknownTopic, message));
        };
        let there_are = self.topics[place].partitions.len();
        match usize::try_from(partition) {
            Ok(partition) if partition < there_are => Ok(Slot { topic: place, partition }),
            _ => {
                let message = format!("topic {topic} has no partition {partition}: it has 0 to {}", there_are - 1);
                Err(LogError::new(LogErrorKind::UnknownTopic, message))
            }
        }
    }

    /// The partition at a slot.
    pub(super) fn partition(&self, slot: Slot) -> &Partition {
        &self.topics[slot.topic].partitions[slot.partition]
    }

    /// The partition at a slot, to be changed.
    pub(super) fn partition_mut(&mut self, slot: Slot) -> &mut Partition {
        &mut self.topics[slot.topic].partitions[slot.partition]
    }

    /// The name of the partition at a slot.
    pub(super) fn name_of(&self, slot: Slot) -> TopicPartition {
        let partition = i32::try_from(slot.partition).unwrap_or(i32::MAX);
        TopicPartition::new(Arc::clone(&self.topics[slot.topic].name), partition)
    }

    /// Number of partitions of a topic; 0 when there is none of that name.
    pub(super) fn partition_count(&self, topic: &str) -> i32 {
        let count = self.topic_places.get(topic).map_or(0, |&place| self.topics[place].partitions.len());
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// Readers of committed records, or members of groups, may find something new.
    pub(super) fn wake_all(&mut self) {
        self.something_changed = true;
    }

    /// Only readers of uncommitted records may find something new.
    pub(super) fn wake_uncommitted(&mut self) {
        self.something_changed |= self.waiting_uncommitted > 0;
    }

    /// Makes sure that [`Self::serve_due`] looks at `due_ms` at the latest.
    pub(super) fn falls_due(&mut self, due_ms: i64) {
        self.next_due_ms = self.next_due_ms.min(due_ms);
    }

    /// Ends expired sessions and transactions and writes delayed markers.
    pub(super) fn serve_due(&mut self, now_ms: i64) {
        if now_ms < self.next_due_ms {
            return;
        }
        self.abort_expired_transactions(now_ms);
        self.write_due_markers(now_ms);
        self.end_expired_sessions(now_ms);
        self.next_due_ms = self.next_deadline_of_transactions().min(self.next_deadline_of_sessions());
    }
}

/// The broker as its clients hold it.
pub(super) struct Shared {
    broker: Mutex<Broker>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>, faults: FaultPlan) -> Self {
        Self { broker: Mutex::new(Broker::new(faults)), changed: Condvar::new(), clock }
    }

    /// Does one thing with the broker as of now.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Broker, i64) -> T) -> T {
        let mut broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.clock.now_ms();
        broker.serve_due(now_ms);
        let outcome = act(&mut broker, now_ms);
        self.notify(&mut broker);
        outcome
    }

    /// Tries again and again until `attempt` has an answer. `None` when there was none within `timeout`, which on a clock
    /// that does not pass by itself is after the first attempt.
    pub(super) fn wait<T>(
        &self,
        timeout: Duration,
        sees_uncommitted: bool,
        mut attempt: impl FnMut(&mut Broker, i64) -> Option<T>,
    ) -> Option<T> {
        let mut broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now_ms = self.clock.now_ms();
        let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = now_ms.saturating_add(timeout_ms);
        loop {
            broker.serve_due(now_ms);
            let answer = attempt(&mut broker, now_ms);
            self.notify(&mut broker);
            if answer.is_some() || !self.clock.passes_by_itself() || now_ms >= deadline_ms {
                return answer;
            }
            let pause_ms = deadline_ms.min(broker.next_due_ms).saturating_sub(now_ms).max(1);
            let pause = Duration::from_millis(pause_ms.unsigned_abs());
            broker.waiting += 1;
            broker.waiting_uncommitted += usize::from(sees_uncommitted);
            broker = self.changed.wait_timeout(broker, pause).unwrap_or_else(PoisonError::into_inner).0;
            broker.waiting -= 1;
            broker.waiting_uncommitted -= usize::from(sees_uncommitted);
            now_ms = self.clock.now_ms();
        }
    }

    /// Lets every waiting client look again, for what happened outside the broker.
    pub(super) fn wake_waiting(&self) {
        // With the lock, so that nobody is between looking and waiting.
        let _broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }

    fn notify(&self, broker: &mut Broker) {
        if std::mem::take(&mut broker.something_changed) && broker.waiting > 0 {
            self.changed.notify_all();
        }
    }
}
