//! What goes to the report of an accepted answer: the verdict, the rows of its lines, and what was counted.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{JobEvent, JobValidated, PartitionCompleted};

use super::stored::{AnswerKey, Receipt};
use super::{AskingDps, PASS_ON, Reading, timer_key};
use crate::list_reconciliation::dps_exchange::{
    AnswerEnd, AnswerLine, HeaderLine, InvalidRecordLine, Verdict, row_of_invalid_record, row_of_person_only_on_pds,
    rows_of_patient,
};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::values::Row;

/// Pieces passed on in one slice.
const SLICE: i32 = 4;
/// Reasons of invalid records that the job itself names; all are in the validation report.
const NAMED_REASONS: usize = 10;

/// Collects what the lines of an answer become.
struct Found<'r> {
    profile: Profile,
    rows: Vec<Row>,
    reasons: &'r mut Vec<String>,
    failed: bool,
}

impl Found<'_> {
    fn take(&mut self, header: Option<&HeaderLine<'_>>, line: &AnswerLine<'_>) {
        let Self { profile, rows, reasons, failed } = self;
        match (line, header) {
            (AnswerLine::Patient(patient), Some(header)) => {
                *failed |= rows_of_patient(header, patient, *profile, &mut |row| rows.push(row)).is_err();
            }
            (AnswerLine::OnlyOnPds(person), _) => rows.push(row_of_person_only_on_pds(person)),
            (AnswerLine::InvalidRecord(invalid), _) => {
                note_reasons(reasons, invalid);
                rows.push(row_of_invalid_record(invalid));
            }
            _ => {}
        }
    }
}

fn note_reasons(reasons: &mut Vec<String>, invalid: &InvalidRecordLine<'_>) {
    let [first, last] = invalid.lines;
    let room = NAMED_REASONS.saturating_sub(reasons.len());
    let named = invalid.messages.iter().take(room);
    reasons.extend(named.map(|broken| format!("lines {first}-{last}, {}: {}", broken.field, broken.message)));
}

impl AskingDps {
    /// The verdict goes ahead of the rows, as the intake's does; but that invalid records refuse the extract is said behind
    /// their reasons.
    pub(super) fn send_verdict_before_rows(
        &self,
        ctx: &mut Context<'_>,
        answer: &AnswerEnd,
    ) -> Result<(), ProcessError> {
        match &answer.header {
            Some(header) if header.verdict != Verdict::InvalidRecords => {
                let reasons = header.reasons.iter().map(|reason| &**reason).collect();
                self.send_verdict(ctx, header, answer, reasons)
            }
            _ => Ok(()),
        }
    }

    fn send_verdict(
        &self,
        ctx: &mut Context<'_>,
        header: &HeaderLine<'_>,
        answer: &AnswerEnd,
        reasons: Vec<&str>,
    ) -> Result<(), ProcessError> {
        let validated = JobValidated {
            job_id: &header.job_id,
            practice: &header.practice,
            file_name: &header.file,
            at_ms: header.processed_at.as_millisecond(),
            refused: header.verdict.refused(),
            reasons,
            records: answer.totals.records,
            invalid_records: answer.totals.invalid_records,
        };
        ctx.send(self.handles.job_events, &header.job_id, &JobEvent::JobValidated(validated))
    }

    /// Sends the rows of a slice; behind the last one, what was counted.
    pub(super) fn pass_on(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        mut receipt: Receipt,
    ) -> Result<(), ProcessError> {
        let cached = self.passing_on.take_if(|reading| reading.key == *key && reading.next_piece == receipt.passed_on);
        let mut reading = match cached {
            Some(reading) => reading,
            None => {
                // After a crash: what was passed on before is read again, and not sent again.
                let mut reading = Reading::new(key, self.profile);
                self.read_up_to(ctx, &mut reading, receipt.passed_on)?;
                reading
            }
        };
        let mut reasons = std::mem::take(&mut receipt.reasons);
        let mut found = Found { profile: self.profile, rows: Vec::new(), reasons: &mut reasons, failed: false };
        let upto = (receipt.passed_on + SLICE).min(receipt.pieces);
        let mut header = reading.reader.header().cloned();
        while reading.next_piece < upto {
            let piece = self.piece(ctx, key, reading.next_piece)?;
            reading.reader.push(&piece, &mut |line| {
                if let AnswerLine::Header(line) = line {
                    header = Some(line.to_owned_line());
                }
                found.take(header.as_ref(), line);
            });
            reading.next_piece += 1;
            self.send_rows(ctx, key, &mut found)?;
        }
        receipt.passed_on = upto;
        if upto < receipt.pieces {
            receipt.reasons = reasons;
            self.passing_on = Some(reading);
            self.keep_receipt(ctx, key, &receipt)?;
            let now = ctx.wall_clock_ms();
            return ctx.set_timer(TimerClock::WallClock, &timer_key(PASS_ON, key.as_str()), now, Bytes::new());
        }
        let answer = reading.reader.finish(&mut |line| found.take(header.as_ref(), line));
        self.send_rows(ctx, key, &mut found)?;
        self.send_end(ctx, key, &answer, &reasons)?;
        if let Some(mut exchange) = self.exchange(ctx, key.job_id())? {
            exchange.passing_on.clear();
            self.keep_exchange(ctx, key.job_id(), &exchange)?;
        }
        self.end(ctx, key, receipt)
    }

    fn send_rows(&self, ctx: &mut Context<'_>, key: &AnswerKey, found: &mut Found<'_>) -> Result<(), ProcessError> {
        if found.failed {
            return Err(ids::time_out_of_range().into());
        }
        for row in found.rows.drain(..) {
            ctx.send_part(self.handles.job_events, key.job_id(), row)?;
        }
        Ok(())
    }

    fn send_end(
        &self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        answer: &AnswerEnd,
        reasons: &[String],
    ) -> Result<(), ProcessError> {
        let Some(header) = &answer.header else {
            return Err(ProcessError::Programming("an answer that was accepted has no header".to_string()));
        };
        match header.verdict {
            Verdict::Accepted => {
                let completed = PartitionCompleted {
                    job_id: key.job_id(),
                    partition: 0,
                    partitions: 1,
                    records_of_file: answer.totals.records - answer.totals.invalid_records,
                    counts: answer.counts,
                };
                ctx.send(self.handles.job_events, key.job_id(), &JobEvent::PartitionCompleted(completed))
            }
            Verdict::InvalidRecords => {
                self.send_verdict(ctx, header, answer, reasons.iter().map(String::as_str).collect())
            }
            // It was said when the answer was accepted, and there are no rows.
            Verdict::InvalidStructure => Ok(()),
        }
    }
}
