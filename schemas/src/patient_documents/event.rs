//! What happened to documents, on its way to their patients.

use serde::{Deserialize, Serialize};

use super::Extraction;

/// What happened to one document of a patient.
///
/// Internal repartition topic, key: patient id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time is read from a topic, and nearly all are of the large kind"
)]
pub enum DocumentEvent<'a> {
    /// Its reading has come further. Features are there when they were read just now; without any, the last ones stand.
    #[serde(borrow, alias = "concord.patient_documents.Extraction")]
    Extraction(Extraction<'a>),
    /// It was deleted, or is another patient's.
    #[serde(borrow, alias = "concord.patient_documents.DocumentGone")]
    DocumentGone(DocumentGone<'a>),
}

/// A document that a patient has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentGone<'a> {
    /// Id of the document.
    pub document_id: &'a str,
    /// The patient to whom it belonged.
    pub patient_id: &'a str,
}
