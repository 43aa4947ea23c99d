//! The last accepted list of each practice stands: every change of PDS is held against it, until a later list replaces it.
//!
//! A later list is one whose job has a later processing time, or the same and a greater id; so it does not matter in which
//! order two lists are processed. It replaces record by record what the earlier one said, and behind its end whom it did not
//! name. A person who stands twice in a list stands there as its last record says.

use bytes::Bytes;
use concord_engine::topology::{EmitDerived, StoreHandle};
use concord_engine::{Context, ProcessError};
use concord_schemas::list_reconciliation::{JobRecord, PdsRecord, StandingList, StandingOnList, StandingPerson};

use super::Comparison;
use super::cause::Cause;
use super::evaluation::{Comparing, Evaluation};
use super::publication::Subject;
use crate::list_reconciliation::catalogue::ONLY_ON_GP;
use crate::list_reconciliation::ids;
use crate::list_reconciliation::values::{StandingLists, StandingPeople};

/// What standing lists are kept in.
#[derive(Clone, Copy)]
pub(in crate::list_reconciliation) struct StandingStores {
    /// By NHS number as the practice gave it: the lists that name the person, or ought to, and what is published of it. One
    /// entry for all lists of a person, so that a change of PDS takes one read, and none of the disk for who is on no list.
    pub people: StoreHandle<StandingPeople>,
    /// `practice/NHS number`: follows from the one above. See [`practices_of`].
    pub by_practice: StoreHandle<()>,
    /// The list that stands, by practice; the same on every task.
    pub lists: StoreHandle<StandingLists>,
}

/// Which list it is. The greater one stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ListId {
    pub at_ms: i64,
    pub job_id: String,
}

impl ListId {
    pub fn of(at_ms: i64, job_id: &str) -> Self {
        Self { at_ms, job_id: job_id.to_owned() }
    }

    fn is_later_than(&self, at_ms: i64, job_id: &str) -> bool {
        (self.at_ms, self.job_id.as_str()) > (at_ms, job_id)
    }
}

/// What PDS, or the list of registrations, says of where a person is registered.
#[derive(Debug, Default)]
pub(super) struct Registered {
    /// Empty: nowhere.
    pub practice: String,
    /// Whether PDS has the patient down for dispensing, if known.
    pub dispensing: Option<bool>,
}

impl Comparison {
    /// A record of a list takes the place of what an earlier list said of the person.
    pub(super) fn stand_as_named(
        &mut self,
        ctx: &mut Context<'_>,
        stores: StandingStores,
        job: &JobRecord<'_>,
        subject: &Subject<'_>,
        found: &Evaluation,
    ) -> Result<(), ProcessError> {
        let list = self.standing_list(ctx, stores, job.practice)?;
        if list.is_some_and(|list| list.is_later_than(job.at_ms, job.job_id)) {
            return Ok(());
        }
        let stored = ctx.get(stores.people, subject.nhs_number.as_bytes())?;
        let mut person = match &stored {
            Some(bytes) => ctx.read(stores.people, bytes)?,
            None => StandingPerson::default(),
        };
        let former = take(&mut person, job.practice);
        if former.as_ref().is_some_and(|former| (former.at_ms, former.job_id) > (job.at_ms, job.job_id)) {
            return Ok(());
        }
        let is_new = former.is_none();
        let former = former.map_or_else(Vec::new, |former| former.findings);
        let findings = self.publish(ctx, subject, found, &former)?;
        person.lists.push(StandingOnList {
            practice: job.practice,
            job_id: job.job_id,
            at_ms: job.at_ms,
            record: Some(job.record.clone()),
            findings,
        });
        self.keep(ctx, stores, subject.nhs_number, person)?;
        if is_new {
            let key = ids::member_key(job.practice, subject.nhs_number);
            ctx.put_bytes(stores.by_practice, key.as_bytes(), Bytes::new())?;
        }
        Ok(())
    }

