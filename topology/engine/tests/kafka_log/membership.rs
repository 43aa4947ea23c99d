//! Members of a group: what they own, where they stand, and who may commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use concord_engine::log::kafka::GroupProtocol;
use concord_engine::log::{ConsumerEvent, LogErrorKind, TopicPartition};

use crate::cluster::*;

#[test]
fn there_is_no_proof_of_membership_before_the_group_lets_a_member_in() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("membership", 1);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        assert_eq!(member.consumer.membership().unwrap_err().kind, LogErrorKind::NotMember);
        member.own(1);
        let membership = member.consumer.membership().unwrap();
        assert!(membership.generation > 0 && !membership.member.is_empty(), "{membership:?}");
        member.consumer.close(true).unwrap();
        assert_eq!(member.consumer.membership().unwrap_err().kind, LogErrorKind::NotMember);
    }
}

#[test]
fn offsets_are_committed_with_the_transaction_and_with_it_only() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("offsets", 2);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let both = [TopicPartition::new(Arc::clone(&topic), 1), TopicPartition::new(Arc::clone(&topic), 0)];
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [None, None]);

        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let membership = member.consumer.membership().unwrap();
        assert_eq!(producer.send_offsets(&[], &membership).unwrap_err().kind, LogErrorKind::Fatal);
        producer.send_offsets(&[(both[0].clone(), 5)], &membership).unwrap();
        producer.commit().unwrap();
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [Some(5), None]);

        producer.begin().unwrap();
        let membership = member.consumer.membership().unwrap();
        producer.send_offsets(&[(both[0].clone(), 9), (both[1].clone(), 9)], &membership).unwrap();
        producer.abort().unwrap();
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [Some(5), None]);
    }
}

/// By then the group has let a new client in, by either protocol.
const LET_IN: Duration = Duration::from_secs(5);

/// A transaction that stays open keeps the answer back, for longer than one that the settings allow could.
#[test]
fn a_member_that_the_group_does_not_answer_for_two_sessions_gives_up_what_it_has_and_joins_again() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("silence", 2);
        let session = Duration::from_secs(6);
        let mut member = Member::new(cluster.member_with(session, &unique("group"), "0", &[&topic]));
        member.own(2);
        let both = [TopicPartition::new(Arc::clone(&topic), 0), TopicPartition::new(Arc::clone(&topic), 1)];
        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let membership = member.consumer.membership().unwrap();
        producer.send_offsets(&[(both[0].clone(), 5), (both[1].clone(), 7)], &membership).unwrap();

        let mut gave_up = false;
        until("giving up", || {
            let error = member.consumer.committed(&both, 10 * SHORT).unwrap_err();
            assert!(matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable), "{error}");
            // What the worker does between that answer and its next poll: a commit of what it had.
            gave_up = member.consumer.membership().is_err();
            if gave_up {
                std::thread::sleep(LET_IN);
                assert_eq!(member.consumer.membership().unwrap_err().kind, LogErrorKind::NotMember);
            }
            member.turn(false);
            member.revocations > 0
        });
        assert!(gave_up, "it was no member before its worker heard of it");
        assert!(member.owned.is_empty(), "all that it had is lost");
        producer.commit().unwrap();
        member.own(2);
        assert_eq!(member.consumer.committed(&both, PATIENCE).unwrap(), [Some(5), Some(7)]);
    }
}

