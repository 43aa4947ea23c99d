//! What a `RECEP` message says: which messages of which interchange arrived, and what became of them.

use super::defect::Problem;
use super::fields::{digits, number};
use super::segment::Segment;
use super::{LARGEST_REFERENCE, uk_time};

/// What became of one message (`RFF+MIS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageCode {
    /// `CP`: translated.
    Success,
    /// `CA`: an error in translation.
    Error,
    /// `CI`: incomplete, for a fatal error during translation.
    Incomplete,
}

impl MessageCode {
    /// As it stands in a receipt.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "CP",
            Self::Error => "CA",
            Self::Incomplete => "CI",
        }
    }

    fn of(code: &[u8]) -> Option<Self> {
        [Self::Success, Self::Error, Self::Incomplete].into_iter().find(|known| known.as_str().as_bytes() == code)
    }
}

/// What became of the interchange (`RFF+RIS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterchangeCode {
    /// `OK`.
    Received,
    /// `NA`: it had no valid data.
    NoValidData,
    /// `ER`: it is valid and has invalid data.
    InvalidData,
}

impl InterchangeCode {
    /// As it stands in a receipt.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "OK",
            Self::NoValidData => "NA",
            Self::InvalidData => "ER",
        }
    }

    fn of(code: &[u8]) -> Option<Self> {
        [Self::Received, Self::NoValidData, Self::InvalidData]
            .into_iter()
            .find(|known| known.as_str().as_bytes() == code)
    }
}

/// The receipt of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageReceipt {
    /// Its number (SMS).
    pub message: u64,
    /// What became of it; `None` for a code that nobody knows.
    pub code: Option<MessageCode>,
}

/// The receipt of one interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its number (SIS).
    pub interchange: u64,
    /// What became of it; `None` for a code that nobody knows.
    pub code: Option<InterchangeCode>,
    /// How many messages its receiver found in it.
    pub stated_messages: Option<u64>,
    /// Those it names.
    pub messages: Vec<MessageReceipt>,
}

/// Gathers the receipts of one message: `RFF+MIS` lines belong to the `RFF+RIS` behind them.
#[derive(Debug, Default)]
pub(super) struct ReceiptLines {
    receipts: Vec<Receipt>,
    /// Named, and their interchange not yet.
    unassigned: Vec<MessageReceipt>,
    /// The last interchange could not be named.
    last_is_unusable: bool,
}

impl ReceiptLines {
    /// Reads an `RFF+MIS`: `00000006 CP`.
    pub(super) fn message(&mut self, segment: &Segment<'_>, mut report: impl FnMut(Problem)) {
        let mut words = words_of(segment.component(1, 1).unwrap_or_default());
        let Some(message) = words.next().and_then(|word| number(word, LARGEST_REFERENCE)) else {
            report(Problem::Number("an acknowledged message"));
            return;
        };
        let code = words.next().and_then(MessageCode::of);
        if code.is_none() {
            report(Problem::ReceiptCode);
        }
        self.unassigned.push(MessageReceipt { message, code });
    }

    /// Reads an `RFF+RIS`: `00000003 OK:4`.
    pub(super) fn interchange(&mut self, segment: &Segment<'_>, mut report: impl FnMut(Problem)) {
        let mut words = words_of(segment.component(1, 1).unwrap_or_default());
        let messages = std::mem::take(&mut self.unassigned);
        let Some(interchange) = words.next().and_then(|word| number(word, LARGEST_REFERENCE)) else {
            // Its messages are of no interchange that could be named.
            self.last_is_unusable = true;
            report(Problem::Number("an acknowledged interchange"));
            return;
        };
        let code = words.next().and_then(InterchangeCode::of);
        if code.is_none() {
            report(Problem::ReceiptCode);
        }
        let stated_messages = segment.component(1, 2).and_then(digits);
        // One that speaks of the interchange alone names none, however many there are.
        if let Some(stated) = stated_messages
            && !messages.is_empty()
            && stated != messages.len() as u64
        {
            report(Problem::ReceiptCount { stated, counted: messages.len() as u64 });
        }
        self.last_is_unusable = false;
        self.receipts.push(Receipt { interchange, code, stated_messages, messages });
    }

    /// Ends the message. Lines behind the last `RFF+RIS` belong to it; without any they name no interchange.
    pub(super) fn finish(self, mut report: impl FnMut(Problem)) -> Vec<Receipt> {
        let Self { mut receipts, unassigned, last_is_unusable } = self;
        if !unassigned.is_empty() {
            match receipts.last_mut().filter(|_| !last_is_unusable) {
                Some(last) => last.messages.extend(unassigned),
                None => report(Problem::ReceiptWithoutInterchange),
            }
        }
        receipts
    }
}

/// The time of a receipt: `DTM+815`, or in archives `DTM+137`.
pub(super) fn time_of(segment: &Segment<'_>) -> Option<jiff::Timestamp> {
    uk_time::instant_of_segment(segment.component(1, 1)?.trim_ascii())
}

fn words_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}
