//! Exit codes, usage errors, and what a person reads.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::command::{AT, Folder};
use super::people::{EXTRACT, GpPatient, NUMBERS, PRACTICE, extract, ndjson, on_pds, patient};

fn concord(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn help_tells_every_option_an_example_and_the_exit_codes() {
    let (code, help, _) = concord(&["reconcile", "--help"]);
    assert_eq!(code, Some(0));
    let parts = [
        "--extract",
        "--pds",
        "--registrations",
        "--out",
        "--at",
        "--json",
        "--profile",
        "--on-invalid",
        "Example:",
        "concord reconcile --extract",
        "0 reconciled",
        "1 failed",
        "2 usage",
        "3 an extract was rejected",
    ];
    for part in parts {
        assert!(help.contains(part), "{part} is not in:\n{help}");
    }
    let (code, help, _) = concord(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(help.contains("demo") && help.contains("reconcile") && help.contains("topology"), "{help}");
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_wrong() {
    let cases: [(&[&str], &str); 5] = [
        (&[], "Usage: concord"),
        (&["reconcile"], "--extract"),
        (&["reconcile", "--extract", "a", "--out", "b"], "--pds"),
        (&["reconcile", "--extract", "a", "--pds", "b", "--out", "c", "--at", "yesterday"], "--at"),
        (&["reconcile", "--extract", "a", "--pds", "b", "--out", "c", "--profile", "other"], "compatible"),
    ];
    for (arguments, message) in cases {
        let (code, _, stderr) = concord(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_missing_file_exits_with_2_names_the_path_and_leaves_nothing() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", "");
    let missing = folder.path("no-such-file");
    let calls = [
        folder.reconcile().extract(&missing).pds(&pds),
        folder.reconcile().extract(&extract).extract(&missing).pds(&pds),
        folder.reconcile().extract(&extract).pds(&missing),
        folder.reconcile().extract(&extract).pds(&pds).registrations(&missing),
        folder.reconcile().extract(folder.path("")).pds(&pds),
    ];
    for (call, path) in calls.into_iter().zip([&missing, &missing, &missing, &missing, &folder.path("")]) {
        let run = call.run().expect_exit_code(2);
        assert!(run.stderr.contains(&path.display().to_string()), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        assert!(!run.out.exists(), "nothing was done, so nothing is left");
    }
}

#[test]
fn an_output_folder_that_cannot_be_made_exits_with_2_and_names_it() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", "");
    let out = pds.display().to_string();
    let (code, _, stderr) =
        concord(&["reconcile", "--extract", &extract.display().to_string(), "--pds", &out, "--out", &out]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains(&out), "{stderr}");
}

#[test]
fn a_damaged_input_exits_with_1_and_names_file_and_line() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    // The beginning of a gzip stream, and nothing behind it.
    let pds = folder.write("pds.ndjson.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let run = folder.reconcile().extract(extract).pds(pds).run().expect_exit_code(1);
    assert!(run.stderr.contains("pds.ndjson.gz, line 1"), "{}", run.stderr);
}

/// Its work item is larger than a record may be: each of these letters takes six bytes there.
fn with_a_surname_too_long_for_a_work_item(nhs_number: &str) -> Value {
    let mut patient = on_pds(nhs_number, PRACTICE);
    patient["name"][0]["family"] = Value::from("\u{e9}".repeat(200_000));
    patient
}

#[test]
fn a_record_that_cannot_be_processed_is_named_and_its_job_exits_with_1() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0]), patient(2, NUMBERS[1])]));
    let large = with_a_surname_too_long_for_a_work_item(NUMBERS[0]);
    let pds = folder.write("pds.ndjson", ndjson(&[large, on_pds(NUMBERS[1], PRACTICE)]));
    let run = folder.reconcile().extract(extract).pds(pds).run().expect_exit_code(1);
    let job = run.job();
    assert_eq!((job.status(), job.count("records")), ("INCONSISTENT", 1));
    let printed: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(printed["dead_letters"], 1);
    let parts = [
        "2 records sent, 1 compared",
        "1 records could not be processed",
        "CONCORD-EN-0006 list-reconciliation.gp-records.repartition/",
        "ended as INCONSISTENT",
    ];
    for part in parts {
        assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
    }
    for value in [NUMBERS[0], "WREN", "\u{e9}"] {
        assert!(!run.stderr.contains(value), "{value} is in:\n{}", run.stderr);
    }
}

