//! The commit cycle: outputs, changelogs, dead letters and positions of all tasks in one transaction, then the state.
//!
//! At least once, the cycle is the same without the transaction: once all records are acknowledged the consumer commits the
//! positions. An attempt that fails before that has left its records behind, those of changelogs too, so the producer answers
//! an abort by asking for recovery, which replays them: its input is processed again on a state that may know it already.

use std::time::Duration;

use concord_state::{CommitMeta, failpoint};

use super::stopwatch::Stopwatch;
use super::{Doing, Failure, Polls, Worker, WorkerError, generations};
use crate::invariants::{self, Answer, Checked, Outcome};
use crate::log::{Guarantee, LogError, LogErrorKind, Offset, OutgoingRecord, TopicPartition};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::task::{Phase, Task};

/// A task commits at least as often. Much less than state may be old: see [`super::restore`].
const LONGEST_WITHOUT_COMMIT_MS: i64 = 12 * 60 * 60 * 1000;

/// Which records of changelogs are written. Without transactions a call is taken out when its effects are acknowledged, and not
/// before: otherwise a crash between the two would lose them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// Everything but calls that are taken out.
    WhatStands,
    /// The rest.
    AnsweredCalls,
}

impl Worker {
    /// Whether a commit should begin now.
    pub(super) fn commit_is_due(&self) -> bool {
        let pending = self.transaction_open || self.tasks.values().any(|t| t.dirty);
        if !pending {
            return false;
        }
        elapsed_ms(self.last_commit_ms, self.parts.clock.now_ms()) >= self.commit_interval_ms() || self.overdue()
    }

    /// Has tasks without anything to do commit their positions again now and then. Only the log can say that a task is still
    /// ours, and so that its state is of today; what a killed process leaves would else be taken for as old as its last record.
    pub(super) fn renew_old_commits(&mut self) {
        if planted::is(PlantedBug::IdleNotRenewed) {
            return;
        }
        let now_ms = self.parts.clock.now_ms();
        let is_old = |task: &&mut Task| now_ms - task.state.meta().committed_at_ms > LONGEST_WITHOUT_COMMIT_MS;
        for task in self.tasks.values_mut().filter(|task| matches!(task.phase, Phase::Running)).filter(is_old) {
            task.dirty = true;
        }
    }

    /// Time between the beginnings of two commits: the setting, or, behind a backlog, longer while commits take long, so that
    /// they take a quarter of the time at most; never more than five times the setting.
    pub(super) fn commit_interval_ms(&self) -> i64 {
        let setting = self.settings.commit_interval.as_millis() as i64;
        if self.polls.caught_up() {
            return setting;
        }
        (4 * self.last_commit_took_ms).clamp(setting, 5 * setting)
    }

    /// Whether a commit must not wait for the end of the batch.
    pub(super) fn overdue(&self) -> bool {
        let uncommitted: usize = self.tasks.values().map(|t| t.state.uncommitted_bytes()).sum();
        if uncommitted >= self.settings.uncommitted_bytes {
            return true;
        }
        // A third of the time-out leaves room for the commit itself.
        let longest = self.settings.transaction_timeout.as_millis() as i64 / 3;
        self.transaction_open && elapsed_ms(self.transaction_began_ms, self.parts.clock.now_ms()) > longest
    }

