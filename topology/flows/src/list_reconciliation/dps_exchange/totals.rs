//! What an answer counts: its last line, and the proof that all others came.

use concord_schemas::list_reconciliation::JobCounts;
use serde::{Deserialize, Serialize};

use super::lines::{AnswerLine, PatientLine};
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::{RegistrationStatus, is_sensitive};

/// Totals of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Lines before the trailer, the header among them.
    pub lines: i64,
    /// Records of the extract, the invalid ones among them.
    pub records: i64,
    /// Invalid records.
    pub invalid_records: i64,
    /// Patients who match in everything, of whom there is no line.
    pub unremarkable: i64,
    /// Records, those without a line among them, whose NHS number an earlier record has.
    pub duplicates: i64,
    /// Patients registered at the practice, the unremarkable ones among them.
    pub matched: i64,
    /// Patients registered at another practice.
    pub partnership_mismatch: i64,
    /// Patients registered nowhere.
    pub deducted: i64,
    /// Patients whom PDS does not know.
    pub unmatched: i64,
    /// Patients marked `R`, `V` or `REDACTED`.
    pub sensitive: i64,
    /// Rules that found a difference, of all patients together.
    pub differences: i64,
    /// People whom only PDS registers at the practice.
    pub only_on_pds: i64,
}

impl Totals {
    /// Counts a line; a trailer counts for nothing.
    pub fn add(&mut self, line: &AnswerLine<'_>) {
        match line {
            AnswerLine::Trailer(_) => return,
            AnswerLine::Header(_) => {}
            AnswerLine::InvalidRecord(_) => {
                self.records += 1;
                self.invalid_records += 1;
            }
            AnswerLine::Patient(patient) => self.add_patient(patient),
            AnswerLine::OnlyOnPds(_) => self.only_on_pds += 1,
        }
        self.lines += 1;
    }

    /// Counts a patient who matches in everything, and gets no line.
    pub fn add_unremarkable(&mut self, is_duplicate: bool) {
        self.records += 1;
        self.matched += 1;
        self.unremarkable += 1;
        self.duplicates += i64::from(is_duplicate);
    }

    fn add_patient(&mut self, patient: &PatientLine<'_>) {
        self.records += 1;
        self.duplicates += i64::from(patient.earlier > 0);
        self.differences += patient.rules.len() as i64;
        self.sensitive += i64::from(patient.pds.as_ref().is_some_and(|pds| is_sensitive(&pds.as_record())));
        match patient.registration_status() {
            Some(RegistrationStatus::Matched) => self.matched += 1,
            Some(RegistrationStatus::PartnershipMismatch) => self.partnership_mismatch += 1,
            Some(RegistrationStatus::DeductedPatientMatch) => self.deducted += 1,
            Some(RegistrationStatus::Unmatched) => self.unmatched += 1,
            None => {}
        }
    }

    /// The totals that a trailer must name where these lines came: what has no line is taken from the trailer itself.
    pub(super) fn with_what_has_no_line_of(mut self, trailer: &Self) -> Self {
        self.unremarkable = trailer.unremarkable;
        self.records += trailer.unremarkable;
        self.matched += trailer.unremarkable;
        // Duplicates without a line cannot be counted here, but there are no more than records without one.
        let hidden = trailer.duplicates - self.duplicates;
        if (0..=trailer.unremarkable).contains(&hidden) {
            self.duplicates = trailer.duplicates;
        }
        self
    }
}

/// The counts of a job that follow from patients' lines one by one, and not from totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CountsOfLines {
    only_on_gp: i64,
    patients_with_differences: i64,
    work_items: i64,
}

impl CountsOfLines {
    pub(super) fn add(&mut self, line: &AnswerLine<'_>, profile: Profile) {
        let AnswerLine::Patient(patient) = line else { return };
        let sensitive = patient.pds.as_ref().is_some_and(|pds| is_sensitive(&pds.as_record()));
        let differs = !patient.rules.is_empty();
        let is_only_on_gp = patient.registration_status().is_some_and(|status| status.is_only_on_gp(sensitive));
        self.only_on_gp += i64::from(is_only_on_gp);
        self.patients_with_differences += i64::from(differs && patient.earlier == 0);
        // The earlier implementation gave a patient who stands in a file twice one name for two work items.
        let overwrites = profile == Profile::Compatible && patient.earlier > 0;
        self.work_items += i64::from((differs || sensitive) && !overwrites);
    }

    /// The counts of the job, as comparing here would have counted them.
    pub(super) fn with(&self, totals: &Totals) -> JobCounts {
        JobCounts {
            records: totals.records - totals.invalid_records,
            matched: totals.matched,
            partnership_mismatch: totals.partnership_mismatch,
            deducted: totals.deducted,
            unmatched: totals.unmatched,
            sensitive: totals.sensitive,
            only_on_gp: self.only_on_gp,
            only_on_pds: totals.only_on_pds,
            differences: totals.differences,
            patients_with_differences: self.patients_with_differences,
            work_items: self.work_items,
            duplicates: totals.duplicates,
            // The business rules are Concord's own: DPS decides nothing by them.
            pds_updates: 0,
            gp_updates: 0,
            validations: 0,
            // It has all of PDS, and asks nobody.
            lookup_failed: 0,
        }
    }
}
