//! A crash loses nothing and repeats nothing.

use concord_engine::log::embedded::{Call, Fault};
use concord_flows::patient_documents::topology::{CONSOLIDATION, EXTRACTION};
use concord_flows::patient_documents::values::{Consolidations, Extractions};
use concord_schemas::patient_documents::ProcessingStatus;

use crate::reader::{BROKEN, STUBBORN};
use crate::stage::{QUIET, SECOND, Stage};

/// How many calls of a kind are tried: more than the scene makes.
const MOST_CALLS: usize = 120;

/// Days of two patients; `calls` calls to commit go well, and the next one kills its worker. False when there was no next one.
fn scene(calls: usize, took_effect: bool) -> bool {
    let mut stage = Stage::new();
    stage.calls.take(2 * SECOND);
    let nth = stage.driver.faults().calls_of(Call::Commit) + 1 + calls as u64;
    // The driver follows it: clones share one plan.
    drop(stage.driver.faults().clone().at(Call::Commit, nth, Fault::Crash { took_effect }));
    stage.upload("p1", "d1", "family_name: Smith\nbirth_date: 1980-01-01");
    stage.upload("p1", "d2", &format!("{STUBBORN}family_name: Smyth"));
    stage.upload("p2", "d3", BROKEN);
    stage.upload("p2", "d4", "sex: female");
    stage.work_for(SECOND);
    // Read while the first contents are being read.
    stage.upload("p1", "d1", "family_name: Smith\nbirth_date: 1980-01-02");
    run(&mut stage, 60 * SECOND);
    stage.upload("p1", "d2", "family_name: Smith");
    run(&mut stage, SECOND);
    stage.upload("p2", "d4", "sex: male");
    stage.delete("d3");
    run(&mut stage, 60 * SECOND);

    let patient = stage.patient("p1").unwrap();
    assert_eq!((&*patient["family_name"], &*patient["birth_date"]), ("Smith", "1980-01-02"));
    assert_eq!(stage.patient("p2").unwrap()["sex"], "male");
    assert!(stage.conflicts().is_empty());
    let extractions = stage.extractions();
    let expected = [("p1/d1", "Complete 0"), ("p1/d2", "Complete 0"), ("p2/d4", "Complete 0")];
    assert_eq!(extractions.iter().map(|(key, told)| (&**key, &**told)).collect::<Vec<_>>(), expected);
    assert_eq!(stage.driver.dead_letters().unwrap().len(), 1, "one letter for the one that is broken");
    // Each reading has its effects once, however often it was performed.
    let outputs = stage.driver.outputs::<Extractions>(EXTRACTION).unwrap();
    let complete = outputs.iter().filter_map(|output| output.value().unwrap());
    assert_eq!(complete.filter(|of| of.status == ProcessingStatus::Complete).count(), 5);
    // No record is published twice.
    let records = stage.driver.outputs::<Consolidations>(CONSOLIDATION).unwrap();
    for patient in ["p1", "p2"] {
        let values: Vec<_> = records.iter().filter(|o| o.key() == patient).map(|o| o.record.value.clone()).collect();
        assert!(values.windows(2).all(|pair| pair[0] != pair[1]), "{patient} has a record twice");
    }
    stage.driver.check_settled().unwrap();
    stage.driver.faults().calls_of(Call::Commit) >= nth
}

/// Lets time pass, and brings back whoever died.
fn run(stage: &mut Stage, ms: i64) {
    stage.recover();
    stage.pass(ms);
    stage.recover();
    stage.pass(QUIET);
    stage.recover();
}

#[test]
fn whichever_commit_kills_its_worker_the_same_stands_in_the_end() {
    for took_effect in [false, true] {
        let reached = (0..MOST_CALLS).take_while(|calls| scene(*calls, took_effect)).count();
        assert!((10..MOST_CALLS).contains(&reached), "the scene makes {reached} commits");
    }
}
