#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use super::*;
use concord_edifact::{MessageKind, Strictness, read_interchanges};

fn settings(seed: u64) -> LinkTrafficSettings {
    LinkTrafficSettings {
        practices: 6,
        interchanges: 60,
        seed,
        start: "2026-01-05T08:00:00Z".parse().unwrap(),
        grace: SignedDuration::from_hours(1),
        faults_per_mille: 30,
    }
}

#[test]
fn what_is_generated_has_no_defect_and_is_the_same_for_the_same_seed() {
    let traffic = LinkTraffic::generate(&settings(1));
    assert_eq!(traffic, LinkTraffic::generate(&settings(1)));
    assert_ne!(traffic, LinkTraffic::generate(&settings(2)));
    let mut kinds = HashSet::new();
    for delivery in &traffic.deliveries {
        let read = read_interchanges(delivery.text.as_bytes(), Strictness::Strict);
        assert_eq!(read.len(), 1);
        kinds.extend(read[0].as_ref().unwrap().messages.iter().map(|message| message.kind));
    }
    assert_eq!(kinds, HashSet::from([MessageKind::Registration, MessageKind::Receipt]));
    assert!(traffic.deliveries.is_sorted_by_key(|delivery| delivery.at));
}

#[test]
fn every_kind_of_fault_is_planted_and_none_when_none_is_asked_for() {
    let planted: HashSet<_> =
        (1..5).flat_map(|seed| LinkTraffic::generate(&settings(seed)).planted).map(|fault| fault.kind as u8).collect();
    assert_eq!(planted.len(), 8);
    let whole = LinkTraffic::generate(&LinkTrafficSettings { faults_per_mille: 0, interchanges: 19, ..settings(1) });
    assert!(whole.planted.is_empty(), "{:?}", whole.planted);
}
