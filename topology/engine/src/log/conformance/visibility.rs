//! Who sees which records when.

use std::time::Duration;

use super::ConformanceHarness;
use super::scene::{
    LARGEST_RECORD_BYTES, commit_texts, drain, eventually, producer, producer_with_timeout, publish_texts, read_to_end,
    record, refused, restore, send, topic, write_texts,
};
use crate::log::{Isolation, LogErrorKind};

/// Nothing of a transaction is read committed before its commit, and after it everything, in all topics and partitions.
pub fn a_commit_shows_all_its_partitions_and_nothing_before(harness: &dyn ConformanceHarness) {
    let topics = [topic(harness, "atomic-a", 2), topic(harness, "atomic-b", 2)];
    let places = [(&topics[0], 0), (&topics[0], 1), (&topics[1], 0), (&topics[1], 1)];
    let mut writer = producer(harness, &harness.unique("atomic"));
    writer.begin().expect("the transaction begins");
    for (topic, partition) in places {
        send(writer.as_mut(), topic, partition, "together");
    }
    drain(harness, writer.as_mut());
    for (topic, partition) in places {
        assert_eq!(read_to_end(harness, topic, partition, Isolation::ReadCommitted).texts(), [""; 0]);
        assert_eq!(read_to_end(harness, topic, partition, Isolation::ReadUncommitted).texts(), ["together"]);
    }
    writer.commit().expect("the transaction commits");
    for (topic, partition) in places {
        assert_eq!(restore(harness, topic, partition).texts(), ["together"]);
    }
}

/// Records of an aborted transaction are passed over; a reader of uncommitted records sees them.
pub fn aborted_records_are_never_read_committed(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "aborted", 1);
    let mut writer = producer(harness, &harness.unique("aborted"));
    commit_texts(harness, writer.as_mut(), &topic, 0, &["first"]);
    write_texts(harness, writer.as_mut(), &topic, 0, &["given up", "given up too"]);
    writer.abort().expect("the transaction aborts");
    commit_texts(harness, writer.as_mut(), &topic, 0, &["second"]);
    assert_eq!(restore(harness, &topic, 0).texts(), ["first", "second"]);
    let everything = read_to_end(harness, &topic, 0, Isolation::ReadUncommitted);
    assert_eq!(everything.texts(), ["first", "given up", "given up too", "second"]);
}

/// A record behind the first one of an open transaction is not read committed until that transaction has ended.
pub fn an_open_transaction_holds_back_what_stands_behind_it(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "held-back", 1);
    let mut writer = producer(harness, &harness.unique("held-back"));
    publish_texts(harness, &topic, 0, &["before"]);
    write_texts(harness, writer.as_mut(), &topic, 0, &["undecided"]);
    publish_texts(harness, &topic, 0, &["behind"]);
    let seen = read_to_end(harness, &topic, 0, Isolation::ReadCommitted);
    assert_eq!((seen.texts(), seen.end), (vec!["before".to_owned()], Some(1)));
    writer.abort().expect("the transaction aborts");
    assert_eq!(restore(harness, &topic, 0).texts(), ["before", "behind"]);
}

/// The control record of a commit or abort takes an offset of its own. (The topic is named as a changelog, since only
/// there must a producer know what was acknowledged.)
pub fn every_commit_and_abort_leaves_a_gap_in_the_offsets(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "gaps.changelog", 1);
    let mut writer = producer(harness, &harness.unique("gaps"));
    commit_texts(harness, writer.as_mut(), &topic, 0, &["a", "b"]);
    assert_eq!(writer.acknowledged(&topic, 0), Some(1));
    write_texts(harness, writer.as_mut(), &topic, 0, &["c"]);
    assert_eq!(writer.acknowledged(&topic, 0), Some(3));
    writer.abort().expect("the transaction aborts");
    write_texts(harness, writer.as_mut(), &topic, 0, &["d"]);
    assert_eq!(writer.acknowledged(&topic, 0), Some(5));
    writer.commit().expect("the transaction commits");
    let offsets: Vec<_> = restore(harness, &topic, 0).records.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 1, 5]);
}

/// Each partition holds a producer's records in the order they were sent.
pub fn records_of_a_producer_keep_their_order_in_each_partition(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "order", 2);
    let texts: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    let mut writer = producer(harness, &harness.unique("order"));
    for batch in texts.chunks(50) {
        writer.begin().expect("the transaction begins");
        for text in batch {
            send(writer.as_mut(), &topic, 0, text);
            send(writer.as_mut(), &topic, 1, text);
        }
        drain(harness, writer.as_mut());
        writer.commit().expect("the transaction commits");
    }
    assert_eq!(restore(harness, &topic, 0).texts(), texts);
    assert_eq!(restore(harness, &topic, 1).texts(), texts);
}

/// The log aborts a transaction by its time-out, and its producer must be rebuilt.
pub fn a_transaction_open_too_long_is_aborted_and_its_producer_fenced(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "expired", 1);
    let mut writer = producer_with_timeout(harness, &harness.unique("expired"), Duration::from_secs(2));
    write_texts(harness, writer.as_mut(), &topic, 0, &["too late"]);
    publish_texts(harness, &topic, 0, &["behind"]);
    eventually(harness, "the transaction is aborted by its time-out", || {
        let seen = read_to_end(harness, &topic, 0, Isolation::ReadCommitted);
        (seen.texts() == ["behind"]).then_some(())
    });
    assert_eq!(refused(writer.commit()), LogErrorKind::Rebuild);
    assert_eq!(refused(writer.begin()), LogErrorKind::Rebuild);
}

/// Initialising a producer aborts what the older one of its id left open, and the older can do nothing more.
pub fn a_newer_producer_of_the_same_id_fences_the_older(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "fenced", 1);
    let id = harness.unique("fenced");
    let mut older = producer(harness, &id);
    write_texts(harness, older.as_mut(), &topic, 0, &["of the older"]);
    let mut newer = producer(harness, &id);
    commit_texts(harness, newer.as_mut(), &topic, 0, &["of the newer"]);
    assert_eq!(refused(older.commit()), LogErrorKind::Rebuild);
    assert_eq!(restore(harness, &topic, 0).texts(), ["of the newer"]);
}

/// A record over the producer's limit is refused at once, without harm to the transaction.
pub fn a_record_that_is_too_large_is_refused_and_the_transaction_goes_on(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "too-large", 1);
    let mut writer = producer(harness, &harness.unique("too-large"));
    writer.begin().expect("the transaction begins");
    let large = "x".repeat(LARGEST_RECORD_BYTES + 1);
    assert_eq!(refused(writer.send(&record(&topic, 0, "large", &large))), LogErrorKind::TooLarge);
    send(writer.as_mut(), &topic, 0, "small");
    drain(harness, writer.as_mut());
    writer.commit().expect("the transaction commits");
    assert_eq!(restore(harness, &topic, 0).texts(), ["small"]);
}
