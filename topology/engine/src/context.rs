//! What a processor is given with a record, and what it answers with: effects that become real when the commit does.

use bytes::Bytes;
use concord_state::{
    Clock as TimerClock, PendingCall, TaskState, Timer, add_call, cancel_calls, cancel_timer, first_call, set_timer,
};

use crate::codec::Codec;
use crate::gathering::Part;
use crate::lineage::{Because, Lineage};
use crate::log::{Header, Offset};
use crate::partitioner::partition_of;
use crate::planted::{self, PlantedBug};
use crate::rejection::{ProcessError, Rejection, Stage, codes};
use crate::task::{NextTimers, TaskCalls, timer_payload};
use crate::topology::{CallHandle, SinkHandle, StoreHandle, SubTopology, Topology};
use crate::value::{Gathered, Value};

/// The record (or timer, or result of a call) in hand.
#[derive(Debug, Clone, Copy)]
pub struct Input<'r> {
    /// Topic it was read from; empty for a timer and for a result.
    pub topic: &'r str,
    /// Its partition, which is the task's.
    pub partition: i32,
    /// Its offset; -1 for a timer and for a result.
    pub offset: Offset,
    /// Its time, milliseconds since the epoch; of a result, that of what asked for the call.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'r [u8]>,
}

impl<'r> Input<'r> {
    /// A timer, or the result of a call.
    pub(crate) fn without_record(partition: i32, timestamp_ms: i64, key: &'r [u8]) -> Self {
        Self { topic: "", partition, offset: -1, timestamp_ms, key: Some(key) }
    }
}

/// Outputs of the record in hand, in one buffer that is used again for the next.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    outputs: Vec<Output>,
    /// In the order of the outputs that are parts.
    parts: Vec<Part>,
}

struct Output {
    topic: usize,
    partition: i32,
    timestamp_ms: i64,
    key: (usize, usize),
    value: OutputValue,
    because: Vec<Header>,
    /// A marker stands behind everything the task has sent before, whatever the topic.
    is_marker: bool,
}

#[derive(Clone, Copy)]
enum OutputValue {
    Tombstone,
    /// Where it stands in the outbox's bytes.
    Encoded(usize, usize),
    /// The next of the outbox's parts.
    Part,
}

/// One output as the worker sends it.
pub(crate) struct OutputRecord<'o> {
    pub topic: usize,
    pub partition: i32,
    pub timestamp_ms: i64,
    pub key: &'o [u8],
    pub what: Outgoing<'o>,
    pub because: &'o [Header],
    /// Everything sent before must be on its way.
    pub is_marker: bool,
}

/// A value, a tombstone, or a part of a record that is still being gathered.
pub(crate) enum Outgoing<'o> {
    Value(Option<&'o [u8]>),
    Part(Part),
}

impl Outbox {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.outputs.clear();
        self.parts.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// The outputs in order; parts are taken out.
    pub fn take(&mut self) -> impl Iterator<Item = OutputRecord<'_>> {
        let Self { bytes, outputs, parts } = self;
        let bytes: &[u8] = bytes;
        let mut parts = parts.drain(..);
        outputs.iter().map(move |output| OutputRecord {
            topic: output.topic,
            partition: output.partition,
            timestamp_ms: output.timestamp_ms,
            key: &bytes[output.key.0..output.key.1],
            what: match output.value {
                OutputValue::Tombstone => Outgoing::Value(None),
                OutputValue::Encoded(start, end) => Outgoing::Value(Some(&bytes[start..end])),
                OutputValue::Part => parts.next().map_or(Outgoing::Value(None), Outgoing::Part),
            },
            because: &output.because,
            is_marker: output.is_marker,
        })
    }
}

/// Given to a processor for the time of one call.
pub struct Context<'t> {
    pub(crate) topology: &'t Topology,
    pub(crate) codec: &'t mut Codec,
    pub(crate) state: &'t mut TaskState,
    pub(crate) next_timers: &'t mut NextTimers,
    pub(crate) calls: &'t mut TaskCalls,
    pub(crate) outbox: &'t mut Outbox,
    pub(crate) input: Input<'t>,
    pub(crate) lineage: &'t Lineage,
    pub(crate) partition: i32,
    pub(crate) processor: usize,
    pub(crate) processor_name: &'static str,
    pub(crate) part: &'t SubTopology,
    pub(crate) stream_time_ms: i64,
    pub(crate) now_ms: i64,
    pub(crate) max_record_bytes: usize,
    pub(crate) filtered: &'t mut Vec<&'static str>,
}

