//! Stable codes of what the audit rejects, or finds. Each stands in docs/OPERATIONS.md with cause and remedy.

/// A record under another key than its content says.
pub const KEY_DIFFERS: &str = "CONCORD-SA-0001";
/// A piece of a source of interchanges whose number is none of its.
pub const PIECE_NUMBER: &str = "CONCORD-SA-0002";
/// A piece of a source of interchanges is missing.
pub const PIECE_MISSING: &str = "CONCORD-SA-0003";
/// A stored state of another program.
pub const STATE_UNREADABLE: &str = "CONCORD-SA-0010";
/// A command that does not say who gives it, or why.
pub const COMMAND_BY_NOBODY: &str = "CONCORD-SA-0020";
/// A command about a counter that there is not, or numbers that there are not.
pub const COMMAND_SUBJECT: &str = "CONCORD-SA-0021";
/// An interchange that came under the workflow of another content.
pub const WORKFLOW_DIFFERS: &str = "CONCORD-SA-0030";
