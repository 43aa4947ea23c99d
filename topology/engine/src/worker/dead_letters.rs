//! Rejected records go to the dead-letter topic in the same transaction: payload unchanged, cause in headers.

use std::sync::Arc;

use bytes::Bytes;
use concord_state::{PendingCall, Timer};

use super::commit::unmendable;
use super::{Failure, TaskId, Worker, WorkerError};
use crate::lineage::{self, Lineage};
use crate::log::{Header, LogRecord, OutgoingRecord, TopicPartition};
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::rejection::Rejection;

/// Topic of the rejected record.
pub const DEAD_LETTER_TOPIC: &str = "concord-dead-letter-topic";
/// Its partition.
pub const DEAD_LETTER_PARTITION: &str = "concord-dead-letter-partition";
/// Its offset.
pub const DEAD_LETTER_OFFSET: &str = "concord-dead-letter-offset";
/// Its time, milliseconds since the epoch.
pub const DEAD_LETTER_TIMESTAMP: &str = "concord-dead-letter-timestamp";
/// The stage at which it was rejected.
pub const DEAD_LETTER_STAGE: &str = "concord-dead-letter-stage";
/// The stable code of the cause.
pub const DEAD_LETTER_CODE: &str = "concord-dead-letter-code";
/// The cause, for people; without the record's content.
pub const DEAD_LETTER_MESSAGE: &str = "concord-dead-letter-message";
/// The name of the call whose request the payload is; the coordinates above are then those of the record that asked for it.
pub const DEAD_LETTER_CALL: &str = "concord-dead-letter-call";
/// `true` when the payload was too large to be kept: it still stands at the coordinates above.
pub const DEAD_LETTER_TRUNCATED: &str = "concord-dead-letter-truncated";

/// The largest dead letter, in bytes, where records may be `max_record_bytes`: the same payload with its own and our headers.
pub(super) fn largest_letter(max_record_bytes: usize) -> usize {
    max_record_bytes + (16 << 10)
}

impl Worker {
    pub(super) fn reject(
        &mut self,
        id: TaskId,
        from: &TopicPartition,
        record: &LogRecord,
        rejection: &Rejection,
        lineage: &Lineage,
    ) -> Result<(), Failure> {
        let mut headers = record.headers.clone();
        push(&mut headers, DEAD_LETTER_TOPIC, &from.topic);
        push(&mut headers, DEAD_LETTER_PARTITION, &from.partition.to_string());
        push(&mut headers, DEAD_LETTER_OFFSET, &record.offset.to_string());
        push(&mut headers, DEAD_LETTER_TIMESTAMP, &record.timestamp_ms.to_string());
        self.write_letter(
            id,
            record.timestamp_ms,
            record.key.as_deref(),
            record.value.as_deref(),
            headers,
            rejection,
            lineage,
        )
    }

    pub(super) fn reject_timer(
        &mut self,
        id: TaskId,
        timer: &Timer,
        rejection: &Rejection,
        lineage: &Lineage,
    ) -> Result<(), Failure> {
        self.write_letter(id, timer.due_ms, Some(&timer.key), Some(&timer.payload), Vec::new(), rejection, lineage)
    }

    /// A call's letter names the record that asked, so that it can be replayed: then it asks again.
    pub(super) fn reject_call(
        &mut self,
        id: TaskId,
        call: &str,
        pending: &PendingCall,
        rejection: &Rejection,
        lineage: &Lineage,
    ) -> Result<(), Failure> {
        let mut headers = Vec::new();
        if let Some(asked) = lineage::parse(&pending.lineage).pop() {
            push(&mut headers, DEAD_LETTER_TOPIC, &asked.topic);
            push(&mut headers, DEAD_LETTER_PARTITION, &asked.partition.to_string());
            push(&mut headers, DEAD_LETTER_OFFSET, &asked.offset.to_string());
            push(&mut headers, DEAD_LETTER_TIMESTAMP, &pending.timestamp_ms.to_string());
        }
        push(&mut headers, DEAD_LETTER_CALL, call);
        let (key, request) = (Some(&pending.key[..]), Some(&pending.request[..]));
        self.write_letter(id, pending.timestamp_ms, key, request, headers, rejection, lineage)
    }

    #[allow(clippy::too_many_arguments, reason = "a letter has that many parts, and both callers name them")]
    fn write_letter(
        &mut self,
        id: TaskId,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        mut headers: Vec<Header>,
        rejection: &Rejection,
        lineage: &Lineage,
    ) -> Result<(), Failure> {
        self.count_record(true, Some(rejection))?;
        if planted::is(PlantedBug::RejectedDropped) {
            return Ok(());
        }
        push(&mut headers, DEAD_LETTER_STAGE, rejection.stage.as_str());
        push(&mut headers, DEAD_LETTER_CODE, rejection.code);
        push(&mut headers, DEAD_LETTER_MESSAGE, &rejection.message);
        headers.retain(|h| &*h.name != lineage::LINEAGE);
        headers.push(lineage.header().clone());
        let size = key.map_or(0, <[u8]>::len)
            + value.map_or(0, <[u8]>::len)
            + headers.iter().map(|h| h.name.len() + h.value.len() + 8).sum::<usize>();
        let fits = size + 512 <= largest_letter(self.settings.max_record_bytes);
        if !fits {
            headers.retain(|h| h.name.starts_with("concord-"));
            push(&mut headers, DEAD_LETTER_TRUNCATED, "true");
        }
        let topic = &self.parts.topology.topics[self.parts.topology.dead_letters];
        let partition = id.1 % topic.partitions;
        let name = topic.name.clone();
        self.ensure_transaction()?;
        let letter = OutgoingRecord {
            topic: &name,
            partition,
            timestamp_ms,
            key: if fits { key } else { None },
            value: if fits { value } else { None },
            headers: &headers,
        };
        self.producer.send(&letter).map_err(unmendable)?;
        metrics::counter!(names::RECORDS_REJECTED, "code" => rejection.code, "stage" => rejection.stage.as_str())
            .increment(1);
        Ok(())
    }

    /// Counts a record in the current window, and stops the worker when too large a share of it is bad.
    pub(super) fn count_record(&mut self, rejected: bool, cause: Option<&Rejection>) -> Result<(), Failure> {
        let window = &mut self.rejections;
        window.records += 1;
        window.rejected += u64::from(rejected);
        if window.records < self.settings.rejected_window {
            return Ok(());
        }
        let (records, bad) = (window.records, window.rejected);
        *window = super::RejectionWindow::default();
        if bad as f64 <= records as f64 * self.settings.rejected_share {
            return Ok(());
        }
        Err(WorkerError::TooManyRejections {
            rejected: bad,
            records,
            code: cause.map_or("", |c| c.code),
            message: cause.map_or_else(String::new, |c| c.message.to_string()),
        }
        .into())
    }
}

fn push(headers: &mut Vec<Header>, name: &str, value: &str) {
    headers.push(Header { name: Arc::from(name), value: Bytes::copy_from_slice(value.as_bytes()) });
}
