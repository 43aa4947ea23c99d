//! What happens to documents of people who do not exist: uploads, edits, moves to another patient and deletions, what changes
//! nothing, and documents that cannot be read.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use concord_documents::synthetic::{ImageKind, KINDS, SyntheticKind, SyntheticRecord, rendered, scanned_pdf};
use concord_schemas::patient_documents::Document;
use sha2::{Digest, Sha256};

use crate::{Dice, Outcome};

const PATIENTS: u64 = 40;
/// Of each patient.
const DOCUMENTS: u64 = 6;
/// Between two kills.
const CHANGES: u64 = 40;
/// Documents of these patients agree, so that what OCR takes for something else decides nothing.
const WITH_SCANS: u64 = 3;
/// As an office scanner does.
const DOTS_PER_INCH: u32 = 200;

/// What a content says to whoever reads it.
#[derive(Debug, Clone)]
pub enum Says {
    /// What was written.
    Record(Box<SyntheticRecord>, SyntheticKind),
    /// What OCR makes of it.
    Scan,
    /// Nothing: it is not read, for this reason, though it is of this type.
    Nothing(&'static str, &'static str),
}

/// One record of the topic of documents.
#[derive(Debug, Clone)]
pub struct Change {
    pub document_id: String,
    /// `None` deletes it.
    pub upload: Option<Upload>,
}

/// See [`Change`].
#[derive(Debug, Clone)]
pub struct Upload {
    pub patient_id: String,
    pub name: String,
    pub at_ms: i64,
    /// `None` is refused: there is nothing to be read.
    pub content: Option<Vec<u8>>,
}

impl Upload {
    /// As it is published.
    pub fn document<'a>(&'a self, document_id: &'a str) -> Document<'a> {
        Document {
            document_id,
            patient_id: &self.patient_id,
            name: &self.name,
            contents_last_updated_ms: self.at_ms,
            content: self.content.as_deref(),
            bytes: self.content.as_ref().and_then(|content| i64::try_from(content.len()).ok()),
            ..Document::default()
        }
    }
}

/// All that was planned, and what each content says, by its SHA-256.
#[derive(Default)]
pub struct Planned {
    pub rounds: Vec<Vec<Change>>,
    pub says: BTreeMap<String, Says>,
    /// Of the rounds, changes in all.
    pub changes: usize,
}

/// Documents that cannot be read, and why.
const BROKEN: [(&[u8], &str, &str); 4] = [
    (b"", "CONCORD-DO-0001", "application/octet-stream"),
    (&[0, 1, 2, 3], "CONCORD-DO-0003", "application/octet-stream"),
    (b"{\"resourceType\": \"Patient\", \"birthDate\": ", "CONCORD-DO-0004", "application/fhir+json"),
    (
        b"<!DOCTYPE a [<!ENTITY b \"c\">]><ClinicalDocument xmlns=\"urn:hl7-org:v3\">&b;</ClinicalDocument>",
        "CONCORD-DO-0010",
        "text/xml",
    ),
];

/// Plans so many rounds. Kinds that need a tool are left out where it is not installed.
pub fn planned(rounds: u64, seed: u64, dice: &mut Dice, began_ms: i64) -> Outcome<Planned> {
    let has_poppler = is_installed("pdftoppm") && is_installed("pdftotext");
    let kinds: Vec<SyntheticKind> =
        KINDS.into_iter().filter(|kind| has_poppler || *kind != SyntheticKind::Pdf).collect();
    let mut planning = Planning { seed, kinds, planned: Planned::default(), known: BTreeMap::new(), at_ms: began_ms };
    let mut scans = if has_poppler && is_installed("tesseract") { scans(seed)? } else { Vec::new() };
    if scans.is_empty() {
        println!("SKIPPED: scans and PDF among the documents: tesseract-ocr or poppler-utils is not installed");
    }
    for round in 0..rounds {
        let mut changes: Vec<Change> = (0..CHANGES).map(|_| planning.change(dice)).collect();
        changes.extend(planning.broken(round));
        if let Some((patient, name, content)) = scans.pop() {
            let upload = planning.upload_of(&patient_id(patient), &name, content, Says::Scan);
            changes.insert(0, Change { document_id: format!("scan-{patient}"), upload: Some(upload) });
        }
        planning.planned.changes += changes.len();
        planning.planned.rounds.push(changes);
    }
    Ok(planning.planned)
}

