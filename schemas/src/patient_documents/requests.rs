//! What people and programs ask of patient documents.

use serde::{Deserialize, Serialize};

/// Somebody wants a document to be read. Nothing comes of it when its contents are read already, or are being read.
///
/// Topic `documents.read-request`, key: document id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRequest<'a> {
    /// Id of the document.
    pub document_id: &'a str,
    /// Who asks: a person or a program; may be empty.
    #[serde(default)]
    pub by: &'a str,
}

/// Somebody wants a patient to be consolidated. The record is published when it differs from the last one.
///
/// Topic `patients.update-request`, key: patient id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateRequest<'a> {
    /// Id of the patient.
    pub patient_id: &'a str,
    /// How long to wait for more before, milliseconds; `None` for as long as after a change.
    #[serde(default)]
    pub delay_ms: Option<i64>,
    /// Who asks: a person or a program; may be empty.
    #[serde(default)]
    pub by: &'a str,
}
