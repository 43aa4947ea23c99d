//! What the way of a worker from its start, or from a rebalance, to processing goes into: which of the phases is slow
//! decides what mends it.

use std::time::{Duration, Instant};

use crate::metric_names as names;

/// One part of the way. They follow one another, but for databases that are opened while others are restored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// From the start of the worker until the group has given it partitions: its clients connect, and it takes the place
    /// of an older member of its name.
    Join,
    /// Opening databases.
    Open,
    /// Fencing the older producer of this name, and waiting for what becomes of its last transaction.
    Fence,
    /// Reading committed positions and the ends of changelogs.
    Positions,
    /// Reading the changelogs from where the state stands to their ends.
    Replay,
}

const PHASES: [(Phase, &str); 5] = [
    (Phase::Join, "join"),
    (Phase::Open, "open"),
    (Phase::Fence, "fence"),
    (Phase::Positions, "positions"),
    (Phase::Replay, "replay"),
];

/// Adds up until every task processes.
pub(super) struct StartPhases {
    took: [Duration; PHASES.len()],
    /// When the worker was started, until it is given partitions.
    joining_since: Option<Instant>,
    replaying_since: Option<Instant>,
    has_tasks_to_start: bool,
}

impl StartPhases {
    /// At the start of a worker.
    pub fn begin() -> Self {
        Self {
            took: Default::default(),
            joining_since: Some(Instant::now()),
            replaying_since: None,
            has_tasks_to_start: false,
        }
    }

    /// Partitions came.
    pub fn joined(&mut self) {
        if let Some(since) = self.joining_since.take() {
            self.add(Phase::Join, since);
        }
    }

    /// The time since `since` went into `phase`.
    pub fn add(&mut self, phase: Phase, since: Instant) {
        self.took[phase as usize] += since.elapsed();
        self.has_tasks_to_start = true;
    }

    /// A task has its positions, and begins to read changelogs.
    pub fn replay_begins(&mut self) {
        self.replaying_since.get_or_insert_with(Instant::now);
    }

    /// Every task processes: tells what it took, and begins anew.
    pub fn all_run(&mut self, worker: &str) {
        if !self.has_tasks_to_start {
            return;
        }
        if let Some(since) = self.replaying_since.take() {
            self.add(Phase::Replay, since);
        }
        for (phase, name) in PHASES {
            metrics::gauge!(names::START_SECONDS, "worker" => worker.to_string(), "phase" => name)
                .set(self.took[phase as usize].as_secs_f64());
        }
        let [join, open, fence, positions, replay] = self.took.map(|took| took.as_millis() as u64);
        tracing::info!(
            worker,
            join_ms = join,
            open_ms = open,
            fence_ms = fence,
            positions_ms = positions,
            replay_ms = replay,
            "All tasks of the worker process."
        );
        *self = Self { joining_since: None, ..Self::begin() };
    }
}
