//! The topics that came out, in the words of [`super::expected`].

use std::collections::{BTreeMap, BTreeSet};

use concord_documents::synthetic::SyntheticRecord;
use concord_engine::topology::Topology;
use concord_flows::patient_documents::topology::{CONFLICT, CONSOLIDATION, DOCUMENT_EVENTS, EXTRACTION};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Decoder, TopicSchema};
use concord_schemas::patient_documents::{
    DocumentEvent, Extraction, ObservedValue, PatientConflict, PatientConsolidation,
};
use serde::Deserialize;

use super::expected::{ByValue, Together};
use crate::Outcome;
use crate::topics::{Record, Topics};

/// How a document's id begins that is read by OCR.
pub const SCAN: &str = "scan-";

/// How far the reading of a document is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status {
    pub patient_id: String,
    pub document_id: String,
    pub name: String,
    pub status: String,
    pub content_type: String,
    pub sha256: String,
    pub at_ms: i64,
    pub reason_code: String,
    /// Of which time the contents are that were read.
    pub as_of_ms: Option<i64>,
    /// What was read, in one text.
    pub says: Option<String>,
}

/// What happened to a document, on its way to its patient.
#[derive(Debug, Clone)]
pub struct Event {
    /// Where it stands.
    pub at: String,
    /// What made it.
    pub by: String,
    pub patient_id: String,
    pub document_id: String,
    /// `None`: the patient does not have it any more.
    pub status: Option<Status>,
}

/// A record that came out.
#[derive(Debug, Clone)]
pub struct Publication<T> {
    pub key: String,
    /// What made it.
    pub by: String,
    /// As it is written; `None` of a tombstone.
    pub bytes: Option<Vec<u8>>,
    pub value: Option<T>,
}

/// What a patient's record says without scans.
#[derive(Debug, Clone)]
pub struct Consolidated {
    pub together: Together,
    /// Fields of which a scan says something that no other document says: the value may be that of the scan.
    pub misread: BTreeSet<String>,
}

/// See the module.
#[derive(Clone)]
pub struct Written {
    /// In the order of their partitions.
    pub events: Vec<Event>,
    pub extractions: Vec<Publication<Status>>,
    pub consolidations: Vec<Publication<Consolidated>>,
    /// Whether others than scans contradict each other.
    pub conflicts: Vec<Publication<bool>>,
    /// Keys of the dead letters.
    pub letters: Vec<String>,
    /// Of stores that must come to be empty, and of the stores of documents: the keys that their changelogs leave.
    pub stores: BTreeMap<String, BTreeSet<String>>,
}

