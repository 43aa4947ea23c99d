//! Behind the last record of a file: whom it did not name, and the answer to its marker.

use bytes::Bytes;
use concord_engine::topology::StoreHandle;
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::list_reconciliation::{EndOfFile, JobEvent, PartitionCompleted, ReportFile};

use super::standing::{ListId, StandingStores};
use super::{Comparison, lookups};
use crate::list_reconciliation::dps_exchange::{AnswerLine, line_of_person_only_on_pds, row_of_line};
use crate::list_reconciliation::ids;
use crate::list_reconciliation::named_patients::NamedPatients;
use crate::list_reconciliation::outputs;
use crate::list_reconciliation::registration::is_sensitive;
use crate::list_reconciliation::settings::RegistrationSource;

/// Patients looked at in one slice: other jobs' records wait no longer than it takes.
const SLICE: usize = 5_000;

impl Comparison {
    /// The marker stands behind all records of the job in this partition: what the job did not name is now known.
    pub(super) fn end(&mut self, ctx: &mut Context<'_>, end: &EndOfFile<'_>) -> Result<(), ProcessError> {
        if let Some(stores) = self.handles.standing {
            self.stand_as_list(ctx, stores, end.practice, ListId::of(end.at_ms, end.job_id))?;
        }
        let progress = Progress {
            practice: end.practice.to_string(),
            at_ms: end.at_ms,
            records: end.records,
            partitions: end.partitions,
            step: Step::default(),
            behind: String::new(),
        };
        ctx.set_timer(TimerClock::WallClock, end.job_id.as_bytes(), ctx.wall_clock_ms(), progress.to_bytes())
    }

    /// One slice of a step; the next one in a timer of its own.
    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        if let Some(job_id) = lookups::job_to_forget(timer)? {
            return self.abandon(ctx, job_id);
        }
        let job_id = ids::text(&timer.key)?;
        let mut progress = Progress::from_bytes(&timer.payload)?;
        let list = ListId::of(progress.at_ms, job_id);
        let stores = self.stores_of(ctx, &progress.practice, &list)?;
        let last = match (progress.step, stores) {
            (Step::OnlyOnPds, _) => self.find_only_on_pds(ctx, &list, stores, &mut progress)?,
            (Step::TakeBack, Some(stores)) => self.take_back_the_unnamed(ctx, &list, stores, &mut progress)?,
            (Step::TakeBack, None) => true,
        };
        if !last {
            return go_on(ctx, timer, &progress);
        }
        if progress.step == Step::OnlyOnPds && stores.is_some() {
            progress.step = Step::TakeBack;
            progress.behind.clear();
            return go_on(ctx, timer, &progress);
        }
        self.answer(ctx, job_id, &progress)
    }

    /// The stores of standing lists, while this list is the one that stands: a later one will say what holds of the practice.
    fn stores_of(
        &mut self,
        ctx: &Context<'_>,
        practice: &str,
        list: &ListId,
    ) -> Result<Option<StandingStores>, ProcessError> {
        let Some(stores) = self.handles.standing else { return Ok(None) };
        let stands = self.standing_list(ctx, stores, practice)? == Some(list);
        Ok(stands.then_some(stores))
    }

    /// One slice of those registered at the practice; true behind the last one.
    fn find_only_on_pds(
        &mut self,
        ctx: &mut Context<'_>,
        list: &ListId,
        stores: Option<StandingStores>,
        progress: &mut Progress,
    ) -> Result<bool, ProcessError> {
        let job_id = list.job_id.as_str();
        let listed = slice_of(ctx, self.handles.practice_lists, progress)?;
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
            if self.plays_dps {
                let Some(line) = line_of_person_only_on_pds(&pds) else { continue };
                let row = row_of_line(&AnswerLine::OnlyOnPds(Box::new(line)));
                ctx.send_part(self.handles.job_events, job_id, row)?;
            } else {
                self.text.clear();
                outputs::write_only_on_pds_row(&mut self.text, &pds);
                self.send_row(ctx, job_id, ReportFile::OnlyOnPds, ids::row_key(nhs, "", 0))?;
            }
            found += 1;
            if let Some(stores) = stores {
                self.stand_as_unnamed(ctx, stores, (&progress.practice, list), nhs, Some(&pds), true)?;
            }
        }
        let mut counts = self.counts(ctx, job_id)?;
        counts.only_on_pds += found;
        self.keep_counts(ctx, job_id, &counts)?;

        Ok(progress.is_behind(listed))
    }

    /// One slice of those who stood at the practice; true behind the last one. What an earlier list said of whom this one
    /// does not name is taken back.
    fn take_back_the_unnamed(
        &mut self,
        ctx: &mut Context<'_>,
        list: &ListId,
        stores: StandingStores,
        progress: &mut Progress,
    ) -> Result<bool, ProcessError> {
        let stood = slice_of(ctx, stores.by_practice, progress)?;
        let named = self.named(ctx, &list.job_id)?;
        let unnamed: Vec<&String> = stood.iter().filter(|nhs| !named.contains(nhs)).collect();
        for nhs in unnamed {
            let stored = ctx.get(self.handles.pds, nhs.as_bytes())?;
            let pds = match &stored {
                Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
                None => None,
            };
            let is_registered = self.registered(ctx, nhs, pds.as_ref())?.practice == progress.practice;
            self.stand_as_unnamed(ctx, stores, (&progress.practice, list), nhs, pds.as_ref(), is_registered)?;
        }
        Ok(progress.is_behind(stood))
    }

    fn answer(&mut self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        let answer = JobEvent::PartitionCompleted(PartitionCompleted {
            job_id,
            partition: ctx.partition(),
            partitions: progress.partitions,
            records_of_file: progress.records,
            counts: self.counts(ctx, job_id)?,
        });
        ctx.send(self.handles.job_events, job_id, &answer)?;
        self.forget(ctx, job_id)
    }

    /// Drops what is remembered of a job. What its records have said of people still holds: they are the practice's last word.
    pub(super) fn forget(&mut self, ctx: &mut Context<'_>, job_id: &str) -> Result<(), ProcessError> {
        ctx.delete(self.handles.counts, job_id.as_bytes())?;
        NamedPatients::forget(ctx, self.handles.named, job_id)?;
        self.named.remove(job_id);
        Ok(())
    }
}

