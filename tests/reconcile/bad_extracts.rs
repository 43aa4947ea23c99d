//! Extracts with faults: each ends in a stated outcome, with a message that says where the fault is and what to do.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde_json::{Value, json};

use super::command::{Folder, Job, Run};
use super::people::{EXTRACT, GpPatient, HEADER, NUMBERS, PRACTICE, extract, ndjson, on_pds, patient};

/// One valid patient and what PDS knows of him.
fn one_patient() -> String {
    extract(&[patient(1, NUMBERS[0])])
}

/// Reconciles one extract against a PDS that knows and agrees with all patients.
fn reconcile(folder: &Folder, name: &str, content: impl AsRef<[u8]>) -> Run {
    let (extract, pds) = (folder.write(name, content), whole_pds(folder));
    folder.reconcile().extract(extract).pds(pds).run()
}

fn whole_pds(folder: &Folder) -> std::path::PathBuf {
    let resources: Vec<Value> = NUMBERS.iter().map(|number| on_pds(number, PRACTICE)).collect();
    folder.write("pds.ndjson", ndjson(&resources))
}

/// What a rejected file must have left.
#[track_caller]
fn assert_rejected(run: Run, error_type: &str, message: &Value) -> Job {
    let run = run.expect_exit_code(3);
    let job = run.job();
    assert_eq!(job.status(), "REJECTED");
    job.expect_counts(&[("records", 0), ("matched", 0), ("only_on_gp", 0), ("work_items", 0)]);
    assert_eq!(job.printed["files"], json!(["validation.json"]), "no result of a rejected file is written");
    assert_eq!((job.files.len(), job.count("invalid_records")), (1, 0));
    assert!(!run.stderr.contains("invalid records"), "the fault is the file's: {}", run.stderr);
    let validation = job.validation();
    assert_eq!((&validation["error_type"], &validation["message"]), (&json!(error_type), message));
    for reason in message.as_array().expect("a list").iter().filter_map(Value::as_str) {
        assert!(run.stderr.contains(reason), "{}", run.stderr);
    }
    job
}

#[test]
fn a_file_that_is_no_extract_is_rejected_with_place_and_remedy() {
    let whole = one_patient();
    let (before, after) = whole.split_once("WREN").expect("the surname");
    let latin_1 = [before.as_bytes(), b"\xC9LAN", after.as_bytes()].concat();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("empty", Vec::new(), "GP extract is empty: expected the header 503\\* and two rows for each patient"),
        (
            "empty lines only",
            b"\n\n\n".to_vec(),
            "GP extract is empty: expected the header 503\\* and two rows for each patient",
        ),
        ("header only", HEADER.into(), "GP extract ends after its header: expected two rows for each patient"),
        (
            "Latin-1",
            latin_1,
            "GP extract must be UTF-8 text: line 2, byte 51 is not (Latin-1 suspected); convert the file to UTF-8 and send it again",
        ),
        (
            "NUL",
            format!("{HEADER}DOW~1\0~").into_bytes(),
            "GP extract must be text: line 2, byte 6 is NUL; send the file as UTF-8 text",
        ),
        ("another header", b"502\\*\nDOW~1~\n".to_vec(), "Header must be 503\\*"),
        (
            "no rows",
            format!("{HEADER}Dear colleague,\nplease find no rows.\n").into_bytes(),
            "GP extract does not contain any identifiable DOW records for processing",
        ),
    ];
    for (what, content, message) in cases {
        let folder = Folder::new();
        let run = reconcile(&folder, EXTRACT, content);
        assert!(run.stderr.contains(EXTRACT), "{what}: {}", run.stderr);
        assert_rejected(run, "INVALID_STRUCTURE", &json!([message]));
    }
}

#[test]
fn a_line_of_100_mb_is_rejected_by_its_number() {
    let folder = Folder::new();
    let path = folder.path(EXTRACT);
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    file.write_all(one_patient().as_bytes()).expect("writing");
    let piece = vec![b'A'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&piece).expect("writing");
    }
    drop(file);
    let run = folder.reconcile().extract(path).pds(whole_pds(&folder)).run();
    let message = "GP extract has a line of more than 1048576 bytes: line 4; put each row on a line of its own";
    assert_rejected(run, "INVALID_STRUCTURE", &json!([message]));
}

#[test]
fn a_byte_order_mark_and_crlf_line_ends_do_no_harm() {
    for content in [format!("\u{feff}{}", one_patient()), one_patient().replace('\n', "\r\n")] {
        let folder = Folder::new();
        let job = reconcile(&folder, EXTRACT, content).reconciled();
        job.expect_counts(&[("records", 1), ("matched", 1), ("differences", 0)]);
    }
}

const FIELD_COUNT: &str = "Record - Must contain the correct number of data fields for parsing";

