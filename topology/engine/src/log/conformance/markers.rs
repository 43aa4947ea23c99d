//! A decided transaction whose markers come late, one by one. Only the embedded log can be told to hold them; a real
//! cluster does it of its own accord, rarely.

use std::sync::Arc;
use std::time::Duration;

use super::ConformanceHarness;
use super::scene::{
    Member, commit_texts, drain, new_producer, producer, read_to_end, refused, restore, retried, send, topic,
    watermarks,
};
use crate::log::embedded::{EmbeddedLog, MarkerDestination};
use crate::log::{Isolation, LogErrorKind, TopicPartition};

/// Enough for a call that has to wait to have waited.
const BRIEFLY: Duration = Duration::from_millis(20);

/// After the decision each partition, and the group's positions, still show the state before until their own marker is
/// written; the high watermark tells that something is to come.
pub fn each_partition_shows_a_commit_once_its_own_marker_is_written(harness: &dyn ConformanceHarness) {
    let Some(embedded) = log_that_holds_markers(harness) else { return };
    let topic = topic(harness, "late-markers", 2);
    let group = harness.unique("late-markers");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 2);
    let input = TopicPartition::new(Arc::clone(&topic), 0);
    let mut writer = producer(harness, &group);
    embedded.hold_markers();
    writer.begin().expect("the transaction begins");
    send(writer.as_mut(), &topic, 0, "zero");
    send(writer.as_mut(), &topic, 1, "one");
    drain(harness, writer.as_mut());
    let membership = member.consumer.membership().expect("the member has a membership");
    writer.send_offsets(&[(input.clone(), 9)], &membership).expect("the positions are sent");
    writer.commit().expect("the transaction commits");

    let visible = |partition| read_to_end(harness, &topic, partition, Isolation::ReadCommitted).records.len();
    let asked = [input.clone()];
    assert_eq!((visible(0), visible(1)), (0, 0));
    assert_eq!(refused(member.consumer.committed(&asked, BRIEFLY)), LogErrorKind::Retriable);

    assert!(embedded.write_marker(&MarkerDestination::Offsets { group }));
    assert_eq!(member.committed(&input), Some(9));
    assert_eq!((visible(0), visible(1)), (0, 0));

    assert!(embedded.write_marker(&MarkerDestination::Partition(TopicPartition::new(Arc::clone(&topic), 1))));
    assert_eq!((visible(0), visible(1)), (0, 1));
    let behind = read_to_end(harness, &topic, 0, Isolation::ReadCommitted);
    assert!(behind.end < Some(watermarks(harness, &topic, 0).1), "a restore would end too early");

    embedded.release_markers();
    assert_eq!((visible(0), visible(1)), (1, 1));
    assert_eq!(embedded.open_transactions(), []);
}

/// Records of the next transaction wait until the one before is complete, and keep their order.
pub fn a_producer_goes_on_only_after_the_markers_of_its_last_transaction(harness: &dyn ConformanceHarness) {
    let Some(embedded) = log_that_holds_markers(harness) else { return };
    let topic = topic(harness, "next-transaction", 1);
    let mut writer = producer(harness, &harness.unique("next-transaction"));
    embedded.hold_markers();
    commit_texts(harness, writer.as_mut(), &topic, 0, &["a"]);
    writer.begin().expect("the next transaction begins");
    send(writer.as_mut(), &topic, 0, "b");
    send(writer.as_mut(), &topic, 0, "c");
    assert_eq!(refused(writer.drain(BRIEFLY)), LogErrorKind::Retriable);
    embedded.release_markers();
    drain(harness, writer.as_mut());
    assert_eq!(writer.acknowledged(&topic, 0), Some(3));
    writer.commit().expect("the transaction commits");
    assert_eq!(restore(harness, &topic, 0).texts(), ["a", "b", "c"]);
}

/// Once a producer is initialised nothing of the one before is undecided or half shown.
pub fn a_new_producer_waits_for_the_markers_of_the_one_before(harness: &dyn ConformanceHarness) {
    let Some(embedded) = log_that_holds_markers(harness) else { return };
    let topic = topic(harness, "init-waits", 1);
    let id = harness.unique("init-waits");
    let mut older = producer(harness, &id);
    embedded.hold_markers();
    commit_texts(harness, older.as_mut(), &topic, 0, &["decided"]);
    let mut newer = new_producer(harness, &id, Duration::from_secs(60));
    assert_eq!(refused(newer.init(BRIEFLY)), LogErrorKind::Retriable);
    embedded.release_markers();
    retried(harness, "init", || newer.init(BRIEFLY));
    let seen = read_to_end(harness, &topic, 0, Isolation::ReadCommitted);
    assert_eq!(seen.texts(), ["decided"]);
}

fn log_that_holds_markers(harness: &dyn ConformanceHarness) -> Option<&EmbeddedLog> {
    let embedded = harness.embedded();
    if embedded.is_none() {
        eprintln!("SKIPPED: this log cannot be told to hold markers");
    }
    embedded
}
