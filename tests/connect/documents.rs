//! Documents of patients, from folders and buckets to the records of their patients.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard, PoisonError};

use concord_schemas::codec;
use concord_schemas::patient_documents::{Document, Extraction, PatientConsolidation};
use concord_state::failpoints::Failpoint;

use crate::application::{Application, part};
use crate::files::{Store, files_below};

const FLOW: &str = "[flows.patient_documents]\napplication = \"documents-ROUTE\"\nquiet_seconds = 1\n\
     longest_wait_seconds = 5\n[flows.patient_documents.reading]\nattempts = 1\n\
     [flows.patient_documents.reading.limits]\ndocument_mib = 2\n";

/// All applications of these tests write to the same topics, so one flow at a time runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a document of the log says: its id, where its bytes are, and the bytes that it has.
type Published = (String, String, Option<Vec<u8>>);

impl Application {
    /// The documents of a patient as they were published, in order.
    fn documents_of(&self, patient: &str) -> Vec<Published> {
        let (decoder, mut found) = (self.schemas().decoder(), Vec::new());
        self.values(&codec::DOCUMENT, &mut |value| {
            let document: Document<'_> = decoder.decode(&codec::DOCUMENT, value).unwrap();
            if document.patient_id == patient {
                let content = document.content.map(<[u8]>::to_vec);
                found.push((document.document_id.to_owned(), document.url.to_owned(), content));
            }
        });
        found
    }

    /// Publishes a document whose bytes are elsewhere, as any producer may.
    fn publish_elsewhere(&self, patient: &str, name: &str, url: &str, content_sha256: &str) {
        let document_id = format!("{patient}:{name}");
        let document = Document {
            document_id: &document_id,
            patient_id: patient,
            name,
            contents_last_updated_ms: 1_628_602_800_000,
            url,
            content_sha256,
            ..Document::default()
        };
        self.publish(&codec::DOCUMENT, &[(document_id.clone(), document)]);
    }

    fn has_status(&self, patient: &str, name: &str, status: &str) -> bool {
        self.statuses_of(patient).get(name).is_some_and(|told| told == status)
    }

    /// The last status of each document of a patient, by name, with the code of its failure.
    fn statuses_of(&self, patient: &str) -> BTreeMap<String, String> {
        let (decoder, mut found) = (self.schemas().decoder(), BTreeMap::new());
        self.values(&codec::EXTRACTION, &mut |value| {
            let extraction: Extraction<'_> = decoder.decode(&codec::EXTRACTION, value).unwrap();
            if extraction.patient_id == patient {
                let told = format!("{:?} {}", extraction.status, extraction.reason_code);
                found.insert(extraction.name.to_owned(), told.trim_end().to_owned());
            }
        });
        found
    }

    /// The family name in the last record of a patient, and of how many documents that is.
    fn family_name_of(&self, patient: &str) -> Option<(String, usize)> {
        let (decoder, mut found) = (self.schemas().decoder(), None);
        self.values(&codec::CONSOLIDATION, &mut |value| {
            let record: PatientConsolidation<'_> = decoder.decode(&codec::CONSOLIDATION, value).unwrap();
            if record.patient_id == patient {
                let field = record.fields.iter().find(|field| field.field == "family_name");
                let value = field.and_then(|field| field.value.as_deref()).unwrap_or_default();
                found = Some((value.to_owned(), record.documents.len()));
            }
        });
        found
    }
}

fn letter(family_name: &str) -> String {
    format!("NHS Number: 943 476 5919\nSurname: {family_name}\nDate of birth: 01/01/1980\n")
}

