//! Writing without transactions, and positions that a member commits by itself.

use std::sync::Arc;

use super::ConformanceHarness;
use super::scene::{
    CALL_TIMEOUT, Member, SESSION_TIMEOUT, drain, plain_producer, read_to_end, refused, retried, send, topic,
};
use crate::log::{Isolation, LogErrorKind, TopicPartition};

/// What is acknowledged is read by everyone, before `commit` and whether or not it comes to an `abort`.
pub fn records_without_transactions_are_seen_once_acknowledged_and_stand(harness: &dyn ConformanceHarness) {
    // The offsets of changelogs are the ones that are kept.
    let topic = topic(harness, "plain.changelog", 1);
    let mut writer = plain_producer(harness, &harness.unique("plain"));
    let texts = |isolation| read_to_end(harness, &topic, 0, isolation).texts();
    writer.begin().expect("an attempt begins");
    send(writer.as_mut(), &topic, 0, "first");
    drain(harness, writer.as_mut());
    assert_eq!(writer.acknowledged(&topic, 0), Some(0));
    assert_eq!(texts(Isolation::ReadCommitted), ["first"]);
    writer.commit().expect("the attempt is marked off");
    writer.begin().expect("the next attempt begins");
    assert_eq!(writer.acknowledged(&topic, 0), None);
    send(writer.as_mut(), &topic, 0, "second");
    drain(harness, writer.as_mut());
    assert_eq!(writer.acknowledged(&topic, 0), Some(1), "there are no markers between records");
    assert_eq!(refused(writer.abort()), LogErrorKind::Rebuild);
    assert_eq!(texts(Isolation::ReadCommitted), ["first", "second"]);
}

/// Two producers of one name write side by side.
pub fn a_plain_producer_fences_nobody_of_its_name(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "side-by-side", 1);
    let name = harness.unique("side-by-side");
    let mut older = plain_producer(harness, &name);
    let mut newer = plain_producer(harness, &name);
    for (writer, text) in [(&mut newer, "newer"), (&mut older, "older")] {
        writer.begin().expect("an attempt begins");
        send(writer.as_mut(), &topic, 0, text);
        drain(harness, writer.as_mut());
        writer.commit().expect("the attempt is marked off");
    }
    assert_eq!(read_to_end(harness, &topic, 0, Isolation::ReadCommitted).texts(), ["newer", "older"]);
}

/// Positions go through the member of the group, not through a producer that could not commit them with its records.
pub fn a_plain_producer_takes_no_positions(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "plain-positions", 1);
    let group = harness.unique("plain-positions");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 1);
    let membership = member.consumer.membership().expect("the member has a membership");
    let mut writer = plain_producer(harness, &group);
    writer.begin().expect("an attempt begins");
    let positions = [(TopicPartition::new(Arc::clone(&topic), 0), 1)];
    assert_eq!(refused(writer.send_offsets(&positions, &membership)), LogErrorKind::Fatal);
}

/// A committed position is told to whoever asks next, and a later one takes its place.
pub fn positions_committed_by_a_member_are_the_groups_at_once(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "own-positions", 2);
    let group = harness.unique("own-positions");
    let mut member = Member::alone(harness, &group, "one", &[&topic], 2);
    let partition = |number| TopicPartition::new(Arc::clone(&topic), number);
    for position in [3, 5] {
        let positions = [(partition(0), position)];
        retried(harness, "commit", || member.consumer.commit(&positions));
        assert_eq!(member.committed(&partition(0)), Some(position));
    }
    assert_eq!(member.committed(&partition(1)), None);
    member.consumer.close(true).expect("the member closes");
    drop(member);
    let mut restarted = Member::alone(harness, &group, "one", &[&topic], 2);
    assert_eq!(restarted.committed(&partition(0)), Some(5));
}

/// Who is no member has nothing to commit with; an empty list says nothing.
pub fn positions_are_refused_without_membership_and_without_any(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "no-member", 1);
    let group = harness.unique("no-member");
    let positions = [(TopicPartition::new(Arc::clone(&topic), 0), 1)];
    let mut member = Member::new(harness, &group, "one", &[&topic]);
    assert_eq!(refused(member.consumer.commit(&positions)), LogErrorKind::NotMember);
    member.poll_until("the member is given the partition", |member| member.held.len() == 1);
    assert_eq!(refused(member.consumer.commit(&[])), LogErrorKind::Fatal);
    assert_eq!(member.consumer.committed(&[positions[0].0.clone()], CALL_TIMEOUT).expect("it is told"), [None]);
}

/// A member whose session ended must abort: its partitions, and their positions, are another's. Where a client shows life
/// behind its caller's back this cannot be brought about, and the check does nothing.
pub fn a_member_that_the_group_has_left_behind_commits_no_positions(harness: &dyn ConformanceHarness) {
    if harness.embedded().is_none() {
        eprintln!("SKIPPED: a member of this log cannot fall silent while its process lives");
        return;
    }
    let topic = topic(harness, "left-behind", 1);
    let group = harness.unique("left-behind");
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    let mut silent = Member::alone(harness, &group, "one", &[&topic], 1);
    harness.pass_time(SESSION_TIMEOUT);
    let mut other = Member::alone(harness, &group, "two", &[&topic], 1);
    other.consumer.commit(&[(partition.clone(), 7)]).expect("the positions are committed");
    assert_eq!(refused(silent.consumer.commit(&[(partition.clone(), 3)])), LogErrorKind::MustAbort);
    assert_eq!(other.committed(&partition), Some(7));
}
