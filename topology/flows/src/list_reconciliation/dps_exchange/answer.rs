//! Why an answer, or a line of it, cannot be used. Nothing here repeats what a line says of anybody.

use std::borrow::Cow;
use std::fmt;

use concord_engine::Rejection;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Number of the line, from 1.
    pub line: u64,
    /// The field, such as `pds.security`; empty for the line as a whole.
    pub field: String,
    /// What is wrong.
    pub problem: Cow<'static, str>,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, problem } = self;
        if field.is_empty() {
            write!(formatter, "line {line}: {problem}")
        } else {
            write!(formatter, "line {line}, {field}: {problem}")
        }
    }
}

/// Why an answer is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// One of [`codes`](super::codes).
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::by_processor(refusal.code, refusal.message)
    }
}