    /// Commits everything since the last commit; false when there was nothing.
    pub(super) fn commit(&mut self) -> Result<bool, Failure> {
        let now_ms = self.parts.clock.now_ms();
        self.last_commit_ms = now_ms;
        if !self.transaction_open && !self.tasks.values().any(|t| t.dirty) {
            return Ok(false);
        }
        let began = std::time::Instant::now();
        failpoint!(CommitBegun);
        self.expire()?;
        self.keep_stream_times();
        self.keep_generations()?;
        self.ensure_transaction()?;
        let mut stopwatch = Stopwatch::start();
        self.whereabouts.is(Doing::Sending);
        self.send_gatherings()?;
        #[cfg(feature = "planted-bugs")]
        self.send_held_markers()?;
        failpoint!(CommitPartsSent);
        match self.settings.guarantee {
            Guarantee::ExactlyOnce => self.write_changelogs(now_ms, Part::All)?,
            Guarantee::AtLeastOnce => {
                self.write_changelogs(now_ms, Part::WhatStands)?;
                if self.has_answered_calls() {
                    self.producer.drain(self.settings.transaction_timeout / 2)?;
                    self.write_changelogs(now_ms, Part::AnsweredCalls)?;
                }
            }
        }
        failpoint!(CommitChangelogsSent);
        stopwatch.lap("commit: changelogs");
        self.whereabouts.is(Doing::Draining);

        if !planted::is(PlantedBug::CommitWithoutDrain) {
            self.producer.drain(self.settings.transaction_timeout / 2)?;
        }
        stopwatch.lap("commit: drain");
        self.whereabouts.is(Doing::SendingPositions);
        failpoint!(CommitDrained);
        let offsets = self.positions_of_dirty_tasks();
        invariants::holds(|| self.positions_are_complete_and_ours(&offsets));
        match self.settings.guarantee {
            Guarantee::ExactlyOnce if planted::leaves_out_positions(&offsets) => {}
            Guarantee::ExactlyOnce => {
                let membership = self.consumer.membership()?;
                invariants::holds(|| {
                    invariants::commit_is_fenced(offsets.len(), membership.generation, &membership.member)
                });
                self.producer.send_offsets(&offsets, &membership)?;
            }
            Guarantee::AtLeastOnce => self.consumer.commit(&offsets)?,
        }
        stopwatch.lap("commit: positions");
        self.whereabouts.is(Doing::Ending);
        failpoint!(CommitPositionsSent);
        if planted::is(PlantedBug::StateBeforeCommit) {
            self.keep_what_was_committed(now_ms)?;
        }
        let answer = self.producer.commit();
        let outcome = Outcome::of_commit(&answer);
        planted::change_answer(answer).map_err(|error| after_failed_commit(outcome, error))?;
        self.transaction_open = false;
        stopwatch.lap("commit: transaction");
        self.whereabouts.is(Doing::WritingState);
        failpoint!(CommitDecided);

        invariants::holds(|| invariants::state_follows_the_commit(outcome));
        self.keep_what_was_committed(now_ms)?;
        self.calls_are_committed()?;
        stopwatch.lap("commit: state");
        failpoint!(CommitEnded);
        self.polls = Polls::default();
        self.last_commit_took_ms = self.parts.clock.now_ms() - now_ms;
        metrics::counter!(names::COMMITS).increment(1);
        metrics::histogram!(names::COMMIT_SECONDS).record(began.elapsed().as_secs_f64());
        Ok(true)
    }

    /// Sweeps stores with a time to live: what is removed goes to the changelogs with this commit.
    fn expire(&mut self) -> Result<(), Failure> {
        const SLICE: usize = 1_000;
        for task in self.tasks.values_mut().filter(|t| t.dirty) {
            task.state.expire(task.stream_time_ms, SLICE)?;
        }
        Ok(())
    }

    /// Stream time goes the way of the state, so that it does not go back when a task moves to another disk.
    fn keep_stream_times(&mut self) {
        for task in self.tasks.values_mut().filter(|t| t.dirty && !planted::is(PlantedBug::StreamTimeNotKept)) {
            task.write_stream_time(self.parts.topology.sub_topologies[task.sub].timer_store());
        }
    }

    /// Without transactions a restore tells a former owner's changelog records by their generation.
    fn keep_generations(&mut self) -> Result<(), Failure> {
        if self.settings.guarantee == Guarantee::ExactlyOnce {
            return Ok(());
        }
        let generation = self.consumer.membership()?.generation;
        for task in self.tasks.values_mut().filter(|t| t.dirty) {
            task.write_generation(self.parts.topology.sub_topologies[task.sub].timer_store(), generation);
        }
        Ok(())
    }

