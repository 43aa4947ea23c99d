//! What can go wrong between this program and PDS. Each code stands in docs/OPERATIONS.md.

use std::time::Duration;

use crate::next_step::{NextStep, Problem};

/// A look-up failed. Says nothing of whom it was about.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: PDS: {detail}; {}", problem.code(), problem.remedy())]
pub struct PdsError {
    /// What kind of failure it is.
    pub problem: PdsProblem,
    /// What happened.
    pub detail: String,
    /// How long PDS asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl PdsError {
    pub(in crate::pds) fn new(problem: PdsProblem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into(), retry_after: None }
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
pub enum PdsProblem {
    /// The settings or the files they name cannot be used.
    Settings,
    /// No connection, or it was cut, or there was no answer in time.
    Unreachable,
    /// PDS answers that it cannot work now (408, 429, 5xx, `UNKNOWN_ERROR`).
    Busy,
    /// PDS does not let this application in (401 with a new token, 403), or gives it no token.
    NotAllowed,
    /// The answer is not one of PDS, but perhaps of a gateway on the way.
    NotUnderstood,
    /// PDS does not take the number (400).
    NumberRefused,
    /// PDS does not take requests of this form, whomever they are about (400).
    RequestRefused,
    /// A status and a code that PDS is not known to answer.
    UnknownAnswer,
    /// The record is not as FHIR has it.
    RecordUnusable,
    /// The record is of another number.
    Superseded,
    /// The question cannot be read.
    QuestionUnreadable,
    /// PDS fails for this number while it answers for others.
    FailsForThisNumber,
}

impl Problem for PdsProblem {
    fn entry(self) -> (&'static str, NextStep, &'static str) {
        use NextStep::{SetAside, TryAgain, WaitForOperator};
        match self {
            Self::Settings => {
                ("CONCORD-PD-0001", WaitForOperator, "correct the settings of PDS or the files they name")
            }
            Self::Unreachable => {
                ("CONCORD-PD-0002", TryAgain, "check the address, the network and the certificates; it is tried again")
            }
            Self::Busy => ("CONCORD-PD-0003", TryAgain, "wait; it is tried again"),
            Self::NotAllowed => (
                "CONCORD-PD-0004",
                WaitForOperator,
                "check the application's key, the id of the signing key, the private key and this machine's clock",
            ),
            Self::NotUnderstood => (
                "CONCORD-PD-0005",
                TryAgain,
                "when it lasts, check that the address is that of PDS and not of something in between",
            ),
            Self::NumberRefused => ("CONCORD-PD-0006", SetAside, "ask PDS about the number by hand"),
            Self::RequestRefused => {
                ("CONCORD-PD-0007", WaitForOperator, "check that the address is that of the PDS FHIR API (R4)")
            }
            Self::UnknownAnswer => ("CONCORD-PD-0008", SetAside, "report the answer, then rerun the job"),
            Self::RecordUnusable => ("CONCORD-PD-0009", SetAside, "have the record corrected on PDS"),
            Self::Superseded => ("CONCORD-PD-0010", SetAside, "have the practice correct the patient's number"),
            Self::QuestionUnreadable => {
                ("CONCORD-PD-0011", SetAside, "correct the producer of the questions, then ask anew")
            }
            Self::FailsForThisNumber => ("CONCORD-PD-0012", SetAside, "report it to PDS; rerun the job later"),
        }
    }
}
