//! What a document is, found by its content alone: neither its name nor what the uploader says is looked at.

use std::fmt::{Display, Formatter};

use crate::encoding;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/tiff`.
    Tiff,
    /// `application/pdf`.
    Pdf,
    /// `application/fhir+json`: JSON whose first object names its type of resource.
    FhirJson,
    /// `application/json`: any other JSON.
    Json,
    /// `text/xml`: a CDA document.
    Cda,
    /// `application/xml`: any other XML.
    Xml,
    /// `x-application/hl7-v2+er7`.
    Hl7V2,
    /// `text/plain`.
    Text,
    /// `application/octet-stream`: nothing that is read.
    Unknown,
}

const NAMES: [(ContentType, &str); 11] = [
    (ContentType::Png, "image/png"),
    (ContentType::Jpeg, "image/jpeg"),
    (ContentType::Tiff, "image/tiff"),
    (ContentType::Pdf, "application/pdf"),
    (ContentType::FhirJson, "application/fhir+json"),
    (ContentType::Json, "application/json"),
    (ContentType::Cda, "text/xml"),
    (ContentType::Xml, "application/xml"),
    (ContentType::Hl7V2, "x-application/hl7-v2+er7"),
    (ContentType::Text, "text/plain"),
    (ContentType::Unknown, "application/octet-stream"),
];

impl ContentType {
    /// The MIME type.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("application/octet-stream", |(_, name)| name)
    }

    /// The kind of a MIME type that [`name`](Self::name) gives.
    pub fn of_name(name: &str) -> Self {
        NAMES.iter().find(|(_, known)| *known == name).map_or(Self::Unknown, |(kind, _)| *kind)
    }
}

impl Display for ContentType {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Kinds that begin with bytes of their own and are read.
const MAGIC: [(&[u8], ContentType); 5] = [
    (b"\x89PNG\r\n\x1a\n", ContentType::Png),
    (b"\xff\xd8\xff", ContentType::Jpeg),
    (b"II*\0", ContentType::Tiff),
    (b"MM\0*", ContentType::Tiff),
    (b"%PDF-", ContentType::Pdf),
];

/// Kinds that are recognised in order to say what a document is that is not read.
const KNOWN_BUT_NOT_READ: [(&[u8], &str); 14] = [
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an older office document"),
    (b"{\\rtf", "an RTF document"),
    (b"GIF8", "a GIF image"),
    (b"II+\0", "a BigTIFF image"),
    (b"MM\0+", "a BigTIFF image"),
    (b"BM", "a BMP image"),
    (b"RIFF", "a RIFF file, such as a WebP image"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"%!PS", "a PostScript document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\0\0\0\x0cjP", "a JPEG 2000 image"),
];

/// Within how many bytes a PDF must begin: what writes PDFs may put something before it.
const PDF_BEGINS_WITHIN: usize = 1024;

/// What a document is, found by its first bytes and its structure. Looks at every byte at most a few times.
///
/// ```
/// use concord_documents::{ContentType, classify};
///
/// assert_eq!(classify(b"%PDF-1.7 ..."), ContentType::Pdf);
/// assert_eq!(classify(br#"{"resourceType": "Patient"}"#), ContentType::FhirJson);
/// assert_eq!(classify(b"\x7fELF"), ContentType::Unknown);
/// ```
pub fn classify(document: &[u8]) -> ContentType {
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| document.starts_with(magic)) {
        return *kind;
    }
    let start = &document[..document.len().min(PDF_BEGINS_WITHIN)];
    if start.windows(5).any(|window| window == b"%PDF-") {
        return ContentType::Pdf;
    }
    // The two shortest could begin a text; what they stand for has zero bytes, as no text has.
    if KNOWN_BUT_NOT_READ.iter().any(|(magic, _)| magic.len() > 2 && document.starts_with(magic)) {
        return ContentType::Unknown;
    }
    match encoding::decode(document) {
        Some(text) => classify_text(text.trim_start_matches(['\u{feff}', '\u{b}', ' ', '\t', '\r', '\n'])),
        None => ContentType::Unknown,
    }
}

/// What a document is that is not read, as far as that can be told.
pub(crate) fn what_it_is_instead(document: &[u8]) -> &'static str {
    let known = KNOWN_BUT_NOT_READ.iter().find(|(magic, _)| document.starts_with(magic));
    match known {
        Some((_, name)) => name,
        None if encoding::decode(document).is_some_and(|text| is_html(text.trim_start())) => "a web page",
        None => "no format that is known here",
    }
}

fn classify_text(text: &str) -> ContentType {
    if text.is_empty() {
        return ContentType::Unknown;
    }
    if text.starts_with(['{', '[']) {
        if text.starts_with("{\\") {
            return ContentType::Unknown;
        }
        return if names_a_resource_type(text) { ContentType::FhirJson } else { ContentType::Json };
    }
    if text.starts_with('<') {
        return classify_markup(text);
    }
    if is_hl7(text) {
        return ContentType::Hl7V2;
    }
    // Of a thousand characters of text hardly one is a control character that no line needs.
    let odd = text.chars().filter(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t' | '\u{c}')).count();
    if odd * 100 > text.len() { ContentType::Unknown } else { ContentType::Text }
}

fn is_hl7(text: &str) -> bool {
    ["MSH", "FHS", "BHS"].iter().any(|name| {
        let separator = text.strip_prefix(name).and_then(|rest| rest.chars().next());
        separator.is_some_and(|one| one.is_ascii_punctuation())
    })
}

fn is_html(text: &str) -> bool {
    let start: String = text.chars().take(512).flat_map(char::to_lowercase).collect();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn classify_markup(text: &str) -> ContentType {
    if is_html(text) {
        return ContentType::Unknown;
    }
    match root_element(text) {
        Some("ClinicalDocument") => ContentType::Cda,
        Some("html") | None => ContentType::Unknown,
        Some(_) => ContentType::Xml,
    }
}

/// Local name of the first element: behind declaration, comments, instructions and document type.
fn root_element(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).strip_prefix('<')?;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if rest.starts_with('?') {
            rest = rest.split_once("?>")?.1;
        } else if rest.starts_with('!') {
            // A document type may have declarations in brackets. Reading refuses it anyway.
            let end = rest.find(['[', '>'])?;
            rest = if rest[end..].starts_with('[') {
                rest.split_once(']')?.1.split_once('>')?.1
            } else {
                &rest[end + 1..]
            };
        } else {
            let name = rest.split(|one: char| one.is_whitespace() || matches!(one, '>' | '/')).next()?;
            let local = name.rsplit(':').next()?;
            return local.chars().next().is_some_and(char::is_alphabetic).then_some(local);
        }
    }
}

/// Whether an object of the outermost level, or of the array that is outermost, has the key `resourceType`.
fn names_a_resource_type(text: &str) -> bool {
    let own_level = if text.starts_with('[') { 2 } else { 1 };
    let (mut depth, mut bytes) = (0_usize, text.bytes().enumerate());
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let mut is_escaped = false;
                let end = bytes.by_ref().find(|(_, byte)| {
                    let ends = *byte == b'"' && !is_escaped;
                    is_escaped = *byte == b'\\' && !is_escaped;
                    ends
                });
                let Some((end, _)) = end else { return false };
                let is_key = || text[end + 1..].trim_start().starts_with(':');
                if depth == own_level && &text[at + 1..end] == "resourceType" && is_key() {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
