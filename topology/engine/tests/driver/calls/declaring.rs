//! What a declared call adds to a topology, and which declarations are refused.

use std::time::Duration;

use concord_engine::calls::{CallLimits, CallResult};
use concord_engine::topology::{
    Cleanup, Compatibility, Fingerprint, ProcessorBuilder, Topology, TopologyBuilder, TopologyError,
};
use concord_engine::{Context, ProcessError};

use super::reading::{LIMITS, READ, topology};
use crate::counting::{INPUT, Registrations};

fn nothing(_: &mut (), _: &mut Context<'_>, _: CallResult) -> Result<(), ProcessError> {
    Ok(())
}

/// A topology of two processors, which declare what they are told to.
fn declared(
    one: impl FnOnce(&mut ProcessorBuilder<'_, ()>),
    other: impl FnOnce(&mut ProcessorBuilder<'_, ()>),
) -> Result<Topology, TopologyError> {
    let mut t = TopologyBuilder::new("declared");
    let input = t.input::<Registrations>(INPUT, "NHS number", 1, Cleanup::Compact);
    t.sub_topology("part", |sub| {
        let source = sub.source(input);
        sub.processor("one", |p| {
            p.on(source, |_: &mut (), _, _| Ok(()));
            one(p);
            || ()
        });
        sub.processor("other", |p| {
            other(p);
            || ()
        });
    });
    t.build()
}

fn calls(p: &mut ProcessorBuilder<'_, ()>) {
    p.call("ask", LIMITS, nothing);
}

#[test]
fn a_call_adds_a_store_with_a_changelog_and_only_where_it_is_declared() {
    let with = topology(LIMITS);
    let names: Vec<&str> = with.sub_topologies[0].stores.iter().map(|store| store.name.as_str()).collect();
    assert_eq!(names, ["read-counts", "reading-calls", "reading-timers"]);
    assert!(with.topic("reading.reading-calls.changelog").is_some());
    let without = declared(|_| {}, |_| {}).unwrap();
    assert_eq!(without.sub_topologies[0].stores.len(), 1);
    assert!(!Fingerprint::of(&without).to_text().contains("calls"));
}

#[test]
fn the_fingerprint_knows_calls_and_whose_they_are() {
    let fingerprint = |topology: Result<Topology, TopologyError>| Fingerprint::of(&topology.unwrap());
    let (without, of_one) = (fingerprint(declared(|_| {}, |_| {})), fingerprint(declared(calls, |_| {})));
    let of_other = fingerprint(declared(|_| {}, calls));
    assert_eq!(Fingerprint::from_text(&of_one.to_text()).unwrap().verdict(&of_one), Compatibility::Same);
    assert!(
        matches!(of_one.verdict(&without), Compatibility::Compatible(added) if added.iter().any(|a| a.contains("`ask`")))
    );
    assert!(
        matches!(without.verdict(&of_one), Compatibility::NeedsMigration(left) if left.iter().any(|l| l.contains("`ask`")))
    );
    assert!(matches!(of_other.verdict(&of_one), Compatibility::Refused(wrong) if wrong[0].contains("`ask`")));
}

#[test]
fn two_calls_of_one_name_and_calls_that_can_never_be_made_are_refused() {
    let twice = declared(calls, calls).err().unwrap();
    assert_eq!(twice, TopologyError::DuplicateName { kind: "call", name: "ask".to_owned() });
    let impossible = [
        CallLimits { attempts: 0, ..LIMITS },
        CallLimits { in_flight: 0, ..LIMITS },
        CallLimits { most_pending: 0, ..LIMITS },
        CallLimits { time_limit: Duration::ZERO, ..LIMITS },
    ];
    for limits in impossible {
        let error = declared(|p| _ = p.call("ask", limits, nothing), |_| {}).err().unwrap();
        assert!(matches!(error, TopologyError::Incomplete(_)), "{error}");
    }
}

#[test]
fn a_description_shows_calls() {
    let topology = topology(LIMITS);
    assert!(topology.describe_as_text().contains("    calls   read\n"), "{}", topology.describe_as_text());
    assert!(topology.describe_as_mermaid().contains("reader <-.-> read[/read/]"));
    let json = topology.describe_as_json();
    assert_eq!(json["sub_topologies"][0]["processors"][0]["calls"][0], READ);
}