    /// A list that has ended does not name this person: what an earlier one said does not hold any more. Who was looked at
    /// since the list stands, or stands on a later one, is left alone.
    pub(super) fn stand_as_unnamed(
        &mut self,
        ctx: &mut Context<'_>,
        stores: StandingStores,
        (practice, list): (&str, &ListId),
        nhs: &str,
        pds: Option<&PdsRecord<'_>>,
        is_registered: bool,
    ) -> Result<(), ProcessError> {
        let stored = ctx.get(stores.people, nhs.as_bytes())?;
        let mut person = match &stored {
            Some(bytes) => ctx.read(stores.people, bytes)?,
            None => StandingPerson::default(),
        };
        let former = take(&mut person, practice);
        if former.as_ref().is_some_and(|former| !list.is_later_than(former.at_ms, former.job_id)) {
            return Ok(());
        }
        let found = Evaluation::of_unnamed(practice, pds, is_registered);
        if former.is_none() && found.apart.is_none() {
            return Ok(());
        }
        let was_there = former.is_some();
        let former = former.map_or_else(Vec::new, |former| former.findings);
        let subject = Subject {
            practice,
            nhs_number: nhs,
            job_id: &list.job_id,
            pds_version: pds.map_or("", |pds| pds.version),
            cause: Cause::List,
            at_ms: list.at_ms,
        };
        let findings = self.publish(ctx, &subject, &found, &former)?;
        let stands = self.index(ctx, stores, &subject, was_there, !findings.is_empty())?;
        if stands {
            let (job_id, at_ms) = (list.job_id.as_str(), list.at_ms);
            person.lists.push(StandingOnList { practice, job_id, at_ms, record: None, findings });
        }
        self.keep(ctx, stores, nhs, person)
    }

    /// PDS, or where PDS has the person registered, has changed: what stands of the person is looked at again.
    pub(super) fn look_again(
        &mut self,
        ctx: &mut Context<'_>,
        nhs: &str,
        pds: Option<&PdsRecord<'_>>,
        registered: &Registered,
        cause: Cause,
    ) -> Result<(), ProcessError> {
        let Some(stores) = self.handles.standing else { return Ok(()) };
        if !self.anything_stands(ctx, stores)? {
            return Ok(());
        }
        let stored = ctx.get(stores.people, nhs.as_bytes())?;
        let person = match &stored {
            Some(bytes) => ctx.read(stores.people, bytes)?,
            None => StandingPerson::default(),
        };
        let mut practices: Vec<&str> = person.lists.iter().map(|list| list.practice).collect();
        if !registered.practice.is_empty() && !practices.contains(&registered.practice.as_str()) {
            practices.push(&registered.practice);
        }
        let mut with_lists = Vec::with_capacity(practices.len());
        for practice in practices {
            with_lists.push((practice, self.standing_list(ctx, stores, practice)?.cloned()));
        }
        let mut now = StandingPerson::default();
        for (practice, list) in &with_lists {
            let former = person.lists.iter().find(|former| former.practice == *practice);
            let Some(mut standing) = standing_now(practice, list.as_ref(), former) else { continue };
            let at_ms = ctx.input().timestamp_ms;
            let found = match &standing.record {
                // Where people are registered says nothing of whether PDS has a record of the person.
                Some(_) if pds.is_none() && cause != Cause::PdsRemoved => {
                    Evaluation::of_unknown(former.is_some_and(is_missing))
                }
                Some(gp) => {
                    let active = self.rules.at(practice, gp.cipher, at_ms);
                    let how = Comparing { profile: self.profile, settings: &self.rules.settings, active };
                    Evaluation::of_named(practice, gp, pds, registered.dispensing, &how)
                }
                None => Evaluation::of_unnamed(practice, pds, registered.practice == *practice),
            };
            let subject = Subject {
                practice,
                nhs_number: nhs,
                job_id: standing.job_id,
                pds_version: pds.map_or("", |pds| pds.version),
                cause,
                at_ms,
            };
            standing.findings =
                self.publish(ctx, &subject, &found, former.map_or(&[][..], |former| &former.findings[..]))?;
            let stands = standing.record.is_some() || !standing.findings.is_empty();
            if self.index(ctx, stores, &subject, former.is_some(), stands)? {
                now.lists.push(standing);
            }
        }
        if now == person {
            return Ok(());
        }
        self.keep(ctx, stores, nhs, now)
    }

    /// Whether what stands of a person whom a practice's list names is that PDS has no record of her.
    pub(super) fn is_known_as_missing(
        &self,
        ctx: &Context<'_>,
        stores: StandingStores,
        practice: &str,
        nhs: &str,
    ) -> Result<bool, ProcessError> {
        let Some(stored) = ctx.get(stores.people, nhs.as_bytes())? else { return Ok(false) };
        let person = ctx.read(stores.people, &stored)?;
        Ok(person.lists.iter().any(|list| list.practice == practice && is_missing(list)))
    }

