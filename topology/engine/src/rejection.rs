//! Why a record could not be processed, and what that means.

use std::borrow::Cow;

use concord_schemas::codec::{TopicSchema, WriterId};
use concord_state::StateError;

/// At which stage a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The value's bytes could not be read.
    Decode,
    /// The key is missing or malformed.
    Key,
    /// The processor refused the record.
    Processor,
    /// An output could not be written.
    Encode,
    /// An output is larger than its topic accepts.
    TooLarge,
    /// A call has no answer.
    Call,
}

impl Stage {
    /// The word used in dead-letter headers, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Key => "key",
            Self::Processor => "processor",
            Self::Encode => "encode",
            Self::TooLarge => "too-large",
            Self::Call => "call",
        }
    }
}

/// A record that goes to the dead-letter topic, with its cause. The message never holds the record's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Where it happened.
    pub stage: Stage,
    /// Stable code such as `CONCORD-EN-0001`, documented in OPERATIONS.md with cause and remedy.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
}

impl Rejection {
    /// A refusal by a processor.
    pub fn by_processor(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { stage: Stage::Processor, code, message: message.into() }
    }
}

/// Codes of the rejections that the engine itself makes.
pub mod codes {
    /// The value is not readable with its writer's schema.
    pub const UNREADABLE_VALUE: &str = "CONCORD-EN-0001";
    /// The value names a schema that the registry does not know.
    pub const UNKNOWN_SCHEMA: &str = "CONCORD-EN-0002";
    /// A tombstone where a value is needed.
    pub const MISSING_VALUE: &str = "CONCORD-EN-0003";
    /// A record without a key where the processor needs one.
    pub const MISSING_KEY: &str = "CONCORD-EN-0004";
    /// An output does not fit its schema.
    pub const UNWRITABLE_VALUE: &str = "CONCORD-EN-0005";
    /// An output is larger than its topic accepts.
    pub const OUTPUT_TOO_LARGE: &str = "CONCORD-EN-0006";
    /// A key is not UTF-8 text.
    pub const KEY_NOT_TEXT: &str = "CONCORD-EN-0007";
    /// No attempt of a call came to an end within its time limit.
    pub const CALL_TIME_LIMIT: &str = "CONCORD-EN-0008";
    /// Whoever performs a call panicked.
    pub const CALL_PANICKED: &str = "CONCORD-EN-0009";
}

/// How processing one record can fail.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The record goes to the dead-letter topic; the stream goes on.
    #[error("{}: {}", .0.code, .0.message)]
    Rejected(Rejection),
    /// The record's schema is not at hand yet: it waits, the process goes on.
    #[error("the schema ({id}) is not at hand")]
    Parked {
        /// The topic schema it should be readable as.
        topic: &'static TopicSchema,
        /// The schema it was written with.
        id: WriterId,
    },
    /// The state can no longer be trusted: the worker stops.
    #[error(transparent)]
    State(#[from] StateError),
    /// A programmer's error: the worker stops.
    #[error("{0}")]
    Programming(String),
}

impl From<Rejection> for ProcessError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
