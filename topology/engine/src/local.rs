//! A bounded run on the embedded log: one worker, on the caller's thread, until everything is processed.

use std::sync::Arc;
use std::time::Duration;

use concord_schemas::Schemas;
use concord_state::StateDirectory;

use crate::calls::{CallService, NoCalls};
use crate::clock::Clock;
use crate::log::embedded::{EmbeddedLog, EmbeddedSettings};
use crate::queries::CommittedViews;
use crate::store_reads::StoreReads;
use crate::topics;
use crate::topology::{Fingerprint, Topology};
use crate::worker::{Worker, WorkerError, WorkerParts, WorkerSettings};

/// A topology on an embedded log of its own.
pub struct LocalRun {
    log: EmbeddedLog,
    worker: Worker,
    topology: Arc<Topology>,
    views: CommittedViews,
    processed: u64,
}

impl LocalRun {
    /// Creates the topics and opens the tasks in `directory`.
    ///
    /// # Errors
    /// The state cannot be used.
    pub fn start(
        topology: Arc<Topology>,
        directory: Arc<dyn StateDirectory>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WorkerError> {
        Self::start_with_calls(topology, directory, clock, Arc::new(NoCalls))
    }

    /// [`Self::start`] of a topology with calls, which `calls` performs.
    ///
    /// # Errors
    /// As [`Self::start`]; or nobody performs one of the topology's calls.
    pub fn start_with_calls(
        topology: Arc<Topology>,
        directory: Arc<dyn StateDirectory>,
        clock: Arc<dyn Clock>,
        calls: Arc<dyn CallService>,
    ) -> Result<Self, WorkerError> {
        let log = EmbeddedLog::new(EmbeddedSettings::new(clock.clone()));
        topics::create(&log, &topology, 1)?;
        let views = CommittedViews::default();
        let parts = WorkerParts {
            fingerprint: Fingerprint::of(&topology).to_text(),
            topology: topology.clone(),
            schemas: Arc::new(Schemas::bundled()),
            log: Arc::new(log.clone()),
            directory,
            clock,
            views: views.clone(),
            calls,
        };
        let settings = WorkerSettings {
            // Nobody waits for single records here, and each hop between sub-topologies costs one interval.
            commit_interval: Duration::from_millis(20),
            rejected_share: 1.0,
            ..WorkerSettings::named(format!("{}-local-0", topology.application))
        };
        let worker = Worker::start(parts, settings)?;
        Ok(Self { log, worker, topology, views, processed: 0 })
    }

    /// The log, to publish to and to read from.
    pub fn log(&self) -> &EmbeddedLog {
        &self.log
    }

    /// The committed state of all tasks.
    pub fn stores(&self) -> StoreReads {
        StoreReads::of_process(&self.views)
    }

    /// Records processed so far, hops between sub-topologies included.
    pub fn processed(&self) -> u64 {
        self.processed
    }

    /// Steps until every record is processed and committed, every call has its result, and no due timer is left.
    /// `on_progress` is told now and then how many records are processed and how many wait.
    ///
    /// # Errors
    /// The worker must not go on.
    pub fn run_until_idle(&mut self, on_progress: &mut dyn FnMut(u64, u64)) -> Result<(), WorkerError> {
        loop {
            let report = self.worker.step(Duration::from_millis(5))?;
            self.processed += report.records as u64;
            if report.records > 0 || report.committed {
                on_progress(self.processed, self.log.lag(&self.topology.application) as u64);
            }
            let idle = report.is_idle() && report.tasks_running > 0;
            if idle
                && !self.worker.has_uncommitted()
                && self.log.lag(&self.topology.application) == 0
                && self.worker.pending_calls()? == 0
            {
                return Ok(());
            }
        }
    }

    /// Closes the tasks.
    ///
    /// # Errors
    /// The state could not be written.
    pub fn stop(self) -> Result<(), WorkerError> {
        self.worker.stop(false)
    }
}
