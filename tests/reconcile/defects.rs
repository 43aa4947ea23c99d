//! Known defects of the earlier implementation: corrected, and kept by `--profile compatible` where it is asked for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::command::{Folder, Job, Reconcile, Run};
use super::people::{EXTRACT, GpPatient, HEADER, NUMBERS, PRACTICE, extract, ndjson, on_pds, patient};

fn call(folder: &Folder, name: &str, content: &str, pds: &[Value]) -> Reconcile {
    let extract = folder.write(name, content);
    let pds = folder.write("pds.ndjson", ndjson(pds));
    folder.reconcile().extract(extract).pds(pds)
}

fn fixed(content: &str, pds: &[Value]) -> Run {
    call(&Folder::new(), EXTRACT, content, pds).run()
}

fn compatible(content: &str, pds: &[Value]) -> Run {
    call(&Folder::new(), EXTRACT, content, pds).compatible().run()
}

fn reconciled(content: &str, pds: &[Value], profile: &str) -> Job {
    let run = if profile == "compatible" { compatible(content, pds) } else { fixed(content, pds) };
    run.reconciled()
}

#[test]
fn p1_the_time_in_a_failure_log_has_its_zone() {
    for (profile, expected) in
        [("fixed", "2021-08-10 13:40:00.123000+00:00"), ("compatible", "2021-08-10 13:40:00.123000")]
    {
        let folder = Folder::new();
        let call = call(&folder, EXTRACT, "", &[]).at("2021-08-10T13:40:00.123Z");
        let call = if profile == "compatible" { call.compatible() } else { call };
        let job = call.run().expect_exit_code(3).job();
        assert_eq!(job.validation()["upload_date"], expected);
    }
}

#[test]
fn p2_a_file_dated_in_january_is_accepted_in_early_january() {
    let content = extract(&[GpPatient { date: "20210105", time: "0900", ..patient(1, NUMBERS[0]) }]);
    let name = "Y12345_GPR4LNA1.A5A";
    let at = "2021-01-06T12:00:00Z";
    call(&Folder::new(), name, &content, &[]).at(at).run().reconciled().expect_counts(&[("records", 1)]);

    // Where the earlier implementation crashed and told nobody, the file is rejected with a reason.
    let run = call(&Folder::new(), name, &content, &[]).at(at).compatible().run().expect_exit_code(3);
    assert!(run.stderr.contains("File date must be 18 to 31 December"), "{}", run.stderr);
}

#[test]
fn p2_a_file_dated_in_late_december_is_of_last_year_in_early_january() {
    let content = extract(&[GpPatient { date: "20201231", time: "0900", ..patient(1, NUMBERS[0]) }]);
    let call = |folder: &Folder| call(folder, "Y12345_GPR4LNA1.LVA", &content, &[]).at("2021-01-06T12:00:00Z");
    call(&Folder::new()).run().reconciled();
    call(&Folder::new()).compatible().run().reconciled();
}

#[test]
fn p3_the_last_patient_may_have_a_residential_institute() {
    let content =
        extract(&[patient(1, NUMBERS[0]), GpPatient { residential_institute: "A1", ..patient(2, NUMBERS[1]) }]);
    fixed(&content, &[]).reconciled().expect_counts(&[("records", 2), ("unmatched", 2)]);
    compatible(&content, &[]).reconciled().expect_counts(&[("records", 1), ("unmatched", 1)]);
}

#[test]
fn p3_every_patient_may_have_a_residential_institute() {
    let content = extract(&[GpPatient { residential_institute: "A1", ..patient(1, NUMBERS[0]) }]);
    fixed(&content, &[]).reconciled().expect_counts(&[("records", 1)]);
    let run = compatible(&content, &[]).expect_exit_code(3);
    assert!(run.stderr.contains("does not contain any identifiable DOW records"), "{}", run.stderr);
}

#[test]
fn p7_sex_0_is_compared_and_shown() {
    let content =
        extract(&[GpPatient { sex: "0", ..patient(1, NUMBERS[0]) }, GpPatient { sex: "0", ..patient(2, NUMBERS[1]) }]);
    let mut agrees = on_pds(NUMBERS[0], PRACTICE);
    agrees["gender"] = json!("other");
    let pds = [agrees, on_pds(NUMBERS[1], PRACTICE)];
    for (profile, shown) in [("fixed", "0"), ("compatible", "")] {
        let job = reconciled(&content, &pds, profile);
        job.expect_counts(&[("matched", 2), ("differences", 1), ("work_items", 1)]);
        let rows = job.rows("CDD");
        assert!(rows[0].starts_with(&format!("{},19800229,{shown},ANNA,", NUMBERS[1])), "{rows:?}");
        assert!(rows[0].ends_with(",MN-BR-SX-01,Manual Validation"), "{rows:?}");
    }
}

#[test]
fn p7_a_missing_sex_or_date_of_birth_is_a_difference_and_blocks_no_job() {
    let content = extract(&[GpPatient { born: "", ..patient(1, NUMBERS[0]) }, patient(2, NUMBERS[1])]);
    let mut without_gender = on_pds(NUMBERS[1], PRACTICE);
    without_gender.as_object_mut().expect("an object").remove("gender");
    let pds = [on_pds(NUMBERS[0], PRACTICE), without_gender];
    for profile in ["fixed", "compatible"] {
        let job = reconciled(&content, &pds, profile);
        job.expect_counts(&[("matched", 2), ("differences", 2)]);
        let rows = job.rows("CDD");
        assert!(rows[0].ends_with(",MN-BR-DB-01,Manual Validation"), "{rows:?}");
        assert!(rows[1].ends_with(",MN-BR-SX-01,Manual Validation"), "{rows:?}");
    }
}

