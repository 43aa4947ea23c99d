//! From all that documents say of a patient to one record: each field with every observed value and the one that was chosen,
//! each medicine and allergy once, and what is contradictory.
//!
//! The record follows from the documents alone. [`Consolidation`] takes them in the order of their ids, in which the store of the
//! flow has them, in one pass; [`consolidate`] takes them in any order.

mod allergies;
mod doses;
mod fields;
mod gathered;
mod medications;
mod medicine_name;
mod policy;
mod rules;
mod statement;
mod weighed;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use concord_schemas::patient_documents::{
    ConsolidatedDocument, ConsolidatedField, Extraction, OpenConflict, PatientConsolidation, ProcessingStatus,
};

use allergies::Allergies;
use gathered::Gathered;
use medications::Medications;
use weighed::{DocumentNumber, Voice};

pub use fields::Field;
pub use policy::{Policy, Step, UnknownStep};
pub use rules::{Rules, TRUST};
pub use statement::{SaidAllergy, SaidField, SaidMedication, Statement};
pub use words::folded;

/// The record of a patient of these documents, in whatever order they are given.
///
/// ```
/// use concord_flows::patient_documents::consolidation::{Rules, consolidate};
///
/// let record = consolidate("patient-1", &[], &Rules::default());
/// assert!(record.fields.is_empty() && record.conflicts.is_empty());
/// ```
#[must_use]
pub fn consolidate(patient_id: &str, documents: &[Extraction<'_>], rules: &Rules) -> PatientConsolidation<'static> {
    let mut in_order: Vec<&Extraction<'_>> = documents.iter().collect();
    in_order.sort_by_key(|document| document.document_id);
    let mut consolidation = Consolidation::new(rules);
    for document in in_order {
        consolidation.add(document);
    }
    consolidation.record(patient_id)
}

/// A record that is being made.
pub struct Consolidation<'r> {
    rules: &'r Rules,
    documents: Vec<ConsolidatedDocument<'static>>,
    fields: BTreeMap<Field, Gathered>,
    medications: Medications,
    allergies: Allergies,
}

impl<'r> Consolidation<'r> {
    /// Of no documents yet.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            documents: Vec::new(),
            fields: BTreeMap::new(),
            medications: Medications::default(),
            allergies: Allergies::default(),
        }
    }

    /// Adds a document; each has a greater id than the one before it.
    pub fn add(&mut self, document: &Extraction<'_>) {
        // More documents than numbers do not fit in memory.
        let number = DocumentNumber::try_from(self.documents.len()).unwrap_or(DocumentNumber::MAX);
        self.documents.push(ConsolidatedDocument {
            document_id: document.document_id.to_owned().into(),
            name: document.name.to_owned().into(),
            content_type: document.content_type.to_owned().into(),
            status: status_name(document.status).into(),
            reason_code: document.reason_code.to_owned().into(),
            reason: document.reason.to_owned().into(),
        });
        if let Some(statement) = Statement::of(document) {
            self.add_statement(&statement, number);
        }
    }

    fn add_statement(&mut self, statement: &Statement<'_>, document: DocumentNumber) {
        let trust = self.rules.trust(statement.reader);
        let at_ms = statement.contents_last_updated_ms;
        let voice = |confidence| Voice { document, trust, at_ms, confidence };
        for said in &statement.fields {
            let gathered = self.fields.entry(said.field).or_default();
            match (said.field.rule().read)(said.value) {
                Ok(reading) => gathered.add(reading, voice(said.confidence)),
                Err(why) => gathered.add_not_counted(words::spaced(said.value), why, voice(said.confidence)),
            }
        }
        for said in &statement.medications {
            self.medications.add(said, voice(said.confidence));
        }
        for said in &statement.allergies {
            self.allergies.add(said, voice(said.confidence));
        }
    }

    /// Whether the patient has no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The record of what was added.
    #[must_use]
    pub fn record(self, patient_id: &str) -> PatientConsolidation<'static> {
        let Self { rules, documents, fields, medications, allergies } = self;
        let mut record = PatientConsolidation {
            patient_id: patient_id.to_owned().into(),
            documents,
            allergies: allergies.merged(),
            ..PatientConsolidation::default()
        };
        for (field, gathered) in &fields {
            let (consolidated, conflict) = field_of(*field, gathered, &rules.policy(*field));
            record.fields.push(consolidated);
            record.conflicts.extend(conflict);
        }
        let (merged, conflicts) = medications.merged();
        record.medications = merged;
        record.conflicts.extend(conflicts);
        record
    }
}

/// The name of a status, as records have it.
#[must_use]
pub fn status_name(status: ProcessingStatus) -> &'static str {
    match status {
        ProcessingStatus::Pending => "Pending",
        ProcessingStatus::InProgress => "InProgress",
        ProcessingStatus::Complete => "Complete",
        ProcessingStatus::Failed => "Failed",
    }
}

fn field_of(
    field: Field,
    gathered: &Gathered,
    policy: &Policy,
) -> (ConsolidatedField<'static>, Option<OpenConflict<'static>>) {
    let choice = gathered.choose(policy);
    let value = gathered.shown(choice);
    let contradicts = if field.rule().may_be_several { !gathered.has_common_value() } else { gathered.counting() > 1 };
    let conflict = contradicts.then(|| gathered.conflict(field.name().to_owned(), value.clone()));
    let consolidated = ConsolidatedField {
        field: field.name().into(),
        value: value.map(Into::into),
        policy: policy.to_string().into(),
        decided_by: choice.decided_by.map_or("", Step::as_str).into(),
        observed: gathered.observed(),
    };
    (consolidated, conflict)
}
