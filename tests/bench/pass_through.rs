//! P, the bare pass-through of the benches: every record copied as it is, in transactions of 100 ms, through the engine's
//! own client, with nothing in between.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Log, OutgoingRecord, ProducerSettings, TopicPartition,
    TopicSpec, TransactionalProducer,
};

const COMMIT_EVERY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);

/// One member of a group of copiers.
pub struct PassThrough {
    pub group: String,
    /// Of this member, among those of the group.
    pub instance: String,
    pub topics: Vec<Arc<str>>,
    /// Has at least as many partitions as each of the topics.
    pub target: Arc<str>,
    pub expected_partitions: usize,
}

impl PassThrough {
    /// Copies until `is_enough` says so of the number of records copied, which it is asked between transactions and within
    /// them; then commits. Answers the time since the first record.
    pub fn copy(&self, log: &KafkaLog, is_enough: impl Fn(u64) -> bool) -> Result<Duration, Box<dyn Error>> {
        let mut producer = log.transactional_producer(&ProducerSettings {
            guarantee: Guarantee::ExactlyOnce,
            transactional_id: self.instance.clone(),
            transaction_timeout: Duration::from_secs(15),
            expected_partitions: self.expected_partitions,
            max_record_bytes: 1 << 20,
            queue_bytes: 32 << 20,
        })?;
        producer.init(PATIENCE)?;
        let mut consumer = log.group_consumer(&GroupSettings {
            group: self.group.clone(),
            instance: self.instance.clone(),
            topics: self.topics.clone(),
            session_timeout: PATIENCE,
            fetch_ahead_bytes: 16 << 20,
        })?;
        let mut positions: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        let mut moved: HashMap<TopicPartition, i64> = HashMap::new();
        let mut first_record = None;
        let mut copied = 0;
        let mut open_since: Option<Instant> = None;
        while open_since.is_some() || !is_enough(copied) {
            for event in consumer.poll(2_000, Duration::from_millis(10))? {
                match event {
                    ConsumerEvent::Assigned(partitions) => {
                        let committed = consumer.committed(&partitions, PATIENCE)?;
                        let from: Vec<_> =
                            partitions.into_iter().zip(committed.into_iter().map(Option::unwrap_or_default)).collect();
                        consumer.fetch_from(&from)?;
                        positions.extend(from);
                    }
                    // Members share the partitions out as they join. What was done is committed and not aborted: an abort just
                    // behind the first record of a transaction is refused now and then, and would need a new producer.
                    ConsumerEvent::Revoked { partitions, .. } => {
                        if open_since.take().is_some() {
                            let offsets: Vec<_> = moved.drain().collect();
                            commit(producer.as_mut(), consumer.as_mut(), &offsets)?;
                            positions.extend(offsets);
                        }
                        consumer.release(&partitions)?;
                        positions.retain(|p, _| !partitions.contains(p));
                        let again: Vec<_> = positions.iter().map(|(p, offset)| (p.clone(), *offset)).collect();
                        if !again.is_empty() {
                            consumer.fetch_from(&again)?;
                        }
                    }
                    ConsumerEvent::OutOfRange(partition) => return Err(format!("{partition} is out of range").into()),
                    ConsumerEvent::Records { from, records } => {
                        // Fetched before the partition was taken.
                        if !positions.contains_key(&from) {
                            continue;
                        }
                        first_record.get_or_insert_with(Instant::now);
                        if open_since.is_none() {
                            producer.begin()?;
                            open_since = Some(Instant::now());
                        }
                        for record in &records {
                            producer.send(&OutgoingRecord {
                                topic: &self.target,
                                partition: from.partition,
                                timestamp_ms: record.timestamp_ms,
                                key: record.key.as_deref(),
                                value: record.value.as_deref(),
                                headers: &[],
                            })?;
                        }
                        copied += records.len() as u64;
                        if let Some(last) = records.last() {
                            moved.insert(from, last.offset + 1);
                        }
                    }
                }
            }
            if open_since.is_some_and(|since| since.elapsed() >= COMMIT_EVERY || is_enough(copied)) {
                let offsets: Vec<_> = moved.drain().collect();
                commit(producer.as_mut(), consumer.as_mut(), &offsets)?;
                positions.extend(offsets);
                open_since = None;
            }
        }
        let took = first_record.map(|f: Instant| f.elapsed()).unwrap_or_default();
        consumer.close(true)?;
        Ok(took)
    }
}

fn commit(
    producer: &mut dyn TransactionalProducer,
    consumer: &mut dyn GroupConsumer,
    offsets: &[(TopicPartition, i64)],
) -> Result<(), Box<dyn Error>> {
    producer.drain(PATIENCE)?;
    producer.send_offsets(offsets, &consumer.membership()?)?;
    Ok(producer.commit()?)
}

/// Copies a topic into one of its own, with one member; answers how long it took from the first record.
pub fn copy(log: &KafkaLog, topic: &str, records: u64) -> Result<Duration, Box<dyn Error>> {
    static PASSES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{topic}.copy-{}", PASSES.fetch_add(1, Ordering::Relaxed));
    let target: Arc<str> = Arc::from(name.as_str());
    let there = log.topics()?.into_iter().find(|there| &*there.name == topic);
    let partitions = there.ok_or("the topic to copy is not there")?.partitions;
    log.create_topics(&[TopicSpec { name: target.clone(), partitions, replication: 1, settings: vec![] }])?;
    let copier = PassThrough {
        group: name.clone(),
        instance: name,
        topics: vec![Arc::from(topic)],
        target,
        expected_partitions: partitions as usize,
    };
    copier.copy(log, |copied| copied >= records)
}
