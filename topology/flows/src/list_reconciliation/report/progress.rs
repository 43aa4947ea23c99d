//! What the report stores of a job, and how it shows the job to users.

use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{Job, JobCounts, JobDeliveries, JobMail, JobStep};

use super::{Report, TELL, timer_key};
use crate::list_reconciliation::intake::TIMED_OUT;
use crate::list_reconciliation::{JobStatus, ids};

/// Steps of a history that are kept: the first ones and the last ones. Only copies of a file make it longer.
const FIRST_STEPS: usize = 20;
const LAST_STEPS: usize = 40;

/// What is stored of a job. Fields that an earlier version did not have are empty.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    pub status: String,
    pub practice: String,
    pub file: String,
    pub at_ms: i64,
    /// The verdict of the intake is here.
    pub validated: bool,
    pub refused: String,
    pub reasons: Vec<String>,
    pub records: i64,
    pub invalid_records: i64,
    pub counts: JobCounts,
    pub records_of_file: i64,
    pub partitions: i32,
    /// Partitions that have answered.
    pub answered: Vec<i32>,
    pub writing: Option<Writing>,
    pub files: Vec<String>,
    pub done: bool,
    pub source: String,
    pub copies: i64,
    pub last_copy: String,
    pub history: Vec<Step>,
    pub mails: Vec<MailAbout>,
    /// Whether the end was told, or nobody is to be told.
    pub told: bool,
    pub sent: SentFiles,
}

/// How far the writing has come.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Writing {
    /// Index into the files; behind them, the rows are deleted.
    pub step: usize,
    /// Pieces of the present file already sent.
    pub pieces: i32,
    /// Rows of the present file already sent.
    pub rows: i64,
    /// Sort key of the last row sent.
    pub behind: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Step {
    pub status: String,
    pub at_ms: i64,
    pub detail: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct MailAbout {
    pub mail_id: String,
    pub service: String,
    pub state: String,
}

/// How many files have left.
#[derive(Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct SentFiles {
    pub lists: i64,
    pub work_items: i64,
    pub others: i64,
    pub delivered: i64,
    pub refused: i64,
}

impl Progress {
    /// Takes a step: `status` holds from here on, for the reason `detail`.
    pub fn step(&mut self, ctx: &Context<'_>, status: JobStatus, detail: impl Into<String>) {
        self.status = status.as_str().to_string();
        self.note(ctx, detail);
    }

    /// Notes something that leaves the status as it is.
    pub fn note(&mut self, ctx: &Context<'_>, detail: impl Into<String>) {
        let step = Step { status: self.status.clone(), at_ms: ctx.wall_clock_ms(), detail: detail.into() };
        self.history.push(step);
        if self.history.len() > FIRST_STEPS + LAST_STEPS {
            self.history.remove(FIRST_STEPS);
        }
    }

    /// The job as before its verdict; what became of it before stays known.
    pub fn begun_again(self) -> Self {
        Self {
            status: JobStatus::Validated.as_str().to_string(),
            practice: self.practice,
            file: self.file,
            at_ms: self.at_ms,
            source: self.source,
            copies: self.copies,
            last_copy: self.last_copy,
            history: self.history,
            mails: self.mails,
            ..Self::default()
        }
    }

    pub fn has_status(&self, status: JobStatus) -> bool {
        self.status == status.as_str()
    }

    /// An earlier version stored what had happened, and not what it was called.
    fn status_of_an_earlier_version(&self) -> JobStatus {
        match (self.done, self.refused.as_str()) {
            (false, _) if self.validated && self.refused.is_empty() => JobStatus::Validated,
            (false, _) => JobStatus::Received,
            (true, "") if self.adds_up() => JobStatus::Reconciled,
            (true, "") => JobStatus::Inconsistent,
            (true, TIMED_OUT) => JobStatus::TimedOut,
            (true, _) => JobStatus::Rejected,
        }
    }

