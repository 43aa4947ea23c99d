//! Producers: what a transaction holds, and what is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord_engine::clock::{Clock, SystemClock};
use concord_engine::log::{Header, Isolation, Log, LogErrorKind, OutgoingRecord, ReaderEvent, TopicPartition};

use crate::cluster::*;

#[test]
fn records_appear_with_their_commit_and_aborted_ones_never() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("visibility", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 1);
    producer.drain(PATIENCE).unwrap();
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    reader.assign(&partition, 0).unwrap();
    let events = reader.poll(10, Duration::from_secs(5)).unwrap();
    assert!(matches!(events[..], [ReaderEvent::End { offset: 0, .. }]), "the last stable offset is 0: {events:?}");
    assert_eq!(reader.watermarks(&partition, PATIENCE).unwrap(), (0, 1), "the true end is behind the open record");

    producer.commit().unwrap();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 2);
    producer.drain(PATIENCE).unwrap();
    producer.abort().unwrap();
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 3);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [1, 3]);
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadUncommitted).0, [1, 2, 3]);
}

/// The brokers' limit is an hour. The next attempt would meet it again, so it is the operator's.
#[test]
fn a_clock_that_is_hours_ahead_of_the_brokers_is_named_though_other_records_are_given_up_with_its_own() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("ahead", 4);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    let ahead_ms = SystemClock.now_ms() + 3 * 60 * 60 * 1000;
    for number in 0..400 {
        let (partition, value) = (number % 4, Some(&b"value"[..]));
        let record =
            OutgoingRecord { topic: &topic, partition, timestamp_ms: ahead_ms, key: None, value, headers: &[] };
        if producer.send(&record).is_err() {
            break;
        }
    }
    producer.drain(PATIENCE).unwrap_err();
    let cause = producer.abort().unwrap_err();
    assert_eq!(cause.kind, LogErrorKind::Fatal, "{cause}");
    assert!(cause.message.contains("clock"), "{cause}");
}

#[test]
fn a_record_comes_back_with_key_value_time_and_headers_and_null_is_not_empty() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("shape", 2);
    let headers = [
        Header { name: Arc::from("concord-rule"), value: Bytes::from_static(b"LR-1") },
        Header { name: Arc::from("empty"), value: Bytes::new() },
        Header { name: Arc::from("concord-rule"), value: Bytes::from_static(b"LR-2") },
    ];
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    type Shape<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a [Header]);
    let shapes: [Shape<'_>; 4] = [
        (Some(b"key"), Some(b"value"), &headers),
        (None, Some(b""), &[]),
        (Some(b""), None, &headers[..1]),
        (None, None, &[]),
    ];
    for (time, (key, value, headers)) in (1_700_000_000_001..).zip(shapes) {
        let record = OutgoingRecord { topic: &topic, partition: 1, timestamp_ms: time, key, value, headers };
        producer.send(&record).unwrap();
    }
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();

    let partition = TopicPartition::new(topic, 1);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    reader.assign(&partition, 0).unwrap();
    let mut read = Vec::new();
    until("four records", || {
        for event in reader.poll(10, SHORT).unwrap() {
            if let ReaderEvent::Records { from, records } = event {
                assert_eq!(from, partition);
                read.extend(records);
            }
        }
        read.len() >= 4
    });
    assert_eq!(read.len(), 4);
    for (index, (record, (key, value, headers))) in read.iter().zip(shapes).enumerate() {
        assert_eq!(record.offset, index as i64);
        assert_eq!(record.timestamp_ms, 1_700_000_000_001 + index as i64);
        assert_eq!(record.key.as_deref(), key, "key of record {index}");
        assert_eq!(record.value.as_deref(), value, "value of record {index}");
        assert_eq!(record.headers, headers, "headers of record {index}");
    }
}

