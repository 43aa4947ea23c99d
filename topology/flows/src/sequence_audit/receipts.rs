//! The receipts of one message: whether they came, when they were due, what they said.
//!
//! A receipt also says something of an interchange as a whole: that none of it was taken, or, when it names no message, no more than
//! that it came. None is due for an interchange, but one of an interchange that never was is an orphan like one of such a message.
//!
//! A message has a state of its own only as long as something about it is open, or a receipt says that it was not taken; whether
//! a message without one was ever sent its link's lines know, as ranges.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::counter::{Counter, NumberRange};
use super::finding::{Change, Finding, FindingKind, FindingState, LineKey, id_on_line, part_of_key};
use super::settings::ReceiptSettings;

/// Receipts kept of one open message; of more only their number is.
const MOST_KEPT: usize = 32;

/// A message on its link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageKey {
    /// Who sent it.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// Its interchange (SIS).
    pub interchange: u64,
    /// Its number (SMS). 0, which is no number of a message, stands for the interchange as a whole.
    pub message: u64,
}

impl MessageKey {
    /// An interchange as a whole.
    #[must_use]
    pub fn of_interchange(sender: &str, recipient: &str, interchange: u64) -> Self {
        Self { sender: sender.to_owned(), recipient: recipient.to_owned(), interchange, message: 0 }
    }

    /// Whether it stands for an interchange as a whole.
    #[must_use]
    pub fn is_interchange(&self) -> bool {
        self.message == 0
    }
}

impl fmt::Display for MessageKey {
    /// `TES5/XX11/00000001/00000002`: keys of stores, in order of interchange within their link.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sender, recipient) = (part_of_key(&self.sender), part_of_key(&self.recipient));
        write!(formatter, "{sender}/{recipient}/{:08}/{:08}", self.interchange, self.message)
    }
}

/// What a receipt says of a message, or of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `CP`.
    Success,
    /// `CA`.
    Error,
    /// `CI`.
    Incomplete,
    /// A code that nobody knows: the message arrived, and no more is known.
    Unknown,
    /// Of an interchange, `OK`.
    Received,
    /// Of an interchange, `NA`: none of its data was taken.
    NoValidData,
    /// Of an interchange, `ER`: some of its data is invalid.
    InvalidData,
}

impl Verdict {
    /// Whether the message, or a part of the interchange, was not taken.
    #[must_use]
    pub fn is_negative(self) -> bool {
        matches!(self, Self::Error | Self::Incomplete | Self::NoValidData | Self::InvalidData)
    }

    /// As it stands in a receipt.
    pub(super) fn as_code(self) -> &'static str {
        match self {
            Self::Success => "CP",
            Self::Error => "CA",
            Self::Incomplete => "CI",
            Self::Unknown => "unknown",
            Self::Received => "OK",
            Self::NoValidData => "NA",
            Self::InvalidData => "ER",
        }
    }

    pub(super) fn of_code(code: &str) -> Self {
        const KNOWN: [Verdict; 6] = [
            Verdict::Success,
            Verdict::Error,
            Verdict::Incomplete,
            Verdict::Received,
            Verdict::NoValidData,
            Verdict::InvalidData,
        ];
        KNOWN.into_iter().find(|known| known.as_code() == code).unwrap_or(Self::Unknown)
    }
}

/// One receipt of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeptReceipt {
    /// The interchange it came in, by the number of whoever sent the receipt.
    pub by_interchange: u64,
    /// The message it came in.
    pub by_message: u64,
    /// What it says.
    pub verdict: Verdict,
    /// When it was prepared, milliseconds since the epoch.
    pub prepared_at_ms: Option<i64>,
}

/// Counts of a link's messages and their receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReceiptCounts {
    /// Messages sent that a receipt is due for.
    pub expected: u64,
    /// Those of them that have one.
    pub received: u64,
    /// Messages that were not taken, as a receipt says.
    pub negative: u64,
}

