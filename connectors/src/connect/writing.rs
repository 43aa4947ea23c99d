//! Values to the log, outside transactions: what arrives at the edge.

use std::sync::Arc;
use std::time::Duration;

use concord_engine::log::{Log, LogError, OutgoingRecord, Publisher};
use concord_engine::partitioner::partition_of;
use concord_schemas::Schemas;
use concord_schemas::codec::{CodecError, Encoder, TopicSchema};
use serde::Serialize;

use super::error::{ConnectProblem, Trouble};

/// How long the log may take to acknowledge what was sent.
const FLUSH: Duration = Duration::from_secs(60);

/// Why a value is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The topic does not exist.
    #[error("the topic {0} does not exist: run `concord topics apply` first")]
    NoTopic(&'static str),
    /// The value does not fit its schema.
    #[error("writing a record: {0}")]
    Codec(#[from] CodecError),
    /// The log refuses, or does not answer.
    #[error("publishing: {0}")]
    Log(#[from] LogError),
}

impl From<WriteError> for Trouble {
    fn from(error: WriteError) -> Self {
        Self::new(ConnectProblem::Log, "the log", error)
    }
}

/// Writes values to topics, in order, each once. A topic is called as its schema.
pub struct LogWriter {
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
    partitions: Vec<(Arc<str>, i32)>,
    value: Vec<u8>,
}

impl LogWriter {
    /// A writer to a log.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub fn open(log: &dyn Log, schemas: &Schemas) -> Result<Self, LogError> {
        let partitions = log.topics()?.into_iter().map(|topic| (topic.name, topic.partitions)).collect();
        Ok(Self { publisher: log.publisher()?, encoder: schemas.encoder(), partitions, value: Vec::new() })
    }

    /// Sends a value, or a tombstone. It is in the log when [`Self::flush`] says so.
    ///
    /// # Errors
    /// Any [`WriteError`].
    pub fn send<T: Serialize>(
        &mut self,
        schema: &'static TopicSchema,
        key: &str,
        value: Option<&T>,
        at_ms: i64,
    ) -> Result<(), WriteError> {
        let Some((topic, partitions)) = self.partitions.iter().find(|(name, _)| **name == *schema.name()) else {
            return Err(WriteError::NoTopic(schema.name()));
        };
        self.value.clear();
        if let Some(value) = value {
            self.encoder.encode(schema, value, &mut self.value)?;
        }
        self.publisher.send(&OutgoingRecord {
            topic,
            partition: partition_of(key.as_bytes(), *partitions),
            timestamp_ms: at_ms,
            key: Some(key.as_bytes()),
            value: value.is_some().then_some(&self.value[..]),
            headers: &[],
        })?;
        Ok(())
    }

    /// Waits until all that was sent is durably in the log.
    ///
    /// # Errors
    /// The log refuses, or does not answer.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.publisher.flush(FLUSH)?)
    }
}
