//! Calls of tasks, from their commit to the commit of their results.
//!
//! What is in flight is known in memory only, by number and sequence. It says nothing about the state: what a result means is asked of
//! the pending entry when it comes. So a rolled back transaction, a recovery and a task that has gone need no bookkeeping:
//! an entry that is pending and not in flight is begun (again), and a result without its entry is not heard.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use concord_state::PendingCall;

use super::{Failure, TaskId, Worker, WorkerError};
use crate::calls::{BegunCall, CallLine, CallResult, CallService, FinishedCall};
use crate::lineage::Lineage;
use crate::metric_names as names;
use crate::planted::{self, PlantedBug};
use crate::rejection::{ProcessError, Rejection};
use crate::task::{Phase, Surroundings};
use crate::topology::Topology;

/// Results of one turn; more wait for the next, so that a crowd of them does not hold up records.
const SLICE: usize = 100;
/// How long a worker with calls in flight and nothing to read waits for the first of them, before it looks for records again.
const LOOK_FOR_RECORDS: Duration = Duration::from_millis(5);

/// What a worker has begun and has no result of.
pub(super) struct CallsInFlight {
    pub(super) line: Box<dyn CallLine>,
    pub(super) begun: BTreeMap<u64, InFlight>,
    last_number: u64,
    /// What finished while its task was on its way back to processing.
    early: Vec<FinishedCall>,
    /// Looks for calls to begin: each begins with another task, so that none starves behind a long one.
    looks: usize,
    /// Results whose outputs the log refused as too large: next time they go to the dead letters.
    refused: Vec<(InFlight, Rejection)>,
    /// Whether something has begun or ended since the metrics were told.
    has_news: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct InFlight {
    pub task: TaskId,
    /// Its index in the sub-topology.
    pub call: usize,
    pub key: Bytes,
    pub sequence: u64,
    pub failed_attempts: u32,
    pub began_ms: i64,
    pub told: Told,
}

/// Whether the processor knows that an attempt has begun.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It wants to, and does not.
    NotYet,
    /// It does.
    Yes,
    /// It does not want to, or cannot be told.
    Never,
}

