//! Holds each record of an accepted file against PDS, and, behind the last one, PDS against the file.
//!
//! A task has the records, the PDS records and the registrations of the same NHS numbers, since all three are keyed by
//! NHS number. It keeps which NHS numbers a job has named until the job's end-of-file marker, and answers the marker with
//! those registered at the practice that the job did not name, then with its counts.

use std::collections::HashMap;

use bytes::Bytes;
use concord_engine::topology::{EmitDerived, SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::list_reconciliation::{
    Difference, EndOfFile, GpEvent, JobCounts, JobEvent, JobRecord, Outcome, PartitionCompleted, PdsRecord,
    Registration, ReportFile,
};
use concord_schemas::nhs_number;

use super::codes;
use super::compare::{self, GUIDANCE, Rule, SENSITIVE};
use super::ids;
use super::named_patients::NamedPatients;
use super::outputs::{self, WorkItem};
use super::profile::Profile;
use super::registration::{RegistrationStatus, is_sensitive};
use super::settings::RegistrationSource;
use super::values::{Differences, JobEvents, Outcomes, PdsRecords, Registrations, Row};

/// Patients looked at in one slice of the anti-join: other jobs' records wait no longer than it takes.
const SLICE: usize = 5_000;

/// What the comparison uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// PDS records by NHS number.
    pub pds: StoreHandle<PdsRecords>,
    /// Registrations by NHS number; used only with a registration list.
    pub registered_at: StoreHandle<Registrations>,
    /// `practice/NHS number`: who is registered where. Follows from one of the two above: see [`member_of_list`].
    pub practice_lists: StoreHandle<()>,
    /// `job/block`: whom a job has named.
    pub named: StoreHandle<()>,
    /// Counts by job.
    pub counts: StoreHandle<()>,
    pub outcomes: SinkHandle<Outcomes>,
    pub differences: SinkHandle<Differences>,
    pub job_events: SinkHandle<JobEvents>,
}

/// See the module.
pub(super) struct Comparison {
    pub handles: Handles,
    pub profile: Profile,
    pub registrations: RegistrationSource,
    /// Cache: whom the jobs under way have named.
    pub named: HashMap<String, NamedPatients>,
    /// Text buffers, used again for each record.
    pub text: String,
    pub rules: Vec<&'static Rule>,
}

