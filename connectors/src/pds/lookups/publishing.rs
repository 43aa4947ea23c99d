//! Answers on their way to the log.

use std::sync::Arc;
use std::time::Duration;

use concord_engine::lineage::{self, Coordinates};
use concord_engine::log::{LogError, LogErrorKind, LogResult, OutgoingRecord, Publisher};
use concord_engine::partitioner::partition_of;
use concord_schemas::codec::{self, Encoder};
use concord_schemas::pds::{FAILED, FOUND, NOT_FOUND, PdsAnswer};

use super::question::Question;
use crate::pds::PdsChange;

/// How long the log may take to acknowledge answers.
const LOG_PATIENCE: Duration = Duration::from_secs(60);

/// What became of a question.
pub(super) enum Reply<'a> {
    Found(&'a PdsChange),
    Failed(&'static str),
}

/// Publishes answers, and waits until the log has them.
pub(super) fn publish(
    publisher: &mut dyn Publisher,
    encoder: &mut Encoder,
    (topic, partitions): (&Arc<str>, i32),
    questions: &[Question],
    replies: &[(usize, Reply<'_>)],
    at_ms: i64,
) -> LogResult<()> {
    if replies.is_empty() {
        return Ok(());
    }
    let mut value = Vec::new();
    for (place, reply) in replies {
        let question = &questions[*place];
        let (outcome, record, code) = match reply {
            Reply::Found(PdsChange::Upsert(record)) => (FOUND, Some(record.as_record()), ""),
            Reply::Found(PdsChange::NotFound) => (NOT_FOUND, None, ""),
            Reply::Failed(code) => (FAILED, None, *code),
        };
        let answer = PdsAnswer {
            nhs_number: &question.nhs_number,
            job_id: question.job_id.as_deref().unwrap_or_default(),
            outcome,
            record,
            code,
            at_ms,
        };
        value.clear();
        encoder
            .encode(&codec::PDS_ANSWER, &answer, &mut value)
            .map_err(|error| LogError::new(LogErrorKind::Fatal, format!("writing an answer of PDS: {error}")))?;
        let key = question.nhs_number.as_bytes();
        let from = Coordinates {
            topic: question.from.topic.clone(),
            partition: question.from.partition,
            offset: question.offset,
        };
        let headers = [lineage::header(from.to_string().as_bytes())];
        publisher.send(&OutgoingRecord {
            topic,
            partition: partition_of(key, partitions),
            timestamp_ms: at_ms,
            key: Some(key),
            value: Some(&value),
            headers: &headers,
        })?;
    }
    publisher.flush(LOG_PATIENCE)
}

pub(super) fn outcome_of(change: &PdsChange) -> &'static str {
    match change {
        PdsChange::Upsert(_) => "found",
        PdsChange::NotFound => "not found",
    }
}
