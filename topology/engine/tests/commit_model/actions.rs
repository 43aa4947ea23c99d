//! What can happen next, and what it leads to.

use std::fmt;

use crate::TASKS;
use crate::cluster::{Cluster, LatePositions, Problem, Scenario};
use crate::log::Phase as Transacting;
use crate::mistakes::Mistake;
use crate::worker::{Membership, Phase, Producer, Step, Stored, each_worker};

/// One step of a worker, of the log, or of bad luck; `w` is the worker, `t` the task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Start { w: usize },
    TakeAssigned { w: usize, t: usize },
    TakeRevoked { w: usize, t: usize },
    TakeLost { w: usize },
    Init { w: usize },
    FetchPositions { w: usize, t: usize },
    FetchEnd { w: usize, t: usize },
    Replay { w: usize, t: usize },
    Process { w: usize, t: usize },
    FireTimer { w: usize, t: usize },
    SendOwedMarker { w: usize, t: usize },
    BeginCommit { w: usize },
    Advance { w: usize },
    // The log.
    MarkChangelog { w: usize, t: usize },
    MarkGroup { w: usize },
    LateCommitArrives { w: usize },
    LatePositionsArrive { w: usize },
    DeadSessionEnds { w: usize },
    // Faults.
    Crash { w: usize },
    CrashAndDiskLost { w: usize },
    CrashWhileCommitting { w: usize },
    SessionEnds { w: usize },
    TransactionTimesOut { w: usize },
    DeliveryFails { w: usize },
    ProducerBreaks { w: usize },
    CommitAnswerLost { w: usize },
    PositionsAnswerLost { w: usize },
    ChangelogTrimmed { t: usize },
}

impl Action {
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Crash { .. }
                | Self::CrashAndDiskLost { .. }
                | Self::CrashWhileCommitting { .. }
                | Self::SessionEnds { .. }
                | Self::TransactionTimesOut { .. }
                | Self::DeliveryFails { .. }
                | Self::ProducerBreaks { .. }
                | Self::CommitAnswerLost { .. }
                | Self::PositionsAnswerLost { .. }
                | Self::ChangelogTrimmed { .. }
        )
    }

    /// Where the worker is that goes on or is killed; of other actions, nothing.
    pub fn step(self, before: &Cluster) -> Step {
        match self {
            Self::Advance { w } | Self::Crash { w } => before.workers[w].step,
            _ => Step::Idle,
        }
    }

    /// The action in words; what `Advance` does depends on where the worker is.
    pub fn describe(self, before: &Cluster) -> String {
        match self {
            Self::Advance { w } => format!("worker {w}: {:?}", before.workers[w].step),
            Self::Crash { w } => format!("worker {w} is killed at {:?}", before.workers[w].step),
            other => Text(other).to_string(),
        }
    }
}

struct Text(Action);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Action as A;
        match self.0 {
            A::Start { w } => write!(f, "worker {w} starts"),
            A::TakeAssigned { w, t } => write!(f, "worker {w} is given task {t}"),
            A::TakeRevoked { w, t } => write!(f, "worker {w} is asked to give task {t} back"),
            A::TakeLost { w } => write!(f, "worker {w} is told that its tasks are lost"),
            A::Init { w } => write!(f, "worker {w} initialises its producer"),
            A::FetchPositions { w, t } => write!(f, "worker {w} reads the committed position of task {t}"),
            A::FetchEnd { w, t } => write!(f, "worker {w} reads the end of changelog {t}"),
            A::Replay { w, t } => write!(f, "worker {w} replays changelog {t}"),
            A::Process { w, t } => write!(f, "worker {w} processes an input of task {t}"),
            A::FireTimer { w, t } => write!(f, "worker {w} fires the timer of task {t}"),
            A::SendOwedMarker { w, t } => write!(f, "worker {w} sends the end marker it still owes for task {t}"),
            A::BeginCommit { w } => write!(f, "worker {w} begins to commit"),
            A::Advance { w } => write!(f, "worker {w} goes on"),
            A::MarkChangelog { w, t } => write!(f, "the marker of worker {w}'s transaction reaches changelog {t}"),
            A::MarkGroup { w } => write!(f, "the marker of worker {w}'s transaction reaches the group"),
            A::LateCommitArrives { w } => write!(f, "the late commit of worker {w} reaches the coordinator"),
            A::LatePositionsArrive { w } => write!(f, "the late positions of worker {w} reach the group"),
            A::DeadSessionEnds { w } => write!(f, "the session of dead worker {w} ends"),
            A::Crash { w } => write!(f, "worker {w} is killed"),
            A::CrashAndDiskLost { w } => write!(f, "worker {w} is killed and its disk lost"),
            A::CrashWhileCommitting { w } => write!(f, "worker {w} is killed with its commit on the way"),
            A::SessionEnds { w } => write!(f, "the session of worker {w} ends, unnoticed by it"),
            A::TransactionTimesOut { w } => write!(f, "the transaction of worker {w} times out"),
            A::DeliveryFails { w } => write!(f, "a delivery of worker {w} fails"),
            A::ProducerBreaks { w } => write!(f, "the producer of worker {w} fails for good"),
            A::CommitAnswerLost { w } => write!(f, "the commit of worker {w} is late and its answer lost"),
            A::PositionsAnswerLost { w } => write!(f, "the positions of worker {w} are late and their answer lost"),
            A::ChangelogTrimmed { t } => write!(f, "changelog {t} is trimmed to its committed end"),
        }
    }
}

