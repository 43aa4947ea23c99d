//! What all documents of a patient say together.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What all documents of one patient say together, where each value comes from, and what they contradict each other about.
///
/// Topic `patients.consolidation`, compacted, key: patient id; a tombstone says that no document is left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientConsolidation<'a> {
    /// Id of the patient.
    #[serde(borrow)]
    pub patient_id: Cow<'a, str>,
    /// Fields of which any document says something, in the order in which people read them.
    #[serde(borrow)]
    pub fields: Vec<ConsolidatedField<'a>>,
    /// Medicines, each once, by key.
    #[serde(borrow)]
    pub medications: Vec<ConsolidatedMedication<'a>>,
    /// Allergies, each once, by key.
    #[serde(borrow)]
    pub allergies: Vec<ConsolidatedAllergy<'a>>,
    /// What the documents contradict each other about, by field.
    #[serde(borrow)]
    pub conflicts: Vec<OpenConflict<'a>>,
    /// Every document of the patient, by id.
    #[serde(borrow)]
    pub documents: Vec<ConsolidatedDocument<'a>>,
}

/// One field of a patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidatedField<'a> {
    /// One of [`super::fields`].
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// The value that was chosen; `None` while documents must agree and do not, or none of what they say counts.
    #[serde(borrow)]
    pub value: Option<Cow<'a, str>>,
    /// The steps by which it was chosen, such as `majority, most-recent, smallest`.
    #[serde(borrow)]
    pub policy: Cow<'a, str>,
    /// The step that left one value, or none; empty where there was no choice.
    #[serde(borrow)]
    pub decided_by: Cow<'a, str>,
    /// Every observed value.
    #[serde(borrow)]
    pub observed: Vec<ObservedValue<'a>>,
}

/// A value with the documents that say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedValue<'a> {
    /// As it is written by the documents that are trusted most.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// Places of the documents in [`PatientConsolidation::documents`], from 0, rising.
    pub documents: Vec<i32>,
    /// Why it cannot be the value, such as a wrong check digit; empty when it can.
    #[serde(borrow)]
    pub not_counted: Cow<'a, str>,
    /// What stands behind it in a majority: the trust in each document, in percent of the reader's confidence, summed up.
    pub weight: i64,
    /// When the contents of the last document that says it were created or changed, milliseconds since the epoch, UTC.
    pub latest_ms: i64,
}

/// One medicine, merged from what documents say. Text is empty where none says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidatedMedication<'a> {
    /// What makes it the same medicine: its code, or else its name, strength and form in one form.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// Its dm+d or SNOMED code.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Such as `500 mg`.
    #[serde(borrow)]
    pub strength: Cow<'a, str>,
    /// Such as `tablet`.
    #[serde(borrow)]
    pub form: Cow<'a, str>,
    /// Such as `oral`.
    #[serde(borrow)]
    pub route: Cow<'a, str>,
    /// What the most recent document says: `active`, `on-hold`, `completed`, `stopped`, `intended`, `not-taken` or `unknown`.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// Every observed dose.
    #[serde(borrow)]
    pub doses: Vec<ObservedValue<'a>>,
    /// Places of the documents that name it in [`PatientConsolidation::documents`], rising.
    pub documents: Vec<i32>,
}

/// One allergy or intolerance, merged from what documents say. Text is empty where none says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidatedAllergy<'a> {
    /// What makes it the same allergy: the code of its substance, or else the words of it.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// dm+d or SNOMED code of the substance.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// Name of the substance.
    #[serde(borrow)]
    pub substance: Cow<'a, str>,
    /// Every observed reaction.
    #[serde(borrow)]
    pub reactions: Vec<ObservedValue<'a>>,
    /// Places of the documents that name it in [`PatientConsolidation::documents`], rising.
    pub documents: Vec<i32>,
}

/// One contradiction between documents of a patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenConflict<'a> {
    /// A field, or `medications/<key>/dose` or `medications/<key>/strength`.
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// The value that was chosen all the same; `None` when none was.
    #[serde(borrow)]
    pub chosen: Option<Cow<'a, str>>,
    /// The values that contradict each other.
    #[serde(borrow)]
    pub values: Vec<ObservedValue<'a>>,
    /// The time of the first document that says something else than an earlier one, milliseconds since the epoch, UTC.
    pub since_ms: i64,
}

/// One document, and how far its reading had come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsolidatedDocument<'a> {
    /// Its id.
    #[serde(borrow)]
    pub document_id: Cow<'a, str>,
    /// As people know it, such as its file name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its MIME type, found by its content; empty before it was looked at.
    #[serde(borrow)]
    pub content_type: Cow<'a, str>,
    /// `Pending`, `InProgress`, `Complete` or `Failed`.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// Why reading it failed, such as `CONCORD-DO-0007`; empty when it did not.
    #[serde(borrow)]
    pub reason_code: Cow<'a, str>,
    /// The same in words.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
}

/// Documents of a patient that contradict each other about one thing.
///
/// Topic `patients.conflict`, compacted, key: conflict id; a tombstone takes it back, since it is solved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientConflict<'a> {
    /// `<patient id>/<field>`.
    #[serde(borrow)]
    pub conflict_id: Cow<'a, str>,
    /// The patient.
    #[serde(borrow)]
    pub patient_id: Cow<'a, str>,
    /// As in [`OpenConflict::field`].
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// The value that was chosen all the same; `None` when none was, since the documents must agree.
    #[serde(borrow)]
    pub chosen: Option<Cow<'a, str>>,
    /// The values that contradict each other.
    #[serde(borrow)]
    pub values: Vec<ConflictingValue<'a>>,
    /// The time of the first document that says something else than an earlier one, milliseconds since the epoch, UTC.
    pub since_ms: i64,
}

/// A value with the ids of the documents that say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictingValue<'a> {
    /// The value.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// Ids of the documents.
    #[serde(borrow)]
    pub documents: Vec<Cow<'a, str>>,
}
