//! Writing the output files of a job in slices, from the rows that were gathered, and dropping the rows behind it.

use bytes::Bytes;
use concord_engine::topology::EmitDerived;
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{FileChunk, JobEvent, ReportFile, ReportRow};

use super::Report;
use super::progress::{Progress, Writing};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::outputs::{self, DIFFERENCES_HEADER, LINE_END, ONLY_ON_GP_HEADER, ONLY_ON_PDS_HEADER};

/// Text of one piece of an output file, in bytes, at which it is sent.
const PIECE_BYTES: usize = 200_000;
/// Rows written in one slice.
const SLICE: usize = 5_000;
/// Entries of rows as they came that are deleted in one slice.
const CLEANED: usize = 20;
/// Where the reasons of a refusal are written.
pub(super) const VALIDATION: &str = "validation.json";
/// Begins the names of work items.
pub(super) const WORK_ITEMS: &str = "work-items/";

/// The steps of writing, in order.
pub(super) const FILES: [ReportFile; 6] = [
    ReportFile::Validation,
    ReportFile::Cdd,
    ReportFile::OnlyOnGp,
    ReportFile::OnlyOnPds,
    ReportFile::WorkItem,
    ReportFile::DpsAnswer,
];

impl Report {
    /// Writes a slice of one file; true when the file is done (or not wanted).
    pub(super) fn write_slice(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        file: ReportFile,
        writing: &mut Writing,
        progress: &mut Progress,
    ) -> Result<bool, ProcessError> {
        let wanted = match file {
            ReportFile::Validation => !progress.refused.is_empty() || progress.invalid_records > 0,
            ReportFile::DpsAnswer => self.answered(job_id, progress)?.is_some(),
            _ => progress.refused.is_empty() && !self.plays_dps,
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
                self.send_piece(ctx, job_id, &format!("{WORK_ITEMS}{name}"), 0, true, text)?;
            }
            return Ok(last_slice);
        }

        let name = file_name(file, &progress.practice, &ids::timestamp(progress.at_ms)?);
        let mut text = String::new();
        if writing.pieces == 0 && writing.rows == 0 {
            self.write_head(&mut text, job_id, file, progress)?;
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
        if last_slice {
            match file {
                ReportFile::Validation => text.push_str("]}"),
                ReportFile::DpsAnswer => self.write_answer_end(&mut text, job_id, progress, writing.rows)?,
                _ => {}
            }
        }
        if last_slice || !text.is_empty() {
            self.send_piece(ctx, job_id, &name, writing.pieces, last_slice, &text)?;
            writing.pieces += 1;
        }
        Ok(last_slice)
    }

    /// Deletes a slice of the rows of a job whose files are written, each with what it follows from; true while there are more.
    pub(super) fn clean_slice(&self, ctx: &mut Context<'_>, job_id: &str) -> Result<bool, ProcessError> {
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

    fn write_head(
        &self,
        text: &mut String,
        job_id: &str,
        file: ReportFile,
        progress: &Progress,
    ) -> Result<(), ProcessError> {
        let header = match file {
            ReportFile::Cdd => DIFFERENCES_HEADER,
            ReportFile::OnlyOnGp => ONLY_ON_GP_HEADER,
            ReportFile::OnlyOnPds => ONLY_ON_PDS_HEADER,
            ReportFile::Validation => {
                self.write_validation_head(text, progress);
                return Ok(());
            }
            ReportFile::DpsAnswer => return self.write_answer_head(text, job_id, progress),
            ReportFile::WorkItem => return Ok(()),
        };
        text.push_str(header);
        text.push_str(LINE_END);
        Ok(())
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
}

/// The entries (row key, text) that follow from rows as they came.
pub(in crate::list_reconciliation) fn rows_of(found: &JobEvent<'_>, emit: &mut EmitDerived<'_>) {
    let JobEvent::ReportRows(rows) = found else { return };
    for row in &rows.rows {
        emit(row_key(rows.job_id, row).as_bytes(), row.text.as_bytes());
    }
}

pub(super) fn row_key(job_id: &str, row: &ReportRow<'_>) -> String {
    format!("{}{}", rows_prefix(job_id, row.file), row.sort_key)
}

pub(super) fn rows_prefix(job_id: &str, file: ReportFile) -> String {
    let tag = match file {
        ReportFile::Validation => "validation",
        ReportFile::Cdd => "cdd",
        ReportFile::OnlyOnGp => "only-on-gp",
        ReportFile::OnlyOnPds => "only-on-pds",
        ReportFile::WorkItem => "work-item",
        ReportFile::DpsAnswer => "dps-answer",
    };
    format!("{job_id}/{tag}/")
}

fn file_name(file: ReportFile, practice: &str, timestamp: &str) -> String {
    match file {
        ReportFile::Cdd => outputs::differences_file_name(practice, timestamp),
        ReportFile::OnlyOnGp => outputs::only_on_gp_file_name(practice, timestamp),
        ReportFile::OnlyOnPds => outputs::only_on_pds_file_name(practice, timestamp),
        ReportFile::DpsAnswer => outputs::dps_answer_file_name(practice, timestamp),
        ReportFile::Validation | ReportFile::WorkItem => VALIDATION.to_string(),
    }
}
