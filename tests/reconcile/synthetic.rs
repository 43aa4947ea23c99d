//! Generated practices: what comes out is what the generator knows.

use std::collections::BTreeSet;
use std::io::Write;

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::command::{AT, Folder, Job};

fn practice(code: &str, patients: u64, seed: u64, first_person: u64) -> SyntheticPractice {
    let settings = SyntheticSettings {
        practice: code.to_string(),
        patients,
        seed,
        first_person,
        now: AT.parse().expect("a time"),
    };
    SyntheticPractice::generate(settings).expect("a practice")
}

struct Inputs {
    folder: Folder,
    extract: std::path::PathBuf,
    pds: std::path::PathBuf,
    registrations: std::path::PathBuf,
}

fn inputs(practice: &SyntheticPractice) -> Inputs {
    let folder = Folder::new();
    Inputs {
        extract: folder.write(&practice.extract_file_name(), practice.extract().collect::<String>()),
        pds: folder.write("pds.ndjson", practice.pds().collect::<String>()),
        registrations: folder.write("registrations.csv", practice.registrations().collect::<String>()),
        folder,
    }
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

#[track_caller]
fn assert_is_true(job: &Job, practice: &SyntheticPractice) {
    let truth = practice.truth().counts;
    job.expect_counts(&[
        ("records", truth.records),
        ("matched", truth.matched),
        ("partnership_mismatch", truth.partnership_mismatch),
        ("deducted", truth.deducted),
        ("unmatched", truth.unmatched),
        ("sensitive", truth.sensitive),
        ("only_on_gp", truth.only_on_gp),
        ("only_on_pds", truth.only_on_pds),
        ("differences", truth.differences),
        ("patients_with_differences", truth.patients_with_differences),
        ("work_items", truth.work_items),
        ("duplicates", 0),
        ("invalid_records", 0),
    ]);
    assert_eq!(
        job.count("records"),
        job.count("matched") + job.count("partnership_mismatch") + job.count("deducted") + job.count("unmatched")
    );
    // The files hold what the counts say.
    assert_eq!(job.rows("OnlyOnGP").len() as i64, truth.only_on_gp);
    assert_eq!(job.rows("OnlyOnPDS").len() as i64, truth.only_on_pds);
    assert_eq!(job.rows("CDD").len() as i64, truth.differences + truth.sensitive);
    assert_eq!(job.work_items().len() as i64, truth.work_items);
}

#[test]
fn counts_and_files_are_what_the_generator_knows_for_any_size_seed_source_and_profile() {
    for (patients, seed) in [(1, 1), (137, 2), (2_500, 3)] {
        let practice = practice("Y12345", patients, seed, 0);
        let i = inputs(&practice);
        let packed =
            i.folder.write("registrations.csv.gz", gzipped(practice.registrations().collect::<String>().as_bytes()));
        let packed_pds = i.folder.write("pds.ndjson.gz", gzipped(practice.pds().collect::<String>().as_bytes()));
        let runs = [
            i.folder.reconcile().extract(&i.extract).pds(&i.pds),
            i.folder.reconcile().extract(&i.extract).pds(&i.pds).registrations(&i.registrations),
            i.folder.reconcile().extract(&i.extract).pds(&packed_pds).registrations(&packed),
            i.folder.reconcile().extract(&i.extract).pds(&i.pds).compatible(),
        ];
        for run in runs {
            assert_is_true(&run.run().reconciled(), &practice);
        }
    }
}

#[test]
fn two_extracts_in_one_call_are_two_jobs_that_do_not_touch_each_other() {
    let (first, second) = (practice("Y12345", 400, 5, 0), practice("A82023", 300, 5, 10_000));
    let (i, j) = (inputs(&first), inputs(&second));

    let run = i.folder.reconcile().extract(&i.extract).extract(&j.extract).pds(&i.pds).pds(&j.pds).run();

    let jobs = run.expect_exit_code(0).jobs();
    assert_eq!(jobs.len(), 2);
    assert_eq!((jobs[0].text("practice"), jobs[1].text("practice")), ("Y12345", "A82023"));
    assert_is_true(&jobs[0], &first);
    assert_is_true(&jobs[1], &second);
}

#[test]
fn a_file_given_twice_in_one_call_is_one_job_and_the_second_is_told() {
    let practice = practice("Y12345", 50, 6, 0);
    let i = inputs(&practice);

    let run = i.folder.reconcile().extract(&i.extract).extract(&i.extract).pds(&i.pds).run();

    assert!(run.stderr.contains("already received") && run.stderr.contains("Y12345_GPR4LNA1.H9A"), "{}", run.stderr);
    assert_is_true(&run.reconciled(), &practice);
}

#[test]
fn the_same_input_gives_the_same_bytes_and_ids() {
    let i = inputs(&practice("Y12345", 600, 7, 0));
    let run = || i.folder.reconcile().extract(&i.extract).pds(&i.pds).run().reconciled();
    let (first, second) = (run(), run());
    assert_eq!(first.printed, second.printed);
    assert_eq!(first.files, second.files);
}

#[test]
fn rows_stand_in_order_of_nhs_number_and_then_of_rule() {
    let i = inputs(&practice("Y12345", 1_500, 8, 0));
    let job = i.folder.reconcile().extract(&i.extract).pds(&i.pds).run().reconciled();
    let differences: Vec<(String, String)> = job
        .rows("CDD")
        .iter()
        .map(|row| {
            let rule = row.rsplit(',').nth(1).expect("a rule");
            (row.split(',').next().expect("an NHS number").to_string(), rule.to_string())
        })
        .collect();
    assert!(differences.len() > 20 && differences.is_sorted(), "{differences:?}");
    for file in ["OnlyOnGP", "OnlyOnPDS"] {
        let numbers: Vec<String> = job.rows(file).iter().map(|row| nhs_number_in(row).expect("a number")).collect();
        assert!(numbers.len() > 5 && numbers.is_sorted(), "{file}: {numbers:?}");
    }
}

/// The only field of a row that is ten digits.
fn nhs_number_in(row: &str) -> Option<String> {
    let is_number = |field: &&str| field.len() == 10 && field.bytes().all(|byte| byte.is_ascii_digit());
    row.split(',').find(is_number).map(str::to_owned)
}

#[test]
fn sensitive_people_stand_in_no_only_on_file_and_have_one_row_without_rules() {
    let practice = practice("Y12345", 4_000, 9, 0);
    let sensitive: BTreeSet<String> = practice
        .pds()
        .filter_map(|line| {
            let resource: Value = serde_json::from_str(&line).expect("a resource");
            let restricted = matches!(resource["meta"]["security"][0]["code"].as_str(), Some("R" | "V"));
            let invalidated = line.contains("INVALIDATED_RESOURCE");
            (restricted || invalidated).then(|| resource["id"].as_str().expect("an id").to_string())
        })
        .collect();
    let i = inputs(&practice);
    let job = i.folder.reconcile().extract(&i.extract).pds(&i.pds).registrations(&i.registrations).run().reconciled();
    assert!(job.count("sensitive") > 0);

    for file in ["OnlyOnGP", "OnlyOnPDS"] {
        let shown: BTreeSet<String> = job.rows(file).iter().filter_map(|row| nhs_number_in(row)).collect();
        assert!(shown.is_disjoint(&sensitive), "{file}");
    }
    let rows = job.rows("CDD");
    let of_sensitive: Vec<&String> =
        rows.iter().filter(|row| nhs_number_in(row).is_some_and(|number| sensitive.contains(&number))).collect();
    assert_eq!(of_sensitive.len() as i64, job.count("sensitive"));
    assert!(of_sensitive.iter().all(|row| row.ends_with(",sensitive,Manual Validation")));
    for work_item in job.work_items().values() {
        let is_sensitive = sensitive.contains(work_item["patient"]["nhsNumber"].as_str().expect("a number"));
        assert_eq!(work_item["differences"].as_array().expect("a list").is_empty(), is_sensitive);
    }
}
