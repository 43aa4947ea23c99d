//! Asking PDS about people of a list, and what its answers make of the records that wait for them.
//!
//! While any record of a person waits, one question is open, and further records of the person wait behind it: their order
//! decides. The end of a job's file waits until none of its records does, so that what comes behind the last record (only on
//! PDS, what is taken back) still does. Nothing but a record that waits says that a question is open: what is forgotten with
//! its job may be asked about again.

use bytes::Bytes;
use concord_engine::topology::{EmitDerived, SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::list_reconciliation::{EndOfFile, GpEvent, JobRecord, PdsRecord};
use concord_schemas::nhs_number;
use concord_schemas::pds::{FAILED, FOUND, NOT_FOUND, PdsAnswer, PdsLookup};

use super::Comparison;
use super::pds_changes::check_pds_record;
use crate::list_reconciliation::settings::Lookups;
use crate::list_reconciliation::values::{GpEvents, PdsLookups};
use crate::list_reconciliation::{codes, ids};

/// Waiting records of a job that has ended which are forgotten in one slice.
const SLICE: usize = 5_000;
/// Begins the keys of timers that forget the next slice; those of jobs have no slash.
const FORGET: &str = "forget/";

/// What asking PDS uses.
#[derive(Clone, Copy)]
pub(in crate::list_reconciliation) struct Asking {
    /// [`Lookups::Unknown`] or [`Lookups::Always`].
    pub about: Lookups,
    /// `NHS number/job/record number`: records that wait.
    pub waiting: StoreHandle<GpEvents>,
    /// `job/NHS number/record number`: follows from the one above. See [`waiting_of_job`].
    pub waiting_of_job: StoreHandle<()>,
    /// By job: ends of files that wait.
    pub ends: StoreHandle<GpEvents>,
    pub questions: SinkHandle<PdsLookups>,
}

/// What PDS says of a person.
enum Said<'a> {
    Found(&'a PdsRecord<'a>),
    NotFound,
    /// Nothing, for the reason of this code.
    Failed(&'a str),
}

impl Comparison {
    /// A record of a list: compared, or kept until PDS has answered.
    pub(super) fn on_record(&mut self, ctx: &mut Context<'_>, job: JobRecord<'_>) -> Result<(), ProcessError> {
        let Some(asking) = self.handles.asking else { return self.compare(ctx, &job) };
        let nhs = job.record.nhs_number.unwrap_or_default();
        // PDS can have no record of an older form of number, and would not be asked about it.
        if !nhs_number::is_valid(nhs) {
            return self.compare(ctx, &job);
        }
        let is_wanted = asking.about == Lookups::Always || self.stored_pds(ctx, nhs)?.is_none();
        let is_open = self.is_open(ctx, asking, nhs)?;
        if !is_wanted && !is_open {
            return self.compare(ctx, &job);
        }
        if !is_open {
            ctx.send(asking.questions, nhs, &PdsLookup { nhs_number: nhs, job_id: job.job_id })?;
        }
        self.nothing_waits = false;
        let of_job = ids::waiting_of_job_key(job.job_id, nhs, job.number);
        ctx.put_bytes(asking.waiting_of_job, of_job.as_bytes(), Bytes::new())?;
        let key = ids::waiting_key(nhs, job.job_id, job.number);
        ctx.put(asking.waiting, key.as_bytes(), &GpEvent::JobRecord(job))
    }

    /// Whether a question about a number is open. Where most people are known, nothing waits most of the time, and nobody looks.
    fn is_open(&mut self, ctx: &Context<'_>, asking: Asking, nhs: &str) -> Result<bool, ProcessError> {
        self.nothing_waits = self.nothing_waits || !any(ctx, asking.waiting, "")?;
        Ok(!self.nothing_waits && any(ctx, asking.waiting, &ids::member_key(nhs, ""))?)
    }

    /// The end of a file: acted on, or kept until no record of the job waits.
    pub(super) fn on_end(&mut self, ctx: &mut Context<'_>, end: EndOfFile<'_>) -> Result<(), ProcessError> {
        match self.handles.asking {
            Some(asking) if any(ctx, asking.waiting_of_job, &ids::member_key(end.job_id, ""))? => {
                ctx.put(asking.ends, end.job_id.as_bytes(), &GpEvent::EndOfFile(end))
            }
            _ => self.end(ctx, &end),
        }
    }

    pub fn on_pds_answer(&mut self, ctx: &mut Context<'_>, answer: PdsAnswer<'_>) -> Result<(), ProcessError> {
        let Some(asking) = self.handles.asking else { return Ok(()) };
        let nhs = ctx.key()?;
        let said = Said::by(nhs, &answer)?;
        let mut waiting: Vec<(Vec<u8>, Bytes)> = Vec::new();
        ctx.scan_prefix(asking.waiting, ids::member_key(nhs, "").as_bytes(), &mut |key, value| {
            waiting.push((key.to_vec(), Bytes::copy_from_slice(value)));
            true
        })?;
        if waiting.is_empty() {
            // Answers are repeated after a crash, and by now something newer may have come of the person.
            ctx.count_filtered("answer of PDS that nobody waits for");
            return Ok(());
        }
        let failure = self.take_in(ctx, asking, nhs, &said)?;
        let mut jobs: Vec<&str> = Vec::new();
        for (key, value) in &waiting {
            let GpEvent::JobRecord(job) = ctx.read(asking.waiting, value)? else { continue };
            match failure {
                None => self.compare(ctx, &job)?,
                Some(code) => self.leave_open(ctx, &job, code)?,
            }
            ctx.delete(asking.waiting, key)?;
            let of_job = ids::waiting_of_job_key(job.job_id, nhs, job.number);
            ctx.delete(asking.waiting_of_job, of_job.as_bytes())?;
            if jobs.last() != Some(&job.job_id) {
                jobs.push(job.job_id);
            }
        }
        for job_id in jobs {
            self.go_on_with_end(ctx, asking, job_id)?;
        }
        Ok(())
    }

    /// Takes in what PDS says as if it had been published; answers with the code of a failure, where it says nothing that the
    /// records who wait could be compared with.
    fn take_in<'s>(
        &mut self,
        ctx: &mut Context<'_>,
        asking: Asking,
        nhs: &str,
        said: &'s Said<'_>,
    ) -> Result<Option<&'s str>, ProcessError> {
        let stored = self.stored_pds(ctx, nhs)?;
        let is_known = stored.is_some();
        match said {
            Said::Found(record) => {
                let is_old_news = match &stored {
                    Some(bytes) => is_before(record, &ctx.read(self.handles.pds, bytes)?),
                    None => false,
                };
                if is_old_news {
                    ctx.count_filtered("answer of PDS that is older than the stored record");
                } else {
                    self.change_pds(ctx, nhs, Some(record))?;
                }
                Ok(None)
            }
            // Somebody who was unknown when PDS was asked, and is known by now, was published in between.
            Said::NotFound | Said::Failed(_) if is_known && asking.about == Lookups::Unknown => Ok(None),
            Said::NotFound if is_known => self.change_pds(ctx, nhs, None).map(|()| None),
            Said::NotFound => Ok(None),
            Said::Failed(code) => Ok(Some(code)),
        }
    }

    /// Acts on the end of a file that has waited, once no record of the job does.
    fn go_on_with_end(&mut self, ctx: &mut Context<'_>, asking: Asking, job_id: &str) -> Result<(), ProcessError> {
        if any(ctx, asking.waiting_of_job, &ids::member_key(job_id, ""))? {
            return Ok(());
        }
        let Some(stored) = ctx.get(asking.ends, job_id.as_bytes())? else { return Ok(()) };
        let GpEvent::EndOfFile(end) = ctx.read(asking.ends, &stored)? else { return Ok(()) };
        ctx.delete(asking.ends, job_id.as_bytes())?;
        self.end(ctx, &end)
    }

    /// A job does not go on: what waits of it is forgotten, and then what is remembered of it.
    pub(super) fn abandon(&mut self, ctx: &mut Context<'_>, job_id: &str) -> Result<(), ProcessError> {
        let Some(asking) = self.handles.asking else { return self.forget(ctx, job_id) };
        // First of all, so that an answer in between does not end the job.
        ctx.delete(asking.ends, job_id.as_bytes())?;
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let prefix = ids::member_key(job_id, "");
        ctx.scan_prefix(asking.waiting_of_job, prefix.as_bytes(), &mut |key, _| {
            keys.push(key.to_vec());
            keys.len() < SLICE
        })?;
        for key in &keys {
            let (nhs, number) =
                ids::text(key)?.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')).unwrap_or_default();
            ctx.delete(asking.waiting, format!("{nhs}/{prefix}{number}").as_bytes())?;
            ctx.delete(asking.waiting_of_job, key)?;
        }
        if keys.len() < SLICE {
            return self.forget(ctx, job_id);
        }
        let timer = format!("{FORGET}{job_id}");
        ctx.set_timer(TimerClock::WallClock, timer.as_bytes(), ctx.wall_clock_ms(), Bytes::new())
    }

    /// A job has ended while records of it may wait. One of which none does goes on behind its end, as if nothing were.
    pub(super) fn give_up(&mut self, ctx: &mut Context<'_>, job_id: &str) -> Result<(), ProcessError> {
        let Some(asking) = self.handles.asking else { return Ok(()) };
        if any(ctx, asking.waiting_of_job, &ids::member_key(job_id, ""))? {
            return self.abandon(ctx, job_id);
        }
        Ok(())
    }
}

