//! Where a worker's time goes: one counter for each part of a turn and of a commit.

use std::time::Instant;

use crate::metric_names as names;

/// Runs from lap to lap.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Adds the time since the last lap to a part.
    pub fn lap(&mut self, part: &'static str) {
        let now = Instant::now();
        metrics::counter!(names::WORKER_TIME, "part" => part).increment((now - self.0).as_micros() as u64);
        self.0 = now;
    }
}
