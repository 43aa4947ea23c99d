//! Who holds which partitions, and how they change hands.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ConformanceHarness;
use super::scene::{Member, SESSION_TIMEOUT, eventually, producer, publish_texts, refused, share, text_of, topic};
use crate::log::{LogErrorKind, TopicPartition};

/// Polls enough for something unwanted to show.
const A_FEW_POLLS: usize = 10;

/// Who has partition i of one topic has partition i of every topic with as many partitions.
pub fn two_members_share_co_partitioned_topics_alike(harness: &dyn ConformanceHarness) {
    let topics = [topic(harness, "co-a", 4), topic(harness, "co-b", 4)];
    let group = harness.unique("co");
    let subscription = [&topics[0], &topics[1]];
    let mut first = Member::new(harness, &group, "one", &subscription);
    let mut second = Member::new(harness, &group, "two", &subscription);
    share(harness, &mut first, &mut second, 4);
    for member in [&first, &second] {
        assert_eq!(partitions_of(member, &topics[0]), partitions_of(member, &topics[1]));
        assert_eq!(partitions_of(member, &topics[0]).len(), 2);
    }
    assert!(first.held.is_disjoint(&second.held));
}

/// A new member gets a partition only after the old one has released it. (Some protocols ask back everything and give the
/// rest again, others only what moves.)
pub fn a_partition_moves_only_after_its_release(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "handover", 2);
    let group = harness.unique("handover");
    let mut first = Member::alone(harness, &group, "one", &[&topic], 2);
    let mut second = Member::new(harness, &group, "two", &[&topic]);
    eventually(harness, "the first member is asked for a partition", || {
        second.poll();
        first.poll();
        (!first.asked_back.is_empty()).then_some(())
    });
    for _ in 0..A_FEW_POLLS {
        second.poll();
    }
    assert!(second.held.is_empty(), "a partition was given away before its release");
    share(harness, &mut first, &mut second, 1);
    assert!(first.held.is_disjoint(&second.held));
}

/// A member that closes gives its partitions back through its polls, and the others get them without waiting.
pub fn a_leaving_member_hands_over_what_it_had(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "leaving", 2);
    let group = harness.unique("leaving");
    let mut first = Member::alone(harness, &group, "one", &[&topic], 2);
    let mut second = Member::new(harness, &group, "two", &[&topic]);
    share(harness, &mut first, &mut second, 1);
    first.consumer.close(false).expect("the member leaves");
    eventually(harness, "the remaining member is given everything", || {
        first.poll();
        first.release_asked();
        second.poll();
        second.release_asked();
        (second.held.len() == 2).then_some(())
    });
    assert!(first.held.is_empty());
    assert_eq!(refused(first.consumer.membership()), LogErrorKind::NotMember);
}

/// A static member that comes back within its session has the same partitions, and the others notice nothing.
pub fn a_restarted_member_finds_its_partitions_and_disturbs_nobody(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "restart", 4);
    let group = harness.unique("restart");
    let mut first = Member::new(harness, &group, "one", &[&topic]);
    let mut second = Member::new(harness, &group, "two", &[&topic]);
    share(harness, &mut first, &mut second, 2);
    first.consumer.close(true).expect("the member closes");
    let before = (first.held.clone(), second.held.clone());
    drop(first);
    let mut restarted = Member::new(harness, &group, "one", &[&topic]);
    eventually(harness, "the restarted member has its partitions", || {
        restarted.poll();
        second.poll();
        (restarted.held.len() == 2).then_some(())
    });
    assert_eq!((restarted.held, second.held), before);
    assert!(second.asked_back.is_empty() && second.lost.is_empty());
}

/// A member that is silent for its session time-out loses its partitions to others, is told so, and cannot commit.
/// Where a client shows life behind its caller's back this cannot be brought about, and the check does nothing.
pub fn a_silent_member_loses_its_partitions_and_cannot_commit(harness: &dyn ConformanceHarness) {
    if harness.embedded().is_none() {
        eprintln!("SKIPPED: a member of this log cannot fall silent while its process lives");
        return;
    }
    let topic = topic(harness, "silent", 2);
    let group = harness.unique("silent");
    let mut silent = Member::alone(harness, &group, "one", &[&topic], 2);
    let membership = silent.consumer.membership().expect("the member has a membership");
    let mut other = Member::new(harness, &group, "two", &[&topic]);
    other.poll();
    harness.pass_time(SESSION_TIMEOUT / 2);
    other.poll();
    assert!(other.held.is_empty(), "the session ended before its time");
    harness.pass_time(SESSION_TIMEOUT / 2);
    other.poll_until("the other member is given everything", |other| other.held.len() == 2);
    let mut writer = producer(harness, &group);
    writer.begin().expect("the transaction begins");
    let positions = [(TopicPartition::new(Arc::clone(&topic), 0), 1)];
    assert_eq!(refused(writer.send_offsets(&positions, &membership)), LogErrorKind::MustAbort);
    writer.abort().expect("the transaction aborts");
    silent.poll();
    assert_eq!(silent.lost.len(), 2);
    assert_eq!(refused(silent.consumer.membership()), LogErrorKind::NotMember);
    share(harness, &mut silent, &mut other, 1);
}

