//! A crash loses nothing and repeats nothing.

use concord_edifact::MessageCode;
use concord_engine::log::embedded::{Call, Fault};

use crate::stage::{GRACE, OVERDUE, Stage, receipt, registration};

/// How many calls of a kind are tried: more than the scene makes.
const MOST_CALLS: usize = 80;

/// Days of a link; `calls` calls to commit go well, and the next one kills its worker. False when there was no next one.
fn scene(calls: usize, took_effect: bool) -> bool {
    let mut stage = Stage::new();
    let nth = stage.driver.faults().calls_of(Call::Commit) + 1 + calls as u64;
    // The driver follows it: clones share one plan.
    drop(stage.driver.faults().clone().at(Call::Commit, nth, Fault::Crash { took_effect }));
    for number in [1, 3, 6] {
        stage.publish(&registration(number));
        run(&mut stage, 0);
    }
    stage.publish(&receipt(64, 1, MessageCode::Success));
    stage.publish(&receipt(65, 3, MessageCode::Error));
    run(&mut stage, 2 * GRACE);
    stage.publish(&registration(2));
    stage.publish(&registration(3));
    run(&mut stage, 0);
    stage.publish(&receipt(66, 2, MessageCode::Success));
    run(&mut stage, 2 * OVERDUE);
    let lines = ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"];
    let mut expected = vec!["duplicate confirmed sis TES5>XX11 3-3".to_owned()];
    expected.extend(lines.iter().map(|line| format!("gap closed-late {line} 2-2")));
    expected.extend(lines.iter().map(|line| format!("gap confirmed {line} 4-5")));
    expected.push("negative-receipt confirmed sms TES5>XX11 3-3".to_owned());
    expected.push("receipt-overdue confirmed sms TES5>XX11 6-6".to_owned());
    assert_eq!(stage.told(), expected);
    let link = &stage.links()["TES5/XX11"];
    assert_eq!((link.receipts.expected, link.receipts.received, link.receipts.negative), (4, 3, 1));
    assert_eq!((link.interchanges.sightings(), link.messages.sightings()), (5, 5));
    assert_eq!(stage.transactions()["TES5"].sightings(), 5);
    let kept: Vec<String> = stage.open_messages().into_keys().collect();
    assert_eq!(kept, ["TES5/XX11/00000003/00000003", "TES5/XX11/00000006/00000006"], "refused, and without a receipt");
    stage.check();
    stage.driver.faults().calls_of(Call::Commit) >= nth
}

/// Lets time pass, and brings back whoever died.
fn run(stage: &mut Stage, ms: i64) {
    for _ in 0..2 {
        stage.settle();
        stage.driver.restart_all().unwrap();
    }
    stage.pass(ms);
    stage.driver.restart_all().unwrap();
    stage.settle();
}

#[test]
fn whichever_commit_kills_its_worker_the_same_stands_in_the_end() {
    for took_effect in [false, true] {
        let reached = (0..MOST_CALLS).take_while(|calls| scene(*calls, took_effect)).count();
        assert!((10..MOST_CALLS).contains(&reached), "the scene makes {reached} commits");
    }
}
