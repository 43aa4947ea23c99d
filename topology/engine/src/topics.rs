//! Topics as declared, and topics as they are.

use crate::log::{Log, LogResult, TopicSpec};
use crate::topology::{Cleanup, TopicDeclaration, TopicRole, Topology};

/// How long compacted topics keep tombstones. Who has read nothing for longer does not learn of deletions.
pub const TOMBSTONE_RETENTION_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Segments of changelogs. Brokers compact closed segments only, and by their default one is closed at 1 GiB: until then a small
/// store that is written often would be restored from all that was ever written to it.
const CHANGELOG_SEGMENT_BYTES: u32 = 32 << 20;

/// How a topic is, held against its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicState {
    /// It is not there.
    Missing,
    /// It is as declared.
    AsDeclared,
    /// It has another number of partitions, which no tool can change without losing the order of keys.
    WrongPartitions {
        /// How many it has.
        found: i32,
    },
}

/// Each declared topic and how it is.
///
/// # Errors
/// The log cannot be reached.
pub fn compare<'t>(log: &dyn Log, topology: &'t Topology) -> LogResult<Vec<(&'t TopicDeclaration, TopicState)>> {
    let there = log.topics()?;
    let mut compared = Vec::with_capacity(topology.topics.len());
    for declared in &topology.topics {
        let state = match there.iter().find(|t| t.name == declared.name) {
            None => TopicState::Missing,
            Some(found) if found.partitions != declared.partitions => {
                TopicState::WrongPartitions { found: found.partitions }
            }
            Some(_) => TopicState::AsDeclared,
        };
        compared.push((declared, state));
    }
    Ok(compared)
}

/// Creates the declared topics that are not there.
///
/// # Errors
/// The log cannot be reached or refuses.
pub fn create(log: &dyn Log, topology: &Topology, replication: i32) -> LogResult<()> {
    let specs: Vec<TopicSpec> = topology.topics.iter().map(|topic| spec(topic, replication)).collect();
    log.create_topics(&specs)
}

/// How a declared topic is created.
pub fn spec(topic: &TopicDeclaration, replication: i32) -> TopicSpec {
    let mut settings = Vec::new();
    match topic.cleanup {
        Cleanup::Compact => {
            settings.push(("cleanup.policy".to_string(), "compact".to_string()));
            settings.push(("delete.retention.ms".to_string(), TOMBSTONE_RETENTION_MS.to_string()));
        }
        Cleanup::DeleteAfter { retention_ms } => {
            settings.push(("cleanup.policy".to_string(), "delete".to_string()));
            settings.push(("retention.ms".to_string(), retention_ms.to_string()));
        }
    }
    if topic.role == TopicRole::Changelog {
        settings.push(("segment.bytes".to_string(), CHANGELOG_SEGMENT_BYTES.to_string()));
    }
    // A letter carries the rejected record whole, with headers of its own.
    let largest = if topic.role == TopicRole::DeadLetter { 2 << 20 } else { (1 << 20) + (64 << 10) };
    settings.push(("max.message.bytes".to_string(), largest.to_string()));
    TopicSpec { name: topic.name.clone(), partitions: topic.partitions, replication, settings }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn setting(role: TopicRole, cleanup: Cleanup, name: &str) -> Option<String> {
        let topic = TopicDeclaration { name: "t".into(), role, key: "any", schema: None, partitions: 1, cleanup };
        spec(&topic, 1).settings.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    #[test]
    fn changelogs_are_compacted_in_small_segments_and_keep_tombstones() {
        let changelog = |name| setting(TopicRole::Changelog, Cleanup::Compact, name);
        assert_eq!(changelog("cleanup.policy").as_deref(), Some("compact"));
        assert_eq!(changelog("segment.bytes").as_deref(), Some("33554432"));
        assert_eq!(changelog("delete.retention.ms").as_deref(), Some("604800000"));
        assert_eq!(setting(TopicRole::Output, Cleanup::Compact, "segment.bytes"), None);
    }

    #[test]
    fn events_are_deleted_after_their_time() {
        let events = |name| setting(TopicRole::Input, Cleanup::DeleteAfter { retention_ms: 5_000 }, name);
        assert_eq!(events("cleanup.policy").as_deref(), Some("delete"));
        assert_eq!(events("retention.ms").as_deref(), Some("5000"));
    }
}
