//! Documents of patients out of a folder and into the log, on the embedded one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use concord_connectors::connect::{
    DocumentIds, Edge, FolderIntake, InputIds, InputKind, Standing, Surroundings, Trouble, Turn,
};
use concord_engine::clock::SystemClock;
use concord_engine::log::embedded::{EmbeddedLog, EmbeddedSettings};
use concord_engine::log::{Log, LogRecord, TopicSpec, read_whole_topic};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::RefusedInput;
use concord_schemas::patient_documents::Document;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// 10 August 2021.
const THEN: u64 = 1_628_602_800;
const MAX_RECORD: usize = 512 << 10;

struct Stage {
    log: EmbeddedLog,
    folder: TempDir,
    surroundings: Surroundings,
}

/// What of a document is told: id, patient, name, content, seconds of its contents.
type Told = (String, String, String, String, i64);

impl Stage {
    fn new() -> Self {
        let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(SystemClock)));
        let spec = |name: &str| TopicSpec { name: Arc::from(name), partitions: 2, replication: 1, settings: vec![] };
        log.create_topics(&[spec(codec::DOCUMENT.name()), spec(codec::INTAKE_REFUSED.name())]).unwrap();
        let documents = DocumentIds {
            document: |patient, name| format!("{patient}:{name}"),
            version: |id, sha256| {
                let digest = Sha256::new().chain_update(id).chain_update(sha256).finalize();
                let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
            },
        };
        let surroundings = Surroundings {
            log: Arc::new(log.clone()),
            schemas: Arc::new(Schemas::bundled()),
            clock: Arc::new(SystemClock),
            input_ids: InputIds { documents: Some(documents), ..InputIds::default() },
            application: "app".to_owned(),
            instance: "one".to_owned(),
            spool_dir: std::env::temp_dir(),
            largest_input: 1 << 20,
            max_record_bytes: MAX_RECORD,
        };
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self { log, folder, surroundings }
    }

    fn intake(&self, taken: bool) -> FolderIntake {
        let path = |name: &str| self.folder.path().join(name);
        let taken = taken.then(|| path("taken"));
        let poll = Duration::from_secs(1);
        FolderIntake::new(path("in"), taken, poll, InputKind::Document, self.surroundings.clone(), Standing::default())
    }

    /// A file in the folder, as old as it says.
    fn write(&self, name: &str, content: impl AsRef<[u8]>, seconds: u64) {
        let path = self.folder.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    fn records(&self, topic: &str) -> Vec<LogRecord> {
        let mut records = Vec::new();
        read_whole_topic(&self.log, topic, &mut |_, record| records.push(record)).unwrap();
        records
    }

    /// Every document that was published, in the order of each key.
    fn published(&self) -> Vec<Told> {
        let decoder = Schemas::bundled().decoder();
        let mut told = Vec::new();
        for record in self.records(codec::DOCUMENT.name()) {
            let value = record.value.as_deref().expect("nothing is deleted");
            let document: Document<'_> = decoder.decode(&codec::DOCUMENT, value).unwrap();
            assert_eq!(record.key.as_deref(), Some(document.document_id.as_bytes()));
            let content = document.content.unwrap();
            let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((document.content_sha256, document.bytes), (&*sha256, Some(content.len() as i64)));
            assert!(document.source.starts_with("folder:"), "{}", document.source);
            told.push((
                document.document_id.to_owned(),
                document.patient_id.to_owned(),
                document.name.to_owned(),
                String::from_utf8_lossy(content).into_owned(),
                document.contents_last_updated_ms / 1000,
            ));
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told
    }

    /// Codes of what was refused, by the end of its path.
    fn refused(&self) -> Vec<(String, String)> {
        let decoder = Schemas::bundled().decoder();
        let beginning = format!("folder:{}/", self.folder.path().join("in").display());
        let mut refused = Vec::new();
        for record in self.records(codec::INTAKE_REFUSED.name()) {
            let value = record.value.as_deref().unwrap();
            let input: RefusedInput<'_> = decoder.decode(&codec::INTAKE_REFUSED, value).unwrap();
            refused.push((input.source.strip_prefix(&beginning).unwrap().to_owned(), input.code.to_owned()));
        }
        refused.sort();
        refused
    }
}

/// Turns until there is nothing to do, with one look more than a file needs to come to rest.
fn work(intake: &mut FolderIntake) -> Result<(), Trouble> {
    let mut rests = 0;
    while rests < 3 {
        if matches!(intake.turn()?, Turn::Rest(_)) {
            rests += 1;
        }
    }
    Ok(())
}

/// Files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn told(patient: &str, name: &str, content: &str, seconds: u64) -> Told {
    (format!("{patient}:{name}"), patient.to_owned(), name.to_owned(), content.to_owned(), seconds as i64)
}

