//! Producers: a worker's, in transactions or not as its guarantee says, and one for the edge.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::super::{
    Guarantee, LogError, LogErrorKind, LogResult, Membership, MembershipToken, Offset, OutgoingRecord,
    ProducerSettings, Publisher, TopicPartition, TransactionalProducer,
};
use super::errors::{client_error, error_of, transaction_error};
use super::fetching::offsets_list;
use super::let_go;
use super::raw::{FailedDelivery, NativeProducer, TransactionFailure};
use super::settings::KafkaSettings;

/// Records between two looks at delivery reports.
const REPORTS_EVERY: u32 = 256;
/// How long to wait for room in a full queue before trying again.
const ROOM_WAIT: Duration = Duration::from_millis(10);
/// One turn of a drain. Short, so that a failed delivery ends it early.
const DRAIN_TURN: Duration = Duration::from_millis(100);
/// One attempt to add offsets to a transaction, and all of them together.
const OFFSETS_ATTEMPT: Duration = Duration::from_secs(5);
const OFFSETS_PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts of a call that Kafka asked to repeat.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// How often a commit or an abort that timed out is taken up again before its outcome counts as unknown.
const RESUMPTIONS: u32 = 3;
/// How long dropping a producer may hold up its worker.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long an abort without transactions waits for records under way: what arrives later could stand behind the
/// changelog's end that the next restore reads up to.
const UNDER_WAY_PATIENCE: Duration = Duration::from_secs(5);
/// Names of topics whose acknowledged offsets are kept.
const CHANGELOG_SUFFIX: &str = ".changelog";

fn is_changelog(topic: &str) -> bool {
    topic.ends_with(CHANGELOG_SUFFIX)
}

fn untracked(_: &str) -> bool {
    false
}

fn size_of(record: &OutgoingRecord<'_>) -> usize {
    let headers: usize = record.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
    record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers
}

/// Queues a record and waits while the queue is full.
fn send_waiting(
    producer: &mut NativeProducer,
    record: &OutgoingRecord<'_>,
    keep_offset: fn(&str) -> bool,
    unserved: &mut u32,
) -> Result<(), RDKafkaErrorCode> {
    *unserved += 1;
    if *unserved >= REPORTS_EVERY {
        *unserved = 0;
        producer.serve(Duration::ZERO);
    }
    loop {
        match producer.produce(record, keep_offset) {
            Err(RDKafkaErrorCode::QueueFull) => producer.serve(ROOM_WAIT),
            answer => return answer,
        }
    }
}

fn fatal_of(producer: &NativeProducer, attempt: &str) -> Option<LogError> {
    let (code, text) = producer.fatal_error()?;
    Some(LogError::new(LogErrorKind::Rebuild, format!("{attempt}: the producer is unusable: {code:?}: {text}")))
}

/// Drops a producer with what it still holds; nobody waits for those records any more.
fn abandon(producer: NativeProducer) {
    producer.purge();
    let_go("producer", producer, CLOSE_PATIENCE);
}

/// See the trait.
pub(super) struct KafkaTransactions {
    /// `None` only while being dropped.
    producer: Option<NativeProducer>,
    guarantee: Guarantee,
    max_record_bytes: usize,
    /// One attempt to end a transaction.
    ending_attempt: Duration,
    /// Between `begin` and `commit` or `abort`, whatever the guarantee.
    in_transaction: bool,
    unserved: u32,
}

impl KafkaTransactions {
    pub(super) fn open(cluster: &KafkaSettings, settings: &ProducerSettings) -> LogResult<Self> {
        let config = cluster.worker_producer(settings);
        let attempt = format!("create the producer {}", settings.transactional_id);
        let producer = NativeProducer::create(&config).map_err(|e| client_error(&attempt, &e))?;
        Ok(Self {
            producer: Some(producer),
            guarantee: settings.guarantee,
            max_record_bytes: settings.max_record_bytes,
            ending_attempt: settings.transaction_timeout / 2,
            in_transaction: false,
            unserved: 0,
        })
    }

    fn producer(&self) -> LogResult<&NativeProducer> {
        self.producer.as_ref().ok_or_else(|| LogError::new(LogErrorKind::Rebuild, "this producer is closed"))
    }

    fn without_transactions(&self) -> bool {
        self.guarantee == Guarantee::AtLeastOnce
    }

    fn send_failure(&self, record: &OutgoingRecord<'_>, code: RDKafkaErrorCode) -> LogError {
        let attempt = format!("send to {}[{}]", record.topic, record.partition);
        if let Some(fatal) = self.producer.as_ref().and_then(|p| fatal_of(p, &attempt)) {
            return fatal;
        }
        match code {
            // The client takes no more records for a transaction that has failed already.
            RDKafkaErrorCode::State => {
                LogError::new(LogErrorKind::MustAbort, format!("{attempt}: the transaction has failed before"))
            }
            code => error_of(&attempt, code),
        }
    }
}

