//! Places at which a process can be made to die, to test that it may die anywhere.
//!
//! They are here with debug assertions only; in a release build `failpoint!` is nothing. `CONCORD_FAILPOINT=<name>:<n>` ends
//! the process at the n-th passing of that point, as a crash would: nothing is unwound, nothing is closed. With `:hang` behind it
//! the thread stays at that point for ever, and the process lives.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What makes a process pass a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Records to process.
    ByWork,
    /// Another member that comes or goes.
    ByHandOver,
    /// A start, with whatever is on the disk.
    ByStart,
    /// A start without a disk.
    ByStartWithoutState,
    /// A start with state whose changelogs were made again.
    ByStartWithForeignState,
    /// A start with state older than tombstones are kept.
    ByStartWithOldState,
    /// A start behind a crash while a store was emptied.
    ByStartWithHalfClearedState,
    /// A connector at work, which is another process than the one that processes.
    ByConnector,
}

macro_rules! failpoints {
    ($($point:ident $name:literal $later:literal $reached:ident $what:literal)*) => {
        /// A point, by what was done last.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Failpoint {
            $(#[doc = $what] $point,)*
        }

        impl Failpoint {
            /// Every point.
            pub const ALL: &[Self] = &[$(Self::$point,)*];

            /// What `CONCORD_FAILPOINT` calls it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }

            /// How a process is made to pass it.
            pub fn reached(self) -> Reached {
                match self {
                    $(Self::$point => Reached::$reached,)*
                }
            }

            /// A passing behind the first that differs from it: another task, another commit, another slice.
            pub fn later_passing(self) -> u64 {
                match self {
                    $(Self::$point => $later,)*
                }
            }
        }
    };
}

failpoints! {
    // A record and a timer.
    TransactionBegun "transaction.begun" 3 ByWork "a transaction is open, nothing is in it"
    RecordSent "record.sent" 10 ByWork "the outputs of a record are sent, its position has not moved"
    TimerSent "timer.sent" 3 ByWork "the outputs of a timer are sent"
    // The commit.
    CommitBegun "commit.begun" 3 ByWork "a commit begins"
    CommitPartsSent "commit.parts-sent" 3 ByWork "gathered parts are sent, changelogs are not"
    CommitChangelogsSent "commit.changelogs-sent" 3 ByWork "the changelogs are sent, and not acknowledged"
    CommitDrained "commit.drained" 3 ByWork "everything is acknowledged"
    CommitPositionsSent "commit.positions-sent" 3 ByWork "the positions are in the transaction"
    CommitDecided "commit.decided" 3 ByWork "the transaction is committed, the disk knows nothing of it"
    CommitEnded "commit.ended" 3 ByWork "the disks of all tasks are written"
    CommitWriteBegins "write.commit-begins" 3 ByWork "the batch of a task's commit is about to be written"
    CommitWriteEnded "write.commit-ended" 3 ByWork "the batch of a task's commit is written"
    // Tasks that come and go.
    AssignBegun "assign.begun" 2 ByHandOver "partitions came, no task is open"
    RevokeBegun "revoke.begun" 1 ByHandOver "partitions go, nothing is committed for that"
    RevokeCommitted "revoke.committed" 1 ByHandOver "what was done is committed, the tasks are open"
    FlushBegins "write.flush-begins" 3 ByHandOver "a task that goes is about to be flushed"
    FlushEnded "write.flush-ended" 3 ByHandOver "a task that goes is flushed"
    RevokeClosed "revoke.closed" 1 ByHandOver "the tasks are closed, the partitions are still here"
    RevokeReleased "revoke.released" 2 ByHandOver "the partitions are released"
    TaskOpened "assign.task-opened" 3 ByStart "a task is open, its partitions are not restored"
    // A database is opened.
    DatabaseOpened "open.database-opened" 3 ByStartWithoutState "a database is made, nothing is in it"
    DatabaseDescribed "open.rows-written" 3 ByStartWithoutState "a database says what its stores are"
    // Restore.
    RestoreFenced "restore.fenced" 1 ByStart "predecessors are fenced, no position is read"
    RestorePositionsRead "restore.positions-read" 3 ByStart "the committed positions are read, no end of a changelog is"
    RestoreEndsTaken "restore.ends-taken" 1 ByStart "the ends of all changelogs are taken"
    IdentityWriteBegins "write.identity-begins" 3 ByStartWithoutState "the identity of a changelog is about to be written"
    IdentityWriteEnded "write.identity-ended" 3 ByStartWithoutState "the identity of a changelog is written, nothing of it is"
    RestoreBegun "restore.begun" 3 ByStart "a task is about to read its changelogs"
    RestoredWriteBegins "write.restored-begins" 9 ByStartWithoutState "a slice of a changelog is about to be written"
    RestoredWriteEnded "write.restored-ended" 9 ByStartWithoutState "a slice of a changelog is written"
    RestoreStoreEnded "restore.store-ended" 5 ByStart "a store is at the end of its changelog"
    MarkWriteBegins "write.mark-begins" 3 ByStart "a task is about to be marked as up to date"
    MarkWriteEnded "write.mark-ended" 3 ByStart "a task is marked as up to date"
    RestoreEnded "restore.ended" 3 ByStart "a task processes from now on"
    // A store starts over.
    ClearBegins "write.clear-begins" 3 ByStartWithForeignState "a store is about to be emptied"
    ClearEnded "write.clear-ended" 3 ByStartWithForeignState "a store is empty, with those that follow from it"
    StoreCleared "restore.cleared" 3 ByStartWithForeignState "a store is empty, and not yet of another changelog"
    OldStateCleared "restore.old-state-cleared" 1 ByStartWithOldState "the stores of a task older than tombstones are empty"
    OldStateMarked "restore.old-state-marked" 2 ByStartWithOldState "a task older than tombstones is young again"
    ClearInPart "write.clear-in-part" 2 ByStartWithForeignState "a store that follows is empty, its source is not"
    DerivedCleared "derived.cleared" 1 ByStartWithHalfClearedState "a store that follows is emptied to be made again"
    DerivedWriteBegins "write.derived-begins" 2 ByStartWithHalfClearedState "entries that follow are about to be written"
    DerivedWriteEnded "write.derived-ended" 2 ByStartWithHalfClearedState "entries that follow are written"
    // A connector.
    InputHere "input.here" 1 ByConnector "an input is here whole, nothing of it is in the log"
    InputInLog "input.in-log" 1 ByConnector "an input is in the log, and still where it came from"
    ResultHandedOver "result.handed-over" 2 ByConnector "a result is handed over, the log does not know it"
    ResultCommitted "result.committed" 1 ByConnector "the log knows that results are handed over"
    MailRead "mail.read" 1 ByConnector "a mail is read, the server has not got it"
    MailHandedOver "mail.handed-over" 1 ByConnector "a mail is handed over, the log does not know it"
    MailCommitted "mail.committed" 1 ByConnector "the log knows that a mail is handed over"
}

