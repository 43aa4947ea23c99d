//! Documents of people who do not exist, and how much of what they say is read.

use std::collections::BTreeMap;

use concord_documents::synthetic::{SyntheticKind, SyntheticRecord};
use concord_schemas::Schemas;
use concord_schemas::codec::{DOCUMENT, Encoder};
use concord_schemas::patient_documents::{Document, Features};

use crate::Result;
use crate::broker::topics::Publishing;
use crate::inputs::feed::{EPOCH_MS, SEED, now_ms};

/// In turn: what is read without any tool.
pub const STRUCTURED: [SyntheticKind; 4] =
    [SyntheticKind::Fhir, SyntheticKind::Cda, SyntheticKind::Hl7, SyntheticKind::Text];

/// Some documents of a patient.
#[derive(Debug, Clone, Copy)]
pub struct Patient {
    pub number: u64,
    pub documents: u64,
}

impl Patient {
    pub fn id(self) -> String {
        format!("patient-{:07}", self.number)
    }

    pub fn record(self) -> SyntheticRecord {
        SyntheticRecord::of(SEED, self.number)
    }
}

/// The kind of a document, by its id as [`publish`] makes it.
pub fn kind_of(document_id: &str) -> Option<SyntheticKind> {
    let number: usize = document_id.rsplit('-').next()?.parse().ok()?;
    Some(STRUCTURED[number % STRUCTURED.len()])
}

/// Publishes the documents of a patient; all kinds in turn, all of which say the same.
pub fn publish(patient: Patient, encoder: &mut Encoder, to: &mut Publishing) -> Result<()> {
    let (patient_id, record) = (patient.id(), patient.record());
    let contents = STRUCTURED.map(|kind| kind.write(&record));
    let mut value = Vec::new();
    for number in 0..patient.documents {
        let document_id = format!("{}-{number:05}", patient.number);
        let content = &contents[number as usize % STRUCTURED.len()];
        let document = Document {
            document_id: &document_id,
            patient_id: &patient_id,
            name: "a document",
            contents_last_updated_ms: EPOCH_MS + number as i64,
            content: Some(content),
            bytes: i64::try_from(content.len()).ok(),
            ..Document::default()
        };
        value.clear();
        encoder.encode(&DOCUMENT, &document, &mut value)?;
        to.send(&document_id, &value, now_ms())?;
    }
    Ok(())
}

/// Writes as all do here.
pub fn encoder() -> Encoder {
    Schemas::bundled().encoder()
}

/// Of each field how often it was there to be read, and how often it was read to the letter.
#[derive(Debug, Default)]
pub struct Accuracy(BTreeMap<&'static str, (u64, u64)>);

impl Accuracy {
    pub fn add(&mut self, planted: &SyntheticRecord, read: &Features<'_>) {
        let read = SyntheticRecord::said_by(read);
        for (field, planted, read) in [
            ("nhs_number", &planted.nhs_number, &read.nhs_number),
            ("family_name", &planted.family_name, &read.family_name),
            ("given_names", &planted.given_names, &read.given_names),
            ("birth_date", &planted.birth_date, &read.birth_date),
            ("sex", &planted.sex, &read.sex),
            ("address", &planted.address, &read.address),
            ("postcode", &planted.postcode, &read.postcode),
            ("phone", &planted.phone, &read.phone),
        ] {
            self.count(field, 1, u64::from(planted == read));
        }
        let medicines = planted.medications.iter().filter(|one| read.medications.contains(one)).count();
        self.count("medicines", planted.medications.len() as u64, medicines as u64);
        let allergies = planted.allergies.iter().filter(|one| read.allergies.contains(one)).count();
        self.count("allergies", planted.allergies.len() as u64, allergies as u64);
    }

    fn count(&mut self, field: &'static str, planted: u64, read: u64) {
        let counted = self.0.entry(field).or_default();
        *counted = (counted.0 + planted, counted.1 + read);
    }

    /// Exact shares in percent, of every field.
    fn shares(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(field, (planted, read))| (*field, *read as f64 / (*planted).max(1) as f64 * 100.0))
    }

    pub fn print(&self, what: &str) {
        let fields: Vec<String> = self.shares().map(|(field, share)| format!("{field} {share:.1}")).collect();
        println!("  {what:<14} {}", fields.join(", "));
    }

    pub fn to_json(&self) -> serde_json::Value {
        self.shares().map(|(field, share)| (field.to_owned(), share.into())).collect::<serde_json::Map<_, _>>().into()
    }
}
