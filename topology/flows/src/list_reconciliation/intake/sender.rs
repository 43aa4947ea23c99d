//! What goes on of a released file.

use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{GpEvent, JobRecord, ReportFile};

use super::Handles;
use crate::list_reconciliation::dps_exchange::{AnswerLine, line_of_invalid_record, row_of_line};
use crate::list_reconciliation::extract::ReadRecord;
use crate::list_reconciliation::ids;
use crate::list_reconciliation::values::Row;

/// Sends what a released file holds: valid records of an accepted one, reasons for the invalid ones.
pub(super) struct Sender<'j> {
    pub handles: Handles,
    pub job_id: &'j str,
    pub practice: &'j str,
    pub at_ms: i64,
    pub refused: bool,
    pub plays_dps: bool,
    /// Valid records sent.
    pub sent: i64,
}

impl Sender<'_> {
    pub fn send(&mut self, ctx: &mut Context<'_>, read: &ReadRecord<'_>) -> Result<(), ProcessError> {
        let number = read.number as i64;
        match &read.record {
            Ok(record) if !self.refused => {
                let key = match record.nhs_number {
                    Some(nhs) => nhs.to_string(),
                    None => ids::outcome_key(self.job_id, number),
                };
                let event = GpEvent::JobRecord(JobRecord {
                    job_id: self.job_id,
                    practice: self.practice,
                    at_ms: self.at_ms,
                    number,
                    record: record.clone(),
                });
                self.sent += 1;
                ctx.send(self.handles.gp_events, &key, &event)
            }
            Ok(_) => Ok(()),
            Err(invalid) => {
                if self.plays_dps {
                    let line = AnswerLine::InvalidRecord(line_of_invalid_record(number, invalid));
                    ctx.send_part(self.handles.job_events, self.job_id, row_of_line(&line))?;
                }
                let text = serde_json::Value::Object(invalid.to_failure_log()).to_string();
                let row = Row { file: ReportFile::Validation, sort_key: ids::row_key("", "", number), text };
                ctx.send_part(self.handles.job_events, self.job_id, row)
            }
        }
    }
}
