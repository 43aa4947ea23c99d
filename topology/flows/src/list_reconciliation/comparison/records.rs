//! One record of a file against PDS: its outcome, its rows of the output files, and what it adds to the counts.

use bytes::Bytes;
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{JobRecord, Outcome, PdsRecord, ReportFile};

use super::Comparison;
use super::evaluation::{Comparing, Evaluation};
use super::publication::Subject;
use crate::list_reconciliation::business::Decision;
use crate::list_reconciliation::compare::SENSITIVE;
use crate::list_reconciliation::dps_exchange::{AnswerLine, line_of_compared, row_of_line};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::outputs::{self, WorkItem};
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::RegistrationStatus;

/// The status of a record whose person PDS was asked about, and could not tell.
const LOOKUP_FAILED: &str = "Lookup Failed";

impl Comparison {
    pub(super) fn compare(&mut self, ctx: &mut Context<'_>, job: &JobRecord<'_>) -> Result<(), ProcessError> {
        let gp = &job.record;
        let nhs = gp.nhs_number.unwrap_or_default();
        let stored = self.stored_pds(ctx, nhs)?;
        let pds = match &stored {
            Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
            None => None,
        };
        let found = self.evaluate(ctx, job, pds.as_ref())?;
        let earlier = self.count_naming(ctx, job.job_id, nhs)?;
        self.count(ctx, job.job_id, &found, earlier)?;

        if self.plays_dps {
            self.answer_about(ctx, job, pds.as_ref(), &found, earlier)?;
        } else {
            self.report_record(ctx, job, pds.as_ref(), &found, earlier)?;
        }
        if !nhs.is_empty() {
            let subject = Subject::of_record(job, nhs, pds.as_ref());
            match self.handles.standing {
                Some(stores) => self.stand_as_named(ctx, stores, job, &subject, &found)?,
                None => drop(self.publish(ctx, &subject, &found, &[])?),
            }
        }
        let rules = found.differences.iter().map(|rule| rule.id).collect();
        self.send_outcome(ctx, job, (found.status.as_str(), found.sensitive), rules, "")
    }

    /// PDS was asked about the person of a record, and could not tell. That is not the word that there is no record: the outcome
    /// says why, no file has a row of it, and on the standing list nothing is said that was not known before.
    pub(super) fn leave_open(
        &mut self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        code: &str,
    ) -> Result<(), ProcessError> {
        let nhs = job.record.nhs_number.unwrap_or_default();
        let earlier = self.count_naming(ctx, job.job_id, nhs)?;
        let mut counts = self.counts(ctx, job.job_id)?;
        counts.records += 1;
        counts.lookup_failed += 1;
        counts.duplicates += i64::from(earlier > 0);
        self.keep_counts(ctx, job.job_id, &counts)?;

        if let Some(stores) = self.handles.standing {
            let stored = self.stored_pds(ctx, nhs)?;
            let pds = match &stored {
                Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
                None => None,
            };
            let found = match &pds {
                Some(pds) => self.evaluate(ctx, job, Some(pds))?,
                None => Evaluation::of_unknown(self.is_known_as_missing(ctx, stores, job.practice, nhs)?),
            };
            self.stand_as_named(ctx, stores, job, &Subject::of_record(job, nhs, pds.as_ref()), &found)?;
        }
        self.send_outcome(ctx, job, (LOOKUP_FAILED, false), Vec::new(), code)
    }

    /// What PDS has of a person, as it is stored.
    pub(super) fn stored_pds(&self, ctx: &Context<'_>, nhs: &str) -> Result<Option<Bytes>, ProcessError> {
        if nhs.is_empty() { Ok(None) } else { ctx.get(self.handles.pds, nhs.as_bytes()) }
    }

    fn evaluate(
        &mut self,
        ctx: &Context<'_>,
        job: &JobRecord<'_>,
        pds: Option<&PdsRecord<'_>>,
    ) -> Result<Evaluation, ProcessError> {
        let gp = &job.record;
        let active = self.rules.at(job.practice, gp.cipher, job.at_ms);
        let pds_dispensing = match pds {
            Some(known) if active.has_business() => self.registered(ctx, known.nhs_number, pds)?.dispensing,
            _ => None,
        };
        let how = Comparing { profile: self.profile, settings: &self.rules.settings, active };
        Ok(Evaluation::of_named(job.practice, gp, pds, pds_dispensing, &how))
    }

    fn send_outcome(
        &self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        (status, sensitive): (&str, bool),
        rules: Vec<&str>,
        code: &str,
    ) -> Result<(), ProcessError> {
        let outcome = Outcome {
            job_id: job.job_id,
            practice: job.practice,
            number: job.number,
            nhs_number: job.record.nhs_number,
            status,
            sensitive,
            rules,
            code,
        };
        ctx.send(self.handles.outcomes, &ids::outcome_key(job.job_id, job.number), &outcome)
    }

