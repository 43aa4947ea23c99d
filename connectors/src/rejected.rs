//! What a reader says of a row it cannot use.

use std::fmt;
use std::io;

/// Why a reader could not give the next entry.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// One row cannot be used. The reader goes on behind it; the row belongs on a dead-letter topic.
    #[error("{}", .0.error)]
    Row(RejectedRow),
    /// The source itself cannot be read on (a failing disk, a damaged gzip stream). The reader ends here.
    #[error("{file}, line {line}: the file cannot be read on: {error}")]
    Source {
        /// Name of the file.
        file: String,
        /// The line, from 1, at which reading failed.
        line: u64,
        /// What the source said.
        #[source]
        error: io::Error,
    },
}

/// A row that cannot be used, and the row itself.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// What is wrong with it; names no patient.
    pub error: RowError,
    /// The row as it stood in the file, without its line end; of a row that is too long, its beginning.
    pub row: Vec<u8>,
}

impl fmt::Debug for RejectedRow {
    /// Leaves out the row, which names a patient.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RejectedRow").field("error", &self.error).finish_non_exhaustive()
    }
}

/// What is wrong with a row, where, and what to do about it. Holds nothing that the row says of a patient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, {field}: {problem}; {remedy}")]
pub struct RowError {
    /// Name of the file.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u64,
    /// The field, by the name it has in the file.
    pub field: String,
    /// What is wrong.
    pub problem: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}
