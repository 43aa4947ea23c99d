//! The calls that the safe client does not wrap: batches from a queue of our own, group metadata with its generation,
//! producing without a look-up per record, transactions, and topic identities. The only file of the engine with `unsafe`.
#![allow(unsafe_code, reason = "calls of the C client; each block states why it is sound")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_resp_err_t::{RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_NO_ERROR};
use rdkafka_sys::rd_kafka_vtype_t as vtype;
use rdkafka_sys::types::RDKafkaType;

use super::super::{Header, LogRecord, Offset, OutgoingRecord};
use super::client_log;

/// Milliseconds for the C client, which takes -1 as "for ever" and an `int` otherwise.
fn millis(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}

/// Room for the values of a record's headers: a lineage and a version.
const HEADERS_BYTES: usize = 64;

/// What came out of a [`MessageQueue`], in order for each partition.
pub(super) enum Fetched {
    /// Records of one partition.
    Records { topic: Arc<str>, partition: i32, records: Vec<LogRecord> },
    /// The end of a partition, or what went wrong with it, at `offset`.
    Note { topic: Arc<str>, partition: i32, offset: Offset, code: RDKafkaErrorCode },
}

/// A queue into which the partitions of one consumer are forwarded, and from which records are taken by the batch.
pub(super) struct MessageQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    messages: Vec<*mut sys::rd_kafka_message_t>,
    topics: Vec<Arc<str>>,
    header_names: Vec<Arc<str>>,
}

// SAFETY: the C client is thread-safe; `messages` holds pointers only inside `take`, which has `&mut self`.
unsafe impl Send for MessageQueue {}

