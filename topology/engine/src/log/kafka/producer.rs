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
use super::positions::PositionSender;
use super::raw::{FailedDelivery, NativeProducer, TransactionFailure};
use super::settings::KafkaSettings;

/// Records between two looks at delivery reports.
const REPORTS_EVERY: u32 = 256;
/// How long to wait for room in a full queue before trying again.
const ROOM_WAIT: Duration = Duration::from_millis(10);
/// One turn of a drain. Short, so that a failed delivery ends it early.
const DRAIN_TURN: Duration = Duration::from_millis(100);
/// One attempt to add offsets to a transaction.
const OFFSETS_ATTEMPT: Duration = Duration::from_secs(5);
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

fn closed() -> LogError {
    LogError::new(LogErrorKind::Rebuild, "this producer is closed")
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
    /// `None` while being dropped, and for good once a call has not come back with it.
    producer: Option<NativeProducer>,
    /// With transactions only.
    positions: Option<PositionSender>,
    guarantee: Guarantee,
    max_record_bytes: usize,
    /// What the log gives a transaction; behind it there is nothing to add to.
    transaction_timeout: Duration,
    /// Between `begin` and `commit` or `abort`, whatever the guarantee.
    in_transaction: bool,
    unserved: u32,
}

impl KafkaTransactions {
    pub(super) fn open(cluster: &KafkaSettings, settings: &ProducerSettings) -> LogResult<Self> {
        let config = cluster.worker_producer(settings);
        let attempt = format!("create the producer {}", settings.transactional_id);
        let producer = NativeProducer::create(&config).map_err(|e| client_error(&attempt, &e))?;
        let positions = match settings.guarantee {
            Guarantee::ExactlyOnce => Some(PositionSender::start()?),
            Guarantee::AtLeastOnce => None,
        };
        Ok(Self {
            producer: Some(producer),
            positions,
            guarantee: settings.guarantee,
            max_record_bytes: settings.max_record_bytes,
            transaction_timeout: settings.transaction_timeout,
            in_transaction: false,
            unserved: 0,
        })
    }

    fn producer(&self) -> LogResult<&NativeProducer> {
        self.producer.as_ref().ok_or_else(closed)
    }

