//! Patient documents on a real cluster by the commands of an operator: documents of all kinds are uploaded, edited and deleted, what
//! cannot be read is told and asked for again, and what stands in the end is what the same files give without a cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod on_a_cluster;
#[path = "../src/documents/record_json.rs"]
mod record_json;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use concord_documents::synthetic::{ImageKind, SyntheticKind, SyntheticRecord, rendered};
use concord_engine::log::read_whole_topic;
use concord_schemas::Schemas;
use concord_schemas::codec::CONSOLIDATION;
use concord_schemas::patient_documents::PatientConsolidation;
use serde_json::Value;

use on_a_cluster::{Program, unique};

const PATIENCE: Duration = Duration::from_secs(90);
/// Its people do not exist.
const SEED: u64 = 5;

/// An application of its own on the cluster, with patients of its own.
struct Application {
    program: Program,
    /// The beginning of the ids of its patients.
    unique: String,
}

impl Application {
    fn new(bootstrap: &str) -> Self {
        let unique = format!("{:x}", unique());
        let flows = format!(
            "[flows.patient_documents]\napplication = \"documents-{unique}\"\nquiet_seconds = 1\nlongest_wait_seconds = 5\n"
        );
        let program = Program::configured(bootstrap, "documents", "documents.document", &flows);
        Self { program, unique }
    }

    /// The id of one of its patients.
    fn patient(&self, name: &str) -> String {
        format!("{}-{name}", self.unique)
    }

    fn input(&self) -> PathBuf {
        self.program.folder.path().join("in")
    }

    /// Writes a document into the folder of its patient, and uploads it under the id that it has without a cluster; answers that.
    fn upload(&self, patient: &str, name: &str, content: &[u8]) -> String {
        let folder = self.input().join(patient);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        let id = format!("{patient}:{name}");
        let told =
            self.program.succeeds(&["documents", "upload", path.to_str().unwrap(), "--patient", patient, "--id", &id]);
        assert_eq!(told.trim(), format!("document {id}"));
        id
    }

    fn delete(&self, id: &str) {
        let (patient, name) = id.split_once(':').unwrap();
        fs::remove_file(self.input().join(patient).join(name)).unwrap();
        self.program.succeeds(&["documents", "delete", id]);
    }

    /// The documents of a patient by id, as `concord documents list` has them.
    fn listed(&self, patient: &str) -> BTreeMap<String, Value> {
        let listed = self.program.succeeds(&["documents", "list", "--patient", patient, "--json"]);
        let documents = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        documents.map(|document| (document["document_id"].as_str().unwrap().to_owned(), document)).collect()
    }

    fn status(&self, patient: &str, id: &str) -> String {
        self.listed(patient).get(id).map_or("", |document| document["status"].as_str().unwrap()).to_owned()
    }

    /// The record of a patient, as it is written without a cluster; `None` where there is none or it was taken back.
    fn record(&self, patient: &str) -> Option<Value> {
        let (decoder, mut last) = (Schemas::bundled().decoder(), None);
        read_whole_topic(&self.program.log, CONSOLIDATION.name(), &mut |_, record| {
            if record.key.as_deref() == Some(patient.as_bytes()) {
                last = record.value.as_ref().map(|value| {
                    let record: PatientConsolidation<'_> = decoder.decode(&CONSOLIDATION, value).unwrap();
                    record_json::as_json(&record)
                });
            }
        })
        .unwrap();
        last
    }

    /// The codes of the dead letters of a document, and the first of their places.
    fn letters(&self, id: &str) -> Vec<(String, String)> {
        let listed = self.program.succeeds(&["dead-letters", "list"]);
        let places = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned());
        let letters = places.map(|place| {
            let shown = self.program.succeeds(&["dead-letters", "show", &place]);
            (place, serde_json::from_str::<Value>(&shown).unwrap())
        });
        let of_it = letters.filter(|(_, letter)| letter["key"] == id);
        of_it.map(|(place, letter)| (place, letter["code"].as_str().unwrap().to_owned())).collect()
    }

    #[track_caller]
    fn waits_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "it does not come to this: {what}");
            // The interval of a poll with a deadline.
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

fn has_conflict(record: &Value, field: &str) -> bool {
    record["conflicts"].as_array().unwrap().iter().any(|conflict| conflict["field"] == field)
}

fn has(tool: &str) -> bool {
    Command::new(tool).arg("-v").output().is_ok()
}

