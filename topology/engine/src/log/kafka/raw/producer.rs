//! Producing without a look-up per record, and transactions with the client's own judgement of their errors.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka_sys as sys;
use rdkafka_sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
use rdkafka_sys::rd_kafka_vtype_t as vtype;
use rdkafka_sys::types::RDKafkaType;

use super::super::client_log;
use super::{GroupMetadata, millis};
use crate::log::{Header, Offset, OutgoingRecord};

/// An error of a transactional call with the client's own judgement of it.
#[derive(Debug)]
pub(crate) struct TransactionFailure {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) message: String,
    pub(crate) fatal: bool,
    pub(crate) must_abort: bool,
    pub(crate) retriable: bool,
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

/// A delivery that failed: the first one, or the first that says why.
#[derive(Debug, Clone)]
pub(crate) struct FailedDelivery {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) topic: String,
    pub(crate) partition: i32,
}

/// Whether the client gave a record up for what became of another one.
fn is_consequence(code: &RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{InvalidDifferentRecord, PurgeInflight, PurgeQueue};
    matches!(code, PurgeQueue | PurgeInflight | InvalidDifferentRecord)
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
        if ledger.failure.as_ref().is_none_or(|failed| is_consequence(&failed.code)) {
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
pub(crate) struct NativeProducer {
    topics: Vec<KnownTopic>,
    last_topic: usize,
    client: Client<Deliveries>,
}

// SAFETY: the C client is thread-safe, and the topic handles are used through `&mut self` only.
unsafe impl Send for NativeProducer {}

impl NativeProducer {
    pub(crate) fn create(config: &ClientConfig) -> KafkaResult<Self> {
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
    pub(crate) fn produce(
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
    pub(crate) fn serve(&self, timeout: Duration) {
        // SAFETY: the client is valid.
        unsafe { sys::rd_kafka_poll(self.native(), millis(timeout)) };
    }

    /// Sends what waits without lingering, and serves reports until all are in or `timeout` has passed.
    pub(crate) fn flush(&self, timeout: Duration) {
        // SAFETY: the client is valid.
        unsafe { sys::rd_kafka_flush(self.native(), millis(timeout)) };
    }

    /// Records and reports not yet served.
    pub(crate) fn outstanding(&self) -> usize {
        // SAFETY: the client is valid.
        usize::try_from(unsafe { sys::rd_kafka_outq_len(self.native()) }).unwrap_or(0)
    }

    /// Gives up what is queued or under way.
    pub(crate) fn purge(&self) {
        let flags = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT | sys::RD_KAFKA_PURGE_F_NON_BLOCKING;
        // SAFETY: the client is valid and a producer.
        unsafe { sys::rd_kafka_purge(self.native(), flags) };
    }

    /// Whether a delivery has failed since [`Self::forget`].
    pub(crate) fn failed(&self) -> bool {
        self.client.context().failed.load(Ordering::Relaxed)
    }

    /// The first delivery that failed since [`Self::forget`], or the first that says why.
    pub(crate) fn failure(&self) -> Option<FailedDelivery> {
        self.client.context().ledger().failure.clone()
    }

    /// The highest offset reported since [`Self::forget`].
    pub(crate) fn highest(&self, topic: &str, partition: i32) -> Option<Offset> {
        let slots = self.topics.iter().find(|t| &*t.name == topic)?.slots.as_ref()?;
        let slot = *slots.get(usize::try_from(partition).ok()?)?;
        *self.client.context().ledger().highest.get(slot.checked_sub(1)?)?
    }

    /// Starts a new account of offsets and failures.
    pub(crate) fn forget(&self) {
        let deliveries = self.client.context();
        let mut ledger = deliveries.ledger();
        ledger.highest.fill(None);
        ledger.failure = None;
        deliveries.failed.store(false, Ordering::Relaxed);
    }

    /// The error after which this producer does nothing any more.
    pub(crate) fn fatal_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.client.fatal_error()
    }

    pub(crate) fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionFailure> {
        // SAFETY: the client is valid, here and in the next four.
        transaction_result(unsafe { sys::rd_kafka_init_transactions(self.native(), millis(timeout)) })
    }

    pub(crate) fn begin_transaction(&self) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_begin_transaction(self.native()) })
    }

    pub(crate) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        metadata: &GroupMetadata,
        timeout: Duration,
    ) -> Result<(), TransactionFailure> {
        // SAFETY: as above; list and metadata are valid and only read.
        transaction_result(unsafe {
            sys::rd_kafka_send_offsets_to_transaction(self.native(), offsets.ptr(), metadata.native(), millis(timeout))
        })
    }

    /// Commits. What timed out can be taken up again by another call.
    pub(crate) fn commit_transaction(&self, timeout: Duration) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_commit_transaction(self.native(), millis(timeout)) })
    }

    /// Aborts. Without a time-out the client would wait for ever for records whose fate it cannot learn.
    pub(crate) fn abort_transaction(&self, timeout: Duration) -> Result<(), TransactionFailure> {
        // SAFETY: as above.
        transaction_result(unsafe { sys::rd_kafka_abort_transaction(self.native(), millis(timeout)) })
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
