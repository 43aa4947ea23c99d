//! Why a document was not read.

use std::fmt::{Display, Formatter};

use crate::ContentType;

/// A kind of failure, as docs/OPERATIONS.md lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// It has no bytes.
    Empty,
    /// It has more bytes than a document may have.
    TooLarge,
    /// Its content is of no kind that is read.
    UnknownKind,
    /// It is cut off, or does not follow the rules of its kind.
    Damaged,
    /// JSON or XML is nested deeper than a document may be.
    TooDeep,
    /// It has more elements, or makes more observations, than a document may.
    TooMany,
    /// It has more pages than a document may have.
    TooManyPages,
    /// A page has more pixels than a page may have.
    TooManyPixels,
    /// It speaks of several patients, and nothing says which one it belongs to.
    SeveralPatients,
    /// XML that declares a document type or entities of its own.
    Entities,
    /// JSON that is not FHIR R4 of a kind that is read, or XML that is not CDA R2.
    NoPatientDocument,
    /// A PDF that opens with a password alone.
    Encrypted,
    /// Reading it took longer than it may take.
    OutOfTime,
    /// Reading it took more processor time than it may take.
    OutOfCpu,
    /// The process that read it, or a tool, ended by itself: a crash, or out of memory.
    Crashed,
    /// A tool is not installed.
    NoTool,
    /// The process that reads could not be started, or has no place to work.
    NoProcess,
    /// The process that reads answered something that is no answer.
    NoAnswer,
}

/// What there is to say about a [`Problem`].
struct Entry {
    problem: Problem,
    code: &'static str,
    text: &'static str,
    remedy: &'static str,
    may_pass: bool,
}

const fn entry(
    problem: Problem,
    code: &'static str,
    text: &'static str,
    remedy: &'static str,
    may_pass: bool,
) -> Entry {
    Entry { problem, code, text, remedy, may_pass }
}

const RAISE: &str = "if such documents are wanted, raise the limit";
const ANEW: &str = "ask for it to be sent again, whole, or in another format";

/// Problem, code, text, remedy, and whether the same document may well be read when it is tried again.
#[rustfmt::skip]
const TABLE: [Entry; 18] = [
    entry(Problem::Empty, "CONCORD-DO-0001", "the document is empty", ANEW, false),
    entry(Problem::TooLarge, "CONCORD-DO-0002", "the document is larger than a document may be", RAISE, false),
    entry(Problem::UnknownKind, "CONCORD-DO-0003", "the document is of no kind that is read", "ask for it in a format that is read", false),
    entry(Problem::Damaged, "CONCORD-DO-0004", "the document is damaged", ANEW, false),
    entry(Problem::TooDeep, "CONCORD-DO-0005", "the document is nested deeper than a document may be", RAISE, false),
    entry(Problem::TooMany, "CONCORD-DO-0006", "the document has more in it than a document may have", RAISE, false),
    entry(Problem::TooManyPages, "CONCORD-DO-0007", "the document has more pages than a document may have", RAISE, false),
    entry(Problem::TooManyPixels, "CONCORD-DO-0008", "a page has more pixels than a page may have", RAISE, false),
    entry(Problem::SeveralPatients, "CONCORD-DO-0009", "the document speaks of several patients", "ask for one document for each patient", false),
    entry(Problem::Entities, "CONCORD-DO-0010", "the XML declares a document type or entities", "ask for it without a document type", false),
    entry(Problem::NoPatientDocument, "CONCORD-DO-0011", "the document is neither FHIR R4 nor CDA R2 of a kind that is read", "ask for it in a format that is read", false),
    entry(Problem::Encrypted, "CONCORD-DO-0012", "the PDF opens with a password alone", "ask for it without a password", false),
    entry(Problem::OutOfTime, "CONCORD-DO-0013", "reading took longer than it may take", "it is tried again; if it stays so, raise the limit or look whether the machine is overloaded", true),
    entry(Problem::OutOfCpu, "CONCORD-DO-0014", "reading took more processor time than it may take", RAISE, false),
    entry(Problem::Crashed, "CONCORD-DO-0015", "the reader crashed or ran out of memory", "it is tried again; if it stays so, raise the limit of memory, or ask for the document in another format", true),
    entry(Problem::NoTool, "CONCORD-DO-0016", "a tool is not installed", "install tesseract-ocr and poppler-utils", true),
    entry(Problem::NoProcess, "CONCORD-DO-0017", "the reader could not be started", "look at the room and rights of the temporary folder, and at the number of processes", true),
    entry(Problem::NoAnswer, "CONCORD-DO-0018", "the reader's answer cannot be understood", "look whether reader and caller are of one version", true),
];

impl Problem {
    fn entry(self) -> &'static Entry {
        // A test holds that the table has every problem; the first row would stand in for one that is missing.
        TABLE.iter().find(|entry| entry.problem == self).unwrap_or(&TABLE[0])
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.entry().code
    }

    /// What happened, in words.
    pub fn text(self) -> &'static str {
        self.entry().text
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.entry().remedy
    }

    /// Whether the same document may well be read when it is tried again, with nothing changed about it.
    pub fn may_pass(self) -> bool {
        self.entry().may_pass
    }

    /// The problem of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.code == code).map(|entry| entry.problem)
    }
}

/// Why a document was not read. Never holds anything of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFailure {
    /// What happened.
    pub problem: Problem,
    /// More of it, such as a place or the limit that was met; may be empty.
    pub detail: String,
    /// What the document is, as far as that was found out.
    pub content_type: ContentType,
}

impl ReadFailure {
    pub(crate) fn new(problem: Problem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into(), content_type: ContentType::Unknown }
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::new(Problem::Damaged, detail)
    }

    pub(crate) fn of(self, content_type: ContentType) -> Self {
        Self { content_type, ..self }
    }
}

impl Display for ReadFailure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.problem.text())?;
        if !self.detail.is_empty() {
            write!(formatter, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for ReadFailure {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_problem_has_its_row_and_no_code_stands_twice() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.problem as usize, place, "rows stand in the order of the problems");
            assert_eq!(row.code, format!("CONCORD-DO-{:04}", place + 1));
            assert_eq!(Problem::of_code(row.code), Some(row.problem));
        }
        assert_eq!(TABLE.len(), Problem::NoAnswer as usize + 1);
    }

    #[test]
    fn a_failure_says_what_happened_and_where() {
        assert_eq!(ReadFailure::damaged("byte 7").to_string(), "the document is damaged: byte 7");
        assert_eq!(ReadFailure::new(Problem::Empty, "").to_string(), "the document is empty");
    }
}
