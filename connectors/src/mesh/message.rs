//! What MESH says of a message besides its content.

use std::fmt;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::checksum::Checksum;

const REPORT: &str = "REPORT";
/// The code with which MESH reports a message that its recipient did not collect.
const NOT_COLLECTED: &str = "14";

/// What was in the inbox under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A message; its content was written.
    Message(Message),
    /// What became of a message sent from this mailbox; it has no content.
    Report(Report),
}

/// A message whose content was written, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Who sent it, what it is.
    pub headers: MessageHeaders,
    /// Length of the content as written, unpacked.
    pub bytes: u64,
    /// SHA-256 of the content as written.
    pub sha256: [u8; 32],
    /// How the content stands to its sender's checksum.
    pub checksum: Checksum,
}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Message")
            .field("headers", &self.headers)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// The headers of a message. What its sender left out is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageHeaders {
    /// MESH's id of the message.
    pub message_id: String,
    /// The mailbox it came from.
    pub from: String,
    /// The mailbox it came to.
    pub to: String,
    /// What kind of message it is, such as `RSLISTRECONCILIATIONPCSE`.
    pub workflow_id: String,
    /// The sender's own id of it.
    pub local_id: String,
    /// A subject, of the sender's choice.
    pub subject: String,
    /// Name of the file that it carries; MESH gives a name of its own when the sender gave none.
    pub file_name: String,
    /// Checksum of the content, as its sender wrote it.
    pub checksum: String,
}

/// What became of a message that was sent from this mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// MESH's id of the report itself: it is acknowledged like a message.
    pub message_id: String,
    /// MESH's id of the message it speaks of.
    pub linked_message_id: String,
    /// The local id of the message it speaks of.
    pub local_id: String,
    /// The workflow id of the message it speaks of.
    pub workflow_id: String,
    /// Its subject.
    pub subject: String,
    /// Why: MESH's code.
    pub code: String,
    /// At which step, such as `SEND` or `TRANSFER`.
    pub event: String,
    /// Why, in words.
    pub description: String,
}

impl Report {
    /// Whether the recipient did not collect the message within the days that MESH keeps it.
    #[must_use]
    pub fn was_not_collected(&self) -> bool {
        self.code == NOT_COLLECTED
    }
}

/// How content is packed, as its headers announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As it is.
    Plain,
    /// The sender has packed it, and something on the way may have unpacked it again.
    PerhapsGzip,
    /// As gzip.
    Gzip,
}

pub(super) fn is_report(headers: &HeaderMap) -> bool {
    text(headers, "Mex-MessageType").eq_ignore_ascii_case(REPORT)
}

pub(super) fn packing(headers: &HeaderMap) -> Packing {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
    if encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case(b"gzip")) {
        return Packing::Gzip;
    }
    match text(headers, "Mex-Content-Compressed").to_ascii_uppercase().as_str() {
        "Y" | "YES" | "TRUE" | "1" => Packing::PerhapsGzip,
        _ => Packing::Plain,
    }
}

/// `(this, all)` of `Mex-Chunk-Range: this:all`; a message without one is one chunk. `None` when it is not two numbers.
pub(super) fn chunk_range(headers: &HeaderMap) -> Option<(u32, u32)> {
    let range = text(headers, "Mex-Chunk-Range");
    if range.is_empty() {
        return Some((1, 1));
    }
    let (this, all) = range.split_once(':')?;
    Some((this.trim().parse().ok()?, all.trim().parse().ok()?))
}

pub(super) fn message_headers(message_id: &str, headers: &HeaderMap) -> MessageHeaders {
    MessageHeaders {
        message_id: message_id.to_owned(),
        from: text(headers, "Mex-From"),
        to: text(headers, "Mex-To"),
        workflow_id: text(headers, "Mex-WorkflowID"),
        local_id: text(headers, "Mex-LocalID"),
        subject: text(headers, "Mex-Subject"),
        file_name: text(headers, "Mex-FileName"),
        checksum: text(headers, "Mex-Content-Checksum"),
    }
}

pub(super) fn report(message_id: &str, headers: &HeaderMap) -> Report {
    Report {
        message_id: message_id.to_owned(),
        linked_message_id: text(headers, "Mex-LinkedMsgID"),
        local_id: text(headers, "Mex-LocalID"),
        workflow_id: text(headers, "Mex-WorkflowID"),
        subject: text(headers, "Mex-Subject"),
        code: text(headers, "Mex-StatusCode"),
        event: text(headers, "Mex-StatusEvent"),
        description: text(headers, "Mex-StatusDescription"),
    }
}

/// The value of a header, empty when it is not there.
fn text(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn packing_follows_the_encoding_first_and_the_senders_flag_second() {
        assert_eq!(packing(&headers(&[])), Packing::Plain);
        assert_eq!(packing(&headers(&[("mex-content-compressed", "N")])), Packing::Plain);
        assert_eq!(packing(&headers(&[("mex-content-compressed", "y")])), Packing::PerhapsGzip);
        assert_eq!(packing(&headers(&[("mex-content-compressed", "Y"), ("content-encoding", "GZIP")])), Packing::Gzip);
    }

    #[test]
    fn the_range_of_a_chunk_is_two_numbers_or_not_there() {
        assert_eq!(chunk_range(&headers(&[])), Some((1, 1)));
        assert_eq!(chunk_range(&headers(&[("mex-chunk-range", " 2 : 3 ")])), Some((2, 3)));
        assert_eq!(chunk_range(&headers(&[("mex-chunk-range", "2")])), None);
        assert_eq!(chunk_range(&headers(&[("mex-chunk-range", "a:b")])), None);
    }
}
