//! A reader outside any group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Isolation, LogResult, Offset, PartitionReader, ReaderEvent, TopicPartition};
use super::broker::{Broker, Shared, Slot};
use super::faults::Call;
use super::process::Process;

pub(super) struct EmbeddedReader {
    shared: Arc<Shared>,
    process: Process,
    isolation: Isolation,
    assigned: BTreeMap<TopicPartition, Reading>,
    /// Every poll starts with another partition, so that none starves behind a long one.
    polls: usize,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    slot: Slot,
    /// `None` once out of range.
    position: Option<Offset>,
    /// The end that was last told of.
    told_end: Option<Offset>,
}

impl EmbeddedReader {
    pub(super) fn new(shared: Arc<Shared>, process: Process, isolation: Isolation) -> Self {
        Self { shared, process, isolation, assigned: BTreeMap::new(), polls: 0 }
    }

    fn poll_now(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ReaderEvent>> {
        let limit = self.process.poll_limit(max_records);
        self.polls += 1;
        let (shared, process) = (Arc::clone(&self.shared), self.process.clone());
        let sees_uncommitted = self.isolation == Isolation::ReadUncommitted;
        let outcome = shared.wait(timeout, sees_uncommitted, |broker, _| {
            if let Err(crashed) = process.check_alive() {
                return Some(Err(crashed));
            }
            let events = self.read(broker, limit);
            (!events.is_empty()).then_some(Ok(events))
        });
        outcome.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn read(&mut self, broker: &Broker, limit: usize) -> Vec<ReaderEvent> {
        let mut events = Vec::new();
        let count = self.assigned.len();
        let first = if count == 0 { 0 } else { self.polls % count };
        let mut left = limit;
        let mut readings: Vec<_> = self.assigned.iter_mut().collect();
        readings.rotate_left(first);
        for (name, reading) in readings {
            let Some(position) = reading.position else { continue };
            let partition = broker.partition(reading.slot);
            let mut records = Vec::new();
            let Ok(next) = partition.read(position, left, self.isolation, &mut records) else {
                reading.position = None;
                events.push(ReaderEvent::OutOfRange(name.clone()));
                continue;
            };
            reading.position = Some(next);
            if !records.is_empty() {
                left -= records.len();
                events.push(ReaderEvent::Records { from: name.clone(), records });
            }
            let at_end = next >= partition.end(self.isolation);
            if at_end && reading.told_end != Some(next) {
                reading.told_end = Some(next);
                events.push(ReaderEvent::End { from: name.clone(), offset: next });
            }
        }
        events
    }
}

impl PartitionReader for EmbeddedReader {
    fn expect(&mut self, _topics: &[Arc<str>]) -> LogResult<()> {
        Ok(())
    }

    fn assign(&mut self, partition: &TopicPartition, from: Offset) -> LogResult<()> {
        let process = self.process.clone();
        process.call(Call::Assign, || {
            let slot = self.shared.with(|broker, _| broker.slot(&partition.topic, partition.partition))?;
            self.assigned.insert(partition.clone(), Reading { slot, position: Some(from), told_end: None });
            Ok(())
        })
    }

    fn unassign(&mut self, partition: &TopicPartition) -> LogResult<()> {
        let process = self.process.clone();
        process.call(Call::Unassign, || {
            self.assigned.remove(partition);
            Ok(())
        })
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ReaderEvent>> {
        let process = self.process.clone();
        process.call(Call::ReaderPoll, || self.poll_now(max_records, timeout))
    }

    fn watermarks(&mut self, partition: &TopicPartition, _timeout: Duration) -> LogResult<(Offset, Offset)> {
        self.process.call(Call::Watermarks, || {
            self.shared.with(|broker, _| {
                let slot = broker.slot(&partition.topic, partition.partition)?;
                let partition = broker.partition(slot);
                Ok((partition.log_start(), partition.high_watermark()))
            })
        })
    }
}
