//! A crash in the middle of a list loses nothing and repeats nothing.

use concord_engine::log::embedded::{Call, Fault};
use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use crate::people::{ANNA, BERT, CARA, DORA, HERE, on_list, on_pds};
use crate::stage::{DAY, List, NOW, Stage, key};

const FIRST: List<'_> = List { practice: HERE, job_id: "job-1", at_ms: NOW };
const LATER: List<'_> = List { practice: HERE, job_id: "job-2", at_ms: NOW + DAY };

/// How many calls of a kind are tried: more than the scene makes.
const MOST_CALLS: usize = 60;

/// Two lists and a change; `calls` calls to commit go well, and the next one kills its worker. False when there was no next one.
fn scene(calls: usize, took_effect: bool) -> bool {
    let mut stage = Stage::new();
    for nhs in [ANNA, BERT, CARA, DORA] {
        stage.pds(&on_pds(nhs, HERE));
    }
    let nth = stage.driver.faults().calls_of(Call::Commit) + 1 + calls as u64;
    // The driver follows it: clones share one plan.
    drop(stage.driver.faults().clone().at(Call::Commit, nth, Fault::Crash { took_effect }));
    stage.records(FIRST, &[GpRecord { surname: Some("LARK"), ..on_list(ANNA) }, on_list(BERT), on_list(CARA)]);
    stage.end(FIRST, 3);
    run(&mut stage);
    stage.records(LATER, &[GpRecord { surname: Some("LARK"), ..on_list(ANNA) }, on_list(DORA)]);
    stage.end(LATER, 2);
    run(&mut stage);
    stage.pds(&PdsRecord { surname: "Lark", ..on_pds(DORA, HERE) });
    run(&mut stage);
    assert_eq!(
        stage.stands(),
        [
            key(HERE, ANNA, "MN-BR-SN-01"),
            key(HERE, BERT, "ONLY-ON-PDS"),
            key(HERE, CARA, "ONLY-ON-PDS"),
            key(HERE, DORA, "MN-BR-SN-01"),
        ]
    );
    assert_eq!(stage.of(HERE, ANNA, "MN-BR-SN-01").first_seen, NOW);
    assert_eq!(stage.history(HERE, ANNA, "MN-BR-SN-01"), ["+LIST", "+LIST"]);
    assert_eq!(stage.history(HERE, DORA, "ONLY-ON-PDS"), ["+LIST", "-LIST"]);
    stage.check();
    stage.driver.faults().calls_of(Call::Commit) >= nth
}

fn run(stage: &mut Stage) {
    for _ in 0..2 {
        stage.settle();
        stage.driver.restart_all().unwrap();
    }
    stage.settle();
}

#[test]
fn whichever_commit_kills_its_worker_the_same_stands_in_the_end() {
    for took_effect in [false, true] {
        let reached = (0..MOST_CALLS).take_while(|calls| scene(*calls, took_effect)).count();
        assert!((5..MOST_CALLS).contains(&reached), "the scene makes {reached} commits");
    }
}
