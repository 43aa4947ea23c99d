//! What can go wrong between this program and the mail server. Each code stands in docs/OPERATIONS.md.

use crate::next_step::{NextStep, Problem};

/// A mail was not sent, or nobody knows. Says nothing of what the mail says.
#[derive(Debug, thiserror::Error)]
#[error("{}: mail, {action}: {detail}; {}", problem.code(), problem.remedy())]
pub struct MailError {
    /// What kind of failure it is.
    pub problem: MailProblem,
    /// What was being done, with the id of the mail.
    pub action: String,
    /// What happened.
    pub detail: String,
}

impl MailError {
    pub(super) fn new(problem: MailProblem, action: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { problem, action: action.into(), detail: detail.into() }
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
pub enum MailProblem {
    /// The settings or the files they name cannot be used.
    Settings,
    /// The object of the outbox is not a mail.
    NotAMail,
    /// No connection, or it was cut before the mail was handed over, or there was no answer in time.
    Unreachable,
    /// The server answers that it cannot take the mail now (4xx).
    Later,
    /// The server lets this program in for no mail at all: its greeting, its sign-in or the sender's address (5xx).
    NotAllowed,
    /// The server refuses this mail, or every recipient of it (5xx).
    Refused,
    /// The mail was handed over, and the answer was lost.
    OutcomeUnknown,
}

impl Problem for MailProblem {
    fn entry(self) -> (&'static str, NextStep, &'static str) {
        use NextStep::{SetAside, TryAgain, WaitForOperator};
        match self {
            Self::Settings => {
                ("CONCORD-ML-0001", WaitForOperator, "correct the settings of the mail server or the files they name")
            }
            Self::NotAMail => ("CONCORD-ML-0002", SetAside, "find the producer of the outbox object and correct it"),
            Self::Unreachable => (
                "CONCORD-ML-0003",
                TryAgain,
                "check the server's name, port and certificate and the network; it is tried again",
            ),
            Self::Later => ("CONCORD-ML-0004", TryAgain, "wait; it is tried again"),
            Self::NotAllowed => (
                "CONCORD-ML-0005",
                WaitForOperator,
                "check the account, its password, the kind of TLS and the sender's address",
            ),
            Self::Refused => {
                ("CONCORD-ML-0006", SetAside, "check the recipients; replay the mail when the server accepts it")
            }
            Self::OutcomeUnknown => (
                "CONCORD-ML-0007",
                TryAgain,
                "it is sent again under the same Message-ID, by which a repetition can be told",
            ),
        }
    }
}
