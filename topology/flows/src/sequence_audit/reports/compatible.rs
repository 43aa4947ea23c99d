//! The answers that the earlier queries gave, over the documents they were asked of.

use concord_schemas::gp_links::{DocumentWorkflow, StateDocument};
use jiff::Timestamp;

use super::super::counter::{Counter, NumberRange};

/// What was asked. Both bounds of the time are exclusive: a document exactly at one of them is outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'words> {
    /// After this.
    pub from: Timestamp,
    /// Before this.
    pub to: Timestamp,
    /// Of this sender; `None` for all, which only the question for receipts allowed.
    pub sender: Option<&'words str>,
    /// To this recipient.
    pub recipient: Option<&'words str>,
}

/// Which missing numbers the query named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingNumbers {
    /// It gave no row: no document, one number, or no gap. Which of these it did not say.
    NoRow,
    /// The numbers, as ranges in ascending order.
    Numbers(Vec<NumberRange>),
    /// It failed: no document in the window has the number, or what the field holds is none (error 34443).
    NoNumber,
    /// It failed: more numbers lie between the smallest and the largest than the database makes a list of.
    TooMany {
        /// The largest less the smallest.
        span: i64,
    },
    /// It failed: with so many numbers its one result is longer than a document may be.
    TooLong {
        /// How many are missing.
        missing: u64,
    },
}

/// What the query was asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A number.
    Number(Counter),
    /// `translationTimestamp`, which the document that describes the reports allows, and which is no number.
    TranslationTimestamp,
}

/// The most numbers that `$range` makes: 100 MiB at 16 bytes each.
const LONGEST_RANGE: i64 = 6_553_597;
/// The largest document, in bytes.
const LARGEST_DOCUMENT: u64 = 16 << 20;

/// Releases, as far as their queries and fields differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// Up to 1.3.1, and the document that describes the reports: flat fields, no difference made between workflows.
    #[default]
    Early,
    /// From 1.4.0: the receipt is a document of its own, and only registrations are looked at.
    Current,
}

/// The missing sequence number report.
///
/// A number is missing when it lies between the smallest and the largest of the question's documents and *no document at all*
/// has it, whatever its pair, time or workflow.
#[must_use]
pub fn missing_numbers(documents: &[StateDocument], field: Field, question: &Question<'_>) -> MissingNumbers {
    let mut asked = documents.iter().filter(|document| question.is_about(document)).peekable();
    if asked.peek().is_none() {
        return MissingNumbers::NoRow;
    }
    let Field::Number(field) = field else { return MissingNumbers::NoNumber };
    let numbers: Vec<i64> = asked.filter_map(|document| number_of(document, field)).collect();
    let (Some(&smallest), Some(&largest)) = (numbers.iter().min(), numbers.iter().max()) else {
        return MissingNumbers::NoNumber;
    };
    let span = largest - smallest;
    if span > LONGEST_RANGE {
        return MissingNumbers::TooMany { span };
    }
    let everywhere = documents.iter().filter_map(|document| number_of(document, field));
    let mut present: Vec<i64> = everywhere.filter(|number| (smallest..=largest).contains(number)).collect();
    present.sort_unstable();
    let holes = present.windows(2).filter(|pair| pair[1] - pair[0] > 1);
    let missing: Vec<NumberRange> = holes.map(|pair| range(pair[0] + 1, pair[1] - 1)).collect();
    let count = missing.iter().map(|range| range.to - range.from + 1).sum();
    match count {
        0 => MissingNumbers::NoRow,
        missing if bytes_of_result(missing) > LARGEST_DOCUMENT => MissingNumbers::TooLong { missing },
        _ => MissingNumbers::Numbers(missing),
    }
}

/// BSON of `{ _id: null, missingNumbers: [...] }` with so many numbers of 32 bits: an element has a type, its place in digits, and a zero
/// before its number.
fn bytes_of_result(numbers: u64) -> u64 {
    const AROUND: u64 = 4 + "_id".len() as u64 + 2 + "missingNumbers".len() as u64 + 2 + 4 + 1 + 1;
    let (mut bytes, mut digits, mut from) = (AROUND, 1, 0);
    while from < numbers {
        let to = numbers.min(10_u64.pow(digits));
        bytes += (to - from) * (u64::from(digits) + 6);
        (from, digits) = (to, digits + 1);
    }
    bytes
}

/// Whether the missing receipt report has a document of `outboundState`: before release 1.4.0 receipts that were sent are among them.
#[must_use]
pub fn is_missing_receipt(document: &StateDocument, release: Release, question: &Question<'_>) -> bool {
    let lacks_receipt = match release {
        Release::Early => document.recep_code.is_none() || document.recep_date_time.is_none(),
        Release::Current => document.workflow == DocumentWorkflow::Registration && document.recep.is_none(),
    };
    lacks_receipt && question.is_about(document)
}

/// The third report: interchanges from one number to another, both included, with their operations. Receipts are among them,
/// without an operation; numbers that go over the largest are not understood.
pub fn operations<'all>(
    documents: &'all [StateDocument],
    sender: &str,
    recipient: &str,
    from: i64,
    to: i64,
) -> Vec<(i64, Option<&'all str>)> {
    let of_pair = documents.iter().filter(|document| document.sender == sender && document.recipient == recipient);
    let numbered = of_pair.filter_map(|document| Some((document.interchange?, document.operation_id.as_deref())));
    numbered.filter(|(interchange, _)| (from..=to).contains(interchange)).collect()
}

impl Question<'_> {
    fn is_about(&self, document: &StateDocument) -> bool {
        let is_named = |asked: Option<&str>, code: &str| asked.is_none_or(|asked| asked == code);
        document.translated_at.is_some_and(|at| self.from < at && at < self.to)
            && is_named(self.sender, &document.sender)
            && is_named(self.recipient, &document.recipient)
    }
}

fn number_of(document: &StateDocument, field: Counter) -> Option<i64> {
    match field {
        Counter::Sis => document.interchange,
        Counter::Sms => document.message,
        Counter::Tn => document.transaction,
    }
}

fn range(from: i64, to: i64) -> NumberRange {
    NumberRange { from: from.cast_unsigned(), to: to.cast_unsigned() }
}
