//! The commit cycle, step by step as `worker/commit.rs` and `worker/recover.rs` have it.

use concord_engine::invariants::{self, Answer, Outcome};

use crate::TASKS;
use crate::cluster::{LatePositions, Problem};
use crate::log::Phase as Transacting;
use crate::mistakes::Mistake;
use crate::turn::Turn;
use crate::values::Entry;
use crate::worker::{Membership, Phase, Producer, Step, Stored};

/// A generation and a member's name that the group would take as proof, and those that it takes unchecked.
const PROOF: (i32, &str) = (1, "member");
const NO_PROOF: (i32, &str) = (-1, "");

impl Turn<'_> {
    /// The first step of the cycle.
    pub fn begin_commit(&mut self, w: usize) -> Result<(), Problem> {
        match self.now.workers[w].dirty_from(0) {
            Some(first) => self.write_changelog(w, first.into()),
            None => {
                self.worker(w).step = Step::SendPositions;
                Ok(())
            }
        }
    }

    pub fn advance(&mut self, w: usize) -> Result<(), Problem> {
        match self.now.workers[w].step {
            Step::Idle => Ok(()),
            Step::WriteChangelog(t) => self.write_changelog(w, t.into()),
            Step::SendPositions => self.send_positions(w),
            Step::Commit => self.commit(w),
            Step::KeepState(t) => self.keep_state(w, t.into()),
            Step::KeepValues(t) => {
                self.keep_values(w, t.into());
                self.kept(w, t.into());
                Ok(())
            }
            Step::HandOver => {
                if let Some(t) = self.now.workers[w].going {
                    self.hand_over(w, t.into());
                }
                Ok(())
            }
        }
    }

    fn write_changelog(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        if self.now.workers[w].producer == Producer::Fenced {
            return self.meet_fence(w);
        }
        let state = self.now.workers[w].state_of(t);
        let on_disk = self.now.workers[w].disks[t].value;
        if state != on_disk {
            let timer = (state.timer != on_disk.timer).then_some(state.timer);
            let entry = Entry { applied: state.applied, timer, undecided: Some(w as u8) };
            let acknowledged = self.now.changelogs[t].append(entry);
            let transaction = &mut self.now.transactions[w];
            transaction.phase = Transacting::Open;
            transaction.wrote[t] = true;
            transaction.states[t] = Some(state.applied);
            if let Some(task) = &mut self.worker(w).tasks[t] {
                task.acknowledged = Some(acknowledged);
            }
        }
        let next = self.now.workers[w].dirty_from(t as u8 + 1);
        self.worker(w).step = next.map_or(Step::SendPositions, Step::WriteChangelog);
        Ok(())
    }

    fn send_positions(&mut self, w: usize) -> Result<(), Problem> {
        let worker = self.now.workers[w];
        let mut named: Vec<usize> = (0..TASKS).filter(|t| worker.running(*t).is_some_and(|task| task.dirty)).collect();
        let timers_only = named.iter().all(|t| worker.tasks[*t].is_some_and(|task| task.timers_only));
        if self.makes(Mistake::SendNoPositions) || self.makes(Mistake::SkipPositionsOfTimers) && timers_only {
            named.clear();
        }
        if self.makes(Mistake::PositionsOfOneTaskOnly) {
            named.truncate(1);
        }
        let (generation, member) = if self.makes(Mistake::CommitWithoutMembership) { NO_PROOF } else { PROOF };
        let outputs = self.now.transactions[w].outputs;
        let wrote: Vec<usize> =
            (0..TASKS).filter(|t| !outputs[*t].is_empty() || self.now.transactions[w].wrote[*t]).collect();
        self.ask(|| invariants::writers_name_their_positions(&wrote, &named))?;
        self.ask(|| invariants::commit_is_fenced(named.len(), generation, member))?;

        if worker.producer == Producer::Fenced {
            return self.meet_fence(w);
        }
        // The group looks at the membership, if there is any, and only when there are positions.
        let is_fenced = !named.is_empty() && (generation, member) == PROOF;
        if is_fenced && worker.membership != Membership::Current {
            if worker.membership == Membership::Zombie {
                self.worker(w).membership = Membership::Lost;
            }
            return self.abort(w, Outcome::Open);
        }
        for t in named {
            let has_it = self.now.group.owners[t] == Some(w as u8);
            self.ask(|| invariants::committer_has_the_task(has_it, &t))?;
            let position = worker.tasks[t].map(|task| task.next);
            self.now.transactions[w].positions[t] = position;
            self.now.transactions[w].group_waits = true;
            self.now.transactions[w].phase = Transacting::Open;
        }
        self.worker(w).step = Step::Commit;
        if self.makes(Mistake::StateBeforeCommit) {
            self.worker(w).outcome = Some(Outcome::Open);
            self.go_on_to_keep(w);
        }
        Ok(())
    }

    fn commit(&mut self, w: usize) -> Result<(), Problem> {
        if self.now.workers[w].producer == Producer::Fenced {
            return self.meet_fence(w);
        }
        if self.now.transactions[w].phase == Transacting::Open {
            self.decide(w, true)?;
        }
        if self.makes(Mistake::StateBeforeCommit) {
            self.finish(w);
            return Ok(());
        }
        self.worker(w).outcome = Some(Outcome::Committed);
        self.go_on_to_keep(w);
        Ok(())
    }

    fn go_on_to_keep(&mut self, w: usize) {
        match self.now.workers[w].dirty_from(0) {
            Some(t) => self.worker(w).step = Step::KeepState(t),
            None => self.finish(w),
        }
    }

    /// One write batch: values and position together.
    fn keep_state(&mut self, w: usize, t: usize) -> Result<(), Problem> {
        let outcome = self.now.workers[w].outcome.unwrap_or(Outcome::Unknown);
        self.ask(|| invariants::state_follows_the_commit(outcome))?;
        let end = self.now.changelogs[t].end();
        let Some(task) = self.now.workers[w].tasks[t] else { return Ok(()) };
        if let Some(mut acknowledged) = task.acknowledged {
            if self.makes(Mistake::StoredPositionIsTheEnd) {
                acknowledged = end;
            }
            self.worker(w).disks[t].position = Stored::At(acknowledged);
        }
        if self.makes(Mistake::PositionBeforeValues) {
            self.worker(w).step = Step::KeepValues(t as u8);
            return Ok(());
        }
        self.keep_values(w, t);
        self.kept(w, t);
        Ok(())
    }

    fn keep_values(&mut self, w: usize, t: usize) {
        self.worker(w).disks[t].value = self.now.workers[w].state_of(t);
    }

    fn kept(&mut self, w: usize, t: usize) {
        if let Some(task) = &mut self.worker(w).tasks[t] {
            task.committed = task.next;
            task.dirty = false;
            task.timers_only = false;
            task.overlay = None;
            task.acknowledged = None;
        }
        match self.now.workers[w].dirty_from(t as u8 + 1) {
            Some(next) => self.worker(w).step = Step::KeepState(next),
            None if self.makes(Mistake::StateBeforeCommit) => {
                let is_before = self.now.workers[w].outcome == Some(Outcome::Open);
                if is_before { self.worker(w).step = Step::Commit } else { self.finish(w) }
            }
            None => self.finish(w),
        }
    }

    fn finish(&mut self, w: usize) {
        let worker = self.worker(w);
        worker.outcome = None;
        worker.step = if worker.going.is_some() { Step::HandOver } else { Step::Idle };
    }

    /// What `Failure::Abort` leads to.
    pub fn abort(&mut self, w: usize, outcome: Outcome) -> Result<(), Problem> {
        self.ask(|| invariants::answer_fits_the_outcome(outcome, Answer::GoBack))?;
        if self.now.transactions[w].phase == Transacting::Open {
            match self.now.workers[w].producer {
                Producer::Ready => self.decide(w, false)?,
                Producer::Fenced => return self.meet_fence(w),
                Producer::New => {}
            }
        }
        self.go_back(w);
        Ok(())
    }

    /// What was written since the last commit is dropped, and read again.
    fn go_back(&mut self, w: usize) {
        let keeps_overlay = self.makes(Mistake::OverlaySurvivesAbort);
        let keeps_positions = self.makes(Mistake::PositionsSurviveAbort);
        let worker = self.worker(w);
        for task in worker.tasks.iter_mut().flatten() {
            task.acknowledged = None;
            task.dirty = false;
            task.timers_only = false;
            if !keeps_overlay {
                task.overlay = None;
            }
            if !keeps_positions {
                task.next = task.committed;
            }
        }
        worker.owed_marker = false;
        worker.outcome = None;
        worker.step = Step::Idle;
        if let Some(t) = worker.going {
            self.hand_over(w, t.into());
        }
    }

    /// What `Failure::Rebuild` leads to: the one answer to fences and unknown outcomes.
    pub fn recover(&mut self, w: usize, outcome: Outcome) -> Result<(), Problem> {
        self.ask(|| invariants::answer_fits_the_outcome(outcome, Answer::ReadTheTruth))?;
        let worker = self.worker(w);
        worker.producer = Producer::New;
        for task in worker.tasks.iter_mut().flatten() {
            task.phase = Phase::Joining;
        }
        self.go_back(w);
        Ok(())
    }

    pub fn meet_fence(&mut self, w: usize) -> Result<(), Problem> {
        if self.makes(Mistake::FencedIsAborted) {
            self.go_back(w);
            return Ok(());
        }
        self.recover(w, Outcome::Unknown)
    }

    /// The positions are on their way, and nobody waits for them any more.
    pub fn lose_positions_answer(&mut self, w: usize) -> Result<(), Problem> {
        let tasks = self.now.workers[w].tasks;
        let positions = tasks.map(|task| task.filter(|t| t.dirty).map(|t| t.next));
        self.now.transactions[w].late_positions = Some(positions);
        match self.scenario.late_positions {
            LatePositions::LeadToRecovery => self.recover(w, Outcome::Open),
            LatePositions::LeadToAbort | LatePositions::Never => self.abort(w, Outcome::Open),
        }
    }

    /// The commit is on its way, and nobody waits for it any more.
    pub fn lose_commit_answer(&mut self, w: usize) -> Result<(), Problem> {
        // A coordinator that has raised the epoch will refuse it.
        self.now.transactions[w].late_commit = self.now.workers[w].producer == Producer::Ready;
        if self.makes(Mistake::UnknownIsCommitted) {
            self.ask(|| invariants::answer_fits_the_outcome(Outcome::Unknown, Answer::Keep))?;
            self.worker(w).outcome = Some(Outcome::Unknown);
            self.go_on_to_keep(w);
            return Ok(());
        }
        if self.makes(Mistake::ProducerSurvivesUnknown) {
            return self.abort(w, Outcome::Unknown);
        }
        if self.makes(Mistake::UnknownIsAborted) {
            self.ask(|| invariants::answer_fits_the_outcome(Outcome::Unknown, Answer::GoBack))?;
            self.worker(w).producer = Producer::New;
            self.go_back(w);
            return Ok(());
        }
        self.recover(w, Outcome::Unknown)
    }
}
