//! Topics, publishers and dead letters; and a cluster that is not there.

use std::sync::Arc;

use bytes::Bytes;
use concord_engine::clock::{Clock, SystemClock};
use concord_engine::dead_letters::{self, ReplayChoice};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Header, Isolation, Log, LogErrorKind, OutgoingRecord, TopicSpec, read_whole_topic};
use concord_engine::topology::{Cleanup, TopologyBuilder};
use concord_engine::worker::{DEAD_LETTER_CODE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION, DEAD_LETTER_TOPIC};

use crate::cluster::*;

#[test]
fn a_topic_that_does_not_exist_is_named() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("narrow", 1);
    cluster.write(&topic, 0, [1]);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 1);
    producer.drain(PATIENCE).unwrap();
    let record = OutgoingRecord { topic: &topic, partition: 7, timestamp_ms: 1, key: None, value: None, headers: &[] };
    let error = match producer.send(&record) {
        Ok(()) => producer.drain(PATIENCE).unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.kind, LogErrorKind::UnknownTopic, "{error}");
    assert!(error.message.contains(&*topic), "{error}");
    producer.abort().unwrap();
}

#[test]
fn topics_are_created_once_and_keep_an_identity() {
    let Some(cluster) = cluster() else { return };
    let name = cluster.topic_with("identity", 3, &[("cleanup.policy", "compact")]);
    let spec = TopicSpec { name: Arc::clone(&name), partitions: 3, replication: 1, settings: Vec::new() };
    cluster.log.create_topics(&[spec]).unwrap();
    let topics = cluster.log.topics().unwrap();
    let found = topics.iter().find(|t| t.name == name).unwrap();
    assert_eq!(found.partitions, 3);
    assert!(!found.id.is_empty());
    let missing = unique("missing");
    let ids = cluster.log.topic_ids(&[Arc::clone(&missing), Arc::clone(&name)]).unwrap();
    assert_eq!(ids, [String::new(), found.id.clone()]);
    assert!(topics.iter().all(|t| !t.name.starts_with("__")));

    let wrong = TopicSpec {
        name: unique("wrong"),
        partitions: 1,
        replication: 1,
        settings: vec![("no.such.setting".into(), "1".into())],
    };
    assert_eq!(cluster.log.create_topics(&[wrong]).unwrap_err().kind, LogErrorKind::Fatal);
}

#[test]
fn a_publisher_writes_outside_transactions_and_tells_the_first_failure() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("published", 1);
    let mut publisher = cluster.log.publisher().unwrap();
    for value in 0..50_000u64 {
        let value = value.to_be_bytes();
        let record = OutgoingRecord {
            topic: &topic,
            partition: 0,
            timestamp_ms: 1,
            key: None,
            value: Some(&value),
            headers: &[],
        };
        publisher.send(&record).unwrap();
    }
    publisher.flush(PATIENCE).unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, (0..50_000).collect::<Vec<_>>());

    let small = cluster.topic_with("published.small", 1, &[("max.message.bytes", "100")]);
    let value: Vec<u8> = (0..=255).collect();
    let record =
        OutgoingRecord { topic: &small, partition: 0, timestamp_ms: 1, key: None, value: Some(&value), headers: &[] };
    publisher.send(&record).unwrap();
    assert_eq!(publisher.flush(PATIENCE).unwrap_err().kind, LogErrorKind::TooLarge);
    publisher.flush(PATIENCE).unwrap();
}

/// A letter may be as large as a worker writes records, which is more than the client lets through by itself.

#[test]
fn a_letter_as_large_as_a_record_may_be_is_replayed() {
    let Some(cluster) = cluster() else { return };
    let application = unique("letters");
    let input: Arc<str> = Arc::from(format!("{application}.in"));
    let mut builder = TopologyBuilder::new(&*application);
    let events = builder.input::<Registrations>(&input, "any", 1, Cleanup::DeleteAfter { retention_ms: 1 << 40 });
    builder.sub_topology("nothing", |sub| {
        let source = sub.source(events);
        sub.processor("none", |p| {
            p.on(source, |_: &mut (), _, _| Ok(()));
            || ()
        });
    });
    let topology = builder.build().unwrap();
    concord_engine::topics::create(&cluster.log, &topology, 1).unwrap();
    let letters = topology.topics[topology.dead_letters].name.clone();
    let payload = vec![b'x'; 1 << 20];
    let header = |name: &str, value: &str| Header { name: Arc::from(name), value: Bytes::from(value.to_owned()) };
    let headers = [
        header(DEAD_LETTER_TOPIC, &input),
        header(DEAD_LETTER_PARTITION, "0"),
        header(DEAD_LETTER_OFFSET, "0"),
        header(DEAD_LETTER_CODE, "TEST-0001"),
    ];
    let mut producer = cluster.producer_of(&unique("producer"), 2 << 20);
    producer.begin().unwrap();
    let letter = OutgoingRecord {
        topic: &letters,
        partition: 0,
        // A letter of 1970 is past its retention, and the broker deletes it when it next looks.
        timestamp_ms: SystemClock.now_ms(),
        key: Some(b"key"),
        value: Some(&payload),
        headers: &headers,
    };
    producer.send(&letter).unwrap();
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    let replayed = dead_letters::replay(&cluster.log, &topology, &ReplayChoice::default()).unwrap();
    assert_eq!((replayed.published, replayed.kept.len()), (1, 0));
    let mut found = Vec::new();
    read_whole_topic(&cluster.log, &input, &mut |_, record| found.push(record.value.unwrap().len())).unwrap();
    assert_eq!(found, [payload.len()]);
}

#[test]
fn a_cluster_that_does_not_answer_is_unavailable_and_a_wrong_property_is_named() {
    if cluster().is_none() {
        return;
    }
    let settings = |client: &[(&str, &str)]| KafkaSettings {
        bootstrap_servers: "127.0.0.1:1".into(),
        client: client.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        protocol: GroupProtocol::Auto,
    };
    let refused = |client: &[(&str, &str)]| KafkaLog::connect(settings(client)).err().unwrap();
    assert_eq!(refused(&[]).kind, LogErrorKind::Unavailable);
    let error = refused(&[("no.such.property", "1")]);
    assert_eq!(error.kind, LogErrorKind::Fatal);
    assert!(error.message.contains("no.such.property"), "{error}");
}