fn delivery_error(failed: &FailedDelivery) -> LogError {
    let mut error = error_of(&format!("deliver to {}[{}]", failed.topic, failed.partition), failed.code);
    error.kind = match error.kind {
        // Sending the same record again meets the same limit: only the operator can mend that.
        LogErrorKind::TooLarge | LogErrorKind::Fatal => LogErrorKind::Fatal,
        LogErrorKind::UnknownTopic => LogErrorKind::UnknownTopic,
        LogErrorKind::Rebuild => LogErrorKind::Rebuild,
        _ => LogErrorKind::MustAbort,
    };
    error
}

impl TransactionalProducer for KafkaTransactions {
    fn init(&mut self, timeout: Duration) -> LogResult<()> {
        if self.without_transactions() {
            return Ok(());
        }
        let attempt = "initialise transactions";
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(RETRY_PAUSE);
            let failure = match self.producer()?.init_transactions(left) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if !failure.retriable || failure.fatal {
                let named = error_of(attempt, failure.code);
                return Err(match named.kind {
                    LogErrorKind::Fatal => named,
                    _ => transaction_error(attempt, &failure),
                });
            }
            if Instant::now() + RETRY_PAUSE >= deadline {
                return Err(LogError::new(LogErrorKind::Unavailable, transaction_error(attempt, &failure).message));
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn begin(&mut self) -> LogResult<()> {
        let producer = self.producer()?;
        producer.forget();
        if !self.without_transactions() {
            producer.begin_transaction().map_err(|failure| transaction_error("begin a transaction", &failure))?;
        }
        self.in_transaction = true;
        Ok(())
    }

    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        if !self.in_transaction {
            return Err(LogError::new(LogErrorKind::Fatal, "send: begin a transaction first"));
        }
        let size = size_of(record);
        if size > self.max_record_bytes {
            let (topic, partition, limit) = (record.topic, record.partition, self.max_record_bytes);
            let message = format!("send to {topic}[{partition}]: the record has {size} bytes, the limit is {limit}");
            return Err(LogError::new(LogErrorKind::TooLarge, message));
        }
        let Some(producer) = &mut self.producer else {
            return Err(LogError::new(LogErrorKind::Rebuild, "this producer is closed"));
        };
        send_waiting(producer, record, is_changelog, &mut self.unserved).map_err(|code| self.send_failure(record, code))
    }

    fn drain(&mut self, timeout: Duration) -> LogResult<()> {
        let deadline = Instant::now() + timeout;
        let producer = self.producer()?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // While this call runs the client does not linger; it returns as soon as the last report is served.
            producer.flush(left.min(DRAIN_TURN));
            if producer.failed() {
                if let Some(fatal) = fatal_of(producer, "deliver records") {
                    return Err(fatal);
                }
                if let Some(failed) = producer.failure() {
                    return Err(delivery_error(&failed));
                }
            }
            let outstanding = producer.outstanding();
            if outstanding == 0 {
                return Ok(());
            }
            if left.is_zero() {
                let message = format!("deliver records: {outstanding} are not acknowledged after {timeout:?}");
                return Err(LogError::new(LogErrorKind::MustAbort, message));
            }
        }
    }

    fn acknowledged(&self, topic: &Arc<str>, partition: i32) -> Option<Offset> {
        self.producer.as_ref()?.highest(topic, partition)
    }

