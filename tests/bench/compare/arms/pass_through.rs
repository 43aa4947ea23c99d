//! P: every record copied as it is, in transactions of 100 ms, through the engine's own client.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::log::{
    ConsumerEvent, GroupSettings, Guarantee, Log, OutgoingRecord, ProducerSettings, TopicPartition,
};

use super::concord::connect;
use super::{ArmSettings, Workload, await_end};
use crate::Result;
use crate::topics::PARTITIONS;

const COMMIT_EVERY: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(settings: &ArmSettings) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for number in 0..settings.threads {
        let (settings, stop) = (settings.clone(), Arc::clone(&stop));
        threads.push(thread::spawn(move || {
            if let Err(error) = pass(&settings, number, &stop) {
                // Nobody waits for this thread while the arm runs.
                eprintln!("pass-through: {error}");
                std::process::exit(1);
            }
        }));
    }
    await_end(|| {});
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?;
    }
    Ok(())
}

fn pass(settings: &ArmSettings, number: usize, stop: &AtomicBool) -> Result<()> {
    let log = connect(settings)?;
    let name = format!("{}-{number}", settings.application);
    let mut topics: Vec<Arc<str>> = vec![Arc::from(settings.input.as_str())];
    if settings.workload == Workload::W2 {
        topics.push(Arc::from(settings.reference.as_str()));
    }
    let target: Arc<str> = Arc::from(settings.output.as_str());
    let mut producer = log.transactional_producer(&ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: name.clone(),
        transaction_timeout: Duration::from_secs(15),
        expected_partitions: PARTITIONS as usize,
        max_record_bytes: 1 << 20,
        queue_bytes: 32 << 20,
    })?;
    producer.init(PATIENCE)?;
    let mut consumer = log.group_consumer(&GroupSettings {
        group: settings.application.clone(),
        instance: name,
        topics,
        session_timeout: PATIENCE,
        fetch_ahead_bytes: 16 << 20,
    })?;
    let mut positions: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    let mut dirty: HashMap<TopicPartition, i64> = HashMap::new();
    let mut began = Instant::now();
    let mut open = false;
    while !stop.load(Ordering::Relaxed) || open {
        for event in consumer.poll(2_000, Duration::from_millis(10))? {
            match event {
                ConsumerEvent::Assigned(partitions) => {
                    let committed = consumer.committed(&partitions, PATIENCE)?;
                    let from: Vec<_> =
                        partitions.into_iter().zip(committed.into_iter().map(Option::unwrap_or_default)).collect();
                    consumer.fetch_from(&from)?;
                    positions.extend(from);
                }
                // Two threads share the partitions out as they join: what was not committed is read by the next owner.
                ConsumerEvent::Revoked { partitions, .. } => {
                    if open {
                        producer.abort()?;
                        open = false;
                        dirty.clear();
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
                    if !open {
                        producer.begin()?;
                        began = Instant::now();
                        open = true;
                    }
                    for record in &records {
                        producer.send(&OutgoingRecord {
                            topic: &target,
                            partition: from.partition,
                            timestamp_ms: record.timestamp_ms,
                            key: record.key.as_deref(),
                            value: record.value.as_deref(),
                            headers: &[],
                        })?;
                    }
                    if let Some(last) = records.last() {
                        dirty.insert(from, last.offset + 1);
                    }
                }
            }
        }
        if open && (began.elapsed() >= COMMIT_EVERY || stop.load(Ordering::Relaxed)) {
            producer.drain(PATIENCE)?;
            let offsets: Vec<_> = dirty.drain().collect();
            producer.send_offsets(&offsets, &consumer.membership()?)?;
            producer.commit()?;
            positions.extend(offsets);
            open = false;
        }
    }
    consumer.close(true)?;
    Ok(())
}