impl<'t> Context<'t> {
    /// The record in hand.
    pub fn input(&self) -> Input<'t> {
        self.input
    }

    /// The key of the record in hand, as text.
    ///
    /// # Errors
    /// A rejection when there is none or it is not UTF-8.
    pub fn key(&self) -> Result<&'t str, Rejection> {
        let Some(key) = self.input.key else {
            return Err(Rejection {
                stage: Stage::Key,
                code: codes::MISSING_KEY,
                message: "the record has no key, and this processor needs one".into(),
            });
        };
        std::str::from_utf8(key).map_err(|_| Rejection {
            stage: Stage::Key,
            code: codes::KEY_NOT_TEXT,
            message: "the record's key is not UTF-8 text".into(),
        })
    }

    /// The task's partition.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The highest record time seen by this task, milliseconds since the epoch.
    pub fn stream_time_ms(&self) -> i64 {
        self.stream_time_ms
    }

    /// The wall clock, milliseconds since the epoch.
    pub fn wall_clock_ms(&self) -> i64 {
        self.now_ms
    }

    /// Counts the record in hand as filtered, under a reason that shows in the metrics.
    pub fn count_filtered(&mut self, reason: &'static str) {
        self.filtered.push(reason);
    }

    // Outputs.

    /// How many partitions a topic has.
    pub fn partitions_of<V>(&self, sink: SinkHandle<V>) -> i32 {
        self.topology.topics[sink.topic].partitions
    }

    /// Writes a record to the partition of its key.
    ///
    /// # Errors
    /// A rejection of the record in hand when the value does not fit its schema or is too large.
    pub fn send<V: Value>(&mut self, sink: SinkHandle<V>, key: &str, value: &V::Of<'_>) -> Result<(), ProcessError> {
        self.send_because(sink, key, value, &Because::default())
    }

    /// [`Self::send`], naming why the output is made.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_because<V: Value>(
        &mut self,
        sink: SinkHandle<V>,
        key: &str,
        value: &V::Of<'_>,
        because: &Because<'_>,
    ) -> Result<(), ProcessError> {
        let partition = partition_of(key.as_bytes(), self.topology.topics[sink.topic].partitions);
        let encoded = self.encode_output::<V>(sink, key, value)?;
        self.push(sink.topic, partition, encoded, because);
        Ok(())
    }

    /// Writes a tombstone: the key has no value any more.
    ///
    /// # Errors
    /// A rejection when the key is too large, or a programmer's error.
    pub fn send_tombstone<V: Value>(&mut self, sink: SinkHandle<V>, key: &str) -> Result<(), ProcessError> {
        self.send_tombstone_because(sink, key, &Because::default())
    }

    /// [`Self::send_tombstone`], naming why the key has no value any more.
    ///
    /// # Errors
    /// As [`Self::send_tombstone`].
    pub fn send_tombstone_because<V: Value>(
        &mut self,
        sink: SinkHandle<V>,
        key: &str,
        because: &Because<'_>,
    ) -> Result<(), ProcessError> {
        self.check_owner(sink.processor)?;
        let start = self.outbox.bytes.len();
        self.outbox.bytes.extend_from_slice(key.as_bytes());
        let end = self.outbox.bytes.len();
        self.check_size(key.len(), &self.topology.topics[sink.topic].name)?;
        let partition = partition_of(key.as_bytes(), self.topology.topics[sink.topic].partitions);
        self.push(sink.topic, partition, ((start, end), OutputValue::Tombstone), because);
        Ok(())
    }

    /// Writes a part of a record to the partition of its key. Parts with one key travel together, in order, and before
    /// whatever this task sends to the same topic later. Their record is sent when it is full, at the latest with the commit;
    /// its lineage names the inputs of its first and its last part.
    ///
    /// # Errors
    /// A rejection of the record in hand when the part alone is too large for a record.
    pub fn send_part<V: Gathered>(
        &mut self,
        sink: SinkHandle<V>,
        key: &str,
        part: V::Part,
    ) -> Result<(), ProcessError> {
        self.check_owner(sink.processor)?;
        self.check_size(key.len() + V::weight(&part), &self.topology.topics[sink.topic].name)?;
        let start = self.outbox.bytes.len();
        self.outbox.bytes.extend_from_slice(key.as_bytes());
        let end = self.outbox.bytes.len();
        let partition = partition_of(key.as_bytes(), self.topology.topics[sink.topic].partitions);
        self.outbox.parts.push(Part::of::<V>(part));
        self.push(sink.topic, partition, ((start, end), OutputValue::Part), &Because::default());
        Ok(())
    }

    /// Writes a marker to every partition of a topic, behind all that this task has written before, there and elsewhere.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn broadcast<V: Value>(
        &mut self,
        sink: SinkHandle<V>,
        key: &str,
        value: &V::Of<'_>,
    ) -> Result<(), ProcessError> {
        let encoded = self.encode_output::<V>(sink, key, value)?;
        let partitions =
            self.topology.topics[sink.topic].partitions - i32::from(planted::is(PlantedBug::EndMarkerLost));
        for partition in 0..partitions {
            self.push(sink.topic, partition, encoded, &Because::default());
            if let Some(output) = self.outbox.outputs.last_mut() {
                output.is_marker = true;
            }
        }
        Ok(())
    }

    fn encode_output<V: Value>(
        &mut self,
        sink: SinkHandle<V>,
        key: &str,
        value: &V::Of<'_>,
    ) -> Result<EncodedOutput, ProcessError> {
        self.check_owner(sink.processor)?;
        let bytes = &mut self.outbox.bytes;
        let key_start = bytes.len();
        bytes.extend_from_slice(key.as_bytes());
        let value_start = bytes.len();
        self.codec.encode::<V>(value, bytes)?;
        let end = bytes.len();
        self.check_size(end - key_start, &self.topology.topics[sink.topic].name)?;
        Ok(((key_start, value_start), OutputValue::Encoded(value_start, end)))
    }

    fn push(&mut self, topic: usize, partition: i32, encoded: EncodedOutput, because: &Because<'_>) {
        self.outbox.outputs.push(Output {
            topic,
            partition,
            timestamp_ms: self.input.timestamp_ms,
            key: encoded.0,
            value: encoded.1,
            because: because.headers(),
            is_marker: false,
        });
    }

    // State.

    /// The value of a key, as bytes to be read with [`Self::read`].
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn get<V>(&self, store: StoreHandle<V>, key: &[u8]) -> Result<Option<Bytes>, ProcessError> {
        self.check_owner(store.processor)?;
        Ok(self.state.get(store.index, key)?)
    }

    /// Reads what [`Self::get`] or a scan brought.
    ///
    /// # Errors
    /// A rejection when the stored value is of a form this program cannot read.
    pub fn read<'b, V: Value>(&self, _store: StoreHandle<V>, bytes: &'b [u8]) -> Result<V::Of<'b>, ProcessError> {
        self.codec.decode::<V>(bytes)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// A rejection when the value does not fit its schema.
    pub fn put<V: Value>(&mut self, store: StoreHandle<V>, key: &[u8], value: &V::Of<'_>) -> Result<(), ProcessError> {
        let mut bytes = Vec::with_capacity(256);
        self.codec.encode_stored::<V>(value, &mut bytes)?;
        self.put_bytes(store, key, Bytes::from(bytes))
    }

    /// Sets the value of a key in the processor's own form. The form must be told from older ones by its first byte.
    ///
    /// # Errors
    /// A rejection when it is too large for the changelog, or a programmer's error.
    pub fn put_bytes<V>(&mut self, store: StoreHandle<V>, key: &[u8], value: Bytes) -> Result<(), ProcessError> {
        self.check_owner(store.processor)?;
        self.check_size(key.len() + value.len(), "a stored value")?;
        self.state.put(store.index, key, value, self.stream_time_ms);
        Ok(())
    }

    /// Removes a key.
    ///
    /// # Errors
    /// A rejection when the key is too large for the changelog, or a programmer's error.
    pub fn delete<V>(&mut self, store: StoreHandle<V>, key: &[u8]) -> Result<(), ProcessError> {
        self.check_owner(store.processor)?;
        self.check_size(key.len(), "a removed key")?;
        self.state.delete(store.index, key);
        Ok(())
    }

    /// Visits the entries of an ordered store whose keys begin with `prefix`, in order, until `visit` returns false.
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn scan_prefix<V>(
        &self,
        store: StoreHandle<V>,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), ProcessError> {
        self.check_owner(store.processor)?;
        Ok(self.state.scan_prefix(store.index, prefix, visit)?)
    }

    /// Visits the entries with `start <= key < end` of an ordered store, in order, until `visit` returns false.
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn scan<V>(
        &self,
        store: StoreHandle<V>,
        start: &[u8],
        end: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), ProcessError> {
        self.check_owner(store.processor)?;
        Ok(self.state.scan(store.index, start, end, visit)?)
    }

    // Timers.

    /// Sets a durable timer; it replaces this processor's earlier one of the same clock and key.
    ///
    /// # Errors
    /// A rejection when it is too large for the changelog; or the state cannot be read, and the worker stops.
    pub fn set_timer(
        &mut self,
        clock: TimerClock,
        key: &[u8],
        due_ms: i64,
        payload: Bytes,
    ) -> Result<(), ProcessError> {
        let timer = Timer {
            clock,
            due_ms,
            owner: self.processor_name.to_string(),
            key: Bytes::copy_from_slice(key),
            payload: timer_payload(&self.lineage.inputs(), &payload),
        };
        self.check_size(timer.owner.len() + timer.key.len() + timer.payload.len(), "a timer")?;
        set_timer(self.state, self.part.timer_store(), &timer, self.stream_time_ms)?;
        if !planted::is(PlantedBug::TimerNotNoted) {
            self.next_timers.add(clock, due_ms);
        }
        Ok(())
    }

    /// Takes a timer back; nothing happens if there is none.
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn cancel_timer(&mut self, clock: TimerClock, key: &[u8]) -> Result<(), ProcessError> {
        Ok(cancel_timer(self.state, self.part.timer_store(), clock, self.processor_name, key)?)
    }

    // Calls: see the module `calls`.

    /// Asks for a call. It begins when what is in hand is committed, behind the pending calls of its key and name; what comes of it
    /// the processor's handler for that name is given.
    ///
    /// # Errors
    /// A rejection when it is too large for the changelog; or the state cannot be read, and the worker stops.
    pub fn call(&mut self, call: CallHandle, key: &[u8], request: Bytes) -> Result<(), ProcessError> {
        let (store, name) = self.calls_of(call)?;
        let lineage = self.lineage.inputs();
        self.check_size(2 * key.len() + name.len() + lineage.len() + request.len(), "a call")?;
        let asked = PendingCall {
            key: Bytes::copy_from_slice(key),
            sequence: 0,
            failed_attempts: 0,
            due_ms: self.now_ms,
            timestamp_ms: self.input.timestamp_ms,
            lineage,
            last_failure: Bytes::new(),
            request,
        };
        add_call(self.state, store, name, &asked)?;
        self.calls.will_be_due(call.call, self.now_ms);
        Ok(())
    }

    /// Takes back all pending calls of a key and name; answers how many there were. One that is being performed is called off, and
    /// what comes of it is not heard.
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn cancel_calls(&mut self, call: CallHandle, key: &[u8]) -> Result<u64, ProcessError> {
        let (store, name) = self.calls_of(call)?;
        Ok(cancel_calls(self.state, store, name, key)?)
    }

    /// Whether calls of a key and name are pending. The call whose result is in hand is not among them.
    ///
    /// # Errors
    /// The state cannot be read: the worker stops.
    pub fn has_calls(&self, call: CallHandle, key: &[u8]) -> Result<bool, ProcessError> {
        let (store, name) = self.calls_of(call)?;
        Ok(first_call(self.state, store, name, key)?.is_some())
    }

    /// The store of pending calls, and the call's name.
    fn calls_of(&self, call: CallHandle) -> Result<(usize, &'static str), ProcessError> {
        self.check_owner(call.processor)?;
        match (self.part.call_store(), self.part.calls.get(call.call)) {
            (Some(store), Some(definition)) => Ok((store, definition.name)),
            _ => Err(ProcessError::Programming("a call of another topology is asked for".to_string())),
        }
    }

    fn check_size(&self, bytes: usize, what: &str) -> Result<(), Rejection> {
        // Room for headers and the log's own framing.
        const OVERHEAD: usize = 512;
        if bytes + OVERHEAD <= self.max_record_bytes {
            return Ok(());
        }
        Err(Rejection {
            stage: Stage::TooLarge,
            code: codes::OUTPUT_TOO_LARGE,
            message: format!("{what} would take {bytes} bytes, and the log accepts {}", self.max_record_bytes).into(),
        })
    }

    fn check_owner(&self, processor: usize) -> Result<(), ProcessError> {
        if processor == self.processor {
            return Ok(());
        }
        Err(ProcessError::Programming(format!(
            "the processor `{}` uses a handle that was given to another processor",
            self.processor_name
        )))
    }
}

type EncodedOutput = ((usize, usize), OutputValue);
