//! Stable codes of what the flow rejects. Each stands in docs/OPERATIONS.md with cause and remedy.

/// A piece of an extract whose beginning was never sent.
pub const EXTRACT_NOT_OPENED: &str = "CONCORD-LR-0001";
/// A piece of an extract is missing.
pub const EXTRACT_PIECE_MISSING: &str = "CONCORD-LR-0002";
/// An extract's event under another key than its job.
pub const EXTRACT_KEY_DIFFERS: &str = "CONCORD-LR-0003";
/// A processing time outside the calendar.
pub const TIME_OUT_OF_RANGE: &str = "CONCORD-LR-0004";
/// A PDS record under another key than its NHS number.
pub const PDS_KEY_DIFFERS: &str = "CONCORD-LR-0010";
/// A PDS record whose NHS number has a wrong check digit.
pub const PDS_NHS_NUMBER_INVALID: &str = "CONCORD-LR-0011";
/// A PDS record with a gender that FHIR does not know.
pub const PDS_GENDER_UNKNOWN: &str = "CONCORD-LR-0012";
/// A registration under another key than its NHS number, or with a wrong check digit.
pub const REGISTRATION_INVALID: &str = "CONCORD-LR-0013";
/// Stored progress of a job that this program cannot read.
pub const PROGRESS_UNREADABLE: &str = "CONCORD-LR-0020";
/// A command under another key than its subject.
pub const COMMAND_KEY_DIFFERS: &str = "CONCORD-LR-0030";
/// A command for a route that there is not.
pub const ROUTE_UNKNOWN: &str = "CONCORD-LR-0031";
/// A command that does not say who gives it.
pub const COMMAND_BY_NOBODY: &str = "CONCORD-LR-0032";
/// A delivery under another key than its job.
pub const DELIVERY_KEY_DIFFERS: &str = "CONCORD-LR-0033";
/// An answer of PDS that is none.
pub const LOOKUP_ANSWER_UNUSABLE: &str = "CONCORD-LR-0040";
