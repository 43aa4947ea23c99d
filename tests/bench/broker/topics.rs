//! Topics as the harness uses them: a plain Kafka client, the same for every arm, with nothing of the engine.

use std::thread;
use std::time::{Duration, Instant};

use concord_engine::partitioner::partition_of;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::Result;
use crate::inputs::Content;

/// Of every topic, where a bench says nothing else.
pub const PARTITIONS: i32 = 4;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Of the largest record.
const LARGEST_BYTES: &str = "2000000";

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

pub fn reader(bootstrap: &str, group: &str) -> Result<BaseConsumer> {
    Ok(config(bootstrap)
        .set("group.id", group)
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", "20")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.min.messages", "100000")
        .create()?)
}

/// Creates, deletes and looks at topics.
pub struct Topics {
    /// Of every topic that is created or looked at.
    pub partitions: i32,
    bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl Topics {
    pub fn of(bootstrap: &str) -> Result<Self> {
        Ok(Self {
            partitions: PARTITIONS,
            bootstrap: bootstrap.to_owned(),
            admin: config(bootstrap).create()?,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
        })
    }

    /// Creates a topic that keeps everything: the times of its records are not those of today.
    pub fn create(&self, name: &str) -> Result<()> {
        let topic = NewTopic::new(name, self.partitions, TopicReplication::Fixed(1))
            .set("retention.ms", "-1")
            .set("message.timestamp.type", "CreateTime");
        let made = self.runtime.block_on(self.admin.create_topics([&topic], &AdminOptions::new()))?;
        for answer in made {
            answer.map_err(|(topic, code)| format!("creating {topic}: {code}"))?;
        }
        // The broker hears of it a moment later. Kafka Streams ends when one of its topics is not there.
        let deadline = Instant::now() + PATIENCE;
        while !self.is_known(name)? {
            if Instant::now() > deadline {
                return Err(format!("the broker does not know {name}, which was created").into());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Whether the broker tells the leader of every partition.
    fn is_known(&self, name: &str) -> Result<bool> {
        let metadata = self.admin.inner().fetch_metadata(Some(name), PATIENCE)?;
        Ok(metadata.topics().iter().any(|topic| {
            topic.error().is_none()
                && topic.partitions().len() == self.partitions as usize
                && topic.partitions().iter().all(|partition| partition.leader() >= 0)
        }))
    }

    /// Names of all topics that begin with `prefix`.
    pub fn named(&self, prefix: &str) -> Result<Vec<String>> {
        let metadata = self.admin.inner().fetch_metadata(None, PATIENCE)?;
        Ok(metadata.topics().iter().map(|t| t.name().to_owned()).filter(|n| n.starts_with(prefix)).collect())
    }

    /// Deletes all topics that begin with `prefix`.
    pub fn delete(&self, prefix: &str) -> Result<()> {
        let names = self.named(prefix)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() {
            return Ok(());
        }
        for answer in self.runtime.block_on(self.admin.delete_topics(&names, &AdminOptions::new()))? {
            if let Err((topic, code)) = answer
                && code != RDKafkaErrorCode::UnknownTopicOrPartition
            {
                return Err(format!("deleting {topic}: {code}").into());
            }
        }
        Ok(())
    }

    /// Number and content of the committed records of a topic.
    pub fn content(&self, topic: &str) -> Result<Content> {
        let mut content = Content::default();
        let mut reading = self.follow_all(topic)?;
        while !reading.at_end() {
            reading.poll(Duration::from_millis(200), |message| {
                content.add(message.key().unwrap_or_default(), message.payload().unwrap_or_default());
            })?;
        }
        Ok(content)
    }

    /// Waits until a topic holds just this. A transaction's records may be seen a moment after its positions.
    pub fn await_content(&self, topic: &str, expected: Content) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let began = Instant::now();
        loop {
            let found = self.content(topic)?;
            if found == expected {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{topic} has {found:?} instead of {expected:?}").into());
            }
        }
    }

    /// Reads a topic as it grows, from its beginning.
    pub fn follow_all(&self, topic: &str) -> Result<Reading> {
        Reading::begin(&self.bootstrap, topic, &vec![Offset::Beginning; self.partitions as usize])
    }

    /// Reads a topic as it grows, from these positions.
    pub fn follow(&self, topic: &str, from: &[i64]) -> Result<Reading> {
        let from: Vec<Offset> = from.iter().copied().map(Offset::Offset).collect();
        Reading::begin(&self.bootstrap, topic, &from)
    }

    /// The ends of partitions, asked for again and again.
    pub fn ends(&self) -> Result<Ends> {
        // What transactions that are still open have written counts.
        let client = config(&self.bootstrap).set("isolation.level", "read_uncommitted").create()?;
        Ok(Ends { client, partitions: self.partitions })
    }

    /// How far the group `group` has come in `topics`.
    pub fn progress(&self, group: &str) -> Result<Progress> {
        Ok(Progress { client: reader(&self.bootstrap, group)?, partitions: self.partitions })
    }

    /// Writes records, in one transaction that stays open until [`Publishing::finish`] when `transactional` names it.
    pub fn publish(&self, topic: &str, transactional: Option<&str>, linger_ms: u32) -> Result<Publishing> {
        let mut config = self.publisher(linger_ms);
        if let Some(id) = transactional {
            config.set("transactional.id", id).set("transaction.timeout.ms", "900000");
        }
        self.publish_by(&config, topic, transactional.is_some())
    }

    /// Writes records as they come, beside what is measured. An idempotent producer of this client polls without a pause while a
    /// batch is due and the one before it is not answered, and so takes a processor from the broker that is to answer it; this one
    /// has one request under way at a time, which keeps its records in order all the same.
    pub fn publish_beside(&self, topic: &str) -> Result<Publishing> {
        let mut config = self.publisher(1);
        config.set("enable.idempotence", "false").set("acks", "all").set("max.in.flight.requests.per.connection", "1");
        self.publish_by(&config, topic, false)
    }

    fn publisher(&self, linger_ms: u32) -> ClientConfig {
        let mut config = config(&self.bootstrap);
        config
            .set("enable.idempotence", "true")
            .set("compression.type", "none")
            .set("message.max.bytes", LARGEST_BYTES)
            .set("linger.ms", linger_ms.to_string())
            .set("batch.size", "131072")
            .set("queue.buffering.max.messages", "200000");
        config
    }

    fn publish_by(&self, config: &ClientConfig, topic: &str, transactional: bool) -> Result<Publishing> {
        let producer: BaseProducer = config.create()?;
        if transactional {
            producer.init_transactions(PATIENCE)?;
            producer.begin_transaction()?;
        }
        let sent = vec![0; self.partitions as usize];
        Ok(Publishing { producer, topic: topic.to_owned(), transactional, sent })
    }
}

/// A topic being read, committed records only.
pub struct Reading {
    client: BaseConsumer,
    at_end: Vec<bool>,
}

impl Reading {
    fn begin(bootstrap: &str, topic: &str, from: &[Offset]) -> Result<Self> {
        let client = reader(bootstrap, "bench-reader")?;
        let mut partitions = TopicPartitionList::new();
        for (partition, from) in from.iter().enumerate() {
            partitions.add_partition_offset(topic, partition as i32, *from)?;
        }
        client.assign(&partitions)?;
        Ok(Self { client, at_end: vec![false; from.len()] })
    }

    /// Whether the last thing seen of every partition was its end.
    pub fn at_end(&self) -> bool {
        self.at_end.iter().all(|end| *end)
    }

    /// Waits for one record at most.
    pub fn poll(
        &mut self,
        timeout: Duration,
        mut visit: impl FnMut(&rdkafka::message::BorrowedMessage<'_>),
    ) -> Result<()> {
        match self.client.poll(timeout) {
            None => {}
            Some(Ok(message)) => {
                self.at_end[message.partition() as usize] = false;
                visit(&message);
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => self.at_end[partition as usize] = true,
            // A connection is gone, and the client makes another.
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AllBrokersDown))) => {}
            Some(Err(error)) => return Err(error.into()),
        }
        Ok(())
    }
}

/// See [`Topics::ends`].
pub struct Ends {
    client: BaseConsumer,
    partitions: i32,
}

impl Ends {
    pub fn of(&self, topic: &str) -> Result<Vec<i64>> {
        let end = |partition| Ok(self.client.fetch_watermarks(topic, partition, PATIENCE)?.1);
        (0..self.partitions).map(end).collect()
    }
}

/// Looks at the committed positions of a group without being a member.
pub struct Progress {
    client: BaseConsumer,
    partitions: i32,
}

impl Progress {
    /// The committed position of each partition of a topic; 0 where nothing is committed.
    pub fn of(&self, topic: &str) -> Result<Vec<i64>> {
        let mut asked = TopicPartitionList::new();
        for partition in 0..self.partitions {
            asked.add_partition(topic, partition);
        }
        // A group that begins may meet a coordinator that is not ready.
        let deadline = Instant::now() + PATIENCE;
        let answer = loop {
            match self.client.committed_offsets(asked.clone(), PATIENCE) {
                Ok(answer) => break answer,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let mut positions = vec![0; self.partitions as usize];
        for element in answer.elements() {
            if let Offset::Offset(offset) = element.offset() {
                positions[element.partition() as usize] = offset;
            }
        }
        Ok(positions)
    }
}

/// Records on their way into a topic.
pub struct Publishing {
    producer: BaseProducer,
    topic: String,
    transactional: bool,
    sent: Vec<i64>,
}

impl Publishing {
    pub fn send(&mut self, key: &str, value: &[u8], timestamp_ms: i64) -> Result<()> {
        let partition = partition_of(key.as_bytes(), self.sent.len() as i32);
        let mut record =
            BaseRecord::to(&self.topic).partition(partition).key(key).payload(value).timestamp(timestamp_ms);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.producer.send(record) {
                Ok(()) => {
                    self.sent[partition as usize] += 1;
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused))
                    if Instant::now() < deadline =>
                {
                    record = refused;
                    self.producer.poll(Duration::from_millis(5));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Records sent to each partition.
    pub fn sent(&self) -> &[i64] {
        &self.sent
    }

    /// Serves the answers of the broker.
    pub fn serve(&self) {
        self.producer.poll(Duration::ZERO);
    }

    /// Waits until all is written, without ending the transaction.
    pub fn flush(&self) -> Result<()> {
        Ok(self.producer.flush(PATIENCE)?)
    }

    /// Makes all of it visible.
    pub fn finish(self) -> Result<()> {
        self.flush()?;
        if self.transactional {
            self.producer.commit_transaction(PATIENCE)?;
        }
        Ok(())
    }
}
