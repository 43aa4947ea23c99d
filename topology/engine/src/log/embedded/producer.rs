//! The two producers: one that writes in transactions, one for the edge that does not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;

use super::super::{
    LogError, LogErrorKind, LogRecord, LogResult, Membership, Offset, OutgoingRecord, ProducerSettings, Publisher,
    TopicPartition, TransactionalProducer,
};
use super::broker::{Broker, Shared, Slot};
use super::faults::Call;
use super::process::Process;
use super::transactions::ProducerSession;

pub(super) struct EmbeddedProducer {
    shared: Arc<Shared>,
    process: Process,
    settings: ProducerSettings,
    phase: Phase,
    /// Records that wait in the client because the coordinator still completes the transaction before.
    queue: VecDeque<(Slot, LogRecord)>,
    acknowledged: HashMap<Slot, Offset>,
    delivery_failed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    New,
    Ready(ProducerSession),
    InTransaction(ProducerSession),
    /// A call has found the transaction beyond rescue; only `abort` is left.
    MustAbort(ProducerSession),
    /// Fenced, or with an unknown outcome behind it; nothing is left.
    Broken,
}

impl EmbeddedProducer {
    pub(super) fn new(shared: Arc<Shared>, process: Process, settings: ProducerSettings) -> LogResult<Self> {
        if settings.transactional_id.is_empty() {
            let message = "a transactional producer needs a transactional id: set one";
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        Ok(Self {
            shared,
            process,
            settings,
            phase: Phase::New,
            queue: VecDeque::new(),
            acknowledged: HashMap::new(),
            delivery_failed: false,
        })
    }

    /// Makes a call and remembers what its failure means for the calls to come.
    fn call<T>(&mut self, call: Call, act: impl FnOnce(&mut Self) -> LogResult<T>) -> LogResult<T> {
        let process = self.process.clone();
        let outcome = process.call(call, || act(self));
        if let Err(error) = &outcome {
            self.phase = match (error.kind, self.phase) {
                (LogErrorKind::Rebuild, _) => Phase::Broken,
                (LogErrorKind::MustAbort, Phase::InTransaction(session)) => Phase::MustAbort(session),
                (LogErrorKind::Retriable, Phase::Ready(_)) if call == Call::Init => Phase::New,
                (_, unchanged) => unchanged,
            };
        }
        outcome
    }

    fn session_in_transaction(&self, attempted: &str) -> LogResult<ProducerSession> {
        match self.phase {
            Phase::InTransaction(session) => Ok(session),
            Phase::MustAbort(_) => {
                let message = format!("{attempted} after the transaction has failed: abort it");
                Err(LogError::new(LogErrorKind::MustAbort, message))
            }
            Phase::New | Phase::Ready(_) | Phase::Broken => Err(self.misuse(attempted)),
        }
    }

    fn misuse(&self, attempted: &str) -> LogError {
        let id = &self.settings.transactional_id;
        match self.phase {
            Phase::Broken => {
                let message = format!("{attempted} on a producer of {id} that is no longer usable: build a new one");
                LogError::new(LogErrorKind::Rebuild, message)
            }
            phase => {
                let message = format!("{attempted} of {id} in the wrong order (producer is in phase {phase:?})");
                LogError::new(LogErrorKind::Fatal, message)
            }
        }
    }

    fn init_now(&mut self, timeout: Duration) -> LogResult<()> {
        if !matches!(self.phase, Phase::New) {
            return Err(self.misuse("init"));
        }
        let timeout_ms = i64::try_from(self.settings.transaction_timeout.as_millis()).unwrap_or(i64::MAX);
        let id = &self.settings.transactional_id;
        let session =
            self.shared.wait(timeout, false, |broker, now_ms| broker.init_producer(id, timeout_ms, now_ms).ok());
        let Some(session) = session else {
            let message = format!("transactional id {id} still completes its transaction before: repeat");
            return Err(LogError::new(LogErrorKind::Retriable, message));
        };
        self.phase = Phase::Ready(session);
        Ok(())
    }

    fn begin_now(&mut self) -> LogResult<()> {
        let Phase::Ready(session) = self.phase else { return Err(self.misuse("begin")) };
        self.acknowledged.clear();
        self.queue.clear();
        self.delivery_failed = false;
        self.phase = Phase::InTransaction(session);
        Ok(())
    }

    fn send_now(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        let session = self.session_in_transaction("send")?;
        let size = size_of(record);
        if size > self.settings.max_record_bytes {
            return Err(too_large(record, size, self.settings.max_record_bytes));
        }
        let stored = stored_form(record);
        if self.process.loses_delivery() {
            self.delivery_failed = true;
            return Ok(());
        }
        let (queue, acknowledged) = (&mut self.queue, &mut self.acknowledged);
        self.shared.with(|broker, now_ms| {
            let slot = accepting_slot(broker, record, size)?;
            if !queue.is_empty() || broker.is_completing(session)? {
                queue.push_back((slot, stored));
                return Ok(());
            }
            let offset = broker.append_in_transaction(session, slot, stored, now_ms)?;
            acknowledged.insert(slot, offset);
            Ok(())
        })
    }

    fn drain_now(&mut self, timeout: Duration) -> LogResult<()> {
        let session = self.session_in_transaction("drain")?;
        let (queue, acknowledged) = (&mut self.queue, &mut self.acknowledged);
        let drained = self.shared.wait(timeout, false, |broker, now_ms| match broker.is_completing(session) {
            Ok(true) if !queue.is_empty() => None,
            Ok(_) => {
                while let Some((slot, record)) = queue.pop_front() {
                    match broker.append_in_transaction(session, slot, record, now_ms) {
                        Ok(offset) => acknowledged.insert(slot, offset),
                        Err(error) => return Some(Err(error)),
                    };
                }
                Some(Ok(()))
            }
            Err(error) => Some(Err(error)),
        });
        let Some(drained) = drained else {
            let id = &self.settings.transactional_id;
            let message = format!("records of {id} wait for the transaction before to be completed: repeat");
            return Err(LogError::new(LogErrorKind::Retriable, message));
        };
        drained?;
        if self.delivery_failed {
            let message = "a record was not delivered: abort the transaction";
            return Err(LogError::new(LogErrorKind::MustAbort, message));
        }
        Ok(())
    }

    fn send_offsets_now(&mut self, offsets: &[(TopicPartition, Offset)], membership: &Membership) -> LogResult<()> {
        let session = self.session_in_transaction("send_offsets")?;
        if offsets.is_empty() {
            let message =
                "send_offsets was given no offsets, which the log would not fence: send every task's position";
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        if membership.generation < 0 || membership.member.is_empty() {
            let message = "send_offsets was given a membership without member or generation: poll until there is one";
            return Err(LogError::new(LogErrorKind::NotMember, message));
        }
        self.shared.with(|broker, now_ms| broker.add_offsets(session, offsets, membership, now_ms))
    }

    fn commit_now(&mut self) -> LogResult<()> {
        let session = self.session_in_transaction("commit")?;
        if self.delivery_failed || !self.queue.is_empty() {
            let message = "commit with records that are not delivered: abort, and drain before a commit";
            return Err(LogError::new(LogErrorKind::MustAbort, message));
        }
        self.shared.with(|broker, now_ms| broker.end_transaction(session, true, now_ms))?;
        self.phase = Phase::Ready(session);
        Ok(())
    }

    fn abort_now(&mut self) -> LogResult<()> {
        let (Phase::InTransaction(session) | Phase::MustAbort(session)) = self.phase else {
            return Err(self.misuse("abort"));
        };
        self.shared.with(|broker, now_ms| broker.end_transaction(session, false, now_ms))?;
        self.phase = Phase::Ready(session);
        Ok(())
    }
}

impl TransactionalProducer for EmbeddedProducer {
    fn init(&mut self, timeout: Duration) -> LogResult<()> {
        self.call(Call::Init, |producer| producer.init_now(timeout))
    }

    fn begin(&mut self) -> LogResult<()> {
        self.call(Call::Begin, Self::begin_now)
    }

    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        self.call(Call::Send, |producer| producer.send_now(record))
    }

    fn drain(&mut self, timeout: Duration) -> LogResult<()> {
        self.call(Call::Drain, |producer| producer.drain_now(timeout))
    }

    fn acknowledged(&self, topic: &Arc<str>, partition: i32) -> Option<Offset> {
        let slot = self.shared.with(|broker, _| broker.slot(topic, partition)).ok()?;
        self.acknowledged.get(&slot).copied()
    }

    fn send_offsets(&mut self, offsets: &[(TopicPartition, Offset)], membership: &Membership) -> LogResult<()> {
        self.call(Call::SendOffsets, |producer| producer.send_offsets_now(offsets, membership))
    }

    fn commit(&mut self) -> LogResult<()> {
        self.call(Call::Commit, Self::commit_now)
    }

    fn abort(&mut self) -> LogResult<()> {
        self.call(Call::Abort, Self::abort_now)
    }
}

pub(super) struct EmbeddedPublisher {
    shared: Arc<Shared>,
    process: Process,
    delivery_failed: bool,
}

impl EmbeddedPublisher {
    pub(super) fn new(shared: Arc<Shared>, process: Process) -> Self {
        Self { shared, process, delivery_failed: false }
    }
}

impl Publisher for EmbeddedPublisher {
    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        let process = self.process.clone();
        process.call(Call::Publish, || {
            if process.loses_delivery() {
                self.delivery_failed = true;
                return Ok(());
            }
            let stored = stored_form(record);
            self.shared.with(|broker, _| {
                let slot = accepting_slot(broker, record, size_of(record))?;
                broker.partition_mut(slot).append(stored, None);
                broker.wake_all();
                Ok(())
            })
        })
    }

