//! The log on a Kafka cluster.

mod consumer;
mod errors;
mod fetching;
mod positions;
mod producer;
mod raw;
mod reader;
mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

pub use self::raw::GroupMetadata;
pub use self::settings::{GroupProtocol, KafkaSettings};

use self::errors::{client_error, error_of, passes_by_itself};
use self::fetching::Fetching;
use self::reader::Reports;
use super::{
    GroupConsumer, GroupSettings, Isolation, Log, LogError, LogErrorKind, LogResult, Offset, PartitionReader,
    ProducerSettings, Publisher, TopicDescription, TopicPartition, TopicSpec, TransactionalProducer,
};

/// How long a question to the cluster may take.
const QUESTION_PATIENCE: Duration = Duration::from_secs(15);
/// Between two attempts of a question that the cluster could not answer.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// A Kafka cluster.
pub struct KafkaLog {
    cluster: Arc<Cluster>,
}

impl KafkaLog {
    /// Reaches a cluster.
    ///
    /// # Errors
    /// [`LogErrorKind::Fatal`] for settings that cannot work, [`LogErrorKind::Unavailable`] when no broker answers
    /// within 15 seconds.
    pub fn connect(settings: KafkaSettings) -> LogResult<Self> {
        settings.check()?;
        let control = settings
            .control()
            .create_with_context(Reports)
            .map_err(|e| client_error("create the client for questions to the cluster", &e))?;
        let consumer_protocol = AtomicBool::new(settings.protocol != GroupProtocol::Classic);
        let cluster = Cluster { settings, control, consumer_protocol };
        cluster.ask("reach the cluster", QUESTION_PATIENCE, |control, left| {
            control.client().fetch_metadata(None, left).map(|_| ())
        })?;
        Ok(Self { cluster: Arc::new(cluster) })
    }
}

impl Log for KafkaLog {
    fn topics(&self) -> LogResult<Vec<TopicDescription>> {
        let attempt = "list the topics";
        let metadata = self
            .cluster
            .ask(attempt, QUESTION_PATIENCE, |control, left| control.client().fetch_metadata(None, left))?;
        let mut topics = Vec::new();
        for topic in metadata.topics() {
            // Internal topics of Kafka itself begin so.
            if topic.name().starts_with("__") {
                continue;
            }
            let partitions = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
            topics.push(TopicDescription { name: Arc::from(topic.name()), partitions, id: String::new() });
        }
        if topics.is_empty() {
            return Ok(topics);
        }
        let names: Vec<Arc<str>> = topics.iter().map(|t| Arc::clone(&t.name)).collect();
        let ids = self.topic_ids(&names)?;
        for (topic, id) in topics.iter_mut().zip(ids) {
            topic.id = id;
        }
        Ok(topics)
    }

    fn topic_ids(&self, topics: &[Arc<str>]) -> LogResult<Vec<String>> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        raw::topic_ids(self.cluster.control.client(), topics, QUESTION_PATIENCE)
            .map_err(|code| error_of("read the identities of topics", code))
    }

    fn create_topics(&self, topics: &[TopicSpec]) -> LogResult<()> {
        let admin: AdminClient<_> = self
            .cluster
            .settings
            .control()
            .create_with_context(Reports)
            .map_err(|e| client_error("create the client that creates topics", &e))?;
        let new_topics: Vec<NewTopic<'_>> = topics
            .iter()
            .map(|topic| {
                let new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(topic.replication));
                topic.settings.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        let options =
            AdminOptions::new().request_timeout(Some(QUESTION_PATIENCE)).operation_timeout(Some(QUESTION_PATIENCE));
        let answers =
            wait_for(admin.create_topics(&new_topics, &options)).map_err(|e| client_error("create topics", &e))?;
        for answer in answers {
            if let Err((topic, code)) = answer
                && code != RDKafkaErrorCode::TopicAlreadyExists
            {
                return Err(error_of(&format!("create topic {topic}"), code));
            }
        }
        self.cluster.await_leaders(topics)
    }

    fn group_consumer(&self, settings: &GroupSettings) -> LogResult<Box<dyn GroupConsumer>> {
        Ok(Box::new(consumer::KafkaGroupConsumer::join(Arc::clone(&self.cluster), settings.clone())?))
    }

    fn transactional_producer(&self, settings: &ProducerSettings) -> LogResult<Box<dyn TransactionalProducer>> {
        Ok(Box::new(producer::KafkaTransactions::open(&self.cluster.settings, settings)?))
    }

    fn reader(&self, isolation: Isolation) -> LogResult<Box<dyn PartitionReader>> {
        Ok(Box::new(reader::KafkaReader::open(Arc::clone(&self.cluster), isolation)?))
    }

    fn publisher(&self) -> LogResult<Box<dyn Publisher>> {
        Ok(Box::new(producer::KafkaPublisher::open(&self.cluster.settings)?))
    }
}

/// What all handles of one log share.
struct Cluster {
    settings: KafkaSettings,
    /// Belongs to no group, and sees open transactions.
    control: BaseConsumer<Reports>,
    /// Whether members join by the protocol of new brokers.
    consumer_protocol: AtomicBool,
}