#[test]
fn a_newer_producer_of_the_same_id_fences_the_older() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("fencing", 1);
    let id = unique("fenced");
    let mut older = cluster.producer_of(&id, 1 << 20);
    older.begin().unwrap();
    send(&mut *older, &topic, 0, 1);
    older.drain(PATIENCE).unwrap();
    let mut newer = cluster.producer_of(&id, 1 << 20);
    assert_eq!(older.commit().unwrap_err().kind, LogErrorKind::Rebuild);
    newer.begin().unwrap();
    send(&mut *newer, &topic, 0, 2);
    newer.drain(PATIENCE).unwrap();
    newer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [2]);
    let closing = Instant::now();
    drop(older);
    assert!(closing.elapsed() < Duration::from_secs(3), "a fenced producer closed in {:?}", closing.elapsed());
}

#[test]
fn acknowledged_tells_the_last_changelog_offset_of_this_transaction_only() {
    let Some(cluster) = cluster() else { return };
    let changelog = cluster.topic("store.changelog", 2);
    let other = cluster.topic("output", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    for value in 0..3 {
        send(&mut *producer, &changelog, 1, value);
        send(&mut *producer, &other, 0, value);
    }
    producer.drain(PATIENCE).unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), Some(2));
    assert_eq!(producer.acknowledged(&changelog, 0), None);
    assert_eq!(producer.acknowledged(&other, 0), None, "kept for changelogs only");
    producer.commit().unwrap();
    producer.begin().unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), None);
    send(&mut *producer, &changelog, 1, 9);
    producer.drain(PATIENCE).unwrap();
    assert_eq!(producer.acknowledged(&changelog, 1), Some(4), "behind the marker at 3");
    producer.abort().unwrap();
}

#[test]
fn a_record_too_large_is_refused_before_it_is_sent_and_leaves_the_transaction_usable() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("large", 1);
    let mut producer = cluster.producer_of(&unique("large"), 5000);
    producer.begin().unwrap();
    let value = vec![0; 5000];
    let record = OutgoingRecord {
        topic: &topic,
        partition: 0,
        timestamp_ms: 1,
        key: Some(b"k"),
        value: Some(&value),
        headers: &[],
    };
    assert_eq!(producer.send(&record).unwrap_err().kind, LogErrorKind::TooLarge);
    send(&mut *producer, &topic, 0, 5);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [5]);
}

#[test]
fn a_record_that_only_the_topic_refuses_stops_with_the_remedy() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic_with("small", 1, &[("max.message.bytes", "1000")]);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    let mut state = 1u32;
    let value: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(5000)
    .collect();
    let record =
        OutgoingRecord { topic: &topic, partition: 0, timestamp_ms: 1, key: None, value: Some(&value), headers: &[] };
    producer.send(&record).unwrap();
    let error = producer.drain(PATIENCE).unwrap_err();
    assert_eq!(error.kind, LogErrorKind::Fatal, "{error}");
    assert!(error.message.contains("max.message.bytes"), "{error}");
}

#[test]
fn a_transaction_begun_before_is_needed_to_send() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("usage", 1);
    let mut producer = cluster.producer();
    let record = OutgoingRecord { topic: &topic, partition: 0, timestamp_ms: 1, key: None, value: None, headers: &[] };
    assert_eq!(producer.send(&record).unwrap_err().kind, LogErrorKind::Fatal);
}

#[test]
fn what_was_sent_but_not_drained_can_be_aborted_quickly() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("undrained", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    for value in 0..10_000 {
        send(&mut *producer, &topic, 0, value);
    }
    let aborting = Instant::now();
    producer.abort().unwrap();
    assert!(aborting.elapsed() < Duration::from_secs(5), "aborted in {:?}", aborting.elapsed());
    producer.begin().unwrap();
    send(&mut *producer, &topic, 0, 5);
    producer.drain(PATIENCE).unwrap();
    producer.commit().unwrap();
    assert_eq!(cluster.read_all(&topic, 0, Isolation::ReadCommitted).0, [5]);
}
