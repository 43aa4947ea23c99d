//! Jobs that an operator ends.

use concord_flows::list_reconciliation::Settings;
use concord_schemas::list_reconciliation::CommandAction;

use crate::desk::{Desk, File, SIX_HOURS_MS};

#[test]
fn an_upload_that_is_cleaned_up_is_dropped_and_may_be_sent_again() {
    let mut desk = Desk::with(Settings::default());
    let file = File::of_practice("Y12345");
    desk.send_pieces(&file, "folder:/inbound", 500, 2);
    desk.idle();
    desk.clean_up(&file.job_id);
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "CLEANED_UP"]);
    assert_eq!(job.history[1].1, "by Ann Operator: a test");
    desk.nothing_is_left();
    desk.pass(SIX_HOURS_MS + 1_000);
    assert_eq!(desk.job(&file.job_id).status, "CLEANED_UP", "its time-out went with it");

    desk.send(&file, "folder:/inbound");
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED");
    desk.nothing_is_left();
}

#[test]
fn a_job_that_is_done_is_cleaned_up_and_keeps_its_history() {
    let mut desk = Desk::with(Settings::default());
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    desk.clean_up(&file.job_id);
    assert_eq!(desk.job(&file.job_id).statuses(), ["RECEIVED", "VALIDATED", "RECONCILED", "CLEANED_UP"]);
    let records = desk.records_of(&file.job_id).len();
    desk.clean_up(&file.job_id);
    assert_eq!(desk.records_of(&file.job_id).len(), records, "the second time there is nothing to clean up");
    desk.nothing_is_left();
}

#[test]
fn a_job_in_the_middle_of_its_comparison_is_forgotten_everywhere() {
    // The release stops at the command, whatever slice it has come to.
    for steps in 0..40 {
        let mut desk = Desk::with(Settings::default());
        let file = File::of_practice("Y12345");
        desk.send_pieces(&file, "", file.content.len() / 30, usize::MAX);
        // The command must not come before the file: it would be one for a job that nobody knows.
        while desk.records_of(&file.job_id).is_empty() {
            desk.driver.step(0).unwrap();
            desk.driver.advance(3);
        }
        for _ in 0..steps {
            desk.driver.step(0).unwrap();
            desk.driver.advance(3);
        }
        desk.clean_up(&file.job_id);
        let job = desk.job(&file.job_id);
        assert_eq!(job.status, "CLEANED_UP", "after {steps} steps: {:?}", job.history);
        desk.nothing_is_left();
        desk.no_dead_letters();
    }
}

#[test]
fn a_command_for_a_job_that_nobody_knows_changes_nothing() {
    let mut desk = Desk::with(Settings::default());
    desk.clean_up("j-unknown");
    desk.nothing_is_left();
    desk.no_dead_letters();
}

#[test]
fn a_command_that_does_not_say_who_gives_it_is_rejected() {
    let mut desk = Desk::with(Settings::default());
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    desk.command(CommandAction::CleanUpJob, &file.job_id, " ");
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED");
    let letters = desk.driver.dead_letters().unwrap();
    assert_eq!(letters.iter().map(|letter| letter.code.as_str()).collect::<Vec<_>>(), ["CONCORD-LR-0032"]);
}
