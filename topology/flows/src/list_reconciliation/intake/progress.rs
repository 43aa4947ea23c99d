//! What the intake stores of a job, and under which keys.

use concord_engine::Context;
use concord_engine::ProcessError;

use super::Intake;
use crate::list_reconciliation::ids;

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) enum Stage {
    #[default]
    Receiving,
    /// It is here whole, and its route is closed, or others of the route go first.
    Waiting,
    /// The verdict is known; records (or reasons) are being sent.
    Releasing,
    Done,
    TimedOut,
    CleanedUp,
}

/// What is stored of a job. Fields that an earlier version did not have are empty.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    pub stage: Stage,
    pub file_name: String,
    pub at_ms: i64,
    /// Pieces received, or pieces of the file once it is closed.
    pub pieces: i32,
    /// Of these, the first ones that are in the store.
    pub kept: i32,
    /// Pieces released.
    pub released: i32,
    /// Records (or reasons) sent so far.
    pub sent: i64,
    /// Of the file name; empty when it cannot be read.
    pub practice: String,
    pub cipher: String,
    /// The verdict: empty when accepted.
    pub refused: String,
    pub reasons: Vec<String>,
    pub records: i64,
    pub invalid_records: i64,
    /// Where the file came from.
    pub source: String,
    /// Where it came from again, the last few.
    pub copies_from: Vec<String>,
    /// Its checksum, as its end marker says.
    pub sha256: String,
    /// Its route and its place in the waiting line; empty when it never waited.
    pub route: String,
    pub place: String,
    /// Of a file that goes to DPS: its name as it was sent, and bytes of a character whose rest is in the next piece.
    pub sent_as: String,
    pub half_character: Vec<u8>,
}

impl Progress {
    /// Whether the same file, sent again, is a new beginning: it came to no end, and nothing of it has gone on that could
    /// meet what comes now.
    pub fn may_start_over(&self) -> bool {
        matches!(self.stage, Stage::TimedOut | Stage::CleanedUp) && self.released == 0
    }

    /// Whether its records are on their way, and partitions remember whom it has named.
    pub fn is_being_compared(&self) -> bool {
        self.stage == Stage::Releasing && self.refused.is_empty()
    }
}

/// The timer that ends a job which does not come on.
pub(super) const TIMEOUT: &str = "timeout";
/// The timer of the next slice of a job that is released.
pub(super) const RELEASE: &str = "release";
/// The timer at which the hours of a route open or close it.
pub(super) const HOURS: &str = "hours";
/// The timer at which the next waiting file of a route leaves the line.
pub(super) const NEXT: &str = "next";
/// The timer at which a file that has left the line is given its verdict.
pub(super) const JUDGE: &str = "judge";

/// `what/job id` or `what/route`.
pub(super) fn timer_key(what: &str, whose: &str) -> Vec<u8> {
    format!("{what}/{whose}").into_bytes()
}

pub(super) fn piece_key(job_id: &str, number: i32) -> Vec<u8> {
    format!("{job_id}/{number:010}").into_bytes()
}

impl Intake {
    pub(super) fn progress(&self, ctx: &Context<'_>, job_id: &str) -> Result<Option<Progress>, ProcessError> {
        match ctx.get(self.handles.jobs, job_id.as_bytes())? {
            Some(bytes) => Ok(Some(ids::progress_from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    pub(super) fn keep(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.jobs, job_id.as_bytes(), ids::progress_to_bytes(progress))
    }
}
