//! Bugs that can be planted in the engine, to test the tests: each must be noticed by one of them (`scripts/planted.sh`).
//!
//! They are here with the feature `planted-bugs` only; without it `is` is a constant `false`, and nothing of them is
//! compiled. One is chosen by `CONCORD_PLANTED_BUG=<name>`. With `CONCORD_INVARIANTS=off` the worker asserts no invariants, so
//! that a bug has to show by the harm it does.

#[cfg(feature = "planted-bugs")]
mod chosen;
#[cfg(feature = "planted-bugs")]
mod held_markers;

use crate::log::{LogError, LogErrorKind, LogResult, Offset, TopicPartition};

macro_rules! bugs {
    ($($bug:ident $name:literal $what:literal)*) => {
        /// A bug, by what it does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum PlantedBug {
            $(#[doc = $what] $bug,)*
        }

        impl PlantedBug {
            /// Every bug with its name and what it does.
            pub const ALL: &[(Self, &str, &str)] = &[$((Self::$bug, $name, $what),)*];
        }
    };
}

bugs! {
    // What is told of the input.
    NoOffsets "no-offsets" "no transaction carries positions"
    SkipOffsetsOfTimers "skip-offsets-of-timers" "a transaction of timers only carries no positions"
    PositionsOfOneTopic "positions-of-one-topic" "a transaction carries the positions of one topic only"
    PositionsOneBehind "positions-one-behind" "the position of the last record is sent, not of the next"
    PositionsOneAhead "positions-one-ahead" "the position sent is one too far"
    PositionsOfTheDisk "positions-of-the-disk" "processing begins at the positions stored with the state"
    PositionsBeforeFencing "positions-before-fencing" "positions are fetched before the predecessor is fenced"
    // The transaction and its outcome.
    StateBeforeCommit "state-before-commit" "the state is written before the commit"
    CommitWithoutDrain "commit-without-drain" "a commit does not wait for acknowledgements"
    UnknownIsCommitted "unknown-is-committed" "an unknown outcome counts as committed"
    UnknownIsAborted "unknown-is-aborted" "an unknown outcome counts as aborted"
    ProducerKeptAfterUnknown "producer-kept-after-unknown" "after an unknown outcome the same producer goes on"
    AbortWithoutAborting "abort-without-aborting" "an abort goes back, and leaves the transaction open for the next one"
    // What an abort or a rejection leaves.
    OverlayKept "overlay-kept" "an abort keeps the uncommitted state"
    PartsKept "parts-kept" "an abort keeps gathered parts"
    PartsDropped "parts-dropped" "a commit drops gathered parts"
    PartsOvertaken "parts-overtaken" "what is sent behind gathered parts stands before them"
    ProcessorKept "processor-kept" "an abort keeps what processors have in their fields"
    NoSeekAfterAbort "no-seek-after-abort" "an abort reads on where it was"
    PolledRecordsKept "polled-records-kept" "records polled before an abort are processed behind it"
    NoRollbackAfterRejection "no-rollback-after-rejection" "a rejected record leaves its state"
    // Restore.
    RestoreToStableEnd "restore-to-stable-end" "a restore ends at the last stable offset"
    RestoreUncommitted "restore-uncommitted" "a restore reads uncommitted records"
    RestoreOneStore "restore-one-store" "a task processes when the first of its stores is restored"
    NoReplayOfTheTail "no-replay-of-the-tail" "state found on disk is not brought up to date"
    ReplayPositionAhead "replay-position-ahead" "the end of the changelog is stored before all of it is applied"
    DerivedNotRestored "derived-not-restored" "stores that follow from others are not restored"
    HalfDeletedState "half-deleted-state" "a store that starts over loses its values and keeps its position"
    OldStateKept "old-state-kept" "state older than tombstones are kept is brought up to date, not made anew"
    IdleNotRenewed "idle-not-renewed" "a task without input commits nothing for as long as none comes"
    AnotherChangelogUnnoticed "another-changelog-unnoticed" "a changelog that was deleted and made again is not noticed"
    LateWritesApplied "late-writes-applied" "at least once, a restore applies what a former owner wrote late"
    TombstonesNotWritten "tombstones-not-written" "deletions do not reach the changelog"
    StreamTimeNotKept "stream-time-not-kept" "the stream time is not part of the state"
    // Timers.
    TimerNotNoted "timer-not-noted" "a timer that is set does not change when the task looks at its timers"
    NextTimersKept "next-timers-kept" "an abort keeps the time before which no timer is due"
    // Tasks that come and go.
    LostIsIgnored "lost-is-ignored" "a task whose partitions were lost is kept"
    RevokedWithoutCommit "revoked-without-commit" "a task is handed over with its outputs in the open transaction"
    ReleaseBeforeCommit "release-before-commit" "partitions are released before the commit"
    // Calls.
    CallBeforeCommit "call-before-commit" "a call begins before what asked for it is committed"
    ResultKeepsTheCall "result-keeps-the-call" "a result is handed over, and its call stays pending"
    ResultOfAnotherCall "result-of-another-call" "a result is taken for whatever call of its key is pending"
    // Records.
    OversizeDropped "oversize-dropped" "an output that the log refuses as too large is left out"
    RejectedDropped "rejected-dropped" "a rejected record gets no dead letter"
    ParkedSkipped "parked-skipped" "a record whose schema is not at hand is skipped"
    EndMarkerLost "end-marker-lost" "a broadcast leaves out the last partition"
    EndMarkerInMemory "end-marker-in-memory" "an end marker waits in memory for the next transaction, and goes with its task"
    // The databases.
    WalOff "wal-off" "databases write no log, and flush one column without the others"
}

