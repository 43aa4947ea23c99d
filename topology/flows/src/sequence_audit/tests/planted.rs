//! Generated traffic with planted faults: what is found at the end is what was planted, no more and no less.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use concord_connectors::synthetic::{LinkTraffic, LinkTrafficSettings, Planted, PlantedFault};
use jiff::SignedDuration;

use super::super::*;
use super::audit::{Audit, read};

const GRACE: SignedDuration = SignedDuration::from_hours(1);

fn audited(traffic: &LinkTraffic) -> Audit {
    let settings = AuditSettings::default();
    let mut audit = Audit::default();
    let mut last_ms = 0;
    for delivery in &traffic.deliveries {
        let at_ms = delivery.at.as_millisecond();
        last_ms = last_ms.max(at_ms);
        for seen in read(delivery.text.as_bytes()) {
            audit.take(&seen, at_ms, &settings);
        }
    }
    audit.end(last_ms, &settings);
    audit
}

fn traffic(seed: u64) -> LinkTraffic {
    LinkTraffic::generate(&LinkTrafficSettings {
        practices: 9,
        interchanges: 80,
        seed,
        start: "2026-01-05T08:00:00Z".parse().unwrap(),
        grace: GRACE,
        faults_per_mille: 25,
    })
}

/// What a planted fault is found as.
fn expected(fault: &PlantedFault) -> String {
    let (kind, state) = match fault.kind {
        Planted::Lost => ("Gap", "Confirmed"),
        Planted::Late => ("Gap", "ClosedLate"),
        Planted::SentAgain => ("Duplicate", "Confirmed"),
        Planted::SentDifferent => ("DuplicateDiffers", "Confirmed"),
        Planted::EpochChange => ("EpochChange", "Confirmed"),
        Planted::NoReceipt => ("ReceiptOverdue", "Confirmed"),
        Planted::Refused => ("NegativeReceipt", "Confirmed"),
        Planted::Orphan => ("OrphanReceipt", "Confirmed"),
    };
    let PlantedFault { sender, recipient, counter, from, to, .. } = fault;
    format!("{kind} {state} {counter} {sender}>{recipient} {from}-{to}")
}

fn found(finding: &Finding) -> String {
    let range = finding.numbers.unwrap_or(NumberRange { from: 0, to: 0 });
    // Where an epoch begins is not planted but drawn.
    let range = if finding.kind == FindingKind::EpochChange { NumberRange { from: 0, to: 0 } } else { range };
    let Finding { kind, state, counter, sender, recipient, .. } = finding;
    format!("{kind:?} {state:?} {} {sender}>{recipient} {}-{}", counter.as_str(), range.from, range.to)
}

fn is_what_was_planted(seed: u64, traffic: &LinkTraffic) {
    let audit = audited(traffic);
    let expected: BTreeSet<String> = traffic.planted.iter().map(expected).collect();
    let found: BTreeSet<String> = audit.findings.values().map(found).collect();
    let missed: Vec<_> = expected.difference(&found).collect();
    let invented: Vec<_> = found.difference(&expected).collect();
    assert!(missed.is_empty() && invented.is_empty(), "seed {seed}: missed {missed:#?}, invented {invented:#?}");
    assert_eq!(audit.findings.len(), found.len(), "seed {seed}: one finding for each fault");
}

#[test]
fn what_is_found_is_what_was_planted() {
    let mut planted = 0;
    for seed in 1..=20 {
        let traffic = traffic(seed);
        is_what_was_planted(seed, &traffic);
        planted += traffic.planted.len();
    }
    assert!(planted > 1000, "only {planted} faults were planted");
}

/// The kill test rests on this: it takes in any order what arrives within a third of the grace period.
#[test]
fn what_is_found_is_what_was_planted_when_each_third_of_a_grace_period_comes_backwards() {
    for seed in 1..=20 {
        let mut traffic = traffic(seed);
        let third = |at: jiff::Timestamp| at.as_second() / (GRACE.as_secs() / 3);
        traffic.deliveries.sort_by_key(|delivery| (third(delivery.at), Reverse(delivery.at)));
        is_what_was_planted(seed, &traffic);
    }
}

#[test]
fn the_state_costs_by_open_findings_and_not_by_messages() {
    let of = |interchanges| {
        let traffic = LinkTraffic::generate(&LinkTrafficSettings {
            practices: 1,
            interchanges,
            seed: 7,
            start: "2026-01-05T08:00:00Z".parse().unwrap(),
            grace: GRACE,
            faults_per_mille: 0,
        });
        let audit = audited(&traffic);
        let of_links: usize = audit.links.values().map(|link| stored(link).unwrap().len()).sum();
        let of_lines: usize = audit.transactions.values().map(|(_, line)| stored(line).unwrap().len()).sum();
        (audit.messages.len(), of_links + of_lines)
    };
    let (few, many) = (of(1000), of(4000));
    assert_eq!((few.0, many.0), (0, 0), "settled messages have no state");
    // The windows are full in both; only the digits of numbers and counts grow.
    assert!(many.1 <= few.1 + few.1 / 10, "{} bytes became {}", few.1, many.1);
}
