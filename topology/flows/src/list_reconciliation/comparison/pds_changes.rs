//! What PDS holds, and where people are registered, as it changes.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, Rejection};
use concord_schemas::list_reconciliation::{PdsRecord, Registration};
use concord_schemas::nhs_number;

use super::Comparison;
use super::cause::Cause;
use super::standing::Registered;
use crate::list_reconciliation::business::dispensing_flag;
use crate::list_reconciliation::codes;
use crate::list_reconciliation::ids;
use crate::list_reconciliation::settings::RegistrationSource;

impl Comparison {
    pub fn on_pds_record(&mut self, ctx: &mut Context<'_>, change: Option<PdsRecord<'_>>) -> Result<(), ProcessError> {
        let key = ctx.key()?;
        if let Some(record) = &change {
            check_pds_record(key, record)?;
        }
        self.change_pds(ctx, key, change.as_ref())
    }

    /// What PDS has of a person now takes the place of what it had, and what stands of the person is looked at again.
    pub(super) fn change_pds(
        &mut self,
        ctx: &mut Context<'_>,
        nhs: &str,
        change: Option<&PdsRecord<'_>>,
    ) -> Result<(), ProcessError> {
        let is_old_wanted = self.registrations == RegistrationSource::PdsRecords || self.handles.standing.is_some();
        let stored = if is_old_wanted { ctx.get(self.handles.pds, nhs.as_bytes())? } else { None };
        let old = match &stored {
            Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
            None => None,
        };
        if self.registrations == RegistrationSource::PdsRecords {
            self.move_registration(ctx, nhs, practice_of(old.as_ref()), practice_of(change))?;
        }
        match change {
            Some(record) => ctx.put(self.handles.pds, nhs.as_bytes(), record)?,
            None => ctx.delete(self.handles.pds, nhs.as_bytes())?,
        }
        if self.handles.standing.is_none() {
            return Ok(());
        }
        let registered = self.registered(ctx, nhs, change)?;
        let cause = Cause::of_change(old.as_ref(), change);
        self.look_again(ctx, nhs, change, &registered, cause)
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
        match &change {
            Some(registration) => ctx.put(self.handles.registered_at, key.as_bytes(), registration)?,
            None => ctx.delete(self.handles.registered_at, key.as_bytes())?,
        }
        if self.handles.standing.is_none() {
            return Ok(());
        }
        let registered = registered_by(change.as_ref());
        let stored = ctx.get(self.handles.pds, key.as_bytes())?;
        let pds = match &stored {
            Some(bytes) => Some(ctx.read(self.handles.pds, bytes)?),
            None => None,
        };
        let cause = if old_practice == new_practice { Cause::PdsChanged } else { Cause::PdsMoved };
        self.look_again(ctx, key, pds.as_ref(), &registered, cause)
    }

    /// Where a person is registered now, by PDS or by the list of registrations.
    pub(super) fn registered(
        &self,
        ctx: &Context<'_>,
        nhs: &str,
        pds: Option<&PdsRecord<'_>>,
    ) -> Result<Registered, ProcessError> {
        match self.registrations {
            RegistrationSource::PdsRecords => {
                Ok(Registered { practice: practice_of(pds).to_owned(), dispensing: None })
            }
            RegistrationSource::RegistrationList => match ctx.get(self.handles.registered_at, nhs.as_bytes())? {
                Some(bytes) => Ok(registered_by(Some(&ctx.read(self.handles.registered_at, &bytes)?))),
                None => Ok(Registered::default()),
            },
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
}

fn practice_of<'a>(record: Option<&PdsRecord<'a>>) -> &'a str {
    record.map_or("", |record| record.gp_practice)
}

fn registered_by(registration: Option<&Registration<'_>>) -> Registered {
    registration.map_or_else(Registered::default, |registration| Registered {
        practice: registration.gp_practice.to_owned(),
        dispensing: dispensing_flag(registration.dispensing_flag),
    })
}

/// Whether this is a record of PDS under its key.
pub(super) fn check_pds_record(key: &str, record: &PdsRecord<'_>) -> Result<(), Rejection> {
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
