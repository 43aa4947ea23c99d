//! What the process knows of itself, for `/health` and the metrics.

use std::sync::{Arc, Mutex, PoisonError};

use concord_engine::worker::StepReport;

/// Shared by workers and the HTTP service.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting_for: Option<String>,
    workers: Vec<WorkerState>,
}

#[derive(Clone, Copy, Default)]
struct WorkerState {
    running: usize,
    restoring: usize,
    stepped_at_ms: i64,
}

impl Health {
    /// The process waits for something before its workers can start.
    pub fn waits_for(&self, what: &str) {
        self.edit(|state| state.waiting_for = Some(what.to_string()));
    }

    /// The workers start.
    pub fn starts(&self, workers: usize) {
        self.edit(|state| {
            state.waiting_for = None;
            state.workers = vec![WorkerState::default(); workers];
        });
    }

    /// A worker has made a step.
    pub fn stepped(&self, worker: usize, report: &StepReport, now_ms: i64) {
        self.edit(|state| {
            if let Some(state) = state.workers.get_mut(worker) {
                *state = WorkerState {
                    running: report.tasks_running,
                    restoring: report.tasks_restoring,
                    stepped_at_ms: now_ms,
                };
            }
        });
    }

    /// Whether every worker has stepped within the last half minute (or the process still waits to start).
    pub fn is_live(&self, now_ms: i64) -> bool {
        const SILENCE_MS: i64 = 30_000;
        self.read(|state| state.workers.iter().all(|w| w.stepped_at_ms == 0 || now_ms - w.stepped_at_ms < SILENCE_MS))
    }

    /// `Ok` when tasks process and none is being restored; otherwise what it waits for.
    pub fn readiness(&self) -> Result<String, String> {
        self.read(|state| {
            if let Some(what) = &state.waiting_for {
                return Err(format!("waiting for {what}"));
            }
            let running: usize = state.workers.iter().map(|w| w.running).sum();
            let restoring: usize = state.workers.iter().map(|w| w.restoring).sum();
            if restoring > 0 {
                return Err(format!("{restoring} tasks are being restored, {running} process"));
            }
            if running == 0 {
                return Err("waiting for the group to give tasks to this process".to_string());
            }
            Ok(format!("{running} tasks process"))
        })
    }

    fn edit(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
