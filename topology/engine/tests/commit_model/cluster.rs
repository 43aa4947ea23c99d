//! One situation of the whole: log, group, two workers. And what must hold in it.

use concord_engine::invariants::{self, Broken};

use crate::log::{Changelog, Group, Phase as Transacting, Transaction};
use crate::mistakes::Mistake;
use crate::values::{Applied, TIMER, Value};
use crate::worker::{Producer, Stored, Worker};
use crate::{TASKS, WORKERS};

/// Whether the answer to positions can be lost and they arrive late, and what the worker does then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LatePositions {
    Never,
    LeadToAbort,
    LeadToRecovery,
}

/// What there is to do, and what may go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// Inputs of each task; events are numbered from 1.
    pub inputs: [u8; TASKS],
    /// Whether the first input sets a timer.
    pub sets_timer: [bool; TASKS],
    /// Whether the last input is answered with an end marker to every output partition.
    pub sends_end_marker: [bool; TASKS],
    /// Things that go wrong in one execution, at most.
    pub faults: u8,
    /// A trimmed changelog keeps its beginning: compaction takes tombstones away that some state directory has not seen.
    pub tombstones_expire: bool,
    pub late_positions: LatePositions,
    pub mistake: Mistake,
    /// Whether invariants are asked too, or only what a user could see.
    pub asks_invariants: bool,
}

/// Why an execution is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    Invariant(Broken),
    /// Something that a user could see.
    Effect(String),
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        Self::Invariant(broken)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Cluster {
    pub workers: [Worker; WORKERS],
    pub transactions: [Transaction; WORKERS],
    pub group: Group,
    pub changelogs: [Changelog; TASKS],
    /// Events whose outputs are committed, in the order of the commits.
    pub outputs: [Applied; TASKS],
    /// Committed copies of the end marker, by output partition.
    pub end_markers: [u8; TASKS],
    /// Positions as decided, whether or not the group has its marker.
    pub positions: [u8; TASKS],
    pub faults_left: u8,
}

impl Cluster {
    /// One worker is there; the other may come at any time.
    pub fn at_first(scenario: &Scenario) -> Self {
        let mut first = Self { faults_left: scenario.faults, ..Self::default() };
        first.group.members = [true, false];
        first.group.rebalance();
        first.workers[0].is_up = true;
        first.workers[0].producer = Producer::Ready;
        first
    }

    /// Merges what no reader can tell apart any more, and renumbers the changelog.
    pub fn tidy(&mut self, task: usize) {
        let is_new = self.changelogs[task].base == Value::default();
        for disk in self.workers.iter_mut().map(|worker| &mut worker.disks[task]) {
            if is_new && disk.position == Stored::At(0) {
                disk.position = Stored::Nothing;
            }
        }
        loop {
            let mut held = [false; 16];
            for worker in &mut self.workers {
                worker.each_position(task, |position| held[*position as usize] = true);
            }
            let changelog = &mut self.changelogs[task];
            let entries = changelog.entries();
            let is_committed = |place: usize| entries.get(place).is_some_and(|e| e.undecided.is_none());
            if is_committed(0) && !held[0] {
                changelog.base = changelog.base.after(&entries[0]);
                self.remove_entry(task, 0);
                continue;
            }
            let twins =
                (1..entries.len()).find(|place| is_committed(place - 1) && is_committed(*place) && !held[*place]);
            let Some(later) = twins else { return };
            let (earlier, merged) = (entries[later - 1], entries[later]);
            changelog.entry_mut(later).timer = merged.timer.or(earlier.timer);
            self.remove_entry(task, later - 1);
        }
    }

    pub fn remove_entry(&mut self, task: usize, place: usize) {
        self.changelogs[task].remove(place);
        for worker in &mut self.workers {
            worker.each_position(task, |position| {
                if *position as usize > place {
                    *position -= 1;
                }
            });
        }
    }

    /// The log no longer has what every reader has read; who stands below that must begin anew.
    pub fn trim(&mut self, task: usize) {
        while self.changelogs[task].entries().first().is_some_and(|entry| entry.undecided.is_none()) {
            let changelog = &mut self.changelogs[task];
            changelog.base = changelog.base.after(&changelog.entries()[0]);
            for worker in &mut self.workers {
                if matches!(worker.disks[task].position, Stored::At(0)) {
                    worker.disks[task].position = Stored::Uncovered;
                }
            }
            self.remove_entry(task, 0);
        }
    }

    /// Whether the changelog has stable records that a state directory has not. What a worker has committed itself may stand
    /// behind the stable end for a while.
    pub fn has_more_to_replay(&self, worker: usize, task: usize) -> bool {
        let changelog = &self.changelogs[task];
        match self.workers[worker].disks[task].position {
            Stored::At(position) => position < changelog.last_stable(),
            Stored::Nothing => changelog.last_stable() > 0 || changelog.base != Value::default(),
            Stored::Uncovered => true,
        }
    }

    /// What is committed in the first `entries` of a changelog, decided transactions whose marker is late among them.
    fn committed_state(&self, task: usize, from: Value, entries: u8) -> Value {
        let changelog = &self.changelogs[task];
        let is_committed = |writer: u8| self.transactions[writer as usize].phase == Transacting::PreparedCommit;
        changelog.entries()[..entries as usize]
            .iter()
            .filter(|entry| entry.undecided.is_none_or(is_committed))
            .fold(from, |state, entry| state.after(entry))
    }