/// The newer of two members with one instance name has the partitions, the older is told to stop and cannot commit.
/// Brokers differ in which of the two they turn away, so only the embedded log is held to it.
pub fn a_newer_member_of_the_same_name_fences_the_older(harness: &dyn ConformanceHarness) {
    if harness.embedded().is_none() {
        eprintln!("SKIPPED: brokers differ in which of two members with one name they turn away");
        return;
    }
    let topic = topic(harness, "namesake", 2);
    let group = harness.unique("namesake");
    let mut older = Member::alone(harness, &group, "one", &[&topic], 2);
    let membership = older.consumer.membership().expect("the member has a membership");
    let _newer = Member::alone(harness, &group, "one", &[&topic], 2);
    assert_eq!(refused(older.consumer.poll(1, harness.poll_wait())), LogErrorKind::Fatal);
    let mut writer = producer(harness, &group);
    writer.begin().expect("the transaction begins");
    let positions = [(TopicPartition::new(Arc::clone(&topic), 0), 1)];
    assert_eq!(refused(writer.send_offsets(&positions, &membership)), LogErrorKind::MustAbort);
}

/// Nothing is read before `fetch_from`, then everything from there, and again from an earlier offset when moved back.
pub fn reading_starts_exactly_where_asked_and_may_move_back(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "fetch", 1);
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    publish_texts(harness, &topic, 0, &["0", "1", "2", "3", "4"]);
    let mut member = Member::alone(harness, &harness.unique("fetch"), "one", &[&topic], 1);
    for _ in 0..A_FEW_POLLS {
        member.poll();
    }
    assert!(member.read.is_empty(), "records came before they were asked for");
    for (from, expected) in [(3, vec!["3", "4"]), (1, vec!["1", "2", "3", "4"])] {
        member.read.clear();
        member.consumer.fetch_from(&[(partition.clone(), from)]).expect("the position is set");
        member.poll_until("the records are read", |member| {
            member.read.get(&partition).is_some_and(|records| records.len() >= expected.len())
        });
        let read: Vec<_> = member.read[&partition].iter().map(text_of).collect();
        assert_eq!(read, expected);
    }
}

/// What is held gives no record, whatever is fetched already; a position asked for is read from there. Other partitions
/// are not held up, and holding twice is as good as once.
pub fn a_held_partition_is_not_read_until_asked_again_and_others_go_on(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "held", 2);
    let (held, other) = (TopicPartition::new(Arc::clone(&topic), 0), TopicPartition::new(Arc::clone(&topic), 1));
    publish_texts(harness, &topic, 0, &["0", "1", "2"]);
    let mut member = Member::alone(harness, &harness.unique("held"), "one", &[&topic], 2);
    let beginning = [(held.clone(), 0), (other.clone(), 0)];
    member.consumer.fetch_from(&beginning).expect("the positions are set");
    member.poll_until("the records are read", |member| member.read.get(&held).is_some_and(|read| read.len() == 3));
    for _ in 0..2 {
        member.consumer.hold(std::slice::from_ref(&held)).expect("the partition is held");
    }
    publish_texts(harness, &topic, 0, &["3", "4"]);
    publish_texts(harness, &topic, 1, &["other"]);
    member.poll_until("the other partition is read", |member| member.read.contains_key(&other));
    for _ in 0..A_FEW_POLLS {
        member.poll();
    }
    assert_eq!(member.read[&held].len(), 3, "a held partition was read");
    member.read.clear();
    member.consumer.fetch_from(&[(held.clone(), 2)]).expect("the position is set");
    member.poll_until("the records are read", |member| member.read.get(&held).is_some_and(|read| read.len() >= 3));
    let read: Vec<_> = member.read[&held].iter().map(text_of).collect();
    assert_eq!(read, ["2", "3", "4"]);
}

/// A position beyond the end is not quietly replaced by another.
pub fn a_position_beyond_the_end_is_reported_to_the_member(harness: &dyn ConformanceHarness) {
    let topic = topic(harness, "beyond", 1);
    let partition = TopicPartition::new(Arc::clone(&topic), 0);
    publish_texts(harness, &topic, 0, &["0"]);
    let mut member = Member::alone(harness, &harness.unique("beyond"), "one", &[&topic], 1);
    member.consumer.fetch_from(&[(partition.clone(), 50)]).expect("the position is set");
    member.poll_until("the position is reported", |member| !member.out_of_range.is_empty());
    assert_eq!(member.out_of_range, [partition]);
    assert!(member.read.is_empty());
}

fn partitions_of(member: &Member<'_>, topic: &Arc<str>) -> BTreeSet<i32> {
    member.held.iter().filter(|held| held.topic == *topic).map(|held| held.partition).collect()
}
