//! A patient is consolidated once for each quiet period, and not much later than the longest wait.

use crate::stage::{LONGEST, QUIET, SECOND, Stage};

#[test]
fn documents_that_come_together_are_consolidated_once() {
    let mut stage = Stage::new();
    for number in 0..20 {
        stage.upload("p1", &format!("d{number}"), "family_name: Smith");
        stage.driver.run_for(QUIET / 10).unwrap();
    }
    assert_eq!(stage.times_consolidated("p1"), 0);
    stage.rest();
    assert_eq!(stage.times_consolidated("p1"), 1);
    stage.upload("p1", "d20", "family_name: Smith");
    stage.rest();
    assert_eq!(stage.times_consolidated("p1"), 2);
    stage.check();
}

#[test]
fn a_patient_who_is_never_quiet_is_consolidated_all_the_same() {
    let mut stage = Stage::new();
    let uploads = 3 * LONGEST / (QUIET / 2);
    for number in 0..uploads {
        stage.upload("p1", &format!("d{number}"), "family_name: Smith");
        stage.driver.run_for(QUIET / 2).unwrap();
    }
    let times = stage.times_consolidated("p1");
    assert!((2..=3).contains(&times), "{times} times in three of the longest waits");
    stage.rest();
    stage.check();
}

#[test]
fn a_request_is_done_when_it_says() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith");
    stage.settle();
    stage.ask_to_update("p1", Some(0));
    stage.driver.run_for(SECOND).unwrap();
    assert_eq!(stage.times_consolidated("p1"), 1, "without waiting");
    stage.upload("p1", "d2", "family_name: Smyth");
    stage.settle();
    stage.ask_to_update("p1", Some(100 * SECOND));
    stage.rest();
    assert_eq!(stage.times_consolidated("p1"), 2, "no request puts off what is due");
    stage.check();
}

#[test]
fn a_request_for_a_patient_who_is_up_to_date_publishes_nothing() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith");
    stage.rest();
    for patient in ["p1", "nobody"] {
        stage.ask_to_update(patient, Some(0));
        stage.ask_to_update(patient, None);
        stage.rest();
    }
    assert_eq!(stage.times_consolidated("p1"), 1);
    assert_eq!(stage.times_consolidated("nobody"), 0);
    stage.check();
}

#[test]
fn what_waits_survives_a_stop() {
    let mut stage = Stage::new();
    stage.upload("p1", "d1", "family_name: Smith");
    stage.settle();
    stage.driver.stop(0).unwrap();
    stage.driver.stop(1).unwrap();
    stage.driver.advance(10 * QUIET);
    stage.driver.restart_all().unwrap();
    stage.settle();
    assert_eq!(stage.times_consolidated("p1"), 1);
    stage.check();
}