#[test]
fn documents_of_a_folder_are_taken_once_read_and_consolidated_and_an_edit_replaces_them() {
    let sections = format!(
        "{FLOW}[[folders.intake]]\npath = \"FOLDER/in\"\nholds = \"documents\"\ntaken = \"FOLDER/taken\"\npoll_seconds = 1\n"
    );
    let _alone = alone();
    let Some(mut application) = Application::new("files", &sections) else { return };
    let patient = format!("patient-{}", application.unique);
    let (inbound, taken) = (application.folder.path().join("in"), application.folder.path().join("taken"));
    fs::create_dir_all(inbound.join(&patient)).unwrap();
    let name = format!("in/{patient}/letter.txt");
    application.write(&name, letter("Smith"));

    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(application.documents_of(&patient), []);
    // In the log, and not moved: it will be there twice, and the flow hears it once.
    application.dies_at(Failpoint::InputInLog, 1);
    assert_eq!(application.documents_of(&patient).len(), 1);
    application.start();
    application.wait_until("the file is taken", |_| files_below(&taken).len() == 1);
    let published = application.documents_of(&patient);
    assert_eq!(published.len(), 2);
    assert_eq!(published[0], published[1], "the second life published the same");
    assert_eq!(published[0].2.as_deref(), Some(letter("Smith").as_bytes()));

    application.run_flows();
    application.wait_until("the patient is consolidated", |application| {
        application.family_name_of(&patient) == Some(("Smith".to_owned(), 1))
    });
    application.write(&name, letter("Smyth"));
    application.wait_until("the edit replaces it", |application| {
        application.family_name_of(&patient) == Some(("Smyth".to_owned(), 1))
    });
    assert_eq!(files_below(&taken).len(), 2, "both versions are kept");

    application.write(&format!("in/{patient}/office.docx"), b"PK\x03\x04");
    application.write("in/stray.txt", letter("Jones"));
    application.publish_elsewhere(&patient, "no-store.txt", "s3://scans/1.txt", "");
    application.wait_until("each failure is told", |application| {
        let refused = application.refused(inbound.to_str().unwrap());
        application.has_status(&patient, "office.docx", "Failed CONCORD-DO-0003")
            && application.has_status(&patient, "no-store.txt", "Failed CONCORD-DC-0012")
            && refused.values().any(|code| code == "CONCORD-CN-0019")
    });
    let told = application.told();
    assert!(told.contains("A file is in the log.") && !told.contains(&patient), "no patient is in the log: {told}");
    application.stop();
    application.stop_flows();
}

#[test]
fn documents_of_a_bucket_are_taken_once_and_a_large_one_is_read_where_it_is_kept() {
    let Some(url) = part("S3_URL", "concord connect files with a bucket of documents") else { return };
    let bucket = format!("concord-documents-{}", jiff::Timestamp::now().as_nanosecond());
    let sections = format!(
        "{FLOW}[s3]\nendpoint = \"{url}\"\naccess_key_file = \"FOLDER/id\"\nsecret_key_file = \"FOLDER/key\"\n\
         [[s3.intake]]\nbucket = \"{bucket}\"\nprefix = \"inbound\"\nholds = \"documents\"\ntaken_prefix = \"pass\"\n\
         poll_seconds = 1\n\
         [[s3.intake]]\nbucket = \"{bucket}\"\nprefix = \"small\"\nholds = \"documents\"\npoll_seconds = 1\n",
    );
    let _alone = alone();
    let Some(mut application) = Application::new("files", &sections) else { return };
    application.write("id", "test");
    application.write("key", "testtest");
    let store = Store::make(&url, &bucket);
    let patient = format!("patient-{}", application.unique);
    let large = letter("Smith") + &"Nothing to be seen here.\n".repeat(50_000);
    assert!(large.len() > 1 << 20);
    store.put(&format!("inbound/{patient}/large.txt"), &large);
    application.dies_at(Failpoint::InputInLog, 1);
    assert!(store.get(&format!("inbound/{patient}/large.txt")).is_some());
    application.start();
    application.wait_until("the object is taken", |_| store.get(&format!("inbound/{patient}/large.txt")).is_none());
    let published = application.documents_of(&patient);
    assert_eq!(published.len(), 2);
    assert_eq!(published[0], published[1], "the second life published the same");
    let (_, place, content) = &published[0];
    assert_eq!(*content, None, "it is larger than a record");
    let key = place.strip_prefix(&format!("s3://{bucket}/")).unwrap();
    assert!(key.starts_with("pass/") && key.ends_with(&format!("/{patient}/large.txt")), "{key}");
    assert_eq!(store.get(key).as_deref(), Some(&*large));

    store.put(&format!("small/{patient}/small.txt"), &letter("Smith"));
    store.put(&format!("small/{patient}/too-large.txt"), &large);
    store.put("small/of-nobody.txt", "x");
    // As browsers of buckets make folders.
    store.put("small/4711/", "");
    application.run_flows();
    application.wait_until("both are read", |application| {
        application.family_name_of(&patient) == Some(("Smith".to_owned(), 2))
    });
    application.wait_until("the others are refused", |application| {
        let refused = application.refused(&format!("s3:{bucket}/small"));
        let code = |path: &str| refused.get(&format!("s3:{bucket}/small/{path}")).map(String::as_str);
        code(&format!("{patient}/too-large.txt")) == Some("CONCORD-CN-0020")
            && code("of-nobody.txt") == Some("CONCORD-CN-0019")
    });
    assert_eq!(store.get(&format!("small/{patient}/small.txt")), None);
    assert_eq!(application.refused(&format!("s3:{bucket}/small")).len(), 2, "what stands for a folder is left alone");

    store.put("elsewhere/letter.txt", &letter("Smith"));
    store.put("elsewhere/larger.txt", &large.repeat(2));
    let place = |name: &str| format!("s3://{bucket}/elsewhere/{name}");
    let other_sha256 = "00".repeat(32);
    let cases = [
        ("letter.txt", place("letter.txt"), "", "Complete"),
        ("other.txt", place("letter.txt"), &*other_sha256, "Failed CONCORD-DC-0012"),
        ("nowhere.txt", place("nowhere.txt"), "", "Failed CONCORD-DC-0012"),
        ("web.txt", "https://scans.example/letter.txt".to_owned(), "", "Failed CONCORD-DC-0012"),
        ("larger.txt", place("larger.txt"), "", "Failed CONCORD-DO-0002"),
    ];
    for (name, url, sha256, _) in &cases {
        application.publish_elsewhere(&patient, name, url, sha256);
    }
    for (name, _, _, status) in &cases {
        application
            .wait_until(&format!("{name} is {status}"), |application| application.has_status(&patient, name, status));
    }
    assert!(!application.told().contains(&patient), "no patient is in the log: {}", application.told());
    application.stop();
    application.stop_flows();
}

