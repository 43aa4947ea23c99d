//! What is told of the files of a run, as the outbox holds it.

use concord_flows::list_reconciliation::ids::mail_id;
use serde_json::Value;

use super::command::{Folder, Job};
use super::people::{EXTRACT, NUMBERS, PRACTICE, extract, ndjson, on_pds, patient};

/// The only mail about a job, whose id follows from the service.
#[track_caller]
fn the_mail(job: &Job, service: &str) -> Value {
    let id = mail_id(job.text("job_id"), service);
    assert_eq!(job.mails.keys().collect::<Vec<_>>(), [&id]);
    let mail: Value = serde_json::from_str(&job.mails[&id]).expect("a mail is JSON");
    assert_eq!((&mail["service"], &mail["timestamp"]), (&service.into(), &"20210810134000".into()));
    mail
}

#[test]
fn a_reconciled_file_is_told_to_whom_the_option_names() {
    let folder = Folder::new();
    let gp = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE)]));
    let run = folder.reconcile().extract(gp).pds(pds).mail_to("a@nhs.example").mail_to("b@nhs.example").run();
    let mail = the_mail(&run.reconciled(), "LR-14");
    assert_eq!(mail["to"], serde_json::json!(["a@nhs.example", "b@nhs.example"]));
    let subject = format!(
        "PDS Comparison run at 14:40:00 on 10/08/2021 against Practice: {PRACTICE} - {EXTRACT} - Registrations Output"
    );
    assert_eq!(mail["subject"], subject);
}

#[test]
fn a_file_that_is_refused_and_then_accepted_is_told_as_accepted_alone() {
    let folder = Folder::new();
    let gp = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE)]));
    let out = folder.path("out");
    let too_late = folder.reconcile_into(&out).extract(&gp).pds(&pds).at("2021-09-10T13:40:00Z").run();
    let job = too_late.expect_exit_code(3).job();
    let id = mail_id(job.text("job_id"), "LR-04");
    let mail: Value = serde_json::from_str(&job.mails[&id]).expect("a mail is JSON");
    assert!(mail["body"].as_str().expect("text").contains("File date must not be older than 14 days"), "{mail}");
    let in_time = folder.reconcile_into(&out).extract(&gp).pds(&pds).run();
    the_mail(&in_time.reconciled(), "LR-14");
}
