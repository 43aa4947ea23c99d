//! How far the instances have read what was published.

use std::time::Duration;

use concord_flows::sequence_audit::topology::GP_LINKS_INTERCHANGE;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::instance::APPLICATION;
use crate::{Outcome, PARTITIONS};

const PATIENCE: Duration = Duration::from_secs(30);

/// Looks at the positions of the instances' group without being a member.
pub struct Progress(BaseConsumer);

impl Progress {
    pub fn of(bootstrap: &str) -> Outcome<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap).set("group.id", APPLICATION).set("enable.auto.commit", "false");
        config.create().map(Self).map_err(|e| format!("making a Kafka client: {e}"))
    }

    /// Whether so many records of each partition are processed and committed.
    pub fn has_come_to(&self, sent: [i64; PARTITIONS as usize]) -> Outcome<bool> {
        let mut list = TopicPartitionList::new();
        list.add_partition_range(GP_LINKS_INTERCHANGE, 0, PARTITIONS - 1);
        let positions = match self.0.committed_offsets(list, PATIENCE) {
            Ok(positions) => positions,
            // A group that begins meets a coordinator that is not ready.
            Err(KafkaError::MetadataFetch(_)) => return Ok(false),
            Err(error) => return Err(format!("reading the positions of the instances: {error}")),
        };
        Ok(sent.iter().enumerate().all(|(partition, sent)| {
            let position = positions.find_partition(GP_LINKS_INTERCHANGE, partition as i32);
            *sent == 0 || position.is_some_and(|position| position.offset() == Offset::Offset(*sent))
        }))
    }
}