    /// Whether this commit takes calls out.
    fn has_answered_calls(&self) -> bool {
        self.tasks.values().filter(|task| task.dirty).any(|task| {
            let calls = self.parts.topology.sub_topologies[task.sub].call_store();
            let walk = task.state.changes(|store, _, value| {
                // What is found ends the walk.
                if Some(store) == calls && value.is_none() { Err(()) } else { Ok(()) }
            });
            walk.is_err()
        })
    }

    fn write_changelogs(&mut self, now_ms: i64, part: Part) -> Result<(), Failure> {
        let mut written: u64 = 0;
        for task in self.tasks.values().filter(|t| t.dirty) {
            let sub = &self.parts.topology.sub_topologies[task.sub];
            let (changelogs, calls) = (&sub.changelogs, sub.call_store());
            let producer = &mut self.producer;
            let topics = &self.parts.topology.topics;
            let generation = match self.settings.guarantee {
                Guarantee::ExactlyOnce => None,
                Guarantee::AtLeastOnce => Some(generations::header(task.generation)),
            };
            task.state.changes(|store, key, value: Option<&bytes::Bytes>| -> Result<(), LogError> {
                let Some(changelog) = changelogs[store] else { return Ok(()) };
                let takes_call_out = Some(store) == calls && value.is_none();
                if part != Part::All && takes_call_out != (part == Part::AnsweredCalls) {
                    return Ok(());
                }
                if planted::is(PlantedBug::TombstonesNotWritten) && value.is_none() {
                    return Ok(());
                }
                written += 1;
                let record = OutgoingRecord {
                    topic: &topics[changelog].name,
                    partition: task.partition,
                    timestamp_ms: now_ms,
                    key: Some(key),
                    value: value.map(|v| &v[..]),
                    headers: generation.as_slice(),
                };
                producer.send(&record).map_err(unmendable)
            })?;
        }
        metrics::counter!(names::CHANGELOG_RECORDS).increment(written);
        Ok(())
    }

    /// Positions of every task that read or wrote, even where they have not moved: a transaction without positions is
    /// not fenced by the log.
    fn positions_of_dirty_tasks(&self) -> Vec<(TopicPartition, Offset)> {
        let mut offsets = Vec::new();
        for task in self.tasks.values().filter(|t| t.dirty && matches!(t.phase, Phase::Running)) {
            if planted::is(PlantedBug::SkipOffsetsOfTimers)
                && self.settings.guarantee == Guarantee::ExactlyOnce
                && task.positions.iter().all(|p| p.next == p.committed)
            {
                continue;
            }
            for position in &task.positions {
                offsets.push((position.from.clone(), position.next));
            }
        }
        planted::change_positions(&mut offsets);
        offsets
    }

    fn positions_are_complete_and_ours(&self, offsets: &[(TopicPartition, Offset)]) -> Checked {
        let writers = self.tasks.values().filter(|t| t.dirty).flat_map(|t| t.positions.iter().map(|p| &p.from));
        let named: Vec<_> = offsets.iter().map(|(from, _)| from).collect();
        invariants::writers_name_their_positions(&writers.collect::<Vec<_>>(), &named)?;
        named.iter().try_for_each(|from| invariants::committer_has_the_task(self.owned.contains(*from), from))
    }

    fn keep_what_was_committed(&mut self, now_ms: i64) -> Result<(), Failure> {
        for task in self.tasks.values_mut().filter(|t| t.dirty) {
            let sub = &self.parts.topology.sub_topologies[task.sub];
            let mut changelog_positions = Vec::with_capacity(sub.stores.len());
            for changelog in &sub.changelogs {
                let last = changelog.and_then(|changelog| {
                    self.producer.acknowledged(&self.parts.topology.topics[changelog].name, task.partition)
                });
                changelog_positions.push(last.map(|offset| offset + 1));
            }
            for (store, applied) in changelog_positions.iter().enumerate() {
                let stored = task.state.changelog_position(store).unwrap_or(0);
                invariants::holds(|| invariants::stored_position_is_covered(stored, applied.unwrap_or(stored)));
            }
            let input_positions =
                task.positions.iter().map(|p| (p.from.topic.to_string(), p.from.partition, p.next)).collect();
            task.state.commit(CommitMeta {
                changelog_positions,
                input_positions,
                stream_time_ms: task.stream_time_ms,
                committed_at_ms: now_ms,
            })?;
            for position in &mut task.positions {
                position.committed = position.next;
                self.refused.retain(|(from, offset), _| *from != position.from || *offset >= position.next);
            }
            task.committed_stream_time_ms = task.stream_time_ms;
            task.committed_generation = task.generation;
            task.dirty = false;
            #[cfg(feature = "planted-bugs")]
            {
                task.dirty = task.held_markers.committed();
            }
            debug_assert!(task.gatherings.is_empty(), "parts of a committed transaction are still here");
            self.parts.views.committed(&self.parts.topology, task.sub, task.partition, now_ms);
        }
        Ok(())
    }