fn is_installed(tool: &str) -> bool {
    Command::new(tool).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn patient_id(patient: u64) -> String {
    format!("p{patient:02}")
}

/// Patient, name and bytes of images. A TIFF, as it is made here, fits in no record.
fn scans(seed: u64) -> Outcome<Vec<(u64, String, Vec<u8>)>> {
    let pdf = |patient| SyntheticKind::Pdf.write(&SyntheticRecord::of(seed, patient));
    let image = |patient, kind: ImageKind| {
        rendered(&pdf(patient), kind, DOTS_PER_INCH)
            .map(|content| (patient, format!("scan.{}", kind.extension()), content))
    };
    let mut scans = vec![
        image(0, ImageKind::Png).map_err(|e| e.to_string())?,
        image(1, ImageKind::Jpeg).map_err(|e| e.to_string())?,
    ];
    let scanned = scanned_pdf(&pdf(WITH_SCANS - 1), DOTS_PER_INCH).map_err(|e| e.to_string())?;
    scans.push((WITH_SCANS - 1, "scan.pdf".to_owned(), scanned));
    Ok(scans)
}

struct Planning {
    seed: u64,
    kinds: Vec<SyntheticKind>,
    planned: Planned,
    /// Every version of each document; none of one that does not stand.
    known: BTreeMap<String, Versions>,
    /// Of the last contents: no two are of one time.
    at_ms: i64,
}

#[derive(Default)]
struct Versions {
    stands: bool,
    all: Vec<Upload>,
}

impl Planning {
    fn change(&mut self, dice: &mut Dice) -> Change {
        let (patient, number) = (dice.between(0, PATIENTS), dice.between(0, DOCUMENTS));
        let document_id = format!("d{patient:02}-{number}");
        let (chance, versions) = (dice.between(0, 100), self.known.entry(document_id.clone()).or_default());
        let again = match (versions.stands, chance) {
            (true, 0..10) => {
                versions.stands = false;
                return Change { document_id, upload: None };
            }
            // What is known already, and what is older than what is known.
            (true, 10..15) => versions.all.last(),
            (true, 15..20) => versions.all.first(),
            _ => None,
        };
        if let Some(again) = again {
            return Change { document_id, upload: Some(again.clone()) };
        }
        versions.stands = true;
        let version = versions.all.len() as u64;
        // Where it is read for the first time, or anew, it may have become another patient's.
        let belongs_to =
            if chance < 25 && patient >= WITH_SCANS { dice.between(WITH_SCANS, PATIENTS) } else { patient };
        let record = self.record(belongs_to, patient >= WITH_SCANS && dice.between(0, 5) == 0, dice);
        let kind = self.kinds[(number + version) as usize % self.kinds.len()];
        let content = written(&record, kind, version);
        let name = format!("{number}.{}", kind.extension());
        let upload = self.upload_of(&patient_id(belongs_to), &name, content, Says::Record(Box::new(record), kind));
        self.known.entry(document_id.clone()).or_default().all.push(upload.clone());
        Change { document_id, upload: Some(upload) }
    }

    /// What a document of a patient says: what all say, but for one value.
    fn record(&self, patient: u64, contradicts: bool, dice: &mut Dice) -> SyntheticRecord {
        let mut record = SyntheticRecord::of(self.seed, patient);
        let other = SyntheticRecord::of(self.seed, PATIENTS + patient);
        match if contradicts { dice.between(0, 6) } else { u64::MAX } {
            0 => record.birth_date = other.birth_date,
            1 => record.phone = other.phone,
            2 => record.nhs_number = other.nhs_number,
            3 => record.family_name = other.family_name,
            4 => record.medications.iter_mut().for_each(|of| "1 tablet every second day".clone_into(&mut of.dose)),
            5 => record.allergies.clear(),
            _ => {}
        }
        record
    }

    /// Some of each round cannot be read, and some are nothing to be read at all. Nobody touches them again.
    fn broken(&mut self, round: u64) -> Vec<Change> {
        let patient = patient_id(WITH_SCANS + round % (PATIENTS - WITH_SCANS));
        let (content, reason, content_type) = BROKEN[round as usize % BROKEN.len()];
        let upload = self.upload_of(&patient, "broken", content.to_vec(), Says::Nothing(reason, content_type));
        let mut broken = vec![Change { document_id: format!("broken-{round}"), upload: Some(upload) }];
        if round.is_multiple_of(4) {
            let upload = Upload { patient_id: patient, name: "empty".to_owned(), at_ms: self.at_ms, content: None };
            broken.push(Change { document_id: format!("refused-{round}"), upload: Some(upload) });
        }
        broken
    }

    fn upload_of(&mut self, patient_id: &str, name: &str, content: Vec<u8>, says: Says) -> Upload {
        self.at_ms += 1;
        self.planned.says.insert(sha256_of(&content), says);
        Upload { patient_id: patient_id.to_owned(), name: name.to_owned(), at_ms: self.at_ms, content: Some(content) }
    }
}

/// The same twice is not the same content: so many blank lines stand at its end.
fn written(record: &SyntheticRecord, kind: SyntheticKind, version: u64) -> Vec<u8> {
    let mut content = kind.write(record);
    let blank = if kind == SyntheticKind::Hl7 { b'\r' } else { b'\n' };
    content.extend((0..version).map(|_| blank));
    content
}

/// In lower-case hexadecimal.
pub fn sha256_of(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}
