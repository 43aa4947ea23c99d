//! Reads partitions outside any group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use super::super::{
    Isolation, LogError, LogErrorKind, LogResult, Offset, PartitionReader, ReaderEvent, TopicPartition,
};
use super::errors::{client_error, kind_of, passes_by_itself};
use super::fetching::{Fetching, Taken, serve};
use super::{Cluster, client_log, let_go};

/// Between two looks at what the client reports while waiting for records.
const REPORTS_LOOK: Duration = Duration::from_millis(100);
/// How long dropping a reader may hold up its worker.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// A context that passes the client's words on. A reader is never rebalanced.
pub(super) struct Reports;

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "The Kafka client of a reader reports.");
    }
}

impl ConsumerContext for Reports {}

/// See the module.
pub(super) struct KafkaReader {
    cluster: Arc<Cluster>,
    /// `None` only while being dropped.
    fetching: Option<Fetching<Reports>>,
}

impl KafkaReader {
    pub(super) fn open(cluster: Arc<Cluster>, isolation: Isolation) -> LogResult<Self> {
        let fetching = Fetching::open(&cluster.settings.reader(isolation), Reports)?;
        Ok(Self { cluster, fetching: Some(fetching) })
    }

    fn fetching(&mut self) -> LogResult<&mut Fetching<Reports>> {
        self.fetching.as_mut().ok_or_else(|| LogError::new(LogErrorKind::Fatal, "this reader is closed"))
    }
}

impl PartitionReader for KafkaReader {
    fn expect(&mut self, topics: &[Arc<str>]) -> LogResult<()> {
        self.fetching()?.expect(topics)
    }

    fn assign(&mut self, partition: &TopicPartition, from: Offset) -> LogResult<()> {
        let fetching = self.fetching()?;
        fetching.expect(std::slice::from_ref(&partition.topic))?;
        fetching.take_from(partition, from)
    }

    fn unassign(&mut self, partition: &TopicPartition) -> LogResult<()> {
        let fetching = self.fetching()?;
        if !fetching.knows(partition) {
            return Ok(());
        }
        fetching.let_go(std::slice::from_ref(partition))
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> LogResult<Vec<ReaderEvent>> {
        let deadline = Instant::now() + timeout;
        loop {
            let fetching = self.fetching()?;
            for error in serve(fetching.consumer()) {
                let passes = error
                    .rdkafka_error_code()
                    .is_none_or(|code| passes_by_itself(code) || kind_of(code) == LogErrorKind::NotMember);
                if !passes {
                    return Err(client_error("read partitions", &error));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let mut events = Vec::new();
            for taken in fetching.take(max_records, left.min(REPORTS_LOOK))? {
                events.push(match taken {
                    Taken::Records { from, records } => ReaderEvent::Records { from, records },
                    Taken::End { from, offset } => ReaderEvent::End { from, offset },
                    Taken::GivenUp { from, at } => {
                        let cluster = Arc::clone(&self.cluster);
                        if !cluster.is_out_of_range(self.fetching()?, &from, at)? {
                            continue;
                        }
                        ReaderEvent::OutOfRange(from)
                    }
                });
            }
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
        }
    }

    fn watermarks(&mut self, partition: &TopicPartition, timeout: Duration) -> LogResult<(Offset, Offset)> {
        self.cluster.watermarks(partition, timeout)
    }

    fn watermarks_of_all(
        &mut self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> LogResult<Vec<(Offset, Offset)>> {
        self.cluster.watermarks_of_all(partitions, timeout)
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        if let Some(fetching) = self.fetching.take() {
            let_go("partition-reader", fetching, CLOSE_PATIENCE);
        }
    }
}
