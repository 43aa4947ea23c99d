//! A document of a patient becomes a value of `documents.document`: with its bytes, or with where they are.

use concord_schemas::codec;
use concord_schemas::patient_documents::Document;

use super::writing::{LogWriter, WriteError};

/// Room in a record for what is beside the bytes of a document.
const BESIDE: usize = 8 << 10;

/// A document that is uploaded, or edited.
#[derive(Debug, Clone, Copy)]
pub struct DescribedDocument<'a> {
    /// Its id.
    pub document_id: &'a str,
    /// The patient to whom it belongs.
    pub patient_id: &'a str,
    /// Its file name.
    pub name: &'a str,
    /// Where it came from; empty when published by hand.
    pub source: &'a str,
    /// When its content was created or last changed, milliseconds since the epoch.
    pub contents_last_updated_ms: i64,
    /// Length of the content.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: [u8; 32],
    /// The content.
    pub content: DocumentContent<'a>,
}

/// Where the bytes of a document are.
#[derive(Debug, Clone, Copy)]
pub enum DocumentContent<'a> {
    /// In its record.
    Here(&'a [u8]),
    /// At this URL, such as `s3://scans/1.png`.
    At(&'a str),
}

/// The most bytes that a document may have to be in its record, when a record may have so many.
#[must_use]
pub fn most_bytes_in_record(max_record_bytes: usize) -> usize {
    max_record_bytes.saturating_sub(BESIDE)
}

/// Publishes a document, and waits until it is durably in the log. The same contents again, of the same time, change nothing.
///
/// # Errors
/// The log refuses, or does not answer.
pub fn publish_document(
    writer: &mut LogWriter,
    document: &DescribedDocument<'_>,
    at_ms: i64,
) -> Result<(), WriteError> {
    let content_sha256: String = document.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let (content, url) = match document.content {
        DocumentContent::Here(content) => (Some(content), ""),
        DocumentContent::At(url) => (None, url),
    };
    let value = Document {
        document_id: document.document_id,
        patient_id: document.patient_id,
        name: document.name,
        source: document.source,
        contents_last_updated_ms: document.contents_last_updated_ms,
        content,
        url,
        content_sha256: &content_sha256,
        bytes: i64::try_from(document.bytes).ok(),
        ..Document::default()
    };
    writer.send(&codec::DOCUMENT, document.document_id, Some(&value), at_ms)?;
    writer.flush()
}
