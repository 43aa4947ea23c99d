//! The ways on which a job comes to its end.

use concord_flows::list_reconciliation::{Settings, ids};
use concord_schemas::list_reconciliation::{
    JobCounts, JobEvent, JobReceived, JobValidated, PartitionCompleted, ReportFile, ReportRow, ReportRows,
};

use crate::desk::{Desk, File, SIX_HOURS_MS, told_of_everything};

#[test]
fn a_job_exists_before_the_name_of_its_file_is_looked_at() {
    let mut desk = Desk::with(Settings::default());
    let file = File::new("no extract.txt", b"nothing");
    desk.send_pieces(&file, "mesh:X26OT181/1", 100, 0);
    desk.idle();
    let job = desk.job(&file.job_id);
    assert_eq!((job.status.as_str(), job.source.as_str()), ("RECEIVED", "mesh:X26OT181/1"));
    assert_eq!(job.history, [("RECEIVED".to_owned(), "from mesh:X26OT181/1".to_owned())]);
}

#[test]
fn an_accepted_file_is_received_validated_and_reconciled() {
    let mut desk = Desk::with(Settings::default());
    let file = File::of_practice("Y12345");
    desk.send(&file, "folder:/inbound");
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "RECONCILED"]);
    assert_eq!(job.files.len(), 3);
    assert_eq!(desk.mails().len(), 0, "nobody is to be told");
    desk.nothing_is_left();
    desk.pass(SIX_HOURS_MS);
    assert_eq!(desk.job(&file.job_id).status, "RECONCILED", "a job that is done does not time out");
    desk.no_dead_letters();
}

#[test]
fn a_refused_file_is_received_and_rejected() {
    let mut desk = Desk::with(Settings::default());
    let file = File::new("rubbish.txt", b"rubbish");
    desk.send(&file, "");
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "REJECTED"]);
    assert_eq!(job.history[1].1, "INVALID_FILENAME");
    desk.nothing_is_left();
}

#[test]
fn an_upload_without_an_end_times_out_is_told_and_starts_over_when_it_is_sent_again() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::of_practice("Y12345");
    desk.send_pieces(&file, "mesh:X26OT181/1", 500, 2);
    desk.idle();
    desk.pass(SIX_HOURS_MS);
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "TIMED_OUT"]);
    assert!(job.reasons[0].starts_with("The upload was cut: 2 pieces came"), "{:?}", job.reasons);
    desk.nothing_is_left();

    desk.send(&file, "mesh:X26OT181/2");
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "TIMED_OUT", "RECEIVED", "VALIDATED", "RECONCILED"]);
    assert_eq!((job.source.as_str(), job.copies, job.reasons.len()), ("mesh:X26OT181/2", 0, 0));
    let services: Vec<&str> = job.mails.iter().map(|(service, _)| service.as_str()).collect();
    assert_eq!(services, ["LR-04", "LR-14"]);
    desk.nothing_is_left();
}

#[test]
fn a_mail_about_a_second_time_out_has_an_id_of_its_own() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::of_practice("Y12345");
    for _ in 0..2 {
        desk.send_pieces(&file, "", 500, 2);
        desk.idle();
        desk.pass(SIX_HOURS_MS);
    }
    let mut found: Vec<String> = desk.mails().into_iter().map(|mail| mail.id).collect();
    let mut expected = vec![ids::mail_id(&file.job_id, "LR-04"), ids::mail_id(&file.job_id, "LR-04/2")];
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

fn accepted(job_id: &str) -> JobEvent<'_> {
    JobEvent::JobValidated(JobValidated {
        job_id,
        practice: "Y12345",
        file_name: "Y12345_GPR4LNA1.H9A",
        at_ms: 1_628_602_800_000,
        refused: "",
        reasons: Vec::new(),
        records: 1,
        invalid_records: 0,
    })
}

fn answer(job_id: &str, partition: i32) -> JobEvent<'_> {
    let counts =
        JobCounts { records: i64::from(partition == 0), unmatched: i64::from(partition == 0), ..JobCounts::default() };
    JobEvent::PartitionCompleted(PartitionCompleted { job_id, partition, partitions: 2, records_of_file: 1, counts })
}

fn row(job_id: &str) -> JobEvent<'_> {
    let rows = vec![ReportRow { file: ReportFile::OnlyOnGp, sort_key: "1", text: "a row" }];
    JobEvent::ReportRows(ReportRows { job_id, rows })
}

