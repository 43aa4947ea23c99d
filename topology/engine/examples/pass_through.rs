//! How fast the Kafka log is by itself: reads a topic as a member of a group and writes every record to another topic, in
//! transactions of 100 ms, with nothing in between.
//!
//! ```text
//! KAFKA_BOOTSTRAP=localhost:9092 cargo run --release --example pass_through -- [RECORDS [PARTITIONS [RUNS [PROTOCOL]]]]
//! ```
//! Defaults: 1500000 records of 200 bytes, 1 partition, 3 runs, protocol `consumer` (or `classic`).

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{
    ConsumerEvent, GroupSettings, Guarantee, Log, Offset, OutgoingRecord, ProducerSettings, TopicPartition, TopicSpec,
};

const RECORD_BYTES: usize = 200;
const COMMIT_EVERY: Duration = Duration::from_millis(100);
const POLL_RECORDS: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let bootstrap_servers = std::env::var("KAFKA_BOOTSTRAP").map_err(|_| "set KAFKA_BOOTSTRAP=host:port")?;
    let mut arguments = std::env::args().skip(1);
    let records: u64 = arguments.next().map_or(Ok(1_500_000), |a| a.parse())?;
    let partitions: i32 = arguments.next().map_or(Ok(1), |a| a.parse())?;
    let runs: u32 = arguments.next().map_or(Ok(3), |a| a.parse())?;
    let protocol = match arguments.next().as_deref() {
        Some("classic") => GroupProtocol::Classic,
        _ => GroupProtocol::Consumer,
    };
    let log = KafkaLog::connect(KafkaSettings { bootstrap_servers, client: BTreeMap::new(), protocol })?;
    let run_id = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let input: Arc<str> = Arc::from(format!("pass-through.{run_id}.input"));
    create(&log, &input, partitions)?;
    let started = Instant::now();
    fill(&log, &input, partitions, records)?;
    println!("published {:.0} records/s", records as f64 / started.elapsed().as_secs_f64());
    for run in 0..runs {
        let output: Arc<str> = Arc::from(format!("pass-through.{run_id}.output.{run}"));
        create(&log, &output, partitions)?;
        pass(&log, &format!("pass-through.{run_id}.{run}"), &input, &output, partitions, records)?;
    }
    Ok(())
}

fn create(log: &KafkaLog, name: &Arc<str>, partitions: i32) -> Result<(), Box<dyn Error>> {
    let spec = TopicSpec { name: Arc::clone(name), partitions, replication: 1, settings: Vec::new() };
    Ok(log.create_topics(&[spec])?)
}

fn fill(log: &KafkaLog, topic: &Arc<str>, partitions: i32, records: u64) -> Result<(), Box<dyn Error>> {
    let mut publisher = log.publisher()?;
    let mut value = [0u8; RECORD_BYTES];
    let mut state = 1u64;
    for number in 0..records {
        // Half of the bytes vary, so that compression has about as much to do as with real records.
        for byte in value[..RECORD_BYTES / 2].chunks_exact_mut(4) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            byte.copy_from_slice(&((state >> 33) as u32).to_le_bytes());
        }
        let key = number.to_be_bytes();
        publisher.send(&OutgoingRecord {
            topic,
            partition: (number % partitions as u64) as i32,
            timestamp_ms: 1,
            key: Some(&key),
            value: Some(&value),
            headers: &[],
        })?;
    }
    Ok(publisher.flush(PATIENCE)?)
}

fn pass(
    log: &KafkaLog,
    id: &str,
    input: &Arc<str>,
    output: &Arc<str>,
    partitions: i32,
    records: u64,
) -> Result<(), Box<dyn Error>> {
    let mut consumer = log.group_consumer(&GroupSettings {
        group: id.to_owned(),
        instance: format!("{id}-0"),
        topics: vec![Arc::clone(input)],
        session_timeout: Duration::from_secs(30),
        fetch_ahead_bytes: 16 << 20,
    })?;
    let mut producer = log.transactional_producer(&ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: id.to_owned(),
        transaction_timeout: Duration::from_secs(20),
        expected_partitions: partitions as usize,
        max_record_bytes: 1 << 20,
        queue_bytes: 32 << 20,
    })?;
    producer.init(PATIENCE)?;

    let mut done = 0;
    let mut positions: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    let mut pauses: Vec<Duration> = Vec::new();
    let mut started = Instant::now();
    let mut cpu_at_start = cpu_time();
    let mut transaction: Option<Instant> = None;
    while done < records {
        for event in consumer.poll(POLL_RECORDS, Duration::from_millis(10))? {
            match event {
                ConsumerEvent::Assigned(assigned) => {
                    started = Instant::now();
                    cpu_at_start = cpu_time();
                    let committed = consumer.committed(&assigned, PATIENCE)?;
                    let from: Vec<_> =
                        assigned.into_iter().zip(committed.into_iter().map(Option::unwrap_or_default)).collect();
                    consumer.fetch_from(&from)?;
                }
                ConsumerEvent::Records { from, records } => {
                    if transaction.is_none() {
                        producer.begin()?;
                        transaction = Some(Instant::now());
                    }
                    for record in &records {
                        producer.send(&OutgoingRecord {
                            topic: output,
                            partition: from.partition,
                            timestamp_ms: record.timestamp_ms,
                            key: record.key.as_deref(),
                            value: record.value.as_deref(),
                            headers: &record.headers,
                        })?;
                    }
                    done += records.len() as u64;
                    if let Some(last) = records.last() {
                        positions.insert(from, last.offset + 1);
                    }
                }
                other => return Err(format!("unexpected: {other:?}").into()),
            }
        }
        if transaction.is_some_and(|begun| begun.elapsed() >= COMMIT_EVERY) || done == records {
            let pause = Instant::now();
            producer.drain(PATIENCE)?;
            let offsets: Vec<_> = positions.iter().map(|(p, o)| (p.clone(), *o)).collect();
            producer.send_offsets(&offsets, &consumer.membership()?)?;
            producer.commit()?;
            pauses.push(pause.elapsed());
            transaction = None;
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = cpu_time() - cpu_at_start;
    pauses.sort_unstable();
    println!(
        "passed {:.0} records/s; {:.2} us of CPU a record; {} commits, pause p50 {:.1} ms, p99 {:.1} ms",
        records as f64 / elapsed,
        cpu * 1e6 / records as f64,
        pauses.len(),
        pauses[pauses.len() / 2].as_secs_f64() * 1e3,
        pauses[pauses.len() * 99 / 100].as_secs_f64() * 1e3,
    );
    consumer.close(true)?;
    Ok(())
}

/// Seconds of CPU that this process has used, on systems that tell it.
fn cpu_time() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return 0.0 };
    // Behind the name in brackets, which may hold anything, times of user and system are the 12th and 13th fields.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}
