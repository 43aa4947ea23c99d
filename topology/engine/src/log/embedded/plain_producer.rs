//! The producer of an at-least-once worker: no transactions and no fencing, so that what is sent is visible and stands.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::super::{
    LogError, LogErrorKind, LogResult, Membership, Offset, OutgoingRecord, ProducerSettings, TopicPartition,
    TransactionalProducer,
};
use super::broker::{Shared, Slot};
use super::faults::Call;
use super::process::Process;
use super::producer::{accepting_slot, size_of, stored_form, too_large};

pub(super) struct EmbeddedPlainProducer {
    shared: Arc<Shared>,
    process: Process,
    settings: ProducerSettings,
    has_begun: bool,
    acknowledged: HashMap<Slot, Offset>,
    delivery_failed: bool,
}

impl EmbeddedPlainProducer {
    pub(super) fn new(shared: Arc<Shared>, process: Process, settings: ProducerSettings) -> Self {
        Self { shared, process, settings, has_begun: false, acknowledged: HashMap::new(), delivery_failed: false }
    }

    fn call<T>(&mut self, call: Call, act: impl FnOnce(&mut Self) -> LogResult<T>) -> LogResult<T> {
        let process = self.process.clone();
        process.call(call, || act(self))
    }

    fn must_have_begun(&self, attempted: &str) -> LogResult<()> {
        if self.has_begun {
            return Ok(());
        }
        let id = &self.settings.transactional_id;
        Err(LogError::new(LogErrorKind::Fatal, format!("{attempted} of {id} in the wrong order: begin first")))
    }

    fn send_now(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        self.must_have_begun("send")?;
        let size = size_of(record);
        if size > self.settings.max_record_bytes {
            return Err(too_large(record, size, self.settings.max_record_bytes));
        }
        if self.process.loses_delivery() {
            self.delivery_failed = true;
            return Ok(());
        }
        let acknowledged = &mut self.acknowledged;
        self.shared.with(|broker, _| {
            let slot = accepting_slot(broker, record, size)?;
            let (offset, _) = broker.partition_mut(slot).append(stored_form(record), None);
            broker.wake_all();
            acknowledged.insert(slot, offset);
            Ok(())
        })
    }
}

impl TransactionalProducer for EmbeddedPlainProducer {
    fn init(&mut self, _timeout: Duration) -> LogResult<()> {
        self.call(Call::Init, |_| Ok(()))
    }

    fn begin(&mut self) -> LogResult<()> {
        self.call(Call::Begin, |producer| {
            producer.has_begun = true;
            producer.acknowledged.clear();
            producer.delivery_failed = false;
            Ok(())
        })
    }

    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        self.call(Call::Send, |producer| producer.send_now(record))
    }

    fn drain(&mut self, _timeout: Duration) -> LogResult<()> {
        self.call(Call::Drain, |producer| {
            producer.must_have_begun("drain")?;
            if producer.delivery_failed {
                let message = "a record was not delivered: abort, and process its input again";
                return Err(LogError::new(LogErrorKind::MustAbort, message));
            }
            Ok(())
        })
    }

    fn acknowledged(&self, topic: &Arc<str>, partition: i32) -> Option<Offset> {
        let slot = self.shared.with(|broker, _| broker.slot(topic, partition)).ok()?;
        self.acknowledged.get(&slot).copied()
    }

    fn send_offsets(&mut self, _offsets: &[(TopicPartition, Offset)], _membership: &Membership) -> LogResult<()> {
        self.call(Call::SendOffsets, |_| {
            let message = "send_offsets without transactions: commit the positions with the group consumer";
            Err(LogError::new(LogErrorKind::Fatal, message))
        })
    }

    fn commit(&mut self) -> LogResult<()> {
        self.call(Call::Commit, |producer| {
            producer.must_have_begun("commit")?;
            producer.has_begun = false;
            Ok(())
        })
    }

    fn abort(&mut self) -> LogResult<()> {
        self.call(Call::Abort, |producer| {
            producer.has_begun = false;
            let message = "without transactions what was written stands: build a new producer and read the truth again";
            Err(LogError::new(LogErrorKind::Rebuild, message))
        })
    }
}
