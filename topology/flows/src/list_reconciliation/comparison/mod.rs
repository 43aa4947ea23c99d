//! Holds each record of an accepted file against PDS, and, behind the last one, PDS against the file; and from then on the
//! practice's list against every change of PDS.
//!
//! A task has the records, the PDS records and the registrations of the same NHS numbers, since all three are keyed by
//! NHS number. It keeps which NHS numbers a job has named until the job's end-of-file marker, and answers the marker with
//! those registered at the practice that the job did not name, then with its counts.

mod cause;
mod end_of_file;
mod evaluation;
mod lookups;
mod pds_changes;
mod publication;
mod records;
mod rules_in_force;
mod standing;

use std::collections::HashMap;
use std::sync::Arc;

use concord_engine::topology::{EmitDerived, SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{GpEvent, JobCounts, ReportFile};

use super::catalogue::RuleSettings;
use super::ids;
use super::named_patients::NamedPatients;
use super::profile::Profile;
use super::settings::RegistrationSource;
use super::values::{Decisions, Differences, JobEvents, Outcomes, PdsRecords, Registrations, Row};
use rules_in_force::RulesInForce;
use standing::ListId;

pub(super) use lookups::{Asking, waiting_of_job};
pub(super) use standing::{StandingStores, practices_of};

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
    /// `None`: lists are compared once, and do not stand.
    pub standing: Option<StandingStores>,
    /// `None`: PDS is not asked.
    pub asking: Option<Asking>,
    pub outcomes: SinkHandle<Outcomes>,
    pub differences: SinkHandle<Differences>,
    pub decisions: SinkHandle<Decisions>,
    pub job_events: SinkHandle<JobEvents>,
}

/// See the module.
pub(super) struct Comparison {
    handles: Handles,
    profile: Profile,
    registrations: RegistrationSource,
    /// Whether what is found goes into an answer to whoever sent the file, in place of lists and work items.
    plays_dps: bool,
    rules: RulesInForce,
    /// Cache: whom the jobs under way have named.
    named: HashMap<String, NamedPatients>,
    /// Cache: the list that stands, by practice.
    lists: HashMap<String, Option<ListId>>,
    /// Cache: whether any list has come.
    anything_stands: Option<bool>,
    /// Cache: no record waits for PDS. When it is false, one may.
    nothing_waits: bool,
    /// Text buffer, used again for each record.
    text: String,
}

impl Comparison {
    pub fn new(
        handles: Handles,
        profile: Profile,
        registrations: RegistrationSource,
        plays_dps: bool,
        rules: Arc<RuleSettings>,
    ) -> Self {
        Self {
            handles,
            profile,
            registrations,
            plays_dps,
            rules: RulesInForce::new(rules),
            named: HashMap::new(),
            lists: HashMap::new(),
            anything_stands: None,
            nothing_waits: false,
            text: String::new(),
        }
    }

    pub fn on_gp_event(&mut self, ctx: &mut Context<'_>, event: GpEvent<'_>) -> Result<(), ProcessError> {
        match event {
            GpEvent::JobRecord(record) => self.on_record(ctx, record),
            GpEvent::EndOfFile(end) if end.abandoned => self.abandon(ctx, end.job_id),
            GpEvent::EndOfFile(end) => self.on_end(ctx, end),
            GpEvent::JobGivenUp(given_up) => self.give_up(ctx, given_up.job_id),
        }
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

    fn counts(&self, ctx: &Context<'_>, job_id: &str) -> Result<JobCounts, ProcessError> {
        match ctx.get(self.handles.counts, job_id.as_bytes())? {
            Some(bytes) => ids::counts_from_bytes(&bytes),
            None => Ok(JobCounts::default()),
        }
    }

    fn keep_counts(&self, ctx: &mut Context<'_>, job_id: &str, counts: &JobCounts) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.counts, job_id.as_bytes(), ids::counts_to_bytes(counts))
    }
}

/// The entry of the practice lists that follows from where a patient is registered.
pub(super) fn member_of_list(practice: &str, nhs: &[u8], emit: &mut EmitDerived<'_>) {
    if !practice.is_empty() {
        emit(ids::member_key(practice, &String::from_utf8_lossy(nhs)).as_bytes(), b"");
    }
}
