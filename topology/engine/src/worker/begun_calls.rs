//! Tells processors of attempts at calls that have begun and take a while.
//!
//! It is told in memory only: after an abort, and by whoever has the task next, it is told again.

use super::calls::{CallsInFlight, InFlight, Told};
use super::{Failure, Worker, WorkerError};
use crate::lineage::Lineage;
use crate::rejection::ProcessError;
use crate::task::{Phase, Surroundings};

impl CallsInFlight {
    /// What processors were told since the last commit is taken back.
    pub fn tell_again(&mut self) {
        for one in self.begun.values_mut().filter(|one| one.told == Told::Yes) {
            one.told = Told::NotYet;
        }
    }

    /// Attempts that began at this time or before, that somebody has taken up, and of which their processors do not know.
    fn untold_since(&self, began_ms: i64) -> Vec<u64> {
        let untold = self.begun.iter().filter(|(number, one)| {
            one.told == Told::NotYet && one.began_ms <= began_ms && self.line.is_taken_up(**number)
        });
        untold.map(|(number, _)| *number).collect()
    }

    fn note_told(&mut self, number: u64, told: Told) {
        if let Some(one) = self.begun.get_mut(&number) {
            one.told = told;
        }
    }
}

impl Worker {
    /// An attempt that is over within the time between two commits is not worth a record of its own.
    pub(super) fn tell_of_begun_calls(&mut self) -> Result<(), Failure> {
        let between_commits_ms = self.settings.commit_interval.as_millis() as i64;
        let began_ms = self.parts.clock.now_ms().saturating_sub(between_commits_ms);
        for number in self.calls.untold_since(began_ms) {
            // A commit in between may have called it off.
            let Some(begun) = self.calls.begun.get(&number).cloned() else { continue };
            self.tell_of_begun_call(number, &begun)?;
            if self.overdue() {
                self.commit()?;
            }
        }
        Ok(())
    }

    fn tell_of_begun_call(&mut self, number: u64, begun: &InFlight) -> Result<(), Failure> {
        let topology = self.parts.topology.clone();
        let part = &topology.sub_topologies[begun.task.0];
        let name = part.calls[begun.call].name;
        let now_ms = self.parts.clock.now_ms();
        let Some(task) = self.tasks.get_mut(&begun.task).filter(|task| matches!(task.phase, Phase::Running)) else {
            return Ok(());
        };
        let pending = task.pending(part, begun.call, &begun.key, begun.sequence)?;
        // Taken back in the open transaction, it is called off when that is committed.
        let Some(pending) = pending.filter(|pending| pending.failed_attempts == begun.failed_attempts) else {
            return Ok(());
        };
        let lineage = Lineage::known(pending.lineage.clone());
        self.outbox.clear();
        self.filtered.clear();
        let mut around = Surroundings {
            topology: &self.parts.topology,
            codec: &mut self.codec,
            outbox: &mut self.outbox,
            filtered: &mut self.filtered,
            now_ms,
            max_record_bytes: self.settings.max_record_bytes,
        };
        match task.tell_begun(&mut around, begun.call, &pending, &lineage) {
            Ok(()) => {
                self.count_filtered();
                self.calls.note_told(number, Told::Yes);
                if let Err(failure) = self.send_outbox(begun.task, &lineage) {
                    if failure.as_rejection().is_some() {
                        tracing::warn!(
                            call = name,
                            "What follows from the beginning of a call is too large for the log."
                        );
                        self.calls.note_told(number, Told::Never);
                    }
                    return Err(failure);
                }
                Ok(())
            }
            Err(ProcessError::Rejected(rejection)) => {
                tracing::warn!(
                    call = name,
                    code = rejection.code,
                    "A processor refuses to hear that a call has begun."
                );
                self.outbox.clear();
                self.calls.note_told(number, Told::Never);
                Ok(())
            }
            Err(ProcessError::Parked { id: schema, .. }) => {
                let message = format!("a stored value needs a schema that is not at hand ({schema})");
                Err(WorkerError::Programming(message).into())
            }
            Err(ProcessError::State(error)) => Err(error.into()),
            Err(ProcessError::Programming(message)) => Err(WorkerError::Programming(message).into()),
        }
    }
}
