//! Gathers what the partitions found of a job, orders it, writes the output files, and publishes the job.

use bytes::Bytes;
use concord_engine::topology::{EmitDerived, SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Timer, TimerClock};
use concord_schemas::list_reconciliation::{
    FileChunk, Job, JobCounts, JobEvent, JobReceived, JobValidated, PartitionCompleted, ReportFile, ReportRow,
    ReportRows,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ids;
use super::intake::TIMED_OUT;
use super::outputs::{self, DIFFERENCES_HEADER, LINE_END, ONLY_ON_GP_HEADER, ONLY_ON_PDS_HEADER};
use super::profile::Profile;
use super::values::{Files, JobEvents, Jobs};

/// Text of one piece of an output file, in bytes, at which it is sent.
const PIECE_BYTES: usize = 200_000;
/// Rows written in one slice.
const SLICE: usize = 5_000;
/// Entries of rows as they came that are deleted in one slice.
const CLEANED: usize = 20;

/// What the report uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// Progress by job.
    pub jobs: StoreHandle<()>,
    /// `job/offset`: rows as they came, many to an entry.
    pub found: StoreHandle<JobEvents>,
    /// `job/file/sort key`: rows in the order of their file. Follows from the store before.
    pub rows: StoreHandle<()>,
    pub job_topic: SinkHandle<Jobs>,
    pub files: SinkHandle<Files>,
}

/// See the module.
pub(super) struct Report {
    pub handles: Handles,
    pub profile: Profile,
}

/// The steps of writing, in order.
const FILES: [ReportFile; 5] =
    [ReportFile::Validation, ReportFile::Cdd, ReportFile::OnlyOnGp, ReportFile::OnlyOnPds, ReportFile::WorkItem];

/// What is stored of a job.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Progress {
    practice: String,
    file: String,
    at_ms: i64,
    /// The verdict of the intake is here.
    validated: bool,
    refused: String,
    reasons: Vec<String>,
    records: i64,
    invalid_records: i64,
    counts: JobCounts,
    records_of_file: i64,
    partitions: i32,
    /// Partitions that have answered.
    answered: Vec<i32>,
    writing: Option<Writing>,
    files: Vec<String>,
    done: bool,
}

/// How far the writing has come.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Writing {
    /// Index into [`FILES`]; behind them, the rows are deleted.
    step: usize,
    /// Pieces of the present file already sent.
    pieces: i32,
    /// Rows of the present file already sent.
    rows: i64,
    /// Sort key of the last row sent.
    behind: String,
}