#[cfg(feature = "planted-bugs")]
pub(crate) use held_markers::HeldMarkers;

/// Whether this bug is planted.
#[cfg(feature = "planted-bugs")]
pub(crate) fn is(bug: PlantedBug) -> bool {
    chosen::bug() == Some(bug)
}

/// Nothing is planted.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn is(_: PlantedBug) -> bool {
    false
}

/// Whether invariants are asserted.
#[cfg(feature = "planted-bugs")]
pub(crate) fn invariants_are_asserted() -> bool {
    chosen::invariants_are_asserted()
}

/// They are.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn invariants_are_asserted() -> bool {
    true
}

/// The positions that a commit sends.
pub(crate) fn change_positions(offsets: &mut Vec<(TopicPartition, Offset)>) {
    if is(PlantedBug::NoOffsets) {
        offsets.clear();
    }
    if is(PlantedBug::PositionsOfOneTopic)
        && let Some((first, _)) = offsets.first().cloned()
    {
        offsets.retain(|(from, _)| from.topic == first.topic);
    }
    let by = i64::from(is(PlantedBug::PositionsOneAhead)) - i64::from(is(PlantedBug::PositionsOneBehind));
    for (_, next) in offsets.iter_mut().filter(|(_, next)| *next > 0) {
        *next += by;
    }
}

/// Whether a commit without positions is what the bug wants.
pub(crate) fn leaves_out_positions(offsets: &[(TopicPartition, Offset)]) -> bool {
    offsets.is_empty() && (is(PlantedBug::NoOffsets) || is(PlantedBug::SkipOffsetsOfTimers))
}

/// The answer to a commit.
pub(crate) fn change_answer(answer: LogResult<()>) -> LogResult<()> {
    let unknown = |error: &LogError| !matches!(error.kind, LogErrorKind::MustAbort | LogErrorKind::Crashed);
    match answer {
        Err(error) if is(PlantedBug::UnknownIsCommitted) && unknown(&error) => Ok(()),
        answer => answer,
    }
}

/// Where processing begins.
pub(crate) fn change_start(positions: &mut [Offset], partitions: &[TopicPartition], on_disk: &[(String, i32, Offset)]) {
    if !is(PlantedBug::PositionsOfTheDisk) {
        return;
    }
    for (position, partition) in positions.iter_mut().zip(partitions) {
        let known = on_disk.iter().find(|(topic, p, _)| **topic == *partition.topic && *p == partition.partition);
        *position = known.map_or(*position, |(_, _, offset)| *offset);
    }
}