impl MessageQueue {
    /// A new queue of `client`. The caller drops it before the client.
    pub(super) fn new<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the client's pointer is valid while `client` lives.
        let queue = unsafe { sys::rd_kafka_queue_new(client.native_ptr()) };
        Some(Self { queue: NonNull::new(queue)?, messages: Vec::new(), topics: Vec::new(), header_names: Vec::new() })
    }

    /// Makes what is fetched from a partition arrive here. Needed again after each stop of the partition.
    pub(super) fn forward<C: ClientContext>(&self, client: &Client<C>, topic: &str, partition: i32) -> bool {
        let Ok(name) = CString::new(topic) else { return false };
        // SAFETY: client, name and our queue are valid; the partition's queue is released after use.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(client.native_ptr(), name.as_ptr(), partition);
            if source.is_null() {
                return false;
            }
            sys::rd_kafka_queue_forward(source, self.queue.as_ptr());
            sys::rd_kafka_queue_destroy(source);
        }
        true
    }

    /// Up to `max` records, waiting up to `timeout` for the first one only. Records of moved partitions are left out by
    /// the client, which numbers each move.
    pub(super) fn take(&mut self, max: usize, timeout: Duration) -> Vec<Fetched> {
        let max = max.max(1);
        self.messages.clear();
        self.messages.resize(max, ptr::null_mut());
        let mut count = self.consume(0, max, 0);
        if count == 0 && !timeout.is_zero() {
            count = self.consume(0, 1, millis(timeout));
            if count == 1 {
                count += self.consume(1, max, 0);
            }
        }
        self.messages.truncate(count);
        let fetched = self.copy();
        for message in self.messages.drain(..) {
            // SAFETY: the message came from `consume`, is destroyed once, and nothing borrowed from it is left.
            unsafe { sys::rd_kafka_message_destroy(message) };
        }
        fetched
    }

    fn consume(&mut self, from: usize, to: usize, timeout_ms: c_int) -> usize {
        let room = &mut self.messages[from..to];
        if room.is_empty() {
            return 0;
        }
        // SAFETY: `room` is writable for its whole length; the queue is valid.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), timeout_ms, room.as_mut_ptr(), room.len())
        };
        usize::try_from(count).unwrap_or(0)
    }

    /// Copies all messages into one shared buffer and cuts the records out of it, grouped by partition.
    fn copy(&mut self) -> Vec<Fetched> {
        let mut size = 0;
        for &message in &self.messages {
            // SAFETY: valid until destroyed by `take`.
            let message = unsafe { &*message };
            if message.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                size += message.key_len + message.len + HEADERS_BYTES;
            }
        }
        let mut buffer = Vec::with_capacity(size);
        // Names and lengths of all headers, and how many each record has. They are asked for once: the client reads them
        // anew with each call where there are none.
        let mut headers: Vec<(Arc<str>, usize)> = Vec::new();
        let mut counts: Vec<usize> = Vec::with_capacity(self.messages.len());
        for index in 0..self.messages.len() {
            // SAFETY: as above; the reference does not outlive this turn.
            let message = unsafe { &*self.messages[index] };
            let before = headers.len();
            if message.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                buffer.extend_from_slice(bytes_of(message.key, message.key_len).unwrap_or_default());
                buffer.extend_from_slice(bytes_of(message.payload, message.len).unwrap_or_default());
                for_each_header(message, |name, value| {
                    let value = value.unwrap_or_default();
                    buffer.extend_from_slice(value);
                    let name = interned(&mut self.header_names, &String::from_utf8_lossy(name.to_bytes()));
                    headers.push((name, value.len()));
                });
            }
            counts.push(headers.len() - before);
        }
        let mut cut = Cut { buffer: Bytes::from(buffer), at: 0 };
        let mut headers = headers.into_iter();

        let mut fetched: Vec<Fetched> = Vec::new();
        // The open group of each partition: (topic handle, partition, index in `fetched`). Handles are stable in a batch.
        let mut open: Vec<(*mut sys::rd_kafka_topic_t, i32, usize)> = Vec::new();
        for (index, count) in counts.into_iter().enumerate() {
            // SAFETY: as above; the reference does not outlive this turn.
            let message = unsafe { &*self.messages[index] };
            let found =
                open.iter().rposition(|(topic, partition, _)| *topic == message.rkt && *partition == message.partition);
            if message.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                if let Some(found) = found {
                    open.swap_remove(found);
                }
                let topic = self.topic_name(message.rkt);
                fetched.push(Fetched::Note {
                    topic,
                    partition: message.partition,
                    offset: message.offset,
                    code: message.err.into(),
                });
                continue;
            }
            let record = record_of(message, &mut cut, headers.by_ref().take(count));
            let group = match found {
                Some(found) => open[found].2,
                None => {
                    let topic = self.topic_name(message.rkt);
                    let records = Vec::with_capacity(if open.is_empty() { self.messages.len() - index } else { 16 });
                    fetched.push(Fetched::Records { topic, partition: message.partition, records });
                    open.push((message.rkt, message.partition, fetched.len() - 1));
                    fetched.len() - 1
                }
            };
            if let Fetched::Records { records, .. } = &mut fetched[group] {
                records.push(record);
            }
        }
        fetched
    }

    fn topic_name(&mut self, topic: *mut sys::rd_kafka_topic_t) -> Arc<str> {
        if topic.is_null() {
            return Arc::from("");
        }
        // SAFETY: the topic lives as long as the message that names it; the text is copied.
        let name = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(topic)) };
        interned(&mut self.topics, &name.to_string_lossy())
    }
}

