//! Publishes to the topics that operators write: commands, and files to be run again.

use std::sync::Arc;
use std::time::Duration;

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{Log, OutgoingRecord, Publisher};
use concord_engine::partitioner::partition_of;
use concord_flows::list_reconciliation::topology::COMMAND;
use concord_schemas::codec::{self, Encoder, TopicSchema};
use concord_schemas::list_reconciliation::{Command, CommandAction};
use jiff::Timestamp;
use serde::Serialize;

use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;

/// How long the log may take to acknowledge what was sent.
const FLUSH: Duration = Duration::from_secs(60);

/// One cluster, to read from and to publish to.
pub struct Desk {
    pub log: KafkaLog,
    pub outgoing: Outgoing,
}

/// Publishes with the time of now.
pub struct Outgoing {
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
}

impl Outgoing {
    /// Publishes a value to a partition of its topic, which has the name of its schema.
    ///
    /// # Errors
    /// The log refuses it.
    pub fn publish<T: Serialize>(
        &mut self,
        schema: &'static TopicSchema,
        partition: i32,
        key: &str,
        value: &T,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        self.encoder.encode(schema, value, &mut bytes).map_err(|e| Failure::other("writing a record", e))?;
        let record = OutgoingRecord {
            topic: &Arc::from(schema.name()),
            partition,
            timestamp_ms: Timestamp::now().as_millisecond(),
            key: Some(key.as_bytes()),
            value: Some(&bytes),
            headers: &[],
        };
        self.publisher.send(&record).map_err(|e| Failure::other(format!("publishing to {}", schema.name()), e))
    }

    /// Waits until everything is there.
    ///
    /// # Errors
    /// The log does not acknowledge it.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.publisher.flush(FLUSH).map_err(|e| Failure::other("publishing", e))
    }
}

impl Desk {
    /// # Errors
    /// The cluster, or a registry that is configured, cannot be reached.
    pub fn open(config: &Config) -> Result<Self, Failure> {
        let log = cluster::connect(config)?;
        let encoder = cluster::schemas(config)?.encoder();
        let publisher = log.publisher().map_err(|e| Failure::other("opening a producer", e))?;
        Ok(Self { log, outgoing: Outgoing { publisher, encoder } })
    }

    /// How many partitions a topic has.
    ///
    /// # Errors
    /// The topic is not there.
    pub fn partitions_of(&self, topic: &str) -> Result<i32, Failure> {
        let topics = self.log.topics().map_err(|e| Failure::other("reading the topics", e))?;
        let found = topics.iter().find(|found| *found.name == *topic).map(|found| found.partitions);
        found.ok_or_else(|| {
            Failure::Usage(format!("the topic {topic} does not exist: run `concord topics apply` first"))
        })
    }

    /// Gives a command: about a job to the partition that has it, about a route to every partition.
    ///
    /// # Errors
    /// The log refuses it, or nobody gives it.
    pub fn command(&mut self, action: CommandAction, subject: &str, by: &str, reason: &str) -> Result<(), Failure> {
        if by.trim().is_empty() {
            return Err(Failure::Usage("say who gives the command: --by NAME".to_string()));
        }
        let partitions = self.partitions_of(COMMAND)?;
        let of_subject = partition_of(subject.as_bytes(), partitions);
        let at_ms = Timestamp::now().as_millisecond();
        let command = Command { action, subject, by, reason, at_ms };
        for partition in 0..partitions {
            if action != CommandAction::CleanUpJob || partition == of_subject {
                self.outgoing.publish(&codec::COMMAND, partition, subject, &command)?;
            }
        }
        self.outgoing.flush()
    }
}
