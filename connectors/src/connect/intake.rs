//! A file that has arrived goes into the log, or is refused with a code. What every way in has in common.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{Seek, SeekFrom};

use concord_engine::metric_names as names;
use concord_engine::topology::{Cleanup, TopicDeclaration, TopicRole};
use concord_schemas::codec;
use concord_schemas::list_reconciliation::RefusedInput;
use concord_state::failpoint;

use super::answer::{DescribedAnswer, job_of_answer, publish_answer};
use super::error::{ConnectProblem, Trouble};
use super::extract::{Described, ExtractError, measure, publish_extract};
use super::input::InputKind;
use super::interchanges::{DescribedInterchanges, publish_interchanges};
use super::surroundings::{Surroundings, spool_failed};
use super::writing::LogWriter;

const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The topic of refused inputs, as it is created where no flow declares it.
#[must_use]
pub fn refused_inputs(partitions: i32) -> TopicDeclaration {
    TopicDeclaration {
        name: codec::INTAKE_REFUSED.name().into(),
        role: TopicRole::Output,
        key: "source",
        schema: Some(&codec::INTAKE_REFUSED),
        partitions,
        cleanup: Cleanup::DeleteAfter { retention_ms: MONTH_MS },
    }
}

/// See the module.
pub(super) struct Intake {
    surroundings: Surroundings,
    /// By what way, such as `mesh`; for metrics.
    way: &'static str,
    writer: Option<LogWriter>,
    /// What messages say in place of sources that name patients.
    place: Option<String>,
    /// What was refused since this process began: it is still where it arrived, and is left alone.
    set_aside: BTreeSet<String>,
}

/// Something that is not taken in, and what is known of it.
pub(super) struct Refused<'a> {
    pub source: &'a str,
    pub cause: &'a Trouble,
    pub bytes: Option<u64>,
    pub sender: &'a str,
    pub workflow_id: &'a str,
}

impl Intake {
    pub(super) fn new(way: &'static str, surroundings: Surroundings) -> Self {
        Self { surroundings, way, writer: None, place: None, set_aside: BTreeSet::new() }
    }

    /// Of an intake whose sources name patients: messages name this place instead.
    pub(super) fn without_sources_in_messages(self, place: &str) -> Self {
        Self { place: Some(place.to_owned()), ..self }
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Why this kind of input is not taken in here, if it is not; `what` names the input.
    pub(super) fn cannot_take(&self, kind: &InputKind, what: impl Display) -> Option<Trouble> {
        let runs = self.surroundings.input_ids.of(kind).is_some();
        (!runs).then(|| Trouble::new(ConnectProblem::NoFlow, what, "it is for a flow that does not run here"))
    }

    /// Publishes a file as what it is, under the name with which it arrived, and waits until it is durably in the log. Answers its
    /// id: that of its job, or of the source of its interchanges; of an answer of DPS that names no job, an id of its own.
    pub(super) fn publish(
        &mut self,
        kind: &InputKind,
        file_name: &str,
        source: &str,
        content: &mut File,
    ) -> Result<String, Trouble> {
        let Some(id_of) = self.surroundings.input_ids.of(kind) else {
            return Err(Trouble::new(ConnectProblem::NoFlow, source, "it is for a flow that does not run here"));
        };
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        let (bytes, sha256) = measure(&mut *content).map_err(spool_failed)?;
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        failpoint!(InputHere);
        let received_at_ms = self.surroundings.clock.now_ms();
        let (id, published) = match kind {
            InputKind::Extract => {
                let job_id = id_of(file_name, &sha256);
                let described = Described { job_id: &job_id, file_name, source, received_at_ms, bytes, sha256 };
                let published = publish_extract(self.writer()?, &described, content);
                (job_id, published)
            }
            InputKind::DpsAnswer => {
                let named = job_of_answer(&mut *content).map_err(spool_failed)?;
                content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
                let job_id = named.unwrap_or_else(|| id_of(file_name, &sha256));
                let described = DescribedAnswer { job_id: &job_id, source, received_at_ms, bytes, sha256 };
                let published = publish_answer(self.writer()?, &described, content);
                (job_id, published)
            }
            // They come by functions of their own: see `document_intake`.
            InputKind::Document => {
                return Err(Trouble::new(ConnectProblem::NoFlow, source, "documents come through folders and buckets"));
            }
            InputKind::Interchanges { workflow_id } => {
                let file_id = id_of(source, &sha256);
                let described = DescribedInterchanges { file_id: &file_id, source, workflow_id, received_at_ms, bytes };
                let published = publish_interchanges(self.writer()?, &described, content);
                (file_id, published)
            }
        };
        published.map_err(|error| match error {
            ExtractError::Content(error) => spool_failed(error),
            ExtractError::Write(error) => error.into(),
        })?;
        self.is_in_the_log(&id, source, bytes);
        Ok(id)
    }

    pub(super) fn is_in_the_log(&self, id: &str, source: &str, bytes: u64) {
        failpoint!(InputInLog);
        metrics::counter!(names::INPUTS_TAKEN, "way" => self.way).increment(1);
        tracing::info!(id, source = self.place.as_deref().unwrap_or(source), bytes, "A file is in the log.");
    }

    /// Says on the topic of refused inputs that this one is not taken in, and leaves it alone from here on.
    pub(super) fn refuse(&mut self, refused: &Refused<'_>) -> Result<(), Trouble> {
        let Refused { source, cause, bytes, sender, workflow_id } = *refused;
        let at_ms = self.surroundings.clock.now_ms();
        let value = RefusedInput {
            source,
            code: cause.code,
            cause: &cause.detail,
            remedy: cause.remedy,
            bytes: bytes.and_then(|bytes| i64::try_from(bytes).ok()),
            sender,
            workflow_id,
            at_ms,
        };
        let writer = self.writer()?;
        writer.send(&codec::INTAKE_REFUSED, source, Some(&value), at_ms)?;
        writer.flush()?;
        let told = self.place.as_deref().unwrap_or(source);
        let message = &cause.message;
        tracing::warn!(code = cause.code, source = told, cause = message, "An input is refused; it stays where it is.");
        metrics::counter!(names::INPUTS_REFUSED, "way" => self.way, "code" => cause.code).increment(1);
        self.set_aside.insert(source.to_owned());
        Ok(())
    }

    /// Whether it was refused since this process began.
    pub(super) fn has_refused(&self, source: &str) -> bool {
        self.set_aside.contains(source)
    }

    /// Forgets what was refused and is no longer there; how many are left.
    pub(super) fn keep_refused(&mut self, is_there: impl Fn(&str) -> bool) -> usize {
        self.set_aside.retain(|source| is_there(source));
        self.set_aside.len()
    }

    pub(super) fn writer(&mut self) -> Result<&mut LogWriter, Trouble> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            empty => {
                let Surroundings { log, schemas, .. } = &self.surroundings;
                Ok(empty.insert(LogWriter::open(log.as_ref(), schemas)?))
            }
        }
    }

    /// Drops the connection to the log; not what was refused.
    pub(super) fn forget(&mut self) {
        self.writer = None;
    }
}
