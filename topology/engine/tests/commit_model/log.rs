//! The log as far as the commit cycle sees it: changelogs, the transaction coordinator, the group coordinator.

use crate::values::{Applied, Entry, Value};
use crate::{TASKS, WORKERS};

/// Entries that a changelog holds apart at most; more are an error of the model, not of the worker.
const ROOM: usize = 12;

/// The changelog of a task. Committed entries that no position can tell apart are one entry, and those below all positions
/// are the base, so that equal situations are equal states. Markers take no offset of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Changelog {
    pub base: Value,
    entries: [Entry; ROOM],
    length: u8,
}

impl Changelog {
    pub fn entries(&self) -> &[Entry] {
        &self.entries[..self.length as usize]
    }

    /// The high watermark: open transactions included.
    pub fn end(&self) -> u8 {
        self.length
    }

    /// Before the first entry whose transaction has no marker here yet.
    pub fn last_stable(&self) -> u8 {
        let open = self.entries().iter().position(|entry| entry.undecided.is_some());
        open.map_or(self.length, |place| place as u8)
    }

    pub fn append(&mut self, entry: Entry) -> u8 {
        assert!((self.length as usize) < ROOM, "the model's changelog is full");
        self.entries[self.length as usize] = entry;
        self.length += 1;
        self.length
    }

    pub fn entry_mut(&mut self, place: usize) -> &mut Entry {
        &mut self.entries[place]
    }

    pub fn remove(&mut self, place: usize) {
        let length = self.length as usize;
        self.entries.copy_within(place + 1..length, place);
        self.length -= 1;
        self.entries[self.length as usize] = Entry::default();
    }

    /// The base as a reader finds it: a key that is not there is no record.
    pub fn read_base(&self, over: Value) -> Value {
        Value { applied: self.base.applied, timer: over.timer || self.base.timer }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Phase {
    #[default]
    None,
    Open,
    PreparedCommit,
    PreparedAbort,
}

/// The one transaction that a transactional id has under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Transaction {
    pub phase: Phase,
    /// Changelogs written to; once decided, those whose marker is still to come.
    pub wrote: [bool; TASKS],
    /// The state that the changelogs will hold.
    pub states: [Option<Applied>; TASKS],
    /// Events whose outputs are in it.
    pub outputs: [Applied; TASKS],
    /// Copies of the end marker that are in it, one bit for each output partition.
    pub end_markers: u8,
    /// Pending positions.
    pub positions: [Option<u8>; TASKS],
    /// The group's marker is still to come.
    pub group_waits: bool,
    /// A commit whose caller has stopped waiting for the answer, still on its way to the coordinator.
    pub late_commit: bool,
    /// The same of positions.
    pub late_positions: Option<[Option<u8>; TASKS]>,
}

impl Transaction {
    pub fn is_decided(&self) -> bool {
        matches!(self.phase, Phase::PreparedCommit | Phase::PreparedAbort)
    }

    /// Whether a reader of stable positions must wait for it.
    pub fn holds_position(&self, task: usize) -> bool {
        self.phase != Phase::None && self.group_waits && self.positions[task].is_some()
    }

    /// A new epoch: what is on its way from the producer before is refused when it comes.
    pub fn raise_epoch(&mut self) {
        self.late_commit = false;
        self.late_positions = None;
    }

    /// All markers are written: the id is free for the next one.
    pub fn complete_if_marked(&mut self) {
        if !self.group_waits && self.wrote == [false; TASKS] {
            *self = Self { late_commit: self.late_commit, late_positions: self.late_positions, ..Self::default() };
        }
    }
}

/// The group coordinator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Group {
    /// Members it counts; a dead one until its session ends.
    pub members: [bool; WORKERS],
    /// Whom the assignor (`range`) gives each task.
    pub targets: [Option<u8>; TASKS],
    /// Who holds it: the next one gets it when it is released.
    pub owners: [Option<u8>; TASKS],
    pub committed: [u8; TASKS],
}

impl Group {
    pub fn rebalance(&mut self) {
        self.targets = match self.members {
            [true, true] => [Some(0), Some(1)],
            [true, false] => [Some(0); TASKS],
            [false, true] => [Some(1); TASKS],
            [false, false] => [None; TASKS],
        };
    }

    pub fn release_if_held(&mut self, worker: usize, task: usize) {
        if self.owners[task] == Some(worker as u8) {
            self.owners[task] = None;
        }
    }
}