#[test]
fn documents_are_uploaded_edited_and_deleted_and_what_stands_is_what_the_same_files_give_without_a_cluster() {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: documents_on_a_cluster wants a real cluster; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    };
    let mut application = Application::new(&bootstrap);
    application.program.succeeds(&["topics", "apply"]);
    application.program.start();

    // All kinds of one patient, one of which has another birth date; another patient; one with a single document.
    let (anna, ben, cleo) = (application.patient("anna"), application.patient("ben"), application.patient("cleo"));
    let truth = SyntheticRecord::of(SEED, 0);
    let wrong = SyntheticRecord { birth_date: "1901-02-03".to_owned(), ..truth.clone() };
    application.upload(&anna, "1.json", &SyntheticKind::Fhir.write(&truth));
    let letter = application.upload(&anna, "2.txt", &SyntheticKind::Text.write(&wrong));
    application.upload(&anna, "3.xml", &SyntheticKind::Cda.write(&truth));
    application.upload(&anna, "4.hl7", &SyntheticKind::Hl7.write(&truth));
    if has("pdftotext") && has("tesseract") {
        let pdf = SyntheticKind::Pdf.write(&truth);
        application.upload(&anna, "5.pdf", &pdf);
        application.upload(&anna, "6.png", &rendered(&pdf, ImageKind::Png, 200).unwrap());
    } else {
        eprintln!("SKIPPED: PDF and images on a cluster: tesseract-ocr or poppler-utils is not installed");
    }
    let other = SyntheticRecord::of(SEED, 1);
    application.upload(&ben, "a.json", &SyntheticKind::Fhir.write(&other));
    let moved = SyntheticRecord { phone: "01632960001".to_owned(), ..other.clone() };
    let second = application.upload(&ben, "b.json", &SyntheticKind::Fhir.write(&moved));
    let broken = application.upload(&ben, "c.bin", &[0, 1, 2, 3]);
    let single = application.upload(&cleo, "only.xml", &SyntheticKind::Cda.write(&SyntheticRecord::of(SEED, 2)));

    // What contradicts is told, with where each value stands.
    let is_read = |patient: &str| {
        let documents = application.listed(patient);
        let names = fs::read_dir(application.input().join(patient)).unwrap().count();
        documents.len() == names && documents.values().all(|of| of["status"] == "Complete" || of["status"] == "Failed")
    };
    application.waits_until("all documents are read", || [&anna, &ben, &cleo].into_iter().all(|of| is_read(of)));
    application.waits_until("the wrong birth date is a conflict", || {
        let record = application.record(&anna);
        record.is_some_and(|record| {
            has_conflict(&record, "birth_date")
                && record["documents"].as_array().unwrap().len() == application.listed(&anna).len()
        })
    });
    let why = application.program.succeeds(&["patients", "show", &anna, "--why", "birth_date"]);
    assert!(why.starts_with(&format!("birth_date of {anna}: {}", truth.birth_date)), "{why}");
    assert!(why.contains("decided by majority") && why.contains("1901-02-03"), "{why}");
    assert!(why.contains(&format!("{letter}  2.txt, read by labelled-text: 1901-02-03 at line 6")), "{why}");
    assert!(why.contains("1.json, read by fhir-r4") && why.contains("entry[0].resource.birthDate"), "{why}");
    let conflicts = application.program.succeeds(&["patients", "conflicts", "--field", "birth_date"]);
    assert_eq!(conflicts.lines().filter(|line| line.starts_with(&anna)).count(), 1, "{conflicts}");
    let shown = application.program.succeeds(&["patients", "show", &anna]);
    assert!(shown.contains("conflict      birth_date: 1901-02-03 (1 documents)"), "{shown}");
    let explained = application.program.succeeds(&["explain", CONSOLIDATION.name(), &anna]);
    assert!(explained.contains("documents.document/"), "{explained}");

    // What cannot be read is told once, and once more when it is asked for again; what is read is not read again.
    let unread = application.program.succeeds(&["documents", "list", "--patient", &ben, "--status", "failed"]);
    assert!(unread.contains(&broken) && unread.contains("CONCORD-DO-0003"), "{unread}");
    assert!(application.program.succeeds(&["documents", "show", &broken]).contains("CONCORD-DO-0003"));
    application.waits_until("there is one dead letter", || application.letters(&broken).len() == 1);
    application.program.succeeds(&["documents", "retry", &broken, &second]);
    application.waits_until("it has failed again", || {
        let documents = application.listed(&ben);
        documents[&broken]["status"] == "Failed" && documents[&broken]["failure_count"] == 2
    });
    application.waits_until("there is a second dead letter", || application.letters(&broken).len() == 2);
    assert!(application.letters(&broken).iter().all(|(_, code)| code == "CONCORD-DC-0010"));
    assert_eq!(application.status(&ben, &second), "Complete");

    // An edit solves a conflict, a deletion takes back what only that document said.
    application.upload(&anna, "2.txt", &SyntheticKind::Text.write(&truth));
    application.delete(&second);
    application.delete(&single);
    application.waits_until("the conflict is solved", || {
        application.record(&anna).is_some_and(|record| !has_conflict(&record, "birth_date"))
    });
    application.waits_until("the second phone is gone", || {
        application.record(&ben).is_some_and(|record| {
            !has_conflict(&record, "phone") && record["fields"]["phone"]["value"] == other.phone.as_str()
        })
    });
    application.waits_until("a patient without documents is gone", || application.record(&cleo).is_none());
    let nobody = application.program.concord(&["patients", "show", &cleo]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nothing is consolidated of a patient"));
    let conflicts = application.program.succeeds(&["patients", "conflicts", "--field", "birth_date"]);
    assert!(!conflicts.contains(&anna), "{conflicts}");

    // The same files without a cluster.
    fs::remove_dir(application.input().join(&cleo)).unwrap();
    let out = application.program.folder.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["documents", "consolidate"]).arg(application.input()).arg("--out").arg(&out);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    for patient in [&anna, &ben] {
        let text = fs::read_to_string(out.join(format!("{patient}.json"))).unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(application.record(patient), Some(expected), "the record of {patient}");
    }
}