#[test]
fn a_document_in_a_store_that_is_away_fails_when_its_attempts_are_used_up() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sections = format!(
        "{FLOW}[s3]\nendpoint = \"http://{nobody}\"\naccess_key_file = \"FOLDER/id\"\nsecret_key_file = \"FOLDER/key\"\n"
    );
    let _alone = alone();
    let Some(mut application) = Application::new("files", &sections) else { return };
    application.write("id", "test");
    application.write("key", "testtest");
    let patient = format!("patient-{}", application.unique);
    application.run_flows();
    application.publish_elsewhere(&patient, "letter.txt", "s3://scans/letter.txt", "");
    application.wait_until("it has failed", |application| {
        application.has_status(&patient, "letter.txt", "Failed CONCORD-DC-0013")
    });
    application.stop_flows();
}

#[test]
fn a_document_that_the_keys_did_not_reach_is_read_when_they_are_there_and_it_is_asked_for() {
    let Some(url) = part("S3_URL", "a document in a bucket without keys") else { return };
    let bucket = format!("concord-keys-{}", jiff::Timestamp::now().as_nanosecond());
    let sections = format!(
        "{FLOW}[s3]\nendpoint = \"{url}\"\naccess_key_file = \"FOLDER/id\"\nsecret_key_file = \"FOLDER/key\"\n\
         [[s3.intake]]\nbucket = \"{bucket}\"\nprefix = \"inbound\"\nholds = \"documents\"\n"
    );
    let _alone = alone();
    let Some(mut application) = Application::new("files", &sections) else { return };
    let store = Store::make(&url, &bucket);
    store.put("letter.txt", &letter("Smith"));
    let patient = format!("patient-{}", application.unique);
    application.run_flows();
    application.publish_elsewhere(&patient, "letter.txt", &format!("s3://{bucket}/letter.txt"), "");
    application.wait_until("the keys are missing", |application| {
        application.has_status(&patient, "letter.txt", "Failed CONCORD-DC-0012")
    });
    application.write("id", "test");
    application.write("key", "testtest");
    application.retry(&format!("{patient}:letter.txt"));
    application.wait_until("it is read", |application| application.has_status(&patient, "letter.txt", "Complete"));
    application.stop_flows();
}
