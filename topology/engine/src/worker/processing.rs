//! Records in, effects out: what a worker does with each record, and what it does when it cannot.

use std::time::Duration;

use concord_schemas::codec::{TopicSchema, WriterId};
use concord_state::failpoint;

use super::{Failure, TaskId, Worker, WorkerError};
use crate::lineage::{Coordinates, Lineage};
use crate::log::{ConsumerEvent, LogRecord, LogResult, TopicPartition};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::rejection::ProcessError;
use crate::task::{Phase, Surroundings};

/// After so many bytes of records, each counted as `LOOK` at least, it is asked whether a commit must not wait.
const LOOKED_AT: usize = 64 * LOOK;
const LOOK: usize = 1024;
/// How often it is asked for a schema that is not at hand.
const ASK_AGAIN_MS: i64 = 1_000;

impl Worker {
    /// Processes records of one partition; answers how many.
    pub(super) fn records(&mut self, from: &TopicPartition, records: &[LogRecord]) -> Result<usize, Failure> {
        let Some(&(sub, source)) = self.routes.get(&from.topic) else { return Ok(0) };
        let id = (sub, from.partition);
        // One look at the clock serves the records of a batch.
        let now_ms = self.parts.clock.now_ms();
        let mut processed = 0;
        let mut unchecked = 0;
        for record in records {
            if self.input_is_held(id)? {
                return Ok(processed);
            }
            let Some(task) = self.tasks.get_mut(&id) else { return Ok(processed) };
            let position = &task.positions[source];
            // Records behind the position are old news of before an abort; parked partitions are read again later.
            if !matches!(task.phase, Phase::Running)
                || position.parked_until_ms.is_some()
                || record.offset < position.next
            {
                continue;
            }
            self.process(id, source, record, now_ms)?;
            processed += 1;
            unchecked += LOOK + record.value.as_ref().map_or(0, |value| value.len());
            if unchecked >= LOOKED_AT {
                unchecked = 0;
                if self.overdue() {
                    self.commit()?;
                }
            }
        }
        Ok(processed)
    }

    fn process(&mut self, id: TaskId, source: usize, record: &LogRecord, now_ms: i64) -> Result<(), Failure> {
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        self.outbox.clear();
        self.filtered.clear();
        let from = task.positions[source].from.clone();
        let place = || (from.clone(), record.offset);
        let lineage =
            Lineage::of(Coordinates { topic: from.topic.clone(), partition: from.partition, offset: record.offset });
        let refused = if self.refused.is_empty() { None } else { self.refused.get(&place()).cloned() };
        let outcome = match refused {
            Some(rejection) => Err(ProcessError::Rejected(rejection)),
            None => task.process(
                &mut Surroundings {
                    topology: &self.parts.topology,
                    codec: &mut self.codec,
                    outbox: &mut self.outbox,
                    filtered: &mut self.filtered,
                    now_ms,
                    max_record_bytes: self.settings.max_record_bytes,
                },
                source,
                &from,
                record,
                &lineage,
            ),
        };
        match outcome {
            Ok(()) => {
                self.count_record(false, None)?;
                self.count_filtered();
                if let Err(failure) = self.send_outbox(id, &lineage) {
                    if let Some(rejection) = failure.as_rejection() {
                        self.refused.insert(place(), rejection);
                    }
                    return Err(failure);
                }
                failpoint!(RecordSent);
            }
            Err(ProcessError::Rejected(rejection)) => {
                self.outbox.clear();
                self.reject(id, &from, record, &rejection, &lineage)?;
            }
            Err(ProcessError::Parked { topic, id: schema }) => {
                self.outbox.clear();
                self.park(id, source, topic, schema);
                if !planted::is(PlantedBug::ParkedSkipped) {
                    return Ok(());
                }
            }
            Err(ProcessError::State(error)) => return Err(error.into()),
            Err(ProcessError::Programming(message)) => return Err(WorkerError::Programming(message).into()),
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.positions[source].next = record.offset + 1;
            task.dirty = true;
        }
        Ok(())
    }

    /// Leaves a partition unread until a schema is at hand; it is asked for once a second.
    pub(super) fn park(&mut self, id: TaskId, source: usize, topic: &'static TopicSchema, schema: WriterId) {
        let at_hand = self.codec.fetch(topic, schema);
        let until = self.parts.clock.now_ms() + if at_hand { 0 } else { ASK_AGAIN_MS };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let position = &mut task.positions[source];
        position.parked_until_ms = Some(until);
        metrics::counter!(names::PARTITIONS_PARKED).increment(1);
        tracing::info!(partition = %position.from, %schema, "A partition waits for a schema.");
    }

    pub(super) fn unpark(&mut self) -> Result<(), Failure> {
        let now = self.parts.clock.now_ms();
        let mut again = Vec::new();
        for task in self.tasks.values_mut() {
            for position in &mut task.positions {
                // Farther away than it ever was: the clock was set back.
                if position.parked_until_ms.is_some_and(|until| until <= now || until - now > ASK_AGAIN_MS) {
                    position.parked_until_ms = None;
                    again.push((position.from.clone(), position.next));
                }
            }
        }
        if again.is_empty() {
            return Ok(());
        }
        Ok(self.consumer.fetch_from(&again)?)
    }

    /// A position that the log no longer has: what was there is gone, which is said loudly, and reading goes on.
    pub(super) fn out_of_range(&mut self, partition: &TopicPartition) -> Result<(), Failure> {
        let Some(&(sub, source)) = self.routes.get(&partition.topic) else { return Ok(()) };
        let earliest = self.consumer.earliest(partition, Duration::from_secs(10))?;
        let Some(task) = self.tasks.get_mut(&(sub, partition.partition)) else { return Ok(()) };
        // A task that does not process yet asks for its positions, and for the earliest where it has none.
        if !matches!(task.phase, Phase::Running) {
            return Ok(());
        }
        let position = &mut task.positions[source];
        tracing::error!(
            %partition,
            expected = position.next,
            earliest,
            "Records were deleted before they were read: the retention of the topic is too short. Reading goes on at the earliest."
        );
        metrics::counter!(names::INPUT_GAPS).increment(1);
        position.next = earliest;
        task.dirty = true;
        Ok(self.consumer.fetch_from(&[(partition.clone(), earliest)])?)
    }

    pub(super) fn count_filtered(&mut self) {
        for reason in self.filtered.drain(..) {
            metrics::counter!(names::RECORDS_FILTERED, "reason" => reason).increment(1);
        }
    }

    /// After an abort, whatever reading brought will be brought again; news of the group will not.
    pub(super) fn forget_polled_records(&mut self) {
        if planted::is(PlantedBug::PolledRecordsKept) {
            return;
        }
        self.pending.retain(|event| matches!(event, ConsumerEvent::Assigned(_) | ConsumerEvent::Revoked { .. }));
    }

    pub(super) fn ensure_transaction(&mut self) -> LogResult<()> {
        if !self.transaction_open {
            self.producer.begin()?;
            self.transaction_open = true;
            failpoint!(TransactionBegun);
            self.transaction_began_ms = self.parts.clock.now_ms();
        }
        Ok(())
    }
}
