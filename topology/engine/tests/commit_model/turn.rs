//! One action carried out: the group, restore and processing. The commit cycle is in `cycle.rs`.

use concord_engine::invariants::{self, Outcome};

use crate::TASKS;
use crate::actions::Action;
use crate::cluster::{Cluster, Problem, Scenario};
use crate::log::Phase as Transacting;
use crate::mistakes::Mistake;
use crate::values::{Applied, TIMER, Value};
use crate::worker::{Membership, Phase, Producer, Step, Stored, Task, Worker};

pub struct Turn<'s> {
    pub scenario: &'s Scenario,
    pub now: Cluster,
}

impl Turn<'_> {
    pub fn makes(&self, mistake: Mistake) -> bool {
        self.scenario.mistake == mistake
    }

    /// Makes an invariant's check, unless only effects are watched.
    pub fn ask(&self, check: impl FnOnce() -> invariants::Checked) -> Result<(), Problem> {
        if self.scenario.asks_invariants {
            check()?;
        }
        Ok(())
    }

    pub fn worker(&mut self, w: usize) -> &mut Worker {
        &mut self.now.workers[w]
    }

    pub fn act(&mut self, action: Action) -> Result<(), Problem> {
        match action {
            Action::Start { w } => self.start(w),
            Action::TakeAssigned { w, t } => self.take_assigned(w, t),
            Action::TakeRevoked { w, t } => self.take_revoked(w, t)?,
            Action::TakeLost { w } => self.take_lost(w)?,
            Action::Init { w } => self.init(w)?,
            Action::FetchPositions { w, t } => self.fetch_positions(w, t),
            Action::FetchEnd { w, t } => self.fetch_end(w, t)?,
            Action::Replay { w, t } => self.replay(w, t)?,
            Action::Process { w, t } => self.process(w, t)?,
            Action::FireTimer { w, t } => self.fire_timer(w, t)?,
            Action::SendOwedMarker { w, t } => self.send_owed_marker(w, t),
            Action::BeginCommit { w } => self.begin_commit(w)?,
            Action::Advance { w } => self.advance(w)?,
            Action::MarkChangelog { w, t } => self.mark_changelog(w, t),
            Action::MarkGroup { w } => self.mark_group(w),
            Action::LateCommitArrives { w } => self.late_commit_arrives(w)?,
            Action::LatePositionsArrive { w } => self.late_positions_arrive(w),
            Action::DeadSessionEnds { w } | Action::SessionEnds { w } => self.end_session(w),
            Action::Crash { w } => *self.worker(w) = self.now.workers[w].killed(),
            Action::CrashAndDiskLost { w } => *self.worker(w) = Worker::default(),
            Action::CrashWhileCommitting { w } => {
                // A coordinator that has raised the epoch will refuse it.
                self.now.transactions[w].late_commit = self.now.workers[w].producer == Producer::Ready;
                *self.worker(w) = self.now.workers[w].killed();
            }
            Action::TransactionTimesOut { w } => self.time_out(w)?,
            Action::DeliveryFails { w } => self.abort(w, Outcome::Open)?,
            Action::ProducerBreaks { w } => self.recover(w, Outcome::Open)?,
            Action::CommitAnswerLost { w } => self.lose_commit_answer(w)?,
            Action::PositionsAnswerLost { w } => self.lose_positions_answer(w)?,
            Action::ChangelogTrimmed { t } => self.now.trim(t),
        }
        Ok(())
    }

    /// A static member finds its place kept while its session lasts; what was to move meanwhile has moved.
    fn start(&mut self, w: usize) {
        let counted = self.now.group.members[w];
        let ends = self.now.changelogs.map(|changelog| Some(changelog.end()));
        let remembers_ends = self.makes(Mistake::EndFromTheWorkersStart);
        let worker = self.worker(w);
        worker.is_up = true;
        worker.membership = Membership::Current;
        if remembers_ends {
            worker.ends_at_start = ends;
        }
        for t in 0..TASKS {
            if self.now.group.targets[t] != Some(w as u8) {
                self.now.group.release_if_held(w, t);
            }
        }
        if !counted {
            self.join(w);
        }
    }

    fn join(&mut self, w: usize) {
        self.now.group.members[w] = true;
        self.now.group.rebalance();
        self.worker(w).membership = Membership::Current;
    }

    fn end_session(&mut self, w: usize) {
        self.now.group.members[w] = false;
        for t in 0..TASKS {
            self.now.group.release_if_held(w, t);
        }
        self.now.group.rebalance();
        if self.now.workers[w].is_up {
            self.worker(w).membership = Membership::Zombie;
        }
    }

    fn take_assigned(&mut self, w: usize, t: usize) {
        self.now.group.owners[t] = Some(w as u8);
        self.worker(w).tasks[t].get_or_insert_with(Task::default);
    }

    /// Commits, then closes the task, then releases the partition.
    fn take_revoked(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        let is_open =
            self.now.transactions[w].phase == Transacting::Open && self.now.workers[w].producer == Producer::Ready;
        let has_uncommitted = is_open || self.now.workers[w].is_dirty();
        if self.makes(Mistake::ReleaseBeforeCommit) {
            self.now.group.release_if_held(w, t);
        }
        if !has_uncommitted || self.makes(Mistake::RevokedWithoutCommit) {
            self.hand_over(w, t);
            return Ok(());
        }
        self.worker(w).going = Some(t as u8);
        self.begin_commit(w)
    }

    pub fn hand_over(&mut self, w: usize, t: usize) {
        self.now.group.release_if_held(w, t);
        let worker = self.worker(w);
        worker.tasks[t] = None;
        worker.owed_marker = false;
        worker.going = None;
        worker.step = Step::Idle;
    }

    /// Closes the tasks, aborts, joins again.
    fn take_lost(&mut self, w: usize) -> Result<(), Problem> {
        if !self.makes(Mistake::LostIsIgnored) {
            self.worker(w).tasks = [None; TASKS];
            self.worker(w).owed_marker = false;
            self.abort(w, Outcome::Open)?;
        }
        self.join(w);
        Ok(())
    }

    /// Raises the epoch, so that the predecessor is fenced; what it left open is aborted.
    fn init(&mut self, w: usize) -> Result<(), Problem> {
        self.now.transactions[w].raise_epoch();
        self.decide(w, false)
    }

    /// The producer is ready when no transaction of its id is open or without its markers.
    pub fn init_if_settled(&mut self, w: usize) {
        let joining = |t: &Task| t.phase == Phase::Joining;
        let is_held_up =
            self.makes(Mistake::PositionsBeforeInit) && self.now.workers[w].tasks.iter().flatten().any(joining);
        let worker = &self.now.workers[w];
        let settled = self.now.transactions[w].phase == Transacting::None;
        if worker.is_up && worker.producer == Producer::New && settled && !is_held_up {
            self.now.transactions[w].raise_epoch();
            self.worker(w).producer = Producer::Ready;
        }
    }

    fn fetch_positions(&mut self, w: usize, t: usize) {
        let mut committed = self.now.group.committed[t];
        if self.makes(Mistake::PositionsFromDisk) {
            committed = self.now.workers[w].disks[t].value.applied.inputs().count() as u8;
        }
        if let Some(task) = &mut self.worker(w).tasks[t] {
            (task.committed, task.next) = (committed, committed);
            task.phase = match task.phase {
                Phase::Ended { target } => Phase::Restoring { target },
                _ => Phase::Positioned,
            };
        }
    }

    fn fetch_end(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        let worker = &self.now.workers[w];
        let settled = worker.producer != Producer::New;
        let Some(phase) = worker.tasks[t].map(|task| task.phase) else { return Ok(()) };
        self.ask(|| invariants::restore_is_in_order(settled, phase == Phase::Positioned))?;
        let changelog = &self.now.changelogs[t];
        let mut target = changelog.end();
        if self.makes(Mistake::RestoreToLastStable) {
            target = changelog.last_stable();
        }
        if self.makes(Mistake::EndFromTheWorkersStart) {
            target = worker.ends_at_start[t].unwrap_or(target);
        }
        let skips = self.makes(Mistake::NoReplayOfLocalState) && worker.disks[t].position != Stored::Nothing;
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.phase = if phase == Phase::Joining { Phase::Ended { target } } else { Phase::Restoring { target } };
        }
        if skips { self.begin_processing(w, t) } else { Ok(()) }
    }

    /// Reads what is stable behind the stored position. A store that the changelog does not cover is emptied first.
    fn replay(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        let changelog = self.now.changelogs[t];
        let readable = if self.makes(Mistake::RestoreUncommitted) { changelog.end() } else { changelog.last_stable() };
        let disk = self.now.workers[w].disks[t];
        // Compaction alone does not move the beginning of a changelog, so that nobody notices.
        let is_emptied = !self.makes(Mistake::UncoveredStoreIsKept) && !self.scenario.tombstones_expire;
        let (mut value, from) = match disk.position {
            Stored::At(position) => (disk.value, position),
            Stored::Nothing => (changelog.read_base(Value::default()), 0),
            Stored::Uncovered if is_emptied => (changelog.read_base(Value::default()), 0),
            Stored::Uncovered => (changelog.read_base(disk.value), 0),
        };
        for entry in changelog.entries().iter().take(readable.into()).skip(from.into()) {
            value = value.after(entry);
        }
        let disk = &mut self.worker(w).disks[t];
        disk.value = value;
        disk.position = Stored::At(readable.max(from));
        let target = match self.now.workers[w].tasks[t].map(|task| task.phase) {
            Some(Phase::Restoring { target }) if readable >= target => target,
            _ => return Ok(()),
        };
        self.ask(|| invariants::restored_to_the_end(readable.into(), target.into()))?;
        self.begin_processing(w, t)
    }

    fn begin_processing(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.phase = Phase::Running;
        }
        if self.scenario.asks_invariants { self.now.check_beginning(w, t) } else { Ok(()) }
    }

    /// One input: the state changes in memory, the output goes into the transaction.
    fn process(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        if self.now.workers[w].producer == Producer::Fenced {
            return self.meet_fence(w);
        }
        let Some(task) = self.now.workers[w].tasks[t] else { return Ok(()) };
        let event = task.next + 1;
        let is_last = event == self.scenario.inputs[t];
        let mut state = self.now.workers[w].state_of(t);
        state.applied = state.applied.with(event);
        state.timer |= event == 1 && self.scenario.sets_timer[t];
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.next = event;
            task.timers_only = false;
        }
        self.write(w, t, event, state)?;
        if is_last && self.scenario.sends_end_marker[t] {
            let owes = self.makes(Mistake::EndMarkerInMemory);
            self.now.transactions[w].end_markers = if owes { 1 } else { (1 << TASKS) - 1 };
            self.worker(w).owed_marker = owes;
        }
        Ok(())
    }

    fn fire_timer(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        if self.now.workers[w].producer == Producer::Fenced {
            return self.meet_fence(w);
        }
        let mut state = self.now.workers[w].state_of(t);
        state.applied = state.applied.with(TIMER);
        state.timer = false;
        let was_dirty = self.now.workers[w].tasks[t].is_some_and(|task| task.dirty);
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.timers_only |= !was_dirty;
        }
        self.write(w, t, TIMER, state)
    }

    fn write(&mut self, w: usize, t: usize, event: u8, state: Value) -> Result<(), Problem> {
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.overlay = Some(state);
            task.dirty = true;
        }
        // The last input but one is a bad one: its output is a dead letter.
        let is_letter = event != TIMER && event + 1 == self.scenario.inputs[t];
        if is_letter && self.makes(Mistake::DeadLettersOutsideTheTransaction) {
            self.now.outputs[t] = self.now.outputs[t].with(event);
            return self.now.check_outputs(t);
        }
        let transaction = &mut self.now.transactions[w];
        transaction.phase = Transacting::Open;
        transaction.outputs[t] = transaction.outputs[t].with(event);
        Ok(())
    }

    fn send_owed_marker(&mut self, w: usize, t: usize) {
        self.worker(w).owed_marker = false;
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.dirty = true;
        }
        let transaction = &mut self.now.transactions[w];
        transaction.phase = Transacting::Open;
        transaction.end_markers = 2;
    }

    fn mark_changelog(&mut self, w: usize, t: usize) {
        let committed = self.now.transactions[w].phase == Transacting::PreparedCommit;
        let mine = |now: &Cluster| now.changelogs[t].entries().iter().position(|e| e.undecided == Some(w as u8));
        while let Some(place) = mine(&self.now) {
            if committed {
                self.now.changelogs[t].entry_mut(place).undecided = None;
            } else {
                self.now.remove_entry(t, place);
            }
        }
        self.now.transactions[w].wrote[t] = false;
        self.now.transactions[w].complete_if_marked();
    }

    fn mark_group(&mut self, w: usize) {
        let transaction = self.now.transactions[w];
        if transaction.phase == Transacting::PreparedCommit {
            for (committed, position) in self.now.group.committed.iter_mut().zip(transaction.positions) {
                *committed = position.unwrap_or(*committed);
            }
        }
        self.now.transactions[w].group_waits = false;
        self.now.transactions[w].complete_if_marked();
    }

    fn late_commit_arrives(&mut self, w: usize) -> Result<(), Problem> {
        self.now.transactions[w].late_commit = false;
        if self.now.transactions[w].phase == Transacting::Open { self.decide(w, true) } else { Ok(()) }
    }

    /// The group takes them if their transactional id has a transaction that it knows of, which need not be theirs.
    fn late_positions_arrive(&mut self, w: usize) {
        let transaction = &mut self.now.transactions[w];
        let Some(late) = transaction.late_positions.take() else { return };
        if transaction.phase != Transacting::Open || !transaction.group_waits || !self.now.group.members[w] {
            return;
        }
        for (position, late) in transaction.positions.iter_mut().zip(late) {
            *position = late.or(*position);
        }
    }

    fn time_out(&mut self, w: usize) -> Result<(), Problem> {
        self.now.transactions[w].raise_epoch();
        if self.now.workers[w].producer == Producer::Ready {
            self.worker(w).producer = Producer::Fenced;
        }
        self.decide(w, false)
    }

    /// The coordinator decides; markers follow when they follow.
    pub fn decide(&mut self, w: usize, commit: bool) -> Result<(), Problem> {
        if commit {
            let scenario = self.scenario;
            self.now.add_committed(w, scenario)?;
        }
        let transaction = &mut self.now.transactions[w];
        transaction.phase = if commit { Transacting::PreparedCommit } else { Transacting::PreparedAbort };
        // Only the markers and the positions are of interest from here on.
        transaction.outputs = [Applied::default(); TASKS];
        transaction.states = [None; TASKS];
        transaction.end_markers = 0;
        transaction.complete_if_marked();
        Ok(())
    }
}
