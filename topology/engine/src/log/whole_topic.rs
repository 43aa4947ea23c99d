//! Reads a topic from its beginning to its present end.

use super::partition_reads::read_partition;
use super::{Isolation, Log, LogError, LogErrorKind, LogRecord, LogResult, TopicPartition};

/// Hands every committed record of a topic to `visit`, partition by partition in order, until the end as it is now.
///
/// # Errors
/// The topic does not exist, or the log cannot be reached.
pub fn read_whole_topic(log: &dyn Log, topic: &str, visit: &mut dyn FnMut(i32, LogRecord)) -> LogResult<()> {
    let topics = log.topics()?;
    let Some(described) = topics.iter().find(|t| *t.name == *topic) else {
        return Err(LogError::new(LogErrorKind::UnknownTopic, format!("the topic {topic} does not exist")));
    };
    let mut reader = log.reader(Isolation::ReadCommitted)?;
    for partition in 0..described.partitions {
        let from = TopicPartition::new(described.name.clone(), partition);
        read_partition(reader.as_mut(), &from, 0, &mut |record| {
            visit(partition, record);
            true
        })?;
    }
    Ok(())
}