    /// One attempt to end a transaction.
    fn ending_attempt(&self) -> Duration {
        self.transaction_timeout / 2
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

/// Whether nobody knows what became of a request.
fn is_without_answer(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{BrokerTransportFailure, OperationTimedOut, RequestTimedOut};
    matches!(code, BrokerTransportFailure | OperationTimedOut | RequestTimedOut)
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
            return Err(closed());
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
        let Some(sender) = &self.positions else {
            let message = format!("{attempt}: there is none; commit the positions with the group consumer");
            return Err(LogError::new(LogErrorKind::Fatal, message));
        };
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
        let deadline = Instant::now() + self.transaction_timeout;
        let mut error =
            LogError::new(LogErrorKind::Rebuild, format!("{attempt}: no answer within {:?}", self.transaction_timeout));
        loop {
            let producer = self.producer.take().ok_or_else(closed)?;
            let left = deadline.saturating_duration_since(Instant::now());
            let Some((producer, answer)) = sender.send(producer, &list, metadata, OFFSETS_ATTEMPT.min(left), left)
            else {
                return Err(error);
            };
            self.producer = Some(producer);
            let Err(failure) = answer else { return Ok(()) };
            error = transaction_error(attempt, &failure);
            let is_over = error.kind != LogErrorKind::Retriable || Instant::now() + RETRY_PAUSE >= deadline;
            if error.kind == LogErrorKind::Retriable || is_without_answer(failure.code) {
                // The request may still arrive, and would count for the producer's next transaction.
                error.kind = LogErrorKind::Rebuild;
            }
            if is_over {
                return Err(error);
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn commit(&mut self) -> LogResult<()> {
        let producer = self.producer()?;
        let answer = match self.guarantee {
            Guarantee::ExactlyOnce => {
                resume("commit the transaction", || producer.commit_transaction(self.ending_attempt()))
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
                resume("abort the transaction", || producer.abort_transaction(self.ending_attempt()))
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rdkafka::mocking::{MockCluster, MockCoordinator};
    use rdkafka::producer::DefaultProducerContext;
    use rdkafka::types::{RDKafkaApiKey as ApiKey, RDKafkaRespErr as Code};

    use super::super::{GroupProtocol, KafkaLog};
    use super::*;
    use crate::log::{ConsumerEvent, GroupSettings, Log};

    const GROUP: &str = "post";
    const TRANSACTION: Duration = Duration::from_secs(6);
    const PATIENCE: Duration = Duration::from_secs(30);

    fn a_member(log: &KafkaLog) -> Membership {
        let settings = GroupSettings {
            group: GROUP.to_owned(),
            instance: "post-a-0".to_owned(),
            topics: vec!["letters".into()],
            session_timeout: PATIENCE,
            fetch_ahead_bytes: 1 << 20,
        };
        let mut member = log.group_consumer(&settings).expect("the member joins");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let events = member.poll(1, Duration::from_millis(50)).expect("the member polls");
            if events.iter().any(|event| matches!(event, ConsumerEvent::Assigned(_))) {
                return member.membership().expect("it is a member");
            }
        }
        panic!("no partition came");
    }

    /// Brokers of the client library's own, since real ones cannot be told what to answer; the first coordinates all. They fence nobody.
    fn two_brokers() -> (MockCluster<'static, DefaultProducerContext>, KafkaLog) {
        let brokers = MockCluster::new(2).expect("brokers are made");
        brokers.create_topic("letters", 1, 1).expect("a topic is made");
        brokers.partition_leader("letters", 0, Some(1)).expect("it has a leader");
        for ours in [MockCoordinator::Transaction("post-a-0".to_owned()), MockCoordinator::Group(GROUP.to_owned())] {
            brokers.coordinator(ours, 1).expect("a coordinator is set");
        }
        let log = KafkaLog::connect(KafkaSettings {
            bootstrap_servers: brokers.bootstrap_servers(),
            client: [].into(),
            protocol: GroupProtocol::Classic,
        });
        (brokers, log.expect("the brokers are reached"))
    }

    fn a_producer(log: &KafkaLog) -> Box<dyn TransactionalProducer> {
        let settings = ProducerSettings {
            transactional_id: "post-a-0".to_owned(),
            transaction_timeout: TRANSACTION,
            max_record_bytes: 1 << 20,
            queue_bytes: 1 << 20,
            expected_partitions: 1,
            guarantee: Guarantee::ExactlyOnce,
        };
        let mut producer = log.transactional_producer(&settings).expect("a producer is made");
        producer.init(PATIENCE).expect("transactions begin");
        producer
    }

    fn positions() -> [(TopicPartition, Offset); 1] {
        [(TopicPartition { topic: "letters".into(), partition: 0 }, 7)]
    }

    fn a_transaction_passes(producer: &mut dyn TransactionalProducer, membership: &Membership) {
        producer.begin().expect("a transaction begins");
        producer.send_offsets(&positions(), membership).expect("positions are taken");
        producer.commit().expect("the transaction is committed");
    }

    /// Begins a transaction and sends positions that nobody takes.
    fn refused_positions(
        mut producer: Box<dyn TransactionalProducer>,
        membership: &Membership,
    ) -> (Box<dyn TransactionalProducer>, LogError) {
        let (answer, answers) = mpsc::channel();
        let membership = membership.clone();
        std::thread::spawn(move || {
            producer.begin().expect("a transaction begins");
            let error = producer.send_offsets(&positions(), &membership).expect_err("nobody takes them");
            answer.send((producer, error)).expect("somebody waits");
        });
        answers.recv_timeout(PATIENCE).expect("the call comes back")
    }

    #[test]
    fn positions_without_an_end_are_given_up_when_the_transaction_is_over() {
        let (brokers, log) = two_brokers();
        let membership = a_member(&log);
        let mut producer = a_producer(&log);
        a_transaction_passes(&mut *producer, &membership);

        brokers.broker_down(2).expect("a broker goes away");
        brokers.coordinator(MockCoordinator::Group(GROUP.to_owned()), 2).expect("a coordinator is set");
        let (mut producer, error) = refused_positions(producer, &membership);
        assert_eq!(error.kind, LogErrorKind::Rebuild, "{error}");
        assert!(error.message.contains("no answer within"), "the client has learned to give up by itself: {error}");
        assert_eq!(producer.abort().expect_err("it is closed").kind, LogErrorKind::Rebuild);

        brokers.broker_up(2).expect("the broker comes back");
        a_transaction_passes(&mut *a_producer(&log), &membership);
    }

    #[test]
    fn positions_of_which_nobody_knows_need_a_new_producer() {
        let (brokers, log) = two_brokers();
        let membership = a_member(&log);
        brokers.request_errors(ApiKey::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT; 100]);
        let (_, error) = refused_positions(a_producer(&log), &membership);
        assert_eq!(error.kind, LogErrorKind::Rebuild, "{error}");
        assert!(!error.message.contains("no answer within"), "what the broker said is not told: {error}");
    }
}
