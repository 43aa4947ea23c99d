//! Follows a job from its first piece to its end: gathers what the partitions found of it, orders it, writes the output files,
//! publishes the job, and tells whoever is to be told.

mod deliveries;
mod dps_answer;
mod mails;
mod progress;
mod validation_log;
mod writing;

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Timer, TimerClock};
use concord_schemas::list_reconciliation::{
    GpEvent, JobEvent, JobGivenUp, JobNote, JobNoted, JobReceived, JobValidated, PartitionCompleted, ReportRows,
};

use super::intake::TIMED_OUT;
use super::profile::Profile;
use super::settings::{Delivered, MailSettings};
use super::values::{Files, GpEvents, JobEvents, Jobs, Mails};
use super::{JobStatus, ids};
use progress::{Progress, Writing};
pub(super) use writing::rows_of;
use writing::{FILES, row_key};

/// What the report uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// Progress by job.
    pub jobs: StoreHandle<()>,
    /// `job/offset`: rows as they came, many to an entry.
    pub found: StoreHandle<JobEvents>,
    /// `job/file/sort key`: rows in the order of their file. Follows from the store before.
    pub rows: StoreHandle<()>,
    /// `job/file name`: on which ways a file has left, and how far it has come.
    pub ways: StoreHandle<()>,
    pub job_topic: SinkHandle<Jobs>,
    pub files: SinkHandle<Files>,
    pub mails: SinkHandle<Mails>,
    /// Where records of a job may wait for PDS; `None` when PDS is not asked.
    pub gp_events: Option<SinkHandle<GpEvents>>,
}

/// Who is told of jobs, and what a job waits for before it is complete.
#[derive(Clone)]
pub(super) struct Telling {
    pub mails: MailSettings,
    pub delivered: Vec<Delivered>,
}

/// See the module.
pub(super) struct Report {
    pub handles: Handles,
    pub profile: Profile,
    /// Whether an answer to whoever sent the file is written, in place of lists and work items.
    pub plays_dps: bool,
    pub job_timeout_ms: i64,
    pub telling: Telling,
}

/// The timer that ends a job which does not come on.
const DEADLINE: &str = "deadline";
/// The timer that shows what has been delivered meanwhile.
const TELL: &str = "tell";

/// `what/job id`. The timer of the next slice of writing has the job id alone.
fn timer_key(what: &str, job_id: &str) -> Vec<u8> {
    format!("{what}/{job_id}").into_bytes()
}