#[test]
fn nothing_is_read_from_a_partition_before_its_position_is_given() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("held", 2);
        cluster.write(&topic, 0, 0..100);
        cluster.write(&topic, 1, 100..200);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let held_until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < held_until {
            member.turn(false);
        }
        assert_eq!(member.values, [0u64; 0], "{protocol:?}: nothing asked for, nothing read");
        member.consumer.fetch_from(&[(TopicPartition::new(Arc::clone(&topic), 1), 90)]).unwrap();
        until("the last ten of partition 1", || {
            member.turn(false);
            member.values.len() >= 10
        });
        assert_eq!(member.values, (190..200).collect::<Vec<_>>(), "{protocol:?}: the other partition is still held");
        member.consumer.fetch_from(&[(TopicPartition::new(Arc::clone(&topic), 0), 0)]).unwrap();
        until("all of partition 0", || {
            member.turn(false);
            member.values.len() >= 110
        });
        assert_eq!(member.values[10..], (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn moving_back_with_records_already_fetched_loses_and_repeats_nothing() {
    const COUNT: u64 = 20_000;
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("back", 1);
        cluster.write(&topic, 0, 0..COUNT);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(1);
        let partition = TopicPartition::new(Arc::clone(&topic), 0);
        member.consumer.fetch_from(&[(partition.clone(), 0)]).unwrap();
        let mut at = 0;
        // Forth by whole polls, back by a part of them, as after aborts; fetched-ahead records are in the queue each time.
        for back in [1, 700, 0, 1500, 3, 999, 2000, 0, 1] {
            until("some records", || {
                member.values.clear();
                member.turn(false);
                !member.values.is_empty()
            });
            let expected: Vec<u64> = (at..at + member.values.len() as u64).collect();
            assert_eq!(member.values, expected, "{protocol:?}");
            at += member.values.len() as u64;
            at = at.saturating_sub(back);
            member.consumer.fetch_from(&[(partition.clone(), at as i64)]).unwrap();
        }
        member.values.clear();
        until("all records", || {
            member.turn(false);
            member.values.len() as u64 >= COUNT - at
        });
        assert_eq!(member.values, (at..COUNT).collect::<Vec<_>>(), "{protocol:?}");
    }
}

#[test]
fn a_position_that_does_not_exist_is_told_and_another_can_be_taken() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("range", 2);
        cluster.write(&topic, 0, 0..10);
        cluster.write(&topic, 1, 100..110);
        let mut member = Member::new(cluster.member(&unique("group"), "0", &[&topic]));
        member.own(2);
        let [zero, one] = [0, 1].map(|p| TopicPartition::new(Arc::clone(&topic), p));
        member.consumer.fetch_from(&[(zero.clone(), 500), (one.clone(), 0)]).unwrap();
        let mut told = false;
        until("out of range", || {
            for event in member.consumer.poll(5, SHORT).unwrap() {
                match event {
                    ConsumerEvent::OutOfRange(partition) => {
                        assert_eq!(partition, zero);
                        told = true;
                    }
                    ConsumerEvent::Records { from, records } => {
                        assert_eq!(from, one);
                        member.values.extend(records.iter().map(value_of));
                    }
                    other => panic!("{other:?}"),
                }
            }
            told
        });
        let earliest = member.consumer.earliest(&zero, PATIENCE).unwrap();
        assert_eq!(earliest, 0);
        member.consumer.fetch_from(&[(zero, earliest)]).unwrap();
        until("all records", || {
            member.turn(false);
            member.values.len() >= 20
        });
        member.values.sort_unstable();
        assert_eq!(
            member.values,
            (0..10).chain(100..110).collect::<Vec<_>>(),
            "{protocol:?}: nothing lost or repeated"
        );
    }
}

#[test]
fn a_second_member_gets_its_share_only_after_the_first_released_it() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topics = [cluster.topic("share.a", 4), cluster.topic("share.b", 4)];
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topics[0], &topics[1]]));
        first.own(8);
        let mut second = Member::new(cluster.member(&group, "1", &[&topics[0], &topics[1]]));

        let mut going = Vec::new();
        until("a revocation", || {
            second.turn(false);
            for event in first.consumer.poll(10, SHORT).unwrap() {
                if let ConsumerEvent::Revoked { partitions, lost } = event {
                    assert!(!lost);
                    going = partitions;
                }
            }
            !going.is_empty()
        });
        let waited_until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < waited_until {
            second.turn(false);
            assert!(first.consumer.poll(10, SHORT).unwrap().is_empty());
        }
        assert_eq!(second.owned, [], "{protocol:?}: nothing moves before the release");
        // The last transaction of the old owner is still accepted: it is a member until it lets go.
        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let membership = first.consumer.membership().unwrap();
        producer.send_offsets(&[(going[0].clone(), 3)], &membership).unwrap();
        producer.commit().unwrap();
        let (one, rest) = going.split_at(1);
        first.owned.retain(|p| !going.contains(p));
        first.consumer.release(one).unwrap();
        first.consumer.release(rest).unwrap();
        until("four partitions each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 4 && second.owned.len() == 4
        });
        for member in [&first, &second] {
            let mut of_each = topics.each_ref().map(|topic| {
                let mut numbers: Vec<i32> =
                    member.owned.iter().filter(|p| p.topic == *topic).map(|p| p.partition).collect();
                numbers.sort_unstable();
                numbers
            });
            assert_eq!(of_each[0], of_each[1], "{protocol:?}: equal numbers of both topics stay together");
            of_each[0].dedup();
            assert_eq!(of_each[0].len(), 2);
        }

        // And back, when the second leaves. The new protocol keeps a static member's place until its session ends.
        if protocol == GroupProtocol::Consumer {
            continue;
        }
        second.consumer.close(false).unwrap();
        until("all partitions again", || {
            if second.owned.is_empty() {
                second.consumer.close(true).unwrap();
            } else {
                second.turn(false);
            }
            first.turn(false);
            first.owned.len() == 8
        });
    }
}

