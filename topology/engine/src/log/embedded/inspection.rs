//! What a test or an operator may ask of the log, and do to it, beside the seam.

use std::collections::BTreeMap;

use super::super::{Isolation, LogRecord, LogResult, Offset, TopicPartition};
use super::EmbeddedLog;
use super::broker::{Broker, Slot};
use super::transactions::{MarkerDestination, UnfinishedTransaction};

impl EmbeddedLog {
    /// All records of a topic with their partition, by partition and offset.
    pub fn records(&self, topic: &str, isolation: Isolation) -> LogResult<Vec<(i32, LogRecord)>> {
        self.shared.with(|broker, _| {
            let mut all = Vec::new();
            for slot in slots_of(broker, topic)? {
                let partition = broker.partition(slot);
                let mut records = Vec::new();
                // The log start is always in range.
                if partition.read(partition.log_start(), usize::MAX, isolation, &mut records).is_ok() {
                    let number = broker.name_of(slot).partition;
                    all.extend(records.into_iter().map(|record| (number, record)));
                }
            }
            Ok(all)
        })
    }

    /// Transactions that are open, or decided with markers missing.
    pub fn open_transactions(&self) -> Vec<UnfinishedTransaction> {
        self.shared.with(|broker, _| broker.unfinished_transactions())
    }

    /// The committed positions of a group; empty when there is no such group.
    pub fn group_positions(&self, group: &str) -> BTreeMap<TopicPartition, Offset> {
        self.shared.with(|broker, _| broker.groups.get(group).map(|group| group.committed.clone()).unwrap_or_default())
    }

    /// How many committed records of its topics a group has still to process. Control records do not count.
    pub fn lag(&self, group: &str) -> usize {
        self.shared.with(|broker, _| {
            let Some(group) = broker.groups.get(group) else { return 0 };
            let mut lag = 0;
            for topic in &group.topics {
                for slot in slots_of(broker, topic).unwrap_or_default() {
                    let position = group.committed.get(&broker.name_of(slot)).copied().unwrap_or(0);
                    lag += broker.partition(slot).committed_from(position);
                }
            }
            lag
        })
    }

    /// Compacts every partition of a topic: the last committed record of each key stays, at its offset. Tombstones stay
    /// too unless `remove_tombstones`.
    pub fn compact(&self, topic: &str, remove_tombstones: bool) -> LogResult<()> {
        self.shared.with(|broker, _| {
            for slot in slots_of(broker, topic)? {
                broker.partition_mut(slot).compact(remove_tombstones);
            }
            Ok(())
        })
    }

    /// Deletes the records below `offset`, as retention does. Offsets that are not yet stable stay.
    pub fn delete_before(&self, partition: &TopicPartition, offset: Offset) -> LogResult<()> {
        self.shared.with(|broker, _| {
            let slot = broker.slot(&partition.topic, partition.partition)?;
            broker.partition_mut(slot).delete_before(offset);
            broker.wake_all();
            Ok(())
        })
    }

    /// From now on decided transactions get no marker until [`Self::write_marker`] or [`Self::release_markers`].
    pub fn hold_markers(&self) {
        self.shared.with(|broker, _| broker.markers_held = true);
    }

    /// The markers that are decided and not yet written.
    pub fn pending_markers(&self) -> Vec<MarkerDestination> {
        self.shared.with(|broker, _| broker.pending_markers.iter().map(|marker| marker.destination.clone()).collect())
    }

    /// Writes one pending marker, the oldest for that destination; false when there is none.
    pub fn write_marker(&self, destination: &MarkerDestination) -> bool {
        self.shared.with(|broker, _| broker.write_pending_marker(destination))
    }

    /// Writes all pending markers and holds none any more.
    pub fn release_markers(&self) {
        self.shared.with(|broker, _| {
            broker.markers_held = false;
            broker.write_due_markers(i64::MAX);
        });
    }
}

fn slots_of(broker: &Broker, topic: &str) -> LogResult<Vec<Slot>> {
    let first = broker.slot(topic, 0)?;
    let count = broker.topics[first.topic].partitions.len();
    Ok((0..count).map(|partition| Slot { topic: first.topic, partition }).collect())
}