/// Everything that can happen in a situation.
pub fn enabled(scenario: &Scenario, now: &Cluster, into: &mut Vec<Action>) {
    into.clear();
    let keeps = |w: &usize| matches!(now.workers[*w].step, Step::KeepState(_));
    if scenario.mistake != Mistake::StoredPositionIsTheEnd
        && let Some(w) = each_worker().find(keeps)
    {
        // What a worker writes to its disk nobody else sees, and it sees nobody: the others can as well come in behind it.
        into.push(Action::Advance { w });
        if now.faults_left > 0 {
            into.extend([Action::Crash { w }, Action::CrashAndDiskLost { w }]);
        }
        return;
    }
    for w in each_worker() {
        of_worker(scenario, now, w, into);
        of_log(now, w, into);
    }
    if into.is_empty() {
        each_worker().for_each(|w| markers(now, w, &|_, _| true, into));
    }
    if now.faults_left > 0 {
        each_worker().for_each(|w| faults(scenario, now, w, into));
    }
    if now.faults_left > 0 {
        for t in 0..TASKS {
            let trims = now.changelogs[t].last_stable() > 0;
            let somebody_is_below = each_worker().any(
                |w| matches!(now.workers[w].disks[t].position, Stored::At(p) if p < now.changelogs[t].last_stable()),
            );
            if trims && somebody_is_below {
                into.push(Action::ChangelogTrimmed { t });
            }
        }
    }
}

fn of_worker(scenario: &Scenario, now: &Cluster, w: usize, into: &mut Vec<Action>) {
    let worker = &now.workers[w];
    if !worker.is_up {
        into.push(Action::Start { w });
        return;
    }
    if worker.step != Step::Idle {
        into.push(Action::Advance { w });
        return;
    }
    if matches!(worker.membership, Membership::Zombie | Membership::Lost) {
        into.push(Action::TakeLost { w });
    }
    if !worker.is_free() {
        return;
    }
    let transaction = &now.transactions[w];
    if may_init(scenario, now, w) {
        into.push(Action::Init { w });
    }
    let can_write = !transaction.is_decided() && worker.producer != Producer::New;
    for t in 0..TASKS {
        of_task(scenario, now, w, t, can_write, into);
    }
    let is_open = transaction.phase == Transacting::Open && worker.producer == Producer::Ready;
    if worker.producer != Producer::New && (worker.is_dirty() || is_open) {
        into.push(Action::BeginCommit { w });
    }
}

/// Where the predecessor has left a transaction. Without one nothing is to wait for: see `init_if_settled`.
fn may_init(scenario: &Scenario, now: &Cluster, w: usize) -> bool {
    let worker = &now.workers[w];
    let waits = scenario.mistake == Mistake::PositionsBeforeInit
        && worker.tasks.iter().flatten().any(|task| task.phase == Phase::Joining);
    worker.producer == Producer::New && now.transactions[w].phase == Transacting::Open && !waits
}

