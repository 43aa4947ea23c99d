//! What a reader is given and what it answers, as bytes: a first byte that says which form, then postcard.

use std::borrow::Cow;

use concord_engine::calls::CallFailure;
use concord_schemas::patient_documents::{Document, Features};
use serde::{Deserialize, Serialize};

/// Name of the call that reads a document. Its key is the document id.
pub const READ_DOCUMENT: &str = "read-document";

/// The form that this program writes.
const FORM: u8 = 1;

/// Bytes of another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request to a reader, or its answer, is of another form than this program writes")]
pub struct UnreadableForm;

/// What a reader is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked<'a> {
    /// As people know it, such as its file name.
    pub name: &'a str,
    /// The MIME type that the uploader says it has; may be empty.
    pub declared_content_type: &'a str,
    /// Its bytes; `None` when `url` says where they are.
    #[serde(borrow, with = "serde_bytes")]
    pub content: Option<&'a [u8]>,
    /// Where its bytes are in an object store; empty when they are here.
    pub url: &'a str,
    /// SHA-256 that the bytes must have, lower-case hexadecimal; empty when it is not known.
    pub content_sha256: &'a str,
}

impl<'a> Asked<'a> {
    /// To read this document.
    #[must_use]
    pub fn of(document: &Document<'a>, content_sha256: &'a str) -> Self {
        Self {
            name: document.name,
            declared_content_type: document.declared_content_type,
            content: document.content,
            url: document.url,
            content_sha256,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// None: it always can be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnreadableForm> {
        postcard::to_extend(self, vec![FORM]).map_err(|_| UnreadableForm)
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// Another program wrote them.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, UnreadableForm> {
        from_form(bytes)
    }
}

/// What a reader answers: what it read, or why nobody can read it. What another attempt may read is a failure of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered<'a> {
    /// Its MIME type, found by its content.
    #[serde(borrow)]
    pub content_type: Cow<'a, str>,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    #[serde(borrow)]
    pub content_sha256: Cow<'a, str>,
    /// Milliseconds that reading took.
    pub duration_ms: i64,
    /// What came of it.
    #[serde(borrow)]
    pub outcome: Outcome<'a>,
}

/// What a reader found out about a document that it failed to read for now, behind [`CallFailure::found`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOut<'a> {
    /// Its MIME type, found by its content.
    #[serde(borrow)]
    pub content_type: Cow<'a, str>,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    #[serde(borrow)]
    pub content_sha256: Cow<'a, str>,
    /// Milliseconds that the attempt took.
    pub duration_ms: i64,
}

impl<'a> FoundOut<'a> {
    /// Its bytes.
    ///
    /// # Errors
    /// None: it always can be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnreadableForm> {
        postcard::to_extend(self, vec![FORM]).map_err(|_| UnreadableForm)
    }

    /// What goes with a failure, if anything.
    ///
    /// # Errors
    /// Another program wrote it.
    pub fn of(failure: &'a CallFailure) -> Result<Option<Self>, UnreadableForm> {
        if failure.found.is_empty() { Ok(None) } else { from_form(&failure.found).map(Some) }
    }
}

/// What came of reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "one at a time is read, and nearly all are of the large kind")]
pub enum Outcome<'a> {
    /// What it says.
    #[serde(borrow)]
    Read(Features<'a>),
    /// It cannot be read, however often it is tried.
    NotRead {
        /// Stable code, such as `CONCORD-DO-0007`.
        #[serde(borrow)]
        code: Cow<'a, str>,
        /// Why, without anything of the document.
        #[serde(borrow)]
        reason: Cow<'a, str>,
    },
}

impl<'a> Answered<'a> {
    /// Its bytes.
    ///
    /// # Errors
    /// None: it always can be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnreadableForm> {
        postcard::to_extend(self, vec![FORM]).map_err(|_| UnreadableForm)
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// Another program wrote them.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, UnreadableForm> {
        from_form(bytes)
    }
}

fn from_form<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, UnreadableForm> {
    match bytes.split_first() {
        Some((&FORM, form)) => postcard::from_bytes(form).map_err(|_| UnreadableForm),
        _ => Err(UnreadableForm),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use concord_schemas::patient_documents::{ObservedField, Place, Region};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let elsewhere = Asked { url: "s3://scans/1.png", ..Asked::default() };
        let here = Asked { name: "letter", content: Some(b"\x00\xff"), content_sha256: "ab", ..Asked::default() };
        for asked in [elsewhere, here] {
            assert_eq!(Asked::from_bytes(&asked.to_bytes().unwrap()), Ok(asked.clone()));
        }
        let region = Region { left: -1, top: 2, width: 3, height: 4 };
        let said = ObservedField {
            field: "sex".into(),
            value: "female".into(),
            place: Place::on_page(2, Some(region)),
            confidence: 93,
        };
        let read = Outcome::Read(Features { reader: "ocr".into(), demographics: vec![said], ..Features::default() });
        let not_read = Outcome::NotRead { code: "CONCORD-DO-0001".into(), reason: "it is empty".into() };
        for outcome in [read, not_read] {
            let answered =
                Answered { content_type: "image/png".into(), content_sha256: "ab".into(), duration_ms: 7, outcome };
            assert_eq!(Answered::from_bytes(&answered.to_bytes().unwrap()), Ok(answered.clone()));
        }
        let failure = CallFailure::for_now("TEST", "it is busy");
        assert_eq!(FoundOut::of(&failure), Ok(None));
        let found = FoundOut { content_type: "image/png".into(), content_sha256: "ab".into(), duration_ms: 7 };
        let failure = failure.but_found(found.to_bytes().unwrap());
        assert_eq!(FoundOut::of(&failure), Ok(Some(found)));
        assert_eq!(Asked::from_bytes(&[9, 1]), Err(UnreadableForm));
    }
}
