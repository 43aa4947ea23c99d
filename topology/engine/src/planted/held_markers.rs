//! [`PlantedBug::EndMarkerInMemory`](super::PlantedBug): end markers that are sent with the transaction after their own.

use std::sync::Arc;

use crate::log::{Header, LogResult, OutgoingRecord, TransactionalProducer};

/// The markers of a task that are not sent.
#[derive(Default)]
pub(crate) struct HeldMarkers {
    /// Of the transaction under way.
    new: Vec<Held>,
    /// Of those before: their inputs are committed.
    due: Vec<Held>,
}

struct Held {
    topic: Arc<str>,
    partition: i32,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<Header>,
}

impl HeldMarkers {
    pub fn hold(&mut self, record: &OutgoingRecord<'_>) {
        self.new.push(Held {
            topic: Arc::clone(record.topic),
            partition: record.partition,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.to_vec(),
        });
    }

    pub fn send(&mut self, producer: &mut dyn TransactionalProducer) -> LogResult<()> {
        for held in &self.due {
            producer.send(&OutgoingRecord {
                topic: &held.topic,
                partition: held.partition,
                timestamp_ms: held.timestamp_ms,
                key: held.key.as_deref(),
                value: held.value.as_deref(),
                headers: &held.headers,
            })?;
        }
        Ok(())
    }

    /// The transaction is committed; answers whether another one is needed.
    pub fn committed(&mut self) -> bool {
        self.due = std::mem::take(&mut self.new);
        !self.due.is_empty()
    }

    pub fn forget_new(&mut self) {
        self.new.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}