impl<'a> Said<'a> {
    /// What an answer says, if it is one.
    fn by(nhs: &str, answer: &'a PdsAnswer<'a>) -> Result<Self, Rejection> {
        let wrong = |why: &'static str| Err(Rejection::by_processor(codes::LOOKUP_ANSWER_UNUSABLE, why));
        if answer.nhs_number != nhs {
            return wrong("the number of an answer of PDS is not its key: correct the connector that published it");
        }
        match (answer.outcome, &answer.record) {
            // A record that the topic of records would not take either.
            (FOUND, Some(record)) => Ok(match check_pds_record(nhs, record) {
                Ok(()) => Self::Found(record),
                Err(rejection) => Self::Failed(rejection.code),
            }),
            (NOT_FOUND, _) => Ok(Self::NotFound),
            (FAILED, _) => Ok(Self::Failed(answer.code)),
            (FOUND, None) => wrong("an answer of PDS has found a record and does not have it: correct the connector"),
            _ => wrong("an answer of PDS says what this version does not know: update this program, then replay it"),
        }
    }
}

/// The timer of the next slice to be forgotten: of which job.
pub(super) fn job_to_forget(timer: &Timer) -> Result<Option<&str>, ProcessError> {
    Ok(ids::text(&timer.key)?.strip_prefix(FORGET))
}

/// The entry by job that follows from a record that waits.
pub(in crate::list_reconciliation) fn waiting_of_job(event: &GpEvent<'_>, emit: &mut EmitDerived<'_>) {
    if let GpEvent::JobRecord(job) = event {
        let nhs = job.record.nhs_number.unwrap_or_default();
        emit(ids::waiting_of_job_key(job.job_id, nhs, job.number).as_bytes(), b"");
    }
}

/// Whether PDS has changed the record since: it counts its changes, and an answer may be one that was remembered.
fn is_before(record: &PdsRecord<'_>, stored: &PdsRecord<'_>) -> bool {
    match (record.version.parse::<u64>(), stored.version.parse::<u64>()) {
        (Ok(version), Ok(stored)) => version < stored,
        _ => false,
    }
}

/// Whether a store has any key of this prefix.
fn any<V>(ctx: &Context<'_>, store: StoreHandle<V>, prefix: &str) -> Result<bool, ProcessError> {
    let mut found = false;
    ctx.scan_prefix(store, prefix.as_bytes(), &mut |_, _| {
        found = true;
        false
    })?;
    Ok(found)
}