#[test]
fn a_second_run_into_a_folder_that_is_in_use_exits_with_2_and_leaves_the_first_alone() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let answers = ndjson(&[on_pds(NUMBERS[0], PRACTICE)]);
    let pds = folder.write("pds.ndjson", &answers);
    // The first run waits at this pipe for its records, with its state open.
    let pipe = folder.path("pds.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo starts").success());
    let out = folder.path("out");
    let call = |pds: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("reconcile").arg("--extract").arg(&extract).arg("--pds").arg(pds);
        command.arg("--out").arg(&out).args(["--at", AT, "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut first = call(&pipe).spawn().expect("the program starts");
    // Opened in both directions, a pipe waits for nobody.
    let mut records = File::options().read(true).write(true).open(&pipe).expect("the pipe");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !out.join(".concord-state").exists() {
        assert!(first.try_wait().expect("the first run").is_none() && Instant::now() < deadline, "it does not start");
        sleep(Duration::from_millis(10));
    }
    let second = call(&pds).output().expect("the program starts");
    let told = String::from_utf8(second.stderr).expect("text");
    assert_eq!(second.status.code(), Some(2), "{told}");
    assert!(told.contains("another run is writing to") && told.contains(&out.display().to_string()), "{told}");
    assert!(first.try_wait().expect("the first run").is_none(), "it goes on");
    records.write_all(answers.as_bytes()).expect("writing into the pipe");
    drop(records);
    let first = first.wait_with_output().expect("the first run ends");
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    // The lock went with it.
    let third = call(&pds).output().expect("the program starts");
    assert_eq!(third.status.code(), Some(0), "{}", String::from_utf8_lossy(&third.stderr));
}

#[test]
fn json_is_one_object_with_the_promised_keys_in_order() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[patient(1, NUMBERS[0])]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE)]));
    let run = folder.reconcile().extract(extract).pds(pds).run().expect_exit_code(0);
    assert_eq!(run.stdout.lines().count(), 1);
    let printed: Map<String, Value> = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(printed.keys().collect::<Vec<_>>(), ["jobs", "dead_letters"]);
    assert_eq!(printed["dead_letters"], 0);
    let promised = [
        "job_id",
        "practice",
        "file",
        "status",
        "records",
        "matched",
        "partnership_mismatch",
        "deducted",
        "unmatched",
        "sensitive",
        "only_on_gp",
        "only_on_pds",
        "differences",
        "patients_with_differences",
        "work_items",
        "files",
    ];
    let keys: Vec<&String> = printed["jobs"][0].as_object().expect("a job").keys().collect();
    let found: Vec<&str> = keys.iter().map(|key| key.as_str()).filter(|key| promised.contains(key)).collect();
    assert_eq!(found, promised);
}

#[test]
fn the_files_named_in_json_are_the_files_in_the_folder_of_the_job() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[GpPatient { surname: "OTHER", ..patient(1, NUMBERS[0]) }]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE)]));
    let job = folder.reconcile().extract(extract).pds(pds).run().reconciled();
    let named: Vec<&str> = job.printed["files"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let id = job.text("job_id");
    assert_eq!(
        named,
        [
            "Y12345-CDD-20210810134000.csv",
            "Y12345-OnlyOnGP-20210810134000.csv",
            "Y12345-OnlyOnPDS-20210810134000.csv",
            &format!("work-items/Y12345-WIP-{id}-{}-20210810134000.json", NUMBERS[0]),
        ]
    );
    assert_eq!(job.files.keys().map(String::as_str).collect::<Vec<_>>(), named);
}

#[test]
fn the_summary_shows_counts_and_masked_differences() {
    let folder = Folder::new();
    let extract = folder.write(EXTRACT, extract(&[GpPatient { surname: "OTHER", ..patient(1, NUMBERS[0]) }]));
    let pds = folder.write("pds.ndjson", ndjson(&[on_pds(NUMBERS[0], PRACTICE)]));
    let run = folder.reconcile().extract(extract).pds(pds).run_for_people().expect_exit_code(0);
    let parts = [EXTRACT, "reconciled", "1  records in the file", "1  differences", "*******018  MN-BR-SN-01  surname"];
    for part in parts {
        assert!(run.stdout.contains(part), "{part} is not in:\n{}", run.stdout);
    }
    for value in [NUMBERS[0], "OTHER", "Wren"] {
        assert!(!run.stdout.contains(value), "{value} is in:\n{}", run.stdout);
    }
}
