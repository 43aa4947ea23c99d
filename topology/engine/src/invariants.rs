//! The invariants of exactly-once processing, written once as pure functions over simple values. The worker asserts them in
//! debug builds ([`holds`]); the model of the commit cycle (`tests/commit_model`) asks them in every state and step.
//!
//! - I1: the state on disk holds only data of committed transactions.
//! - I2: a stored changelog position is at most what was applied; changelog values are whole, so replay repeats harmlessly.
//! - I3: a task processes only after its changelogs were replayed to the end taken after its committed positions.
//! - I4: input positions come only from the group.
//! - I5: outputs, changelogs, dead letters and positions of all tasks of a worker are in one transaction.
//! - I6: one live writer per task: membership is checked by every commit.
//! - I7: nobody assumes the outcome of a transaction whose outcome is unknown.
//! - I8: a call begins when what asked for it is committed, and not before.

use crate::log::{LogErrorKind, LogResult, Offset};
use crate::planted;

/// Which invariant is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the head of the module says what each is")]
pub enum Invariant {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
}

/// An invariant that does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant:?}: {what}")]
pub struct Broken {
    /// Which one.
    pub invariant: Invariant,
    /// What was found, without any record's content.
    pub what: String,
}

/// What a check answers.
pub type Checked = Result<(), Broken>;

/// Asserts a check in debug builds; in others it is not even made.
pub fn holds(check: impl FnOnce() -> Checked) {
    if cfg!(debug_assertions) && planted::invariants_are_asserted() {
        let checked = check();
        debug_assert!(checked.is_ok(), "{checked:?}");
    }
}

fn require(holds: bool, invariant: Invariant, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken { invariant, what: what() }) }
}

/// What a worker knows of the transaction it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nobody has decided yet.
    Open,
    /// The log has said that it is committed.
    Committed,
    /// The log has said that it is not.
    Aborted,
    /// The answer did not come, or said neither.
    Unknown,
}

impl Outcome {
    /// What the answer to a commit says. Only "it must be aborted" is certain among the failures.
    pub fn of_commit(answer: &LogResult<()>) -> Self {
        match answer {
            Ok(()) => Self::Committed,
            Err(error) if error.kind == LogErrorKind::MustAbort => Self::Aborted,
            Err(_) => Self::Unknown,
        }
    }
}

/// How a worker goes on after its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It keeps the state, as after a commit.
    Keep,
    /// It goes back to the positions it remembers.
    GoBack,
    /// It builds the producer anew and reads positions and changelogs again.
    ReadTheTruth,
}

/// I1: state is written when the transaction that carries it is known to be committed, and not before.
pub fn state_follows_the_commit(outcome: Outcome) -> Checked {
    require(outcome == Outcome::Committed, Invariant::I1, || {
        format!("state is written while its transaction is {outcome:?}")
    })
}

/// I1: what a task has on disk is what its changelog holds committed, up to the position stored with it.
pub fn state_is_what_was_committed<V: PartialEq + std::fmt::Debug>(state: &V, committed: &V) -> Checked {
    require(state == committed, Invariant::I1, || format!("the disk has {state:?}, committed is {committed:?}"))
}

/// I2: the position stored with the state is not beyond what was applied, and within the changelog.
pub fn stored_position_is_covered(stored: Offset, applied: Offset) -> Checked {
    require((0..=applied).contains(&stored), Invariant::I2, || format!("stored is {stored}, applied up to {applied}"))
}

/// I2: applying committed changelog records that were applied before changes nothing.
pub fn replay_repeats_harmlessly<V: PartialEq + std::fmt::Debug>(state: &V, replayed_again: &V) -> Checked {
    require(state == replayed_again, Invariant::I2, || format!("replaying again makes {replayed_again:?} of {state:?}"))
}

/// I3: the ends of changelogs are taken when the committed positions are known, and those when the worker's former
/// transactions are settled.
pub fn restore_is_in_order(former_transactions_settled: bool, positions_known: bool) -> Checked {
    require(former_transactions_settled && positions_known, Invariant::I3, || {
        format!(
            "ends are taken with former transactions settled: {former_transactions_settled}, positions known: {positions_known}"
        )
    })
}

/// I3: replay ends at or behind the target.
pub fn restored_to_the_end(position: Offset, target: Offset) -> Checked {
    require(position >= target, Invariant::I3, || format!("replay stopped at {position}, before {target}"))
}

/// I4: processing begins where the group's committed position stands.
pub fn position_is_the_groups(position: Offset, committed: Offset) -> Checked {
    require(position == committed && position >= 0, Invariant::I4, || {
        format!("processing begins at {position}, committed is {committed}")
    })
}

/// I5: the transaction names a position of everyone who wrote in it.
pub fn writers_name_their_positions<T: PartialEq + std::fmt::Debug>(wrote: &[T], named: &[T]) -> Checked {
    require(wrote.iter().all(|writer| named.contains(writer)), Invariant::I5, || {
        format!("{wrote:?} wrote, positions are of {named:?} only")
    })
}

/// I6: the log fences a commit by the positions in it and the membership sent with them; without either it would not.
pub fn commit_is_fenced(positions: usize, generation: i32, member: &str) -> Checked {
    require(positions > 0 && generation >= 1 && !member.is_empty(), Invariant::I6, || {
        format!("{positions} positions of generation {generation}, member named: {}", !member.is_empty())
    })
}

/// I6: whoever commits for a task has it.
pub fn committer_has_the_task(has_it: bool, task: &impl std::fmt::Debug) -> Checked {
    require(has_it, Invariant::I6, || format!("a commit for {task:?}, which is not the committer's"))
}

/// I7: each outcome has one answer, and that to an unknown one is to read the truth again, which fits the others too.
pub fn answer_fits_the_outcome(outcome: Outcome, answer: Answer) -> Checked {
    let fits = match outcome {
        Outcome::Committed => matches!(answer, Answer::Keep | Answer::ReadTheTruth),
        Outcome::Open | Outcome::Aborted => matches!(answer, Answer::GoBack | Answer::ReadTheTruth),
        Outcome::Unknown => answer == Answer::ReadTheTruth,
    };
    require(fits, Invariant::I7, || format!("the answer to {outcome:?} is {answer:?}"))
}

/// I8: what begins is committed, so that nothing outside happens for a transaction that never was.
pub fn call_is_committed(is_committed: bool) -> Checked {
    require(is_committed, Invariant::I8, || {
        "a call begins before the transaction that asked for it is committed".to_owned()
    })
}