/// The record of a message, cut from the buffer into which key, value and header values were copied in this order.
fn record_of(
    message: &sys::rd_kafka_message_t,
    cut: &mut Cut,
    headers: impl Iterator<Item = (Arc<str>, usize)>,
) -> LogRecord {
    let key = cut.next(bytes_of(message.key, message.key_len).map(<[u8]>::len));
    let value = cut.next(bytes_of(message.payload, message.len).map(<[u8]>::len));
    let headers =
        headers.map(|(name, length)| Header { name, value: cut.next(Some(length)).unwrap_or_default() }).collect();
    // SAFETY: the message is valid; the kind of timestamp is not asked for.
    let timestamp_ms = unsafe { sys::rd_kafka_message_timestamp(message, ptr::null_mut()) };
    LogRecord { offset: message.offset, timestamp_ms, key, value, headers }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once, before the client.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// Hands out consecutive pieces of one buffer.
struct Cut {
    buffer: Bytes,
    at: usize,
}

impl Cut {
    fn next(&mut self, length: Option<usize>) -> Option<Bytes> {
        let end = self.at + length?;
        let piece = self.buffer.slice(self.at..end);
        self.at = end;
        Some(piece)
    }
}

/// The one shared copy of a short-listed name: topics and header names repeat.
fn interned(known: &mut Vec<Arc<str>>, name: &str) -> Arc<str> {
    const KEPT: usize = 256;
    if let Some(found) = known.iter().find(|n| &***n == name) {
        return Arc::clone(found);
    }
    let name: Arc<str> = Arc::from(name);
    if known.len() < KEPT {
        known.push(Arc::clone(&name));
    }
    name
}

fn bytes_of<'m>(start: *const c_void, length: usize) -> Option<&'m [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: callers pass pointer and length of one field of a message, or of a header, that they hold for 'm.
    Some(unsafe { std::slice::from_raw_parts(start.cast(), length) })
}

fn for_each_header(message: &sys::rd_kafka_message_t, mut visit: impl FnMut(&CStr, Option<&[u8]>)) {
    let mut headers = ptr::null_mut();
    // SAFETY: the message is valid; the headers belong to it and live as long.
    if unsafe { sys::rd_kafka_message_headers(message, &mut headers) } != RD_KAFKA_RESP_ERR_NO_ERROR {
        return;
    }
    let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
    let mut index = 0;
    // SAFETY: as above; on success name and value point into the headers.
    while unsafe { sys::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size) }
        == RD_KAFKA_RESP_ERR_NO_ERROR
    {
        // SAFETY: names end with a zero byte.
        visit(unsafe { CStr::from_ptr(name) }, bytes_of(value, size));
        index += 1;
    }
}

/// The group metadata of a member, as the client made it.
#[derive(Clone)]
pub struct GroupMetadata(Arc<OwnedMetadata>);

struct OwnedMetadata(NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: never changed after its making; the C client only reads it.
unsafe impl Send for OwnedMetadata {}
// SAFETY: as above.
unsafe impl Sync for OwnedMetadata {}

impl Drop for OwnedMetadata {
    fn drop(&mut self) {
        // SAFETY: owned, destroyed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) };
    }
}

impl GroupMetadata {
    /// The metadata of `client`'s membership as of now.
    pub(super) fn of<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the client is valid; ownership of the answer is ours.
        let metadata = unsafe { sys::rd_kafka_consumer_group_metadata(client.native_ptr()) };
        Some(Self(Arc::new(OwnedMetadata(NonNull::new(metadata)?))))
    }

    /// Generation, or member epoch; below 1 when not a member.
    pub(super) fn generation(&self) -> i32 {
        // SAFETY: valid while self lives.
        unsafe { sys::rd_kafka_consumer_group_metadata_generation_id(self.0.0.as_ptr()) }
    }

    /// Member id; empty when not a member.
    pub(super) fn member(&self) -> String {
        // SAFETY: as above; the text is copied.
        unsafe {
            let member = sys::rd_kafka_consumer_group_metadata_member_id(self.0.0.as_ptr());
            if member.is_null() { String::new() } else { CStr::from_ptr(member).to_string_lossy().into_owned() }
        }
    }
}

impl std::fmt::Debug for GroupMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupMetadata").field("generation", &self.generation()).field("member", &self.member()).finish()
    }
}

/// Commits positions as a member of the group and waits for the answer. Any partition's failure is the answer's.
pub(super) fn commit_positions<C: ClientContext>(
    client: &Client<C>,
    positions: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), RDKafkaErrorCode> {
    // SAFETY: client and list are valid; the queue is ours and destroyed once, as is the event, whose list is read before.
    let code = unsafe {
        let queue = sys::rd_kafka_queue_new(client.native_ptr());
        let asked = sys::rd_kafka_commit_queue(client.native_ptr(), positions.ptr(), queue, None, ptr::null_mut());
        let code = if asked == RD_KAFKA_RESP_ERR_NO_ERROR {
            let event = sys::rd_kafka_queue_poll(queue, millis(timeout));
            let answered = commit_answer(event);
            if !event.is_null() {
                sys::rd_kafka_event_destroy(event);
            }
            answered
        } else {
            asked
        };
        sys::rd_kafka_queue_destroy(queue);
        code
    };
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}