/// A job of which a row and the answer of one of two partitions have come.
fn half_answered(desk: &mut Desk) {
    let received =
        JobReceived { job_id: "j-1", file_name: "Y12345_GPR4LNA1.H9A", at_ms: 1_628_602_800_000, source: "" };
    desk.event("j-1", &JobEvent::JobReceived(received));
    desk.event("j-1", &accepted("j-1"));
    desk.event("j-1", &row("j-1"));
    desk.event("j-1", &answer("j-1", 0));
}

#[test]
fn a_job_that_a_partition_does_not_answer_times_out_and_its_rows_are_dropped() {
    let mut desk = Desk::with(told_of_everything());
    half_answered(&mut desk);
    desk.pass(SIX_HOURS_MS - 60_000);
    assert_eq!(desk.job("j-1").status, "VALIDATED");
    desk.pass(2 * 60_000);
    let job = desk.job("j-1");
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "TIMED_OUT"]);
    assert!(job.reasons[0].contains("1 partitions have answered"), "{:?}", job.reasons);
    assert_eq!(desk.mails()[0].subject, "PDS Comparison did not finish for 'Y12345_GPR4LNA1.H9A'");
    desk.nothing_is_left();
}

#[test]
fn what_comes_of_a_job_behind_its_time_out_is_filtered() {
    let mut desk = Desk::with(Settings::default());
    half_answered(&mut desk);
    desk.pass(SIX_HOURS_MS + 1_000);
    let records = desk.records_of("j-1").len();
    desk.event("j-1", &row("j-1"));
    desk.event("j-1", &answer("j-1", 1));
    desk.event("j-1", &accepted("j-1"));
    desk.pass(SIX_HOURS_MS + 1_000);
    assert_eq!(desk.records_of("j-1").len(), records, "the job is not shown again");
    desk.nothing_is_left();
    desk.no_dead_letters();
}

#[test]
fn a_job_that_is_answered_in_time_does_not_time_out() {
    let mut desk = Desk::with(Settings::default());
    half_answered(&mut desk);
    desk.event("j-1", &answer("j-1", 1));
    desk.pass(SIX_HOURS_MS + 1_000);
    assert_eq!(desk.job("j-1").statuses(), ["RECEIVED", "VALIDATED", "RECONCILED"]);
    desk.nothing_is_left();
}

#[test]
fn a_file_whose_records_are_not_passed_on_in_time_is_given_up_and_forgotten_everywhere() {
    let mut desk = Desk::with(Settings { job_timeout_ms: 0, ..Settings::default() });
    let file = File::of_practice("Y12345");
    // More pieces than one slice passes on.
    desk.send_pieces(&file, "", file.content.len() / 12, usize::MAX);
    desk.idle();
    let job = desk.job(&file.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "TIMED_OUT"]);
    desk.nothing_is_left();
    let records = desk.records_of(&file.job_id).len();
    desk.send(&file, "");
    assert_eq!(desk.records_of(&file.job_id).len(), records, "what was compared already could meet what comes now");
    desk.no_dead_letters();
}

#[test]
fn a_job_with_counts_that_do_not_add_up_is_told_as_unfinished() {
    let mut desk = Desk::with(told_of_everything());
    half_answered(&mut desk);
    // The record of this partition was counted under no status.
    let counts = JobCounts { records: 1, ..JobCounts::default() };
    let completed = PartitionCompleted { job_id: "j-1", partition: 1, partitions: 2, records_of_file: 1, counts };
    desk.event("j-1", &JobEvent::PartitionCompleted(completed));
    assert_eq!(desk.job("j-1").status, "INCONSISTENT");
    let mails = desk.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body.contains("(INCONSISTENT)"), "{}", mails[0].body);
}

#[test]
fn a_rerun_names_the_first_job() {
    let mut desk = Desk::with(Settings::default());
    let first = File::of_practice("Y12345");
    desk.send(&first, "folder:/inbound");
    let again = File { job_id: ids::rerun_id(&first.job_id, 1), ..first.clone() };
    let source = ids::rerun_source(&first.job_id, 1);
    desk.send(&again, &source);
    desk.send(&again, &source);
    let job = desk.job(&again.job_id);
    assert_eq!(job.statuses(), ["RECEIVED", "VALIDATED", "RECONCILED"]);
    assert_eq!((job.rerun_of, job.copies), (first.job_id, 0));
}
