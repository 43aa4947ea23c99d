//! The smallest exactly-once worker on the embedded log under every fault at once: what it writes is each input record
//! once, whatever the seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use concord_engine::clock::VirtualClock;
use concord_engine::log::embedded::{EmbeddedLog, EmbeddedProcess, EmbeddedSettings, FaultPlan, FaultRates};
use concord_engine::log::{
    ConsumerEvent, GroupConsumer, GroupSettings, Guarantee, Isolation, Log, LogErrorKind, LogRecord, LogResult, Offset,
    OutgoingRecord, ProducerSettings, TopicPartition, TopicSpec, TransactionalProducer,
};

const SEEDS: u64 = 300;
const RECORDS: usize = 120;
const PARTITIONS: i32 = 4;
const FAULTY_STEPS: usize = 300;
const CALM_STEPS: usize = 3_000;
const NO_WAIT: Duration = Duration::ZERO;

/// Copies one topic to another. Any error it cannot repair in place makes it start over with new clients.
struct Worker {
    name: String,
    process: EmbeddedProcess,
    clients: Option<Clients>,
}

struct Clients {
    consumer: Box<dyn GroupConsumer>,
    producer: Box<dyn TransactionalProducer>,
    initialised: bool,
    /// Given, or to be read again, from a committed position that is not yet known.
    starting: Vec<TopicPartition>,
    /// Positions behind what the open transaction has copied. It is committed in the next step, so that the other worker
    /// may act, and time pass, in between.
    copied: Vec<(TopicPartition, Offset)>,
}

impl Worker {
    fn step(&mut self, log: &EmbeddedLog, input: &Arc<str>, output: &Arc<str>) {
        let mut clients = match self.clients.take() {
            Some(clients) => clients,
            None => connect(&self.process, &self.name, input).unwrap(),
        };
        match clients.step(output) {
            Ok(()) => self.clients = Some(clients),
            Err(LogErrorKind::Retriable) => self.clients = Some(clients),
            Err(LogErrorKind::Crashed) => self.process = log.process(&self.name),
            Err(_) => {}
        }
    }
}

fn connect(process: &EmbeddedProcess, name: &str, input: &Arc<str>) -> LogResult<Clients> {
    let consumer = process.group_consumer(&GroupSettings {
        group: "copy".to_owned(),
        instance: name.to_owned(),
        topics: vec![Arc::clone(input)],
        session_timeout: Duration::from_secs(3),
        fetch_ahead_bytes: 1 << 20,
    })?;
    let producer = process.transactional_producer(&ProducerSettings {
        guarantee: Guarantee::ExactlyOnce,
        transactional_id: name.to_owned(),
        transaction_timeout: Duration::from_secs(10),
        expected_partitions: 4,
        max_record_bytes: 1 << 20,
        queue_bytes: 1 << 20,
    })?;
    Ok(Clients { consumer, producer, initialised: false, starting: Vec::new(), copied: Vec::new() })
}

impl Clients {
    fn step(&mut self, output: &Arc<str>) -> Result<(), LogErrorKind> {
        if !self.initialised {
            self.producer.init(NO_WAIT).map_err(|error| error.kind)?;
            self.initialised = true;
        }
        let copied = std::mem::take(&mut self.copied);
        if !copied.is_empty() {
            let outcome = self.commit(&copied);
            return self.repair(outcome, copied.into_iter().map(|(partition, _)| partition).collect());
        }
        let events = self.consumer.poll(7, NO_WAIT).map_err(|error| error.kind)?;
        let mut records = Vec::new();
        for event in events {
            match event {
                ConsumerEvent::Assigned(partitions) => self.starting.extend(partitions),
                ConsumerEvent::Revoked { partitions, .. } => {
                    self.starting.retain(|starting| !partitions.contains(starting));
                    self.consumer.release(&partitions).map_err(|error| error.kind)?;
                }
                // What comes while the position is not settled is read again from there.
                ConsumerEvent::Records { from, .. } if self.starting.contains(&from) => {}
                ConsumerEvent::Records { from, records: read } => records.push((from, read)),
                ConsumerEvent::OutOfRange(partition) => panic!("{partition} is out of range"),
            }
        }
        if !records.is_empty() {
            let outcome = self.copy(output, &records);
            self.repair(outcome, records.into_iter().map(|(from, _)| from).collect())?;
        }
        if self.starting.is_empty() {
            return Ok(());
        }
        let committed = self.consumer.committed(&self.starting, NO_WAIT).map_err(|error| error.kind)?;
        let starts = self.starting.iter().cloned().zip(committed.into_iter().map(|position| position.unwrap_or(0)));
        let starts: Vec<(TopicPartition, Offset)> = starts.collect();
        self.consumer.fetch_from(&starts).map_err(|error| error.kind)?;
        self.starting.clear();
        Ok(())
    }