    fn send_offsets(&mut self, offsets: &[(TopicPartition, Offset)], membership: &Membership) -> LogResult<()> {
        let attempt = "add offsets to the transaction";
        if self.without_transactions() {
            let message = format!("{attempt}: there is none; commit the positions with the group consumer");
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        if offsets.is_empty() {
            let message = format!("{attempt}: there are none, and an empty list would not be fenced");
            return Err(LogError::new(LogErrorKind::Fatal, message));
        }
        if membership.generation < 1 || membership.member.is_empty() {
            return Err(LogError::new(LogErrorKind::NotMember, format!("{attempt}: this is no proof of membership")));
        }
        let MembershipToken::Kafka(metadata) = &membership.token else {
            return Err(LogError::new(LogErrorKind::Fatal, format!("{attempt}: the membership is of another log")));
        };
        let list = offsets_list(offsets)?;
        let deadline = Instant::now() + OFFSETS_PATIENCE;
        loop {
            let failure = match self.producer()?.send_offsets(&list, metadata, OFFSETS_ATTEMPT) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            let mut error = transaction_error(attempt, &failure);
            if error.kind != LogErrorKind::Retriable {
                return Err(error);
            }
            if Instant::now() >= deadline {
                // A request without an answer may still arrive, and would count for the producer's next transaction.
                error.kind = LogErrorKind::Rebuild;
                return Err(error);
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn commit(&mut self) -> LogResult<()> {
        let producer = self.producer()?;
        let answer = match self.guarantee {
            Guarantee::ExactlyOnce => {
                resume("commit the transaction", || producer.commit_transaction(self.ending_attempt))
            }
            Guarantee::AtLeastOnce => Ok(()),
        };
        if answer.is_ok() {
            self.in_transaction = false;
        }
        answer
    }

    fn abort(&mut self) -> LogResult<()> {
        let producer = self.producer()?;
        let answer = match self.guarantee {
            Guarantee::ExactlyOnce => {
                resume("abort the transaction", || producer.abort_transaction(self.ending_attempt))
            }
            Guarantee::AtLeastOnce => Err(wait_out(producer)),
        };
        // Behind the abort all reports are there: what only the operator can mend would fail the next transaction as well.
        let cause = producer.failure().map(|failed| delivery_error(&failed));
        let answer = match cause {
            Some(cause) if cause.kind == LogErrorKind::Fatal => Err(cause),
            _ => answer,
        };
        self.in_transaction = false;
        answer
    }
}

impl Drop for KafkaTransactions {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            abandon(producer);
        }
    }
}

/// Lets what is under way arrive, or fail. Without transactions it stands, so the answer is to read the truth again.
fn wait_out(producer: &NativeProducer) -> LogError {
    producer.flush(UNDER_WAY_PATIENCE);
    let message = match producer.outstanding() {
        0 => "without transactions what was written stands: the truth must be read again".to_string(),
        outstanding => {
            format!("without transactions what was written stands, and {outstanding} records are still under way")
        }
    };
    LogError::new(LogErrorKind::Rebuild, message)
}

/// Takes a call up again while Kafka says that it can be; what is then still open is unknown.
fn resume(attempt: &str, call: impl Fn() -> Result<(), TransactionFailure>) -> LogResult<()> {
    let mut resumptions = 0;
    loop {
        let failure = match call() {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let mut error = transaction_error(attempt, &failure);
        if error.kind != LogErrorKind::Retriable {
            return Err(error);
        }
        if resumptions == RESUMPTIONS {
            error.kind = LogErrorKind::Rebuild;
            return Err(error);
        }
        resumptions += 1;
        std::thread::sleep(RETRY_PAUSE);
    }
}

/// See the trait.
pub(super) struct KafkaPublisher {
    /// `None` only while being dropped.
    producer: Option<NativeProducer>,
    unserved: u32,
}

impl KafkaPublisher {
    pub(super) fn open(cluster: &KafkaSettings) -> LogResult<Self> {
        let producer =
            NativeProducer::create(&cluster.publisher()).map_err(|e| client_error("create a publisher", &e))?;
        Ok(Self { producer: Some(producer), unserved: 0 })
    }
}

impl Publisher for KafkaPublisher {
    fn send(&mut self, record: &OutgoingRecord<'_>) -> LogResult<()> {
        let attempt = || format!("publish to {}[{}]", record.topic, record.partition);
        let Some(producer) = &mut self.producer else {
            return Err(LogError::new(LogErrorKind::Rebuild, "this publisher is closed"));
        };
        match send_waiting(producer, record, untracked, &mut self.unserved) {
            Ok(()) => Ok(()),
            Err(code) => Err(fatal_of(producer, &attempt()).unwrap_or_else(|| error_of(&attempt(), code))),
        }
    }

    fn flush(&mut self, timeout: Duration) -> LogResult<()> {
        let Some(producer) = &self.producer else {
            return Err(LogError::new(LogErrorKind::Rebuild, "this publisher is closed"));
        };
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            producer.flush(left.min(DRAIN_TURN));
            let outstanding = producer.outstanding();
            if outstanding > 0 && !left.is_zero() {
                continue;
            }
            if let Some(failed) = producer.failure() {
                producer.forget();
                let attempt = format!("publish to {}[{}]", failed.topic, failed.partition);
                return Err(fatal_of(producer, &attempt).unwrap_or_else(|| error_of(&attempt, failed.code)));
            }
            if outstanding > 0 {
                let message = format!("publish: {outstanding} records are not acknowledged after {timeout:?}");
                return Err(LogError::new(LogErrorKind::Unavailable, message));
            }
            return Ok(());
        }
    }
}

impl Drop for KafkaPublisher {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            abandon(producer);
        }
    }
}
