//! Which mails are written about a job, and when. Each is in the transaction that makes what it says true.

use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{Mail, ReportFile};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Report;
use super::progress::{MailAbout, Progress};
use super::writing::{VALIDATION, rows_prefix};
use crate::list_reconciliation::intake::{INVALID_RECORDS, TIMED_OUT};
use crate::list_reconciliation::outputs::mail::{
    COPY_SERVICE, CopyMail, FAILURE_SERVICE, FailureMail, FailureReasons, InvalidRecordReasons, MailText,
    SUCCESS_SERVICE, SuccessMail, UnfinishedMail, copy_mail, failure_mail, success_mail, unfinished_mail,
};
use crate::list_reconciliation::{JobStatus, ids};

/// In whose name reconciled files are told.
pub(super) const SUCCESS: &str = SUCCESS_SERVICE;
/// Text about invalid records that one mail may hold, in bytes (docs/decisions/0009): some thousand records.
const REASONS_BYTES: usize = 200_000;

/// A row of the validation report, without what it says of the patient.
#[derive(Deserialize)]
struct LoggedRecord {
    #[serde(rename = "_INVALID_")]
    invalid: Map<String, Value>,
}

/// Lines of a record, and what is wrong with it.
type InvalidRecord = (String, Vec<String>);

impl Report {
    /// The mail about a refused file, or about an upload that was cut.
    pub(super) fn tell_of_refusal(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        if self.telling.mails.recipients.is_empty() {
            return Ok(());
        }
        let invalid = if progress.refused == INVALID_RECORDS { self.invalid_records(ctx, job_id)? } else { Vec::new() };
        let borrowed: Vec<Vec<&str>> =
            invalid.iter().map(|(_, reasons)| reasons.iter().map(String::as_str).collect()).collect();
        let told: Vec<InvalidRecordReasons<'_>> = invalid
            .iter()
            .zip(&borrowed)
            .map(|((lines, _), reasons)| InvalidRecordReasons { lines, reasons })
            .collect();
        let reasons: Vec<&str> = progress.reasons.iter().map(String::as_str).collect();
        let reasons = if progress.refused == INVALID_RECORDS {
            FailureReasons::Records {
                records: progress.records,
                invalid_records: progress.invalid_records,
                invalid: &told,
            }
        } else {
            FailureReasons::File(&reasons)
        };
        let text = failure_mail(&FailureMail { file: &progress.file, at_ms: progress.at_ms, reasons });
        self.write_mail(ctx, job_id, progress, FAILURE_SERVICE, text)
    }

    /// The mail about a reconciled file.
    pub(super) fn tell_of_success(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        if !self.telling.mails.success {
            return Ok(());
        }
        let files: Vec<&str> = progress.files.iter().map(String::as_str).filter(|name| *name != VALIDATION).collect();
        let text = success_mail(&SuccessMail {
            job_id,
            practice: &progress.practice,
            file: &progress.file,
            at_ms: progress.at_ms,
            counts: &progress.counts,
            files: &files,
        });
        self.write_mail(ctx, job_id, progress, SUCCESS_SERVICE, text)
    }

    /// The mail about a job that came to no good end: out of time, or with counts that do not add up.
    pub(super) fn tell_of_no_end(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        // Before the verdict, it is the file that was not received.
        if progress.refused == TIMED_OUT && progress.records == 0 {
            return self.tell_of_refusal(ctx, job_id, progress);
        }
        let reason = progress.reasons.last().map_or("", String::as_str);
        let status = progress.job_status();
        let text =
            unfinished_mail(&UnfinishedMail { job_id, file: &progress.file, at_ms: progress.at_ms, status, reason });
        self.write_mail(ctx, job_id, progress, FAILURE_SERVICE, text)
    }

    /// The answer to a file that came before.
    pub(super) fn tell_of_copy(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        let status: JobStatus = progress.job_status();
        let text = copy_mail(&CopyMail { job_id, file: &progress.file, at_ms: progress.at_ms, status });
        self.write_mail(ctx, job_id, progress, COPY_SERVICE, text)
    }

    fn write_mail(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut Progress,
        service: &str,
        text: Result<MailText, jiff::Error>,
    ) -> Result<(), ProcessError> {
        let recipients = &self.telling.mails.recipients;
        if recipients.is_empty() {
            return Ok(());
        }
        // The same check as of the files' names, which stand in the way of such a time first.
        let timestamp = ids::timestamp(progress.at_ms)?;
        let text = text.map_err(|_| ids::time_out_of_range())?;
        let earlier = progress.mails.iter().filter(|mail| mail.service == service).count();
        let mail_id = match earlier {
            0 => ids::mail_id(job_id, service),
            earlier => ids::mail_id(job_id, &format!("{service}/{}", earlier + 1)),
        };
        let mail = Mail {
            mail_id: &mail_id,
            job_id,
            service,
            timestamp: &timestamp,
            to: recipients.iter().map(String::as_str).collect(),
            subject: &text.subject,
            body: &text.body,
        };
        ctx.send(self.handles.mails, &mail_id, &mail)?;
        progress.mails.push(MailAbout { mail_id, service: service.to_string(), state: "OUTBOX".to_string() });
        Ok(())
    }

    /// What is wrong with the first invalid records of a file, as many as a mail may hold.
    fn invalid_records(&self, ctx: &Context<'_>, job_id: &str) -> Result<Vec<InvalidRecord>, ProcessError> {
        let mut records: Vec<InvalidRecord> = Vec::new();
        let mut bytes = 0;
        let prefix = rows_prefix(job_id, ReportFile::Validation);
        ctx.scan_prefix(self.handles.rows, prefix.as_bytes(), &mut |_, row| {
            let Ok(logged) = serde_json::from_slice::<LoggedRecord>(row) else { return true };
            let mut lines = String::new();
            let mut reasons = Vec::new();
            for (key, reason) in logged.invalid {
                let Value::String(reason) = reason else { continue };
                bytes += reason.len();
                if key == "ON_LINES" { lines = reason } else { reasons.push(reason) }
            }
            // Around each reason and record stand about twenty bytes.
            bytes += 20 * (reasons.len() + 1);
            if bytes > REASONS_BYTES && !records.is_empty() {
                return false;
            }
            records.push((lines, reasons));
            true
        })?;
        Ok(records)
    }
}
