//! What a worker is in memory and on disk, by the names of the real one.

use concord_engine::invariants::Outcome;

use crate::values::Value;
use crate::{TASKS, WORKERS};

/// The state directory of a task. Values and position are written in one batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Disk {
    pub value: Value,
    pub position: Stored,
}

/// The changelog position stored with the values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Stored {
    #[default]
    Nothing,
    At(u8),
    /// Older than anything that the changelog still has.
    Uncovered,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Producer {
    /// Not initialised: what its predecessor left is not settled.
    #[default]
    New,
    Ready,
    /// The coordinator has raised the epoch, and the worker does not know.
    Fenced,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Membership {
    #[default]
    Current,
    /// The group has given its tasks away, and the worker does not know.
    Zombie,
    /// It has been told.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Phase {
    #[default]
    Joining,
    /// The committed position is known.
    Positioned,
    Restoring {
        target: u8,
    },
    /// A planted mistake only: the end of the changelog is known before the position.
    Ended {
        target: u8,
    },
    Running,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Task {
    pub phase: Phase,
    pub committed: u8,
    pub next: u8,
    pub dirty: bool,
    /// Only the timer fired since the last commit.
    pub timers_only: bool,
    /// State with what was written since the last commit; `None` without any.
    pub overlay: Option<Value>,
    /// Behind its changelog record in the transaction under way.
    pub acknowledged: Option<u8>,
}

/// Where the worker's thread is. Between two of these other workers, the log and crashes come in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Step {
    /// Between polls.
    #[default]
    Idle,
    /// Outputs are sent; the changelogs of dirty tasks from this one on are to be written.
    WriteChangelog(u8),
    /// All records are acknowledged.
    SendPositions,
    Commit,
    /// The states of dirty tasks from this one on are to be written.
    KeepState(u8),
    /// A planted mistake only: the position is on disk, the values are not.
    KeepValues(u8),
    /// A task that goes is closed and its partition released.
    HandOver,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Worker {
    pub is_up: bool,
    pub producer: Producer,
    pub membership: Membership,
    pub step: Step,
    /// The task to hand over behind the commit.
    pub going: Option<u8>,
    pub outcome: Option<Outcome>,
    pub tasks: [Option<Task>; TASKS],
    pub disks: [Disk; TASKS],
    /// A planted mistake only: ends of changelogs as they were when the worker started.
    pub ends_at_start: [Option<u8>; TASKS],
    /// A planted mistake only: a copy of the end marker that waits in memory.
    pub owed_marker: bool,
}

impl Worker {
    /// What is left of it when the process is killed.
    pub fn killed(&self) -> Self {
        Self { disks: self.disks, ..Self::default() }
    }

    pub fn running(&self, task: usize) -> Option<&Task> {
        self.tasks[task].as_ref().filter(|t| t.phase == Phase::Running)
    }

    pub fn is_dirty(&self) -> bool {
        self.tasks.iter().flatten().any(|t| t.dirty)
    }

    pub fn dirty_from(&self, first: u8) -> Option<u8> {
        (first..TASKS as u8).find(|task| self.tasks[*task as usize].is_some_and(|t| t.dirty))
    }

    pub fn state_of(&self, task: usize) -> Value {
        self.tasks[task].and_then(|t| t.overlay).unwrap_or(self.disks[task].value)
    }

    /// Whether it may begin something; a worker that has been told of a loss attends to that first.
    pub fn is_free(&self) -> bool {
        self.is_up && self.step == Step::Idle && self.membership != Membership::Lost
    }

    /// Every position in a changelog that this worker holds.
    pub fn each_position(&mut self, task: usize, mut visit: impl FnMut(&mut u8)) {
        if let Stored::At(position) = &mut self.disks[task].position {
            visit(position);
        }
        if let Some(end) = &mut self.ends_at_start[task] {
            visit(end);
        }
        if let Some(held) = &mut self.tasks[task] {
            if let Phase::Restoring { target } | Phase::Ended { target } = &mut held.phase {
                visit(target);
            }
            if let Some(position) = &mut held.acknowledged {
                visit(position);
            }
        }
    }
}

pub fn each_worker() -> std::ops::Range<usize> {
    0..WORKERS
}