impl Written {
    pub fn read(topics: &Topics, topology: &Topology, stores: BTreeMap<String, BTreeSet<String>>) -> Outcome<Self> {
        let decoder = Schemas::bundled().decoder();
        let events = format!("{}.{DOCUMENT_EVENTS}.repartition", topology.application);
        let letters = topics.read(&topology.topics[topology.dead_letters].name)?;
        Ok(Self {
            events: topics.read(&events)?.iter().map(|of| event(&decoder, &events, of)).collect::<Outcome<_>>()?,
            extractions: publications(topics, EXTRACTION, |bytes| {
                Ok(status(&decode(&decoder, &codec::EXTRACTION, bytes)?))
            })?,
            consolidations: publications(topics, CONSOLIDATION, |bytes| {
                consolidated(&decode(&decoder, &codec::CONSOLIDATION, bytes)?)
            })?,
            conflicts: publications(topics, CONFLICT, |bytes| {
                let conflict: PatientConflict<'_> = decode(&decoder, &codec::CONFLICT, bytes)?;
                let others = |ids: &[std::borrow::Cow<'_, str>]| ids.iter().any(|id| !id.starts_with(SCAN));
                Ok(conflict.values.iter().filter(|value| others(&value.documents)).count() > 1)
            })?,
            letters: letters.iter().map(Record::text_key).collect(),
            stores,
        })
    }
}

fn decode<'a, T: Deserialize<'a>>(decoder: &Decoder, schema: &'static TopicSchema, bytes: &'a [u8]) -> Outcome<T> {
    decoder.decode(schema, bytes).map_err(|e| e.to_string())
}

fn publications<T>(
    topics: &Topics,
    topic: &str,
    mut read: impl FnMut(&[u8]) -> Outcome<T>,
) -> Outcome<Vec<Publication<T>>> {
    let publication = |record: Record| {
        Ok(Publication {
            key: record.text_key(),
            by: String::from_utf8_lossy(&record.lineage).into_owned(),
            value: record.value.as_deref().map(&mut read).transpose()?,
            bytes: record.value,
        })
    };
    topics.read(topic)?.into_iter().map(publication).collect()
}

fn event(decoder: &Decoder, topic: &str, record: &Record) -> Outcome<Event> {
    let event: DocumentEvent<'_> =
        decode(decoder, &codec::DOCUMENT_EVENT, record.value.as_deref().unwrap_or_default())?;
    let (patient_id, document_id, status) = match event {
        DocumentEvent::Extraction(of) => (of.patient_id, of.document_id, Some(status(&of))),
        DocumentEvent::DocumentGone(gone) => (gone.patient_id, gone.document_id, None),
    };
    Ok(Event {
        at: format!("{topic}/{}/{}", record.partition, record.offset),
        by: String::from_utf8_lossy(&record.lineage).into_owned(),
        patient_id: patient_id.to_owned(),
        document_id: document_id.to_owned(),
        status,
    })
}

fn status(of: &Extraction<'_>) -> Status {
    // What OCR makes of a scan was not planned.
    let says = of.features.as_ref().map(|features| match &*features.reader {
        "ocr" => "read by OCR".to_owned(),
        _ => says(&SyntheticRecord::said_by(features)),
    });
    Status {
        patient_id: of.patient_id.to_owned(),
        document_id: of.document_id.to_owned(),
        name: of.name.to_owned(),
        status: format!("{:?}", of.status),
        content_type: of.content_type.to_owned(),
        sha256: of.content_sha256.to_owned(),
        at_ms: of.contents_last_updated_ms,
        reason_code: of.reason_code.to_owned(),
        as_of_ms: of.features_as_of_ms,
        says,
    }
}

/// A record of a document in one text.
pub fn says(record: &SyntheticRecord) -> String {
    format!("{record:?}")
}

fn consolidated(record: &PatientConsolidation<'_>) -> Outcome<Consolidated> {
    let ids: Vec<&str> = record.documents.iter().map(|document| &*document.document_id).collect();
    let named = |numbers: &[i32]| -> Outcome<BTreeSet<String>> {
        let id = |number: &i32| usize::try_from(*number).ok().and_then(|place| ids.get(place));
        let all: Option<Vec<&&str>> = numbers.iter().map(id).collect();
        let all = all.ok_or("a patient's record names a document that it does not have")?;
        Ok(all.into_iter().filter(|id| !id.starts_with(SCAN)).map(|id| (*id).to_owned()).collect())
    };
    let observed = |values: &[ObservedValue<'_>]| -> Outcome<ByValue> {
        let mut by_value = ByValue::new();
        for value in values {
            by_value.insert(value.value.to_string(), named(&value.documents)?);
        }
        Ok(by_value)
    };
    let (mut together, mut misread) = (Together::default(), BTreeSet::new());
    for of in &record.documents {
        let shown =
            [of.name.to_string(), of.content_type.to_string(), of.status.to_string(), of.reason_code.to_string()];
        together.documents.insert(of.document_id.to_string(), shown);
    }
    for of in &record.fields {
        let mut values = observed(&of.observed)?;
        if values.values().any(BTreeSet::is_empty) {
            misread.insert(of.field.to_string());
        }
        values.retain(|_, documents| !documents.is_empty());
        if !values.is_empty() {
            together.fields.insert(of.field.to_string(), (of.value.as_ref().map(ToString::to_string), values));
        }
    }
    for medicine in &record.medications {
        together.medicines.insert(medicine.key.to_string(), named(&medicine.documents)?);
    }
    for allergy in &record.allergies {
        together.allergies.insert(allergy.key.to_string(), named(&allergy.documents)?);
    }
    together.medicines.retain(|_, documents| !documents.is_empty());
    together.allergies.retain(|_, documents| !documents.is_empty());
    for conflict in &record.conflicts {
        let mut values = observed(&conflict.values)?;
        values.retain(|_, documents| !documents.is_empty());
        if values.len() > 1 {
            together.conflicts.insert(conflict.field.to_string());
        }
    }
    Ok(Consolidated { together, misread })
}