fn go_on(ctx: &mut Context<'_>, timer: &Timer, progress: &Progress) -> Result<(), ProcessError> {
    ctx.set_timer(TimerClock::WallClock, &timer.key, ctx.wall_clock_ms(), progress.to_bytes())
}

/// The next members of the practice in a store by practice.
fn slice_of(ctx: &Context<'_>, store: StoreHandle<()>, progress: &Progress) -> Result<Vec<String>, ProcessError> {
    let prefix = ids::member_key(&progress.practice, "");
    let start = if progress.behind.is_empty() {
        prefix.clone()
    } else {
        // The first key behind the last one seen.
        format!("{prefix}{}\0", progress.behind)
    };
    let mut members: Vec<String> = Vec::new();
    ctx.scan(store, start.as_bytes(), Some(&ids::behind_prefix(&prefix)), &mut |key, _| {
        if let Some(nhs) = key.get(prefix.len()..) {
            members.push(String::from_utf8_lossy(nhs).into_owned());
        }
        members.len() < SLICE
    })?;
    Ok(members)
}

/// How far the answer to an end-of-file marker has come; kept in the timer that goes on with it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Progress {
    practice: String,
    at_ms: i64,
    records: i64,
    partitions: i32,
    /// Timers of earlier versions know the first step only.
    #[serde(default)]
    step: Step,
    /// The last NHS number that the step looked at.
    behind: String,
}

/// What is done behind the last record, in order.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Step {
    /// Whom PDS has at the practice, and the file does not name.
    #[default]
    OnlyOnPds,
    /// Of whom the practice's earlier list said something, and the file does not name.
    TakeBack,
}

impl Progress {
    /// Goes behind a slice; true when it was the last one.
    fn is_behind(&mut self, mut slice: Vec<String>) -> bool {
        if slice.len() < SLICE {
            return true;
        }
        self.behind = slice.pop().unwrap_or_default();
        false
    }

    fn to_bytes(&self) -> Bytes {
        ids::progress_to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Rejection> {
        ids::progress_from_bytes(bytes)
    }
}
