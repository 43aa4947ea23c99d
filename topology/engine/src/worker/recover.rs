//! The one answer to a fenced producer and to a commit whose outcome is unknown: build anew, and read the truth again.
//! Nothing here asks whether the commit went through.

use concord_state::failpoint;

use super::start_phases::Phase as StartPhase;
use super::{Doing, Failure, Worker, WorkerError, producer_settings};
use crate::log::{LogError, LogErrorKind};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::task::Phase;

impl Worker {
    /// Fences former producers of this name and settles what they left open; true once that is done. It may take as long
    /// as the log needs: the transaction before may still be on its way into the partitions, or the log may be away.
    pub(super) fn producer_is_ready(&mut self) -> Result<bool, Failure> {
        if self.producer_ready {
            return Ok(true);
        }
        let began = std::time::Instant::now();
        let answer = self.producer.init(self.settings.transaction_timeout);
        self.start_phases.add(StartPhase::Fence, began);
        match answer {
            Ok(()) => {
                self.producer_ready = true;
                failpoint!(RestoreFenced);
                Ok(true)
            }
            Err(error) if matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable) => {
                tracing::warn!(%error, "The producer is not yet initialised; trying again with the next step.");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Drops what is uncommitted, replaces the producer (which fences the old one and settles what it left open), and
    /// sends every task back to reading its committed positions and the tail of its changelogs.
    pub(super) fn recover(&mut self, cause: &LogError) -> Result<(), WorkerError> {
        if cause.kind == LogErrorKind::Crashed {
            return Err(cause.clone().into());
        }
        tracing::warn!(%cause, "The producer is built anew and every task reads its committed position again.");
        metrics::counter!(names::RECOVERIES).increment(1);
        self.whereabouts.is(Doing::Recovering);
        self.transaction_open = false;
        self.forget_polled_records();
        self.calls.tell_again();
        for task in self.tasks.values_mut() {
            if let Phase::Restoring(replays) = &task.phase {
                for replay in replays {
                    self.reader.unassign(&replay.from)?;
                }
            }
            task.roll_back(&self.parts.topology);
            task.phase = Phase::Joining;
        }
        if planted::is(PlantedBug::ProducerKeptAfterUnknown) {
            return Ok(());
        }
        self.producer = self.parts.log.transactional_producer(&producer_settings(&self.parts, &self.settings))?;
        self.producer_ready = false;
        Ok(())
    }
}