impl Report {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: JobEvent<'_>) -> Result<(), ProcessError> {
        match event {
            JobEvent::JobReceived(received) => self.received(ctx, &received),
            JobEvent::JobValidated(validated) => self.validated(ctx, &validated),
            JobEvent::ReportRows(rows) => self.rows(ctx, rows),
            JobEvent::PartitionCompleted(completed) => self.completed(ctx, &completed),
        }
    }

    fn received(&self, ctx: &mut Context<'_>, received: &JobReceived<'_>) -> Result<(), ProcessError> {
        // A job that timed out and is sent again starts over.
        let progress = Progress { file: received.file_name.to_string(), at_ms: received.at_ms, ..Progress::default() };
        self.keep(ctx, received.job_id, &progress)?;
        self.publish(ctx, received.job_id, &progress, "RECEIVED")
    }

    fn validated(&self, ctx: &mut Context<'_>, validated: &JobValidated<'_>) -> Result<(), ProcessError> {
        let mut progress = self.progress(ctx, validated.job_id)?;
        progress.practice = validated.practice.to_string();
        progress.file = validated.file_name.to_string();
        progress.at_ms = validated.at_ms;
        progress.validated = true;
        progress.refused = validated.refused.to_string();
        progress.reasons = validated.reasons.iter().map(ToString::to_string).collect();
        progress.records = validated.records;
        progress.invalid_records = validated.invalid_records;
        if progress.refused.is_empty() {
            self.publish(ctx, validated.job_id, &progress, "VALIDATED")?;
        }
        self.go_on(ctx, validated.job_id, progress)
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
        let all_answered = progress.partitions > 0 && progress.answered.len() as i32 == progress.partitions;
        let ready = progress.validated && (all_answered || !progress.refused.is_empty());
        if !ready || progress.writing.is_some() || progress.done {
            return self.keep(ctx, job_id, &progress);
        }
        if progress.refused == TIMED_OUT {
            progress.done = true;
            self.publish(ctx, job_id, &progress, TIMED_OUT)?;
            return self.keep(ctx, job_id, &progress);
        }
        if progress.refused.is_empty() && !self.adds_up(&progress) {
            progress.reasons.push(format!(
                "The counts do not add up: {} records sent, {} compared. Report this as a fault of the program",
                progress.records_of_file, progress.counts.records
            ));
        }
        progress.writing = Some(Writing::default());
        self.keep(ctx, job_id, &progress)?;
        ctx.set_timer(TimerClock::WallClock, job_id.as_bytes(), ctx.wall_clock_ms(), Bytes::new())
    }

    fn adds_up(&self, progress: &Progress) -> bool {
        let counts = &progress.counts;
        counts.records == progress.records_of_file
            && counts.records == counts.matched + counts.partnership_mismatch + counts.deducted + counts.unmatched
    }

    /// Writes a slice.
    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let job_id = ids::text(&timer.key)?;
        let mut progress = self.progress(ctx, job_id)?;
        let Some(mut writing) = progress.writing.take() else { return Ok(()) };
        if let Some(&file) = FILES.get(writing.step) {
            if self.write_slice(ctx, job_id, file, &mut writing, &mut progress)? {
                writing = Writing { step: writing.step + 1, ..Writing::default() };
            }
            progress.writing = Some(writing);
            self.keep(ctx, job_id, &progress)?;
            return ctx.set_timer(TimerClock::WallClock, &timer.key, ctx.wall_clock_ms(), Bytes::new());
        }
        if self.clean_slice(ctx, job_id)? {
            progress.writing = Some(writing);
            self.keep(ctx, job_id, &progress)?;
            return ctx.set_timer(TimerClock::WallClock, &timer.key, ctx.wall_clock_ms(), Bytes::new());
        }
        progress.done = true;
        let status = match (progress.refused.is_empty(), self.adds_up(&progress)) {
            (false, _) => "REJECTED",
            (true, true) => "RECONCILED",
            (true, false) => "INCONSISTENT",
        };
        self.publish(ctx, job_id, &progress, status)?;
        self.keep(ctx, job_id, &progress)
    }

    /// Writes a slice of one file; true when the file is done (or not wanted).
    fn write_slice(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        file: ReportFile,
        writing: &mut Writing,
        progress: &mut Progress,
    ) -> Result<bool, ProcessError> {
        let wanted = match file {
            ReportFile::Validation => !progress.refused.is_empty() || progress.invalid_records > 0,
            _ => progress.refused.is_empty(),
        };
        if !wanted {
            return Ok(true);
        }
        let mut rows: Vec<(String, String)> = Vec::new();
        let prefix = rows_prefix(job_id, file);
        // The first key behind the last row sent; of the first slice, the prefix itself.
        let start = if writing.behind.is_empty() { prefix.clone() } else { format!("{prefix}{}\0", writing.behind) };
        ctx.scan(self.handles.rows, start.as_bytes(), Some(&ids::behind_prefix(&prefix)), &mut |key, value| {
            let sort_key = key.get(prefix.len()..).unwrap_or_default();
            rows.push((String::from_utf8_lossy(sort_key).into_owned(), String::from_utf8_lossy(value).into_owned()));
            rows.len() < SLICE
        })?;
        let last_slice = rows.len() < SLICE;
        if let Some((sort_key, _)) = rows.last() {
            writing.behind.clone_from(sort_key);
        }
        if file == ReportFile::WorkItem {
            for (name, text) in &rows {
                self.send_piece(ctx, job_id, &format!("work-items/{name}"), 0, true, text)?;
            }
            return Ok(last_slice);
        }

        let name = file_name(file, &progress.practice, &ids::timestamp(progress.at_ms)?);
        let mut text = String::new();
        if writing.pieces == 0 && writing.rows == 0 {
            self.write_head(&mut text, file, progress);
            progress.files.push(name.clone());
        }
        for (_, row) in &rows {
            if file == ReportFile::Validation {
                text.push_str(if writing.rows == 0 { "" } else { ", " });
                text.push_str(row);
            } else {
                text.push_str(row);
                text.push_str(LINE_END);
            }
            writing.rows += 1;
            if text.len() >= PIECE_BYTES {
                self.send_piece(ctx, job_id, &name, writing.pieces, false, &text)?;
                writing.pieces += 1;
                text.clear();
            }
        }
        if last_slice && file == ReportFile::Validation {
            text.push_str("]}");
        }
        if last_slice || !text.is_empty() {
            self.send_piece(ctx, job_id, &name, writing.pieces, last_slice, &text)?;
            writing.pieces += 1;
        }
        Ok(last_slice)
    }

    /// Deletes a slice of the rows of a job whose files are written, each with what it follows from; true while there are more.
    fn clean_slice(&self, ctx: &mut Context<'_>, job_id: &str) -> Result<bool, ProcessError> {
        let mut found: Vec<(Vec<u8>, Bytes)> = Vec::new();
        ctx.scan_prefix(self.handles.found, ids::member_key(job_id, "").as_bytes(), &mut |key, value| {
            found.push((key.to_vec(), Bytes::copy_from_slice(value)));
            found.len() < CLEANED
        })?;
        for (key, value) in &found {
            if let JobEvent::ReportRows(rows) = ctx.read(self.handles.found, value)? {
                for row in &rows.rows {
                    ctx.delete(self.handles.rows, row_key(job_id, row).as_bytes())?;
                }
            }
            ctx.delete(self.handles.found, key)?;
        }
        Ok(found.len() == CLEANED)
    }

    fn write_head(&self, text: &mut String, file: ReportFile, progress: &Progress) {
        let header = match file {
            ReportFile::Cdd => DIFFERENCES_HEADER,
            ReportFile::OnlyOnGp => ONLY_ON_GP_HEADER,
            ReportFile::OnlyOnPds => ONLY_ON_PDS_HEADER,
            ReportFile::Validation => return self.write_validation_head(text, progress),
            ReportFile::WorkItem => return,
        };
        text.push_str(header);
        text.push_str(LINE_END);
    }

    /// The failure log of the earlier implementation, up to its list of messages.
    fn write_validation_head(&self, text: &mut String, progress: &Progress) {
        let error_type = if progress.refused.is_empty() { "INVALID_RECORDS" } else { &progress.refused };
        text.push_str(&format!(
            "{{\"file\": {}, \"upload_date\": {}, \"error_type\": {}, ",
            quoted(&progress.file),
            quoted(&self.upload_date(progress.at_ms)),
            quoted(error_type)
        ));
        if error_type == "INVALID_RECORDS" {
            text.push_str(&format!(
                "\"total_records\": {}, \"total_invalid_records\": {}, ",
                progress.records, progress.invalid_records
            ));
        }
        text.push_str("\"message\": [");
        // Of invalid records the whole list follows, in place of the few reasons that the job names.
        if error_type != "INVALID_RECORDS" {
            let reasons: Vec<String> = progress.reasons.iter().map(|reason| quoted(reason)).collect();
            text.push_str(&reasons.join(", "));
        }
    }

    /// The earlier implementation left the zone out, and its own mails could not be written (P1).
    fn upload_date(&self, at_ms: i64) -> String {
        let Ok(at) = Timestamp::from_millisecond(at_ms) else { return String::new() };
        let at = at.to_zoned(TimeZone::UTC);
        let fraction = if at_ms % 1000 == 0 { "" } else { ".%6f" };
        let zone = if self.profile == Profile::Compatible { "" } else { "+00:00" };
        at.strftime(&format!("%Y-%m-%d %H:%M:%S{fraction}{zone}")).to_string()
    }

    fn send_piece(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        file_name: &str,
        sequence: i32,
        last: bool,
        text: &str,
    ) -> Result<(), ProcessError> {
        let piece = FileChunk { job_id, file_name, sequence, last, text };
        ctx.send(self.handles.files, &format!("{job_id}/{file_name}"), &piece)
    }

    fn publish(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &Progress,
        status: &str,
    ) -> Result<(), ProcessError> {
        let job = Job {
            job_id,
            practice: &progress.practice,
            file: &progress.file,
            status,
            at_ms: progress.at_ms,
            reasons: progress.reasons.iter().map(String::as_str).collect(),
            invalid_records: progress.invalid_records,
            counts: progress.counts,
            files: progress.files.iter().map(String::as_str).collect(),
        };
        ctx.send(self.handles.job_topic, job_id, &job)
    }

    fn progress(&self, ctx: &Context<'_>, job_id: &str) -> Result<Progress, ProcessError> {
        match ctx.get(self.handles.jobs, job_id.as_bytes())? {
            Some(bytes) => Ok(ids::progress_from_bytes(&bytes)?),
            None => Ok(Progress::default()),
        }
    }

    fn keep(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.jobs, job_id.as_bytes(), ids::progress_to_bytes(progress))
    }
}

