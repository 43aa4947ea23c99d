//! A task: one partition of a sub-topology, with its stores, processors, positions and timers. It knows no log and no
//! thread: it is given records, timers and results of calls, and answers with effects.

mod calls;
mod next_timers;

use bytes::Bytes;
use concord_state::{Clock, NO_STREAM_TIME, StateError, TaskState, Timer, cancel_timer, due_timers, next_due};

use crate::codec::Codec;
use crate::context::{Context, Input, Outbox};
use crate::gathering::Gatherings;
use crate::lineage::Lineage;
use crate::log::{LogRecord, Offset, TopicPartition};
use crate::planted::{self, PlantedBug};
use crate::processor::ProcessorInstance;
use crate::rejection::ProcessError;
use crate::topology::{SubTopology, Topology};
use crate::worker::{NO_GENERATION, WorkerError};

pub(crate) use calls::TaskCalls;
pub(crate) use next_timers::NextTimers;

/// Where a task stands in one of its source partitions.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub from: TopicPartition,
    /// Where the group's committed position stands: an abort goes back to here.
    pub committed: Offset,
    /// The next record to process.
    pub next: Offset,
    /// Records are left unread until this wall-clock time, since a schema is not at hand.
    pub parked_until_ms: Option<i64>,
}

/// A store being replayed.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    pub store: usize,
    pub from: TopicPartition,
    /// The changelog's end, open transactions included, taken after the committed positions were known.
    pub target: Offset,
    /// The newest generation that a record before the present place was written in.
    pub newest_generation: i32,
}

/// How far a task is on its way to processing.
#[derive(Debug)]
pub(crate) enum Phase {
    /// It does not know its committed positions yet.
    Joining,
    /// Its stores are being replayed.
    Restoring(Vec<Replay>),
    /// It processes records.
    Running,
}

impl Phase {
    /// The replay of a changelog partition, while it lasts.
    pub fn replay_of(&mut self, from: &TopicPartition) -> Option<&mut Replay> {
        match self {
            Self::Restoring(replays) => replays.iter_mut().find(|replay| replay.from == *from),
            Self::Joining | Self::Running => None,
        }
    }
}

/// What a task's calls need from outside.
pub(crate) struct Surroundings<'w> {
    pub topology: &'w Topology,
    pub codec: &'w mut Codec,
    pub outbox: &'w mut Outbox,
    pub filtered: &'w mut Vec<&'static str>,
    pub now_ms: i64,
    pub max_record_bytes: usize,
}

/// What is in hand, and whose it is.
#[derive(Clone, Copy)]
struct InHand<'t> {
    part: &'t SubTopology,
    processor: usize,
    input: Input<'t>,
    lineage: &'t Lineage,
    partition: i32,
    stream_time_ms: i64,
}

impl<'t> InHand<'t> {
    fn context(
        self,
        around: &'t mut Surroundings<'_>,
        state: &'t mut TaskState,
        next_timers: &'t mut NextTimers,
        calls: &'t mut TaskCalls,
    ) -> Context<'t> {
        Context {
            topology: around.topology,
            codec: around.codec,
            state,
            next_timers,
            calls,
            outbox: around.outbox,
            input: self.input,
            lineage: self.lineage,
            partition: self.partition,
            processor: self.processor,
            processor_name: self.part.processors[self.processor].name,
            part: self.part,
            stream_time_ms: self.stream_time_ms,
            now_ms: around.now_ms,
            max_record_bytes: around.max_record_bytes,
            filtered: around.filtered,
        }
    }
}

pub(crate) struct Task {
    pub sub: usize,
    pub partition: i32,
    pub state: TaskState,
    pub positions: Vec<Position>,
    pub phase: Phase,
    /// The highest record time seen.
    pub stream_time_ms: i64,
    /// The same at the last commit: an abort goes back to here.
    pub committed_stream_time_ms: i64,
    /// The newest generation known of the changelogs' records; at least once only.
    pub generation: i32,
    /// The same as far as the committed state knows it.
    pub committed_generation: i32,
    /// Something was processed or written since the last commit.
    pub dirty: bool,
    instances: Vec<Box<dyn ProcessorInstance>>,
    /// Records of parts that are not full yet; at a commit there are none.
    pub gatherings: Gatherings,
    next_timers: NextTimers,
    pub calls: TaskCalls,
    #[cfg(feature = "planted-bugs")]
    pub held_markers: planted::HeldMarkers,
}

/// Where the store of timers keeps the stream time; no timer's key begins like it.
const STREAM_TIME: &[u8] = b"stream-time";
/// Where it keeps the newest generation of the changelogs; no timer's key begins like it either.
const GENERATION: &[u8] = b"generation";