    /// Aborts the transaction under way and goes back to the last commit.
    pub(super) fn abort(&mut self, cause: &LogError) -> Result<(), WorkerError> {
        tracing::warn!(%cause, "A transaction is aborted; its records will be processed again.");
        metrics::counter!(names::ABORTS).increment(1);
        self.whereabouts.is(Doing::Aborting);
        if self.transaction_open
            && !planted::is(PlantedBug::AbortWithoutAborting)
            && let Err(error) = self.producer.abort()
        {
            if matches!(error.kind, LogErrorKind::Crashed | LogErrorKind::Fatal) {
                return Err(error.into());
            }
            return self.recover(&error);
        }
        self.whereabouts.is(Doing::GoingBack);
        self.transaction_open &= planted::is(PlantedBug::AbortWithoutAborting);
        self.forget_polled_records();
        self.calls.tell_again();
        let mut positions = Vec::new();
        for task in self.tasks.values_mut() {
            task.roll_back(&self.parts.topology);
            if matches!(task.phase, Phase::Running) {
                positions.extend(task.positions.iter().map(|p| (p.from.clone(), p.committed)));
            }
        }
        if positions.is_empty() || planted::is(PlantedBug::NoSeekAfterAbort) {
            return Ok(());
        }
        match self.consumer.fetch_from(&positions) {
            Ok(()) => Ok(()),
            Err(error) if error.kind == LogErrorKind::Crashed || error.kind == LogErrorKind::Fatal => Err(error.into()),
            Err(error) => self.recover(&error),
        }
    }

    /// How long closing may take before the session ends: one budget for commit and release.
    pub(super) fn revoke_budget(&self) -> Duration {
        (self.settings.session_timeout / 2).max(Duration::from_secs(5))
    }
}

/// How long ago something was. When the clock was set back meanwhile nobody knows, and nothing may wait for it to catch up:
/// then it counts as longer ago than anything.
fn elapsed_ms(since_ms: i64, now_ms: i64) -> i64 {
    if now_ms < since_ms { i64::MAX } else { now_ms - since_ms }
}

/// A changelog's value is nobody's at the commit, and a letter is the last resort: the next attempt would meet the same limit,
/// which only the operator can raise.
pub(super) fn unmendable(error: LogError) -> LogError {
    if error.kind != LogErrorKind::TooLarge {
        return error;
    }
    let remedy = "raise max.message.bytes of the topic, or lower processing.max_record_bytes";
    LogError::new(LogErrorKind::Fatal, format!("{}: {remedy}", error.message))
}

/// Only an explicit "must abort" is certain; everything else about a commit is unknown.
fn after_failed_commit(outcome: Outcome, error: LogError) -> Failure {
    if error.kind == LogErrorKind::Crashed {
        return Failure::Stop(error.into());
    }
    let is_aborted = outcome == Outcome::Aborted || planted::is(PlantedBug::UnknownIsAborted);
    let answer = if is_aborted { Answer::GoBack } else { Answer::ReadTheTruth };
    invariants::holds(|| invariants::answer_fits_the_outcome(outcome, answer));
    match answer {
        Answer::GoBack => Failure::Abort(error),
        Answer::Keep | Answer::ReadTheTruth => Failure::Rebuild(error),
    }
}
