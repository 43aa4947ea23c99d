//! What can be set for patient documents.

use std::time::Duration;

use concord_engine::calls::CallLimits;

use super::consolidation::Rules;
use super::debounce::Debounce;

/// Settings of the flow.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Application id: consumer group and beginning of internal topic names.
    pub application: String,
    /// Partitions of every topic of the flow.
    pub partitions: i32,
    /// How long, how often and how many documents are read.
    pub reading: CallLimits,
    /// When a patient whose documents change is consolidated.
    pub debounce: Debounce,
    /// How values are chosen.
    pub rules: Rules,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            application: "patient-documents".to_owned(),
            partitions: 4,
            reading: CallLimits { time_limit: Duration::from_secs(120), attempts: 3, ..CallLimits::default() },
            debounce: Debounce::default(),
            rules: Rules::default(),
        }
    }
}
