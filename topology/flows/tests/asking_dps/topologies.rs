//! What the setting adds to the topology, and that it adds nothing where it is off.

use concord_engine::topology::Fingerprint;
use concord_flows::list_reconciliation::{DpsExchange, Profile, topology};

use crate::side::settings;

fn described(dps: DpsExchange) -> (String, Fingerprint, Vec<String>) {
    let topology = topology(&settings(dps, Profile::Fixed)).unwrap();
    let topics = topology.topics.iter().map(|topic| topic.name.to_string()).collect();
    (topology.describe_as_text(), Fingerprint::of(&topology), topics)
}

#[test]
fn without_the_exchange_nothing_of_it_is_there() {
    let (text, off, topics) = described(DpsExchange::Off);
    assert!(!text.contains("dps"), "{text}");
    assert!(topics.iter().all(|topic| !topic.contains("dps")), "{topics:?}");
    // In the place of DPS it is the rows that are others.
    let (answering_text, answering, answering_topics) = described(DpsExchange::Answers);
    assert_eq!((answering_text, answering, answering_topics), (text, off, topics));
}

#[test]
fn asking_adds_a_sub_topology_and_its_topics_and_changes_no_other() {
    let (_, off, topics) = described(DpsExchange::Off);
    let (_, asking, asking_topics) = described(DpsExchange::Asks);
    let mut added: Vec<&String> = asking_topics.iter().filter(|topic| !topics.contains(topic)).collect();
    added.sort();
    assert!(added.iter().all(|topic| topic.contains("dps")), "{added:?}");
    assert!(added.iter().any(|topic| *topic == "dps.answer"), "{added:?}");
    for (name, sub_topology) in &off.sub_topologies {
        assert_eq!(asking.sub_topologies[name], *sub_topology, "{name}");
    }
    let names: Vec<&String> =
        asking.sub_topologies.keys().filter(|name| !off.sub_topologies.contains_key(*name)).collect();
    assert_eq!(names, ["dps"]);
    assert!(matches!(asking.verdict(&off), concord_engine::topology::Compatibility::Compatible(_)));
}
