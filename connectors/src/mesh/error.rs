//! What can go wrong between this program and MESH. Each code stands in docs/OPERATIONS.md.

use std::time::Duration;

use crate::next_step::{NextStep, Problem};

/// A call failed. Says nothing of what a message holds.
#[derive(Debug, thiserror::Error)]
#[error("{}: MESH, {action}: {detail}; {}", problem.code(), problem.remedy())]
pub struct MeshError {
    /// What kind of failure it is.
    pub problem: MeshProblem,
    /// What was being done, with the mailbox and the ids that it was done to.
    pub action: String,
    /// What happened.
    pub detail: String,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The status of the service's answer, where there was one.
    pub status: Option<u16>,
    /// Whether the service may have done what it was asked.
    pub(super) perhaps_done: bool,
}

impl MeshError {
    pub(crate) fn new(problem: MeshProblem, action: &str, detail: impl Into<String>) -> Self {
        let (action, detail) = (action.to_owned(), detail.into());
        Self { problem, action, detail, retry_after: None, status: None, perhaps_done: false }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// What follows from it.
    #[must_use]
    pub fn next_step(&self) -> NextStep {
        self.problem.next_step()
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshProblem {
    /// The settings or the files they name cannot be used.
    Settings,
    /// No connection, or it was cut, or there was no answer in time.
    Unreachable,
    /// The service answers that it cannot work now (429, 5xx).
    Busy,
    /// The service does not accept the mailbox, its password, the shared key or the certificate (401, 403).
    NotAllowed,
    /// The message is not in the inbox, or not any more (404, 410).
    NotThere,
    /// The service refuses the request for another reason.
    Refused,
    /// The answer is not one of MESH.
    NotUnderstood,
    /// The message is larger than the limit.
    TooLarge,
    /// The message is not whole, or not packed as it says, or differs from its checksum.
    Damaged,
    /// A chunk that was asked for again after a cut differs from what came before.
    BeginAgain,
    /// The place where the message goes to does not accept it.
    SinkFailed,
    /// The message cannot be sent as it is described, or its content is not what was described.
    CannotBeSent,
    /// Nobody can say whether a message was sent.
    OutcomeUnknown,
    /// Several messages were sent under one local id.
    SentTwice,
}

impl Problem for MeshProblem {
    fn entry(self) -> (&'static str, NextStep, &'static str) {
        use NextStep::{SetAside, TryAgain, WaitForOperator};
        match self {
            Self::Settings => {
                ("CONCORD-MS-0001", WaitForOperator, "correct the settings of the mailbox or the files they name")
            }
            Self::Unreachable => (
                "CONCORD-MS-0002",
                TryAgain,
                "check the address, the network and the certificates of both sides; it is tried again",
            ),
            Self::Busy => ("CONCORD-MS-0003", TryAgain, "wait; it is tried again"),
            Self::NotAllowed => (
                "CONCORD-MS-0004",
                WaitForOperator,
                "check the mailbox id, its password, the shared key, the client certificate and this machine's clock",
            ),
            Self::NotThere => (
                "CONCORD-MS-0005",
                SetAside,
                "nothing to do when it was acknowledged before; else ask its sender to send it again",
            ),
            Self::Refused => ("CONCORD-MS-0006", SetAside, "correct what the service names, then send it anew"),
            Self::NotUnderstood => (
                "CONCORD-MS-0007",
                WaitForOperator,
                "check that the address is that of MESH and not of something in between",
            ),
            Self::TooLarge => {
                ("CONCORD-MS-0008", SetAside, "raise the limit of the mailbox, or ask the sender for smaller messages")
            }
            Self::Damaged => ("CONCORD-MS-0009", SetAside, "ask the sender to send it again"),
            Self::BeginAgain => ("CONCORD-MS-0010", TryAgain, "download the message from its beginning"),
            Self::SinkFailed => {
                ("CONCORD-MS-0011", TryAgain, "make room where messages go to; the message is still in the inbox")
            }
            Self::CannotBeSent => ("CONCORD-MS-0012", SetAside, "correct the message's description or content"),
            Self::OutcomeUnknown => (
                "CONCORD-MS-0013",
                TryAgain,
                "send it again under the same local id: what MESH has already is not sent twice",
            ),
            Self::SentTwice => (
                "CONCORD-MS-0014",
                SetAside,
                "ask the recipient which of them arrived; send it under another local id when none did",
            ),
        }
    }
}