impl Comparison {
    pub fn on_pds_record(&mut self, ctx: &mut Context<'_>, change: Option<PdsRecord<'_>>) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        if let Some(record) = &change {
            check_pds_record(key, record)?;
        }
        if self.registrations == RegistrationSource::PdsRecords {
            let old = ctx.get(self.handles.pds, key.as_bytes())?;
            let old_practice = match &old {
                Some(bytes) => ctx.read(self.handles.pds, bytes)?.gp_practice,
                None => "",
            };
            let new_practice = change.as_ref().map_or("", |r| r.gp_practice);
            self.move_registration(ctx, key, old_practice, new_practice)?;
        }
        match change {
            Some(record) => ctx.put(self.handles.pds, key.as_bytes(), &record),
            None => ctx.delete(self.handles.pds, key.as_bytes()),
        }
    }

    pub fn on_registration(
        &mut self,
        ctx: &mut Context<'_>,
        change: Option<Registration<'_>>,
    ) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        if let Some(registration) = &change
            && (registration.nhs_number != key || !nhs_number::is_valid(key))
        {
            return Err(Rejection::by_processor(
                codes::REGISTRATION_INVALID,
                "the registration's NHS number is not its key, or its check digit is wrong: publish it under a valid number",
            )
            .into());
        }
        if self.registrations == RegistrationSource::PdsRecords {
            ctx.count_filtered("registrations come from PDS records");
            return Ok(());
        }
        let old = ctx.get(self.handles.registered_at, key.as_bytes())?;
        let old_practice = match &old {
            Some(bytes) => ctx.read(self.handles.registered_at, bytes)?.gp_practice,
            None => "",
        };
        let new_practice = change.as_ref().map_or("", |r| r.gp_practice);
        self.move_registration(ctx, key, old_practice, new_practice)?;
        match change {
            Some(registration) => ctx.put(self.handles.registered_at, key.as_bytes(), &registration),
            None => ctx.delete(self.handles.registered_at, key.as_bytes()),
        }
    }

    fn move_registration(&self, ctx: &mut Context<'_>, nhs: &str, old: &str, new: &str) -> Result<(), ProcessError> {
        if old == new {
            return Ok(());
        }
        if !old.is_empty() {
            ctx.delete(self.handles.practice_lists, ids::member_key(old, nhs).as_bytes())?;
        }
        if !new.is_empty() {
            ctx.put_bytes(self.handles.practice_lists, ids::member_key(new, nhs).as_bytes(), Bytes::new())?;
        }
        Ok(())
    }

    pub fn on_gp_event(&mut self, ctx: &mut Context<'_>, event: GpEvent<'_>) -> Result<(), ProcessError> {
        match event {
            GpEvent::JobRecord(record) => self.compare(ctx, &record),
            GpEvent::EndOfFile(end) => Self::begin_anti_join(ctx, &end),
        }
    }

    fn compare(&mut self, ctx: &mut Context<'_>, job: &JobRecord<'_>) -> Result<(), ProcessError> {
        let gp = &job.record;
        let nhs = gp.nhs_number.unwrap_or_default();
        let stored = match nhs {
            "" => None,
            number => ctx.get(self.handles.pds, number.as_bytes())?,
        };
        let pds = match &stored {
            Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
            None => None,
        };
        let status = RegistrationStatus::of(job.practice, pds.as_ref());
        let sensitive = pds.as_ref().is_some_and(is_sensitive);
        self.rules.clear();
        if status == RegistrationStatus::Matched
            && !sensitive
            && let Some(pds) = &pds
        {
            self.rules.extend(compare::differences(gp, pds, self.profile));
        }

        let earlier = self.count_naming(ctx, job.job_id, nhs)?;
        self.count(ctx, job.job_id, status, sensitive, earlier)?;

        if status.is_only_on_gp(sensitive) {
            self.text.clear();
            outputs::write_only_on_gp_row(&mut self.text, gp, status, pds.as_ref(), self.profile);
            let sort_key = ids::row_key(nhs, "", job.number);
            self.send_row(ctx, job.job_id, ReportFile::OnlyOnGp, sort_key)?;
        }
        if let Some(pds) = &pds {
            self.report_differences(ctx, job, pds, sensitive, earlier)?;
        }

        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.id).collect();
        let outcome = Outcome {
            job_id: job.job_id,
            practice: job.practice,
            number: job.number,
            nhs_number: gp.nhs_number,
            status: status.as_str(),
            sensitive,
            rules,
        };
        ctx.send(self.handles.outcomes, &ids::outcome_key(job.job_id, job.number), &outcome)
    }

    /// Rows, work item and differences of one patient.
    fn report_differences(
        &mut self,
        ctx: &mut Context<'_>,
        job: &JobRecord<'_>,
        pds: &PdsRecord<'_>,
        sensitive: bool,
        earlier: u32,
    ) -> Result<(), ProcessError> {
        if !sensitive && self.rules.is_empty() {
            return Ok(());
        }
        let nhs = pds.nhs_number;
        if sensitive {
            self.text.clear();
            outputs::write_sensitive_row(&mut self.text, job.practice, &job.record, pds, self.profile);
            let sort_key = ids::row_key(nhs, SENSITIVE, job.number);
            self.send_row(ctx, job.job_id, ReportFile::Cdd, sort_key)?;
        }
        let rules = std::mem::take(&mut self.rules);
        for rule in &rules {
            self.text.clear();
            outputs::write_differences_row(&mut self.text, job.practice, &job.record, pds, rule, self.profile);
            let sort_key = ids::row_key(nhs, rule.id, job.number);
            self.send_row(ctx, job.job_id, ReportFile::Cdd, sort_key)?;
            let difference = Difference {
                practice: job.practice,
                nhs_number: nhs,
                rule_id: rule.id,
                guidance: GUIDANCE,
                job_id: job.job_id,
                pds_version: pds.version,
            };
            let key = ids::difference_key(job.practice, nhs, rule.id);
            ctx.send_by_rule(self.handles.differences, &key, &difference, Some(rule.id))?;
        }

        let rule_ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
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
        self.rules = rules;
        self.send_row(ctx, job.job_id, ReportFile::WorkItem, name)
    }

    /// Sends the text at hand as a row.
    fn send_row(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        file: ReportFile,
        sort_key: String,
    ) -> Result<(), ProcessError> {
        ctx.send_part(self.handles.job_events, job_id, Row { file, sort_key, text: self.text.clone() })
    }

    /// Remembers that the job has named this patient; answers how often it had before.
    fn count_naming(&mut self, ctx: &mut Context<'_>, job_id: &str, nhs: &str) -> Result<u32, ProcessError> {
        if nhs.is_empty() {
            return Ok(0);
        }
        let store = self.handles.named;
        self.named(ctx, job_id)?.add(ctx, store, job_id, nhs)
    }

    /// The patients a job has named, read from the store when a new instance asks for the first time.
    fn named(&mut self, ctx: &Context<'_>, job_id: &str) -> Result<&mut NamedPatients, ProcessError> {
        if !self.named.contains_key(job_id) {
            let named = NamedPatients::load(ctx, self.handles.named, job_id)?;
            self.named.insert(job_id.to_string(), named);
        }
        self.named
            .get_mut(job_id)
            .ok_or_else(|| ProcessError::Programming("the patients just read are not there".to_string()))
    }

    fn count(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        status: RegistrationStatus,
        sensitive: bool,
        earlier: u32,
    ) -> Result<(), ProcessError> {
        let mut counts = self.counts(ctx, job_id)?;
        counts.records += 1;
        match status {
            RegistrationStatus::Matched => counts.matched += 1,
            RegistrationStatus::PartnershipMismatch => counts.partnership_mismatch += 1,
            RegistrationStatus::DeductedPatientMatch => counts.deducted += 1,
            RegistrationStatus::Unmatched => counts.unmatched += 1,
        }
        counts.sensitive += i64::from(sensitive);
        counts.duplicates += i64::from(earlier > 0);
        counts.only_on_gp += i64::from(status.is_only_on_gp(sensitive));
        counts.differences += self.rules.len() as i64;
        let differs = !self.rules.is_empty();
        counts.patients_with_differences += i64::from(differs && earlier == 0);
        let overwrites = self.profile == Profile::Compatible && earlier > 0;
        counts.work_items += i64::from((differs || sensitive) && !overwrites);
        self.keep_counts(ctx, job_id, &counts)
    }

    fn counts(&self, ctx: &Context<'_>, job_id: &str) -> Result<JobCounts, ProcessError> {
        match ctx.get(self.handles.counts, job_id.as_bytes())? {
            Some(bytes) => ids::counts_from_bytes(&bytes),
            None => Ok(JobCounts::default()),
        }
    }

    fn keep_counts(&self, ctx: &mut Context<'_>, job_id: &str, counts: &JobCounts) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.counts, job_id.as_bytes(), ids::counts_to_bytes(counts))
    }

    /// The marker stands behind all records of the job in this partition: what the job did not name is now known.
    fn begin_anti_join(ctx: &mut Context<'_>, end: &EndOfFile<'_>) -> Result<(), ProcessError> {
        let progress = AntiJoin {
            practice: end.practice.to_string(),
            at_ms: end.at_ms,
            records: end.records,
            partitions: end.partitions,
            behind: String::new(),
        };
        ctx.set_timer(TimerClock::WallClock, end.job_id.as_bytes(), ctx.wall_clock_ms(), progress.to_bytes())
    }

    /// One slice of the practice's list.
    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let job_id = ids::text(&timer.key)?;
        let mut progress = AntiJoin::from_bytes(&timer.payload)?;
        if self.anti_join(ctx, job_id, &mut progress)? {
            ctx.set_timer(TimerClock::WallClock, &timer.key, ctx.wall_clock_ms(), progress.to_bytes())?;
        }
        Ok(())
    }

    fn anti_join(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &mut AntiJoin,
    ) -> Result<bool, ProcessError> {
        let prefix = ids::member_key(&progress.practice, "");
        let start = if progress.behind.is_empty() {
            prefix.clone()
        } else {
            // The first key behind the last one seen.
            format!("{prefix}{}\0", progress.behind)
        };
        let mut listed: Vec<String> = Vec::new();
        ctx.scan(self.handles.practice_lists, start.as_bytes(), Some(&ids::behind_prefix(&prefix)), &mut |key, _| {
            if let Some(nhs) = key.get(prefix.len()..) {
                listed.push(String::from_utf8_lossy(nhs).into_owned());
            }
            listed.len() < SLICE
        })?;

        let named = self.named(ctx, job_id)?;
        let unnamed: Vec<&String> = listed.iter().filter(|nhs| !named.contains(nhs)).collect();
        let mut found = 0;
        for nhs in unnamed {
            let Some(bytes) = ctx.get(self.handles.pds, nhs.as_bytes())? else {
                ctx.count_filtered("registered, and no PDS record");
                continue;
            };
            let pds = ctx.read(self.handles.pds, &bytes)?;
            if self.registrations == RegistrationSource::PdsRecords && pds.gp_practice != progress.practice {
                ctx.count_filtered("on the practice's list, and registered elsewhere");
                continue;
            }
            if is_sensitive(&pds) {
                ctx.count_filtered("sensitive, and not in the file");
                continue;
            }
            self.text.clear();
            outputs::write_only_on_pds_row(&mut self.text, &pds);
            self.send_row(ctx, job_id, ReportFile::OnlyOnPds, ids::row_key(nhs, "", 0))?;
            found += 1;
        }
        let mut counts = self.counts(ctx, job_id)?;
        counts.only_on_pds += found;
        self.keep_counts(ctx, job_id, &counts)?;

        if listed.len() == SLICE {
            progress.behind = listed.pop().unwrap_or_default();
            return Ok(true);
        }
        let answer = JobEvent::PartitionCompleted(PartitionCompleted {
            job_id,
            partition: ctx.partition(),
            partitions: progress.partitions,
            records_of_file: progress.records,
            counts,
        });
        ctx.send(self.handles.job_events, job_id, &answer)?;
        ctx.delete(self.handles.counts, job_id.as_bytes())?;
        NamedPatients::forget(ctx, self.handles.named, job_id)?;
        self.named.remove(job_id);
        Ok(false)
    }
}

