//! One message: its number, what it is, and the transactions or receipts in it.

use concord_schemas::gp_links::TransactionType;
use jiff::Timestamp;

use super::defect::{Defect, Problem};
use super::fields::{number, text};
use super::hashing::{ContentHash, SegmentHash};
use super::receipt::{Receipt, ReceiptLines, time_of};
use super::segment::Segment;
use super::{LARGEST_REFERENCE, uk_time};

/// What a message is, by the first component of its type in `UNH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// `FHSREG`: registrations.
    Registration,
    /// `RECEP`: receipts.
    Receipt,
    /// Something else, which is numbered all the same.
    Other,
}

/// One transaction of a registration message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// Its transaction number; `None` where it is unusable.
    pub number: Option<u64>,
    /// Hash of its segments.
    pub content: u64,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number (SMS); `None` where it is unusable.
    pub number: Option<u64>,
    /// What it is.
    pub kind: MessageKind,
    /// Transaction type of all its transactions, as `RFF+950` has it: `F4`. Known or not.
    pub transaction_type: Option<String>,
    /// Cipher of the Health Authority, from `NAD+FHS` or `NHS`.
    pub authority_cipher: Option<String>,
    /// The first responsible GP, as `NAD+GP` or `NHS` has it: `4826940,281`.
    pub responsible_gp: Option<String>,
    /// When it was prepared, from `DTM+137` or `DTM+815`. Health Authorities are known to fill it with past times.
    pub prepared_at: Option<Timestamp>,
    /// Its transactions.
    pub transactions: Vec<Transaction>,
    /// Its receipts.
    pub receipts: Vec<Receipt>,
    /// How many segments it has, `UNH` and `UNT` included.
    pub segments: u64,
    /// Hash of its segments.
    pub content: u64,
}

impl Message {
    /// The transaction type, if it is known.
    #[must_use]
    pub fn known_type(&self) -> Option<&'static TransactionType> {
        TransactionType::of_code(self.transaction_type.as_deref()?)
    }
}

/// Largest transaction number that is read. Health Authorities exceed seven digits.
const LARGEST_TRANSACTION: u64 = 999_999_999_999;

/// A message between its `UNH` and its `UNT`.
pub(super) struct MessageInProgress {
    message: Message,
    reference: Vec<u8>,
    content: ContentHash,
    /// Of the transaction that is being read.
    transaction: Option<ContentHash>,
    receipts: ReceiptLines,
}

impl MessageInProgress {
    /// Begins with its `UNH`.
    pub(super) fn begin(segment: &Segment<'_>, report: &mut impl FnMut(Defect)) -> Self {
        let reference = segment.element(1).unwrap_or_default().trim_ascii();
        let sms = number(reference, LARGEST_REFERENCE);
        if sms.is_none() {
            report(at(segment, Problem::Number("the message")));
        }
        let kind = match segment.component(2, 0) {
            // Before release 1.3.1 the earlier adaptor sent receipts under the type of registrations. Their segments say so.
            Some(b"FHSREG") => MessageKind::Registration,
            Some(b"RECEP") => MessageKind::Receipt,
            other => {
                let problem = match other {
                    None | Some(b"") => Problem::Missing("the type of the message"),
                    Some(_) => Problem::MessageType,
                };
                report(at(segment, problem));
                MessageKind::Other
            }
        };
        let message = Message {
            number: sms,
            kind,
            transaction_type: None,
            authority_cipher: None,
            responsible_gp: None,
            prepared_at: None,
            transactions: Vec::new(),
            receipts: Vec::new(),
            segments: 0,
            content: 0,
        };
        let reference = reference.to_vec();
        let content = ContentHash::default();
        Self { message, reference, content, transaction: None, receipts: ReceiptLines::default() }
    }