/// What is open about a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MessageReceipts {
    /// When the message came here, milliseconds since the epoch; `None` while only receipts did.
    sent_at_ms: Option<i64>,
    /// When its interchange was prepared, as its sender says.
    prepared_at_ms: Option<i64>,
    /// When the first receipt did.
    received_at_ms: Option<i64>,
    /// In the order of the interchanges they came in, whatever the order in which they arrived.
    kept: Vec<KeptReceipt>,
    /// Receipts beyond those that are kept.
    more: u32,
    is_overdue: bool,
    is_orphan: bool,
    /// It may have been sent before its link was watched: receipts of it wait for it, and are no orphans.
    may_be_older: bool,
    /// Not before this time can be said whether they are, milliseconds since the epoch.
    judged_from_ms: Option<i64>,
    /// An operator said why it was not taken.
    is_explained: bool,
}

/// What its link's lines say of a message, or an interchange, that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It is missing, or was never sent.
    Missing,
    /// Its number is from before the beginning of its line: it may have been sent before that was watched.
    BeforeBeginning,
    /// Whether it is so is known from this time on, milliseconds since the epoch.
    KnownFrom(i64),
}

/// When a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentAt {
    /// Here, milliseconds since the epoch.
    pub at_ms: i64,
    /// When its interchange was prepared, as its sender says.
    pub prepared_at_ms: Option<i64>,
}

impl MessageReceipts {
    /// Takes in that the message was sent. Only for a message that a receipt is due for, or an interchange that receipts came for, and
    /// not when it is sent again.
    pub fn on_sent(&mut self, key: &MessageKey, sent: SentAt, counts: &mut ReceiptCounts, changes: &mut Vec<Change>) {
        if self.sent_at_ms.is_some() && self.received_at_ms.is_some() && !key.is_interchange() {
            // It was refused. Its numbers are used again, and what has them now has an answer of its own.
            *self = Self::default();
        }
        if self.sent_at_ms.is_some() {
            return;
        }
        self.sent_at_ms = Some(sent.at_ms);
        self.prepared_at_ms = sent.prepared_at_ms;
        if !key.is_interchange() {
            counts.expected += 1;
            counts.received += u64::from(self.received_at_ms.is_some());
        }
        if std::mem::take(&mut self.is_orphan) {
            changes.push(Change::Retract(id_of(FindingKind::OrphanReceipt, key)));
        }
    }

    /// Takes in a receipt. `was_sent` says of a message without a state whether its link's lines have it.
    pub fn on_receipt(
        &mut self,
        key: &MessageKey,
        receipt: KeptReceipt,
        was_sent: bool,
        at_ms: i64,
        counts: &mut ReceiptCounts,
        changes: &mut Vec<Change>,
    ) {
        let (is_first, was_negative) = (self.received_at_ms.is_none(), self.is_negative());
        let place = self.kept.partition_point(|kept| *kept < receipt);
        if self.kept.get(place) == Some(&receipt) {
            // The same receipt read again says nothing new.
            return;
        }
        if self.kept.len() < MOST_KEPT {
            self.kept.insert(place, receipt);
        } else {
            self.more = self.more.saturating_add(1);
        }
        self.received_at_ms = self.received_at_ms.or(Some(at_ms));
        if self.sent_at_ms.is_some() && is_first {
            counts.received += u64::from(!key.is_interchange());
        } else if self.sent_at_ms.is_none() && was_sent {
            self.sent_at_ms = Some(at_ms);
        }
        if std::mem::take(&mut self.is_overdue) {
            changes.push(Change::Retract(id_of(FindingKind::ReceiptOverdue, key)));
        }
        if !receipt.verdict.is_negative() || self.is_explained {
            return;
        }
        counts.negative += u64::from(!was_negative && !key.is_interchange());
        let mut finding = self.finding(FindingKind::NegativeReceipt, key, at_ms);
        // Those that say otherwise are not named: of a message that was settled before they are known no more.
        let mut codes: Vec<&str> = self.negative().map(|kept| kept.verdict.as_code()).collect();
        codes.dedup();
        finding.note = codes.join(", ");
        changes.push(Change::Upsert(finding));
    }

    fn negative(&self) -> impl Iterator<Item = &KeptReceipt> {
        self.kept.iter().filter(|kept| kept.verdict.is_negative())
    }

