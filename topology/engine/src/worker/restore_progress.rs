//! How a restore gets on: told every few seconds, and at its end.

use crate::metric_names as names;

/// Between two lines in the log.
const TELL_EVERY_MS: i64 = 5_000;

/// Counts what is replayed from the first task that restores until none does.
#[derive(Default)]
pub(super) struct RestoreProgress {
    began_ms: Option<i64>,
    told_ms: i64,
    records: u64,
    bytes: u64,
}

impl RestoreProgress {
    /// Records and bytes were replayed.
    pub fn add(&mut self, records: usize, bytes: usize) {
        self.records += records as u64;
        self.bytes += bytes as u64;
        metrics::counter!(names::RESTORED_RECORDS).increment(records as u64);
        metrics::counter!(names::RESTORED_BYTES).increment(bytes as u64);
    }

    /// `remaining` is how far the changelogs' positions are from their ends, all together.
    pub fn goes_on(&mut self, worker: &str, remaining: i64, now_ms: i64) {
        let began_ms = *self.began_ms.get_or_insert_with(|| {
            self.told_ms = now_ms;
            now_ms
        });
        metrics::gauge!(names::RESTORE_REMAINING, "worker" => worker.to_string()).set(remaining as f64);
        if now_ms - self.told_ms < TELL_EVERY_MS {
            return;
        }
        self.told_ms = now_ms;
        let (records, bytes, a_second) = (self.records, self.bytes, self.rate(now_ms - began_ms));
        tracing::info!(worker, records, bytes, records_a_second = a_second, remaining, "Stores are being restored.");
    }

    /// No task restores (any more).
    pub fn ends(&mut self, worker: &str, now_ms: i64) {
        let Some(began_ms) = self.began_ms else { return };
        metrics::gauge!(names::RESTORE_REMAINING, "worker" => worker.to_string()).set(0.0);
        let took_ms = now_ms - began_ms;
        let (records, bytes, a_second) = (self.records, self.bytes, self.rate(took_ms));
        tracing::info!(worker, records, bytes, records_a_second = a_second, took_ms, "All stores are restored.");
        *self = Self::default();
    }

    fn rate(&self, took_ms: i64) -> u64 {
        self.records * 1_000 / took_ms.max(1) as u64
    }
}
