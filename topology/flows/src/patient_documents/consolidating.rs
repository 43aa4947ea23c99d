//! Keeps what was read of each patient's documents, and makes one record of it when they are quiet.

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Timer, TimerClock};
use concord_schemas::patient_documents::{DocumentEvent, Extraction, ProcessingStatus, UpdateRequest};

use super::consolidation::{Consolidation, Rules};
use super::debounce::{Debounce, NeedsUpdate};
use super::publication::{self, Published};
use super::reading::{check_key, unreadable};
use super::reading_call::UnreadableForm;
use super::values::Extractions;

/// What the consolidating uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// `patient id/document id`: what was read, as it is published.
    pub extractions: StoreHandle<Extractions>,
    /// `patient id`: the patient's documents have changed.
    pub needs_update: StoreHandle<()>,
    pub extraction_sink: SinkHandle<Extractions>,
    pub published: Published,
}

/// See the module.
pub(super) struct Consolidating {
    pub handles: Handles,
    pub debounce: Debounce,
    pub rules: Rules,
}

/// The first byte of a stored [`NeedsUpdate`].
const FORM: u8 = 1;

impl Consolidating {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: DocumentEvent<'_>) -> Result<(), ProcessError> {
        match event {
            DocumentEvent::Extraction(extraction) => self.take(ctx, extraction),
            DocumentEvent::DocumentGone(gone) => {
                let key = key_of(gone.patient_id, gone.document_id);
                if ctx.get(self.handles.extractions, key.as_bytes())?.is_none() {
                    ctx.count_filtered("deletions of documents that the patient does not have");
                    return Ok(());
                }
                ctx.delete(self.handles.extractions, key.as_bytes())?;
                ctx.send_tombstone(self.handles.extraction_sink, &key)?;
                self.changed(ctx, gone.patient_id)
            }
        }
    }

    fn take(&self, ctx: &mut Context<'_>, extraction: Extraction<'_>) -> Result<(), ProcessError> {
        let key = key_of(extraction.patient_id, extraction.document_id);
        let stored = ctx.get(self.handles.extractions, key.as_bytes())?;
        let known = stored.as_ref().map(|bytes| ctx.read(self.handles.extractions, bytes)).transpose()?;
        let patient_id = extraction.patient_id;
        let is_settled = matches!(extraction.status, ProcessingStatus::Complete | ProcessingStatus::Failed);
        let merged = with_last_features(extraction, known);
        ctx.put(self.handles.extractions, key.as_bytes(), &merged)?;
        ctx.send(self.handles.extraction_sink, &key, &merged)?;
        // What is still being read says nothing new.
        if is_settled { self.changed(ctx, patient_id) } else { Ok(()) }
    }

    fn changed(&self, ctx: &mut Context<'_>, patient_id: &str) -> Result<(), ProcessError> {
        let known = self.needs_update(ctx, patient_id)?;
        let needs = NeedsUpdate::changed(known, ctx.wall_clock_ms(), &self.debounce);
        self.keep_needs(ctx, patient_id, known.as_ref(), needs)
    }

    pub fn on_request(&mut self, ctx: &mut Context<'_>, request: UpdateRequest<'_>) -> Result<(), ProcessError> {
        check_key(ctx, request.patient_id)?;
        let known = self.needs_update(ctx, request.patient_id)?;
        let needs = NeedsUpdate::asked(known, ctx.wall_clock_ms(), request.delay_ms, &self.debounce);
        self.keep_needs(ctx, request.patient_id, known.as_ref(), needs)
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let Ok(patient_id) = std::str::from_utf8(&timer.key) else {
            return Err(ProcessError::Programming("a timer of a patient without an id".to_owned()));
        };
        let Some(needs) = self.needs_update(ctx, patient_id)? else { return Ok(()) };
        if needs.due_ms > ctx.wall_clock_ms() {
            let put_off = NeedsUpdate { timer_ms: needs.due_ms, ..needs };
            ctx.set_timer(TimerClock::WallClock, &timer.key, put_off.timer_ms, Bytes::new())?;
            return self.put_needs(ctx, patient_id, put_off);
        }
        ctx.delete(self.handles.needs_update, patient_id.as_bytes())?;
        self.consolidate(ctx, patient_id)
    }

    /// One pass over the patient's documents.
    fn consolidate(&self, ctx: &mut Context<'_>, patient_id: &str) -> Result<(), ProcessError> {
        let mut consolidation = Consolidation::new(&self.rules);
        let mut failure = None;
        ctx.scan_prefix(self.handles.extractions, key_of(patient_id, "").as_bytes(), &mut |_, bytes| {
            match ctx.read(self.handles.extractions, bytes) {
                Ok(extraction) => consolidation.add(&extraction),
                Err(error) => failure = Some(error),
            }
            failure.is_none()
        })?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        if consolidation.is_empty() {
            return publication::withdraw(ctx, &self.handles.published, patient_id);
        }
        publication::publish(ctx, &self.handles.published, &consolidation.record(patient_id))
    }

    fn needs_update(&self, ctx: &Context<'_>, patient_id: &str) -> Result<Option<NeedsUpdate>, ProcessError> {
        let Some(bytes) = ctx.get(self.handles.needs_update, patient_id.as_bytes())? else { return Ok(None) };
        match bytes.split_first() {
            Some((&FORM, form)) => Ok(Some(postcard::from_bytes(form).map_err(|_| unreadable(UnreadableForm))?)),
            _ => Err(unreadable(UnreadableForm).into()),
        }
    }

    fn keep_needs(
        &self,
        ctx: &mut Context<'_>,
        patient_id: &str,
        known: Option<&NeedsUpdate>,
        mut needs: NeedsUpdate,
    ) -> Result<(), ProcessError> {
        if needs.wants_timer(known, ctx.wall_clock_ms()) {
            needs.timer_ms = needs.due_ms;
            ctx.set_timer(TimerClock::WallClock, patient_id.as_bytes(), needs.timer_ms, Bytes::new())?;
        }
        self.put_needs(ctx, patient_id, needs)
    }

    fn put_needs(&self, ctx: &mut Context<'_>, patient_id: &str, needs: NeedsUpdate) -> Result<(), ProcessError> {
        let bytes = postcard::to_extend(&needs, vec![FORM]).map_err(|_| unreadable(UnreadableForm))?;
        ctx.put_bytes(self.handles.needs_update, patient_id.as_bytes(), Bytes::from(bytes))
    }
}

/// What was read last stands until something else was read.
fn with_last_features<'e>(extraction: Extraction<'e>, known: Option<Extraction<'e>>) -> Extraction<'e> {
    if extraction.features.is_some() {
        return extraction;
    }
    let Some(known) = known else { return Extraction { features_as_of_ms: None, ..extraction } };
    let as_of_ms = extraction.features_as_of_ms.or(known.features_as_of_ms);
    let features_as_of_ms = as_of_ms.filter(|_| known.features.is_some());
    Extraction { features: known.features, features_as_of_ms, ..extraction }
}

/// Key of an extraction, in the topic and in the store.
pub(super) fn key_of(patient_id: &str, document_id: &str) -> String {
    format!("{patient_id}/{document_id}")
}
