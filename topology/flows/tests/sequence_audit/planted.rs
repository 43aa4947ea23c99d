//! Generated traffic with planted faults through the whole topology: confirmed findings are what was planted.

use std::collections::BTreeSet;

use concord_connectors::synthetic::{LinkTraffic, LinkTrafficSettings, Planted, PlantedFault};
use jiff::SignedDuration;

use crate::stage::{GRACE, NOW, OVERDUE, Stage, instant};

pub fn traffic(practices: u32, interchanges: u32, seed: u64) -> LinkTraffic {
    LinkTraffic::generate(&LinkTrafficSettings {
        practices,
        interchanges,
        seed,
        start: instant(NOW),
        grace: SignedDuration::from_millis(GRACE),
        faults_per_mille: 25,
    })
}

/// What a planted fault is found as.
fn expected(fault: &PlantedFault) -> String {
    let (kind, state) = match fault.kind {
        Planted::Lost => ("gap", "confirmed"),
        Planted::Late => ("gap", "closed-late"),
        Planted::SentAgain => ("duplicate", "confirmed"),
        Planted::SentDifferent => ("duplicate-differs", "confirmed"),
        Planted::EpochChange => ("epoch-change", "confirmed"),
        Planted::NoReceipt => ("receipt-overdue", "confirmed"),
        Planted::Refused => ("negative-receipt", "confirmed"),
        Planted::Orphan => ("orphan-receipt", "confirmed"),
    };
    let PlantedFault { sender, recipient, counter, from, to, .. } = fault;
    // Where an epoch begins is not planted but drawn.
    let numbers = if fault.kind == Planted::EpochChange { String::new() } else { format!(" {from}-{to}") };
    format!("{kind} {state} {counter} {sender}>{recipient}{numbers}")
}

fn found(told: String) -> String {
    if told.starts_with("epoch-change") {
        return told.rsplit_once(' ').map(|(before, _)| before.to_owned()).unwrap();
    }
    told
}

/// Findings and planted faults are the same.
pub fn agree(stage: &Stage, traffic: &LinkTraffic, seed: u64) {
    let expected: BTreeSet<String> = traffic.planted.iter().map(expected).collect();
    let told = stage.told();
    let count = told.len();
    let found: BTreeSet<String> = told.into_iter().map(found).collect();
    let missed: Vec<_> = expected.difference(&found).collect();
    let invented: Vec<_> = found.difference(&expected).collect();
    assert!(missed.is_empty() && invented.is_empty(), "seed {seed}: missed {missed:#?}, invented {invented:#?}");
    assert_eq!(count, found.len(), "seed {seed}: one finding for each fault");
}

#[test]
fn what_is_found_is_what_was_planted() {
    let mut planted = 0;
    for seed in 1..=4 {
        let traffic = traffic(6, 50, seed);
        let mut stage = Stage::new();
        for delivery in &traffic.deliveries {
            let wait = delivery.at.as_millisecond() - stage.driver.now_ms();
            if wait > 0 {
                stage.driver.run_for(wait).unwrap();
            }
            stage.publish(&delivery.text);
        }
        stage.settle();
        stage.pass(2 * OVERDUE);
        agree(&stage, &traffic, seed);
        stage.check();
        planted += traffic.planted.len();
    }
    assert!(planted > 80, "only {planted} faults were planted");
}
