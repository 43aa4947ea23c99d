//! Topologies that cannot work are refused when they are built.

use concord_engine::driver::{DriverError, DriverSettings, TopologyTestDriver};
use concord_engine::topology::{Cleanup, StoreHandle, SubTopologyBuilder, Topic, TopologyBuilder, TopologyError};

use crate::counting::{INPUT, Registrations, register};

fn reader_of(sub: &mut SubTopologyBuilder<'_>, topic: Topic<Registrations>, processor: &'static str) {
    let source = sub.source(topic);
    sub.processor(processor, |p| {
        p.on(source, |_: &mut (), _, _| Ok(()));
        || ()
    });
}

fn input(t: &mut TopologyBuilder, name: &str, partitions: i32) -> Topic<Registrations> {
    t.input::<Registrations>(name, "NHS number", partitions, Cleanup::Compact)
}

/// What building answers to a declaration.
fn refusal(declare: impl FnOnce(&mut TopologyBuilder)) -> TopologyError {
    let mut t = TopologyBuilder::new("refused");
    declare(&mut t);
    t.build().err().expect("the topology must be refused")
}

#[test]
fn two_stores_of_one_name_are_refused_even_in_different_sub_topologies() {
    let error = refusal(|t| {
        for (topic, name) in [("a", "one"), ("b", "two")] {
            let topic = input(t, topic, 1);
            t.sub_topology(name, |sub| {
                reader_of(sub, topic, "reader");
                sub.key_value_store::<()>("counts");
            });
        }
    });
    assert_eq!(error, TopologyError::DuplicateName { kind: "store", name: "counts".to_owned() });
}

#[test]
fn two_topics_processors_or_sub_topologies_of_one_name_are_refused() {
    let topics = refusal(|t| {
        let topic = input(t, "same", 1);
        input(t, "same", 1);
        t.sub_topology("one", |sub| reader_of(sub, topic, "reader"));
    });
    assert_eq!(topics, TopologyError::DuplicateName { kind: "topic", name: "same".to_owned() });
    let processors = refusal(|t| {
        let (a, b) = (input(t, "a", 1), input(t, "b", 1));
        t.sub_topology("one", |sub| {
            reader_of(sub, a, "reader");
            reader_of(sub, b, "reader");
        });
    });
    assert_eq!(processors, TopologyError::DuplicateName { kind: "processor", name: "reader".to_owned() });
    let sub_topologies = refusal(|t| {
        let (a, b) = (input(t, "a", 1), input(t, "b", 1));
        t.sub_topology("one", |sub| reader_of(sub, a, "reader"));
        t.sub_topology("one", |sub| reader_of(sub, b, "reader"));
    });
    assert_eq!(sub_topologies, TopologyError::DuplicateName { kind: "sub-topology", name: "one".to_owned() });
}

#[test]
fn sources_with_different_partition_counts_cannot_share_tasks() {
    let error = refusal(|t| {
        let (a, b) = (input(t, "a", 2), input(t, "b", 3));
        t.sub_topology("joined", |sub| {
            reader_of(sub, a, "first");
            reader_of(sub, b, "second");
        });
    });
    assert_eq!(
        error,
        TopologyError::NotCopartitioned { sub_topology: "joined".to_owned(), counts: "a: 2, b: 3".to_owned() }
    );
}

#[test]
fn a_topic_read_by_two_sub_topologies_and_a_source_nobody_handles_are_refused() {
    let twice = refusal(|t| {
        let topic = input(t, "a", 1);
        t.sub_topology("one", |sub| reader_of(sub, topic, "reader"));
        t.sub_topology("two", |sub| reader_of(sub, topic, "reader"));
    });
    assert_eq!(twice, TopologyError::ReadTwice { topic: "a".to_owned() });
    let unhandled = refusal(|t| {
        let (a, b) = (input(t, "a", 1), input(t, "b", 1));
        t.sub_topology("one", |sub| {
            reader_of(sub, a, "reader");
            sub.source(b);
        });
    });
    assert!(matches!(unhandled, TopologyError::Incomplete(_)), "{unhandled}");
}

#[test]
fn a_processor_with_the_handle_of_another_stops_the_worker() {
    let mut t = TopologyBuilder::new("borrowed");
    let (a, b) = (input(&mut t, INPUT, 1), input(&mut t, "other", 1));
    t.sub_topology("one", |sub| {
        let (first, second) = (sub.source(a), sub.source(b));
        let store = sub.key_value_store::<()>("mine");
        let mut lent = None;
        sub.processor("owner", |p| {
            p.on(second, |_: &mut (), _, _| Ok(()));
            lent = Some(p.store(store));
            || ()
        });
        let lent = lent.unwrap();
        sub.processor("borrower", |p| {
            p.on(first, |handle: &mut StoreHandle<()>, ctx, _| ctx.delete(*handle, b"key"));
            move || lent
        });
    });
    let mut driver = TopologyTestDriver::start(t.build().unwrap(), DriverSettings::with_workers(1)).unwrap();
    register(&mut driver, 1);
    let error = driver.run_until_idle().unwrap_err();
    assert!(matches!(error, DriverError::Worker { worker: 0, .. }), "{error}");
    assert!(error.to_string().contains("`borrower` uses a handle"), "{error}");
    assert!(!driver.is_up(0));
}
