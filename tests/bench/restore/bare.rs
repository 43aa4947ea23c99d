//! A bare reader of a topic: what a restore could not be faster than.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{Isolation, Log, ReaderEvent, TopicPartition};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::Result;
use crate::broker::topics::{self, PARTITIONS};
use crate::stage::PATIENCE;

/// Records of one poll, as many as a restore takes.
const BATCH: usize = 20_000;

/// What was read, and how long it took.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub records: u64,
    pub bytes: u64,
    pub took: Duration,
}

impl Read {
    pub fn records_a_second(&self) -> f64 {
        self.records as f64 / self.took.as_secs_f64()
    }
}

/// Reads all of `topic` in batches, through the engine's own client.
pub fn in_batches(log: &KafkaLog, topic: &str, threads: usize) -> Result<Read> {
    let topic: Arc<str> = Arc::from(topic);
    shared_out(threads, |partitions| {
        let mut reader = log.reader(Isolation::ReadCommitted)?;
        let mut left = partitions.len();
        for partition in partitions {
            let from = TopicPartition::new(topic.clone(), partition);
            let (low, _) = reader.watermarks(&from, PATIENCE)?;
            reader.assign(&from, low)?;
        }
        let (mut records, mut bytes) = (0, 0);
        while left > 0 {
            for event in reader.poll(BATCH, Duration::from_millis(20))? {
                match event {
                    ReaderEvent::Records { records: batch, .. } => {
                        records += batch.len() as u64;
                        for record in &batch {
                            let value = record.value.as_ref().map_or(0, |v| v.len());
                            bytes += (record.key.as_ref().map_or(0, |k| k.len()) + value) as u64;
                        }
                    }
                    ReaderEvent::End { from, .. } => {
                        reader.unassign(&from)?;
                        left -= 1;
                    }
                    ReaderEvent::OutOfRange(from) => return Err(format!("{from} is out of range").into()),
                }
            }
        }
        Ok((records, bytes))
    })
}

/// Reads all of `topic` record by record, with nothing of the engine.
pub fn one_by_one(bootstrap: &str, topic: &str, threads: usize) -> Result<Read> {
    shared_out(threads, |partitions| {
        let client: BaseConsumer = topics::reader(bootstrap, "bench-bare")?;
        let mut from = TopicPartitionList::new();
        for partition in &partitions {
            from.add_partition_offset(topic, *partition, Offset::Beginning)?;
        }
        client.assign(&from)?;
        let (mut left, mut records, mut bytes) = (partitions.len(), 0, 0);
        while left > 0 {
            match client.poll(Duration::from_millis(20)) {
                None => {}
                Some(Ok(message)) => {
                    records += 1;
                    bytes += message.key().map_or(0, <[u8]>::len) + message.payload().map_or(0, <[u8]>::len);
                }
                Some(Err(KafkaError::PartitionEOF(_))) => left -= 1,
                Some(Err(error)) => return Err(error.into()),
            }
        }
        Ok((records, bytes as u64))
    })
}

/// Has threads read the partitions, shared out among them; each answers records and bytes.
fn shared_out(threads: usize, read: impl Fn(Vec<i32>) -> Result<(u64, u64)> + Sync) -> Result<Read> {
    let began = Instant::now();
    let outcomes: Vec<std::result::Result<(u64, u64), String>> = thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|thread| {
                let partitions = (0..PARTITIONS).filter(|p| *p as usize % threads == thread).collect();
                let read = &read;
                scope.spawn(move || read(partitions).map_err(|e| e.to_string()))
            })
            .collect();
        readers.into_iter().map(|r| r.join().unwrap_or_else(|_| Err("a reader panicked".to_owned()))).collect()
    });
    let mut all = Read { records: 0, bytes: 0, took: began.elapsed() };
    for outcome in outcomes {
        let (records, bytes) = outcome?;
        all.records += records;
        all.bytes += bytes;
    }
    Ok(all)
}
