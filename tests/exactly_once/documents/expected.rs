//! What must come out, from what went in, by code that shares nothing with the flow: what each upload means, and what the documents
//! of a patient say together. What a document says is what was planned, not what was read.

use std::collections::{BTreeMap, BTreeSet};

use concord_documents::synthetic::SyntheticKind;
use concord_flows::patient_documents::topology::DOCUMENT;
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::patient_documents::Document;

use super::planned::{Planned, Says, sha256_of};
use crate::Outcome;
use crate::topics::Topics;

/// A document as it was uploaded last.
#[derive(Debug, Clone)]
pub struct Standing {
    pub patient_id: String,
    pub name: String,
    pub at_ms: i64,
    pub sha256: String,
    /// Where the upload stands that made it so, as a lineage says it.
    pub by: String,
}

/// What must have happened to a document, and because of which record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// It was given to a reader.
    Asked { by: String, patient_id: String, document_id: String },
    /// A patient does not have it any more.
    Gone { by: String, patient_id: String, document_id: String },
}

/// See the module.
#[derive(Default)]
pub struct Expected {
    /// Every record of the topic.
    pub uploads: u64,
    pub happened: Vec<Happened>,
    pub standing: BTreeMap<String, Standing>,
    /// Documents for which there is a dead letter.
    pub letters: Vec<String>,
}

impl Expected {
    /// From the topic of documents.
    pub fn read(topics: &Topics, planned: &Planned) -> Outcome<Self> {
        let decoder = Schemas::bundled().decoder();
        let mut expected = Self::default();
        for record in topics.read(DOCUMENT)? {
            expected.uploads += 1;
            let (document_id, by) = (record.text_key(), format!("{DOCUMENT}/{}/{}", record.partition, record.offset));
            let Some(value) = &record.value else {
                expected.delete(document_id, by);
                continue;
            };
            let document: Document<'_> = decoder.decode(&codec::DOCUMENT, value).map_err(|e| e.to_string())?;
            match document.content {
                Some(content) => {
                    let standing = Standing {
                        patient_id: document.patient_id.to_owned(),
                        name: document.name.to_owned(),
                        at_ms: document.contents_last_updated_ms,
                        sha256: sha256_of(content),
                        by,
                    };
                    if let Some(Says::Nothing(..)) = planned.says.get(&standing.sha256) {
                        expected.letters.push(document_id.clone());
                    }
                    expected.upload(document_id, standing);
                }
                None => expected.letters.push(document_id),
            }
        }
        Ok(expected)
    }

    /// Contents that are not newer than those that stand change nothing: no two have one time.
    fn upload(&mut self, document_id: String, standing: Standing) {
        let by = standing.by.clone();
        if let Some(before) = self.standing.get(&document_id) {
            if standing.at_ms <= before.at_ms {
                return;
            }
            if standing.patient_id != before.patient_id {
                let patient_id = before.patient_id.clone();
                self.happened.push(Happened::Gone { by: by.clone(), patient_id, document_id: document_id.clone() });
            }
        }
        let patient_id = standing.patient_id.clone();
        self.happened.push(Happened::Asked { by, patient_id, document_id: document_id.clone() });
        self.standing.insert(document_id, standing);
    }

    fn delete(&mut self, document_id: String, by: String) {
        if let Some(Standing { patient_id, .. }) = self.standing.remove(&document_id) {
            self.happened.push(Happened::Gone { by, patient_id, document_id });
        }
    }
}

/// One document of a patient, and what it says at a moment.
#[derive(Debug, Clone)]
pub struct Said {
    /// Name, content type, status, and code of a failure.
    pub shown: [String; 4],
    /// What was read last, and of which time those contents are.
    pub says: Option<(Says, i64)>,
}

/// Documents by value.
pub type ByValue = BTreeMap<String, BTreeSet<String>>;

/// What the documents of a patient say together, without what scans say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Together {
    /// By id.
    pub documents: BTreeMap<String, [String; 4]>,
    /// Of each field the value that counts, and who says what.
    pub fields: BTreeMap<String, (Option<String>, ByValue)>,
    /// Documents by the code of the medicine, and of the substance.
    pub medicines: ByValue,
    pub allergies: ByValue,
    /// What is contradictory.
    pub conflicts: BTreeSet<String>,
}

impl Together {
    /// Of these documents, by id.
    pub fn of(documents: &BTreeMap<String, Said>) -> Self {
        let mut together = Self::default();
        let mut weights: BTreeMap<(&str, String), (u64, i64)> = BTreeMap::new();
        let mut doses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, Said { shown, says }) in documents {
            together.documents.insert(id.clone(), shown.clone());
            let Some((Says::Record(record, kind), at_ms)) = says else { continue };
            for (field, value) in [
                ("nhs_number", &record.nhs_number),
                ("family_name", &record.family_name),
                ("given_names", &record.given_names),
                ("birth_date", &record.birth_date),
                ("sex", &record.sex),
                ("address", &record.address),
                ("postcode", &record.postcode),
                ("phone", &record.phone),
            ] {
                let observed = &mut together.fields.entry(field.to_owned()).or_default().1;
                observed.entry(value.clone()).or_default().insert(id.clone());
                let weight = weights.entry((field, value.clone())).or_default();
                *weight = (weight.0 + weight_of(*kind), weight.1.max(*at_ms));
            }
            for medicine in &record.medications {
                together.medicines.entry(medicine.code.clone()).or_default().insert(id.clone());
                doses.entry(medicine.code.clone()).or_default().insert(medicine.dose.clone());
            }
            for allergy in &record.allergies {
                together.allergies.entry(allergy.code.clone()).or_default().insert(id.clone());
            }
        }
        for (field, (value, observed)) in &mut together.fields {
            let is_contradictory = observed.len() > 1;
            if is_contradictory {
                together.conflicts.insert(field.clone());
            }
            if !(is_contradictory && field == "nhs_number") {
                let heaviest = observed.keys().max_by_key(|value| weights.get(&(field.as_str(), (*value).clone())));
                *value = heaviest.cloned();
            }
        }
        let contradictory = doses.into_iter().filter(|(_, doses)| doses.len() > 1);
        together.conflicts.extend(contradictory.map(|(code, _)| format!("medications/{code}/dose")));
        together
    }
}

/// Trust in the kind of document, in percent of how sure its reader is of a labelled value.
fn weight_of(kind: SyntheticKind) -> u64 {
    match kind {
        SyntheticKind::Fhir | SyntheticKind::Cda => 100 * 100,
        SyntheticKind::Hl7 => 90 * 100,
        SyntheticKind::Text | SyntheticKind::Pdf => 70 * 95,
    }
}