impl CallsInFlight {
    pub fn on(service: &dyn CallService) -> Self {
        Self {
            line: service.line(),
            begun: BTreeMap::new(),
            last_number: 0,
            early: Vec::new(),
            looks: 0,
            refused: Vec::new(),
            has_news: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// Waits for the first result, but not so long that records wait.
    pub fn wait(&mut self, longest: Duration) {
        self.line.wait(longest.min(LOOK_FOR_RECORDS));
    }

    fn count(&self, sub: usize, call: usize) -> usize {
        self.begun.values().filter(|one| one.task.0 == sub && one.call == call).count()
    }

    /// The task is closed: nobody here waits for its calls any more.
    pub fn forget_task(&mut self, id: TaskId) {
        let line = &mut self.line;
        self.begun.retain(|number, one| {
            if one.task == id {
                line.call_off(*number);
            }
            one.task != id
        });
        self.refused.retain(|(one, _)| one.task != id);
        self.has_news = true;
    }
}

/// Whether somebody performs every call of a topology.
pub(super) fn check_performers(topology: &Topology, service: &dyn CallService) -> Result<(), WorkerError> {
    let declared = topology.sub_topologies.iter().flat_map(|sub| &sub.calls);
    match declared.map(|call| call.name).find(|name| !service.performs(name)) {
        None => Ok(()),
        Some(name) => Err(WorkerError::Programming(format!("nobody performs the call `{name}` in this process"))),
    }
}

impl Worker {
    /// Begins committed calls that are due, as many as may be in flight.
    pub(super) fn begin_calls(&mut self) -> Result<(), Failure> {
        let now_ms = self.parts.clock.now_ms();
        let topology = self.parts.topology.clone();
        if topology.sub_topologies.iter().all(|part| part.calls.is_empty()) {
            return Ok(());
        }
        let mut ids: Vec<TaskId> = self.tasks.keys().copied().collect();
        if !ids.is_empty() {
            self.calls.looks = (self.calls.looks + 1) % ids.len();
            ids.rotate_left(self.calls.looks);
        }
        for id in ids {
            let part = &topology.sub_topologies[id.0];
            for (call, definition) in part.calls.iter().enumerate() {
                let free = definition.limits.in_flight.saturating_sub(self.calls.count(id.0, call));
                let Some(task) = self.tasks.get_mut(&id).filter(|t| matches!(t.phase, Phase::Running)) else { break };
                if free == 0 || !task.calls.may_be_due(call, now_ms) {
                    continue;
                }
                let in_flight: HashSet<u64> =
                    self.calls.begun.values().filter(|one| one.task == id).map(|one| one.sequence).collect();
                for pending in task.calls_to_begin(part, call, now_ms, free, &in_flight)? {
                    self.begin_call(id, call, pending, now_ms);
                }
            }
        }
        self.tell_of_calls()
    }

    fn begin_call(&mut self, id: TaskId, call: usize, pending: PendingCall, began_ms: i64) {
        let definition = &self.parts.topology.sub_topologies[id.0].calls[call];
        self.calls.last_number += 1;
        let number = self.calls.last_number;
        self.calls.has_news = true;
        let PendingCall { key, sequence, failed_attempts, request, .. } = pending;
        let told = if definition.tells_of_beginning { Told::NotYet } else { Told::Never };
        let in_flight = InFlight { task: id, call, key: key.clone(), sequence, failed_attempts, began_ms, told };
        self.calls.begun.insert(number, in_flight);
        self.calls.line.begin(BegunCall {
            number,
            call: definition.name,
            key,
            request,
            attempt: failed_attempts + 1,
            time_limit: definition.limits.time_limit,
        });
    }

    /// A transaction is committed. What it took back is called off, what it asked for may begin.
    pub(super) fn calls_are_committed(&mut self) -> Result<(), Failure> {
        let topology = self.parts.topology.clone();
        let mut unwanted = Vec::new();
        for (number, one) in &self.calls.begun {
            if self.has_gone(one)? {
                unwanted.push(*number);
            }
        }
        for number in unwanted {
            if let Some(one) = self.calls.begun.remove(&number) {
                let name = topology.sub_topologies[one.task.0].calls[one.call].name;
                metrics::counter!(names::CALLS, "call" => name, "outcome" => "taken back").increment(1);
            }
            self.calls.line.call_off(number);
        }
        if !self.calls.refused.is_empty() {
            let mut refused = Vec::new();
            for (one, rejection) in std::mem::take(&mut self.calls.refused) {
                if !self.has_gone(&one)? {
                    refused.push((one, rejection));
                }
            }
            self.calls.refused = refused;
        }
        self.calls.has_news = true;
        for task in self.tasks.values_mut() {
            task.calls_are_committed(&self.parts.topology.sub_topologies[task.sub]);
        }
        Ok(())
    }

    /// Whether a call was answered or taken back in the transaction that was committed.
    fn has_gone(&self, one: &InFlight) -> Result<bool, Failure> {
        let topology = &self.parts.topology;
        let Some(task) = self.tasks.get(&one.task).filter(|task| task.calls_have_changed(topology)) else {
            return Ok(false);
        };
        Ok(task.pending(&topology.sub_topologies[one.task.0], one.call, &one.key, one.sequence)?.is_none())
    }

    /// Takes in what has finished, at most a slice; answers how many results were heard.
    pub(super) fn take_results(&mut self) -> Result<usize, Failure> {
        let mut heard = 0;
        for _ in 0..SLICE {
            let Some(finished) = self.next_finished() else { break };
            let Some(begun) = self.calls.begun.remove(&finished.number) else { continue };
            self.calls.has_news = true;
            heard += usize::from(self.take_result(&begun, finished)?);
            if self.overdue() {
                self.commit()?;
            }
        }
        Ok(heard)
    }

    /// The next call that has finished and whose task processes. A task on its way back to processing does not know what is pending:
    /// its results wait for it.
    fn next_finished(&mut self) -> Option<FinishedCall> {
        let (tasks, begun) = (&self.tasks, &self.calls.begun);
        let waits = |finished: &FinishedCall| {
            let task = begun.get(&finished.number).and_then(|one| tasks.get(&one.task));
            task.is_some_and(|task| !matches!(task.phase, Phase::Running))
        };
        if let Some(place) = self.calls.early.iter().position(|finished| !waits(finished)) {
            return Some(self.calls.early.swap_remove(place));
        }
        loop {
            let finished = self.calls.line.finished()?;
            if !waits(&finished) {
                return Some(finished);
            }
            self.calls.early.push(finished);
        }
    }

    /// Takes in one result; false when nobody waits for it any more.
    fn take_result(&mut self, begun: &InFlight, finished: FinishedCall) -> Result<bool, Failure> {
        let topology = self.parts.topology.clone();
        let part = &topology.sub_topologies[begun.task.0];
        let definition = &part.calls[begun.call];
        metrics::histogram!(names::CALL_SECONDS, "call" => definition.name).record(finished.took.as_secs_f64());
        let Some(task) = self.tasks.get_mut(&begun.task) else { return Ok(false) };
        task.calls.look_again(begun.call);
        let sequence = match planted::is(PlantedBug::ResultOfAnotherCall) {
            false => Some(begun.sequence),
            true => task.first_pending(part, begun.call, &begun.key)?,
        };
        let pending = match sequence {
            Some(sequence) => task.pending(part, begun.call, &begun.key, sequence)?,
            None => None,
        };
        let attempt_is = |pending: &PendingCall| {
            pending.failed_attempts == begun.failed_attempts || planted::is(PlantedBug::ResultOfAnotherCall)
        };
        let Some(pending) = pending.filter(attempt_is) else {
            metrics::counter!(names::CALLS, "call" => definition.name, "outcome" => "taken back").increment(1);
            return Ok(false);
        };
        let outcome = if finished.outcome.is_ok() { "answered" } else { "failed" };
        metrics::counter!(names::CALLS, "call" => definition.name, "outcome" => outcome).increment(1);
        let attempts = pending.failed_attempts + 1;
        if let Err(failure) = &finished.outcome {
            metrics::counter!(names::CALL_FAILURES, "call" => definition.name, "code" => failure.code).increment(1);
            if failure.may_pass && attempts < definition.limits.attempts {
                tracing::warn!(call = definition.name, attempts, %failure, "An attempt failed; it is repeated later.");
                task.postpone(part, begun.call, &pending, self.parts.clock.now_ms(), failure.code);
                return Ok(true);
            }
        }
        let result = CallResult { request: pending.request.clone(), attempts, outcome: finished.outcome };
        self.hand_over(begun, &pending, result)?;
        Ok(true)
    }

    fn hand_over(&mut self, begun: &InFlight, pending: &PendingCall, result: CallResult) -> Result<(), Failure> {
        let id = begun.task;
        let lineage = Lineage::known(pending.lineage.clone());
        self.outbox.clear();
        self.filtered.clear();
        let now_ms = self.parts.clock.now_ms();
        let Some(task) = self.tasks.get_mut(&id) else { return Ok(()) };
        let refused = self.calls.refused.iter().find(|(one, _)| one.task == id && one.sequence == pending.sequence);
        let outcome = match refused.map(|(_, rejection)| rejection.clone()) {
            Some(rejection) => {
                task.take_call(&self.parts.topology.sub_topologies[id.0], begun.call, pending)?;
                Err(ProcessError::Rejected(rejection))
            }
            None => task.hand_over(
                &mut Surroundings {
                    topology: &self.parts.topology,
                    codec: &mut self.codec,
                    outbox: &mut self.outbox,
                    filtered: &mut self.filtered,
                    now_ms,
                    max_record_bytes: self.settings.max_record_bytes,
                },
                begun.call,
                pending,
                result,
                &lineage,
            ),
        };
        match outcome {
            Ok(()) => {
                self.count_filtered();
                if let Err(failure) = self.send_outbox(id, &lineage) {
                    if let Some(rejection) = failure.as_rejection() {
                        self.calls.refused.push((begun.clone(), rejection));
                    }
                    return Err(failure);
                }
                Ok(())
            }
            Err(ProcessError::Rejected(rejection)) => {
                self.outbox.clear();
                let name = self.parts.topology.sub_topologies[id.0].calls[begun.call].name;
                self.reject_call(id, name, pending, &rejection, &lineage)
            }
            Err(ProcessError::Parked { id: schema, .. }) => {
                let message = format!("a stored value needs a schema that is not at hand ({schema})");
                Err(WorkerError::Programming(message).into())
            }
            Err(ProcessError::State(error)) => Err(error.into()),
            Err(ProcessError::Programming(message)) => Err(WorkerError::Programming(message).into()),
        }
    }

    fn tell_of_calls(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.calls.has_news) {
            return Ok(());
        }
        let topology = self.parts.topology.clone();
        for (sub, part) in topology.sub_topologies.iter().enumerate() {
            let mut pending = vec![0; part.calls.len()];
            for task in self.tasks.values_mut().filter(|t| t.sub == sub && matches!(t.phase, Phase::Running)) {
                for (sum, of_task) in pending.iter_mut().zip(task.pending_calls(part)?) {
                    *sum += of_task;
                }
            }
            for (call, definition) in part.calls.iter().enumerate() {
                let (worker, call_name) = (self.settings.name.clone(), definition.name);
                let in_flight = self.calls.count(sub, call) as f64;
                metrics::gauge!(names::CALLS_PENDING, "worker" => worker.clone(), "call" => call_name)
                    .set(pending[call] as f64);
                metrics::gauge!(names::CALLS_IN_FLIGHT, "worker" => worker, "call" => call_name).set(in_flight);
            }
        }
        Ok(())
    }

    /// Calls without a result, of all tasks that process; those of others are not known.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn pending_calls(&mut self) -> Result<u64, WorkerError> {
        let topology = &self.parts.topology;
        let mut pending = 0;
        for task in self.tasks.values_mut().filter(|task| matches!(task.phase, Phase::Running)) {
            pending += task.pending_calls(&topology.sub_topologies[task.sub])?.iter().sum::<u64>();
        }
        Ok(pending)
    }
}
