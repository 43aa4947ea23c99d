//! A crash while records wait, or are answered, loses nothing and repeats nothing.

use concord_engine::log::embedded::{Call, Fault};
use concord_flows::list_reconciliation::Lookups;
use concord_schemas::list_reconciliation::PdsRecord;

use crate::people::{ANNA, BERT, CARA, DORA, HERE, on_pds};
use crate::stage::{File, Outcome, Stage};

/// How many calls of a kind are tried: more than the scene makes.
const MOST_CALLS: usize = 90;

/// A list whose people are answered for one by one; `calls` calls to commit go well, and the next one kills its worker. False
/// when there was no next one.
fn scene(calls: usize, took_effect: bool, with_disk: bool) -> bool {
    let mut stage = Stage::asking(Lookups::Unknown);
    stage.publish(&on_pds(ANNA, HERE));
    let nth = stage.driver.faults().calls_of(Call::Commit) + 1 + calls as u64;
    // The driver follows it: clones share one plan.
    drop(stage.driver.faults().clone().at(Call::Commit, nth, Fault::Crash { took_effect }));
    let file = File::of(HERE, &[BERT, CARA, &format!("{BERT}=LARK"), DORA]);
    stage.give(&file);
    run(&mut stage, with_disk);
    stage.tell(&PdsRecord { surname: "Lark", ..on_pds(BERT, HERE) });
    run(&mut stage, with_disk);
    stage.answer(DORA, "FAILED", None, "CONCORD-PD-0006");
    stage.answer(CARA, "NOT_FOUND", None, "");
    run(&mut stage, with_disk);
    let outcomes: Vec<Outcome> = stage.outcomes(&file).into_values().collect();
    let (differs, failed) = (Outcome::differing_in("MN-BR-SN-01"), Outcome::failed("CONCORD-PD-0006"));
    assert_eq!(outcomes, [differs, Outcome::of("Unmatched"), Outcome::of("Matched"), failed]);
    assert_eq!(stage.asked(), [BERT, CARA, DORA]);
    assert_eq!(stage.stands(HERE), [format!("{ANNA}/ONLY-ON-PDS"), format!("{CARA}/ONLY-ON-GP")]);
    let job = stage.job(&file);
    let counts = job.counts;
    assert_eq!((job.status.as_str(), counts.records, counts.lookup_failed), ("RECONCILED", 4, 1));
    assert_eq!((counts.matched, counts.unmatched, counts.only_on_pds), (2, 1, 1));
    stage.check();
    stage.driver.faults().calls_of(Call::Commit) >= nth
}

fn run(stage: &mut Stage, with_disk: bool) {
    for _ in 0..2 {
        stage.idle();
        for worker in 0..2 {
            if with_disk && !stage.driver.is_up(worker) {
                stage.driver.crash_with_disk(worker).unwrap();
            }
        }
        stage.driver.restart_all().unwrap();
    }
    stage.idle();
}

#[test]
fn whichever_commit_kills_its_worker_each_record_comes_out_once_and_right() {
    for (took_effect, with_disk) in [(false, false), (true, false), (false, true), (true, true)] {
        let reached = (0..MOST_CALLS).take_while(|calls| scene(*calls, took_effect, with_disk)).count();
        assert!((8..MOST_CALLS).contains(&reached), "the scene makes {reached} commits");
    }
}
