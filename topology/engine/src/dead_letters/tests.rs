#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::rejection::codes;
use crate::test_flow::{BETWEEN, EVENTS, REFUSED, TestFlow, UPSERTS};

fn letters(flow: &TestFlow) -> Vec<DeadLetter> {
    let mut letters = Vec::new();
    read_dead_letters(flow.run.log(), &flow.topology, &mut |letter| letters.push(letter)).unwrap();
    letters
}

fn replay_with(flow: &TestFlow, choice: &ReplayChoice) -> Replayed {
    replay(flow.run.log(), &flow.topology, choice).unwrap()
}

fn replay_all(flow: &TestFlow) -> Replayed {
    replay_with(flow, &ReplayChoice::default())
}

fn reasons(replayed: &Replayed) -> Vec<KeptBecause> {
    replayed.kept.iter().map(|(_, reason)| *reason).collect()
}

#[test]
fn a_letter_tells_its_source_its_stage_and_its_cause() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    let [letter] = &letters(&flow)[..] else { panic!("one letter") };
    let source = letter.source.as_ref().unwrap();
    assert_eq!((&*source.topic, source.offset), (EVENTS, 0));
    assert_eq!((letter.stage.as_str(), letter.code.as_str()), ("processor", REFUSED));
    assert_eq!(letter.message, "the practice is refused");
    let again = dead_letter_at(flow.run.log(), &flow.topology, letter.at.partition, letter.at.offset).unwrap();
    assert_eq!(again.as_ref(), Some(letter));
    assert_eq!(dead_letter_at(flow.run.log(), &flow.topology, letter.at.partition, 99).unwrap(), None);
}

#[test]
fn a_replayed_record_is_the_original_with_a_header_that_names_the_letter() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    let letter = letters(&flow).remove(0);
    assert_eq!(replay_all(&flow), Replayed { published: 1, ..Replayed::default() });
    let [original, replayed] = &flow.records(EVENTS)[..] else { panic!("the original and its replay") };
    assert_eq!((&replayed.key, &replayed.value), (&original.key, &original.value));
    assert_eq!(replayed.timestamp_ms, original.timestamp_ms);
    let headers: Vec<(&str, &[u8])> = replayed.headers.iter().map(|h| (&*h.name, &h.value[..])).collect();
    let from = letter.at.to_string();
    assert_eq!(headers, [("traceparent", &b"00-1"[..]), (REPLAYED_FROM, from.as_bytes())]);
}

#[test]
fn replaying_twice_publishes_once() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    assert_eq!(replay_all(&flow).published, 1);
    let second = replay_all(&flow);
    assert_eq!((second.published, reasons(&second)), (0, vec![KeptBecause::ReplayedBefore]));
}

#[test]
fn a_replayed_record_that_is_rejected_again_makes_a_letter_that_can_be_replayed_in_turn() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    replay_all(&flow);
    flow.process();
    assert_eq!(letters(&flow).len(), 2);
    let second = replay_all(&flow);
    assert_eq!((second.published, reasons(&second)), (1, vec![KeptBecause::ReplayedBefore]));
    let newest = flow.records(EVENTS).pop().unwrap();
    assert_eq!(newest.headers.iter().filter(|h| &*h.name == REPLAYED_FROM).count(), 1);
}

#[test]
fn an_upsert_that_a_newer_one_has_replaced_is_not_replayed_unless_asked_for() {
    let mut flow = TestFlow::start();
    flow.publish(UPSERTS, "k", "REFUSE");
    flow.publish(UPSERTS, "k", "B85001");
    let kept = replay_all(&flow);
    assert_eq!((kept.published, reasons(&kept)), (0, vec![KeptBecause::Superseded]));
    let choice = ReplayChoice { superseded_too: true, ..ReplayChoice::default() };
    assert_eq!(replay_with(&flow, &choice).published, 1);
}

#[test]
fn an_upsert_without_a_newer_one_and_an_event_behind_which_others_stand_are_replayed() {
    let mut flow = TestFlow::start();
    flow.publish(UPSERTS, "k", "REFUSE");
    flow.publish(UPSERTS, "another", "B85001");
    flow.publish(EVENTS, "k", "REFUSE");
    flow.publish(EVENTS, "k", "B85001");
    assert_eq!(replay_all(&flow).published, 2);
}

#[test]
fn a_letter_of_the_second_hop_goes_back_to_the_topic_between_the_hops() {
    let mut flow = TestFlow::start();
    flow.publish_bytes(BETWEEN, "k", b"not avro");
    assert_eq!(replay_all(&flow).published, 1);
    assert_eq!(flow.records(BETWEEN).len(), 2);
}

#[test]
fn code_and_coordinates_narrow_the_choice_and_what_is_not_found_is_said() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    flow.publish_bytes(EVENTS, "k", b"not avro");
    let unreadable = letters(&flow).into_iter().find(|letter| letter.code == codes::UNREADABLE_VALUE).unwrap();
    let place = (unreadable.at.partition, unreadable.at.offset);
    let with = |code: &str, letters: Option<Vec<(i32, Offset)>>| {
        replay_with(&flow, &ReplayChoice { code: Some(code.to_owned()), letters, superseded_too: false })
    };
    let wrong_code = with(REFUSED, Some(vec![place]));
    assert_eq!((wrong_code.published, wrong_code.not_found), (0, vec![place]));
    let missing = with(codes::UNREADABLE_VALUE, Some(vec![place, (0, 99)]));
    assert_eq!((missing.published, missing.not_found), (1, vec![(0, 99)]));
    assert_eq!(with(REFUSED, None).published, 1);
}

#[test]
fn a_payload_too_large_for_its_letter_comes_from_its_source_as_long_as_that_has_it() {
    let mut flow = TestFlow::start();
    let large = vec![b'x'; 1_090_000];
    flow.publish_bytes(UPSERTS, "k", &large);
    let letter = letters(&flow).remove(0);
    assert!(letter.truncated && letter.record.value.is_none());
    assert_eq!(replay_all(&flow).published, 1);
    let replayed = flow.records(UPSERTS).pop().unwrap();
    assert_eq!((replayed.value.unwrap().len(), replayed.key.unwrap()), (large.len(), Bytes::from_static(b"k")));

    flow.publish(UPSERTS, "another", "B85001");
    flow.publish_bytes(UPSERTS, "k", &large);
    flow.publish(UPSERTS, "k", "B85001");
    assert_eq!(
        reasons(&replay_all(&flow)),
        [KeptBecause::ReplayedBefore, KeptBecause::Superseded, KeptBecause::Superseded]
    );
    flow.run.log().compact(UPSERTS, false).unwrap();
    let choice = ReplayChoice { superseded_too: true, ..ReplayChoice::default() };
    let gone = replay_with(&flow, &choice);
    assert_eq!((gone.published, gone.kept.first().map(|k| k.1)), (0, Some(KeptBecause::PayloadGone)));
}

#[test]
fn a_timer_that_was_rejected_is_listed_and_never_replayed() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "TIMER");
    let [letter] = &letters(&flow)[..] else { panic!("one letter") };
    assert_eq!(letter.source, None);
    assert_eq!(reasons(&replay_all(&flow)), [KeptBecause::NoSource]);
}
