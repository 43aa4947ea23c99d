//! A job whose answer does not come, or comes late.

use concord_flows::list_reconciliation::{DpsExchange, Profile};

use crate::side::{HOUR, MINUTE, Side, answer_of_dps, settings};
use crate::world::world;

#[test]
fn a_job_without_an_answer_times_out_and_a_late_answer_is_taken_all_the_same() {
    let (file, pds) = world(25, 31, 2);
    let mut asking = Side::of(DpsExchange::Asks);
    asking.send(&file);
    asking.pass(6 * HOUR - MINUTE);
    assert_eq!(asking.job(&file.job_id).status, "VALIDATED");
    asking.pass(2 * MINUTE);
    let job = asking.job(&file.job_id);
    assert_eq!(job.status, "TIMED_OUT");
    assert!(job.reasons[0].starts_with("CONCORD-DP-0008: DPS sent no answer"), "{:?}", job.reasons);
    let mails = asking.mails(&file.job_id);
    assert_eq!(mails.len(), 1);
    assert!(mails[0].1.contains("CONCORD-DP-0008"), "{mails:?}");
    assert_eq!(asking.results(&file.job_id).len(), 0);

    let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
    asking.answer(&file.job_id, &answer);
    let mut direct = Side::of(DpsExchange::Off);
    direct.publish(&pds);
    direct.send(&file);
    let late = asking.job(&file.job_id);
    assert_eq!((late.status.as_str(), &late.reasons), ("RECONCILED", &Vec::new()));
    assert_eq!(late.counts, direct.job(&file.job_id).counts);
    assert_eq!(asking.results(&file.job_id), direct.results(&file.job_id));
    assert_eq!(asking.mails(&file.job_id)[1..], direct.mails(&file.job_id));
    asking.pass(24 * HOUR);
    assert_eq!(asking.job(&file.job_id), late);
    asking.check();
}

#[test]
fn a_job_that_is_ended_while_its_answer_is_passed_on_leaves_nothing() {
    let (file, pds) = world(60, 32, 2);
    let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
    for steps in [0, 1, 2, 3, 5, 8, 13] {
        let mut asking = Side::of(DpsExchange::Asks);
        asking.send(&file);
        asking.give_answer(&file.job_id, &answer);
        for _ in 0..steps {
            for worker in 0..2 {
                asking.driver.step(worker).unwrap();
            }
            asking.driver.advance(20);
        }
        asking.clean_up(&file.job_id);
        asking.pass(7 * HOUR);
        let status = asking.job(&file.job_id).status;
        assert_eq!(status, "CLEANED_UP", "behind {steps} steps");
        asking.check();
    }
}

#[test]
fn an_extract_that_does_not_arrive_at_dps_is_told_in_the_history_of_its_job() {
    let (file, _) = world(10, 33, 0);
    let mut asking = Side::of(DpsExchange::Asks);
    asking.send(&file);
    let name = format!("dps-extract/{}", file.name);
    for state in ["SENT", "UNDELIVERABLE"] {
        asking.deliver(&file.job_id, &name, state);
    }
    let history = asking.job(&file.job_id).history;
    let told = format!("VALIDATED: {name} undeliverable: 14: not collected");
    assert_eq!(history.last(), Some(&told));
    asking.check();
}