impl Cluster {
    fn consumer_protocol(&self) -> bool {
        self.consumer_protocol.load(Ordering::Relaxed)
    }

    /// The brokers do not know the new protocol. Whether the settings allow the classic one instead.
    fn fall_back_to_classic(&self) -> bool {
        if self.settings.protocol != GroupProtocol::Auto {
            return false;
        }
        self.consumer_protocol.store(false, Ordering::Relaxed);
        true
    }

    /// Lowest existing offset, and the offset behind the last record, open transactions included.
    fn watermarks(&self, partition: &TopicPartition, timeout: Duration) -> LogResult<(Offset, Offset)> {
        self.ask(&format!("read the watermarks of {partition}"), timeout, |control, left| {
            control.fetch_watermarks(&partition.topic, partition.partition, left)
        })
    }

    /// Whether a position that the client gave up does not exist. By its source the client gives up for other reasons too, such as
    /// a new leader that cannot say where the records of the former one end: then it is told to go on where it was.
    fn is_out_of_range<C: ConsumerContext>(
        &self,
        fetching: &mut Fetching<C>,
        from: &TopicPartition,
        at: Offset,
    ) -> LogResult<bool> {
        match self.watermarks(from, QUESTION_PATIENCE) {
            Ok((low, high)) if at < low || at > high => {
                tracing::warn!(partition = %from, position = at, low, high, "A position does not exist.");
                return Ok(true);
            }
            Ok(_) => {
                tracing::info!(partition = %from, position = at, "The client gave up a position that exists; it reads on.")
            }
            // It will be told again if the position does not exist.
            Err(error) => tracing::warn!(partition = %from, position = at, %error,
                "The client gave up a position, and whether it exists is not known yet; it reads on."),
        }
        fetching.move_to(&[(from.clone(), at)])?;
        Ok(false)
    }

    /// The watermarks of several partitions in their order, with two questions to each broker.
    fn watermarks_of_all(&self, partitions: &[TopicPartition], timeout: Duration) -> LogResult<Vec<(Offset, Offset)>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let attempt = "read the watermarks of changelogs";
        let of = |end: raw::End| {
            self.ask(attempt, timeout, |control, left| {
                raw::ends(control.client(), partitions, end, left).map_err(KafkaError::OffsetFetch)
            })
        };
        let low = of(raw::End::Low)?;
        Ok(low.into_iter().zip(of(raw::End::High)?).collect())
    }

    /// Puts a question, again while the cluster cannot answer it for now.
    fn ask<T>(
        &self,
        attempt: &str,
        timeout: Duration,
        question: impl Fn(&BaseConsumer<Reports>, Duration) -> rdkafka::error::KafkaResult<T>,
    ) -> LogResult<T> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(ASK_AGAIN);
            let answer = question(&self.control, left);
            fetching::serve(&self.control);
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let passes = error.rdkafka_error_code().is_some_and(passes_by_itself);
            if !passes || Instant::now() + ASK_AGAIN >= deadline {
                return Err(client_error(attempt, &error));
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    /// Waits until new topics can be written and read: their creation is answered before their leaders are chosen.
    fn await_leaders(&self, topics: &[TopicSpec]) -> LogResult<()> {
        let deadline = Instant::now() + QUESTION_PATIENCE;
        for topic in topics {
            loop {
                let attempt = format!("await the leaders of topic {}", topic.name);
                let ready = self.ask(&attempt, QUESTION_PATIENCE, |control, left| {
                    let metadata = control.client().fetch_metadata(Some(&topic.name), left)?;
                    let led = |t: &rdkafka::metadata::MetadataTopic| {
                        t.error().is_none()
                            && !t.partitions().is_empty()
                            && t.partitions().iter().all(|p| p.leader() >= 0)
                    };
                    Ok(metadata.topics().iter().any(led))
                })?;
                if ready {
                    break;
                }
                if Instant::now() >= deadline {
                    return Err(LogError::new(LogErrorKind::Unavailable, format!("{attempt}: there are none yet")));
                }
                std::thread::sleep(ASK_AGAIN);
            }
        }
        Ok(())
    }
}

/// Passes a line of the client library on.
fn client_log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => tracing::warn!(facility, message, "The Kafka client reports."),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(facility, message, "The Kafka client reports.")
        }
        RDKafkaLogLevel::Debug => tracing::debug!(facility, message, "The Kafka client reports."),
    }
}

/// Drops a client on a thread of its own: with brokers that do not answer that can take as long as a session.
fn let_go<T: Send + 'static>(what: &'static str, client: T, patience: Duration) {
    let (done, dropped) = mpsc::channel();
    let thread = std::thread::Builder::new().name(format!("close-{what}")).spawn(move || {
        drop(client);
        // An error says that nobody waits any more.
        let _ = done.send(());
    });
    match thread {
        Err(error) => tracing::warn!(%error, what, "No thread to close a client on; it was closed here."),
        Ok(_) => {
            if dropped.recv_timeout(patience).is_err() {
                tracing::warn!(what, ?patience, "A client of Kafka does not close in time; it is left to itself.");
            }
        }
    }
}

/// Waits for an answer of the admin client, which has a thread of its own that completes it.
fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
