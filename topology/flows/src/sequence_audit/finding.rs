//! What the audit says: findings, each with an identity that follows from what it is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::counter::{Counter, NumberRange};
use super::traffic::SeenInterchange;

/// A line of numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// What is numbered.
    pub counter: Counter,
    /// Who numbers.
    pub sender: String,
    /// For whom; `None` for transactions, which are numbered over all recipients.
    pub recipient: Option<String>,
}

impl LineKey {
    /// The line of interchanges from one to another.
    #[must_use]
    pub fn interchanges(sender: &str, recipient: &str) -> Self {
        Self { counter: Counter::Sis, sender: sender.to_owned(), recipient: Some(recipient.to_owned()) }
    }

    /// The line of messages from one to another.
    #[must_use]
    pub fn messages(sender: &str, recipient: &str) -> Self {
        Self { counter: Counter::Sms, sender: sender.to_owned(), recipient: Some(recipient.to_owned()) }
    }

    /// The line of transactions of a sender.
    #[must_use]
    pub fn transactions(sender: &str) -> Self {
        Self { counter: Counter::Tn, sender: sender.to_owned(), recipient: None }
    }
}

impl fmt::Display for LineKey {
    /// `sis/TES5/XX11`, `tn/TES5`: keys of stores and beginnings of ids.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.counter.as_str(), part_of_key(&self.sender))?;
        match &self.recipient {
            Some(recipient) => write!(formatter, "/{}", part_of_key(recipient)),
            None => Ok(()),
        }
    }
}

/// Link codes are letters and digits; what else a header may hold cannot end a part of a key.
pub(super) fn part_of_key(code: &str) -> String {
    code.replace('%', "%25").replace('/', "%2F")
}

/// What a finding is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Numbers are missing.
    Gap,
    /// A number came again with the same content, or with content that nobody remembers.
    Duplicate,
    /// A number came again with other content.
    DuplicateDiffers,
    /// A number from before the beginning of its line.
    Late,
    /// The numbers went on elsewhere.
    EpochChange,
    /// Nothing has come for long.
    LinkSilent,
    /// A receipt for a message that was never sent.
    OrphanReceipt,
    /// A receipt that says the message, or the interchange, was not taken.
    NegativeReceipt,
    /// A message without a receipt for too long.
    ReceiptOverdue,
    /// An envelope that does not agree with itself, or is none.
    EnvelopeMismatch,
    /// An interchange that came under the workflow of another content.
    WorkflowMismatch,
}

impl FindingKind {
    /// As it stands in ids.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            // One number has one of the two.
            Self::Duplicate | Self::DuplicateDiffers => "duplicate",
            Self::Late => "late",
            Self::EpochChange => "epoch-change",
            Self::LinkSilent => "link-silent",
            Self::OrphanReceipt => "orphan-receipt",
            Self::NegativeReceipt => "negative-receipt",
            Self::ReceiptOverdue => "receipt-overdue",
            Self::EnvelopeMismatch => "envelope-mismatch",
            Self::WorkflowMismatch => "workflow-mismatch",
        }
    }

    /// Its name, as findings are published with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DuplicateDiffers => "duplicate-differs",
            other => other.as_str(),
        }
    }
}

/// Where a finding stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// It may yet solve itself.
    Suspected,
    /// The time for that is over.
    Confirmed,
    /// What was missing came after it was confirmed.
    ClosedLate,
    /// An operator explained it: burnt numbers, for example.
    Explained,
}

impl FindingState {
    /// Its name, as findings are published with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
            Self::ClosedLate => "closed-late",
            Self::Explained => "explained",
        }
    }
}

/// One finding. Published under its id, the last one counts; taken back by a [`Change::Retract`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Follows from kind and subject.
    pub id: String,
    /// What it is of.
    pub kind: FindingKind,
    /// Where it stands.
    pub state: FindingState,
    /// Who sent, or should have sent.
    pub sender: String,
    /// To whom; of transactions, empty.
    pub recipient: String,
    /// The counter of `numbers`.
    pub counter: Counter,
    /// The numbers it is about: the missing ones, the one that came again, the message without a receipt.
    pub numbers: Option<NumberRange>,
    /// The interchange, where `numbers` are of one message of it.
    pub interchange: Option<u64>,
    /// How often the number came, as far as that is remembered.
    pub copies: Option<u32>,
    /// More, in words: the operator's explanation, the code of a receipt, a defect.
    pub note: String,
    /// When it came to be what it is, milliseconds since the epoch.
    pub at_ms: i64,
}

impl Finding {
    /// A finding about a line; `subject` tells it from others of the kind.
    pub(super) fn on_line(
        line: &LineKey,
        kind: FindingKind,
        state: FindingState,
        subject: impl fmt::Display,
        at_ms: i64,
    ) -> Self {
        Self {
            id: id_on_line(line, kind, subject),
            kind,
            state,
            sender: line.sender.clone(),
            recipient: line.recipient.clone().unwrap_or_default(),
            counter: line.counter,
            numbers: None,
            interchange: None,
            copies: None,
            note: String::new(),
            at_ms,
        }
    }
}

impl Finding {
    /// A finding about one interchange of a link.
    pub(super) fn of_interchange(seen: &SeenInterchange, kind: FindingKind, note: String, at_ms: i64) -> Self {
        Self {
            id: id_of_interchange(seen, kind),
            kind,
            state: FindingState::Confirmed,
            sender: seen.sender.clone(),
            recipient: seen.recipient.clone(),
            counter: Counter::Sis,
            numbers: seen.number.map(|number| (number, number).into()),
            interchange: seen.number,
            copies: None,
            note,
            at_ms,
        }
    }

    /// A finding about something received that is on no link: it is no interchange.
    pub(super) fn of_no_link(subject: &str, note: String, at_ms: i64) -> Self {
        let kind = FindingKind::EnvelopeMismatch;
        Self {
            id: format!("{}///{subject}", kind.as_str()),
            kind,
            state: FindingState::Confirmed,
            sender: String::new(),
            recipient: String::new(),
            counter: Counter::Sis,
            numbers: None,
            interchange: None,
            copies: None,
            note,
            at_ms,
        }
    }
}

/// One without a number is told from others by its content.
pub(super) fn id_of_interchange(seen: &SeenInterchange, kind: FindingKind) -> String {
    let subject = match (seen.number, seen.content) {
        (Some(number), _) => format!("{number}"),
        (None, content) => format!("{:016x}", content.unwrap_or_default()),
    };
    format!("{}/{}/{}/{subject}", kind.as_str(), part_of_key(&seen.sender), part_of_key(&seen.recipient))
}

pub(super) fn id_on_line(line: &LineKey, kind: FindingKind, subject: impl fmt::Display) -> String {
    format!("{}/{line}/{subject}", kind.as_str())
}

/// What the publisher of findings is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Publish it, in place of what was published under its id.
    Upsert(Finding),
    /// Take back what was published under this id: it has solved itself.
    Retract(String),
}

impl Change {
    /// The id of the finding.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Upsert(finding) => &finding.id,
            Self::Retract(id) => id,
        }
    }
}
