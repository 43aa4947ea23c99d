//! What stands between two files of a practice: its last list, and what is published of the people on it.

use serde::{Deserialize, Serialize};

use super::GpRecord;

/// What a business rule says is to be done about a person on a practice's list.
///
/// Topic `list-reconciliation.decision`, compacted, key: `<practice>/<NHS number>/<rule id>`; a tombstone takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision<'a> {
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Ten digits.
    pub nhs_number: &'a str,
    /// Such as `BR-SN-04`.
    pub rule_id: &'a str,
    /// `update PDS`, `update GP` or `validate`.
    pub decision: &'a str,
    /// What it is about, such as `surname`.
    pub item: &'a str,
    /// What to do about it.
    pub guidance: &'a str,
    /// The job whose list it stands on.
    pub job_id: &'a str,
    /// Serial change number of the PDS record it was decided on.
    pub pds_version: &'a str,
    /// Since when it stands without a break, milliseconds since the epoch, UTC.
    pub first_seen_ms: i64,
    /// When it was last found, milliseconds since the epoch, UTC.
    pub last_confirmed_ms: i64,
    /// What this record was published for, as in [`Difference::cause`](super::Difference::cause).
    pub cause: &'a str,
}

/// Where one person stands on the lists of practices, and what is published of it.
///
/// Store `standing`, key: NHS number as the practice gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingPerson<'a> {
    /// In order of practice.
    #[serde(borrow)]
    pub lists: Vec<StandingOnList<'a>>,
}

/// One person and the last accepted list of one practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingOnList<'a> {
    /// Practice code of the file name.
    pub practice: &'a str,
    /// The job whose list it is.
    pub job_id: &'a str,
    /// Processing time of that job, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// The practice's record; `None` when the list does not name the person.
    #[serde(borrow)]
    pub record: Option<GpRecord<'a>>,
    /// What stands on the topics of differences and decisions.
    #[serde(borrow)]
    pub findings: Vec<StandingFinding<'a>>,
}

/// A published difference or decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingFinding<'a> {
    /// The rule that found it.
    pub rule_id: &'a str,
    /// Since when it stands without a break, milliseconds since the epoch, UTC.
    pub first_seen_ms: i64,
    /// When it was last found, milliseconds since the epoch, UTC.
    pub last_confirmed_ms: i64,
}

/// The last accepted list of a practice.
///
/// Store `standing-lists`, key: practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingList<'a> {
    /// The job whose list it is.
    pub job_id: &'a str,
    /// Processing time of that job, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}
