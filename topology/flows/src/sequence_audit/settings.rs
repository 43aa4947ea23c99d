//! What can be set for the audit of sequences.

use concord_engine::TimerClock;

use super::counter::Circle;
use super::link::AuditSettings;

/// Settings of the flow.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Application id: consumer group and beginning of internal topic names.
    pub application: String,
    /// Partitions of every topic of the flow.
    pub partitions: i32,
    /// How lines and receipts are judged.
    pub audit: AuditSettings,
    /// What deadlines follow: the wall clock, or in a run over files the time of their records.
    pub clock: TimerClock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            application: "sequence-audit".to_owned(),
            partitions: 4,
            audit: AuditSettings::default(),
            clock: TimerClock::WallClock,
        }
    }
}

const HOUR_MS: i64 = 60 * 60 * 1000;

/// How one line is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Its numbers.
    pub numbers: Circle,
    /// How long a number may come behind one that follows it before it counts as missing, milliseconds.
    pub grace_ms: i64,
    /// The furthest that a number may lie from the last one and still be of the same epoch.
    pub plausible: u64,
    /// Of how many numbers below the last one the content is remembered.
    pub window: u32,
    /// After how long without a number the line is silent, milliseconds; `None` for lines that may be silent.
    pub silence_ms: Option<i64>,
}

impl LineSettings {
    /// The settings of a counter with these numbers.
    #[must_use]
    pub const fn of(numbers: Circle) -> Self {
        Self { numbers, grace_ms: HOUR_MS, plausible: 10_000, window: 256, silence_ms: None }
    }
}

/// How receipts are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptSettings {
    /// How long a message may be without a receipt, milliseconds from its arrival here.
    pub overdue_ms: i64,
    /// How long a receipt may be without its message, milliseconds from its arrival here.
    pub orphan_ms: i64,
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        Self { overdue_ms: 24 * HOUR_MS, orphan_ms: HOUR_MS }
    }
}
