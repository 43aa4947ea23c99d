//! The lines that DPS writes: from a record of the extract and what PDS holds, to what there is to report.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::lines::{FieldMessage, GpBlock, InvalidRecordLine, OnlyOnPdsLine, PatientLine, PdsBlock};
use crate::list_reconciliation::compare;
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
    let sensitive = pds.is_some_and(is_sensitive);
    let rules: Vec<Cow<'a, str>> = match pds {
        Some(pds) if status == RegistrationStatus::Matched && !sensitive => {
            compare::differences(gp, pds, profile).map(|rule| Cow::Borrowed(rule.id)).collect()
        }
        _ => Vec::new(),
    };
    if status == RegistrationStatus::Matched && !sensitive && rules.is_empty() {
        return None;
    }
    Some(PatientLine {
        number,
        earlier,
        status: Cow::Borrowed(status.as_str()),
        rules,
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
