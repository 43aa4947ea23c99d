//! Topics as a plain Kafka client sees them, without anything of the engine.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::Outcome;

const PATIENCE: Duration = Duration::from_secs(60);
/// Before another look at what is not ready.
const PAUSE: Duration = Duration::from_millis(100);

/// A record as committed.
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Vec<u8>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The inputs that it names as its origin, as the header has them.
    pub lineage: Vec<u8>,
    /// Of a dead letter: where the rejected record stands, as `topic/partition/offset`.
    pub rejected_at: Option<String>,
}

impl Record {
    /// The key as text.
    pub fn text_key(&self) -> String {
        String::from_utf8_lossy(&self.key).into_owned()
    }
}

/// Says what the client reports, but for the ends of partitions, each of which the client reports as an error.
struct Reports;

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "The Kafka client of the verification reports.");
        }
    }
}

impl ConsumerContext for Reports {}

type Client = BaseConsumer<Reports>;

/// Reads topics of one cluster.
pub struct Topics {
    cluster: ClientConfig,
    committed: Client,
    uncommitted: Client,
}

impl Topics {
    /// The topics of the cluster at `bootstrap`; `settings` are properties of the client, such as those of its security.
    pub fn of(bootstrap: &str, settings: &BTreeMap<String, String>) -> Outcome<Self> {
        let mut cluster = ClientConfig::new();
        for (name, value) in settings {
            cluster.set(name, value);
        }
        cluster.set("bootstrap.servers", bootstrap);
        Ok(Self {
            committed: client(&cluster, "concord-verify", "read_committed")?,
            uncommitted: client(&cluster, "concord-verify", "read_uncommitted")?,
            cluster,
        })
    }

