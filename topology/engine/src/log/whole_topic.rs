//! Reads a topic from its beginning to its present end.

use std::time::Duration;

use super::{Isolation, Log, LogError, LogErrorKind, LogRecord, LogResult, ReaderEvent, TopicPartition};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which a reader that has not reached the end gives up.
const PATIENCE: u32 = 600;

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
        let (low, high) = reader.watermarks(&from, CALL_TIMEOUT)?;
        if low == high {
            continue;
        }
        reader.assign(&from, low)?;
        let mut silent = 0;
        let mut done = false;
        while !done {
            let events = reader.poll(10_000, Duration::from_millis(100))?;
            silent = if events.is_empty() { silent + 1 } else { 0 };
            if silent > PATIENCE {
                let message = format!("reading {from} came to no end: a transaction is left open there");
                return Err(LogError::new(LogErrorKind::Unavailable, message));
            }
            for event in events {
                match event {
                    ReaderEvent::Records { from: place, records } if place == from => {
                        for record in records {
                            visit(partition, record);
                        }
                    }
                    ReaderEvent::End { from: place, offset } if place == from && offset >= high => done = true,
                    ReaderEvent::OutOfRange(place) if place == from => done = true,
                    _ => {}
                }
            }
        }
        reader.unassign(&from)?;
    }
    Ok(())
}
