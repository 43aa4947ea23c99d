//! Values of the topics on which PDS is asked and answers. The contract is `avro/*.avsc`; a test holds these types
//! against it.

use serde::{Deserialize, Serialize};

use crate::list_reconciliation::PdsRecord;

/// Topic of questions.
pub const PDS_LOOKUP: &str = "pds.lookup";
/// Topic of answers. A question and its answer have one key, and the topics as many partitions, so that an answer comes to the
/// task that asked.
pub const PDS_ANSWER: &str = "pds.answer";

/// PDS has a record of the person.
pub const FOUND: &str = "FOUND";
/// PDS has none.
pub const NOT_FOUND: &str = "NOT_FOUND";
/// It cannot be told.
pub const FAILED: &str = "FAILED";

/// A question to PDS: what does it hold of one person?
///
/// Topic `pds.lookup`, key: NHS number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdsLookup<'a> {
    /// The number that is asked for.
    pub nhs_number: &'a str,
    /// The job that wants to know; PDS is told it as the correlation id.
    pub job_id: &'a str,
}

/// The answer to a question to PDS.
///
/// Topic `pds.answer`, key: NHS number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdsAnswer<'a> {
    /// The number that was asked for.
    pub nhs_number: &'a str,
    /// The job that asked.
    pub job_id: &'a str,
    /// [`FOUND`], [`NOT_FOUND`] or [`FAILED`].
    pub outcome: &'a str,
    /// What PDS holds of the person; `None` unless found.
    #[serde(borrow)]
    pub record: Option<PdsRecord<'a>>,
    /// The stable code of a failure; empty otherwise.
    pub code: &'a str,
    /// When PDS answered, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}
