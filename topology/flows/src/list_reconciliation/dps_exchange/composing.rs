//! The lines that DPS writes: from a record of the extract and what PDS holds, to what there is to report.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::lines::{FieldMessage, GpBlock, InvalidRecordLine, OnlyOnPdsLine, PatientLine, PdsBlock};
use crate::list_reconciliation::compare::{self, Rule};
use crate::list_reconciliation::extract::InvalidRecord;
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::{RegistrationStatus, is_sensitive};

/// Compares a patient. `None`: there is nothing to report ([`Totals::add_unremarkable`](super::Totals::add_unremarkable)).
///
/// `practice` is the code of the file name, `number` that of the record in the extract, `earlier` how many records before it
/// have the same NHS number.
#[must_use]
pub fn line_of_patient<'a>(
    practice: &str,
    (number, earlier): (i64, u32),
    gp: &GpRecord<'a>,
    pds: Option<&PdsRecord<'a>>,
    profile: Profile,
) -> Option<PatientLine<'a>> {
    let status = RegistrationStatus::of(practice, pds);
    let rules: Vec<&'static Rule> = match pds {
        Some(pds) if status == RegistrationStatus::Matched && !is_sensitive(pds) => {
            compare::differences(gp, pds, profile).collect()
        }
        _ => Vec::new(),
    };
    line_of_compared((number, earlier), gp, pds, status, &rules)
}

/// The same of a patient who was compared before: with that status, and these rules found a difference.
pub(in crate::list_reconciliation) fn line_of_compared<'a>(
    (number, earlier): (i64, u32),
    gp: &GpRecord<'a>,
    pds: Option<&PdsRecord<'a>>,
    status: RegistrationStatus,
    rules: &[&'static Rule],
) -> Option<PatientLine<'a>> {
    let sensitive = pds.is_some_and(is_sensitive);
    if status == RegistrationStatus::Matched && !sensitive && rules.is_empty() {
        return None;
    }
    Some(PatientLine {
        number,
        earlier,
        status: Cow::Borrowed(status.as_str()),
        rules: rules.iter().map(|rule| Cow::Borrowed(rule.id)).collect(),
        gp: GpBlock::from(gp),
        pds: pds.map(PdsBlock::from),
    })
}

/// A person of the practice's list whom the extract does not name; `None` for a sensitive one, who is named nowhere.
#[must_use]
pub fn line_of_person_only_on_pds<'a>(pds: &PdsRecord<'a>) -> Option<OnlyOnPdsLine<'a>> {
    (!is_sensitive(pds)).then(|| OnlyOnPdsLine { pds: PdsBlock::from(pds) })
}

/// A record that breaks rules: where and which, and nothing of the patient.
#[must_use]
pub fn line_of_invalid_record(number: i64, invalid: &InvalidRecord<'_>) -> InvalidRecordLine<'static> {
    let messages = invalid
        .errors
        .iter()
        .map(|error| FieldMessage { field: Cow::Borrowed(error.key), message: Cow::Borrowed(error.message) });
    InvalidRecordLine { number, lines: [invalid.lines.0, invalid.lines.1], messages: messages.collect() }
}
