#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::dead_letters::{ReplayChoice, replay};
use crate::test_flow::{BETWEEN, EVENTS, OUT, TestFlow, UPSERTS};

fn explained(flow: &TestFlow, topic: &str, key: &str) -> Option<Explanation> {
    explain(flow.run.log(), &flow.topology, topic, key.as_bytes()).unwrap()
}

/// The chain of first inputs, as topics.
fn chain(mut explanation: &Explanation) -> Vec<&str> {
    let mut topics = vec![&*explanation.at.topic];
    while let Some(input) = explanation.inputs.first() {
        topics.push(&input.at.topic);
        explanation = input;
    }
    topics
}

#[test]
fn an_output_is_followed_over_every_hop_to_the_record_from_outside() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "B85001");
    let output = explained(&flow, OUT, "k").unwrap();
    assert_eq!(chain(&output), [OUT, BETWEEN, EVENTS]);
    assert_eq!((output.rule.as_deref(), output.role), (Some("PASS-01"), Some(TopicRole::Output)));
    assert_eq!(output.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(output.written_by, [Place { sub_topology: "second", processor: "emit" }]);
    let between = &output.inputs[0];
    assert_eq!(between.written_by, [Place { sub_topology: "first", processor: "accept" }]);
    assert_eq!(between.read_by, output.written_by);
    let input = &between.inputs[0];
    assert_eq!((input.role, input.written_by.is_empty()), (Some(TopicRole::Input), true));
    let Found::Record(record) = &input.found else { panic!("the input is there") };
    assert_eq!((record.timestamp_ms, record.key.as_deref()), (1_000, Some(&b"k"[..])));
}

#[test]
fn the_last_record_of_the_key_is_the_one_explained() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "B85001");
    flow.publish(EVENTS, "other", "B85001");
    flow.publish(UPSERTS, "k", "B85002");
    assert_eq!(chain(&explained(&flow, OUT, "k").unwrap()), [OUT, BETWEEN, UPSERTS]);
    assert_eq!(explained(&flow, OUT, "unknown"), None);
}

#[test]
fn a_tombstone_names_the_rule_and_the_cause_for_which_its_key_has_no_value_any_more() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "B85001");
    assert_eq!(explained(&flow, OUT, "k").unwrap().cause, None);
    flow.publish(EVENTS, "k", "GONE");
    let taken_back = explained(&flow, OUT, "k").unwrap();
    let Found::Record(record) = &taken_back.found else { panic!("the tombstone is there") };
    assert_eq!(record.value, None);
    assert_eq!((taken_back.rule.as_deref(), taken_back.cause.as_deref()), (Some("PASS-01"), Some("LEFT")));
    assert_eq!(chain(&taken_back), [OUT, BETWEEN, EVENTS]);
}

#[test]
fn an_input_that_its_topic_no_longer_has_is_named_as_gone() {
    let mut flow = TestFlow::start();
    flow.publish(UPSERTS, "k", "B85001");
    let first = explained(&flow, OUT, "k").unwrap();
    flow.publish(UPSERTS, "k", "REFUSE");
    flow.run.log().compact(UPSERTS, false).unwrap();
    let output = explained(&flow, OUT, "k").unwrap();
    let input = &output.inputs[0].inputs[0];
    assert_eq!((&input.found, &input.at), (&Found::Gone, &first.inputs[0].inputs[0].at));
}

#[test]
fn a_replayed_record_is_followed_through_its_dead_letter_to_the_original() {
    let mut flow = TestFlow::start();
    flow.publish(EVENTS, "k", "REFUSE");
    replay(flow.run.log(), &flow.topology, &ReplayChoice::default()).unwrap();
    let replayed = explained(&flow, EVENTS, "k").unwrap();
    assert_eq!(chain(&replayed), [EVENTS, "test.dead-letters", EVENTS]);
}

#[test]
fn an_unknown_topic_is_an_error() {
    let flow = TestFlow::start();
    let error = explain(flow.run.log(), &flow.topology, "nowhere", b"k").unwrap_err();
    assert_eq!(error.kind, LogErrorKind::UnknownTopic);
}
