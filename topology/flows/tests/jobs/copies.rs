//! The same file a second time.

use crate::desk::{Desk, File, told_of_everything};

#[test]
fn the_same_file_from_another_source_is_answered_and_not_processed_again() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::of_practice("Y12345");
    desk.send(&file, "mesh:X26OT181/1");
    desk.send(&file, "folder:/inbound");
    let job = desk.job(&file.job_id);
    assert_eq!((job.copies, job.last_copy.as_str()), (1, "folder:/inbound"));
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "RECONCILED", "RECONCILED"]);
    assert_eq!(job.history[3].1, "the same file came again from folder:/inbound");
    let services: Vec<&str> = job.mails.iter().map(|(service, _)| service.as_str()).collect();
    assert_eq!(services, ["LR-14", "LR-02"]);
    let answers: Vec<_> = desk.mails().into_iter().filter(|mail| mail.service == "LR-02").collect();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].body.contains("as the one received at 14:40:00 on 10/08/2021"), "{}", answers[0].body);
    assert!(answers[0].body.contains("(RECONCILED)"), "{}", answers[0].body);
    desk.nothing_is_left();
}

#[test]
fn the_same_file_from_the_same_source_is_a_repetition_and_nobody_is_told() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::of_practice("Y12345");
    for source in ["mesh:X26OT181/1", "mesh:X26OT181/2", "mesh:X26OT181/3"] {
        desk.send(&file, source);
    }
    let mails = desk.mails().len();
    let records = desk.records_of(&file.job_id).len();
    for source in ["mesh:X26OT181/1", "mesh:X26OT181/2", "mesh:X26OT181/3", ""] {
        desk.send(&file, source);
    }
    let job = desk.job(&file.job_id);
    assert_eq!((job.copies, job.last_copy.as_str()), (2, "mesh:X26OT181/3"));
    assert_eq!((desk.mails().len(), desk.records_of(&file.job_id).len()), (mails, records));
    desk.no_dead_letters();
}

#[test]
fn a_history_stays_short_however_often_a_file_comes() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::new("rubbish.txt", b"rubbish");
    desk.send(&file, "mesh:X26OT181/0");
    for number in 1..100 {
        desk.send_pieces(&file, &format!("mesh:X26OT181/{number}"), 100, usize::MAX);
    }
    desk.idle();
    let job = desk.job(&file.job_id);
    assert_eq!(job.copies, 99);
    assert!(job.history.len() <= 60, "{}", job.history.len());
    assert_eq!(job.history[0].0, "RECEIVED");
    assert!(job.history.last().unwrap().1.ends_with("/99"));
}