    /// The line of one patient in the answer to whoever sent the file.
    fn answer_about(
        &self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        pds: Option<&PdsRecord<'_>>,
        found: &Evaluation,
        earlier: u32,
    ) -> Result<(), ProcessError> {
        let which = (job.number, earlier);
        let Some(line) = line_of_compared(which, &job.record, pds, found.status, &found.differences) else {
            return Ok(());
        };
        let row = row_of_line(&AnswerLine::Patient(Box::new(line)));
        ctx.send_part(self.handles.job_events, job.job_id, row)
    }

    /// Rows and work item of one patient.
    fn report_record(
        &mut self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        pds: Option<&PdsRecord<'_>>,
        found: &Evaluation,
        earlier: u32,
    ) -> Result<(), ProcessError> {
        if found.status.is_only_on_gp(found.sensitive) {
            self.text.clear();
            outputs::write_only_on_gp_row(&mut self.text, &job.record, found.status, pds, self.profile);
            let sort_key = ids::row_key(job.record.nhs_number.unwrap_or_default(), "", job.number);
            self.send_row(ctx, job.job_id, ReportFile::OnlyOnGp, sort_key)?;
        }
        match pds {
            Some(pds) => self.report_differences(ctx, job, pds, found, earlier),
            None => Ok(()),
        }
    }

    /// Rows of differences, and work item.
    fn report_differences(
        &mut self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        pds: &PdsRecord<'_>,
        found: &Evaluation,
        earlier: u32,
    ) -> Result<(), ProcessError> {
        if !found.sensitive && found.differences.is_empty() {
            return Ok(());
        }
        let nhs = pds.nhs_number;
        if found.sensitive {
            self.text.clear();
            outputs::write_sensitive_row(&mut self.text, job.practice, &job.record, pds, self.profile);
            let sort_key = ids::row_key(nhs, SENSITIVE, job.number);
            self.send_row(ctx, job.job_id, ReportFile::Cdd, sort_key)?;
        }
        for rule in &found.differences {
            self.text.clear();
            outputs::write_differences_row(&mut self.text, job.practice, &job.record, pds, rule, self.profile);
            let sort_key = ids::row_key(nhs, rule.id, job.number);
            self.send_row(ctx, job.job_id, ReportFile::Cdd, sort_key)?;
        }

        let rule_ids: Vec<&str> = found.differences.iter().map(|rule| rule.id).collect();
        let patient_id = ids::patient_id(job.job_id, nhs, job.number);
        self.text.clear();
        outputs::write_work_item(
            &mut self.text,
            &WorkItem {
                patient_id: &patient_id,
                job_id: job.job_id,
                practice: job.practice,
                gp: &job.record,
                pds,
                rule_ids: &rule_ids,
            },
            self.profile,
        );
        // The earlier implementation gave a patient who stands in a file twice one name for two work items (P9).
        let occurrence = if self.profile == Profile::Compatible { 0 } else { earlier };
        let timestamp = ids::timestamp(job.at_ms)?;
        let name = ids::work_item_name(job.practice, job.job_id, nhs, &timestamp, occurrence);
        self.send_row(ctx, job.job_id, ReportFile::WorkItem, name)
    }

    /// Remembers that the job has named this patient; answers how often it had before.
    fn count_naming(&mut self, ctx: &mut Context<'_>, job_id: &str, nhs: &str) -> Result<u32, ProcessError> {
        if nhs.is_empty() {
            return Ok(0);
        }
        let store = self.handles.named;
        self.named(ctx, job_id)?.add(ctx, store, job_id, nhs)
    }

    fn count(&self, ctx: &mut Context<'_>, job_id: &str, found: &Evaluation, earlier: u32) -> Result<(), ProcessError> {
        let mut counts = self.counts(ctx, job_id)?;
        counts.records += 1;
        match found.status {
            RegistrationStatus::Matched => counts.matched += 1,
            RegistrationStatus::PartnershipMismatch => counts.partnership_mismatch += 1,
            RegistrationStatus::DeductedPatientMatch => counts.deducted += 1,
            RegistrationStatus::Unmatched => counts.unmatched += 1,
        }
        counts.sensitive += i64::from(found.sensitive);
        counts.duplicates += i64::from(earlier > 0);
        counts.only_on_gp += i64::from(found.status.is_only_on_gp(found.sensitive));
        counts.differences += found.differences.len() as i64;
        let differs = !found.differences.is_empty();
        counts.patients_with_differences += i64::from(differs && earlier == 0);
        let overwrites = self.profile == Profile::Compatible && earlier > 0;
        let has_work_item = (differs || found.sensitive) && !overwrites && !self.plays_dps;
        counts.work_items += i64::from(has_work_item);
        for decided in &found.decided {
            match decided.decision {
                Decision::UpdatePds => counts.pds_updates += 1,
                Decision::UpdateGp => counts.gp_updates += 1,
                Decision::Validate => counts.validations += 1,
            }
        }
        self.keep_counts(ctx, job_id, &counts)
    }
}
