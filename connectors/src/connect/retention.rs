//! Kept files are removed when their time is over.

use std::sync::Arc;
use std::time::Duration;

use concord_engine::clock::Clock;
use concord_engine::metric_names as names;

use super::edge::{Edge, Turn};
use super::error::Trouble;
use super::place::Place;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Between two looks.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Removes files of one place.
pub struct Retention {
    name: String,
    place: Box<dyn Place>,
    days: u32,
    clock: Arc<dyn Clock>,
}

impl Retention {
    /// Of the place that the configuration calls `of`.
    pub fn new(of: &str, place: Box<dyn Place>, days: u32, clock: Arc<dyn Clock>) -> Self {
        Self { name: format!("retention {of}"), place, days, clock }
    }
}

impl Edge for Retention {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        let before_ms = self.clock.now_ms() - i64::from(self.days) * DAY_MS;
        for removed in self.place.remove_older_than(before_ms)? {
            // The line that says what was kept for how long, and is no more.
            tracing::info!(
                of = self.name,
                days = self.days,
                job = removed.job_id,
                files = removed.files,
                "Files whose time was over are removed."
            );
            metrics::counter!(names::RETENTION_REMOVED, "of" => self.name.clone()).increment(removed.files);
        }
        Ok(Turn::Rest(EVERY))
    }

    fn forget(&mut self) {
        self.place.forget();
    }
}