    /// The list that has ended takes the place of the one that stands, unless that is a later one.
    pub(super) fn stand_as_list(
        &mut self,
        ctx: &mut Context<'_>,
        stores: StandingStores,
        practice: &str,
        list: ListId,
    ) -> Result<(), ProcessError> {
        if self.standing_list(ctx, stores, practice)?.is_some_and(|standing| *standing >= list) {
            return Ok(());
        }
        ctx.put(stores.lists, practice.as_bytes(), &StandingList { job_id: &list.job_id, at_ms: list.at_ms })?;
        self.anything_stands = Some(true);
        self.lists.insert(practice.to_owned(), Some(list));
        Ok(())
    }

    /// The list of a practice that stands, if any has ended.
    pub(super) fn standing_list(
        &mut self,
        ctx: &Context<'_>,
        stores: StandingStores,
        practice: &str,
    ) -> Result<Option<&ListId>, ProcessError> {
        if !self.lists.contains_key(practice) {
            let list = match ctx.get(stores.lists, practice.as_bytes())? {
                Some(bytes) => {
                    let list = ctx.read(stores.lists, &bytes)?;
                    Some(ListId::of(list.at_ms, list.job_id))
                }
                None => None,
            };
            self.lists.insert(practice.to_owned(), list);
        }
        Ok(self.lists.get(practice).and_then(Option::as_ref))
    }

    /// False while no list has come: then PDS is loaded without a look at who stands where.
    fn anything_stands(&mut self, ctx: &Context<'_>, stores: StandingStores) -> Result<bool, ProcessError> {
        if let Some(known) = self.anything_stands {
            return Ok(known);
        }
        let mut found = false;
        let mut stop_at_first = |_: &[u8], _: &[u8]| {
            found = true;
            false
        };
        ctx.scan(stores.by_practice, b"", None, &mut stop_at_first)?;
        ctx.scan(stores.lists, b"", None, &mut stop_at_first)?;
        self.anything_stands = Some(found);
        Ok(found)
    }

    /// Writes what stands of a person.
    fn keep(
        &mut self,
        ctx: &mut Context<'_>,
        stores: StandingStores,
        nhs: &str,
        mut person: StandingPerson<'_>,
    ) -> Result<(), ProcessError> {
        if person.lists.is_empty() {
            return ctx.delete(stores.people, nhs.as_bytes());
        }
        person.lists.sort_unstable_by_key(|list| list.practice);
        self.anything_stands = Some(true);
        ctx.put(stores.people, nhs.as_bytes(), &person)
    }

    /// Keeps the store by practice in step; answers whether the person stands there.
    fn index(
        &self,
        ctx: &mut Context<'_>,
        stores: StandingStores,
        subject: &Subject<'_>,
        stood: bool,
        stands: bool,
    ) -> Result<bool, ProcessError> {
        let key = ids::member_key(subject.practice, subject.nhs_number);
        match (stood, stands) {
            (false, true) => ctx.put_bytes(stores.by_practice, key.as_bytes(), Bytes::new())?,
            (true, false) => ctx.delete(stores.by_practice, key.as_bytes())?,
            _ => {}
        }
        Ok(stands)
    }
}

/// The entries of the store by practice that follow from a person's.
pub(in crate::list_reconciliation) fn practices_of(
    nhs: &[u8],
    person: &StandingPerson<'_>,
    emit: &mut EmitDerived<'_>,
) {
    for list in &person.lists {
        emit(ids::member_key(list.practice, &String::from_utf8_lossy(nhs)).as_bytes(), b"");
    }
}

/// Where a person stands at a practice; `None` without a list. What a list said that a later one has replaced does not hold,
/// even where the replacement has not come by yet.
fn standing_now<'a>(
    practice: &'a str,
    list: Option<&'a ListId>,
    former: Option<&StandingOnList<'a>>,
) -> Option<StandingOnList<'a>> {
    let unnamed = |list: &'a ListId| StandingOnList {
        practice,
        job_id: &list.job_id,
        at_ms: list.at_ms,
        record: None,
        findings: Vec::new(),
    };
    match (former, list) {
        (Some(former), Some(list)) if list.is_later_than(former.at_ms, former.job_id) => Some(unnamed(list)),
        (Some(former), _) => Some(StandingOnList { findings: Vec::new(), ..former.clone() }),
        (None, list) => list.map(unnamed),
    }
}

fn is_missing(list: &StandingOnList<'_>) -> bool {
    list.findings.iter().any(|finding| finding.rule_id == ONLY_ON_GP)
}

fn take<'a>(person: &mut StandingPerson<'a>, practice: &str) -> Option<StandingOnList<'a>> {
    let place = person.lists.iter().position(|list| list.practice == practice)?;
    Some(person.lists.swap_remove(place))
}