    /// Whether a receipt says that the message was not taken.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative().next().is_some()
    }

    /// Acts on deadlines that have passed. `absence` is asked of a message that did not come.
    pub fn on_time(
        &mut self,
        key: &MessageKey,
        now_ms: i64,
        absence: Absence,
        settings: &ReceiptSettings,
        changes: &mut Vec<Change>,
    ) {
        if self.next_deadline(settings).is_none_or(|deadline| deadline > now_ms) {
            return;
        }
        let kind = match (self.sent_at_ms, absence) {
            (Some(_), _) => {
                self.is_overdue = true;
                FindingKind::ReceiptOverdue
            }
            (None, Absence::Missing) => {
                self.is_orphan = true;
                FindingKind::OrphanReceipt
            }
            (None, Absence::BeforeBeginning) => return self.may_be_older = true,
            (None, Absence::KnownFrom(from_ms)) => return self.judged_from_ms = Some(from_ms),
        };
        changes.push(Change::Upsert(self.finding(kind, key, now_ms)));
    }

    /// When [`Self::on_time`] has something to do, milliseconds since the epoch.
    #[must_use]
    pub fn next_deadline(&self, settings: &ReceiptSettings) -> Option<i64> {
        match (self.sent_at_ms, self.received_at_ms) {
            (Some(sent), None) if !self.is_overdue => Some(sent.saturating_add(settings.overdue_ms)),
            (None, Some(received)) if !self.is_orphan && !self.may_be_older => {
                Some(received.saturating_add(settings.orphan_ms)).max(self.judged_from_ms)
            }
            _ => None,
        }
    }

    /// Takes in what an operator knows: why no receipt will come, why one came for nothing, or what was done about one that says
    /// the message was not taken.
    pub fn explain(&mut self, key: &MessageKey, why: &str, at_ms: i64, changes: &mut Vec<Change>) {
        let open = [
            (FindingKind::ReceiptOverdue, self.is_outstanding()),
            (FindingKind::OrphanReceipt, self.is_unclaimed()),
            (FindingKind::NegativeReceipt, self.is_negative()),
        ];
        for (kind, _) in open.into_iter().filter(|&(_, is_open)| is_open) {
            let mut finding = self.finding(kind, key, at_ms);
            finding.state = FindingState::Explained;
            why.clone_into(&mut finding.note);
            changes.push(Change::Upsert(finding));
        }
        // An orphan stays one until its message comes, if ever: it then has its receipt.
        self.is_orphan = self.is_unclaimed();
        self.received_at_ms = self.received_at_ms.or(Some(at_ms));
        self.is_explained = self.is_negative();
        self.is_overdue = false;
    }

    /// Whether nothing is open any more: the state may be dropped.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sent_at_ms.is_some() && self.received_at_ms.is_some() && !self.is_negative()
    }

    /// Whether the message was sent and has no receipt.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        self.sent_at_ms.is_some() && self.received_at_ms.is_none()
    }

    /// Whether receipts came and the message did not.
    #[must_use]
    pub fn is_unclaimed(&self) -> bool {
        self.sent_at_ms.is_none() && self.received_at_ms.is_some()
    }

    /// Whether it is told that receipts came for nothing.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        self.is_unclaimed() && self.is_orphan
    }

    /// When the message was prepared, as its sender says, else when it came here; milliseconds since the epoch.
    #[must_use]
    pub fn prepared_at_ms(&self) -> Option<i64> {
        self.prepared_at_ms.or(self.sent_at_ms)
    }

    /// The receipts that came, in the order of the interchanges they came in.
    #[must_use]
    pub fn receipts(&self) -> &[KeptReceipt] {
        &self.kept
    }

    fn finding(&self, kind: FindingKind, key: &MessageKey, at_ms: i64) -> Finding {
        let number = if key.is_interchange() { key.interchange } else { key.message };
        Finding {
            id: id_of(kind, key),
            kind,
            state: FindingState::Confirmed,
            sender: key.sender.clone(),
            recipient: key.recipient.clone(),
            counter: if key.is_interchange() { Counter::Sis } else { Counter::Sms },
            numbers: Some(NumberRange { from: number, to: number }),
            interchange: Some(key.interchange),
            copies: None,
            note: String::new(),
            at_ms,
        }
    }
}

fn id_of(kind: FindingKind, key: &MessageKey) -> String {
    if key.is_interchange() {
        return id_on_line(&LineKey::interchanges(&key.sender, &key.recipient), kind, key.interchange);
    }
    format!("{}/{key}", kind.as_str())
}
