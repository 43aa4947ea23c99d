//! The group's positions, and who may commit them.

use std::sync::Arc;
use std::time::Duration;

use super::ConformanceHarness;
use super::scene::{Member, drain, eventually, producer, refused, retried, send, share, topic};
use crate::log::{LogErrorKind, TopicPartition};

/// How long to look for a position that must not be told yet.
const BRIEFLY: Duration = Duration::from_millis(500);

/// A position sent with a transaction is nobody's to see before the commit: who asks is made to wait.
pub fn positions_are_committed_with_the_transaction_and_not_before(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "positions", 1);
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    let group = harness.unique("positions");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 1);
    assert_eq!(member.committed(&partition), None);
    let mut writer = producer(harness, &group);
    writer.begin().expect("the transaction begins");
    let membership = member.consumer.membership().expect("the member has a membership");
    let positions = [(partition.clone(), 5)];
    retried(harness, "send_offsets", || writer.send_offsets(&positions, &membership));
    let asked = [partition.clone()];
    let told = refused(member.consumer.committed(&asked, BRIEFLY));
    assert!(matches!(told, LogErrorKind::Retriable | LogErrorKind::Unavailable), "{told:?}");
    writer.commit().expect("the transaction commits");
    assert_eq!(member.committed(&partition), Some(5));
}

/// An abort leaves the positions as they were.
pub fn an_abort_commits_no_positions(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "unmoved", 1);
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    let group = harness.unique("unmoved");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 1);
    let mut writer = producer(harness, &group);
    for (position, commits) in [(3, true), (7, false)] {
        writer.begin().expect("the transaction begins");
        let membership = member.consumer.membership().expect("the member has a membership");
        let positions = [(partition.clone(), position)];
        retried(harness, "send_offsets", || writer.send_offsets(&positions, &membership));
        if commits {
            writer.commit().expect("the transaction commits");
        } else {
            writer.abort().expect("the transaction aborts");
        }
    }
    assert_eq!(member.committed(&partition), Some(3));
}

/// A membership of an earlier generation is refused; the producer aborts and goes on with the present one.
pub fn a_stale_generation_cannot_commit_positions(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "stale", 2);
    let group = harness.unique("stale");
    let mut first = Member::alone(harness, &group, "one", &[&topic], 2);
    let stale = first.consumer.membership().expect("the member has a membership");
    let mut second = Member::new(harness, &group, "two", &[&topic]);
    share(harness, &mut first, &mut second, 1);
    let present = eventually(harness, "the member works in a later generation", || {
        first.poll();
        first.consumer.membership().ok().filter(|present| present.generation > stale.generation)
    });
    let partition = first.held.first().cloned().expect("the member holds a partition");
    let mut writer = producer(harness, &group);
    writer.begin().expect("the transaction begins");
    send(writer.as_mut(), &topic, partition.partition, "of a stale member");
    drain(harness, writer.as_mut());
    let positions = [(partition.clone(), 1)];
    assert_eq!(refused(writer.send_offsets(&positions, &stale)), LogErrorKind::MustAbort);
    writer.abort().expect("the transaction aborts");
    assert_eq!(first.committed(&partition), None);
    writer.begin().expect("the next transaction begins");
    retried(harness, "send_offsets", || writer.send_offsets(&positions, &present));
    writer.commit().expect("the transaction commits");
    assert_eq!(first.committed(&partition), Some(1));
}

/// No positions would mean no fencing, so an empty list is refused before it reaches the log.
pub fn an_empty_list_of_positions_is_refused(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "no-positions", 1);
    let group = harness.unique("no-positions");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 1);
    let membership = member.consumer.membership().expect("the member has a membership");
    let mut writer = producer(harness, &group);
    writer.begin().expect("the transaction begins");
    assert_eq!(refused(writer.send_offsets(&[], &membership)), LogErrorKind::Fatal);
    writer.abort().expect("the transaction aborts");
}

/// Before its first poll a consumer is no member and has no membership to send.
pub fn membership_is_refused_before_joining(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "not-joined", 1);
    let mut member = Member::new(harness, &harness.unique("not-joined"), "one", &[&topic]);
    assert_eq!(refused(member.consumer.membership()), LogErrorKind::NotMember);
}
