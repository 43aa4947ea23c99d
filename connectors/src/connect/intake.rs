//! A file that has arrived goes into the log, or is refused with a code. What every way in has in common.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, SeekFrom};

use concord_engine::metric_names as names;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::RefusedInput;
use concord_state::failpoint;

use super::error::Trouble;
use super::extract::{Described, ExtractError, measure, publish_extract};
use super::surroundings::{Surroundings, spool_failed};
use super::writing::LogWriter;

/// See the module.
pub(super) struct Intake {
    surroundings: Surroundings,
    /// By what way, such as `mesh`; for metrics.
    way: &'static str,
    writer: Option<LogWriter>,
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
        Self { surroundings, way, writer: None, set_aside: BTreeSet::new() }
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Publishes a file under the name with which it arrived, and waits until it is durably in the log. Answers its job's id.
    pub(super) fn publish(&mut self, file_name: &str, source: &str, content: &mut File) -> Result<String, Trouble> {
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        let (bytes, sha256) = measure(&mut *content).map_err(spool_failed)?;
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        failpoint!(InputHere);
        let job_id = (self.surroundings.job_id)(file_name, &sha256);
        let received_at_ms = self.surroundings.clock.now_ms();
        let described = Described { job_id: &job_id, file_name, source, received_at_ms, bytes, sha256 };
        publish_extract(self.writer()?, &described, content).map_err(|error| match error {
            ExtractError::Content(error) => spool_failed(error),
            ExtractError::Write(error) => error.into(),
        })?;
        failpoint!(InputInLog);
        metrics::counter!(names::INPUTS_TAKEN, "way" => self.way).increment(1);
        tracing::info!(job = job_id, source, bytes, "A file is in the log.");
        Ok(job_id)
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
        tracing::warn!(code = cause.code, source, cause = cause.message, "An input is refused; it stays where it is.");
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
