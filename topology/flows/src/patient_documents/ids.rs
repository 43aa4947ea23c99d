//! Ids of documents, and of what they hold at a time.

use sha2::{Digest, Sha256};

use crate::derived_id::uuid_of;

/// The id of a document that nobody gave one: it follows from patient and name, so that the same name again is an edit.
///
/// ```
/// use concord_flows::patient_documents::document_id;
///
/// assert_eq!(document_id("4711", "letter.pdf"), document_id("4711", "letter.pdf"));
/// assert_ne!(document_id("4711", "letter.pdf"), document_id("471", "1letter.pdf"));
/// ```
#[must_use]
pub fn document_id(patient_id: &str, name: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((patient_id.len() as u64).to_be_bytes());
    hash.update(patient_id);
    hash.update(name);
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id of the contents that a document has at a time, in the form of a UUID.
#[must_use]
pub fn version_id(document_id: &str, content_sha256: &[u8; 32]) -> String {
    uuid_of(&[b"document", document_id.as_bytes(), content_sha256])
}