impl Report {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: JobEvent<'_>) -> Result<(), ProcessError> {
        match event {
            JobEvent::JobReceived(received) => self.received(ctx, &received),
            JobEvent::JobNoted(noted) => self.noted(ctx, &noted),
            JobEvent::JobValidated(validated) => self.validated(ctx, &validated),
            JobEvent::ReportRows(rows) => self.rows(ctx, rows),
            JobEvent::PartitionCompleted(completed) => self.completed(ctx, &completed),
        }
    }

    fn received(&self, ctx: &mut Context<'_>, received: &JobReceived<'_>) -> Result<(), ProcessError> {
        // A job that timed out or was cleaned up, and is sent again, starts over; what became of it before stays known.
        let earlier = self.progress(ctx, received.job_id)?;
        let mut progress = Progress {
            file: received.file_name.to_string(),
            at_ms: received.at_ms,
            source: received.source.to_string(),
            copies: earlier.copies,
            last_copy: earlier.last_copy,
            history: earlier.history,
            mails: earlier.mails,
            ..Progress::default()
        };
        let detail = if received.source.is_empty() { String::new() } else { format!("from {}", received.source) };
        progress.step(ctx, JobStatus::Received, detail);
        self.keep(ctx, received.job_id, &progress)?;
        self.publish(ctx, received.job_id, &progress)
    }

    fn noted(&self, ctx: &mut Context<'_>, noted: &JobNoted<'_>) -> Result<(), ProcessError> {
        let job_id = noted.job_id;
        let mut progress = self.progress(ctx, job_id)?;
        match noted.note {
            JobNote::Waiting => progress.step(ctx, JobStatus::Waiting, format!("route {}", noted.subject)),
            JobNote::Copied => {
                progress.copies += 1;
                progress.last_copy = noted.subject.to_string();
                progress.note(ctx, format!("the same file came again from {}", noted.subject));
                self.tell_of_copy(ctx, job_id, &mut progress)?;
            }
            JobNote::CleanedUp => {
                let detail = match noted.detail {
                    "" => format!("by {}", noted.subject),
                    reason => format!("by {}: {reason}", noted.subject),
                };
                progress.step(ctx, JobStatus::CleanedUp, detail);
                return self.end_early(ctx, job_id, progress);
            }
            JobNote::SentToDps => {
                progress.practice = noted.subject.to_string();
                progress.step(ctx, JobStatus::Validated, "goes to DPS to be compared");
            }
            JobNote::DpsAnswered => {
                // The answer may come behind the time in which it was to come.
                if progress.has_status(JobStatus::TimedOut) {
                    progress = progress.begun_again();
                }
                let separator = if noted.detail.is_empty() { "" } else { "; " };
                progress.note(ctx, format!("DPS has answered: {}{separator}{}", noted.subject, noted.detail));
            }
            JobNote::DpsRefused => {
                progress.note(ctx, format!("an answer of DPS is refused, {}: {}", noted.subject, noted.detail));
            }
        }
        self.publish(ctx, job_id, &progress)?;
        self.keep(ctx, job_id, &progress)
    }

    fn validated(&self, ctx: &mut Context<'_>, validated: &JobValidated<'_>) -> Result<(), ProcessError> {
        let job_id = validated.job_id;
        let mut progress = self.progress(ctx, job_id)?;
        if progress.done {
            ctx.count_filtered("verdict on a job that is done");
            return Ok(());
        }
        progress.practice = validated.practice.to_string();
        progress.file = validated.file_name.to_string();
        progress.at_ms = validated.at_ms;
        progress.validated = true;
        progress.refused = validated.refused.to_string();
        progress.reasons = validated.reasons.iter().map(ToString::to_string).collect();
        progress.records = validated.records;
        progress.invalid_records = validated.invalid_records;
        if progress.refused == TIMED_OUT {
            return self.time_out(ctx, job_id, progress);
        }
        if progress.refused.is_empty() {
            progress.step(ctx, JobStatus::Validated, "");
            self.publish(ctx, job_id, &progress)?;
        }
        let due = ctx.wall_clock_ms() + self.job_timeout_ms;
        ctx.set_timer(TimerClock::WallClock, &timer_key(DEADLINE, job_id), due, Bytes::new())?;
        self.go_on(ctx, job_id, progress)
    }

    fn rows(&self, ctx: &mut Context<'_>, rows: ReportRows<'_>) -> Result<(), ProcessError> {
        if self.progress(ctx, rows.job_id)?.done {
            ctx.count_filtered("rows of a job that is done");
            return Ok(());
        }
        let key = format!("{}/{:020}", rows.job_id, ctx.input().offset);
        for row in &rows.rows {
            let text = Bytes::copy_from_slice(row.text.as_bytes());
            ctx.put_bytes(self.handles.rows, row_key(rows.job_id, row).as_bytes(), text)?;
        }
        ctx.put(self.handles.found, key.as_bytes(), &JobEvent::ReportRows(rows))
    }

    fn completed(&self, ctx: &mut Context<'_>, completed: &PartitionCompleted<'_>) -> Result<(), ProcessError> {
        let mut progress = self.progress(ctx, completed.job_id)?;
        if progress.done {
            ctx.count_filtered("answer to a job that is done");
            return Ok(());
        }
        if progress.answered.contains(&completed.partition) {
            ctx.count_filtered("partition answered twice");
            return Ok(());
        }
        progress.answered.push(completed.partition);
        progress.partitions = completed.partitions;
        progress.records_of_file = completed.records_of_file;
        progress.counts = ids::add_counts(&progress.counts, &completed.counts);
        self.go_on(ctx, completed.job_id, progress)
    }

    /// Begins to write once the verdict and all answers are here.
    fn go_on(&self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        let ready = progress.validated && (progress.all_answered() || !progress.refused.is_empty());
        if !ready || progress.writing.is_some() {
            return self.keep(ctx, job_id, &progress);
        }
        if progress.refused.is_empty() && !progress.adds_up() {
            progress.reasons.push(format!(
                "The counts do not add up: {} records sent, {} compared. Report this as a fault of the program",
                progress.records_of_file, progress.counts.records
            ));
        }
        progress.writing = Some(Writing::default());
        self.keep(ctx, job_id, &progress)?;
        ctx.set_timer(TimerClock::WallClock, job_id.as_bytes(), ctx.wall_clock_ms(), Bytes::new())
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let key = ids::text(&timer.key)?;
        let (what, job_id) = key.split_once('/').unwrap_or(("", key));
        let mut progress = self.progress(ctx, job_id)?;
        match what {
            DEADLINE if !progress.done => {
                let answered = progress.answered.len();
                progress.reasons.push(format!(
                    "The job was not done within {} minutes of its verdict: {answered} partitions have answered. Rerun it",
                    self.job_timeout_ms / 60_000
                ));
                self.time_out(ctx, job_id, progress)
            }
            TELL => self.publish(ctx, job_id, &progress),
            "" => self.write(ctx, job_id, progress),
            _ => Ok(()),
        }
    }

    /// Writes a slice; behind the last one the job has ended, and its rows are dropped.
    fn write(&self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        let Some(mut writing) = progress.writing.take() else { return Ok(()) };
        if let Some(&file) = FILES.get(writing.step) {
            if self.write_slice(ctx, job_id, file, &mut writing, &mut progress)? {
                writing = Writing { step: writing.step + 1, ..Writing::default() };
            }
        } else {
            if !progress.done {
                self.end(ctx, job_id, &mut progress)?;
            }
            if !self.clean_slice(ctx, job_id)? {
                return self.keep(ctx, job_id, &progress);
            }
        }
        progress.writing = Some(writing);
        self.keep(ctx, job_id, &progress)?;
        ctx.set_timer(TimerClock::WallClock, job_id.as_bytes(), ctx.wall_clock_ms(), Bytes::new())
    }

    /// The end of a job whose files are written: its status and the mail that tells of it.
    fn end(&self, ctx: &mut Context<'_>, job_id: &str, progress: &mut Progress) -> Result<(), ProcessError> {
        progress.done = true;
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(DEADLINE, job_id))?;
        if progress.counts.lookup_failed > 0 {
            let records = progress.counts.lookup_failed;
            progress.note(ctx, format!("PDS could not tell about {records} records: their outcomes say why"));
        }
        match (progress.refused.is_empty(), progress.adds_up()) {
            (false, _) => {
                progress.step(ctx, JobStatus::Rejected, progress.refused.clone());
                self.tell_of_refusal(ctx, job_id, progress)?;
            }
            (true, true) => {
                progress.step(ctx, JobStatus::Reconciled, "");
                self.complete(ctx, job_id, progress)?;
            }
            (true, false) => {
                progress.step(ctx, JobStatus::Inconsistent, "");
                self.tell_of_no_end(ctx, job_id, progress)?;
            }
        }
        self.publish(ctx, job_id, progress)
    }

    fn time_out(&self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        progress.step(ctx, JobStatus::TimedOut, "");
        self.tell_of_no_end(ctx, job_id, &mut progress)?;
        self.end_early(ctx, job_id, progress)
    }

    /// Ends a job before its files are written, or whatever has become of it, and drops its rows.
    fn end_early(&self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        progress.done = true;
        if let Some(gp_events) = self.handles.gp_events
            && progress.is_being_compared()
        {
            ctx.broadcast(gp_events, job_id, &GpEvent::JobGivenUp(JobGivenUp { job_id }))?;
        }
        progress.writing = Some(Writing { step: FILES.len(), ..Writing::default() });
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(DEADLINE, job_id))?;
        self.publish(ctx, job_id, &progress)?;
        self.keep(ctx, job_id, &progress)?;
        ctx.set_timer(TimerClock::WallClock, job_id.as_bytes(), ctx.wall_clock_ms(), Bytes::new())
    }
}
