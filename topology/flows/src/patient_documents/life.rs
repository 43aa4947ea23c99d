//! What an upload or a request means for a document of which something may be known.

use concord_schemas::patient_documents::{Document, Extraction, ProcessingStatus};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The contents are read; what was being read of it before is of no use.
    Read,
    /// The contents are those that are known: only the rest is taken over.
    TakeOver,
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// Why an upload changes nothing: something newer is known.
pub const OLDER: &str = "documents older than what is known";
/// Why an upload changes nothing: it is what is known.
pub const REPEATED: &str = "documents that are known already";
/// Why a request changes nothing.
pub const READ_ALREADY: &str = "requests for contents that are read already";
/// Why a request changes nothing.
pub const BEING_READ: &str = "requests for contents that are being read";

/// What an upload or an edit means. `content_sha256` is that of its contents, empty where it is not known.
#[must_use]
pub fn uploaded(known: Option<&Extraction<'_>>, document: &Document<'_>, content_sha256: &str) -> Step {
    let Some(known) = known else { return Step::Read };
    if document.contents_last_updated_ms < known.contents_last_updated_ms {
        return Step::Nothing(OLDER);
    }
    // What was read belongs to the patient it was read for.
    if document.patient_id != known.patient_id {
        return Step::Read;
    }
    let is_as_old = document.contents_last_updated_ms == known.contents_last_updated_ms;
    let is_same = !content_sha256.is_empty() && content_sha256 == known.content_sha256;
    // Contents elsewhere whose hash nobody knows are those of their time.
    let is_unchanged = is_same || (is_as_old && content_sha256.is_empty());
    if !is_unchanged {
        return Step::Read;
    }
    let says_nothing_new = is_as_old && document.name == known.name && document.source == known.source;
    if says_nothing_new { Step::Nothing(REPEATED) } else { Step::TakeOver }
}

/// What a request to read means.
#[must_use]
pub fn asked(known: &Extraction<'_>) -> Step {
    match known.status {
        ProcessingStatus::Complete => Step::Nothing(READ_ALREADY),
        ProcessingStatus::Pending | ProcessingStatus::InProgress => Step::Nothing(BEING_READ),
        ProcessingStatus::Failed => Step::Read,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn known(sha: &'static str) -> Extraction<'static> {
        Extraction {
            document_id: "d",
            patient_id: "p",
            name: "letter",
            source: "",
            status: ProcessingStatus::Complete,
            failure_count: 0,
            status_last_updated_ms: 0,
            duration_ms: None,
            content_type: "",
            content_sha256: sha,
            contents_last_updated_ms: 10,
            reason_code: "",
            reason: "",
            features_as_of_ms: None,
            features: None,
        }
    }

    fn uploaded_at(contents_last_updated_ms: i64) -> Document<'static> {
        Document { document_id: "d", patient_id: "p", name: "letter", contents_last_updated_ms, ..Document::default() }
    }

    #[test]
    fn what_an_upload_means_follows_from_time_contents_and_patient() {
        let renamed = Document { name: "other", ..uploaded_at(10) };
        let moved = Document { patient_id: "q", ..uploaded_at(10) };
        let table = [
            ("the first", None, uploaded_at(10), "a", Step::Read),
            ("an older one", Some(known("b")), uploaded_at(9), "a", Step::Nothing(OLDER)),
            ("the same again", Some(known("a")), uploaded_at(10), "a", Step::Nothing(REPEATED)),
            ("the same elsewhere", Some(known("a")), uploaded_at(10), "", Step::Nothing(REPEATED)),
            ("an edit", Some(known("a")), uploaded_at(11), "b", Step::Read),
            ("an edit elsewhere", Some(known("a")), uploaded_at(11), "", Step::Read),
            ("an edit in the same millisecond", Some(known("a")), uploaded_at(10), "b", Step::Read),
            ("touched", Some(known("a")), uploaded_at(11), "a", Step::TakeOver),
            ("renamed", Some(known("a")), renamed, "a", Step::TakeOver),
            ("of another patient", Some(known("a")), moved, "a", Step::Read),
        ];
        for (what, known, document, sha, step) in table {
            assert_eq!(uploaded(known.as_ref(), &document, sha), step, "{what}");
        }
    }

    #[test]
    fn a_request_reads_what_is_not_read() {
        let with = |status| Extraction { status, ..known("a") };
        assert_eq!(asked(&with(ProcessingStatus::Complete)), Step::Nothing(READ_ALREADY));
        assert_eq!(asked(&with(ProcessingStatus::Pending)), Step::Nothing(BEING_READ));
        assert_eq!(asked(&with(ProcessingStatus::InProgress)), Step::Nothing(BEING_READ));
        assert_eq!(asked(&with(ProcessingStatus::Failed)), Step::Read);
    }
}
