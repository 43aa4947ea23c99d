//! Values of the topics of patient documents. The contract is `avro/*.avsc`; a test holds these types against it.
//!
//! Text of features is borrowed when it was read from a topic and owned when a reader has just made it.

use serde::{Deserialize, Serialize};

mod consolidated;
mod event;
mod features;
mod requests;

pub use consolidated::{
    ConflictingValue, ConsolidatedAllergy, ConsolidatedDocument, ConsolidatedField, ConsolidatedMedication,
    ObservedValue, OpenConflict, PatientConflict, PatientConsolidation,
};
pub use event::{DocumentEvent, DocumentGone};
pub use features::{
    Features, ObservedAddress, ObservedAllergy, ObservedField, ObservedIdentifier, ObservedMedication, ObservedPhone,
    Place, Region, fields,
};
pub use requests::{ReadRequest, UpdateRequest};

/// What is known of one document by whoever uploaded it. The first one under its key is an upload, each later one an edit.
///
/// Topic `documents.document`, compacted, key: document id; a tombstone deletes the document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document<'a> {
    /// Id of the document; no `/` in it.
    pub document_id: &'a str,
    /// The one patient to whom it belongs; no `/` in it.
    pub patient_id: &'a str,
    /// As people know it, such as its file name; no rule relies on it.
    pub name: &'a str,
    /// Where it came from, such as `folder:/inbound`; empty when it was uploaded by hand.
    #[serde(default)]
    pub source: &'a str,
    /// The MIME type that the uploader says it has; empty when nothing was said. What it is is found by its content.
    #[serde(default)]
    pub declared_content_type: &'a str,
    /// When its content was created or last changed, milliseconds since the epoch, UTC.
    pub contents_last_updated_ms: i64,
    /// Its bytes; `None` when `url` says where they are.
    #[serde(borrow, default, with = "serde_bytes")]
    pub content: Option<&'a [u8]>,
    /// Where its bytes are in an object store; empty when they are here.
    #[serde(default)]
    pub url: &'a str,
    /// SHA-256 of its bytes, lower-case hexadecimal; empty when the uploader did not say, possible with `url` only.
    #[serde(default)]
    pub content_sha256: &'a str,
    /// How many bytes it has; `None` when the uploader did not say, possible with `url` only.
    #[serde(default)]
    pub bytes: Option<i64>,
}

/// How far the reading of one document has come, and what was read from it.
///
/// Topic `documents.extraction`, compacted, key: `<patient id>/<document id>`; a tombstone says that the document is gone, or
/// another patient's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction<'a> {
    /// Id of the document.
    pub document_id: &'a str,
    /// The patient to whom it belongs.
    pub patient_id: &'a str,
    /// As people know it, such as its file name.
    pub name: &'a str,
    /// Where it came from; empty when it was uploaded by hand.
    pub source: &'a str,
    /// How far its reading has come.
    pub status: ProcessingStatus,
    /// How often reading these contents has failed.
    pub failure_count: i32,
    /// When the status became what it is, milliseconds since the epoch, UTC.
    pub status_last_updated_ms: i64,
    /// Milliseconds spent on the last attempt to read it; `None` before the first has ended.
    pub duration_ms: Option<i64>,
    /// Its MIME type, found by its content; empty before it was looked at.
    pub content_type: &'a str,
    /// SHA-256 of the contents that the status is about, lower-case hexadecimal; empty before they were fetched.
    pub content_sha256: &'a str,
    /// When the contents that the status is about were created or last changed, milliseconds since the epoch, UTC.
    pub contents_last_updated_ms: i64,
    /// Why the last attempt failed, such as `CONCORD-DO-0007`; empty when it did not.
    pub reason_code: &'a str,
    /// The same in words, without anything of the document; empty when it did not fail.
    pub reason: &'a str,
    /// When the contents that `features` were read from were created or last changed: older than `contents_last_updated_ms`
    /// while an edit is not read yet. `None` without features.
    pub features_as_of_ms: Option<i64>,
    /// What the last successful reading found; `None` before there was one.
    #[serde(borrow)]
    pub features: Option<Features<'a>>,
}

/// How far the reading of a document has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProcessingStatus {
    /// To be read, for the first time or once more.
    #[default]
    Pending,
    /// Being read.
    InProgress,
    /// Read.
    Complete,
    /// Not read, and it will not be tried again by itself.
    Failed,
}
