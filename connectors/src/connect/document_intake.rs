//! Documents of patients on their way in: what folders and buckets have in common.
//!
//! Ids of patients and names of documents are the patients' data: they are in the log's topics, never in messages.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use concord_state::failpoint;

use super::documents::{DescribedDocument, DocumentContent, most_bytes_in_record, publish_document};
use super::error::{ConnectProblem, Trouble};
use super::extract::measure;
use super::intake::Intake;
use super::place::path_of;
use super::surroundings::spool_failed;

/// A document that has arrived, measured.
pub(super) struct ArrivedDocument {
    document_id: String,
    patient_id: String,
    name: String,
    source: String,
    changed_at_ms: i64,
    pub bytes: u64,
    sha256: [u8; 32],
    /// The id of these contents.
    version_id: String,
    /// Where it is kept, below the place for what was taken.
    pub kept_as: String,
}

/// Why what stands at a path below the place of an intake is no document, if it is none.
pub(super) fn cannot_be_document(path: &str, place: &str) -> Option<Trouble> {
    let doing = || format!("what arrived in {place}");
    let Some((patient_id, name)) = path.split_once('/').filter(|(_, name)| !name.contains('/')) else {
        return Some(Trouble::new(ConnectProblem::NoPatient, doing(), "it is not in the folder of a patient"));
    };
    let is_text = ![patient_id, name].iter().any(|part| part.contains('\u{fffd}'));
    const ANY_VERSION: &str = "00000000-0000-0000-0000-000000000000";
    let has_path = path_of(ANY_VERSION, path).is_some();
    (!is_text || !has_path)
        .then(|| Trouble::new(ConnectProblem::NameRefused, doing(), "its name, or its patient's, cannot be a path"))
}

/// The refusal of a document that is too large for a record.
pub(super) fn too_large_for_record(place: &str) -> Trouble {
    Trouble::new(
        ConnectProblem::TooLargeForRecord,
        format!("a document in {place}"),
        "it is larger than a record may be",
    )
}

impl Intake {
    /// The most bytes that a document may have to be published with them.
    pub(super) fn most_bytes_in_record(&self) -> u64 {
        most_bytes_in_record(self.surroundings().max_record_bytes) as u64
    }

    /// What there is to say of a document that stands at a path for which [`cannot_be_document`] has nothing to say.
    pub(super) fn document(
        &self,
        path: &str,
        source: &str,
        changed_at_ms: Option<i64>,
        content: &mut File,
    ) -> Result<ArrivedDocument, Trouble> {
        let no_flow = || Trouble::new(ConnectProblem::NoFlow, "a document", "it is for a flow that does not run here");
        let ids = self.surroundings().input_ids.documents.ok_or_else(no_flow)?;
        let (patient_id, name) = path.split_once('/').unwrap_or(("", path));
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        let (bytes, sha256) = measure(&mut *content).map_err(spool_failed)?;
        failpoint!(InputHere);
        let now_ms = self.surroundings().clock.now_ms();
        let document_id = (ids.document)(patient_id, name);
        let version_id = (ids.version)(&document_id, &sha256);
        Ok(ArrivedDocument {
            kept_as: path_of(&version_id, path).unwrap_or_else(|| format!("{version_id}/unnamed")),
            document_id,
            patient_id: patient_id.to_owned(),
            name: name.to_owned(),
            source: source.to_owned(),
            // From the future it would hold against every edit until then.
            changed_at_ms: changed_at_ms.unwrap_or(now_ms).min(now_ms),
            bytes,
            sha256,
            version_id,
        })
    }

    /// Publishes a document with its bytes, and waits until it is durably in the log.
    pub(super) fn publish_with_bytes(&mut self, document: &ArrivedDocument, content: &mut File) -> Result<(), Trouble> {
        let mut bytes = Vec::new();
        content.seek(SeekFrom::Start(0)).map_err(spool_failed)?;
        content.read_to_end(&mut bytes).map_err(spool_failed)?;
        self.publish_document(document, DocumentContent::Here(&bytes))
    }

    /// Publishes a document whose bytes stay at a URL, and waits until it is durably in the log.
    pub(super) fn publish_with_url(&mut self, document: &ArrivedDocument, url: &str) -> Result<(), Trouble> {
        self.publish_document(document, DocumentContent::At(url))
    }

    fn publish_document(&mut self, document: &ArrivedDocument, content: DocumentContent<'_>) -> Result<(), Trouble> {
        let described = DescribedDocument {
            document_id: &document.document_id,
            patient_id: &document.patient_id,
            name: &document.name,
            source: &document.source,
            contents_last_updated_ms: document.changed_at_ms,
            bytes: document.bytes,
            sha256: document.sha256,
            content,
        };
        let at_ms = self.surroundings().clock.now_ms();
        publish_document(self.writer()?, &described, at_ms)?;
        self.is_in_the_log(&document.version_id, &document.source, document.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_what_stands_in_the_folder_of_a_patient_under_a_plain_name_is_a_document() {
        assert_eq!(cannot_be_document("4711/letter of 3 May.pdf", "/in"), None);
        for (path, code) in [
            ("letter.pdf", "CONCORD-CN-0019"),
            ("4711/deeper/letter.pdf", "CONCORD-CN-0019"),
            ("4711/", "CONCORD-CN-0015"),
            ("4711/a\nb", "CONCORD-CN-0015"),
            ("4711/\u{fffd}.pdf", "CONCORD-CN-0015"),
            ("../letter.pdf", "CONCORD-CN-0015"),
        ] {
            let trouble = cannot_be_document(path, "/in").unwrap();
            assert_eq!(trouble.code, code, "{path:?}");
            assert!(!trouble.message.contains("4711"), "{}", trouble.message);
        }
    }
}