#[test]
fn an_old_proof_of_membership_is_fenced_once_the_group_has_moved_on() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("zombie", 2);
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topic]));
        first.own(2);
        let old = first.consumer.membership().unwrap();
        let mut second = Member::new(cluster.member(&group, "1", &[&topic]));
        until("one partition each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 1 && second.owned.len() == 1
        });
        let mut producer = cluster.producer();
        producer.begin().unwrap();
        let error = producer.send_offsets(&[(second.owned[0].clone(), 7)], &old).unwrap_err();
        assert_eq!(error.kind, LogErrorKind::MustAbort, "{protocol:?}: {error}");
        producer.abort().unwrap();
        producer.begin().unwrap();
        let now = second.consumer.membership().unwrap();
        producer.send_offsets(&[(second.owned[0].clone(), 1)], &now).unwrap();
        producer.commit().unwrap();
    }
}

#[test]
fn a_member_whose_place_another_has_taken_commits_no_positions() {
    let Some(cluster) = cluster_by(GroupProtocol::Classic) else { return };
    let topic = cluster.topic("replaced", 1);
    let group = unique("group");
    let mut older = Member::new(cluster.member(&group, "0", &[&topic]));
    older.own(1);
    let position = |offset| [(older.owned[0].clone(), offset)];
    older.consumer.commit(&position(3)).unwrap();
    let later = position(9);
    let mut newer = Member::new(cluster.member(&group, "0", &[&topic]));
    newer.own(1);
    // It is told to stop as soon as it asks, or, if its client knows already, that it is no member.
    let error = older.consumer.commit(&later).unwrap_err();
    assert!(matches!(error.kind, LogErrorKind::Fatal | LogErrorKind::MustAbort | LogErrorKind::NotMember), "{error}");
    let committed = newer.consumer.committed(&[later[0].0.clone()], PATIENCE).unwrap();
    assert_eq!(committed, [Some(3)]);
}

#[test]
fn a_member_that_closes_and_keeps_its_place_finds_its_partitions_again_and_disturbs_nobody() {
    for protocol in BOTH {
        let Some(cluster) = cluster_by(protocol) else { return };
        let topic = cluster.topic("restart", 2);
        let group = unique("group");
        let mut first = Member::new(cluster.member(&group, "0", &[&topic]));
        let mut second = Member::new(cluster.member(&group, "1", &[&topic]));
        until("one partition each", || {
            first.turn(false);
            second.turn(false);
            first.owned.len() == 1 && second.owned.len() == 1
        });
        let (kept, revocations) = (second.owned.clone(), first.revocations);
        second.consumer.close(true).unwrap();
        let mut again = Member::new(cluster.member(&group, "1", &[&topic]));
        until("its partition", || {
            first.turn(false);
            again.turn(false);
            again.owned.len() == 1
        });
        assert_eq!(again.owned, kept, "{protocol:?}");
        assert_eq!(first.revocations, revocations, "{protocol:?}");
        assert_eq!(first.owned.len(), 1);
    }
}
