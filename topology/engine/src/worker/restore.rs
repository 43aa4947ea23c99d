//! From assignment to processing: committed positions first, then the changelogs up to their ends.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use concord_state::failpoint;

use super::start_phases::Phase as StartPhase;
use super::{Failure, NO_GENERATION, TaskId, Worker, generations};
use crate::invariants;
use crate::log::{Guarantee, LogError, LogErrorKind, Offset, ReaderEvent, TopicPartition};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::task::{Phase, Replay};
use crate::topics::TOMBSTONE_RETENTION_MS;

/// State that was committed longer ago is not brought up to date but made anew. A day less than tombstones are kept.
const OLDEST_STATE_MS: i64 = TOMBSTONE_RETENTION_MS - 24 * 60 * 60 * 1000;
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Records of one replay slice: running tasks of the worker wait no longer than it takes.
const SLICE: usize = 20_000;

/// Whether the question can be put again with the next step.
fn passes(error: &LogError) -> bool {
    matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable)
}

impl Worker {
    /// Brings every task that does not process yet one slice further.
    pub(super) fn restore(&mut self) -> Result<(), Failure> {
        // Only behind this are the committed positions what they will stay.
        let positions_come_first = planted::is(PlantedBug::PositionsBeforeFencing);
        if !positions_come_first && !self.producer_is_ready()? {
            return Ok(());
        }
        let joining: Vec<TaskId> =
            self.tasks.iter().filter(|(_, t)| matches!(t.phase, Phase::Joining)).map(|(id, _)| *id).collect();
        if !joining.is_empty() {
            let began = Instant::now();
            if let Some(identities) = self.changelogs_of(&joining)? {
                self.begin_restores(&joining, &identities)?;
            }
            self.start_phases.add(StartPhase::Positions, began);
        }
        if positions_come_first && !self.producer_is_ready()? {
            return Ok(());
        }
        if self.tasks.values().any(|t| matches!(t.phase, Phase::Restoring(_))) {
            self.replay_slice()?;
        }
        self.tell_progress();
        Ok(())
    }

