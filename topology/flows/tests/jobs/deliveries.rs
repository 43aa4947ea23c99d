//! What becomes of results once they have left, and when a job is complete.

use concord_flows::list_reconciliation::{Delivered, Settings, ids};

use crate::desk::{Desk, File, told_of_everything};

fn waiting_for(delivered: &[Delivered]) -> Settings {
    Settings { delivered: delivered.to_vec(), ..told_of_everything() }
}

#[test]
fn success_is_told_only_when_every_list_is_sent_and_then_the_job_is_complete() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    let lists = desk.job(&file.job_id).files;
    assert_eq!(lists.len(), 3);
    for list in &lists[..2] {
        desk.deliver(&file.job_id, list, "mesh", "SENT");
    }
    desk.pass(10_000);
    let job = desk.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.deliveries.expected, job.deliveries.sent), ("RECONCILED", 3, 2));
    assert_eq!(desk.mails().len(), 0);

    desk.deliver(&file.job_id, &lists[2], "mesh", "SENT");
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "RECONCILED", "RECONCILED", "COMPLETE"]);
    assert_eq!(desk.mails().len(), 1);
    desk.nothing_is_left();
}

#[test]
fn a_job_may_wait_for_its_mail_too() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Mails]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED");
    let mail_id = ids::mail_id(&file.job_id, "LR-14");
    desk.deliver(&file.job_id, &mail_id, "mail", "REFUSED");
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED");
    desk.deliver(&file.job_id, &mail_id, "mail", "SENT");
    let job = desk.job(&file.job_id);
    assert_eq!(job.status, "COMPLETE");
    assert_eq!(job.mails, [("LR-14".to_owned(), "SENT".to_owned())]);
}

#[test]
fn a_file_that_is_sent_on_two_ways_or_told_twice_counts_once() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    let lists = desk.job(&file.job_id).files;
    for (route, state) in
        [("mesh", "SENT"), ("mesh", "SENT"), ("folder", "SENT"), ("mesh", "DELIVERED"), ("mesh", "SENT")]
    {
        desk.deliver(&file.job_id, &lists[0], route, state);
    }
    desk.pass(10_000);
    let deliveries = desk.job(&file.job_id).deliveries;
    assert_eq!((deliveries.sent, deliveries.delivered, deliveries.refused), (1, 1, 0));
}

#[test]
fn what_another_record_of_the_job_has_shown_meanwhile_is_not_shown_again() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    let lists = desk.job(&file.job_id).files;
    desk.deliver(&file.job_id, &lists[0], "mesh", "SENT");
    // A copy: the job is shown with it, and with the list that was sent.
    desk.send(&file, "mesh:X26ABC1/another");
    assert_eq!(desk.job(&file.job_id).deliveries.sent, 1);
    let shown = desk.records_of(&file.job_id).len();
    desk.pass(10_000);
    assert_eq!(desk.records_of(&file.job_id).len(), shown);
}

#[test]
fn a_delivery_of_what_the_job_has_not_does_not_make_it_complete() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    for name in ["a.csv", "b.csv", "c.csv", "d.csv"] {
        desk.deliver(&file.job_id, name, "folder", "SENT");
    }
    desk.pass(10_000);
    let job = desk.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.deliveries.sent), ("RECONCILED", 0));
}

#[test]
fn a_refused_file_is_named_and_the_job_is_not_complete() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    let lists = desk.job(&file.job_id).files;
    desk.deliver(&file.job_id, &lists[0], "mesh", "REFUSED");
    desk.deliver(&file.job_id, &lists[1], "mesh", "SENT");
    desk.deliver(&file.job_id, &lists[2], "mesh", "SENT");
    desk.pass(10_000);
    let job = desk.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.deliveries.refused), ("RECONCILED", 1));
    assert_eq!(job.history[3].1, format!("{} refused: why", lists[0]));
    desk.deliver(&file.job_id, &lists[0], "mesh", "SENT");
    assert_eq!(desk.job(&file.job_id).status, "COMPLETE", "it went at last");
}

#[test]
fn a_delivery_of_a_job_that_nobody_knows_or_in_a_strange_state_changes_nothing() {
    let mut desk = Desk::with(waiting_for(&[Delivered::Lists]));
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    desk.deliver("j-unknown", "a.csv", "mesh", "SENT");
    let list = desk.job(&file.job_id).files[0].clone();
    desk.deliver(&file.job_id, &list, "mesh", "LOST");
    desk.pass(10_000);
    assert_eq!(desk.job(&file.job_id).deliveries.sent, 0);
    desk.no_dead_letters();
}
