//! A task's calls: which are due, what became of them, and whether there are too many.

use std::collections::HashSet;

use bytes::Bytes;
use concord_state::{
    PendingCall, StateError, count_calls, due_calls, first_call, next_call_due, pending_call, postpone_call,
    remove_call, repair_calls,
};

use super::{InHand, Surroundings, Task};
use crate::calls::CallResult;
use crate::context::{Context, Input};
use crate::invariants;
use crate::lineage::Lineage;
use crate::planted::{self, PlantedBug};
use crate::processor::ProcessorInstance;
use crate::rejection::ProcessError;
use crate::topology::{CallDefinition, SubTopology, Topology};

/// There is nothing to begin until something changes.
const NEVER: i64 = i64::MAX;
/// There may be something to begin now.
const NOW: i64 = i64::MIN;

/// What a task remembers of its calls in memory.
pub(crate) struct TaskCalls {
    /// By the index of a call, when to look for due ones again: milliseconds since the epoch.
    look_at_ms: Vec<i64>,
    /// The same: none is due before. A store that much was removed from is slow to read from its beginning.
    none_before_ms: Vec<i64>,
    /// The state of the store of calls that was committed last.
    committed_version: u64,
    /// How many are pending, by the index of a call, as long as the store has not changed.
    pending: Option<(u64, Vec<u64>)>,
    /// Its input is not read until some calls are done.
    pub input_is_held: bool,
}

impl TaskCalls {
    pub fn of(part: &SubTopology) -> Self {
        Self {
            look_at_ms: vec![NOW; part.calls.len()],
            none_before_ms: vec![i64::MIN; part.calls.len()],
            committed_version: 0,
            pending: None,
            input_is_held: false,
        }
    }

    /// What was answered since the last commit is pending again, and the input is read again from there.
    pub fn roll_back(&mut self) {
        self.look_at_ms.fill(NOW);
        self.none_before_ms.fill(i64::MIN);
        self.input_is_held = false;
    }

    /// A call of this index will be due.
    pub fn will_be_due(&mut self, call: usize, due_ms: i64) {
        self.none_before_ms[call] = self.none_before_ms[call].min(due_ms);
    }

    /// When to look for calls that may begin, if not before something changes: milliseconds since the epoch.
    pub fn next_look_ms(&self) -> Option<i64> {
        self.look_at_ms.iter().copied().filter(|at| *at != NEVER && *at != NOW).min()
    }

    /// A call of this index is not in flight any more, and may be pending all the same.
    pub fn look_again(&mut self, call: usize) {
        self.look_at_ms[call] = NOW;
    }

    /// Whether calls of this index may be due at `now_ms`.
    pub fn may_be_due(&self, call: usize, now_ms: i64) -> bool {
        self.look_at_ms[call] <= now_ms
    }
}

impl Task {
    /// A transaction is committed: what was asked for in it may begin.
    pub fn calls_are_committed(&mut self, part: &SubTopology) {
        let Some(store) = part.call_store() else { return };
        let version = self.state.version(store);
        if version != self.calls.committed_version {
            self.calls.committed_version = version;
            self.calls.look_at_ms.fill(NOW);
        }
    }

    /// Whether calls were asked for, answered or taken back since [`Self::calls_are_committed`].
    pub fn calls_have_changed(&self, topology: &Topology) -> bool {
        let store = topology.sub_topologies[self.sub].call_store();
        store.is_some_and(|store| self.state.version(store) != self.calls.committed_version)
    }

    /// Committed calls that may begin, at most `limit`, but for those of these sequences.
    pub fn calls_to_begin(
        &mut self,
        part: &SubTopology,
        call: usize,
        now_ms: i64,
        limit: usize,
        in_flight: &HashSet<u64>,
    ) -> Result<Vec<PendingCall>, StateError> {
        let Some(store) = part.call_store() else { return Ok(Vec::new()) };
        let CallDefinition { name, limits, .. } = &part.calls[call];
        let next = next_call_due(&self.state, store, name, now_ms)?;
        // None waits longer than a pause lasts, but when the clock was set back: nothing may wait for it to catch up.
        let latest_ms = now_ms.saturating_add(limits.longest_pause_ms());
        let clock_was_set_back = next.is_some_and(|next_ms| next_ms > latest_ms);
        let between = (self.calls.none_before_ms[call], if clock_was_set_back { i64::MAX } else { now_ms });
        let begins_early = planted::is(PlantedBug::CallBeforeCommit);
        let due = due_calls(&self.state, store, name, between, limit, &mut |sequence, is_committed| {
            let begins = (is_committed || begins_early) && !in_flight.contains(&sequence);
            invariants::holds(|| invariants::call_is_committed(is_committed || !begins));
            begins
        })?;
        // None is due: whatever will be says so.
        self.calls.none_before_ms[call] = due.first_due_ms.unwrap_or(i64::MAX).min(next.unwrap_or(i64::MAX));
        if due.calls.len() < limit {
            self.calls.look_at_ms[call] = next.filter(|_| !clock_was_set_back).unwrap_or(NEVER);
        }
        Ok(due.calls)
    }

    /// A call as it is pending now; `None` when it was answered or taken back.
    pub fn pending(
        &self,
        part: &SubTopology,
        call: usize,
        key: &Bytes,
        sequence: u64,
    ) -> Result<Option<PendingCall>, StateError> {
        let Some(store) = part.call_store() else { return Ok(None) };
        pending_call(&self.state, store, part.calls[call].name, key, sequence)
    }