/// Rejected for one record, which is explained by its lines.
#[track_caller]
fn assert_invalid_record(run: Run, total: i64, lines: &str, key: &str, message: &str) -> Job {
    let run = run.expect_exit_code(3);
    let (job, stderr) = (run.job(), &run.stderr);
    assert_eq!((job.status(), job.count("invalid_records")), ("REJECTED", 1));
    let validation = job.validation();
    assert_eq!(validation["error_type"], "INVALID_RECORDS");
    assert_eq!((&validation["total_records"], &validation["total_invalid_records"]), (&json!(total), &json!(1)));
    assert_eq!(validation["message"].as_array().map(Vec::len), Some(1));
    let invalid = &validation["message"][0]["_INVALID_"];
    assert_eq!((&invalid[key], &invalid["ON_LINES"]), (&json!(message), &json!(lines)));
    // A person at a terminal reads file, lines, field and rule, and where the rest is.
    for part in [EXTRACT, &format!("lines {lines}, {key}: {message}"), "validation.json"] {
        assert!(stderr.contains(part), "{part} is not in:\n{stderr}");
    }
    job
}

#[test]
fn an_odd_row_is_an_invalid_record_at_its_line() {
    let folder = Folder::new();
    let content = format!("{}{}\n", one_patient(), patient(2, NUMBERS[1]).first_row());
    assert_invalid_record(reconcile(&folder, EXTRACT, content), 2, "4-4", "INVALID_RECORD", FIELD_COUNT);
}