/// The entries (row key, text) that follow from rows as they came.
pub(super) fn rows_of(found: &JobEvent<'_>, emit: &mut EmitDerived<'_>) {
    let JobEvent::ReportRows(rows) = found else { return };
    for row in &rows.rows {
        emit(row_key(rows.job_id, row).as_bytes(), row.text.as_bytes());
    }
}

fn row_key(job_id: &str, row: &ReportRow<'_>) -> String {
    format!("{}{}", rows_prefix(job_id, row.file), row.sort_key)
}

fn rows_prefix(job_id: &str, file: ReportFile) -> String {
    let tag = match file {
        ReportFile::Validation => "validation",
        ReportFile::Cdd => "cdd",
        ReportFile::OnlyOnGp => "only-on-gp",
        ReportFile::OnlyOnPds => "only-on-pds",
        ReportFile::WorkItem => "work-item",
    };
    format!("{job_id}/{tag}/")
}

fn file_name(file: ReportFile, practice: &str, timestamp: &str) -> String {
    match file {
        ReportFile::Cdd => outputs::differences_file_name(practice, timestamp),
        ReportFile::OnlyOnGp => outputs::only_on_gp_file_name(practice, timestamp),
        ReportFile::OnlyOnPds => outputs::only_on_pds_file_name(practice, timestamp),
        ReportFile::Validation | ReportFile::WorkItem => "validation.json".to_string(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_string()).to_string()
}
