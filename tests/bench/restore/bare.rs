//! A bare reader of a topic: what a restore could not be faster than.

use std::sync::{Arc, Barrier};
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
    let connect = |partitions: &[i32]| -> Result<_> {
        let mut reader = log.reader(Isolation::ReadCommitted)?;
        reader.expect(std::slice::from_ref(&topic))?;
        let mut places = Vec::new();
        for partition in partitions {
            let from = TopicPartition::new(topic.clone(), *partition);
            let (low, _) = reader.watermarks(&from, PATIENCE)?;
            places.push((from, low));
        }
        Ok((reader, places))
    };
    shared_out(threads, connect, |(mut reader, places)| {
        let mut left = places.len();
        for (from, low) in places {
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
    let connect = |partitions: &[i32]| -> Result<_> {
        let client: BaseConsumer = topics::reader(bootstrap, "bench-bare")?;
        let mut from = TopicPartitionList::new();
        for partition in partitions {
            client.fetch_watermarks(topic, *partition, PATIENCE)?;
            from.add_partition_offset(topic, *partition, Offset::Beginning)?;
        }
        Ok((client, from))
    };
    shared_out(threads, connect, |(client, from)| {
        client.assign(&from)?;
        let (mut left, mut records, mut bytes) = (from.count(), 0, 0);
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

/// Has threads read the partitions, shared out among them; each answers records and bytes. They begin together when all are
/// connected and know their partitions, as a restore does: what it takes is counted from there to the end of the last.
fn shared_out<R>(
    threads: usize,
    connect: impl Fn(&[i32]) -> Result<R> + Sync,
    read: impl Fn(R) -> Result<(u64, u64)> + Sync,
) -> Result<Read> {
    let all_connected = Barrier::new(threads);
    let outcomes: Vec<std::result::Result<Read, String>> = thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|thread| {
                let partitions: Vec<i32> = (0..PARTITIONS).filter(|p| *p as usize % threads == thread).collect();
                let (connect, read, all_connected) = (&connect, &read, &all_connected);
                scope.spawn(move || {
                    let connected = connect(&partitions).map_err(|e| e.to_string());
                    all_connected.wait();
                    let began = Instant::now();
                    let (records, bytes) = read(connected?).map_err(|e| e.to_string())?;
                    Ok(Read { records, bytes, took: began.elapsed() })
                })
            })
            .collect();
        readers.into_iter().map(|r| r.join().unwrap_or_else(|_| Err("a reader panicked".to_owned()))).collect()
    });
    let mut all = Read { records: 0, bytes: 0, took: Duration::ZERO };
    for outcome in outcomes {
        let read = outcome?;
        all.records += read.records;
        all.bytes += read.bytes;
        all.took = all.took.max(read.took);
    }
    Ok(all)
}