    /// Every record that was sent was compared, and has one registration status; or PDS could not tell it.
    pub fn adds_up(&self) -> bool {
        let counts = &self.counts;
        counts.records == self.records_of_file
            && counts.records
                == counts.matched
                    + counts.partnership_mismatch
                    + counts.deducted
                    + counts.unmatched
                    + counts.lookup_failed
    }

    pub fn all_answered(&self) -> bool {
        self.partitions > 0 && self.answered.len() as i32 == self.partitions
    }

    /// Whether partitions have records of it that they have not answered for.
    pub fn is_being_compared(&self) -> bool {
        self.validated && self.refused.is_empty() && !self.all_answered()
    }

    /// The status, of a job that has one.
    pub fn job_status(&self) -> JobStatus {
        JobStatus::of(&self.status).unwrap_or(JobStatus::Received)
    }
}

impl Report {
    /// Shows the job to users as it is now.
    pub(super) fn publish(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        // It shows all that has been delivered: what waits to show that has nothing to add.
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(TELL, job_id))?;
        let sent = progress.sent;
        let job = Job {
            job_id,
            practice: &progress.practice,
            file: &progress.file,
            status: &progress.status,
            at_ms: progress.at_ms,
            reasons: progress.reasons.iter().map(String::as_str).collect(),
            invalid_records: progress.invalid_records,
            counts: progress.counts,
            files: progress.files.iter().map(String::as_str).collect(),
            source: &progress.source,
            rerun_of: ids::rerun_of(&progress.source).map_or("", |(job_id, _)| job_id),
            copies: progress.copies,
            last_copy: &progress.last_copy,
            history: progress
                .history
                .iter()
                .map(|step| JobStep { status: &step.status, at_ms: step.at_ms, detail: &step.detail })
                .collect(),
            mails: progress
                .mails
                .iter()
                .map(|mail| JobMail { mail_id: &mail.mail_id, service: &mail.service, state: &mail.state })
                .collect(),
            deliveries: JobDeliveries {
                expected: self.telling.expected_files(progress),
                sent: sent.lists + sent.work_items + sent.others,
                delivered: sent.delivered,
                refused: sent.refused,
            },
        };
        ctx.send(self.handles.job_topic, job_id, &job)
    }

    pub(super) fn progress(&self, ctx: &Context<'_>, job_id: &str) -> Result<Progress, ProcessError> {
        Ok(self.known(ctx, job_id)?.unwrap_or_default())
    }

    /// `None` of a job that is not known.
    pub(super) fn known(&self, ctx: &Context<'_>, job_id: &str) -> Result<Option<Progress>, ProcessError> {
        match ctx.get(self.handles.jobs, job_id.as_bytes())? {
            Some(bytes) => {
                let mut progress: Progress = ids::progress_from_bytes(&bytes)?;
                if progress.status.is_empty() {
                    progress.status = progress.status_of_an_earlier_version().as_str().to_string();
                }
                Ok(Some(progress))
            }
            None => Ok(None),
        }
    }

    pub(super) fn keep(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.jobs, job_id.as_bytes(), ids::progress_to_bytes(progress))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_an_earlier_version_has_ended_has_the_status_that_it_was_shown_with() {
        let progress = |json: &str| -> Progress { serde_json::from_str(json).unwrap_or_default() };
        for (stored, expected) in [
            (r#"{"file": "f", "validated": false}"#, "RECEIVED"),
            (r#"{"file": "f", "validated": true}"#, "VALIDATED"),
            (r#"{"file": "f", "validated": true, "done": true}"#, "RECONCILED"),
            (r#"{"file": "f", "validated": true, "done": true, "records_of_file": 1}"#, "INCONSISTENT"),
            (r#"{"file": "f", "validated": true, "done": true, "refused": "TIMED_OUT"}"#, "TIMED_OUT"),
            (r#"{"file": "f", "validated": true, "done": true, "refused": "INVALID_FILENAME"}"#, "REJECTED"),
        ] {
            let progress = progress(stored);
            assert_eq!((progress.file.as_str(), progress.status_of_an_earlier_version().as_str()), ("f", expected));
        }
    }
}
