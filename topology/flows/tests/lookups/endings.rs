//! The end of a file waits with its records; a job that comes to no end forgets them.

use concord_flows::list_reconciliation::{Lookups, Settings};

use crate::people::{ANNA, BERT, CARA, DORA, HERE, on_pds};
use crate::stage::{File, Outcome, SIX_HOURS, Stage};

#[test]
fn who_is_only_on_pds_and_what_is_taken_back_are_found_behind_the_last_answer() {
    let mut stage = Stage::asking(Lookups::Unknown);
    // On the first list are all four; Dora is at another practice by now.
    for (nhs, practice) in [(ANNA, HERE), (BERT, HERE), (DORA, "")] {
        stage.publish(&on_pds(nhs, practice));
    }
    stage.send(&File::of(HERE, &[ANNA, BERT, DORA]));
    assert_eq!(stage.stands(HERE), [format!("{DORA}/ONLY-ON-GP")]);
    let next = File::of(HERE, &[ANNA, CARA]).later(1);
    stage.send(&next);
    assert_eq!(stage.waiting(), 1);
    stage.found(&on_pds(CARA, HERE));
    assert_eq!(stage.stands(HERE), [format!("{BERT}/ONLY-ON-PDS")]);
    assert_eq!(stage.rows(&next, "OnlyOnPDS").len(), 1);
    assert_eq!((stage.job(&next).counts.records, stage.job(&next).status.as_str()), (2, "RECONCILED"));
    stage.check();
}

#[test]
fn nobody_whose_record_waits_is_said_to_be_missing_from_the_list() {
    let mut stage = Stage::asking(Lookups::Always);
    for nhs in [ANNA, BERT, CARA] {
        stage.publish(&on_pds(nhs, HERE));
    }
    let file = File::of(HERE, &[ANNA, BERT, CARA]);
    stage.send(&file);
    for nhs in [CARA, ANNA, BERT] {
        assert!(stage.differences().is_empty());
        stage.found(&on_pds(nhs, HERE));
    }
    assert!(stage.differences().is_empty() && stage.rows(&file, "OnlyOnPDS").is_empty());
    stage.check();
}

/// Of three records one is answered.
fn one_of_three_is_answered() -> (Stage, File) {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA, BERT, CARA]);
    stage.send(&file);
    stage.found(&on_pds(BERT, HERE));
    assert_eq!(stage.waiting(), 2);
    (stage, file)
}

/// Nothing of the job waits any more, what comes late is for nobody, and a re-run asks and comes to its end.
fn it_is_forgotten_and_may_run_again(mut stage: Stage, file: &File, status: &str) {
    assert_eq!((stage.job(file).status.as_str(), stage.waiting()), (status, 0));
    stage.check();
    stage.found(&on_pds(ANNA, HERE));
    assert_eq!((stage.outcomes(file).len(), stage.stored_version(ANNA)), (1, None));
    let again = file.again();
    stage.send(&again);
    assert_eq!(stage.asked(), [ANNA, ANNA, BERT, CARA, CARA]);
    stage.found(&on_pds(ANNA, HERE));
    stage.not_found(CARA);
    assert_eq!(stage.job(&again).status, "RECONCILED");
    let outcomes: Vec<Outcome> = stage.outcomes(&again).into_values().collect();
    assert_eq!(outcomes, [Outcome::of("Matched"), Outcome::of("Matched"), Outcome::of("Unmatched")]);
    assert_eq!(stage.stands(HERE), [format!("{CARA}/ONLY-ON-GP")]);
    stage.check();
}

#[test]
fn a_job_that_runs_out_of_time_forgets_its_waiting_records() {
    let (mut stage, file) = one_of_three_is_answered();
    stage.pass(SIX_HOURS - 60_000);
    assert_eq!(stage.job(&file).status, "VALIDATED");
    stage.pass(120_000);
    it_is_forgotten_and_may_run_again(stage, &file, "TIMED_OUT");
}

#[test]
fn a_job_that_an_operator_ends_forgets_its_waiting_records() {
    let (mut stage, file) = one_of_three_is_answered();
    stage.clean_up(&file.job_id);
    it_is_forgotten_and_may_run_again(stage, &file, "CLEANED_UP");
}

#[test]
fn a_job_that_is_ended_does_not_take_the_records_of_others_with_it() {
    let (mut stage, file) = one_of_three_is_answered();
    let other = File::of("Y54321", &[ANNA]);
    stage.send(&other);
    stage.clean_up(&file.job_id);
    assert_eq!(stage.waiting(), 1);
    stage.found(&on_pds(ANNA, HERE));
    assert_eq!(stage.outcomes(&other)[&1], Outcome::of("Partnership Mismatch"));
    assert_eq!(stage.job(&other).status, "RECONCILED");
    stage.check();
}

#[test]
fn a_job_that_is_ended_while_its_records_are_still_sent_is_forgotten_everywhere() {
    let step = |stage: &mut Stage| {
        for worker in 0..2 {
            stage.driver.step(worker).unwrap();
        }
        stage.driver.advance(3);
    };
    for steps in (0..120).step_by(5) {
        let mut stage = Stage::asking(Lookups::Always);
        let file = File::of(HERE, &[ANNA, BERT, CARA, DORA]);
        stage.give(&file);
        while !stage.has(&file) {
            step(&mut stage);
        }
        (0..steps).for_each(|_| step(&mut stage));
        stage.clean_up(&file.job_id);
        assert_eq!(stage.job(&file).status, "CLEANED_UP", "after {steps} steps");
        stage.check();
    }
}

#[test]
fn more_waiting_records_than_one_slice_takes_are_all_forgotten() {
    let mut stage = Stage::with(Settings { lookups: Lookups::Unknown, ..Settings::default() });
    let numbers: Vec<String> = (100_000_000..)
        .filter_map(|nine: u32| {
            let nine = nine.to_string();
            concord_schemas::nhs_number::check_digit(&nine).map(|digit| format!("{nine}{digit}"))
        })
        .take(12_000)
        .collect();
    let people: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let file = File::of(HERE, &people);
    stage.send(&file);
    assert_eq!(stage.waiting(), 12_000);
    stage.clean_up(&file.job_id);
    assert_eq!(stage.waiting(), 0);
    stage.check();
}

#[test]
fn a_job_that_was_answered_in_every_partition_is_not_disturbed_by_its_clean_up() {
    let mut stage = Stage::asking(Lookups::Unknown);
    let file = File::of(HERE, &[ANNA]);
    stage.send(&file);
    stage.not_found(ANNA);
    stage.clean_up(&file.job_id);
    assert_eq!(stage.job(&file).status, "CLEANED_UP");
    assert_eq!(stage.stands(HERE), [format!("{ANNA}/ONLY-ON-GP")]);
    stage.check();
}