/// The payload of a stored timer: the lineage of what set it, then the processor's own.
pub(crate) fn timer_payload(lineage: &Bytes, payload: &[u8]) -> Bytes {
    let mut wrapped = Vec::with_capacity(4 + lineage.len() + payload.len());
    wrapped.extend_from_slice(&(lineage.len() as u32).to_be_bytes());
    wrapped.extend_from_slice(lineage);
    wrapped.extend_from_slice(payload);
    Bytes::from(wrapped)
}

/// Takes apart the payload of a stored timer: the lineage of what set it, and the processor's own.
pub(crate) fn timer_origin(timer: &Timer) -> Result<(Lineage, Bytes), WorkerError> {
    let stored = &timer.payload;
    let length = stored.first_chunk::<4>().map_or(usize::MAX, |bytes| u32::from_be_bytes(*bytes) as usize);
    if stored.len().checked_sub(4).is_none_or(|behind| behind < length) {
        return Err(WorkerError::Programming("a stored timer has no readable payload".to_string()));
    }
    Ok((Lineage::known(stored.slice(4..4 + length)), stored.slice(4 + length..)))
}

impl Task {
    pub fn new(topology: &Topology, sub: usize, partition: i32, state: TaskState) -> Self {
        let definition = &topology.sub_topologies[sub];
        let positions = definition
            .sources
            .iter()
            .map(|source| Position {
                from: TopicPartition { topic: topology.topics[source.topic].name.clone(), partition },
                committed: 0,
                next: 0,
                parked_until_ms: None,
            })
            .collect();
        let instances: Vec<_> = definition.processors.iter().map(|p| p.factory.make()).collect();
        Self {
            sub,
            partition,
            state,
            positions,
            phase: Phase::Joining,
            stream_time_ms: NO_STREAM_TIME,
            committed_stream_time_ms: NO_STREAM_TIME,
            generation: NO_GENERATION,
            committed_generation: NO_GENERATION,
            dirty: false,
            instances,
            gatherings: Gatherings::default(),
            next_timers: NextTimers::default(),
            calls: TaskCalls::of(definition),
            #[cfg(feature = "planted-bugs")]
            held_markers: planted::HeldMarkers::default(),
        }
    }

    /// Processes one record of a source, read `from` its partition. After an error nothing of it is left in the state; the outbox
    /// is the caller's to clear.
    pub fn process(
        &mut self,
        around: &mut Surroundings<'_>,
        source: usize,
        from: &TopicPartition,
        record: &LogRecord,
        lineage: &Lineage,
    ) -> Result<(), ProcessError> {
        self.stream_time_ms = self.stream_time_ms.max(record.timestamp_ms);
        self.state.savepoint();
        let input = Input {
            topic: &from.topic,
            partition: from.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.as_deref(),
        };
        let definition = &around.topology.sub_topologies[self.sub];
        for (index, processor) in definition.processors.iter().enumerate() {
            if !processor.inputs.contains(&source) {
                continue;
            }
            let in_hand = InHand {
                part: definition,
                processor: index,
                input,
                lineage,
                partition: self.partition,
                stream_time_ms: self.stream_time_ms,
            };
            let mut context = in_hand.context(around, &mut self.state, &mut self.next_timers, &mut self.calls);
            if let Err(error) = self.instances[index].process(source, &mut context, record.value.as_deref()) {
                if !planted::is(PlantedBug::NoRollbackAfterRejection) {
                    self.state.roll_back_to_savepoint();
                }
                // Those before it have seen the record too, and may remember it.
                for earlier in 0..=index {
                    self.renew_instance(around.topology, earlier);
                }
                return Err(error);
            }
        }
        self.dirty = true;
        Ok(())
    }

    /// Fires one timer: it is taken out, then handled.
    pub fn fire(
        &mut self,
        around: &mut Surroundings<'_>,
        timer: &Timer,
        payload: Bytes,
        lineage: &Lineage,
    ) -> Result<(), ProcessError> {
        let definition = &around.topology.sub_topologies[self.sub];
        let Some(index) = definition.processors.iter().position(|p| p.name == timer.owner) else {
            let message = format!("a stored timer belongs to the processor `{}`, which is not there", timer.owner);
            return Err(ProcessError::Programming(message));
        };
        self.take_timer(definition.timer_store(), timer)?;
        self.state.savepoint();
        let own = Timer { payload, ..timer.clone() };
        let in_hand = InHand {
            part: definition,
            processor: index,
            input: Input::without_record(self.partition, timer.due_ms, &timer.key),
            lineage,
            partition: self.partition,
            stream_time_ms: self.stream_time_ms,
        };
        let mut context = in_hand.context(around, &mut self.state, &mut self.next_timers, &mut self.calls);
        if let Err(error) = self.instances[index].timer(&mut context, &own) {
            self.state.roll_back_to_savepoint();
            self.renew_instance(around.topology, index);
            return Err(error);
        }
        self.dirty = true;
        Ok(())
    }

