//! Stable codes of what the flow of patient documents rejects. Each stands in docs/OPERATIONS.md with cause and remedy.

/// A record under another key than its content says.
pub const KEY_DIFFERS: &str = "CONCORD-DC-0001";
/// An id of a document or a patient that cannot be one.
pub const BAD_ID: &str = "CONCORD-DC-0002";
/// A document that has neither bytes nor a place where they are.
pub const NO_CONTENT: &str = "CONCORD-DC-0003";
/// A request to read a document that nobody has uploaded.
pub const UNKNOWN_DOCUMENT: &str = "CONCORD-DC-0004";
/// A document that could not be read, after all attempts.
pub const NOT_READ: &str = "CONCORD-DC-0010";
/// The bytes of a document cannot be fetched.
pub const NOT_FETCHED: &str = "CONCORD-DC-0012";
/// The object store that has the bytes of a document does not answer, or cannot work now.
pub const STORE_AWAY: &str = "CONCORD-DC-0013";
/// A stored state, a request to a reader or its answer, of another program.
pub const FORM_UNREADABLE: &str = "CONCORD-DC-0011";