/// # Safety
/// The event is null, or valid and of a commit.
unsafe fn commit_answer(event: *mut sys::rd_kafka_event_t) -> sys::rd_kafka_resp_err_t {
    if event.is_null() {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    // SAFETY: by the caller; the list belongs to the event and has `cnt` elements.
    unsafe {
        let code = sys::rd_kafka_event_error(event);
        let list = sys::rd_kafka_event_topic_partition_list(event);
        if code != RD_KAFKA_RESP_ERR_NO_ERROR || list.is_null() || (*list).elems.is_null() {
            return code;
        }
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        // The client speaks of failure as a whole only when all partitions failed.
        let partitions = std::slice::from_raw_parts((*list).elems, count);
        partitions.iter().map(|p| p.err).find(|err| *err != RD_KAFKA_RESP_ERR_NO_ERROR).unwrap_or(code)
    }
}

/// An error of a transactional call with the client's own judgement of it.
#[derive(Debug)]
pub(super) struct TransactionFailure {
    pub(super) code: RDKafkaErrorCode,
    pub(super) message: String,
    pub(super) fatal: bool,
    pub(super) must_abort: bool,
    pub(super) retriable: bool,
}

fn transaction_result(error: *mut sys::rd_kafka_error_t) -> Result<(), TransactionFailure> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is ours, read and then destroyed once.
    unsafe {
        let failure = TransactionFailure {
            code: sys::rd_kafka_error_code(error).into(),
            message: CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned(),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            must_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
        };
        sys::rd_kafka_error_destroy(error);
        Err(failure)
    }
}

/// The first delivery that failed.
#[derive(Debug, Clone)]
pub(super) struct FailedDelivery {
    pub(super) code: RDKafkaErrorCode,
    pub(super) topic: String,
    pub(super) partition: i32,
}

/// What the delivery reports said.
#[derive(Default)]
struct Ledger {
    highest: Vec<Option<Offset>>,
    failure: Option<FailedDelivery>,
}

/// Receives the producer's reports on the thread that polls it.
struct Deliveries {
    ledger: Mutex<Ledger>,
    failed: AtomicBool,
}

