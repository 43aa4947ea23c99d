//! What came of a call.

use std::borrow::Cow;

use bytes::Bytes;

use crate::rejection::{ProcessError, Rejection, Stage, codes};

/// What a processor is given when a call has ended. The key is that of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// What was asked.
    pub request: Bytes,
    /// Attempts that were made, the last one included.
    pub attempts: u32,
    /// The answer; or why there is none after the last attempt, or will never be.
    pub outcome: Result<Bytes, CallFailure>,
}

/// Why an attempt has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallFailure {
    /// Stable code, documented in OPERATIONS.md with cause and remedy.
    pub code: &'static str,
    /// What is wrong, for people; never the content of a record.
    pub message: Cow<'static, str>,
    /// Whether another attempt may have an answer.
    pub may_pass: bool,
    /// What the attempt found out all the same, for the processor that is given the failure; may be empty.
    pub found: Bytes,
}

impl CallFailure {
    /// A failure that another attempt may not meet.
    pub fn for_now(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), may_pass: true, found: Bytes::new() }
    }

    /// A failure that every attempt will meet.
    pub fn for_good(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), may_pass: false, found: Bytes::new() }
    }

    /// The same failure of an attempt that found something out.
    #[must_use]
    pub fn but_found(self, found: impl Into<Bytes>) -> Self {
        Self { found: found.into(), ..self }
    }

    pub(crate) fn time_limit() -> Self {
        Self::for_now(codes::CALL_TIME_LIMIT, "the attempt took longer than its time limit")
    }
}

impl From<CallFailure> for Rejection {
    fn from(failure: CallFailure) -> Self {
        Self { stage: Stage::Call, code: failure.code, message: failure.message }
    }
}

impl From<CallFailure> for ProcessError {
    fn from(failure: CallFailure) -> Self {
        Self::Rejected(failure.into())
    }
}
