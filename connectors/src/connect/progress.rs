//! How far the records of each partition are done, and how far that may be committed.

use std::collections::BTreeMap;

use concord_engine::log::{Offset, TopicPartition};

use super::assembly::Assembly;

/// See the module.
#[derive(Default)]
pub(super) struct Progress {
    /// The offset behind the last record that is done.
    next: BTreeMap<TopicPartition, Offset>,
    committed: BTreeMap<TopicPartition, Offset>,
}

impl Progress {
    /// Partitions are read from these positions on.
    pub(super) fn came(&mut self, positions: Vec<(TopicPartition, Offset)>) {
        self.next.extend(positions);
    }

    /// A record is done.
    pub(super) fn done(&mut self, partition: &TopicPartition, offset: Offset) {
        self.next.insert(partition.clone(), offset + 1);
    }

    /// Records from `first` on are not done, and will be read again.
    pub(super) fn hold(&mut self, partition: &TopicPartition, first: Offset) {
        self.next.entry(partition.clone()).and_modify(|next| *next = first.min(*next));
    }

    /// A partition is no longer read here.
    pub(super) fn leave(&mut self, partition: &TopicPartition) {
        self.next.remove(partition);
        self.committed.remove(partition);
    }

    /// The positions to commit: those that have moved, or all of them where something is to be written with them.
    pub(super) fn due(&self, assembly: &Assembly, all: bool) -> Vec<(TopicPartition, Offset)> {
        let mut due = Vec::new();
        for (partition, next) in &self.next {
            let position = assembly.position(partition.partition, *next);
            if all || self.committed.get(partition) != Some(&position) {
                due.push((partition.clone(), position));
            }
        }
        due
    }

    /// These are committed.
    pub(super) fn committed(&mut self, positions: Vec<(TopicPartition, Offset)>) {
        self.committed.extend(positions);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::connect::assembly::Place;

    fn partition() -> TopicPartition {
        TopicPartition::new("list-reconciliation.file", 0)
    }

    #[test]
    fn what_is_not_done_is_never_committed() {
        let (mut progress, mut assembly) = (Progress::default(), Assembly::default());
        progress.came(vec![(partition(), 5)]);
        let at = Place { partition: 0, offset: 5, timestamp_ms: 0 };
        assembly.begin(at, "a", "j", "a", tempfile::tempfile().unwrap());
        progress.done(&partition(), 5);
        progress.done(&partition(), 6);
        assert_eq!(progress.due(&assembly, true), [(partition(), 5)], "a file began at 5 and is not whole");
        let file = assembly.finish(0, "a").unwrap();
        assert_eq!(progress.due(&assembly, false), [(partition(), 7)]);
        progress.hold(&partition(), file.first);
        assert_eq!(progress.due(&assembly, false), [(partition(), 5)], "it could not be handed over");
        progress.leave(&partition());
        assert!(progress.due(&assembly, true).is_empty());
    }

    #[test]
    fn a_position_that_has_not_moved_is_committed_only_with_something_else() {
        let (mut progress, assembly) = (Progress::default(), Assembly::default());
        progress.came(vec![(partition(), 5)]);
        progress.committed(vec![(partition(), 5)]);
        assert!(progress.due(&assembly, false).is_empty());
        assert_eq!(progress.due(&assembly, true), [(partition(), 5)]);
    }
}