fn of_task(scenario: &Scenario, now: &Cluster, w: usize, t: usize, can_write: bool, into: &mut Vec<Action>) {
    let worker = &now.workers[w];
    let (target, owner) = (now.group.targets[t], now.group.owners[t]);
    let me = Some(w as u8);
    if worker.membership == Membership::Current {
        let is_new = worker.tasks[t].is_none() || owner != me;
        if target == me && (owner.is_none() || owner == me) && is_new {
            into.push(Action::TakeAssigned { w, t });
        }
        if target != me && owner == me {
            into.push(Action::TakeRevoked { w, t });
        }
    }
    let Some(task) = &worker.tasks[t] else { return };
    let settled = worker.producer != Producer::New || scenario.mistake == Mistake::PositionsBeforeInit;
    let stable = scenario.mistake == Mistake::PositionsNotStable
        || each_worker().all(|other| !now.transactions[other].holds_position(t));
    match task.phase {
        Phase::Joining if scenario.mistake == Mistake::EndBeforePositions => into.push(Action::FetchEnd { w, t }),
        Phase::Joining | Phase::Ended { .. } if settled && stable => into.push(Action::FetchPositions { w, t }),
        Phase::Joining | Phase::Ended { .. } => {}
        Phase::Positioned if worker.producer != Producer::New => into.push(Action::FetchEnd { w, t }),
        Phase::Positioned => {}
        Phase::Restoring { target } => {
            let stable_end = now.changelogs[t].last_stable();
            let reads_open = scenario.mistake == Mistake::RestoreUncommitted;
            if stable_end >= target || reads_open || now.has_more_to_replay(w, t) {
                into.push(Action::Replay { w, t });
            }
        }
        Phase::Running if can_write => {
            if task.next < scenario.inputs[t] {
                into.push(Action::Process { w, t });
            }
            if worker.state_of(t).timer {
                into.push(Action::FireTimer { w, t });
            }
            if worker.owed_marker && !worker.is_dirty() && scenario.sends_end_marker[t] {
                into.push(Action::SendOwedMarker { w, t });
            }
        }
        Phase::Running => {}
    }
}

fn of_log(now: &Cluster, w: usize, into: &mut Vec<Action>) {
    markers(now, w, &|t, is_group| is_awaited(now, w, t, is_group), into);
    if now.transactions[w].late_commit {
        into.push(Action::LateCommitArrives { w });
    }
    if now.transactions[w].late_positions.is_some() {
        into.push(Action::LatePositionsArrive { w });
    }
    if now.group.members[w] && !now.workers[w].is_up {
        into.push(Action::DeadSessionEnds { w });
    }
}

fn markers(now: &Cluster, w: usize, comes: &dyn Fn(usize, bool) -> bool, into: &mut Vec<Action>) {
    let transaction = &now.transactions[w];
    if !transaction.is_decided() {
        return;
    }
    into.extend(
        (0..TASKS).filter(|t| transaction.wrote[*t] && comes(*t, false)).map(|t| Action::MarkChangelog { w, t }),
    );
    if transaction.group_waits && (0..TASKS).any(|t| comes(t, true)) {
        into.push(Action::MarkGroup { w });
    }
}

/// Whether somebody could see the marker. Until then it is as good as late: every order in which markers come and are seen
/// is one in which each comes just before it is seen.
fn is_awaited(now: &Cluster, w: usize, t: usize, is_group: bool) -> bool {
    let owner = &now.workers[w];
    let has_work = owner.is_up
        && owner.step == Step::Idle
        && owner.tasks.iter().flatten().any(|task| task.phase == Phase::Running);
    let waits = owner.is_up && owner.producer == Producer::New;
    has_work
        || waits
        || each_worker().any(|reader| match now.workers[reader].tasks[t].map(|task| task.phase) {
            Some(Phase::Joining | Phase::Ended { .. }) => is_group && now.transactions[w].positions[t].is_some(),
            Some(Phase::Restoring { .. }) => !is_group,
            _ => false,
        })
}

fn faults(scenario: &Scenario, now: &Cluster, w: usize, into: &mut Vec<Action>) {
    let worker = &now.workers[w];
    if now.transactions[w].phase == Transacting::Open {
        into.push(Action::TransactionTimesOut { w });
    }
    if !worker.is_up {
        return;
    }
    into.push(Action::Crash { w });
    if worker.disks.iter().any(|disk| disk.position != Stored::Nothing) {
        into.push(Action::CrashAndDiskLost { w });
    }
    if worker.membership == Membership::Current {
        into.push(Action::SessionEnds { w });
    }
    let can_be_late = scenario.late_positions != LatePositions::Never && worker.producer == Producer::Ready;
    if can_be_late && worker.step == Step::SendPositions && worker.is_dirty() {
        into.push(Action::PositionsAnswerLost { w });
    }
    match worker.step {
        Step::WriteChangelog(_) | Step::SendPositions => {
            into.push(Action::DeliveryFails { w });
            into.push(Action::ProducerBreaks { w });
        }
        Step::Commit => into.extend([Action::CommitAnswerLost { w }, Action::CrashWhileCommitting { w }]),
        _ => {}
    }
}

/// The situation after an action.
pub fn apply(scenario: &Scenario, before: &Cluster, action: Action) -> Result<Cluster, Problem> {
    let mut turn = crate::turn::Turn { scenario, now: *before };
    if action.is_fault() {
        turn.now.faults_left -= 1;
    }
    turn.act(action)?;
    each_worker().for_each(|w| turn.init_if_settled(w));
    for t in 0..TASKS {
        turn.now.tidy(t);
    }
    turn.now.check(scenario)?;
    Ok(turn.now)
}
