//! Readers, and where they are.

use concord_engine::log::{Isolation, Log, ReaderEvent, TopicPartition};

use crate::cluster::*;

#[test]
fn a_reader_meets_the_true_end_of_empty_committed_and_aborted_partitions() {
    let Some(cluster) = cluster() else { return };
    let empty = cluster.topic("empty", 1);
    assert_eq!(cluster.read_all(&empty, 0, Isolation::ReadCommitted), (vec![], 0));

    let committed = cluster.topic("committed", 1);
    cluster.write(&committed, 0, [7, 8]);
    assert_eq!(cluster.read_all(&committed, 0, Isolation::ReadCommitted), (vec![7, 8], 3), "the marker counts");

    let aborted = cluster.topic("aborted", 1);
    let mut producer = cluster.producer();
    producer.begin().unwrap();
    send(&mut *producer, &aborted, 0, 1);
    producer.drain(PATIENCE).unwrap();
    producer.abort().unwrap();
    assert_eq!(cluster.read_all(&aborted, 0, Isolation::ReadCommitted), (vec![], 2));
}

#[test]
fn a_reader_moves_back_and_out_of_range_and_in_again() {
    let Some(cluster) = cluster() else { return };
    let topic = cluster.topic("moves", 1);
    cluster.write(&topic, 0, 0..5);
    let partition = TopicPartition::new(topic, 0);
    let mut reader = cluster.log.reader(Isolation::ReadCommitted).unwrap();
    let read_to_end = |reader: &mut Box<dyn concord_engine::log::PartitionReader>| {
        let mut values = Vec::new();
        let mut ended = false;
        until("the end", || {
            for event in reader.poll(2, SHORT).unwrap() {
                match event {
                    ReaderEvent::Records { records, .. } => values.extend(records.iter().map(value_of)),
                    ReaderEvent::End { offset, .. } => ended = offset == 6,
                    ReaderEvent::OutOfRange(_) => panic!("out of range"),
                }
            }
            ended
        });
        values
    };
    reader.assign(&partition, 0).unwrap();
    assert_eq!(read_to_end(&mut reader), [0, 1, 2, 3, 4]);
    reader.assign(&partition, 3).unwrap();
    assert_eq!(read_to_end(&mut reader), [3, 4]);
    reader.assign(&partition, 6).unwrap();
    assert_eq!(read_to_end(&mut reader), [0u64; 0], "the end is told again after a move to it");

    reader.assign(&partition, 99).unwrap();
    let events = reader.poll(10, PATIENCE).unwrap();
    assert!(matches!(&events[..], [ReaderEvent::OutOfRange(p)] if *p == partition), "{events:?}");
    reader.assign(&partition, 1).unwrap();
    assert_eq!(read_to_end(&mut reader), [1, 2, 3, 4]);
    reader.unassign(&partition).unwrap();
    reader.assign(&partition, 4).unwrap();
    assert_eq!(read_to_end(&mut reader), [4]);
}