    /// The identities of the changelogs of these tasks by name; `None` when the log does not answer for now.
    fn changelogs_of(&self, tasks: &[TaskId]) -> Result<Option<HashMap<Arc<str>, String>>, Failure> {
        let topology = &self.parts.topology;
        let mut names = BTreeSet::new();
        for (sub, _) in tasks {
            let changelogs = topology.sub_topologies[*sub].changelogs.iter().flatten();
            names.extend(changelogs.map(|changelog| topology.topics[*changelog].name.clone()));
        }
        let names: Vec<Arc<str>> = names.into_iter().collect();
        match self.parts.log.topic_ids(&names) {
            Ok(ids) => Ok(Some(names.into_iter().zip(ids).collect())),
            Err(error) if passes(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn tell_progress(&mut self) {
        let now_ms = self.parts.clock.now_ms();
        if self.tasks.values().all(|t| matches!(t.phase, Phase::Running)) {
            self.restore_progress.ends(&self.settings.name, now_ms);
            if !self.tasks.is_empty() {
                self.start_phases.all_run(&self.settings.name);
            }
            return;
        }
        let mut remaining = 0;
        for task in self.tasks.values() {
            let Phase::Restoring(replays) = &task.phase else { continue };
            for replay in replays {
                let position = task.state.changelog_position(replay.store).unwrap_or(0);
                remaining += (replay.target - position).max(0);
            }
        }
        self.restore_progress.goes_on(&self.settings.name, remaining, now_ms);
    }

    /// Reads the committed positions, and only then the ends of the changelogs: what was committed before is before them.
    fn begin_restores(&mut self, joining: &[TaskId], identities: &HashMap<Arc<str>, String>) -> Result<(), Failure> {
        let mut found = Vec::new();
        let mut changelogs = Vec::new();
        // One patience for all of them: a group that does not answer must not keep the worker from polling for that long a task.
        let deadline = Instant::now() + CALL_TIMEOUT;
        for id in joining {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(positions) = self.committed_positions(*id, left)? else { continue };
            let first = changelogs.len();
            changelogs.extend(self.changelogs(*id).map(|(_, from)| from));
            found.push((*id, positions, first..changelogs.len()));
        }
        let ends = match self.reader.watermarks_of_all(&changelogs, CALL_TIMEOUT) {
            Ok(ends) => ends,
            Err(error) if passes(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        failpoint!(RestoreEndsTaken);
        for (id, positions, its_ends) in found {
            let replays = self.changelogs(id).zip(&ends[its_ends]).map(|((store, from), (low, high))| {
                (Replay { store, from, target: *high, newest_generation: NO_GENERATION }, *low)
            });
            let replays = replays.collect();
            self.begin_restore(id, positions, replays, identities)?;
        }
        Ok(())
    }

    /// The stores of a task that have a changelog, each with its partition.
    fn changelogs(&self, id: TaskId) -> impl Iterator<Item = (usize, TopicPartition)> {
        let topology = &self.parts.topology;
        topology.sub_topologies[id.0].changelogs.iter().enumerate().filter_map(move |(store, changelog)| {
            let topic = topology.topics[(*changelog)?].name.clone();
            Some((store, TopicPartition { topic, partition: id.1 }))
        })
    }

    /// Where the group stands in a task's sources; `None` when that is not known yet.
    fn committed_positions(&mut self, id: TaskId, patience: Duration) -> Result<Option<Vec<Offset>>, Failure> {
        let Some(task) = self.tasks.get(&id) else { return Ok(None) };
        let partitions: Vec<TopicPartition> = task.positions.iter().map(|p| p.from.clone()).collect();
        let committed = match self.consumer.committed(&partitions, patience) {
            Ok(committed) => committed,
            // A transaction of the former owner is not decided yet, or the log is away: ask again with the next step.
            Err(error) if passes(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut positions = Vec::with_capacity(partitions.len());
        for (partition, committed) in partitions.iter().zip(committed) {
            let position = match committed {
                Some(offset) => offset,
                None => match self.consumer.earliest(partition, CALL_TIMEOUT) {
                    Ok(offset) => offset,
                    Err(error) if passes(&error) => return Ok(None),
                    Err(error) => return Err(error.into()),
                },
            };
            positions.push(position);
        }
        failpoint!(RestorePositionsRead);
        planted::change_start(&mut positions, &partitions, &task.state.meta().input_positions);
        invariants::holds(|| invariants::restore_is_in_order(self.producer_ready, positions.len() == partitions.len()));
        Ok(Some(positions))
    }

    /// Decides of each store whether it goes on from where it is or begins anew, and sets the reader on it.
    fn begin_restore(
        &mut self,
        id: TaskId,
        positions: Vec<Offset>,
        replays: Vec<(Replay, Offset)>,
        identities: &HashMap<Arc<str>, String>,
    ) -> Result<(), Failure> {
        let now_ms = self.parts.clock.now_ms();
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        for (position, offset) in task.positions.iter_mut().zip(positions) {
            position.committed = offset;
            position.next = offset;
        }
        // What was deleted since may have left no tombstone in the changelogs.
        let is_outdated =
            now_ms - task.state.meta().committed_at_ms > OLDEST_STATE_MS && !planted::is(PlantedBug::OldStateKept);
        task.read_generation(self.parts.topology.sub_topologies[id.0].timer_store())?;
        let mut remaining = Vec::new();
        for (mut replay, low) in replays {
            let identity = identities.get(&replay.from.topic).map_or("", String::as_str);
            let known = task.state.changelog_id(replay.store)?;
            let is_another = !planted::is(PlantedBug::AnotherChangelogUnnoticed)
                && !identity.is_empty()
                && known.as_deref().is_some_and(|known| known != identity);
            let stored = task.state.changelog_position(replay.store);
            let beginning = match stored {
                Some(position) if planted::is(PlantedBug::HalfDeletedState) => position.clamp(low, replay.target),
                _ => low,
            };
            let from = match stored {
                Some(position) if is_outdated && position < replay.target => {
                    tracing::warn!(changelog = %replay.from,
                        "The state on disk is older than tombstones are kept: the store is rebuilt from the beginning.");
                    metrics::counter!(names::STORES_REBUILT).increment(1);
                    task.state.clear_store(replay.store)?;
                    failpoint!(OldStateCleared);
                    beginning
                }
                Some(position) if position >= low && position <= replay.target && !is_another => {
                    replay.newest_generation = task.committed_generation;
                    if planted::is(PlantedBug::NoReplayOfTheTail) { replay.target } else { position }
                }
                None => low,
                Some(position) => {
                    // Deleted below us, or deleted and made again: this store, and only this one, starts over.
                    tracing::error!(changelog = %replay.from, position, low, end = replay.target, made_again = is_another,
                        "The changelog does not cover the state on disk: the store is rebuilt from the beginning.");
                    metrics::counter!(names::STORES_REBUILT).increment(1);
                    task.state.clear_store(replay.store)?;
                    failpoint!(StoreCleared);
                    beginning
                }
            };
            if !identity.is_empty() && known.as_deref() != Some(identity) {
                task.state.keep_changelog_id(replay.store, identity)?;
            }
            self.reader.assign(&replay.from, from)?;
            remaining.push(replay);
        }
        if is_outdated {
            // Each store is now empty or complete; a restore that is interrupted goes on where it was.
            task.state.mark_up_to_date(now_ms)?;
            failpoint!(OldStateMarked);
        }
        task.phase = Phase::Restoring(remaining);
        failpoint!(RestoreBegun);
        self.start_phases.replay_begins();
        Ok(())
    }

    fn replay_slice(&mut self) -> Result<(), Failure> {
        let events = match self.reader.poll(SLICE, Duration::from_millis(20)) {
            Ok(events) => events,
            Err(error) if passes(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for event in events {
            match event {
                ReaderEvent::Records { from, records } => {
                    let Some((id, store)) = self.replaying(&from) else { continue };
                    let Some(task) = self.tasks.get_mut(&id) else { continue };
                    let Some(replay) = task.phase.replay_of(&from) else { continue };
                    let Some(last) = records.last() else { continue };
                    let ahead = planted::is(PlantedBug::ReplayPositionAhead);
                    let next = if ahead { replay.target } else { last.offset + 1 };
                    let mut bytes = 0;
                    let mut stale: u64 = 0;
                    let mut entries: Vec<(&[u8], Option<&[u8]>)> = Vec::with_capacity(records.len());
                    for record in &records {
                        let Some(key) = record.key.as_deref() else { continue };
                        if generations::is_stale(record, &mut replay.newest_generation) {
                            stale += 1;
                            continue;
                        }
                        bytes += key.len() + record.value.as_ref().map_or(0, |v| v.len());
                        entries.push((key, record.value.as_deref()));
                    }
                    task.state.apply_restored(store, entries, next)?;
                    if stale > 0 {
                        tracing::warn!(changelog = %from, records = stale, "A former owner wrote to a changelog after it had lost the task; that is left out.");
                        metrics::counter!(names::STALE_CHANGELOG_RECORDS).increment(stale);
                    }
                    self.restore_progress.add(records.len(), bytes);
                }
                ReaderEvent::End { from, offset } => self.replayed_to(&from, offset)?,
                ReaderEvent::OutOfRange(from) => {
                    let Some((id, store)) = self.replaying(&from) else { continue };
                    let (low, _) = self.reader.watermarks(&from, CALL_TIMEOUT)?;
                    if let Some(task) = self.tasks.get_mut(&id) {
                        task.state.clear_store(store)?;
                        if let Some(replay) = task.phase.replay_of(&from) {
                            replay.newest_generation = NO_GENERATION;
                        }
                    }
                    self.reader.assign(&from, low)?;
                }
            }
        }
        Ok(())
    }

    /// Which task and store a changelog partition restores.
    fn replaying(&self, from: &TopicPartition) -> Option<(TaskId, usize)> {
        for (id, task) in &self.tasks {
            if let Phase::Restoring(replays) = &task.phase
                && let Some(replay) = replays.iter().find(|r| r.from == *from)
            {
                return Some((*id, replay.store));
            }
        }
        None
    }

    fn replayed_to(&mut self, from: &TopicPartition, offset: Offset) -> Result<(), Failure> {
        let Some((id, store)) = self.replaying(from) else { return Ok(()) };
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        let Phase::Restoring(replays) = &mut task.phase else { return Ok(()) };
        let Some(place) = replays.iter().position(|r| r.from == *from) else { return Ok(()) };
        // The last stable offset has not reached the end we took: a transaction is being decided. Its end comes later.
        if offset < replays[place].target && !planted::is(PlantedBug::RestoreToStableEnd) {
            return Ok(());
        }
        let replay = replays.remove(place);
        invariants::holds(|| invariants::restored_to_the_end(offset, replay.target));
        let done = replays.is_empty() || planted::is(PlantedBug::RestoreOneStore);
        task.generation = task.generation.max(replay.newest_generation);
        task.state.apply_restored(store, std::iter::empty(), offset)?;
        failpoint!(RestoreStoreEnded);
        self.reader.unassign(from)?;
        if done {
            task.state.mark_up_to_date(self.parts.clock.now_ms())?;
            self.begin_processing(id)?;
        }
        Ok(())
    }

    fn begin_processing(&mut self, id: TaskId) -> Result<(), Failure> {
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        task.phase = Phase::Running;
        task.read_stream_time(self.parts.topology.sub_topologies[id.0].timer_store())?;
        if self.settings.guarantee == Guarantee::AtLeastOnce {
            task.repair_calls(&self.parts.topology.sub_topologies[id.0])?;
        }
        let positions: Vec<(TopicPartition, Offset)> =
            task.positions.iter().map(|p| (p.from.clone(), p.committed)).collect();
        for position in &task.positions {
            invariants::holds(|| invariants::position_is_the_groups(position.next, position.committed));
        }
        let sub = self.parts.topology.sub_topologies[id.0].name;
        tracing::info!(sub_topology = sub, partition = id.1, "A task has its state and begins to process.");
        self.consumer.fetch_from(&positions)?;
        failpoint!(RestoreEnded);
        Ok(())
    }
}
