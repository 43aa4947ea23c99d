//! Reading and writing the EDIFACT of GP Links: the envelope of interchanges and messages, receipts, and of registrations
//! what numbers, types, parties and dates need.
//!
//! Reading has three layers, each over the one before: [`Lexer`] cuts bytes into segments, [`EnvelopeReader`] finds
//! interchanges and messages in them, [`InterchangeReader`] collects whole interchanges and is strict or lenient. Nothing
//! here panics, whatever the bytes. Values are bytes as far as nothing says how they are encoded; what is reported never
//! holds a value of a message's body.

mod codes;
mod collecting;
mod defect;
mod envelope;
mod fields;
mod hashing;
mod lexer;
mod message;
mod receipt;
mod segment;
mod separators;
mod uk_time;
mod writer;

pub use codes::NUMBER_UNUSABLE;
pub use collecting::{Interchange, InterchangeReader, RefusedInterchange, Strictness, read_interchanges};
pub use defect::{Defect, Problem};
pub use envelope::{EnvelopeReader, Event, InterchangeEnd, InterchangeHeader};
pub use lexer::{LONGEST_SEGMENT, Lexed, Lexer};
pub use message::{Message, MessageKind, Transaction};
pub use receipt::{InterchangeCode, MessageCode, MessageReceipt, Receipt};
pub use segment::{Segment, unescaped};
pub use separators::Separators;
pub use writer::{InterchangeWriter, RegistrationText, TransactionText, escaped, recep_for};

/// The largest number of an interchange (SIS) or a message (SMS).
pub const LARGEST_REFERENCE: u64 = 99_999_999;
/// The largest transaction number that a GP system gives. Health Authorities give larger ones.
pub const LARGEST_GP_TRANSACTION: u64 = 9_999_999;

#[cfg(test)]
mod tests;
