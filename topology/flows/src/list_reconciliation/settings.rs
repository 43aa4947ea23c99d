//! What can be set for the flow.

use super::catalogue::RuleSettings;
use super::post_office::PostOffice;
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

/// About whom PDS is asked while a list is compared, by the topic `pds.lookup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lookups {
    /// About nobody: what was published of PDS is all there is.
    #[default]
    Never,
    /// About whom nothing was published of.
    Unknown,
    /// About everybody on the list.
    Always,
}

/// Whether extracts are compared here, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DpsExchange {
    /// Here, and the result is lists and work items.
    #[default]
    Off,
    /// By DPS: it is sent the extracts, and its answers are made into the lists and work items.
    Asks,
    /// Here, in the place of DPS: the result is an answer to whoever sent the extract.
    Answers,
}

/// What connectors take from here, and say of it on `list-reconciliation.delivery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The lists of a reconciled file: CDD, OnlyOnGP, OnlyOnPDS.
    Lists,
    /// Its work items.
    WorkItems,
    /// The mails about it.
    Mails,
}

/// Who is told of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailSettings {
    /// Addresses. Without any, no mails are written.
    pub recipients: Vec<String>,
    /// Whether reconciled files are told too; refused ones always are.
    pub success: bool,
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
    /// About whom PDS is asked. Whatever is asked, `concord connect pds` has to answer.
    pub lookups: Lookups,
    /// Whether extracts are compared here, and for whom.
    pub dps: DpsExchange,
    /// How long a file, or an answer of DPS, may wait for its end marker, milliseconds of wall-clock time.
    pub upload_timeout_ms: i64,
    /// Which rules hold where and when.
    pub rules: RuleSettings,
    /// Whether the last list of each practice stands, so that every change of PDS is held against it. Without, a list is compared
    /// once, and a difference is published and never taken back.
    pub standing: bool,
    /// How long a job may take from the time its whole file goes on, milliseconds of wall-clock time; and how long DPS may take
    /// for its answer.
    pub job_timeout_ms: i64,
    /// Who is told of jobs.
    pub mails: MailSettings,
    /// What a job waits for before it is complete. With nothing here, it is done when it is reconciled.
    pub delivered: Vec<Delivered>,
    /// By which routes files come, and when these are open.
    pub post_office: PostOffice,
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
            lookups: Lookups::default(),
            dps: DpsExchange::default(),
            upload_timeout_ms: SIX_HOURS_MS,
            rules: RuleSettings::default(),
            standing: true,
            job_timeout_ms: SIX_HOURS_MS,
            mails: MailSettings::default(),
            delivered: Vec::new(),
            post_office: PostOffice::default(),
        }
    }
}
