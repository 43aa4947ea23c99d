//! Stable codes of answers that cannot be used. Each stands in docs/OPERATIONS.md with cause and remedy.

/// An answer about a job that does not exist.
pub const UNKNOWN_JOB: &str = "CONCORD-DP-0001";
/// Another answer about a job that has one.
pub const ANSWERED_ALREADY: &str = "CONCORD-DP-0002";
/// The answer has no trailer: its end is missing.
pub const CUT: &str = "CONCORD-DP-0003";
/// The trailer counts other lines than came.
pub const TOTALS_DIFFER: &str = "CONCORD-DP-0004";
/// A line is not as the schema describes it, or contradicts itself or the ones before.
pub const LINE_INVALID: &str = "CONCORD-DP-0005";
/// The header names another practice or file than the job has.
pub const HEADER_CONTRADICTS: &str = "CONCORD-DP-0006";
/// An answer about a job that was never sent to DPS.
pub const NOT_ASKED: &str = "CONCORD-DP-0007";
/// No answer came in time.
pub const NO_ANSWER: &str = "CONCORD-DP-0008";
/// The answer is written in a version that this program does not know.
pub const VERSION_UNKNOWN: &str = "CONCORD-DP-0009";
