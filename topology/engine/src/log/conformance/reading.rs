//! Where a partition ends for a reader, which is what a restore relies on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::ConformanceHarness;
use super::scene::{
    CALL_TIMEOUT, Seen, commit_texts, drain, eventually, poll_reader, producer, publish_texts, read_to_end, record,
    restore, topic, topic_with, watermarks, write_texts,
};
use crate::log::{Isolation, ReaderEvent, TopicPartition};

/// An empty partition ends at 0.
pub fn the_end_of_an_empty_partition_is_its_high_watermark(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "empty", 1);
    assert_eq!(watermarks(harness, &topic, 0), (0, 0));
    let seen = restore(harness, &topic, 0);
    assert_eq!((seen.records.len(), seen.end), (0, Some(0)));
}

/// The end stands behind a commit marker.
pub fn the_end_is_reached_when_a_commit_marker_stands_last(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "commit-last", 1);
    let mut writer = producer(harness, &harness.unique("commit-last"));
    commit_texts(harness, writer.as_mut(), &topic, 0, &["a", "b"]);
    let seen = restored_when_high_watermark_is(harness, &topic, 3);
    assert_eq!((seen.texts(), seen.end), (vec!["a".to_owned(), "b".to_owned()], Some(3)));
}

/// The end stands behind aborted records and their marker.
pub fn the_end_is_reached_when_aborted_records_stand_last(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "aborted-last", 1);
    let mut writer = producer(harness, &harness.unique("aborted-last"));
    commit_texts(harness, writer.as_mut(), &topic, 0, &["a"]);
    write_texts(harness, writer.as_mut(), &topic, 0, &["b", "c"]);
    writer.abort().expect("the transaction aborts");
    let seen = restored_when_high_watermark_is(harness, &topic, 5);
    assert_eq!((seen.texts(), seen.end), (vec!["a".to_owned()], Some(5)));
}

/// The end is reached without a single record.
pub fn the_end_is_reached_when_everything_was_aborted(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "only-aborted", 1);
    let mut writer = producer(harness, &harness.unique("only-aborted"));
    write_texts(harness, writer.as_mut(), &topic, 0, &["a", "b"]);
    writer.abort().expect("the transaction aborts");
    let seen = restored_when_high_watermark_is(harness, &topic, 3);
    assert_eq!((seen.records.len(), seen.end), (0, Some(3)));
}

/// Asked for all at once, the watermarks come in the order asked, open transactions included; a partition that does not exist fails
/// the question.
pub fn the_watermarks_of_several_partitions_are_those_of_each(harness: &dyn ConformanceHarness) {
    let (one, other) = (topic(harness, "watermarks-one", 2), topic(harness, "watermarks-other", 1));
    let mut writer = producer(harness, &harness.unique("watermarks"));
    commit_texts(harness, writer.as_mut(), &one, 1, &["a", "b"]);
    eventually(harness, "the marker is written", || (watermarks(harness, &one, 1).1 == 3).then_some(()));
    write_texts(harness, writer.as_mut(), &other, 0, &["c"]);
    let asked = [(&other, 0), (&one, 1), (&one, 0)];
    let partitions = asked.map(|(topic, partition)| TopicPartition::new(Arc::clone(topic), partition));
    let mut reader = harness.log().reader(Isolation::ReadCommitted).expect("the reader is made");
    let all = reader.watermarks_of_all(&partitions, CALL_TIMEOUT).expect("the watermarks are answered");
    assert_eq!(all, [(0, 1), (0, 3), (0, 0)]);
    assert_eq!(reader.watermarks_of_all(&[], CALL_TIMEOUT).expect("no question has no answer"), []);
    let absent = [partitions[0].clone(), TopicPartition::new(Arc::clone(&one), 7)];
    assert!(reader.watermarks_of_all(&absent, Duration::from_secs(2)).is_err());
    writer.abort().expect("the transaction aborts");
}

