//! The answer that is written in the place of DPS: what stands before and behind its lines.

use concord_engine::ProcessError;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Report;
use super::progress::Progress;
use crate::list_reconciliation::dps_exchange::{Answered, Verdict};
use crate::list_reconciliation::{ids, parse_extract_file_name};

impl Report {
    /// The job as its answer tells it; `None` when there is none to give: where DPS is not played, or when the name of the file
    /// does not say what it is, or it came to no end.
    pub(super) fn answered<'p>(
        &self,
        job_id: &'p str,
        progress: &'p Progress,
    ) -> Result<Option<NamedAnswer<'p>>, ProcessError> {
        let Some(verdict) = Verdict::of_refusal(&progress.refused).filter(|_| self.plays_dps) else { return Ok(None) };
        let at = Timestamp::from_millisecond(progress.at_ms).map_err(|_| ids::time_out_of_range())?;
        let now = at.to_zoned(TimeZone::UTC).datetime();
        // A refused file is still called as it was sent.
        let name = parse_extract_file_name(&progress.file, now, self.profile);
        Ok(name.ok().map(|name| NamedAnswer { job_id, progress, at, verdict, file: name.normalised }))
    }

    pub(super) fn write_answer_head(
        &self,
        text: &mut String,
        job_id: &str,
        progress: &Progress,
    ) -> Result<(), ProcessError> {
        if let Some(answer) = self.answered(job_id, progress)? {
            answer.as_answered().write_header(text);
        }
        Ok(())
    }

    /// `rows`: how many lines stand between the header and what is written here.
    pub(super) fn write_answer_end(
        &self,
        text: &mut String,
        job_id: &str,
        progress: &Progress,
        rows: i64,
    ) -> Result<(), ProcessError> {
        if let Some(answer) = self.answered(job_id, progress)? {
            answer.as_answered().write_trailer(text, rows);
        }
        Ok(())
    }
}

/// A job that is answered, and the normalised name of its file.
pub(super) struct NamedAnswer<'p> {
    job_id: &'p str,
    progress: &'p Progress,
    at: Timestamp,
    verdict: Verdict,
    file: String,
}

impl NamedAnswer<'_> {
    fn as_answered(&self) -> Answered<'_> {
        let Progress { practice, reasons, records, invalid_records, counts, .. } = self.progress;
        Answered {
            job_id: self.job_id,
            practice,
            file: &self.file,
            at: self.at,
            verdict: self.verdict,
            reasons,
            records: *records,
            invalid_records: *invalid_records,
            counts,
        }
    }
}
