//! What can be set for the flow.

use super::catalogue::RuleSettings;
use super::profile::Profile;

/// Where "registered here" comes from when a practice's list is held against PDS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegistrationSource {
    /// The practice that each PDS record names.
    #[default]
    PdsRecords,
    /// The list of registrations (topic `pds.registration`).
    RegistrationList,
}

/// What happens to a file with invalid records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// The whole file is refused, with every reason.
    #[default]
    Reject,
    /// Only the invalid records are left out, and the job and its validation report say so.
    Quarantine,
}

/// Settings of list reconciliation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Application id: consumer group and beginning of internal topic names.
    pub application: String,
    /// Partitions of every topic of the flow.
    pub partitions: i32,
    /// Earlier behaviour or corrected.
    pub profile: Profile,
    /// Files with invalid records.
    pub on_invalid: OnInvalid,
    /// Where "registered here" comes from.
    pub registrations: RegistrationSource,
    /// How long a file may wait for its end marker, milliseconds of wall-clock time.
    pub upload_timeout_ms: i64,
    /// Which rules hold where and when.
    pub rules: RuleSettings,
}

impl Default for Settings {
    fn default() -> Self {
        const SIX_HOURS_MS: i64 = 6 * 60 * 60 * 1000;
        Self {
            application: "list-reconciliation".to_string(),
            partitions: 4,
            profile: Profile::default(),
            on_invalid: OnInvalid::default(),
            registrations: RegistrationSource::default(),
            upload_timeout_ms: SIX_HOURS_MS,
            rules: RuleSettings::default(),
        }
    }
}