    /// All committed records of a topic, in the order of each partition.
    pub fn read(&self, topic: &str) -> Outcome<Vec<Record>> {
        let mut records = Vec::new();
        self.each(topic, &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok(records)
    }

    /// Hands over all committed records of a topic, in the order of each partition.
    pub fn each(&self, topic: &str, visit: &mut dyn FnMut(Record) -> Outcome<()>) -> Outcome<()> {
        let failed = |e: KafkaError| format!("reading {topic}: {e}");
        let mut positions = TopicPartitionList::new();
        let mut unread = HashSet::new();
        for partition in 0..self.partitions(topic)? {
            let (low, _) = ends(&self.committed, topic, partition).map_err(failed)?;
            positions.add_partition_offset(topic, partition, Offset::Offset(low)).map_err(failed)?;
            unread.insert(partition);
        }
        let reader = client(&self.cluster, "concord-verify", "read_committed")?;
        reader.assign(&positions).map_err(failed)?;
        let mut deadline = Instant::now() + PATIENCE;
        while !unread.is_empty() {
            if Instant::now() > deadline {
                return Err(format!("reading {topic}: partitions {unread:?} do not end within {PATIENCE:?}"));
            }
            match reader.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => {
                    visit(Record {
                        partition: message.partition(),
                        offset: message.offset(),
                        key: message.key().unwrap_or_default().to_vec(),
                        value: message.payload().map(<[u8]>::to_vec),
                        lineage: message.headers().map_or_else(Vec::new, lineage),
                        rejected_at: message.headers().and_then(rejected_at),
                    })?;
                    deadline = Instant::now() + PATIENCE;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unread.remove(&partition);
                }
                Some(Err(KafkaError::MessageConsumption(code))) if passes(code) => {}
                Some(Err(error)) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Whether records at the beginning of a topic are deleted, since their time was over.
    pub fn has_lost_its_beginning(&self, topic: &str) -> Outcome<bool> {
        let failed = |e: KafkaError| format!("reading the ends of {topic}: {e}");
        for partition in 0..self.partitions(topic)? {
            let (low, _) = ends(&self.committed, topic, partition).map_err(failed)?;
            if low > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Partitions in which a transaction is still open, and the offset from which it holds back readers. The stable end is asked for before the true one: asked for the
    /// other way round, a transaction opened in between would go unseen.
    pub fn undecided(&self, topic: &str) -> Outcome<Vec<(i32, i64)>> {
        let failed = |e: KafkaError| format!("reading the ends of {topic}: {e}");
        let mut open = Vec::new();
        for partition in 0..self.partitions(topic)? {
            let (_, stable) = ends(&self.committed, topic, partition).map_err(failed)?;
            let (_, end) = ends(&self.uncommitted, topic, partition).map_err(failed)?;
            if stable != end {
                open.push((partition, stable));
            }
        }
        Ok(open)
    }

    /// Committed records of a topic that a group has not processed yet.
    pub fn lag(&self, group: &str, topic: &str) -> Outcome<u64> {
        let failed = |e: KafkaError| format!("reading the positions of {group} in {topic}: {e}");
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions(topic)? {
            list.add_partition(topic, partition);
        }
        let member = client(&self.cluster, group, "read_committed")?;
        let positions = asked(|| member.committed_offsets(list.clone(), PATIENCE)).map_err(failed)?;
        let mut lag = 0;
        self.each(topic, &mut |record| {
            let position = positions.find_partition(topic, record.partition).map(|p| p.offset());
            let processed = matches!(position, Some(Offset::Offset(next)) if record.offset < next);
            lag += u64::from(!processed);
            Ok(())
        })?;
        Ok(lag)
    }

    fn partitions(&self, topic: &str) -> Outcome<i32> {
        let metadata = asked(|| self.committed.fetch_metadata(Some(topic), PATIENCE))
            .map_err(|e| format!("looking at {topic}: {e}"))?;
        match metadata.topics().first().map_or(0, |t| t.partitions().len()) {
            0 => Err(format!("the topic {topic} has no partitions")),
            count => i32::try_from(count).map_err(|e| e.to_string()),
        }
    }
}

/// Where a partition begins, and where it ends for this client.
fn ends(client: &Client, topic: &str, partition: i32) -> KafkaResult<(i64, i64)> {
    asked(|| client.fetch_watermarks(topic, partition, PATIENCE))
}

/// Asks again for a while when the answer is that the cluster cannot be asked just now.
fn asked<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(error) if error.rdkafka_error_code().is_some_and(passes) && Instant::now() < deadline => {
                std::thread::sleep(PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Whether it is over by itself: the client makes another connection, and behind a start or a change of brokers those who know the
/// answer are found before they are ready.
fn passes(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
    )
}

/// The inputs that a record names, without the version of the program that stands behind them.
fn lineage(headers: &BorrowedHeaders) -> Vec<u8> {
    let header = headers.iter().find(|header| header.key == "concord-lineage");
    inputs_of(header.and_then(|header| header.value).unwrap_or_default()).to_vec()
}

fn inputs_of(lineage: &[u8]) -> &[u8] {
    let begin_of_last = lineage.iter().rposition(|byte| *byte == b' ').map_or(0, |space| space + 1);
    let last = &lineage[begin_of_last..];
    if last.first() == Some(&b'v') && !last.contains(&b'/') {
        return lineage[..begin_of_last].trim_ascii_end();
    }
    lineage
}

/// The last header of a name counts: those of the program stand behind those that a record came with.
fn rejected_at(headers: &BorrowedHeaders) -> Option<String> {
    let text = |name: &str| {
        let value = headers.iter().filter(|header| header.key == name).last()?.value?;
        std::str::from_utf8(value).ok()
    };
    let (topic, partition) = (text("concord-dead-letter-topic")?, text("concord-dead-letter-partition")?);
    Some(format!("{topic}/{partition}/{}", text("concord-dead-letter-offset")?))
}

fn client(cluster: &ClientConfig, group: &str, isolation: &str) -> Outcome<Client> {
    let mut config = cluster.clone();
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // Ends are told with answers, and an answer without records waits that long.
        .set("fetch.wait.max.ms", "10")
        .set("auto.offset.reset", "error")
        .set("isolation.level", isolation)
        .create_with_context(Reports)
        .map_err(|e| format!("making a Kafka client: {e}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_no_input() {
        assert_eq!(super::inputs_of(b"gp.extract/3/77 v0.1.0"), b"gp.extract/3/77");
        assert_eq!(super::inputs_of(b"a/0/1 v/0/2 v0.1.0"), b"a/0/1 v/0/2");
        assert_eq!(super::inputs_of(b"a/0/1 v/0/2"), b"a/0/1 v/0/2");
        assert_eq!(super::inputs_of(b" v0.1.0"), b"");
        assert_eq!(super::inputs_of(b""), b"");
    }
}
