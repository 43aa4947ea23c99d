//! Tasks come and go with their partitions.

use concord_state::{StateError, TaskState, failpoint};

use super::start_phases::Phase as StartPhase;
use super::{Failure, TaskId, Worker, WorkerError};
use crate::log::{LogError, LogErrorKind, TopicPartition};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::task::{Phase, Task};

impl Worker {
    /// Opens every task whose partitions are all here.
    pub(super) fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), Failure> {
        self.owned.extend(partitions.iter().cloned());
        metrics::counter!(names::REBALANCES).increment(1);
        failpoint!(AssignBegun);
        self.start_phases.joined();
        for partition in partitions {
            let Some(&(sub, _)) = self.routes.get(&partition.topic) else { continue };
            let id = (sub, partition.partition);
            if self.tasks.contains_key(&id) || !self.has_all_partitions(id) {
                continue;
            }
            self.open_task_or_wait(id)?;
        }
        Ok(())
    }

    /// Opens the tasks that another worker of this process had when they came. Their partitions are held until then.
    pub(super) fn open_awaited_tasks(&mut self) -> Result<(), Failure> {
        for id in std::mem::take(&mut self.awaited) {
            self.open_task_or_wait(id)?;
        }
        self.has_told_of_awaited &= !self.awaited.is_empty();
        Ok(())
    }

    /// A worker that was silent for too long does not know that the group gave its tasks to another one, and has them until it
    /// asks again. Where both are of one process, they are on the same disk.
    fn open_task_or_wait(&mut self, id: TaskId) -> Result<(), WorkerError> {
        match self.open_task(id) {
            Err(WorkerError::State(StateError::TaskAlreadyOpen { sub_topology, partition })) => {
                // Each step tries again; it is told when it begins.
                if !std::mem::replace(&mut self.has_told_of_awaited, true) {
                    tracing::warn!(
                        sub_topology,
                        partition,
                        "Another worker of this process still has a task that came here."
                    );
                }
                self.awaited.insert(id);
                Ok(())
            }
            opened => opened,
        }
    }

    fn has_all_partitions(&self, id: TaskId) -> bool {
        let topology = &self.parts.topology;
        topology.sub_topologies[id.0].sources.iter().all(|s| {
            self.owned.contains(&TopicPartition { topic: topology.topics[s.topic].name.clone(), partition: id.1 })
        })
    }

    fn open_task(&mut self, id: TaskId) -> Result<(), WorkerError> {
        let began = std::time::Instant::now();
        let sub = &self.parts.topology.sub_topologies[id.0];
        let backend = self.parts.directory.open_task(sub.name, id.1, &sub.stores)?;
        let state = TaskState::new(backend, sub.stores.clone(), self.parts.fingerprint.clone())?.with_derivations(
            match planted::is(PlantedBug::DerivedNotRestored) {
                false => sub.derivations.clone(),
                true => Vec::new(),
            },
        )?;
        self.parts.views.insert(&self.parts.topology, id.0, id.1, state.reader());
        self.tasks.insert(id, Task::new(&self.parts.topology, id.0, id.1, state));
        self.start_phases.add(StartPhase::Open, began);
        tracing::info!(sub_topology = sub.name, partition = id.1, "A task was opened.");
        failpoint!(TaskOpened);
        Ok(())
    }

    /// Commits and closes the tasks whose partitions go; what is lost already is aborted.
    pub(super) fn revoked(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), Failure> {
        if lost && planted::is(PlantedBug::LostIsIgnored) {
            return Ok(self.consumer.release(partitions)?);
        }
        if !lost && planted::is(PlantedBug::ReleaseBeforeCommit) {
            self.consumer.release(partitions)?;
        }
        let began = std::time::Instant::now();
        failpoint!(RevokeBegun);
        let affected: Vec<TaskId> = partitions
            .iter()
            .filter_map(|p| self.routes.get(&p.topic).map(|(sub, _)| (*sub, p.partition)))
            .filter(|id| self.tasks.contains_key(id))
            .collect();
        if !affected.is_empty() && !lost && !planted::is(PlantedBug::RevokedWithoutCommit) {
            self.commit_or_abort()?;
            failpoint!(RevokeCommitted);
        }
        for id in &affected {
            self.close_task(*id)?;
        }
        if !affected.is_empty() && lost {
            // Behind the closing: what is lost cannot be read again, what is left must be.
            let cause = LogError::new(LogErrorKind::MustAbort, "partitions were lost to another member");
            self.abort(&cause)?;
        }
        for partition in partitions {
            self.owned.remove(partition);
            self.awaited.retain(|id| {
                self.routes.get(&partition.topic).is_none_or(|(sub, _)| (*sub, partition.partition) != *id)
            });
        }
        if began.elapsed() > self.revoke_budget() {
            tracing::warn!(seconds = began.elapsed().as_secs_f64(), "Handing over partitions took long.");
        }
        failpoint!(RevokeClosed);
        self.consumer.release(partitions)?;
        failpoint!(RevokeReleased);
        Ok(())
    }

    fn commit_or_abort(&mut self) -> Result<(), Failure> {
        match self.commit() {
            Ok(_) => Ok(()),
            Err(Failure::Abort(error)) => Ok(self.abort(&error)?),
            Err(Failure::Rebuild(error)) => Ok(self.recover(&error)?),
            Err(stop) => Err(stop),
        }
    }

    fn close_task(&mut self, id: TaskId) -> Result<(), WorkerError> {
        let Some(mut task) = self.tasks.remove(&id) else { return Ok(()) };
        if let Phase::Restoring(replays) = &task.phase {
            for replay in replays {
                self.reader.unassign(&replay.from)?;
            }
        }
        self.refused_timers.retain(|(task, ..)| *task != id);
        self.calls.forget_task(id);
        task.state.flush()?;
        self.parts.views.remove(&self.parts.topology, id.0, id.1);
        let sub = self.parts.topology.sub_topologies[id.0].name;
        tracing::info!(sub_topology = sub, partition = id.1, "A task was closed; its state stays on disk.");
        Ok(())
    }
}
