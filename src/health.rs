//! What the process knows of itself, for `/health` and the metrics.

use std::sync::{Arc, Mutex, PoisonError};

use concord_connectors::connect::Standing;
use concord_engine::worker::StepReport;

/// Shared by workers and the HTTP service.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting_for: Option<String>,
    workers: Vec<WorkerState>,
    /// Of a process that connects.
    edges: Option<Standing>,
    /// Of a connector, which has no workers: how it stands.
    connector: Option<Result<String, String>>,
}

#[derive(Clone, Copy, Default)]
struct WorkerState {
    running: usize,
    restoring: usize,
    stepped_at_ms: i64,
}

impl Health {
    /// Of a process that has edges instead of workers.
    pub fn of_edges() -> Self {
        Self(Arc::new(Mutex::new(State { edges: Some(Standing::default()), ..State::default() })))
    }

    /// The edges start.
    pub fn follows(&self, standing: Standing) {
        self.edit(|state| {
            state.waiting_for = None;
            state.edges = Some(standing);
        });
    }

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

    /// How a connector stands: what it does, or what it waits for.
    pub fn connector_stands(&self, standing: Result<String, String>) {
        self.edit(|state| {
            state.waiting_for = None;
            state.connector = Some(standing);
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

    /// Whether every worker has stepped within the last half minute (or the process still waits to start), and no edge has ended.
    pub fn is_live(&self, now_ms: i64) -> bool {
        const SILENCE_MS: i64 = 30_000;
        self.read(|state| {
            let has_moved = |w: &WorkerState| w.stepped_at_ms == 0 || now_ms - w.stepped_at_ms < SILENCE_MS;
            state.edges.as_ref().is_none_or(Standing::is_live) && state.workers.iter().all(has_moved)
        })
    }

    /// `Ok` when tasks process and none is being restored, or all edges work; otherwise what it waits for.
    pub fn readiness(&self) -> Result<String, String> {
        self.read(|state| {
            if let Some(what) = &state.waiting_for {
                return Err(format!("waiting for {what}"));
            }
            if let Some(edges) = &state.edges {
                return edges.readiness();
            }
            if let Some(standing) = &state.connector {
                return standing.clone();
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