#[test]
fn p7_a_partial_date_of_birth_on_pds_is_a_difference_and_blocks_no_job() {
    let content = extract(&[patient(1, NUMBERS[0]), patient(2, NUMBERS[1]), patient(3, NUMBERS[2])]);
    let born = |number: &str, date: &str| {
        let mut resource = on_pds(number, PRACTICE);
        resource["birthDate"] = json!(date);
        resource
    };
    let pds = [born(NUMBERS[0], "1980"), born(NUMBERS[1], "1980-02"), born(NUMBERS[2], "1980-02-29")];
    for profile in ["fixed", "compatible"] {
        let job = reconciled(&content, &pds, profile);
        job.expect_counts(&[("matched", 3), ("differences", 2), ("patients_with_differences", 2)]);
        let rows = job.rows("CDD");
        assert!(rows.iter().all(|row| row.ends_with(",MN-BR-DB-01,Manual Validation")), "{rows:?}");
        assert!(rows[0].contains(",1980,female,") && rows[1].contains(",1980-02,female,"), "{rows:?}");
    }
}

#[test]
fn p8_what_is_empty_on_both_sides_is_no_difference() {
    let nameless = GpPatient { forenames: "", title: "", address: [""; 5], ..patient(1, NUMBERS[0]) };
    let mut resource = on_pds(NUMBERS[0], PRACTICE);
    resource["name"] = json!([{"use": "usual", "family": "Wren"}]);
    resource["address"] = json!([{"use": "home", "postalCode": "AB1 2CD"}]);
    let (content, pds) = (extract(&[nameless]), [resource]);

    fixed(&content, &pds).reconciled().expect_counts(&[("matched", 1), ("differences", 0), ("work_items", 0)]);

    let job = reconciled(&content, &pds, "compatible");
    job.expect_counts(&[("matched", 1), ("differences", 3), ("work_items", 1)]);
    let rules: Vec<String> =
        job.rows("CDD").iter().map(|row| row.rsplit(',').nth(1).expect("a rule").to_string()).collect();
    assert_eq!(rules, ["MN-BR-AD-01", "MN-BR-FN-01", "MN-BR-TL-01"]);
}

#[test]
fn p9_a_patient_who_stands_in_a_file_twice_keeps_both_work_items() {
    let content = extract(&[
        GpPatient { surname: "OTHER", ..patient(1, NUMBERS[0]) },
        GpPatient { surname: "ANOTHER", ..patient(2, NUMBERS[0]) },
    ]);
    let pds = [on_pds(NUMBERS[0], PRACTICE)];
    let both = reconciled(&content, &pds, "fixed");
    both.expect_counts(&[
        ("records", 2),
        ("matched", 2),
        ("duplicates", 1),
        ("differences", 2),
        ("patients_with_differences", 1),
        ("work_items", 2),
        ("only_on_pds", 0),
    ]);
    let surnames: BTreeSet<String> =
        both.work_items().into_values().map(|item| item["patient"]["gpData"]["name"]["family"].to_string()).collect();
    assert_eq!(surnames, BTreeSet::from(["\"ANOTHER\"".to_string(), "\"OTHER\"".to_string()]));

    let one = reconciled(&content, &pds, "compatible");
    one.expect_counts(&[("records", 2), ("differences", 2), ("work_items", 1)]);
    assert_eq!(one.work_items().len(), 1, "the second took the place of the first");
}

#[test]
fn p10_a_file_extracted_minutes_ago_in_summer_is_not_from_the_future() {
    // 14:30 in London is 13:30 UTC, ten minutes ago.
    let content = extract(&[GpPatient { date: "20210810", time: "1430", ..patient(1, NUMBERS[0]) }]);
    fixed(&content, &[]).reconciled().expect_counts(&[("records", 1)]);
    let run = compatible(&content, &[]).expect_exit_code(3);
    assert_eq!(run.job().count("invalid_records"), 1);
}

#[test]
fn p10_a_file_named_after_midnight_in_london_is_not_from_the_future() {
    let content = extract(&[GpPatient { date: "20210811", time: "0010", ..patient(1, NUMBERS[0]) }]);
    let (name, at) = ("Y12345_GPR4LNA1.HBA", "2021-08-10T23:20:00Z");
    call(&Folder::new(), name, &content, &[]).at(at).run().reconciled();
    let run = call(&Folder::new(), name, &content, &[]).at(at).compatible().run().expect_exit_code(3);
    assert!(run.stderr.contains("File date must not be from the future"), "{}", run.stderr);
}

#[test]
fn p14_no_file_is_left_without_a_verdict() {
    let short_row = format!("{HEADER}DOW~1~\n{}\n", patient(1, NUMBERS[0]).second_row());
    let cases: [(&str, &str); 3] =
        [("", "is empty"), (HEADER, "ends after its header"), (&short_row, "1 invalid records")];
    for (content, message) in cases {
        for run in [fixed(content, &[]), compatible(content, &[])] {
            let run = run.expect_exit_code(3);
            assert_eq!(run.job().status(), "REJECTED");
            assert!(run.stderr.contains(message), "{}", run.stderr);
        }
    }
}

#[test]
fn a_byte_order_mark_rejects_the_file_only_when_compatible() {
    let content = format!("\u{feff}{}", extract(&[patient(1, NUMBERS[0])]));
    fixed(&content, &[]).reconciled();
    let run = compatible(&content, &[]).expect_exit_code(3);
    assert!(run.stderr.contains("Header must be 503\\*"), "{}", run.stderr);
}
