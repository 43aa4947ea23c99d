//! The invariants of exactly-once processing, written once: asserted in debug builds, and used by the tests.
//!
//! - I1: the state on disk holds only data of committed transactions.
//! - I2: a stored changelog position is at most what was applied; changelog values are whole, so replay repeats harmlessly.
//! - I3: a task processes only after its changelogs were replayed to the end taken after its committed positions.
//! - I4: input positions come only from the group.
//! - I5: outputs, changelogs, dead letters and positions of all tasks of a worker are in one transaction.
//! - I6: one live writer per task: membership is checked by every commit.
//! - I7: nobody assumes the outcome of a transaction whose outcome is unknown.

use crate::log::{Offset, TopicPartition};

/// I5, I6: the log fences a commit by the positions in it; without positions it would not.
pub fn transaction_names_positions(offsets: &[(TopicPartition, Offset)]) {
    debug_assert!(!offsets.is_empty(), "I6: a transaction without positions is not fenced");
    debug_assert!(offsets.iter().all(|(_, offset)| *offset >= 0), "I4: a position below zero");
}

/// I3: replay ends at or behind the target.
pub fn restored_to_the_end(position: Offset, target: Offset) {
    debug_assert!(position >= target, "I3: replay stopped at {position}, before {target}");
}