impl Deliveries {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {}

extern "C" fn on_delivery(_: *mut sys::rd_kafka_t, message: *const sys::rd_kafka_message_t, opaque: *mut c_void) {
    // SAFETY: the client passes a valid message, and as opaque the `Deliveries` that `Client::new` registered and that
    // the client outlives by no call.
    let (message, deliveries) = unsafe { (&*message, &*opaque.cast::<Deliveries>()) };
    if message.err != RD_KAFKA_RESP_ERR_NO_ERROR {
        let mut ledger = deliveries.ledger();
        if ledger.failure.is_none() {
            // SAFETY: a reported message names its topic.
            let topic = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
            ledger.failure = Some(FailedDelivery {
                code: message.err.into(),
                topic: topic.to_string_lossy().into_owned(),
                partition: message.partition,
            });
        }
        deliveries.failed.store(true, Ordering::Relaxed);
        return;
    }
    // `produce` put the number of the partition's slot here, 0 for partitions that nobody asks about.
    let slot = message._private as usize;
    if slot > 0
        && let Some(highest) = deliveries.ledger().highest.get_mut(slot - 1)
    {
        *highest = (*highest).max(Some(message.offset));
    }
}

extern "C" fn on_log(_: *const sys::rd_kafka_t, level: c_int, facility: *const c_char, text: *const c_char) {
    // SAFETY: both are texts that end with a zero byte.
    let (facility, text) = unsafe { (CStr::from_ptr(facility), CStr::from_ptr(text)) };
    let level = match level {
        ..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 | 6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    };
    client_log(level, &facility.to_string_lossy(), &text.to_string_lossy());
}

extern "C" fn on_error(_: *mut sys::rd_kafka_t, _: c_int, reason: *const c_char, _: *mut c_void) {
    // SAFETY: a text that ends with a zero byte.
    client_log(RDKafkaLogLevel::Warning, "ERROR", &unsafe { CStr::from_ptr(reason) }.to_string_lossy());
}

/// A topic that records were sent to.
struct KnownTopic {
    name: Arc<str>,
    handle: NonNull<sys::rd_kafka_topic_t>,
    /// For each partition the number of its slot in the ledger plus one; `None` when its offsets are not kept.
    slots: Option<Vec<usize>>,
}

/// A producer.
pub(super) struct NativeProducer {
    topics: Vec<KnownTopic>,
    last_topic: usize,
    client: Client<Deliveries>,
}

// SAFETY: the C client is thread-safe, and the topic handles are used through `&mut self` only.
unsafe impl Send for NativeProducer {}

impl NativeProducer {
    pub(super) fn create(config: &ClientConfig) -> KafkaResult<Self> {
        let native = config.create_native_config()?;
        // SAFETY: the configuration is valid; the callbacks are plain functions.
        unsafe {
            sys::rd_kafka_conf_set_dr_msg_cb(native.ptr(), Some(on_delivery));
            sys::rd_kafka_conf_set_log_cb(native.ptr(), Some(on_log));
            sys::rd_kafka_conf_set_error_cb(native.ptr(), Some(on_error));
        }
        let deliveries = Deliveries { ledger: Mutex::default(), failed: AtomicBool::new(false) };
        let client = Client::new(config, native, RDKafkaType::RD_KAFKA_PRODUCER, deliveries)?;
        Ok(Self { topics: Vec::new(), last_topic: 0, client })
    }

    fn native(&self) -> *mut sys::rd_kafka_t {
        self.client.native_ptr()
    }

    /// Queues a record. `keep_offset` says of a topic, when it is seen first, whether its offsets are remembered.
    pub(super) fn produce(
        &mut self,
        record: &OutgoingRecord<'_>,
        keep_offset: fn(&str) -> bool,
    ) -> Result<(), RDKafkaErrorCode> {
        let index = self.topic(record.topic, keep_offset)?;
        let slot = self.slot(index, record.partition);
        let topic = self.topics[index].handle;
        let headers = native_headers(record.headers)?;
        let (key, key_length) = pointer_of(record.key);
        let (value, value_length) = pointer_of(record.value);
        // SAFETY: each tag is followed by the arguments the C client documents for it, in C's widths; key and value are
        // copied in the call; on success the client owns the headers.
        let answer = unsafe {
            sys::rd_kafka_producev(
                self.native(),
                vtype::RD_KAFKA_VTYPE_RKT,
                topic.as_ptr(),
                vtype::RD_KAFKA_VTYPE_PARTITION,
                record.partition,
                vtype::RD_KAFKA_VTYPE_MSGFLAGS,
                sys::RD_KAFKA_MSG_F_COPY,
                vtype::RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                vtype::RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                vtype::RD_KAFKA_VTYPE_OPAQUE,
                slot as *mut c_void,
                vtype::RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp_ms,
                vtype::RD_KAFKA_VTYPE_HEADERS,
                headers,
                vtype::RD_KAFKA_VTYPE_END,
            )
        };
        if answer == RD_KAFKA_RESP_ERR_NO_ERROR {
            return Ok(());
        }
        if !headers.is_null() {
            // SAFETY: after a failure they are still ours.
            unsafe { sys::rd_kafka_headers_destroy(headers) };
        }
        Err(answer.into())
    }

