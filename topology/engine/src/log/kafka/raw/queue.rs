//! Records by the batch, from a queue of our own.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

use super::millis;
use crate::log::{Header, LogRecord, Offset};

/// Room for the values of a record's headers: a lineage.
const HEADERS_BYTES: usize = 64;

/// What came out of a [`MessageQueue`], in order for each partition.
pub(crate) enum Fetched {
    /// Records of one partition.
    Records { topic: Arc<str>, partition: i32, records: Vec<LogRecord> },
    /// The end of a partition, or what went wrong with it, at `offset`.
    Note { topic: Arc<str>, partition: i32, offset: Offset, code: RDKafkaErrorCode },
}

/// A queue into which the partitions of one consumer are forwarded, and from which records are taken by the batch.
pub(crate) struct MessageQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    /// Topics that the client was told of.
    expected: HashMap<Arc<str>, NonNull<sys::rd_kafka_topic_t>>,
    messages: Vec<*mut sys::rd_kafka_message_t>,
    topics: Vec<Arc<str>>,
    header_names: Vec<Arc<str>>,
}

// SAFETY: the C client is thread-safe; `messages` holds pointers only inside `take`, which has `&mut self`.
unsafe impl Send for MessageQueue {}

impl MessageQueue {
    /// A new queue of `client`. The caller drops it before the client.
    pub(crate) fn new<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the client's pointer is valid while `client` lives.
        let queue = unsafe { sys::rd_kafka_queue_new(client.native_ptr()) };
        Some(Self {
            queue: NonNull::new(queue)?,
            expected: HashMap::new(),
            messages: Vec::new(),
            topics: Vec::new(),
            header_names: Vec::new(),
        })
    }

    /// Has the client find the leaders of a topic at once, in the background. Of a topic that it was not told of it first learns with
    /// a partition to fetch, and asks for the leader when it looks through its topics, once a second. False: not a topic's name.
    pub(crate) fn expect<C: ClientContext>(&mut self, client: &Client<C>, topic: &Arc<str>) -> bool {
        if self.expected.contains_key(topic) {
            return true;
        }
        let Ok(name) = CString::new(&**topic) else { return false };
        // SAFETY: the client is valid; the name is copied; without a configuration the client takes its default.
        let handle = unsafe { sys::rd_kafka_topic_new(client.native_ptr(), name.as_ptr(), ptr::null_mut()) };
        let Some(handle) = NonNull::new(handle) else { return false };
        self.expected.insert(Arc::clone(topic), handle);
        true
    }

    /// Makes what is fetched from a partition arrive here. Needed again after each stop of the partition.
    pub(crate) fn forward<C: ClientContext>(&self, client: &Client<C>, topic: &str, partition: i32) -> bool {
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
    pub(crate) fn take(&mut self, max: usize, timeout: Duration) -> Vec<Fetched> {
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
        // SAFETY: ours, each destroyed once, before the client.
        unsafe {
            for handle in self.expected.values() {
                sys::rd_kafka_topic_destroy(handle.as_ptr());
            }
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
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