    fn flush(&mut self, _timeout: Duration) -> LogResult<()> {
        let process = self.process.clone();
        process.call(Call::Flush, || {
            if std::mem::take(&mut self.delivery_failed) {
                let message = "a record was not delivered: send everything since the last flush again";
                return Err(LogError::new(LogErrorKind::Unavailable, message));
            }
            Ok(())
        })
    }
}

/// Key, value and headers in bytes.
pub(super) fn size_of(record: &OutgoingRecord<'_>) -> usize {
    let headers: usize = record.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers
}

/// Where the record goes, if its topic accepts it.
pub(super) fn accepting_slot(broker: &Broker, record: &OutgoingRecord<'_>, size: usize) -> LogResult<Slot> {
    let slot = broker.slot(record.topic, record.partition)?;
    let topic = &broker.topics[slot.topic];
    if size > topic.largest_record_bytes {
        return Err(too_large(record, size, topic.largest_record_bytes));
    }
    if topic.compacted && record.key.is_none() {
        let message = format!("a record without a key was sent to the compacted topic {}: give it a key", topic.name);
        return Err(LogError::new(LogErrorKind::Fatal, message));
    }
    Ok(slot)
}

/// The record as the log keeps it, key and value in one allocation; its offset is set when it is appended.
pub(super) fn stored_form(record: &OutgoingRecord<'_>) -> LogRecord {
    let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
    let mut payload = Vec::with_capacity(key.len() + value.len());
    payload.extend_from_slice(key);
    payload.extend_from_slice(value);
    let payload = Bytes::from(payload);
    LogRecord {
        offset: 0,
        timestamp_ms: record.timestamp_ms,
        key: record.key.map(|key| payload.slice(..key.len())),
        value: record.value.map(|_| payload.slice(key.len()..)),
        headers: record.headers.to_vec(),
    }
}

pub(super) fn too_large(record: &OutgoingRecord<'_>, size: usize, limit: usize) -> LogError {
    let (topic, partition) = (record.topic, record.partition);
    let message = format!("a record of {size} bytes for {topic}[{partition}] is over the limit of {limit} bytes");
    LogError::new(LogErrorKind::TooLarge, message)
}
