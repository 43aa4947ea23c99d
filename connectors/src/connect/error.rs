//! What can go wrong between the log and the places beside it. Each code stands in docs/OPERATIONS.md.

use std::fmt::Display;
use std::time::Duration;

use concord_engine::log::LogError;

use crate::mail::MailError;
use crate::mesh::MeshError;
use crate::next_step::{NextStep, Problem};

/// The kinds of failure that are neither MESH's nor the mail server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectProblem {
    /// The log does not answer, or refuses.
    Log,
    /// A value's schema is asked for, and the registry does not answer.
    Registry,
    /// A folder or a file in it cannot be read or written.
    Folder,
    /// A bucket does not answer, or cannot work now.
    Bucket,
    /// A bucket does not let this program in, or is not there.
    BucketNotAllowed,
    /// Temporary files cannot be written.
    Spool,
    /// A file that arrived is larger than the limit.
    TooLarge,
    /// A message has a workflow id that its mailbox does not expect.
    UnexpectedWorkflow,
    /// A report speaks of a message that this program has not sent.
    UnknownReport,
    /// Pieces of an output file are missing.
    PiecesMissing,
    /// Another content stands under the same name where a file is to be kept.
    AnotherContent,
    /// The name of a file cannot be a name where it is to be kept.
    NameRefused,
    /// A record of the log is not what its topic holds.
    Unreadable,
    /// A file in a folder is neither a file nor readable.
    NotAFile,
    /// What arrived is for a flow that does not run here.
    NoFlow,
    /// What arrived among documents is of no patient.
    NoPatient,
    /// A document is larger than a record, and does not stay where its reader could fetch it.
    TooLargeForRecord,
}

impl Problem for ConnectProblem {
    fn entry(self) -> (&'static str, NextStep, &'static str) {
        use NextStep::{SetAside, TryAgain, WaitForOperator};
        match self {
            Self::Log => ("CONCORD-CN-0001", TryAgain, "bring the brokers back; it is tried again"),
            Self::Registry => ("CONCORD-CN-0002", TryAgain, "bring the schema registry back; it is tried again"),
            Self::Folder => {
                ("CONCORD-CN-0003", TryAgain, "check that the folder is there, has room and may be read and written")
            }
            Self::Bucket => {
                ("CONCORD-CN-0004", TryAgain, "check endpoint, network and certificates; it is tried again")
            }
            Self::BucketNotAllowed => {
                ("CONCORD-CN-0005", WaitForOperator, "check the bucket's name, the keys and what they are allowed")
            }
            Self::Spool => ("CONCORD-CN-0006", TryAgain, "make room for temporary files in connect.spool_dir"),
            Self::TooLarge => {
                ("CONCORD-CN-0010", SetAside, "raise connect.largest_input_mib, or ask the sender for smaller files")
            }
            Self::UnexpectedWorkflow => (
                "CONCORD-CN-0011",
                SetAside,
                "add the workflow id to the mailbox's workflow_ids and start again, or ask the sender to use the right one",
            ),
            Self::UnknownReport => {
                ("CONCORD-CN-0012", SetAside, "ask whoever else sends from this mailbox; it is acknowledged")
            }
            Self::PiecesMissing => {
                ("CONCORD-CN-0013", SetAside, "run the job again; look for what deleted records of its file topic")
            }
            Self::AnotherContent => {
                ("CONCORD-CN-0014", SetAside, "find out who wrote the file that is there; nothing of it was changed")
            }
            Self::NameRefused => ("CONCORD-CN-0015", SetAside, "correct the producer of the file's name"),
            Self::Unreadable => {
                ("CONCORD-CN-0016", SetAside, "find the producer by the dead letter's source, and correct it")
            }
            Self::NotAFile => {
                ("CONCORD-CN-0017", SetAside, "take it out of the folder, or let this program read it, and start again")
            }
            Self::NoFlow => (
                "CONCORD-CN-0018",
                SetAside,
                "add the section of its flow to the configuration and start again, or ask the sender to use another mailbox",
            ),
            Self::NoPatient => {
                ("CONCORD-CN-0019", SetAside, "put it right into a folder that is named by the patient's id")
            }
            Self::TooLargeForRecord => (
                "CONCORD-CN-0020",
                SetAside,
                "put it into a bucket whose intake has a taken_prefix, where readers fetch it, or raise processing.max_record_bytes, \
                 and start again",
            ),
        }
    }
}

/// A turn came to no end; nothing is lost by it. Says nothing of what a file holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// The stable code.
    pub code: &'static str,
    /// What follows from it.
    pub next_step: NextStep,
    /// The whole text: code, what was being done, what happened, what to do.
    pub message: String,
    /// The cause alone.
    pub detail: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// How long the peer asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// A failure of this module's own kinds.
    pub fn new(problem: ConnectProblem, doing: impl Display, detail: impl Display) -> Self {
        let (code, next_step, remedy) = problem.entry();
        let message = format!("{code}: {doing}: {detail}; {remedy}");
        Self { code, next_step, message, detail: detail.to_string(), remedy, retry_after: None }
    }

    /// The code and the cause, as a delivery states them.
    pub fn stated(&self) -> String {
        format!("{}: {}", self.code, self.detail)
    }
}

impl From<MeshError> for Trouble {
    fn from(error: MeshError) -> Self {
        let (code, next_step, remedy) = error.problem.entry();
        let message = error.to_string();
        Self { code, next_step, message, detail: error.detail, remedy, retry_after: error.retry_after }
    }
}

impl From<MailError> for Trouble {
    fn from(error: MailError) -> Self {
        let (code, next_step, remedy) = error.problem.entry();
        let message = error.to_string();
        Self { code, next_step, message, detail: error.detail, remedy, retry_after: None }
    }
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        Self::new(ConnectProblem::Log, "the log", error.message)
    }
}