/// With an open transaction the end told is the last stable offset; it is told again, further on, after the commit, and
/// after an abort too, though no record comes with it.
pub fn the_end_waits_for_an_open_transaction_and_is_told_again(harness: &dyn ConformanceHarness) {
    let mut writer = producer(harness, &harness.unique("end-waits"));
    for (commits, texts) in [(true, vec!["a", "b"]), (false, vec!["a"])] {
        let topic = topic(harness, "end-waits", 1);
        commit_texts(harness, writer.as_mut(), &topic, 0, &["a"]);
        restored_when_high_watermark_is(harness, &topic, 2);
        write_texts(harness, writer.as_mut(), &topic, 0, &["b"]);
        assert_eq!(watermarks(harness, &topic, 0), (0, 3));
        let mut reader = harness.log().reader(Isolation::ReadCommitted).expect("the reader is made");
        reader.assign(&TopicPartition::new(Arc::clone(&topic), 0), 0).expect("the partition is assigned");
        let mut seen = Seen::default();
        eventually(harness, "the end is told", || {
            poll_reader(harness, reader.as_mut(), &mut seen);
            seen.end
        });
        assert_eq!((seen.texts(), seen.end), (vec!["a".to_owned()], Some(2)));
        if commits {
            writer.commit().expect("the transaction commits");
        } else {
            writer.abort().expect("the transaction aborts");
        }
        eventually(harness, "the end is told again", || {
            poll_reader(harness, reader.as_mut(), &mut seen);
            seen.end.filter(|end| *end >= 4)
        });
        assert_eq!((seen.texts(), seen.end), (texts.into_iter().map(str::to_owned).collect(), Some(4)));
    }
}

/// Compaction leaves gaps and takes records away; a restore ends all the same, with the last value of each key.
pub fn a_restore_over_a_compacted_topic_finds_the_last_value_of_each_key(harness: &dyn ConformanceHarness) {
    let settings = [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.001"), ("segment.ms", "100")];
    let topic = topic_with(harness, "compacted", 1, &settings);
    let mut writer = producer(harness, &harness.unique("compacted"));
    for round in 0..5 {
        writer.begin().expect("the transaction begins");
        for key in ["a", "b", "c"] {
            let value = format!("{key}{round}");
            writer.send(&record(&topic, 0, key, &value)).expect("the record is sent");
        }
        drain(harness, writer.as_mut());
        if round == 4 {
            writer.abort().expect("the transaction aborts");
        } else {
            writer.commit().expect("the transaction commits");
        }
    }
    writer.begin().expect("the transaction begins");
    let mut tombstone = record(&topic, 0, "b", "");
    tombstone.value = None;
    writer.send(&tombstone).expect("the tombstone is sent");
    drain(harness, writer.as_mut());
    writer.commit().expect("the transaction commits");
    let before = last_values(&restore(harness, &topic, 0));
    if let Some(embedded) = harness.embedded() {
        embedded.compact(&topic, true).expect("the topic is compacted");
        assert_eq!(embedded.records(&topic, Isolation::ReadUncommitted).map(|records| records.len()).ok(), Some(2));
    }
    let seen = restore(harness, &topic, 0);
    let after = last_values(&seen);
    let live = |values: BTreeMap<String, Option<String>>| -> Vec<_> {
        values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    };
    let expected = [("a".to_owned(), "a3".to_owned()), ("c".to_owned(), "c3".to_owned())];
    assert_eq!(live(before), expected);
    assert_eq!(live(after), expected);
    assert_eq!(seen.end, Some(22));
}

/// A position beyond the end, or below the start, is reported and not quietly replaced.
pub fn a_position_that_does_not_exist_is_reported_to_the_reader(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "no-such-position", 1);
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    publish_texts(harness, &topic, 0, &["0", "1", "2"]);
    let mut missing = vec![50];
    if let Some(embedded) = harness.embedded() {
        embedded.delete_before(&partition, 2).expect("the records are deleted");
        missing.push(1);
    }
    for position in missing {
        let mut reader = harness.log().reader(Isolation::ReadCommitted).expect("the reader is made");
        reader.assign(&partition, position).expect("the partition is assigned");
        let reported = eventually(harness, "the position is reported", || {
            let events = reader.poll(10, harness.poll_wait()).expect("the reader polls");
            events.into_iter().next()
        });
        assert!(matches!(&reported, ReaderEvent::OutOfRange(reported) if *reported == partition), "{reported:?}");
    }
}

/// Markers may be written after the call has returned: waits for them, then restores.
fn restored_when_high_watermark_is(harness: &dyn ConformanceHarness, topic: &Arc<str>, expected: i64) -> Seen {
    eventually(harness, "the marker is written", || {
        let end = read_to_end(harness, topic, 0, Isolation::ReadCommitted).end;
        (end == Some(expected)).then_some(())
    });
    assert_eq!(watermarks(harness, topic, 0).1, expected);
    restore(harness, topic, 0)
}

fn last_values(seen: &Seen) -> BTreeMap<String, Option<String>> {
    let mut values = BTreeMap::new();
    for record in &seen.records {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        values.insert(text(record.key.as_deref().unwrap_or_default()), record.value.as_deref().map(text));
    }
    values
}
