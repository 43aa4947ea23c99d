//! Values of the topic on which DPS answers. The contract is `avro/*.avsc`; a test holds these types against it.

use serde::{Deserialize, Serialize};

/// Topic of answers of DPS. An answer has its job's id as key, so that it comes to the task that has sent the extract.
pub const DPS_ANSWER: &str = "dps.answer";

/// An answer of DPS, in order, all on one partition: opened, its chunks, closed. Its content is JSON Lines, which
/// `schemas/json/dps-answer.schema.json` describes.
///
/// Topic `dps.answer`, key: job id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DpsAnswerEvent<'a> {
    /// The first event of an answer.
    #[serde(borrow, alias = "concord.dps.AnswerOpened")]
    AnswerOpened(AnswerOpened<'a>),
    /// A piece of the answer's bytes.
    #[serde(borrow, alias = "concord.dps.AnswerChunk")]
    AnswerChunk(AnswerChunk<'a>),
    /// The end marker.
    #[serde(borrow, alias = "concord.dps.AnswerClosed")]
    AnswerClosed(AnswerClosed<'a>),
}

/// An answer of DPS has begun to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOpened<'a> {
    /// The job that the answer's header names; an id derived from the answer when it names none.
    pub job_id: &'a str,
    /// SHA-256 of the whole answer, lower-case hexadecimal: the same answer has the same id.
    pub answer_id: &'a str,
    /// Where it came from, such as `folder:/answers/NAME` or `file:NAME`.
    pub source: &'a str,
    /// When it came: milliseconds since the epoch, UTC.
    pub received_at_ms: i64,
    /// Size of the whole answer in bytes.
    pub bytes: i64,
}

/// A piece of an answer's bytes; may cut lines and characters anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerChunk<'a> {
    /// As in the first event.
    pub job_id: &'a str,
    /// The answer it belongs to.
    pub answer_id: &'a str,
    /// 0, 1, 2, ... within the answer.
    pub sequence: i32,
    /// The bytes as sent.
    #[serde(with = "serde_bytes")]
    pub content: &'a [u8],
}

/// The whole answer has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerClosed<'a> {
    /// As in the first event.
    pub job_id: &'a str,
    /// The answer.
    pub answer_id: &'a str,
    /// How many chunks the answer has.
    pub chunks: i32,
}
