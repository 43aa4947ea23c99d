//! Why an extract is refused as a whole.

use thiserror::Error;

/// Bytes of the longest line an extract may have.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Bytes of rows that may wait for proof that they are data and not trailing lines.
pub(super) const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

/// A fault that makes the whole extract unusable. The first two texts are those that existing users know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StructureError {
    /// The first line is another one.
    #[error(r"Header must be 503\*")]
    WrongHeader,
    /// No line ends in (`Compatible`) or contains (`Fixed`) a `~`.
    #[error("GP extract does not contain any identifiable DOW records for processing")]
    NoRecords,
    /// No bytes, or empty lines only.
    #[error(r"GP extract is empty: expected the header 503\* and two rows for each patient")]
    Empty,
    /// Nothing follows the header.
    #[error("GP extract ends after its header: expected two rows for each patient")]
    HeaderOnly,
    /// A byte that is not part of a UTF-8 character.
    #[error(
        "GP extract must be UTF-8 text: line {line}, byte {byte} is not{}; convert the file to UTF-8 and send it again",
        if *.latin_1_suspected { " (Latin-1 suspected)" } else { "" }
    )]
    NotUtf8 {
        /// Physical line, from 1.
        line: u64,
        /// Position in that line, from 1.
        byte: usize,
        /// The byte is an accented letter or sign in Latin-1.
        latin_1_suspected: bool,
    },
    /// A zero byte, as in UTF-16 or binary files.
    #[error("GP extract must be text: line {line}, byte {byte} is NUL; send the file as UTF-8 text")]
    NulByte {
        /// Physical line, from 1.
        line: u64,
        /// Position in that line, from 1.
        byte: usize,
    },
    /// Line ends are missing, or the file is no extract.
    #[error(
        "GP extract has a line of more than {MAX_LINE_BYTES} bytes: line {line}; put each row on a line of its own"
    )]
    LineTooLong {
        /// Physical line, from 1.
        line: u64,
    },
    /// Very many lines in a row give no sign of being data.
    #[error(
        "GP extract has more than {MAX_HELD_BYTES} bytes of lines that cannot be told from trailing text, \
         up to line {line}; remove what is not patient rows"
    )]
    TooMuchUndecided {
        /// Physical line, from 1.
        line: u64,
    },
}