    /// No timer on the wall clock is due earlier; `None` when there is none at all.
    pub fn next_look_at_timers(&mut self, timer_store: usize) -> Result<Option<i64>, StateError> {
        self.next_timers.earliest(&self.state, timer_store, Clock::WallClock)
    }

    /// The timers that are due on both clocks, at most so many of each.
    pub fn due_timers(&mut self, timer_store: usize, now_ms: i64, limit: usize) -> Result<Vec<Timer>, StateError> {
        let mut due = Vec::new();
        let mut looked = false;
        for (clock, time_ms) in [(Clock::StreamTime, self.stream_time_ms), (Clock::WallClock, now_ms)] {
            let earliest = self.next_timers.earliest(&self.state, timer_store, clock)?;
            if earliest.is_some_and(|earliest_ms| earliest_ms <= time_ms) {
                looked = true;
                due.extend(due_timers(&self.state, timer_store, clock, time_ms, limit)?);
            } else if cfg!(debug_assertions) && planted::invariants_are_asserted() {
                let next = next_due(&self.state, timer_store, clock)?;
                debug_assert!(next.is_none_or(|due_ms| due_ms > time_ms), "a timer is due before {earliest:?}");
            }
        }
        if looked {
            self.next_timers.forget();
        }
        Ok(due)
    }

    /// Takes a timer out without handling it.
    pub fn take_timer(&mut self, store: usize, timer: &Timer) -> Result<(), StateError> {
        self.dirty = true;
        self.state.savepoint();
        cancel_timer(&mut self.state, store, timer.clock, &timer.owner, &timer.key)
    }

    /// Takes over the stream time of whoever had this task before; the state must be restored.
    pub fn read_stream_time(&mut self, timer_store: usize) -> Result<(), StateError> {
        let stored = self.state.get(timer_store, STREAM_TIME)?;
        let stored = stored.and_then(|bytes| bytes.first_chunk().copied()).map_or(NO_STREAM_TIME, i64::from_be_bytes);
        self.stream_time_ms = stored;
        self.committed_stream_time_ms = stored;
        Ok(())
    }

    /// Adds the stream time to what is committed, if it has moved.
    pub fn write_stream_time(&mut self, timer_store: usize) {
        if self.stream_time_ms != self.committed_stream_time_ms {
            let time = Bytes::copy_from_slice(&self.stream_time_ms.to_be_bytes());
            self.state.put(timer_store, STREAM_TIME, time, self.stream_time_ms);
        }
    }

    /// Takes over the newest generation of the changelogs as far as the committed state knows it.
    pub fn read_generation(&mut self, timer_store: usize) -> Result<(), StateError> {
        let stored = self.state.get(timer_store, GENERATION)?;
        let stored = stored.and_then(|bytes| bytes.first_chunk().copied()).map_or(NO_GENERATION, i32::from_be_bytes);
        self.committed_generation = stored;
        self.generation = self.generation.max(stored);
        Ok(())
    }

    /// Takes over the generation of the present membership, and adds it to what is committed if it has moved. It never
    /// goes back: a group that was deleted counts from the beginning again.
    pub fn write_generation(&mut self, timer_store: usize, generation: i32) {
        self.generation = self.generation.max(generation);
        if self.generation != self.committed_generation {
            let bytes = Bytes::copy_from_slice(&self.generation.to_be_bytes());
            self.state.put(timer_store, GENERATION, bytes, self.stream_time_ms);
        }
    }

    /// Forgets everything since the last commit.
    pub fn roll_back(&mut self, topology: &Topology) {
        if !planted::is(PlantedBug::OverlayKept) {
            self.state.roll_back();
        }
        if !planted::is(PlantedBug::NextTimersKept) {
            self.next_timers.forget();
        }
        self.stream_time_ms = self.committed_stream_time_ms;
        for position in &mut self.positions {
            position.next = position.committed;
            position.parked_until_ms = None;
        }
        self.dirty = false;
        #[cfg(feature = "planted-bugs")]
        {
            self.held_markers.forget_new();
            self.dirty = !self.held_markers.is_empty();
        }
        self.calls.roll_back();
        if !planted::is(PlantedBug::PartsKept) {
            self.gatherings.clear();
        }
        if planted::is(PlantedBug::ProcessorKept) {
            return;
        }
        for index in 0..self.instances.len() {
            self.renew_instance(topology, index);
        }
    }

    fn renew_instance(&mut self, topology: &Topology, index: usize) {
        self.instances[index] = topology.sub_topologies[self.sub].processors[index].factory.make();
    }
}