#[test]
fn each_file_in_the_folder_of_a_patient_is_a_document_and_another_one_of_its_name_an_edit() {
    let stage = Stage::new();
    let mut intake = stage.intake(true);
    stage.write("4711/letter.txt", "Surname: Smith", THEN);
    stage.write("4712/letter.txt", "Surname: Jones", THEN + 1);
    stage.write("4711/letter.txt.part", "still being written", THEN);
    stage.write("4711/.hidden", "hidden", THEN);
    work(&mut intake).unwrap();
    let first = told("4711", "letter.txt", "Surname: Smith", THEN);
    let other = told("4712", "letter.txt", "Surname: Jones", THEN + 1);
    assert_eq!(stage.published(), [first.clone(), other.clone()]);
    assert_eq!(files(&stage.folder.path().join("in")), ["4711/.hidden", "4711/letter.txt.part"]);

    stage.write("4711/letter.txt", "Surname: Smyth", THEN + 2);
    work(&mut intake).unwrap();
    let edit = told("4711", "letter.txt", "Surname: Smyth", THEN + 2);
    assert_eq!(stage.published(), [first, edit, other]);
    let kept = files(&stage.folder.path().join("taken"));
    assert_eq!(kept.len(), 3, "every version is kept: {kept:?}");
    assert!(kept.iter().all(|path| path.ends_with("4711/letter.txt") || path.ends_with("4712/letter.txt")));
    assert_eq!(stage.refused(), []);
}

#[test]
fn a_file_that_goes_away_deletes_no_document() {
    let stage = Stage::new();
    let mut intake = stage.intake(false);
    stage.write("4711/letter.txt", "Surname: Smith", THEN);
    work(&mut intake).unwrap();
    assert_eq!(stage.published().len(), 1);
    assert_eq!(files(&stage.folder.path().join("in")), Vec::<String>::new(), "it is taken");
    fs::remove_dir_all(stage.folder.path().join("in/4711")).unwrap();
    work(&mut intake).unwrap();
    assert_eq!(stage.published().len(), 1, "and no tombstone either");
}

#[test]
fn what_was_claimed_before_a_crash_is_taken_first_and_is_the_same_again() {
    let stage = Stage::new();
    stage.write("4711/letter.txt", "Surname: Smith", THEN);
    work(&mut stage.intake(true)).unwrap();
    // As if it had died between the log and the move.
    stage.write(".taking/4711/letter.txt", "Surname: Smith", THEN);
    fs::create_dir_all(stage.folder.path().join("in/.taking/4712")).unwrap();
    work(&mut stage.intake(true)).unwrap();
    let one = told("4711", "letter.txt", "Surname: Smith", THEN);
    assert_eq!(stage.published(), [one.clone(), one], "which the flow filters");
    assert_eq!(files(&stage.folder.path().join("taken")).len(), 1);
    assert_eq!(files(&stage.folder.path().join("in")), Vec::<String>::new());
}

#[test]
fn what_cannot_be_a_document_is_refused_with_its_code_and_stays() {
    let stage = Stage::new();
    let mut intake = stage.intake(true);
    stage.write("stray.txt", "of nobody", THEN);
    stage.write("4711/deeper/letter.txt", "too deep", THEN);
    stage.write("4711/large", vec![b'x'; MAX_RECORD], THEN);
    stage.write("4711/larger", vec![b'x'; (1 << 20) + 1], THEN);
    stage.write("4711/good.txt", "Surname: Smith", THEN);
    std::os::unix::fs::symlink("/etc/hostname", stage.folder.path().join("in/4711/link")).unwrap();
    work(&mut intake).unwrap();
    let expected = [
        ("4711/deeper", "CONCORD-CN-0017"),
        ("4711/large", "CONCORD-CN-0020"),
        ("4711/larger", "CONCORD-CN-0010"),
        ("4711/link", "CONCORD-CN-0017"),
        ("stray.txt", "CONCORD-CN-0019"),
    ];
    assert_eq!(stage.refused(), expected.map(|(path, code)| (path.to_owned(), code.to_owned())));
    assert_eq!(stage.published(), [told("4711", "good.txt", "Surname: Smith", THEN)]);
    assert_eq!(files(&stage.folder.path().join("in")).len(), 5);
}

#[test]
fn a_document_that_grows_beyond_a_record_after_it_was_claimed_goes_back_and_is_refused() {
    let stage = Stage::new();
    let mut intake = stage.intake(true);
    stage.write(".taking/4711/large", vec![b'x'; MAX_RECORD], THEN);
    stage.write("4711/good.txt", "Surname: Smith", THEN);
    work(&mut intake).unwrap();
    work(&mut intake).unwrap();
    assert_eq!(stage.refused(), [("4711/large".to_owned(), "CONCORD-CN-0020".to_owned())]);
    assert_eq!(stage.published().len(), 1);
    assert_eq!(files(&stage.folder.path().join("in")), ["4711/large"]);
}

#[test]
fn a_file_from_the_future_is_as_old_as_its_arrival() {
    let stage = Stage::new();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    stage.write("4711/letter.txt", "Surname: Smith", before + 1_000_000);
    work(&mut stage.intake(true)).unwrap();
    let at = stage.published()[0].4 as u64;
    assert!((before..=now()).contains(&at), "{at}");
}
