//! Stable codes of answers that cannot be used. Each stands in docs/OPERATIONS.md with cause and remedy.

/// An answer about a job that does not exist.
pub const UNKNOWN_JOB: &str = "CONCORD-DP-0001";
/// Another answer about a job that has one.
pub const ANSWERED_ALREADY: &str = "CONCORD-DP-0002";
/// The answer has no trailer: its end is missing.
pub const CUT: &str = "CONCORD-DP-0003";
/// The trailer counts other lines than came, or other records than the extract has.
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
/// An answer about a job that an operator has ended.
pub const GIVEN_UP: &str = "CONCORD-DP-0010";
/// A piece of an answer whose beginning was never sent.
pub const NOT_OPENED: &str = "CONCORD-DP-0011";
/// A piece of an answer is missing.
pub const PIECE_MISSING: &str = "CONCORD-DP-0012";
/// An answer under another key than the job of its header, or under an id that is not its content's.
pub const KEY_DIFFERS: &str = "CONCORD-DP-0013";

const ASK_DPS: &str = "ask DPS for a whole answer about this job, and publish that";

/// What is to be done about an answer that is refused with each code.
const REMEDIES: [(&str, &str); 11] = [
    (UNKNOWN_JOB, "see whether the answer is for another installation; `concord jobs list` has the jobs of this one"),
    (ANSWERED_ALREADY, "the first answer holds; to use another, `concord jobs rerun` the job and have DPS answer that"),
    (CUT, ASK_DPS),
    (TOTALS_DIFFER, ASK_DPS),
    (LINE_INVALID, "tell DPS which lines and fields; schemas/json/dps-answer.schema.json says what they must be"),
    (HEADER_CONTRADICTS, "ask DPS which extract it has compared, and for the answer about this one"),
    (NOT_ASKED, "ask DPS where it has the extract from: it was refused here"),
    (VERSION_UNKNOWN, "upgrade this program, or ask DPS for the version it reads"),
    (GIVEN_UP, "none, or `concord jobs rerun` the job and have DPS answer that"),
    (NO_ANSWER, "ask DPS; a late answer is accepted"),
    (KEY_DIFFERS, "publish the answer with `concord produce dps-answer`"),
];

/// What is to be done about an answer that is refused with this code.
#[must_use]
pub fn remedy(code: &str) -> &'static str {
    REMEDIES.iter().find(|(known, _)| *known == code).map_or(ASK_DPS, |(_, remedy)| remedy)
}
