//! Keeps how far the reading of each document has come, has documents read, and tells their patients.

use bytes::Bytes;
use concord_engine::calls::CallResult;
use concord_engine::topology::{CallHandle, SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::patient_documents::{
    Document, DocumentEvent, DocumentGone, Extraction, ProcessingStatus, ReadRequest,
};
use sha2::{Digest, Sha256};

use super::codes;
use super::life::{self, Step};
use super::reading_call::{Answered, Asked, FoundOut, Outcome, UnreadableForm};
use super::values::{DocumentEvents, Extractions};

/// What the reading uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// `document id`: how far its reading has come, without what was read of it.
    pub documents: StoreHandle<Extractions>,
    /// `document id`: what a reader was given, of documents that could not be read.
    pub unread: StoreHandle<()>,
    pub events: SinkHandle<DocumentEvents>,
    pub read_document: CallHandle,
}

/// See the module.
pub(super) struct Reading {
    pub handles: Handles,
}

impl Reading {
    pub fn on_document(&mut self, ctx: &mut Context<'_>, document: Option<Document<'_>>) -> Result<(), ProcessError> {
        let document_id = ctx.key()?;
        let stored = ctx.get(self.handles.documents, document_id.as_bytes())?;
        let known = self.known(ctx, stored.as_ref())?;
        match document {
            Some(document) => self.upload(ctx, &document, known),
            None => self.delete(ctx, document_id, known),
        }
    }

    fn upload(
        &self,
        ctx: &mut Context<'_>,
        document: &Document<'_>,
        known: Option<Extraction<'_>>,
    ) -> Result<(), ProcessError> {
        check(ctx, document)?;
        let computed = match document.content {
            Some(content) if document.content_sha256.is_empty() => sha256_of(content),
            _ => document.content_sha256.to_owned(),
        };
        let is_elsewhere = known.as_ref().filter(|known| known.patient_id != document.patient_id);
        let step = life::uploaded(known.as_ref(), document, &computed);
        if let (Some(known), Step::Read) = (is_elsewhere, step) {
            self.tell_gone(ctx, known)?;
        }
        let renewed = Extraction {
            document_id: document.document_id,
            patient_id: document.patient_id,
            name: document.name,
            source: document.source,
            status: ProcessingStatus::Pending,
            failure_count: 0,
            status_last_updated_ms: ctx.wall_clock_ms(),
            duration_ms: None,
            content_type: "",
            content_sha256: &computed,
            contents_last_updated_ms: document.contents_last_updated_ms,
            reason_code: "",
            reason: "",
            features_as_of_ms: None,
            features: None,
        };
        match (step, known) {
            (Step::Nothing(reason), _) => {
                ctx.count_filtered(reason);
                Ok(())
            }
            (Step::TakeOver, Some(known)) => {
                let taken_over = Extraction {
                    document_id: renewed.document_id,
                    name: renewed.name,
                    source: renewed.source,
                    contents_last_updated_ms: renewed.contents_last_updated_ms,
                    // What was read from the same contents is as recent as they are.
                    features_as_of_ms: (known.status == ProcessingStatus::Complete)
                        .then_some(renewed.contents_last_updated_ms),
                    ..known
                };
                self.keep(ctx, &taken_over)
            }
            (Step::TakeOver | Step::Read, _) => {
                let asked = Asked::of(document, &computed).to_bytes().map_err(unreadable)?;
                let key = document.document_id.as_bytes();
                ctx.cancel_calls(self.handles.read_document, key)?;
                ctx.delete(self.handles.unread, key)?;
                ctx.call(self.handles.read_document, key, Bytes::from(asked))?;
                self.keep(ctx, &renewed)
            }
        }
    }

    fn delete(
        &self,
        ctx: &mut Context<'_>,
        document_id: &str,
        known: Option<Extraction<'_>>,
    ) -> Result<(), ProcessError> {
        let Some(known) = known else {
            ctx.count_filtered("deletions of documents that nobody knows");
            return Ok(());
        };
        let key = document_id.as_bytes();
        ctx.cancel_calls(self.handles.read_document, key)?;
        ctx.delete(self.handles.unread, key)?;
        ctx.delete(self.handles.documents, key)?;
        self.tell_gone(ctx, &known)
    }

    pub fn on_request(&mut self, ctx: &mut Context<'_>, request: ReadRequest<'_>) -> Result<(), ProcessError> {
        check_key(ctx, request.document_id)?;
        let key = request.document_id.as_bytes();
        let stored = ctx.get(self.handles.documents, key)?;
        let Some(known) = self.known(ctx, stored.as_ref())? else {
            let message = "a request to read a document that was not uploaded, or was deleted: upload it";
            return Err(Rejection::by_processor(codes::UNKNOWN_DOCUMENT, message).into());
        };
        if let Step::Nothing(reason) = life::asked(&known) {
            ctx.count_filtered(reason);
            return Ok(());
        }
        let Some(asked) = ctx.get(self.handles.unread, key)? else {
            return Err(ProcessError::Programming("a document that was not read has no request".to_owned()));
        };
        ctx.delete(self.handles.unread, key)?;
        ctx.call(self.handles.read_document, key, asked)?;
        let status_last_updated_ms = ctx.wall_clock_ms();
        self.keep(ctx, &Extraction { status: ProcessingStatus::Pending, status_last_updated_ms, ..known })
    }

    /// A reader was given the document. Of attempts behind the first nothing is told: between them it is in progress too.
    pub fn on_begun(&mut self, ctx: &mut Context<'_>) -> Result<(), ProcessError> {
        let stored = ctx.get(self.handles.documents, ctx.key()?.as_bytes())?;
        let known = self.known(ctx, stored.as_ref())?;
        let Some(waiting) = known.filter(|known| known.status == ProcessingStatus::Pending) else { return Ok(()) };
        let status_last_updated_ms = ctx.wall_clock_ms();
        self.keep(ctx, &Extraction { status: ProcessingStatus::InProgress, status_last_updated_ms, ..waiting })
    }