    /// Reads any segment of the message, `UNH` and `UNT` included.
    pub(super) fn add(&mut self, segment: &Segment<'_>, hash: SegmentHash, report: &mut impl FnMut(Defect)) {
        self.message.segments += 1;
        self.content.add(hash);
        match segment.bytes {
            [b'R', b'F', b'F', ..] => self.add_reference(segment, report),
            [b'N', b'A', b'D', ..] => self.add_party(segment),
            [b'D', b'T', b'M', ..] => self.add_time(segment, report),
            [b'N', b'H', b'S', ..] => self.add_parties_of_receipt(segment),
            _ => {}
        }
        // The group that opens the next transaction is no part of the one before it, nor is the trailer.
        if let Some(transaction) = &mut self.transaction
            && !matches!(segment.bytes, [b'S', b'0', b'1', ..] | [b'U', b'N', b'T', ..])
        {
            transaction.add(hash);
        }
    }

    fn add_reference(&mut self, segment: &Segment<'_>, report: &mut impl FnMut(Defect)) {
        let mut report = |problem| report(at(segment, problem));
        match segment.component(1, 0) {
            Some(b"TN") => {
                self.end_transaction();
                let tn = segment.component(1, 1).and_then(|text| number(text, LARGEST_TRANSACTION));
                if tn.is_none() {
                    report(Problem::Number("the transaction"));
                }
                self.message.transactions.push(Transaction { number: tn, content: 0 });
                self.transaction = Some(ContentHash::default());
            }
            // Of several the first is the message's.
            Some(b"950") if self.message.transaction_type.is_none() => {
                self.message.transaction_type = text(segment.component(1, 1));
                if self.message.known_type().is_none() {
                    report(Problem::TransactionType);
                }
            }
            Some(b"MIS") => {
                self.message.kind = MessageKind::Receipt;
                self.receipts.message(segment, report);
            }
            Some(b"RIS") => {
                self.message.kind = MessageKind::Receipt;
                self.receipts.interchange(segment, report);
            }
            _ => {}
        }
    }

    fn add_party(&mut self, segment: &Segment<'_>) {
        let party = match segment.component(1, 0) {
            Some(b"FHS") => &mut self.message.authority_cipher,
            Some(b"GP") => &mut self.message.responsible_gp,
            _ => return,
        };
        if party.is_none() {
            *party = text(segment.component(2, 0));
        }
    }

    fn add_parties_of_receipt(&mut self, segment: &Segment<'_>) {
        self.message.authority_cipher = text(segment.component(1, 0));
        self.message.responsible_gp = text(segment.component(2, 0));
    }

    fn add_time(&mut self, segment: &Segment<'_>, report: &mut impl FnMut(Defect)) {
        let read = match segment.component(1, 0) {
            Some(b"137") => segment.component(1, 1).and_then(|text| uk_time::instant_of_segment(text.trim_ascii())),
            Some(b"815") => time_of(segment),
            _ => return,
        };
        if read.is_none() {
            report(at(segment, Problem::Date("the message")));
        }
        self.message.prepared_at = read;
    }

    fn end_transaction(&mut self) {
        if let (Some(content), Some(transaction)) = (self.transaction.take(), self.message.transactions.last_mut()) {
            transaction.content = content.value();
        }
    }

    /// Whether a trailer has this message's reference. Leading zeros do not matter.
    pub(super) fn has_reference(&self, trailer: &[u8]) -> bool {
        let trailer = trailer.trim_ascii();
        trailer == self.reference || (self.message.number.is_some() && number(trailer, u64::MAX) == self.message.number)
    }

    pub(super) fn segments(&self) -> u64 {
        self.message.segments
    }

    /// Ends the message, at its `UNT` or at whatever came instead.
    pub(super) fn finish(mut self, last: &Segment<'_>, report: &mut impl FnMut(Defect)) -> Message {
        self.end_transaction();
        let mut report = |problem| report(at(last, problem));
        self.message.receipts = self.receipts.finish(&mut report);
        if self.message.kind == MessageKind::Registration && self.message.transaction_type.is_none() {
            report(Problem::Missing("the transaction type (RFF+950)"));
        }
        self.message.content = self.content.value();
        self.message
    }
}

pub(super) fn at(segment: &Segment<'_>, problem: Problem) -> Defect {
    Defect { problem, segment: segment.number, offset: segment.offset }
}