    /// The sequence of the first pending call of a key.
    pub fn first_pending(&self, part: &SubTopology, call: usize, key: &Bytes) -> Result<Option<u64>, StateError> {
        let Some(store) = part.call_store() else { return Ok(None) };
        Ok(first_call(&self.state, store, part.calls[call].name, key)?.map(|first| first.sequence))
    }

    /// Takes a call out, so that nothing more comes of it.
    pub fn take_call(&mut self, part: &SubTopology, call: usize, pending: &PendingCall) -> Result<(), StateError> {
        let Some(store) = part.call_store() else { return Ok(()) };
        self.dirty = true;
        self.state.savepoint();
        if planted::is(PlantedBug::ResultKeepsTheCall) {
            return Ok(());
        }
        if let Some(due_ms) = remove_call(&mut self.state, store, part.calls[call].name, pending)? {
            self.calls.will_be_due(call, due_ms);
        }
        Ok(())
    }

    /// Notes that an attempt has failed, and when the next may begin.
    pub fn postpone(&mut self, part: &SubTopology, call: usize, pending: &PendingCall, now_ms: i64, failure: &str) {
        let Some(store) = part.call_store() else { return };
        let CallDefinition { name, limits, .. } = &part.calls[call];
        let due_ms = now_ms.saturating_add(limits.pause_ms(pending.failed_attempts + 1));
        self.dirty = true;
        self.state.savepoint();
        postpone_call(&mut self.state, store, name, pending, due_ms, failure);
        self.calls.will_be_due(call, due_ms);
    }

    /// Hands the result of a call to its processor; the call is taken out, whatever the processor answers.
    pub fn hand_over(
        &mut self,
        around: &mut Surroundings<'_>,
        call: usize,
        pending: &PendingCall,
        result: CallResult,
        lineage: &Lineage,
    ) -> Result<(), ProcessError> {
        self.take_call(&around.topology.sub_topologies[self.sub], call, pending)?;
        self.tell_processor(around, call, pending, lineage, |processor, context| {
            processor.result(call, context, result)
        })
    }

    /// Tells the processor of a call that an attempt at it has begun.
    pub fn tell_begun(
        &mut self,
        around: &mut Surroundings<'_>,
        call: usize,
        pending: &PendingCall,
        lineage: &Lineage,
    ) -> Result<(), ProcessError> {
        let attempt = pending.failed_attempts + 1;
        self.dirty = true;
        self.tell_processor(around, call, pending, lineage, |processor, context| {
            processor.begun(call, context, attempt)
        })
    }

    /// What the processor does takes effect as a whole or not at all.
    fn tell_processor(
        &mut self,
        around: &mut Surroundings<'_>,
        call: usize,
        pending: &PendingCall,
        lineage: &Lineage,
        tell: impl FnOnce(&mut dyn ProcessorInstance, &mut Context<'_>) -> Result<(), ProcessError>,
    ) -> Result<(), ProcessError> {
        let part = &around.topology.sub_topologies[self.sub];
        let processor = part.calls[call].processor;
        self.state.savepoint();
        let in_hand = InHand {
            part,
            processor,
            input: Input::without_record(self.partition, pending.timestamp_ms, &pending.key),
            lineage,
            partition: self.partition,
            stream_time_ms: self.stream_time_ms,
        };
        let mut context = in_hand.context(around, &mut self.state, &mut self.next_timers, &mut self.calls);
        if let Err(error) = tell(self.instances[processor].as_mut(), &mut context) {
            self.state.roll_back_to_savepoint();
            self.renew_instance(around.topology, processor);
            return Err(error);
        }
        Ok(())
    }

    /// Whether so many calls are pending that no more input is read: from the bound on, until a quarter of it is free again.
    pub fn has_too_many_calls(&mut self, part: &SubTopology) -> Result<bool, StateError> {
        let is_held = self.calls.input_is_held;
        let pending = self.pending_calls(part)?;
        Ok(part.calls.iter().zip(pending).any(|(call, pending)| {
            let most = call.limits.most_pending;
            *pending >= if is_held { most.saturating_sub(most / 4).max(1) } else { most }
        }))
    }

    /// Without transactions the rows of a call reach the changelog one by one: what a former owner left half written is made whole.
    pub fn repair_calls(&mut self, part: &SubTopology) -> Result<(), StateError> {
        let Some(store) = part.call_store() else { return Ok(()) };
        for call in &part.calls {
            if repair_calls(&mut self.state, store, call.name)? {
                self.dirty = true;
                tracing::warn!(
                    call = call.name,
                    partition = self.partition,
                    "Pending calls were half written, and are whole again."
                );
            }
        }
        Ok(())
    }

    /// How many calls are pending, by their index.
    pub fn pending_calls(&mut self, part: &SubTopology) -> Result<&[u64], StateError> {
        let Some(store) = part.call_store() else { return Ok(&[]) };
        let version = self.state.version(store);
        if self.calls.pending.as_ref().is_none_or(|(counted, _)| *counted != version) {
            let mut counts = Vec::with_capacity(part.calls.len());
            for call in &part.calls {
                counts.push(count_calls(&self.state, store, call.name)?);
            }
            self.calls.pending = Some((version, counts));
        }
        Ok(self.calls.pending.as_ref().map_or(&[][..], |(_, counts)| &counts[..]))
    }
}