    pub fn on_result(&mut self, ctx: &mut Context<'_>, result: CallResult) -> Result<(), ProcessError> {
        let document_id = ctx.key()?;
        let stored = ctx.get(self.handles.documents, document_id.as_bytes())?;
        let Some(known) = self.known(ctx, stored.as_ref())? else {
            // Its call is taken back when a document is deleted.
            return Err(ProcessError::Programming("a document was read that nobody knows".to_owned()));
        };
        let attempts = i32::try_from(result.attempts).unwrap_or(i32::MAX);
        let ended = Extraction { status_last_updated_ms: ctx.wall_clock_ms(), ..known };
        let answer = match &result.outcome {
            Ok(answer) => Answered::from_bytes(answer).map_err(unreadable)?,
            Err(failure) => {
                let found = FoundOut::of(failure).map_err(unreadable)?;
                let ended = match &found {
                    Some(found) => Extraction {
                        duration_ms: Some(found.duration_ms),
                        content_type: &found.content_type,
                        content_sha256: &found.content_sha256,
                        ..ended
                    },
                    None => ended,
                };
                let failed = Extraction {
                    failure_count: ended.failure_count.saturating_add(attempts),
                    reason_code: failure.code,
                    reason: &failure.message,
                    ..ended
                };
                return self.fail(ctx, failed, result.request);
            }
        };
        let ended = Extraction {
            duration_ms: Some(answer.duration_ms),
            content_type: &answer.content_type,
            content_sha256: &answer.content_sha256,
            failure_count: ended.failure_count.saturating_add(attempts - 1),
            ..ended
        };
        match answer.outcome {
            Outcome::Read(features) => self.keep(
                ctx,
                &Extraction {
                    status: ProcessingStatus::Complete,
                    reason_code: "",
                    reason: "",
                    features_as_of_ms: Some(ended.contents_last_updated_ms),
                    features: Some(features),
                    ..ended
                },
            ),
            Outcome::NotRead { code, reason } => {
                let failure_count = ended.failure_count.saturating_add(1);
                let failed = Extraction { failure_count, reason_code: &code, reason: &reason, ..ended };
                self.fail(ctx, failed, result.request)
            }
        }
    }

    /// The document is not read, and nobody tries it again by himself. What the reader was given is kept for whoever asks again,
    /// and a timer makes the dead letter: a rejection here would take back what is kept.
    fn fail(&self, ctx: &mut Context<'_>, failed: Extraction<'_>, request: Bytes) -> Result<(), ProcessError> {
        let key = failed.document_id.as_bytes();
        ctx.put_bytes(self.handles.unread, key, request)?;
        let cause = format!("{}: {}", failed.reason_code, failed.reason);
        ctx.set_timer(TimerClock::WallClock, key, ctx.wall_clock_ms(), Bytes::from(cause))?;
        self.keep(ctx, &Extraction { status: ProcessingStatus::Failed, ..failed })
    }

    pub fn on_timer(&mut self, _ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let cause = String::from_utf8_lossy(&timer.payload);
        Err(Rejection::by_processor(codes::NOT_READ, format!("the document was not read: {cause}")).into())
    }

    fn known<'b>(&self, ctx: &Context<'_>, stored: Option<&'b Bytes>) -> Result<Option<Extraction<'b>>, ProcessError> {
        stored.map(|bytes| ctx.read(self.handles.documents, bytes)).transpose()
    }

    /// Keeps where a document stands, and tells its patient.
    fn keep(&self, ctx: &mut Context<'_>, extraction: &Extraction<'_>) -> Result<(), ProcessError> {
        let event = DocumentEvent::Extraction(extraction.clone());
        ctx.send(self.handles.events, extraction.patient_id, &event)?;
        // The consolidating keeps what was read.
        let kept = Extraction { features: None, ..extraction.clone() };
        ctx.put(self.handles.documents, extraction.document_id.as_bytes(), &kept)
    }

    fn tell_gone(&self, ctx: &mut Context<'_>, known: &Extraction<'_>) -> Result<(), ProcessError> {
        let gone = DocumentGone { document_id: known.document_id, patient_id: known.patient_id };
        ctx.send(self.handles.events, known.patient_id, &DocumentEvent::DocumentGone(gone))
    }
}

fn check(ctx: &Context<'_>, document: &Document<'_>) -> Result<(), ProcessError> {
    check_key(ctx, document.document_id)?;
    for id in [document.document_id, document.patient_id] {
        if id.is_empty() || id.contains('/') {
            let message = "the id of a document or of its patient is empty or has a `/`: correct the producer";
            return Err(Rejection::by_processor(codes::BAD_ID, message).into());
        }
    }
    if document.content.is_none() && document.url.is_empty() {
        let message = "a document with neither bytes nor a place where they are: correct the producer";
        return Err(Rejection::by_processor(codes::NO_CONTENT, message).into());
    }
    Ok(())
}

pub(super) fn check_key(ctx: &Context<'_>, expected: &str) -> Result<(), ProcessError> {
    if ctx.key()? == expected {
        return Ok(());
    }
    let message = "a record under another key than the document or the patient it is about: correct the producer";
    Err(Rejection::by_processor(codes::KEY_DIFFERS, message).into())
}

pub(super) fn unreadable(error: UnreadableForm) -> Rejection {
    Rejection::by_processor(codes::FORM_UNREADABLE, error.to_string())
}

/// SHA-256 in lower-case hexadecimal.
fn sha256_of(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