    /// Aborts a transaction that has failed, and reads its partitions again from what is committed.
    fn repair(
        &mut self,
        outcome: Result<(), LogErrorKind>,
        partitions: Vec<TopicPartition>,
    ) -> Result<(), LogErrorKind> {
        match outcome {
            Ok(()) => Ok(()),
            Err(LogErrorKind::Crashed) => Err(LogErrorKind::Crashed),
            Err(LogErrorKind::Rebuild) => Err(LogErrorKind::Rebuild),
            Err(_) => {
                self.starting.extend(partitions);
                self.producer.abort().map_err(|error| error.kind)
            }
        }
    }

    fn copy(&mut self, output: &Arc<str>, read: &[(TopicPartition, Vec<LogRecord>)]) -> Result<(), LogErrorKind> {
        self.producer.begin().map_err(|error| error.kind)?;
        let mut positions = BTreeMap::new();
        for (from, records) in read {
            for record in records {
                let copied = OutgoingRecord {
                    topic: output,
                    partition: from.partition,
                    timestamp_ms: record.timestamp_ms,
                    key: record.key.as_deref(),
                    value: record.value.as_deref(),
                    headers: &record.headers,
                };
                self.producer.send(&copied).map_err(|error| error.kind)?;
                positions.insert(from.clone(), record.offset + 1);
            }
        }
        self.producer.drain(NO_WAIT).map_err(|error| error.kind)?;
        self.copied = positions.into_iter().collect();
        Ok(())
    }

    fn commit(&mut self, positions: &[(TopicPartition, Offset)]) -> Result<(), LogErrorKind> {
        let membership = self.consumer.membership().map_err(|error| error.kind)?;
        self.producer.send_offsets(positions, &membership).map_err(|error| error.kind)?;
        self.producer.commit().map_err(|error| error.kind)
    }
}

#[test]
fn every_input_record_is_copied_exactly_once_under_all_faults() {
    let mut disturbed = 0;
    for seed in 0..SEEDS {
        let rates = FaultRates {
            retriable: 0.05,
            must_abort: 0.03,
            unknown_outcome: 0.05,
            crash: 0.01,
            delivery_failure: 0.01,
            marker_delay: 0.3,
            longest_marker_delay_ms: 1_500,
            short_poll: 0.1,
        };
        let clock = VirtualClock::at(0);
        let plan = FaultPlan::seeded(seed, rates);
        let log = EmbeddedLog::new(EmbeddedSettings { clock: Arc::new(clock.clone()), faults: plan.clone() });
        let (input, output): (Arc<str>, Arc<str>) = (Arc::from("input"), Arc::from("output"));
        for name in [&input, &output] {
            let spec = TopicSpec { name: Arc::clone(name), partitions: PARTITIONS, replication: 1, settings: vec![] };
            log.create_topics(&[spec]).unwrap();
        }
        let expected = publish(&log, &input);
        let mut workers: Vec<Worker> = ["one", "two"]
            .map(|name| Worker { name: name.to_owned(), process: log.process(name), clients: None })
            .into();
        let mut random = seed;
        for step in 0..FAULTY_STEPS + CALM_STEPS {
            if step == FAULTY_STEPS {
                plan.stop();
            }
            if step > FAULTY_STEPS && log.lag("copy") == 0 && log.open_transactions().is_empty() {
                break;
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // A worker may be silent for longer than its session, in the middle of a transaction too.
            let chosen = usize::from(random >> 40 & 0b111 == 0) ^ (step / 20 % 2);
            workers[chosen].step(&log, &input, &output);
            clock.advance(if random >> 50 & 0xF == 0 { 1_500 } else { 20 });
        }
        let copied = log.records(&output, Isolation::ReadCommitted).unwrap();
        let attempted = log.records(&output, Isolation::ReadUncommitted).unwrap();
        disturbed += attempted.len() - copied.len();
        let mut values: Vec<_> = copied.into_iter().map(|(_, record)| record.value.unwrap()).collect();
        values.sort();
        assert_eq!(values, expected, "seed {seed}");
    }
    assert!(disturbed > usize::try_from(SEEDS).unwrap(), "the faults disturbed next to nothing: {disturbed}");
}

fn publish(log: &EmbeddedLog, input: &Arc<str>) -> Vec<Vec<u8>> {
    let mut publisher = log.publisher().unwrap();
    let mut values = Vec::new();
    for (number, partition) in (0..RECORDS).zip((0..PARTITIONS).cycle()) {
        let value = format!("{number:04}").into_bytes();
        let (key, sent) = (Some(&value[..]), Some(&value[..]));
        let record = OutgoingRecord { topic: input, partition, timestamp_ms: 0, key, value: sent, headers: &[] };
        publisher.send(&record).unwrap();
        values.push(value);
    }
    values
}