/// The environment variable that names a point and a passing.
pub const VARIABLE: &str = "CONCORD_FAILPOINT";

/// What the process says as its last word: the test that it died there and not elsewhere.
pub fn last_word(point: Failpoint, passing: u64) -> String {
    format!("FAILPOINT {} passed {passing} times: the process ends here", point.name())
}

/// What becomes of whoever comes to the point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Dies,
    Hangs,
}

/// Ends the process, or holds the thread, if it was told to here. Called by `failpoint!`.
pub fn pass(point: Failpoint) {
    static CHOSEN: OnceLock<Option<(Failpoint, u64, Fate)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some((chosen, passing, fate)) = *CHOSEN.get_or_init(chosen) else { return };
    if point != chosen || PASSED.fetch_add(1, Ordering::Relaxed) + 1 != passing {
        return;
    }
    match fate {
        Fate::Dies => {
            eprintln!("{}", last_word(point, passing));
            std::process::abort();
        }
        Fate::Hangs => loop {
            std::thread::park();
        },
    }
}

/// What the environment names. A point that nobody knows ends the process: a run that dies nowhere would pass for one that
/// survives everything.
fn chosen() -> Option<(Failpoint, u64, Fate)> {
    let text = std::env::var(VARIABLE).ok()?;
    let (place, fate) = text.strip_suffix(":hang").map_or((&*text, Fate::Dies), |place| (place, Fate::Hangs));
    let found = place.split_once(':').and_then(|(name, passing)| {
        let point = Failpoint::ALL.iter().find(|point| point.name() == name)?;
        Some((*point, passing.parse().ok().filter(|passing| *passing > 0)?, fate))
    });
    if found.is_none() {
        eprintln!("{VARIABLE}={text}: write the name of a point and a passing, such as commit.drained:3");
        std::process::exit(64);
    }
    found
}

/// Says that the process is at this point.
#[macro_export]
macro_rules! failpoint {
    ($point:ident) => {
        $crate::failpoints::pass($crate::failpoints::Failpoint::$point)
    };
}
