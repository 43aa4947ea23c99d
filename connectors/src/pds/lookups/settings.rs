//! How questions are taken and answered.

use std::time::Duration;

use crate::patience::Patience;

/// How questions are taken and answered.
#[derive(Debug, Clone)]
pub struct LookupSettings {
    /// Consumer group of the questions.
    pub group: String,
    /// Name of this process in the group.
    pub instance: String,
    /// How long a silent process keeps its partitions.
    pub session_timeout: Duration,
    /// Requests under way at the same time.
    pub in_flight: usize,
    /// Questions taken at a time.
    pub batch: usize,
    /// How long an answer is remembered; zero: not at all.
    pub kept_for: Duration,
    /// How many answers are remembered.
    pub most_kept: usize,
    /// Pauses between attempts while PDS is away; the number of attempts is not limited.
    pub outage: Patience,
}

impl LookupSettings {
    /// Usual limits.
    #[must_use]
    pub fn named(group: &str, instance: &str) -> Self {
        Self {
            group: group.to_owned(),
            instance: instance.to_owned(),
            session_timeout: Duration::from_secs(30),
            in_flight: 8,
            batch: 64,
            kept_for: Duration::from_secs(600),
            most_kept: 10_000,
            outage: Patience {
                attempts: u32::MAX,
                first_pause: Duration::from_secs(1),
                longest_pause: Duration::from_secs(60),
            },
        }
    }
}
