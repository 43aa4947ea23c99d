//! What is wrong with an interchange, and where.

use std::fmt;

use super::codes;

/// One defect of an envelope or of what numbering needs. Holds nothing of a message's body but numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What is wrong.
    pub problem: Problem,
    /// Which segment of the source, from 1.
    pub segment: u64,
    /// Where the segment begins in the source, in bytes from 0.
    pub offset: u64,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// `UNT` counts its message's segments wrongly.
    SegmentCount {
        /// What it says.
        stated: u64,
        /// How many there are, `UNH` and `UNT` included.
        counted: u64,
    },
    /// `UNZ` counts its interchange's messages wrongly.
    MessageCount {
        /// What it says.
        stated: u64,
        /// How many there are.
        counted: u64,
    },
    /// `UNT` has not the reference of its `UNH`.
    MessageReference,
    /// `UNZ` has not the reference of its `UNB`.
    InterchangeReference,
    /// The last segment has no terminator.
    Unterminated,
    /// A message without `UNT`.
    MessageUnfinished,
    /// An interchange without `UNZ`.
    InterchangeUnfinished,
    /// A segment outside a message or outside an interchange. Said once for all that stand together.
    OutOfPlace,
    /// The source holds no interchange.
    NoInterchange,
    /// The number of what the words say is not made of digits, is zero, or is too large.
    Number(&'static str),
    /// The element of what the words say is missing or empty.
    Missing(&'static str),
    /// The date of what the words say is none.
    Date(&'static str),
    /// A message number that does not follow the one before.
    MessageSequence {
        /// The number before.
        before: u64,
        /// The number here.
        here: u64,
    },
    /// `UNB` announces receipts and the message is none, or the other way round.
    TypesDiffer,
    /// Sender and recipient are the same.
    SenderIsRecipient,
    /// A segment is too long to be read.
    SegmentTooLong,
    /// A service string advice whose characters cannot separate.
    Advice,
    /// A code of a receipt that nobody knows.
    ReceiptCode,
    /// Messages are acknowledged and their interchange is not named.
    ReceiptWithoutInterchange,
    /// A receipt names more or fewer messages than it says the interchange has.
    ReceiptCount {
        /// What it says.
        stated: u64,
        /// How many it names.
        counted: u64,
    },
    /// The transaction type is none that is known.
    TransactionType,
    /// The message is of another standard than registrations and receipts.
    MessageType,
}

impl Problem {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SegmentCount { .. } | Self::MessageCount { .. } => codes::COUNT_DIFFERS,
            Self::MessageReference | Self::InterchangeReference => codes::REFERENCE_DIFFERS,
            Self::Unterminated | Self::MessageUnfinished | Self::InterchangeUnfinished => codes::UNFINISHED,
            Self::OutOfPlace | Self::NoInterchange => codes::OUT_OF_PLACE,
            Self::Number(_) => codes::NUMBER_UNUSABLE,
            Self::Missing(_) => codes::ELEMENT_MISSING,
            Self::Date(_) => codes::DATE_UNUSABLE,
            Self::MessageSequence { .. } => codes::MESSAGES_NOT_IN_SEQUENCE,
            Self::TypesDiffer => codes::TYPES_DIFFER,
            Self::SenderIsRecipient => codes::SENDER_IS_RECIPIENT,
            Self::SegmentTooLong => codes::SEGMENT_TOO_LONG,
            Self::Advice => codes::ADVICE_UNUSABLE,
            Self::ReceiptCode | Self::ReceiptWithoutInterchange | Self::ReceiptCount { .. } => codes::RECEIPT_UNUSABLE,
            Self::TransactionType => codes::TRANSACTION_TYPE_UNKNOWN,
            Self::MessageType => codes::MESSAGE_TYPE_UNKNOWN,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SegmentCount { stated, counted } => {
                write!(formatter, "UNT says {stated} segments, the message has {counted}")
            }
            Self::MessageCount { stated, counted } => {
                write!(formatter, "UNZ says {stated} messages, the interchange has {counted}")
            }
            Self::MessageReference => formatter.write_str("UNT has another reference than UNH"),
            Self::InterchangeReference => formatter.write_str("UNZ has another reference than UNB"),
            Self::Unterminated => formatter.write_str("the last segment has no terminator"),
            Self::MessageUnfinished => formatter.write_str("the message has no UNT"),
            Self::InterchangeUnfinished => formatter.write_str("the interchange has no UNZ"),
            Self::OutOfPlace => formatter.write_str("the segment stands outside its envelope"),
            Self::NoInterchange => formatter.write_str("there is no UNB: this is no EDIFACT interchange"),
            Self::Number(of) => write!(formatter, "the number of {of} is not made of digits, is zero or is too large"),
            Self::Missing(what) => write!(formatter, "{what} is missing"),
            Self::Date(of) => write!(formatter, "the time of {of} is none"),
            Self::MessageSequence { before, here } => write!(formatter, "message {here} follows message {before}"),
            Self::TypesDiffer => formatter.write_str("UNB and UNH do not agree whether these are receipts"),
            Self::SenderIsRecipient => formatter.write_str("the sender is the recipient"),
            Self::SegmentTooLong => formatter.write_str("the segment is longer than 64 KiB"),
            Self::Advice => formatter.write_str("the characters of the service string advice cannot separate"),
            Self::ReceiptCode => formatter.write_str("the code of the receipt is none that is known"),
            Self::ReceiptWithoutInterchange => formatter.write_str("RFF+MIS without RFF+RIS: no interchange is named"),
            Self::ReceiptCount { stated, counted } => {
                write!(formatter, "RFF+RIS says {stated} messages, the receipt names {counted}")
            }
            Self::TransactionType => formatter.write_str("the transaction type is none that is known"),
            Self::MessageType => formatter.write_str("UNH names neither a registration (FHSREG) nor a receipt (RECEP)"),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} segment {} (byte {}): {}", self.problem.code(), self.segment, self.offset, self.problem)
    }
}