#[test]
fn a_short_or_long_row_is_an_invalid_record_at_its_lines() {
    let second = patient(2, NUMBERS[1]);
    let (first_row, second_row) = (second.first_row(), second.second_row());
    let without_last = |row: &str| row.rsplit_once('~').expect("a separator").0.to_string();
    let cases = [
        format!("{}\n{second_row}\n", without_last(&first_row)),
        format!("DOW~1~\n{second_row}\n"),
        format!("{first_row}\n{}\n", without_last(&second_row)),
        format!("{first_row}~\n{}\n", without_last(&second_row)),
        format!("{first_row}~~\n{second_row}\n"),
    ];
    for rows in cases {
        let folder = Folder::new();
        let run = reconcile(&folder, EXTRACT, format!("{}{rows}", one_patient()));
        assert_invalid_record(run, 2, "4-5", "INVALID_RECORD", FIELD_COUNT);
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let folder = Folder::new();
    let content = format!("{HEADER}\n\n{}", GpPatient { sex: "3", ..patient(1, NUMBERS[0]) }.rows());
    let message = "Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.";
    assert_invalid_record(reconcile(&folder, EXTRACT, content), 1, "4-5", "SEX", message);
}

#[test]
fn no_value_of_a_patient_is_told_on_the_terminal() {
    let folder = Folder::new();
    let content = extract(&[GpPatient { surname: "Secretname", ..patient(1, NUMBERS[0]) }, patient(2, NUMBERS[1])]);
    let run = reconcile(&folder, EXTRACT, content).expect_exit_code(3);
    for value in ["Secretname", "ANNA", NUMBERS[0], "19800229", "OAK LANE"] {
        assert!(!run.stderr.contains(value) && !run.stdout.contains(value), "{value}");
    }
}

#[test]
fn of_very_many_invalid_records_the_first_are_told_and_all_are_in_the_file() {
    let folder = Folder::new();
    let patients: Vec<GpPatient<'_>> =
        (1..=200).map(|number| GpPatient { sex: "X", ..patient(number, NUMBERS[0]) }).collect();
    let run = reconcile(&folder, EXTRACT, extract(&patients)).expect_exit_code(3);
    assert!(run.stderr.lines().count() < 20, "{}", run.stderr);
    assert!(run.stderr.contains("200 invalid records"), "{}", run.stderr);
    assert_eq!(run.job().validation()["message"].as_array().map(Vec::len), Some(200));
}

#[test]
fn the_same_transaction_number_twice_rejects_the_file() {
    let folder = Folder::new();
    let content = extract(&[patient(1, NUMBERS[0]), patient(1, NUMBERS[1])]);
    let message = "Transaction/Record Number - Must be a unique, not-null integer greater than 0.";
    assert_invalid_record(reconcile(&folder, EXTRACT, content), 2, "4-5", "TRANS_ID", message);
}

#[test]
fn a_wrong_a_future_and_an_old_name_are_rejected_with_every_reason() {
    let cases = [
        ("extract-of-august", json!(["Filename contains invalid characters"])),
        (
            "extract.txt",
            json!([
                "Filename contains invalid practice code",
                "Filename contains invalid DOW name and/or HA cipher",
                "Filename contains invalid extension",
            ]),
        ),
        ("Y12345GPR4LNA1.H9A", json!(["Filename does not have the correct format"])),
        ("Y12345_GPR4LNA1.HBA", json!(["File date must not be from the future"])),
        ("Y12345_GPR4LNA1.GQA", json!(["File date must not be older than 14 days"])),
        ("Y12345_GPR4LNA1.FVA", json!(["Filename contains invalid date"])),
        ("Y12345_GPR4LNA1.H9A.DAT.DAT", json!(["Filename exceeds character limit"])),
    ];
    for (name, message) in cases {
        let folder = Folder::new();
        let run = reconcile(&folder, name, one_patient());
        assert!(run.stderr.contains(name), "{name}: {}", run.stderr);
        let job = assert_rejected(run, "INVALID_FILENAME", &message);
        assert_eq!((job.text("file"), &job.validation()["file"]), (name, &json!(name)), "named as it was sent");
    }
}

#[test]
fn a_name_in_lower_case_with_the_suffix_of_transport_is_accepted_and_shown_normalised() {
    let folder = Folder::new();
    let job = reconcile(&folder, "y12345_gpr4lna1.h9a.dat", one_patient()).reconciled();
    assert_eq!((job.text("file"), job.text("practice")), (EXTRACT, PRACTICE));
}

#[test]
fn records_dated_outside_the_last_14_days_reject_the_file() {
    let message = "Transaction/Record Date and Time - Must be a valid transmission date and timestamp, in the format \
                   YYYMMDDHHMM, which is less than 14 days old and not in the future.";
    for (date, time) in [("20210727", "1339"), ("20210810", "1501"), ("20210230", "1200"), ("20210809", "2460")] {
        let folder = Folder::new();
        let content = extract(&[patient(1, NUMBERS[0]), GpPatient { date, time, ..patient(2, NUMBERS[1]) }]);
        assert_invalid_record(reconcile(&folder, EXTRACT, content), 2, "4-5", "DATE_OF_DOWNLOAD", message);
    }
}

#[test]
fn one_rejected_extract_does_not_keep_the_others_of_the_call_from_being_reconciled() {
    let folder = Folder::new();
    let good = folder.write(EXTRACT, one_patient());
    let bad = folder.write("A82023_GPR4LNA1.H9A", "");
    let run = folder.reconcile().extract(bad).extract(good).pds(whole_pds(&folder)).run().expect_exit_code(3);
    let jobs = run.jobs();
    assert_eq!((jobs[0].status(), jobs[1].status()), ("REJECTED", "RECONCILED"));
    jobs[1].expect_counts(&[("records", 1), ("matched", 1)]);
}

#[test]
fn quarantine_leaves_out_only_the_invalid_records_and_says_so() {
    let folder = Folder::new();
    let patients = [
        patient(1, NUMBERS[0]),
        GpPatient { postcode: "NOWHERE", ..patient(2, NUMBERS[1]) },
        GpPatient { surname: "OTHER", ..patient(3, NUMBERS[2]) },
    ];
    let (extract, pds) = (folder.write(EXTRACT, extract(&patients)), whole_pds(&folder));
    let run = folder.reconcile().extract(&extract).pds(&pds).quarantine().run().expect_exit_code(0);
    let job = run.job();
    assert_eq!(job.status(), "RECONCILED");
    job.expect_counts(&[("records", 2), ("matched", 2), ("invalid_records", 1), ("differences", 1)]);
    let validation = job.validation();
    assert_eq!(validation["error_type"], "INVALID_RECORDS");
    assert_eq!(validation["message"].as_array().map(Vec::len), Some(1));
    assert_eq!(validation["message"][0]["_INVALID_"]["ON_LINES"], "4-5");
    assert_eq!(job.printed["files"].as_array().map(Vec::len), Some(5), "three lists, one work item, the reasons");

    let told = folder.reconcile().extract(extract).pds(pds).quarantine().run_for_people().expect_exit_code(0);
    assert!(told.stdout.contains("1  invalid records, left out (validation.json)"), "{}", told.stdout);
}

#[test]
fn quarantine_rejects_a_file_without_any_valid_record() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[GpPatient { sex: "", born: "X", ..patient(1, NUMBERS[0]) }]));
    let run = folder.reconcile().extract(extract).pds(whole_pds(&folder)).quarantine().run().expect_exit_code(3);
    assert_eq!(run.job().status(), "REJECTED");
}

#[test]
fn a_file_that_is_reconciled_at_last_leaves_no_reasons_of_its_earlier_rejection() {
    let folder = Folder::new();
    let (extract, pds) = (folder.write(EXTRACT, one_patient()), whole_pds(&folder));
    let rejected = folder.reconcile().extract(&extract).pds(&pds).at("2021-09-10T13:40:00Z").run().expect_exit_code(3);
    assert!(rejected.job().files.contains_key("validation.json"));
    let again = folder.reconcile_into(&rejected.out).extract(&extract).pds(&pds).run().reconciled();
    assert_eq!(again.text("job_id"), rejected.job().text("job_id"));
    assert!(!again.files.contains_key("validation.json"), "{:?}", again.files.keys());
}
