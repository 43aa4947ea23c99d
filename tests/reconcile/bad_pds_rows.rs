//! PDS rows with faults: the row is told and kept, the others count, and no job is blocked.

use serde_json::{Value, json};

use super::command::{Folder, Run};
use super::people::{EXTRACT, NUMBERS, PRACTICE, extract, ndjson, on_pds, outcome, patient};

/// Two patients: PDS says `lines` of the first, and agrees with the second.
fn reconcile(lines: &str) -> Run {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0]), patient(2, NUMBERS[1])]));
    let pds = folder.write("pds.ndjson", format!("{lines}\n{}", ndjson(&[on_pds(NUMBERS[1], PRACTICE)])));
    let run = folder.reconcile().extract(extract).pds(pds).run();
    for value in [NUMBERS[0], NUMBERS[1], "Wren"] {
        assert!(!run.stderr.contains(value), "who is meant is not told on the terminal: {}", run.stderr);
    }
    run
}

fn rejected_rows(run: &Run) -> Vec<Value> {
    let rows = run.files.get("rejected-rows.ndjson").expect("the file of refused rows");
    rows.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

fn with(key: &str, value: Value) -> Value {
    let mut resource = on_pds(NUMBERS[0], PRACTICE);
    resource[key] = value;
    resource
}

#[test]
fn a_row_that_cannot_be_used_is_told_by_line_and_field_kept_whole_and_blocks_nobody() {
    let mut without_number = on_pds(NUMBERS[0], PRACTICE);
    without_number.as_object_mut().expect("an object").remove("id");
    let cases = [
        ("id", without_number.to_string()),
        ("id", on_pds("9990000019", PRACTICE).to_string()),
        ("gender", with("gender", json!("feminine")).to_string()),
        ("birthDate", with("birthDate", json!("29/02/1980")).to_string()),
        ("name", with("name", json!("Wren")).to_string()),
        ("resourceType", with("resourceType", json!("Practitioner")).to_string()),
        ("issue.details.coding.code", outcome(NUMBERS[0], "TOO_MANY_REQUESTS").to_string()),
        ("the line", "<html>502 Bad Gateway</html>".to_string()),
        ("the line", "12".to_string()),
    ];
    for (field, line) in cases {
        let run = reconcile(&line).expect_exit_code(0);
        assert!(run.stderr.contains(&format!("pds.ndjson, line 1, {field}: ")), "{field}: {}", run.stderr);
        assert!(run.stderr.contains("; "), "a remedy stands behind the problem: {}", run.stderr);
        let kept = rejected_rows(&run);
        assert_eq!(kept.len(), 1, "{field}");
        assert_eq!((&kept[0]["line"], &kept[0]["field"], &kept[0]["row"]), (&json!(1), &json!(field), &json!(line)));
        let job = run.job();
        assert_eq!(job.status(), "RECONCILED", "{field}");
        job.expect_counts(&[("records", 2), ("matched", 1), ("unmatched", 1)]);
    }
}

#[test]
fn of_very_many_rows_that_cannot_be_used_the_first_are_told_and_all_are_kept() {
    let run = reconcile(&"{}\n".repeat(500)).expect_exit_code(0);
    assert!(run.stderr.lines().count() < 20, "{}", run.stderr);
    assert!(run.stderr.contains("500") && run.stderr.contains("rejected-rows.ndjson"), "{}", run.stderr);
    assert_eq!(rejected_rows(&run).len(), 500);
}

#[test]
fn a_run_without_refused_rows_leaves_no_file_of_them() {
    let run = reconcile("").expect_exit_code(0);
    assert!(!run.files.contains_key("rejected-rows.ndjson"));
}

#[test]
fn outcomes_say_that_pds_has_no_record_or_an_invalidated_one() {
    let job = reconcile(&outcome(NUMBERS[0], "RESOURCE_NOT_FOUND").to_string()).reconciled();
    job.expect_counts(&[("unmatched", 1), ("only_on_gp", 1), ("sensitive", 0), ("work_items", 0)]);

    let job = reconcile(&outcome(NUMBERS[0], "INVALIDATED_RESOURCE").to_string()).reconciled();
    job.expect_counts(&[("deducted", 1), ("only_on_gp", 0), ("sensitive", 1), ("work_items", 1), ("differences", 0)]);
    let rows = job.rows("CDD");
    assert!(rows[0].contains(",REDACTED,") && rows[0].ends_with(",sensitive,Manual Validation"), "{rows:?}");
}

#[test]
fn the_last_row_of_a_person_holds() {
    let lines = ndjson(&[
        on_pds(NUMBERS[0], "A82023"),
        outcome(NUMBERS[0], "RESOURCE_NOT_FOUND"),
        on_pds(NUMBERS[0], PRACTICE),
    ]);
    reconcile(&lines).reconciled().expect_counts(&[("matched", 2), ("only_on_pds", 0)]);

    let lines = ndjson(&[on_pds(NUMBERS[0], PRACTICE), outcome(NUMBERS[0], "RESOURCE_NOT_FOUND")]);
    reconcile(&lines).reconciled().expect_counts(&[("matched", 1), ("unmatched", 1), ("only_on_pds", 0)]);
}

#[test]
fn a_row_of_the_registration_list_that_cannot_be_used_is_told_and_kept() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE), on_pds(NUMBERS[2], PRACTICE)]));
    let list =
        format!("nhs_number,gp_practice,dispensing_flag\n9990000019,{PRACTICE},1\n{},{PRACTICE},0\n", NUMBERS[2]);
    let list = folder.write("registrations.csv", list);

    let run = folder.reconcile().extract(extract).pds(pds).registrations(list).run().expect_exit_code(0);

    assert!(run.stderr.contains("registrations.csv, line 2, nhs_number: "), "{}", run.stderr);
    assert_eq!(rejected_rows(&run)[0]["row"], format!("9990000019,{PRACTICE},1"));
    run.job().expect_counts(&[("only_on_pds", 1)]);
}
