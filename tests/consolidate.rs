//! `concord documents consolidate` on folders: what it writes, what it says, and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for one test.
struct Folder(TempDir);

struct Run {
    exit_code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
    }

    fn concord(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        let output = command.arg("documents").args(arguments).current_dir(self.0.path()).output().expect("it starts");
        Run {
            exit_code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn consolidate(&self) -> Run {
        self.concord(&["consolidate", "in", "--out", "out"])
    }

    fn record(&self, patient: &str) -> Value {
        let path = self.path(&format!("out/{patient}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    }
}

fn letter(birth_date: &str, dose: &str) -> String {
    format!(
        "NHS Number: 943 476 5919\nSurname: Smith\nForenames: Anna Maria\nDate of birth: {birth_date}\nSex: Female\n\
         Medication: Paracetamol 500 mg tablet, {dose}\n"
    )
}

fn resource(birth_date: &str) -> String {
    json!({
        "resourceType": "Patient",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}],
        "name": [{"use": "official", "family": "Smith", "given": ["Anna", "Maria"]}],
        "gender": "female",
        "birthDate": birth_date,
    })
    .to_string()
}

#[test]
fn a_folder_of_each_patient_becomes_one_record_of_each() {
    let folder = Folder::new();
    folder.write("in/p1/a.json", resource("1980-01-01"));
    folder.write("in/p1/b.txt", letter("01/01/1980", "1 tablet twice a day"));
    folder.write("in/p1/c.txt", letter("2 January 1980", "2 tablets twice a day"));
    folder.write("in/p2/a.json", resource("1990-05-05"));
    let run = folder.consolidate();
    assert_eq!(run.exit_code, 0, "{}{}", run.stdout, run.stderr);
    let record = folder.record("p1");
    assert_eq!(record["patient_id"], "p1");
    let birth_date = json!({
        "value": "1980-01-01",
        "policy": "majority, most-recent, smallest",
        "observed": [
            {"value": "1980-01-01", "documents": ["a.json", "b.txt"]},
            {"value": "1980-01-02", "documents": ["c.txt"]},
        ],
    });
    assert_eq!(record["fields"]["birth_date"], birth_date);
    assert_eq!(record["fields"]["nhs_number"]["value"], "9434765919");
    assert_eq!(record["fields"]["given_names"]["value"], "Anna Maria");
    assert_eq!(record["fields"]["phone"]["value"], Value::Null);
    let conflicts: Vec<&str> =
        record["conflicts"].as_array().unwrap().iter().map(|conflict| conflict["field"].as_str().unwrap()).collect();
    assert_eq!(conflicts, ["birth_date", "medications/paracetamol 500mg tablet/dose"]);
    assert_eq!(record["medications"][0]["documents"], json!(["b.txt", "c.txt"]));
    let documents = json!([
        {"name": "a.json", "content_type": "application/fhir+json", "status": "Complete", "reason": null},
        {"name": "b.txt", "content_type": "text/plain", "status": "Complete", "reason": null},
        {"name": "c.txt", "content_type": "text/plain", "status": "Complete", "reason": null},
    ]);
    assert_eq!(record["documents"], documents);
    assert_eq!(folder.record("p2")["fields"]["birth_date"]["value"], "1990-05-05");
    assert!(run.stdout.contains("4 documents of 2 patients: 4 read, 0 not read; 2 conflicts"), "{}", run.stdout);
}

#[test]
fn a_document_that_cannot_be_read_is_told_and_the_others_count() {
    let folder = Folder::new();
    folder.write("in/p1/a.json", resource("1980-01-01"));
    folder.write("in/p1/b.bin", [0_u8, 1, 2, 3]);
    folder.write("in/p1/c.txt", "");
    let run = folder.consolidate();
    assert_eq!(run.exit_code, 4, "{}{}", run.stdout, run.stderr);
    let record = folder.record("p1");
    assert_eq!(record["fields"]["birth_date"]["value"], "1980-01-01");
    assert_eq!(record["documents"][1]["status"], "Failed");
    assert!(record["documents"][1]["reason"].as_str().unwrap().starts_with("CONCORD-DO-"), "{record}");
    assert!(
        run.stderr.contains("p1/b.bin: CONCORD-DO-") && run.stderr.contains("p1/c.txt: CONCORD-DO-"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let folder = Folder::new();
    for number in 0..12 {
        folder.write(&format!("in/p1/{number}.txt"), letter(&format!("0{}/01/1980", 1 + number % 3), "1 daily"));
    }
    assert_eq!(folder.consolidate().exit_code, 0);
    let first = fs::read(folder.path("out/p1.json")).unwrap();
    assert_eq!(folder.consolidate().exit_code, 0);
    assert_eq!(fs::read(folder.path("out/p1.json")).unwrap(), first);
}

#[test]
fn a_folder_that_is_not_there_is_a_usage_error() {
    let folder = Folder::new();
    let run = folder.consolidate();
    assert_eq!(run.exit_code, 2);
    assert!(run.stderr.contains("cannot read in"), "{}", run.stderr);
}

#[test]
fn a_document_whose_tool_is_not_installed_has_its_type_all_the_same() {
    let folder = Folder::new();
    folder.write("in/p1/letter.pdf", concord_documents::synthetic::pdf_of_lines("Surname: Smith"));
    fs::create_dir(folder.path("no-tools")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["documents", "consolidate", "in", "--out", "out"]).current_dir(folder.0.path());
    let status = command.env("PATH", folder.path("no-tools")).output().unwrap().status;
    assert_eq!(status.code(), Some(4));
    let document = &folder.record("p1")["documents"][0];
    assert_eq!((&document["content_type"], &document["status"]), (&json!("application/pdf"), &json!("Failed")));
    assert!(document["reason"].as_str().unwrap().starts_with("CONCORD-DO-0016"), "{document}");
}
