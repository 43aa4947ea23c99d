//! How the program ends when it cannot do what it was asked.

use std::fmt::Display;

/// Why a command failed, and with which exit code.
#[derive(Debug)]
pub enum Failure {
    /// Usage or configuration: exit code 2.
    Usage(String),
    /// An extract was rejected: exit code 3. The reasons were told.
    Rejected,
    /// An audit found something, or a document could not be read: exit code 4. It was told.
    Findings,
    /// Anything else: exit code 1.
    Other(String),
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Rejected => 3,
            Self::Findings => 4,
            Self::Other(_) => 1,
        }
    }

    /// Anything else, with what was being done.
    pub fn other(doing: impl Display, error: impl Display) -> Self {
        Self::Other(format!("{doing}: {error}"))
    }
}
