//! Stable codes of what readers of EDIFACT and of the earlier adaptor's documents report. Each stands in
//! docs/OPERATIONS.md with cause and remedy.

/// The count of an envelope is not what it holds.
pub const COUNT_DIFFERS: &str = "CONCORD-EF-0001";
/// A trailer names another reference than its header.
pub const REFERENCE_DIFFERS: &str = "CONCORD-EF-0002";
/// A terminator, a trailer or a header is missing.
pub const UNFINISHED: &str = "CONCORD-EF-0003";
/// A segment where none can be, or no EDIFACT at all.
pub const OUT_OF_PLACE: &str = "CONCORD-EF-0004";
/// A number that is none: not digits, zero, or too large.
pub const NUMBER_UNUSABLE: &str = "CONCORD-EF-0005";
/// An element is missing.
pub const ELEMENT_MISSING: &str = "CONCORD-EF-0006";
/// A date or time that is none.
pub const DATE_UNUSABLE: &str = "CONCORD-EF-0007";
/// The messages of an interchange are not numbered one after the other.
pub const MESSAGES_NOT_IN_SEQUENCE: &str = "CONCORD-EF-0008";
/// An interchange and its messages do not agree on what they are.
pub const TYPES_DIFFER: &str = "CONCORD-EF-0009";
/// The sender of an interchange is its recipient.
pub const SENDER_IS_RECIPIENT: &str = "CONCORD-EF-0010";
/// A segment is longer than can be read.
pub const SEGMENT_TOO_LONG: &str = "CONCORD-EF-0011";
/// A service string advice that cannot be obeyed.
pub const ADVICE_UNUSABLE: &str = "CONCORD-EF-0012";
/// A receipt with a code, a form or a count that is none of its.
pub const RECEIPT_UNUSABLE: &str = "CONCORD-EF-0013";
/// A transaction type that nobody knows, or none.
pub const TRANSACTION_TYPE_UNKNOWN: &str = "CONCORD-EF-0014";
/// A message that is neither a registration nor a receipt.
pub const MESSAGE_TYPE_UNKNOWN: &str = "CONCORD-EF-0015";
