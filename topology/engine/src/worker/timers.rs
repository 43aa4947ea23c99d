//! Timers that are due, in slices.

use concord_state::{Timer, failpoint, timer_is_set};

use super::{Failure, TaskId, Worker, WorkerError};
use crate::metric_names as names;
use crate::rejection::ProcessError;
use crate::task::{Phase, Surroundings, timer_origin};

impl Worker {
    /// Fires due timers, at most a slice, so that a crowd of them does not hold up records.
    pub(super) fn fire_timers(&mut self) -> Result<usize, Failure> {
        const SLICE: usize = 100;
        let now_ms = self.parts.clock.now_ms();
        let mut fired = 0;
        let ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in ids {
            let mut due = Vec::new();
            if let Some(task) = self.tasks.get_mut(&id).filter(|t| matches!(t.phase, Phase::Running)) {
                let store = self.parts.topology.sub_topologies[id.0].timer_store();
                due = task.due_timers(store, now_ms, SLICE)?;
            }
            for timer in due {
                // What set a refused timer may have been rolled back with it, and set it again for another time: behind a
                // commit, a timer that is refused again stays the same.
                if !self.refused_timers.is_empty() {
                    self.commit()?;
                }
                let Some(task) = self.tasks.get_mut(&id) else { break };
                // A timer that fired before it in this slice may have cancelled or replaced it.
                let store = self.parts.topology.sub_topologies[id.0].timer_store();
                if !timer_is_set(&task.state, store, &timer)? {
                    continue;
                }
                self.outbox.clear();
                self.filtered.clear();
                let (lineage, payload) = timer_origin(&timer)?;
                let refused = self.refused_timers.iter().find(|(task, refused, _)| *task == id && *refused == timer);
                if let Some((.., rejection)) = refused.cloned() {
                    task.take_timer(store, &timer)?;
                    self.reject_timer(id, &timer, &rejection, &lineage)?;
                    self.commit()?;
                    self.refused_timers.retain(|(task, refused, _)| *task != id || !is_same(refused, &timer));
                    fired += 1;
                    continue;
                }
                let outcome = task.fire(
                    &mut Surroundings {
                        topology: &self.parts.topology,
                        codec: &mut self.codec,
                        outbox: &mut self.outbox,
                        filtered: &mut self.filtered,
                        now_ms,
                        max_record_bytes: self.settings.max_record_bytes,
                    },
                    &timer,
                    payload,
                    &lineage,
                );
                fired += 1;
                match outcome {
                    Ok(()) => {
                        self.refused_timers.retain(|(task, refused, _)| *task != id || !is_same(refused, &timer));
                        self.count_filtered();
                        if let Err(failure) = self.send_outbox(id, &lineage) {
                            if let Some(rejection) = failure.as_rejection() {
                                self.refused_timers.push((id, timer, rejection));
                            }
                            return Err(failure);
                        }
                        failpoint!(TimerSent);
                    }
                    Err(ProcessError::Rejected(rejection)) => {
                        self.outbox.clear();
                        self.reject_timer(id, &timer, &rejection, &lineage)?;
                    }
                    Err(ProcessError::Parked { id: schema, .. }) => {
                        let message = format!("a stored value needs a schema that is not at hand ({schema})");
                        return Err(WorkerError::Programming(message).into());
                    }
                    Err(ProcessError::State(error)) => return Err(error.into()),
                    Err(ProcessError::Programming(message)) => {
                        return Err(WorkerError::Programming(message).into());
                    }
                }
                if self.overdue() {
                    self.commit()?;
                }
            }
        }
        if fired > 0 {
            metrics::counter!(names::TIMERS_FIRED).increment(fired as u64);
        }
        Ok(fired)
    }
}

/// Whether one timer replaces the other, for whatever time they are set.
fn is_same(one: &Timer, other: &Timer) -> bool {
    one.clock == other.clock && one.owner == other.owner && one.key == other.key
}