    fn topic(&mut self, name: &Arc<str>, keep_offset: fn(&str) -> bool) -> Result<usize, RDKafkaErrorCode> {
        if self.topics.get(self.last_topic).is_some_and(|t| Arc::ptr_eq(&t.name, name)) {
            return Ok(self.last_topic);
        }
        let known = self.topics.iter().position(|t| t.name == *name);
        let index = match known {
            Some(index) => index,
            None => {
                let c_name = CString::new(&**name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
                // SAFETY: client and name are valid; the default topic configuration is taken.
                let handle = unsafe { sys::rd_kafka_topic_new(self.native(), c_name.as_ptr(), ptr::null_mut()) };
                let handle = NonNull::new(handle).ok_or(RDKafkaErrorCode::InvalidTopic)?;
                let slots = keep_offset(name).then(Vec::new);
                self.topics.push(KnownTopic { name: Arc::clone(name), handle, slots });
                self.topics.len() - 1
            }
        };
        self.last_topic = index;
        Ok(index)
    }

    fn slot(&mut self, topic: usize, partition: i32) -> usize {
        let (Some(slots), Ok(partition)) = (&mut self.topics[topic].slots, usize::try_from(partition)) else {
            return 0;
        };
        if slots.len() <= partition {
            slots.resize(partition + 1, 0);
        }
        if slots[partition] == 0 {
            let mut ledger = self.client.context().ledger();
            ledger.highest.push(None);
            slots[partition] = ledger.highest.len();
        }
        slots[partition]
    }

    /// Serves reports, waiting up to `timeout` for the first.
    pub(super) fn serve(&self, timeout: Duration) {
        // SAFETY: the client is valid.
        unsafe { sys::rd_kafka_poll(self.native(), millis(timeout)) };
    }

    /// Sends what waits without lingering, and serves reports until all are in or `timeout` has passed.
    pub(super) fn flush(&self, timeout: Duration) {
        // SAFETY: the client is valid.
        unsafe { sys::rd_kafka_flush(self.native(), millis(timeout)) };
    }

    /// Records and reports not yet served.
    pub(super) fn outstanding(&self) -> usize {
        // SAFETY: the client is valid.
        usize::try_from(unsafe { sys::rd_kafka_outq_len(self.native()) }).unwrap_or(0)
    }

    /// Gives up what is queued or under way.
    pub(super) fn purge(&self) {
        let flags = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT | sys::RD_KAFKA_PURGE_F_NON_BLOCKING;
        // SAFETY: the client is valid and a producer.
        unsafe { sys::rd_kafka_purge(self.native(), flags) };
    }

    /// Whether a delivery has failed since [`Self::forget`].
    pub(super) fn failed(&self) -> bool {
        self.client.context().failed.load(Ordering::Relaxed)
    }

    /// The first delivery that failed since [`Self::forget`].
    pub(super) fn failure(&self) -> Option<FailedDelivery> {
        self.client.context().ledger().failure.clone()
    }

    /// The highest offset reported since [`Self::forget`].
    pub(super) fn highest(&self, topic: &str, partition: i32) -> Option<Offset> {
        let slots = self.topics.iter().find(|t| &*t.name == topic)?.slots.as_ref()?;
        let slot = *slots.get(usize::try_from(partition).ok()?)?;
        *self.client.context().ledger().highest.get(slot.checked_sub(1)?)?
    }

    /// Starts a new account of offsets and failures.
    pub(super) fn forget(&self) {
        let deliveries = self.client.context();
        let mut ledger = deliveries.ledger();
        ledger.highest.fill(None);
        ledger.failure = None;
        deliveries.failed.store(false, Ordering::Relaxed);
    }

    /// The error after which this producer does nothing any more.
    pub(super) fn fatal_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.client.fatal_error()
    }

    pub(super) fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionFailure> {
        // SAFETY: the client is valid, here and in the next four.
        transaction_result(unsafe { sys::rd_kafka_init_transactions(self.native(), millis(timeout)) })
    }

    pub(super) fn begin_transaction(&self) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_begin_transaction(self.native()) })
    }

    pub(super) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        metadata: &GroupMetadata,
        timeout: Duration,
    ) -> Result<(), TransactionFailure> {
        // SAFETY: as above; list and metadata are valid and only read.
        transaction_result(unsafe {
            sys::rd_kafka_send_offsets_to_transaction(
                self.native(),
                offsets.ptr(),
                metadata.0.0.as_ptr(),
                millis(timeout),
            )
        })
    }

    /// Commits within what is left of the transaction's own time-out.
    pub(super) fn commit_transaction(&self) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_commit_transaction(self.native(), -1) })
    }

    /// Aborts within the transaction's own time-out.
    pub(super) fn abort_transaction(&self) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_abort_transaction(self.native(), -1) })
    }
}

