//! Reads a document in this process, by the reader of its kind.

use std::path::Path;

use concord_schemas::patient_documents::Features;

use crate::content_type::what_it_is_instead;
use crate::{ContentType, Limits, Problem, ReadFailure, cda, classify, encoding, fhir, hl7, labelled, ocr, pdf};

/// What a document is, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it is.
    pub content_type: ContentType,
    /// What it says.
    pub features: Features<'static>,
}

/// Reads a document in this process. `workplace` is an empty folder for files of the tools that read images and PDF; what is left
/// in it is the caller's to remove. Of documents from outside, use [`read_in_child`](crate::read_in_child): it holds the limits of
/// memory and time too, which this does not.
///
/// ```
/// use concord_documents::{Limits, read};
///
/// let letter = b"NHS Number: 999 054 8609\nDate of birth: 31/12/1958\n";
/// let reading = read(letter, &Limits::default(), std::path::Path::new("/nowhere"))?;
/// assert_eq!(reading.content_type.name(), "text/plain");
/// assert_eq!(reading.features.demographics[1].value, "1958-12-31");
/// # Ok::<(), concord_documents::ReadFailure>(())
/// ```
///
/// # Errors
/// [`ReadFailure`], which says what the document is as far as that was found out.
pub fn read(document: &[u8], limits: &Limits, workplace: &Path) -> Result<Reading, ReadFailure> {
    in_size(document, limits)?;
    let content_type = classify(document);
    let features =
        features_of(content_type, document, limits, workplace).map_err(|failure| failure.of(content_type))?;
    Ok(Reading { content_type, features })
}

/// # Errors
/// [`Problem::Empty`], [`Problem::TooLarge`].
pub(crate) fn in_size(document: &[u8], limits: &Limits) -> Result<(), ReadFailure> {
    if document.is_empty() {
        return Err(ReadFailure::new(Problem::Empty, ""));
    }
    if document.len() as u64 > limits.document_bytes {
        let detail = format!("{} bytes, {} are read", document.len(), limits.document_bytes);
        return Err(ReadFailure::new(Problem::TooLarge, detail));
    }
    Ok(())
}

fn features_of(
    content_type: ContentType,
    document: &[u8],
    limits: &Limits,
    workplace: &Path,
) -> Result<Features<'static>, ReadFailure> {
    match content_type {
        ContentType::Png | ContentType::Jpeg | ContentType::Tiff => {
            return ocr::read(content_type, document, limits, workplace);
        }
        ContentType::Pdf => return pdf::read(document, limits, workplace),
        ContentType::Unknown => return Err(ReadFailure::new(Problem::UnknownKind, what_it_is_instead(document))),
        _ => {}
    }
    // What was recognised as one of these is text.
    let text = encoding::decode(document).ok_or_else(|| ReadFailure::damaged("text with zero bytes"))?;
    match content_type {
        ContentType::FhirJson | ContentType::Json => fhir::read(&text, limits),
        ContentType::Cda | ContentType::Xml => cda::read(&text, limits),
        ContentType::Hl7V2 => hl7::read(&text, limits),
        _ => labelled::read(&text, limits),
    }
}