    /// What must hold in every situation.
    pub fn check(&self, scenario: &Scenario) -> Result<(), Problem> {
        if !scenario.asks_invariants {
            return Ok(());
        }
        for worker in &self.workers {
            for task in 0..TASKS {
                let disk = worker.disks[task];
                let Stored::At(position) = disk.position else { continue };
                invariants::stored_position_is_covered(position.into(), self.changelogs[task].end().into())?;
                let committed = self.committed_state(task, self.changelogs[task].base, position);
                invariants::state_is_what_was_committed(&disk.value, &committed)?;
                let again = self.committed_state(task, self.changelogs[task].read_base(disk.value), position);
                invariants::replay_repeats_harmlessly(&disk.value, &again)?;
            }
        }
        Ok(())
    }

    /// What a committed transaction adds: nothing twice, nothing left out, changelog and outputs alike.
    pub fn add_committed(&mut self, worker: usize, scenario: &Scenario) -> Result<(), Problem> {
        let transaction = self.transactions[worker];
        for task in 0..TASKS {
            let outputs = self.outputs[task].and(transaction.outputs[task]);
            self.outputs[task] = outputs;
            self.check_outputs(task)?;
            let state = transaction.states[task].or((!transaction.outputs[task].is_empty()).then(Applied::default));
            if state.is_some_and(|state| state != outputs) {
                let state = state.unwrap_or_default();
                return Err(Problem::Effect(format!(
                    "state {state:?} is committed with outputs {outputs:?} of task {task}"
                )));
            }
            if let Some(position) = transaction.positions[task] {
                self.positions[task] = position;
                let done = outputs.inputs().count();
                if usize::from(position) > done {
                    return Err(Problem::Effect(format!(
                        "position {position} of task {task} passes over an input: {done} are done"
                    )));
                }
                if scenario.asks_invariants {
                    invariants::position_is_the_groups(i64::from(position), done as i64)?;
                }
            }
        }
        for (copy, count) in self.end_markers.iter_mut().enumerate() {
            *count += transaction.end_markers >> copy & 1;
            if *count > 1 {
                return Err(Problem::Effect(format!("the end marker stands twice in output partition {copy}")));
            }
        }
        Ok(())
    }

    pub fn check_outputs(&self, task: usize) -> Result<(), Problem> {
        let outputs = self.outputs[task];
        if let Some(twice) = outputs.events().find(|event| outputs.times(*event) > 1) {
            return Err(Problem::Effect(format!(
                "event {twice} of task {task} is repeated in the outputs {outputs:?}"
            )));
        }
        if !outputs.inputs().eq(1..=outputs.inputs().count() as u8) {
            return Err(Problem::Effect(format!("an input of task {task} is missing in the outputs {outputs:?}")));
        }
        Ok(())
    }

    /// Where nothing is left to happen: everything is committed, everywhere alike.
    pub fn check_end(&self, scenario: &Scenario) -> Result<(), Problem> {
        let require = |holds: bool, what: String| if holds { Ok(()) } else { Err(Problem::Effect(what)) };
        for task in 0..TASKS {
            let done = self.outputs[task];
            let (inputs, timers) = (scenario.inputs[task], usize::from(scenario.sets_timer[task]));
            let whole = done.inputs().count() == usize::from(inputs) && done.times(TIMER) == timers;
            require(whole, format!("nothing goes on, and task {task} has committed {done:?} only"))?;
            require(
                self.group.committed[task] == inputs,
                format!("nothing goes on, and a position of task {task} is behind"),
            )?;
            let expected = u8::from(scenario.sends_end_marker.contains(&true));
            require(self.end_markers[task] == expected, format!("output partition {task} has no end marker"))?;
            let owner = self.group.owners[task].map(usize::from);
            let state =
                owner.filter(|w| self.workers[*w].running(task).is_some()).map(|w| self.workers[w].disks[task].value);
            let kept = Value { applied: done, timer: false };
            require(
                state == Some(kept),
                format!("nothing goes on, and the owner of task {task} has {state:?}, not {kept:?}"),
            )?;
            let changelog = self.committed_state(task, self.changelogs[task].base, self.changelogs[task].end());
            require(changelog == kept, format!("the changelog of task {task} holds {changelog:?}, not {kept:?}"))?;
        }
        let settled = self.transactions.iter().all(|t| t.phase == Transacting::None);
        require(settled, "nothing goes on, and a transaction is unfinished".to_string())
    }

    /// A task begins to process: with all that is committed, and from behind it, unless it is another's already.
    pub fn check_beginning(&self, worker: usize, task: usize) -> Result<(), Problem> {
        if self.group.owners[task] != Some(worker as u8) {
            return Ok(());
        }
        let Some(held) = &self.workers[worker].tasks[task] else { return Ok(()) };
        invariants::position_is_the_groups(held.next.into(), self.positions[task].into())?;
        invariants::state_is_what_was_committed(&self.workers[worker].disks[task].value.applied, &self.outputs[task])?;
        Ok(())
    }
}