impl Drop for NativeProducer {
    fn drop(&mut self) {
        for topic in self.topics.drain(..) {
            // SAFETY: made by `rd_kafka_topic_new`, destroyed once, before the client.
            unsafe { sys::rd_kafka_topic_destroy(topic.handle.as_ptr()) };
        }
    }
}

fn pointer_of(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |b| (b.as_ptr().cast_mut().cast(), b.len()))
}

fn native_headers(headers: &[Header]) -> Result<*mut sys::rd_kafka_headers_t, RDKafkaErrorCode> {
    if headers.is_empty() {
        return Ok(ptr::null_mut());
    }
    // SAFETY: names and values are valid for the length given, and copied.
    unsafe {
        let native = sys::rd_kafka_headers_new(headers.len());
        for header in headers {
            let (name, value) = (header.name.as_ptr().cast(), header.value.as_ptr().cast());
            let answer = sys::rd_kafka_header_add(
                native,
                name,
                header.name.len().cast_signed(),
                value,
                header.value.len().cast_signed(),
            );
            if answer != RD_KAFKA_RESP_ERR_NO_ERROR {
                sys::rd_kafka_headers_destroy(native);
                return Err(answer.into());
            }
        }
        Ok(native)
    }
}

/// The identities of topics, empty where the broker tells none, in the order of `names`.
pub(super) fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    names: &[Arc<str>],
    timeout: Duration,
) -> Result<Vec<String>, RDKafkaErrorCode> {
    let c_names: Vec<CString> = names
        .iter()
        .map(|n| CString::new(&**n))
        .collect::<Result<_, _>>()
        .map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
    let mut pointers: Vec<*const c_char> = c_names.iter().map(|n| n.as_ptr()).collect();
    let mut ids = vec![String::new(); names.len()];
    // SAFETY: all pointers live to the end of the block; what is made is destroyed once, in reverse order; the texts
    // are copied before their event is destroyed.
    unsafe {
        let topics = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let queue = sys::rd_kafka_queue_new(client.native_ptr());
        let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = sys::rd_kafka_AdminOptions_new(client.native_ptr(), operation);
        sys::rd_kafka_AdminOptions_set_request_timeout(options, millis(timeout), ptr::null_mut(), 0);
        sys::rd_kafka_DescribeTopics(client.native_ptr(), topics, options, queue);
        let event = sys::rd_kafka_queue_poll(queue, millis(timeout));
        let code = if event.is_null() { RD_KAFKA_RESP_ERR__TIMED_OUT } else { sys::rd_kafka_event_error(event) };
        let result = if event.is_null() { ptr::null() } else { sys::rd_kafka_event_DescribeTopics_result(event) };
        if code == RD_KAFKA_RESP_ERR_NO_ERROR && !result.is_null() {
            let mut count = 0;
            let described = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            for index in 0..count {
                let topic = *described.add(index);
                let name = CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic)).to_string_lossy();
                let id = sys::rd_kafka_TopicDescription_topic_id(topic);
                let Some(place) = names.iter().position(|n| **n == *name) else { continue };
                let zero = id.is_null()
                    || sys::rd_kafka_Uuid_most_significant_bits(id) == 0
                        && sys::rd_kafka_Uuid_least_significant_bits(id) == 0;
                if !zero {
                    ids[place] = CStr::from_ptr(sys::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned();
                }
            }
        }
        if !event.is_null() {
            sys::rd_kafka_event_destroy(event);
        }
        sys::rd_kafka_AdminOptions_destroy(options);
        sys::rd_kafka_queue_destroy(queue);
        sys::rd_kafka_TopicCollection_destroy(topics);
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { Ok(ids) } else { Err(code.into()) }
    }
}
