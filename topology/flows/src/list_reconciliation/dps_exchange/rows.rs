//! From the lines of an answer to the rows of the output files: the same that comparing here would have made.

use concord_schemas::list_reconciliation::ReportFile;
use serde_json::{Map, Value};

use super::lines::{GpBlock, HeaderLine, InvalidRecordLine, OnlyOnPdsLine, PatientLine};
use crate::list_reconciliation::compare::{RULES, Rule, SENSITIVE};
use crate::list_reconciliation::extract::{ON_LINES, REASONS};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::outputs::{self, WorkItem};
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::{RegistrationStatus, is_sensitive};
use crate::list_reconciliation::values::Row;

impl PatientLine<'_> {
    /// The status; `None` when its words are none of the four.
    #[must_use]
    pub fn registration_status(&self) -> Option<RegistrationStatus> {
        use RegistrationStatus::{DeductedPatientMatch, Matched, PartnershipMismatch, Unmatched};
        let all = [Matched, PartnershipMismatch, DeductedPatientMatch, Unmatched];
        all.into_iter().find(|status| status.as_str() == self.status)
    }

    /// The rules that found a difference.
    fn found_by(&self) -> impl Iterator<Item = &'static Rule> {
        RULES.iter().filter(|rule| self.rules.iter().any(|id| *id == rule.id))
    }
}

/// Hands out the rows of one patient.
///
/// # Errors
/// When the processing time is outside the years of the calendar, which a header's never is.
pub fn rows_of_patient(
    header: &HeaderLine<'_>,
    patient: &PatientLine<'_>,
    profile: Profile,
    emit: &mut dyn FnMut(Row),
) -> Result<(), jiff::Error> {
    let PatientLine { number, earlier, .. } = *patient;
    let Some(status) = patient.registration_status() else { return Ok(()) };
    let gp = GpBlock::as_record(&patient.gp);
    let nhs = gp.nhs_number.unwrap_or_default();
    let pds = patient.pds.as_ref().map(|pds| pds.as_record());
    let sensitive = pds.as_ref().is_some_and(is_sensitive);
    if status.is_only_on_gp(sensitive) {
        let mut text = String::new();
        outputs::write_only_on_gp_row(&mut text, &gp, status, pds.as_ref(), profile);
        emit(Row { file: ReportFile::OnlyOnGp, sort_key: ids::row_key(nhs, "", number), text });
    }
    let Some(pds) = pds else { return Ok(()) };
    if !sensitive && patient.rules.is_empty() {
        return Ok(());
    }
    let practice = &*header.practice;
    if sensitive {
        let mut text = String::new();
        outputs::write_sensitive_row(&mut text, practice, &gp, &pds, profile);
        emit(Row { file: ReportFile::Cdd, sort_key: ids::row_key(nhs, SENSITIVE, number), text });
    }
    for rule in patient.found_by() {
        let mut text = String::new();
        outputs::write_differences_row(&mut text, practice, &gp, &pds, rule, profile);
        emit(Row { file: ReportFile::Cdd, sort_key: ids::row_key(nhs, rule.id, number), text });
    }
    let timestamp = outputs::file_timestamp(header.processed_at.as_millisecond())?;
    // The earlier implementation gave a patient who stands in a file twice one name for two work items (P9).
    let occurrence = if profile == Profile::Compatible { 0 } else { earlier };
    let rule_ids: Vec<&str> = patient.found_by().map(|rule| rule.id).collect();
    let patient_id = ids::patient_id(&header.job_id, nhs, number);
    let job_id = &*header.job_id;
    let mut text = String::new();
    let item = WorkItem { patient_id: &patient_id, job_id, practice, gp: &gp, pds: &pds, rule_ids: &rule_ids };
    outputs::write_work_item(&mut text, &item, profile);
    let sort_key = ids::work_item_name(practice, job_id, nhs, &timestamp, occurrence);
    emit(Row { file: ReportFile::WorkItem, sort_key, text });
    Ok(())
}

/// The row of a person whom only PDS registers at the practice.
#[must_use]
pub fn row_of_person_only_on_pds(person: &OnlyOnPdsLine<'_>) -> Row {
    let mut text = String::new();
    outputs::write_only_on_pds_row(&mut text, &person.pds.as_record());
    Row { file: ReportFile::OnlyOnPds, sort_key: ids::row_key(&person.pds.nhs_number, "", 0), text }
}

/// The entry of an invalid record in the validation report: its reasons by field and its lines, as when it is validated here,
/// but without the record, which an answer does not carry.
#[must_use]
pub fn row_of_invalid_record(invalid: &InvalidRecordLine<'_>) -> Row {
    let [first, last] = invalid.lines;
    let mut reasons = Map::new();
    for broken in &invalid.messages {
        reasons.insert(broken.field.to_string(), Value::from(&*broken.message));
    }
    reasons.insert(ON_LINES.to_owned(), Value::from(format!("{first}-{last}")));
    let text = Value::Object(Map::from_iter([(REASONS.to_owned(), Value::Object(reasons))])).to_string();
    Row { file: ReportFile::Validation, sort_key: ids::row_key("", "", invalid.number), text }
}
