//! A driven topology, and what its topics and stores say.

use std::collections::BTreeMap;

use concord_engine::driver::{DriverSettings, ScriptedCalls, TopologyTestDriver};
use concord_flows::patient_documents::topology::{
    CONFLICT, CONSOLIDATION, DOCUMENT, DOCUMENT_READING, DOCUMENTS, EXTRACTION, READ_REQUEST, UPDATE_REQUEST,
};
use concord_flows::patient_documents::values::{
    Conflicts, Consolidations, Documents, Extractions, ReadRequests, UpdateRequests,
};
use concord_flows::patient_documents::{Debounce, READ_DOCUMENT, Settings, topology};
use concord_schemas::patient_documents::{Document, ReadRequest, UpdateRequest};

use crate::reader;

pub const WORKERS: usize = 2;
pub const SECOND: i64 = 1000;
pub const QUIET: i64 = 5 * SECOND;
pub const LONGEST: i64 = 60 * SECOND;
/// 1 September 2024: the beginning of a test.
pub const NOW: i64 = 1_725_148_800_000;

/// See the module.
pub struct Stage {
    pub driver: TopologyTestDriver,
    pub calls: ScriptedCalls,
}

pub fn settings(partitions: i32) -> Settings {
    let debounce = Debounce { quiet_ms: QUIET, longest_wait_ms: LONGEST };
    Settings { partitions, debounce, ..Settings::default() }
}

/// The reader of the tests.
pub fn script() -> ScriptedCalls {
    ScriptedCalls::default().on(READ_DOCUMENT, reader::read)
}

impl Stage {
    pub fn new() -> Self {
        Self::with(&settings(2))
    }

    pub fn with(settings: &Settings) -> Self {
        let calls = script();
        let driver = DriverSettings { now_ms: NOW, calls: calls.clone(), ..DriverSettings::with_workers(WORKERS) };
        Self::of(TopologyTestDriver::start(topology(settings).unwrap(), driver).unwrap(), calls)
    }

    pub fn of(driver: TopologyTestDriver, calls: ScriptedCalls) -> Self {
        Self { driver, calls }
    }

    /// Uploads a document, or edits it, with the time of now.
    pub fn upload(&mut self, patient_id: &str, document_id: &str, text: &str) {
        let at_ms = self.driver.now_ms();
        self.upload_as_of(patient_id, document_id, text, at_ms);
    }

    /// [`Self::upload`] with the time of its contents.
    pub fn upload_as_of(&mut self, patient_id: &str, document_id: &str, text: &str, contents_last_updated_ms: i64) {
        let document = Document {
            document_id,
            patient_id,
            name: document_id,
            contents_last_updated_ms,
            content: Some(text.as_bytes()),
            ..Document::default()
        };
        self.driver.pipe::<Documents>(DOCUMENT, document_id, &document).unwrap();
    }

    /// Uploads a document whose bytes are at a URL, with the time of now.
    pub fn upload_elsewhere(&mut self, patient_id: &str, document_id: &str, url: &str) {
        let contents_last_updated_ms = self.driver.now_ms();
        let document = Document {
            document_id,
            patient_id,
            name: document_id,
            contents_last_updated_ms,
            url,
            ..Document::default()
        };
        self.driver.pipe::<Documents>(DOCUMENT, document_id, &document).unwrap();
    }

    /// Every status that a document has had, in order.
    pub fn statuses(&self, document_id: &str) -> Vec<String> {
        let outputs = self.driver.outputs::<Extractions>(EXTRACTION).unwrap();
        let of_document = outputs.iter().filter_map(|output| output.value().unwrap());
        of_document.filter(|of| of.document_id == document_id).map(|of| format!("{:?}", of.status)).collect()
    }

    pub fn delete(&mut self, document_id: &str) {
        self.driver.pipe_bytes(DOCUMENT, Some(document_id.as_bytes()), None).unwrap();
    }

    pub fn ask_to_read(&mut self, document_id: &str) {
        let request = ReadRequest { document_id, by: "a test" };
        self.driver.pipe::<ReadRequests>(READ_REQUEST, document_id, &request).unwrap();
    }

