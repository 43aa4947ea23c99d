//! Reads one partition outside any group: a stretch of it, or a single record.

use std::time::Duration;

use super::{LogError, LogErrorKind, LogRecord, LogResult, Offset, PartitionReader, ReaderEvent, TopicPartition};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
/// Polls without an answer after which a reader that has not reached the end gives up: a minute.
const PATIENCE: u32 = 600;

/// Hands the records of a partition to `visit` in order, from `start` (or the lowest offset that exists) to the end as it
/// is now, until `visit` answers false.
///
/// # Errors
/// The partition does not exist, the log cannot be reached, or a transaction is left open there.
pub fn read_partition(
    reader: &mut dyn PartitionReader,
    from: &TopicPartition,
    start: Offset,
    visit: &mut dyn FnMut(LogRecord) -> bool,
) -> LogResult<()> {
    let (low, high) = reader.watermarks(from, CALL_TIMEOUT)?;
    read_between(reader, from, start.max(low), high, visit)
}

/// The record at an offset; `None` when there is none (any more): deleted, compacted away, or never written.
///
/// # Errors
/// As [`read_partition`].
pub fn record_at(
    reader: &mut dyn PartitionReader,
    from: &TopicPartition,
    offset: Offset,
) -> LogResult<Option<LogRecord>> {
    let (low, high) = reader.watermarks(from, CALL_TIMEOUT)?;
    if offset < low || offset >= high {
        return Ok(None);
    }
    let mut found = None;
    read_between(reader, from, offset, offset + 1, &mut |record| {
        if record.offset == offset {
            found = Some(record);
        }
        false
    })?;
    Ok(found)
}

fn read_between(
    reader: &mut dyn PartitionReader,
    from: &TopicPartition,
    start: Offset,
    end: Offset,
    visit: &mut dyn FnMut(LogRecord) -> bool,
) -> LogResult<()> {
    if start >= end {
        return Ok(());
    }
    reader.assign(from, start)?;
    let outcome = read_assigned(reader, from, end, visit);
    reader.unassign(from)?;
    outcome
}

fn read_assigned(
    reader: &mut dyn PartitionReader,
    from: &TopicPartition,
    end: Offset,
    visit: &mut dyn FnMut(LogRecord) -> bool,
) -> LogResult<()> {
    let mut silent = 0;
    while silent <= PATIENCE {
        let events = reader.poll(10_000, POLL)?;
        silent = if events.is_empty() { silent + 1 } else { 0 };
        for event in events {
            match event {
                ReaderEvent::Records { from: place, records } if place == *from => {
                    for record in records {
                        if record.offset >= end || !visit(record) {
                            return Ok(());
                        }
                    }
                }
                ReaderEvent::End { from: place, offset } if place == *from && offset >= end => return Ok(()),
                ReaderEvent::OutOfRange(place) if place == *from => return Ok(()),
                _ => {}
            }
        }
    }
    let message = format!("reading {from} came to no end: a transaction is left open there");
    Err(LogError::new(LogErrorKind::Unavailable, message))
}
