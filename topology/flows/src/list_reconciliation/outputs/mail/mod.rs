//! The mails about a job, and the object in which the outbox holds one.
//!
//! Their readers know the wording; docs/decisions/0007 says what of it is kept although it is odd.

mod copy;
mod failure;
mod outbox;
mod success;
mod unfinished;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use copy::{CopyMail, copy_mail};
pub use failure::{FailureMail, FailureReasons, InvalidRecordReasons, failure_mail};
pub use outbox::{COPY_SERVICE, FAILURE_SERVICE, SUCCESS_SERVICE, write_outbox_mail};
pub use success::{SuccessMail, success_mail};
pub use unfinished::{UnfinishedMail, unfinished_mail};

/// What a mail says. Lines end with a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// `HH:MM:SS on DD/MM/YYYY` in a time zone.
fn time_in(zone: TimeZone, at_ms: i64) -> Result<String, jiff::Error> {
    let at = Timestamp::from_millisecond(at_ms)?.to_zoned(zone);
    Ok(at.strftime("%H:%M:%S on %d/%m/%Y").to_string())
}