    pub fn ask_to_update(&mut self, patient_id: &str, delay_ms: Option<i64>) {
        let request = UpdateRequest { patient_id, delay_ms, by: "a test" };
        self.driver.pipe::<UpdateRequests>(UPDATE_REQUEST, patient_id, &request).unwrap();
    }

    pub fn settle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    /// Lets time pass, and a second for what follows.
    pub fn pass(&mut self, ms: i64) {
        self.driver.run_for(ms + SECOND).unwrap();
    }

    /// Lets workers work for so long, and no longer: what is being read then goes on.
    pub fn work_for(&mut self, ms: i64) {
        const TURN: i64 = 25;
        let end_ms = self.driver.now_ms() + ms;
        while self.driver.now_ms() < end_ms {
            for worker in 0..WORKERS {
                self.driver.step(worker).unwrap();
            }
            self.driver.advance(TURN);
        }
    }

    /// Lets all documents be read and all patients be consolidated.
    pub fn rest(&mut self) {
        self.pass(QUIET);
        self.settle();
    }

    /// Brings back whoever died, until all is at rest.
    pub fn recover(&mut self) {
        for _ in 0..3 {
            self.driver.restart_all().unwrap();
            self.driver.run_until_idle().unwrap();
        }
    }

    /// How many records the patient's consolidation has had, tombstones included.
    pub fn times_consolidated(&self, patient_id: &str) -> usize {
        let outputs = self.driver.outputs::<Consolidations>(CONSOLIDATION).unwrap();
        outputs.iter().filter(|output| output.key() == patient_id).count()
    }

    /// The chosen values of a patient, by field; `None` when the patient has no record.
    pub fn patient(&self, patient_id: &str) -> Option<BTreeMap<String, String>> {
        let outputs = self.driver.outputs::<Consolidations>(CONSOLIDATION).unwrap();
        let last = outputs.iter().rfind(|output| output.key() == patient_id)?;
        assert!(!last.lineage().is_empty(), "{patient_id} names no origin");
        let record = last.value().unwrap()?;
        let value = |value: &Option<std::borrow::Cow<'_, str>>| value.as_deref().unwrap_or("unresolved").to_owned();
        Some(record.fields.iter().map(|field| (field.field.to_string(), value(&field.value))).collect())
    }

    /// The last record of each patient, as it was written.
    pub fn records(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        let outputs = self.driver.outputs::<Consolidations>(CONSOLIDATION).unwrap();
        let bytes = |output: &concord_engine::driver::Output<Consolidations>| {
            output.record.value.as_ref().map(|value| value.to_vec())
        };
        outputs.iter().map(|output| (output.key().to_owned(), bytes(output))).collect()
    }

    /// What stands on the topic of conflicts: the values of each.
    pub fn conflicts(&self) -> BTreeMap<String, Vec<String>> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<Conflicts>(CONFLICT).unwrap() {
            match output.value().unwrap() {
                Some(conflict) => {
                    assert_eq!(conflict.conflict_id, output.key());
                    let values = conflict.values.iter().map(|value| value.value.to_string()).collect();
                    standing.insert(output.key().to_owned(), values);
                }
                None => drop(standing.remove(output.key())),
            }
        }
        standing
    }

    /// `status failures reason` of each document, as it stands on the topic of extractions by `patient/document`.
    pub fn extractions(&self) -> BTreeMap<String, String> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<Extractions>(EXTRACTION).unwrap() {
            match output.value().unwrap() {
                Some(of) => {
                    assert_eq!(format!("{}/{}", of.patient_id, of.document_id), output.key());
                    let told = format!("{:?} {} {}", of.status, of.failure_count, of.reason_code);
                    standing.insert(output.key().to_owned(), told.trim_end().to_owned());
                }
                None => drop(standing.remove(output.key())),
            }
        }
        standing
    }

    /// How often each document was given to the reader.
    pub fn times_read(&self, document_id: &str) -> usize {
        self.calls.begun().iter().filter(|(_, call)| call.key[..] == *document_id.as_bytes()).count()
    }

    /// How many documents are known.
    pub fn documents(&self) -> usize {
        self.driver.state(DOCUMENT_READING, DOCUMENTS).unwrap().len()
    }

    /// All is at rest, and nothing was rejected.
    pub fn check(&self) {
        self.driver.check_settled().unwrap();
        assert_eq!(self.driver.dead_letters().unwrap(), []);
    }
}