/// The entry of the practice lists that follows from where a patient is registered.
pub(super) fn member_of_list(practice: &str, nhs: &[u8], emit: &mut EmitDerived<'_>) {
    if !practice.is_empty() {
        emit(ids::member_key(practice, &String::from_utf8_lossy(nhs)).as_bytes(), b"");
    }
}

fn check_pds_record(key: &str, record: &PdsRecord<'_>) -> Result<(), Rejection> {
    if record.nhs_number != key {
        return Err(Rejection::by_processor(
            codes::PDS_KEY_DIFFERS,
            "the PDS record's NHS number is not its key: publish it under its NHS number",
        ));
    }
    if !nhs_number::is_valid(key) {
        return Err(Rejection::by_processor(
            codes::PDS_NHS_NUMBER_INVALID,
            "the PDS record's NHS number has not ten digits with a right check digit: correct it at the source",
        ));
    }
    if !matches!(record.gender, "" | "male" | "female" | "other" | "unknown") {
        return Err(Rejection::by_processor(
            codes::PDS_GENDER_UNKNOWN,
            "the PDS record's gender is none of male, female, other, unknown: correct it at the source",
        ));
    }
    Ok(())
}

/// How far the answer to an end-of-file marker has come; kept in the timer that goes on with it.
#[derive(serde::Serialize, serde::Deserialize)]
struct AntiJoin {
    practice: String,
    at_ms: i64,
    records: i64,
    partitions: i32,
    /// The last NHS number of the practice's list that was looked at.
    behind: String,
}

impl AntiJoin {
    fn to_bytes(&self) -> Bytes {
        ids::progress_to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        ids::progress_from_bytes(bytes)
    }
}
