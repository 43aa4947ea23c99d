//! The way out for mails: takes one object of the outbox at a time and hands it to a mail server.
//!
//! A mail has a `Message-ID` made of the outbox object's id, and the date of the object, so that the same object makes the
//! same mail: after an answer that was lost ([`MailProblem::OutcomeUnknown`]) a repetition can be told by its receiver.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use concord_connectors::mail::{Account, MailSender, MailSettings, MailTls, OutboxMail};
//! use concord_connectors::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut settings = MailSettings::new("smtp.example", 587, MailTls::StartTls, "list-reconciliation@example.nhs.uk");
//! settings.account =
//!     Some(Account { user: "list-reconciliation".to_owned(), password: Secret::from_file(Path::new("password"))? });
//! let sender = MailSender::new(settings)?;
//! let mail = OutboxMail::read(
//!     "7b207bdb-2937-4e17-a1a9-57a2bbf3e358",
//!     br#"{"service": "LR-14", "timestamp": "20210927112024", "to": ["a@nhs.net"], "subject": "s", "body": "b"}"#,
//! )?;
//! let delivered = sender.send(&mail)?;
//! assert!(delivered.refused.is_empty());
//! # Ok(())
//! # }
//! ```

mod error;
mod message;
mod outbox;
mod sender;
mod settings;

pub use error::{MailError, MailProblem};
pub use outbox::OutboxMail;
pub use sender::{Delivered, MailSender, RefusedRecipient};
pub use settings::{Account, MailSettings, MailTls};
