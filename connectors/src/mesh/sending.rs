//! Sending a message, once, however often the call is repeated.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;

use super::checksum::hexadecimal;
use super::error::{MeshError, MeshProblem};
use super::exchange::{Exchange, Form, is_outage};
use super::tracking::{self, DeliveryStatus, Tracking};

/// What is sent, besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The mailbox it is sent to.
    pub to: &'a str,
    /// What kind of message it is, such as `RSLISTRECONCILIATIONPCSE`.
    pub workflow_id: &'a str,
    /// The sender's own id of it, the same whenever the same message is sent, and of no other one: letters, digits, `-`,
    /// `_`, `.`.
    pub local_id: &'a str,
    /// Name of the file it carries, without folders.
    pub file_name: &'a str,
    /// A subject, or empty.
    pub subject: &'a str,
    /// Media type of the content, or empty.
    pub content_type: &'a str,
    /// Whether it travels as gzip.
    pub compress: bool,
    /// SHA-256 of the content, where it is known, for the recipient to check.
    pub sha256: Option<[u8; 32]>,
}

/// A message that MESH has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// MESH's id of it.
    pub message_id: String,
    /// Whether MESH had it before this call.
    pub before: bool,
}

#[derive(Deserialize)]
struct Accepted {
    #[serde(alias = "messageID", alias = "messageId")]
    message_id: String,
}

/// One call of `send`.
pub(super) struct Sending<'a> {
    pub exchange: &'a Exchange,
    pub chunk_bytes: usize,
    pub message: &'a Outgoing<'a>,
}

impl Sending<'_> {
    pub(super) fn send(&self, content: &mut dyn Read, length: u64) -> Result<Sent, MeshError> {
        let action = self.exchange.action(&format!("send {}", self.message.local_id));
        if let Err(problem) = self.message.check(length) {
            return Err(MeshError::new(MeshProblem::CannotBeSent, &action, problem));
        }
        let chunks = u32::try_from(length.div_ceil(self.chunk_bytes as u64))
            .map_err(|_| MeshError::new(MeshProblem::CannotBeSent, &action, "it has too many chunks"))?;
        let begun = tracking::find(self.exchange, self.message.local_id)?;
        if let Some(sent) = begun.as_ref().filter(|begun| begun.status != DeliveryStatus::Uploading) {
            return Ok(Sent { message_id: sent.message_id.clone(), before: true });
        }
        let mut pieces = Pieces { action: &action, content, left: length, chunk_bytes: self.chunk_bytes };
        let first = pieces.read_next()?;
        let message_id = match begun {
            Some(begun) if begun.chunks == Some(chunks) => begun.message_id,
            // It was cut otherwise; what is there of it is never delivered.
            _ => self.begin(&action, &first, chunks)?,
        };
        drop(first);
        for chunk in 2..=chunks {
            let piece = pieces.read_next()?;
            self.go_on(&action, &message_id, &piece, chunk, chunks)?;
        }
        Ok(Sent { message_id, before: false })
    }

    /// Sends the first chunk, often the only one. When the answer is lost, MESH is asked whether it has it.
    fn begin(&self, action: &str, piece: &[u8], chunks: u32) -> Result<String, MeshError> {
        let body = self.packed(action, piece)?;
        let mut attempt = 1;
        loop {
            let mut request = self.described(Method::POST, &["outbox"], body.clone());
            if chunks > 1 {
                request = request.header("Mex-Chunk-Range", format!("1:{chunks}"));
            }
            let error = match self.exchange.json::<Accepted>(action, request) {
                Ok(accepted) => return Ok(accepted.message_id),
                Err(error) => error,
            };
            if error.perhaps_done
                && let Some(found) = self.look_for(action, &error)?
            {
                return Ok(found.message_id);
            }
            if !is_outage(&error) || !self.exchange.pause_after(attempt, &error) {
                return Err(error);
            }
            attempt += 1;
        }
    }

    fn look_for(&self, action: &str, lost: &MeshError) -> Result<Option<Tracking>, MeshError> {
        tracking::find(self.exchange, self.message.local_id).map_err(|error| {
            let detail = format!("{}; and asking whether it arrived: {}", lost.detail, error.detail);
            MeshError::new(MeshProblem::OutcomeUnknown, action, detail)
        })
    }

    /// Sends a later chunk. A chunk may be sent twice; a message that is whole accepts none.
    fn go_on(&self, action: &str, message_id: &str, piece: &[u8], chunk: u32, chunks: u32) -> Result<(), MeshError> {
        let body = self.packed(action, piece)?;
        let number = chunk.to_string();
        let sent = self.exchange.patiently(|| {
            let request = self
                .described(Method::POST, &["outbox", message_id, &number], body.clone())
                .header("Mex-Chunk-Range", format!("{chunk}:{chunks}"));
            self.exchange.call(action, request)
        });
        let Err(error) = sent else { return Ok(()) };
        if chunk < chunks {
            return Err(error);
        }
        match tracking::track(self.exchange, message_id) {
            Ok(tracking) if tracking.status != DeliveryStatus::Uploading => Ok(()),
            _ => Err(error),
        }
    }

    fn described(&self, method: Method, path: &[&str], body: Vec<u8>) -> RequestBuilder {
        let Outgoing { to, workflow_id, local_id, file_name, subject, content_type, compress, sha256 } = self.message;
        let content_type = if content_type.is_empty() { "application/octet-stream" } else { content_type };
        let mut request = self
            .exchange
            .request(method, self.exchange.url(path), Form::Second)
            .header("Mex-From", self.exchange.mailbox())
            .header("Mex-To", *to)
            .header("Mex-WorkflowID", *workflow_id)
            .header("Mex-LocalID", *local_id)
            .header("Mex-FileName", *file_name)
            .header(CONTENT_TYPE, content_type);
        if !subject.is_empty() {
            request = request.header("Mex-Subject", *subject);
        }
        if let Some(sha256) = sha256 {
            request = request.header("Mex-Content-Checksum", hexadecimal(sha256));
        }
        if *compress {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        request.body(body)
    }

    /// Each chunk is packed by itself: their number is known before the content is read, and one after the other they are
    /// gzip again.
    fn packed(&self, action: &str, piece: &[u8]) -> Result<Vec<u8>, MeshError> {
        if !self.message.compress {
            return Ok(piece.to_vec());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(piece).and_then(|()| encoder.finish());
        packed.map_err(|error| MeshError::new(MeshProblem::CannotBeSent, action, error.to_string()))
    }
}

impl Outgoing<'_> {
    fn check(&self, length: u64) -> Result<(), String> {
        if length == 0 {
            return Err("the content is empty, which MESH does not accept".to_owned());
        }
        if self.file_name.contains('/') {
            return Err("Filename cannot contain '/'".to_owned());
        }
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.local_id.is_empty() || self.local_id.starts_with('.') || !self.local_id.bytes().all(is_id) {
            return Err("the local id is empty, or not made of letters, digits, '-', '_' and '.'".to_owned());
        }
        let fields = [
            ("the recipient", self.to, 1, 100),
            ("the workflow id", self.workflow_id, 1, 300),
            ("the local id", self.local_id, 1, 300),
            ("the file name", self.file_name, 1, 300),
            ("the subject", self.subject, 0, 500),
            ("the media type", self.content_type, 0, 100),
        ];
        for (name, text, shortest, longest) in fields {
            if !(shortest..=longest).contains(&text.len()) {
                return Err(format!("{name} is not {shortest} to {longest} characters long"));
            }
            if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(format!("{name} has characters other than those of ASCII"));
            }
        }
        Ok(())
    }
}

/// The content in pieces of one chunk, held to the length that was said.
struct Pieces<'a> {
    action: &'a str,
    content: &'a mut dyn Read,
    left: u64,
    chunk_bytes: usize,
}

impl Pieces<'_> {
    fn read_next(&mut self) -> Result<Vec<u8>, MeshError> {
        let wrong = |detail: String| MeshError::new(MeshProblem::CannotBeSent, self.action, detail);
        let length = self.chunk_bytes.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let mut piece = vec![0; length];
        self.content.read_exact(&mut piece).map_err(|error| wrong(format!("reading the content: {error}")))?;
        self.left -= length as u64;
        // Before the last chunk makes the message whole.
        if self.left == 0 && matches!(self.content.read(&mut [0]), Ok(1..)) {
            return Err(wrong("the content is longer than was said".to_owned()));
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const MESSAGE: Outgoing<'_> = Outgoing {
        to: "X26ABC2",
        workflow_id: "RSLISTRECONCILIATIONPCSE",
        local_id: "j-1.Y12345-CDD-20210810134000.csv",
        file_name: "Y12345-CDD-20210810134000.csv",
        subject: "",
        content_type: "text/csv",
        compress: false,
        sha256: None,
    };

    #[test]
    fn what_mesh_would_not_accept_is_refused_before_anything_is_sent() {
        assert_eq!(MESSAGE.check(1), Ok(()));
        let slash = Outgoing { file_name: "a/b", ..MESSAGE };
        assert_eq!(slash.check(1), Err("Filename cannot contain '/'".to_owned()));
        let long = "x".repeat(301);
        let refused = [
            Outgoing { to: "", ..MESSAGE },
            Outgoing { workflow_id: "", ..MESSAGE },
            Outgoing { local_id: "j/1", ..MESSAGE },
            Outgoing { local_id: "..", ..MESSAGE },
            Outgoing { local_id: &long, ..MESSAGE },
            Outgoing { file_name: "\u{e9}.csv", ..MESSAGE },
            Outgoing { subject: "two\nlines", ..MESSAGE },
        ];
        for message in refused {
            assert!(message.check(1).is_err(), "{message:?}");
        }
        assert!(MESSAGE.check(0).is_err());
    }

    #[test]
    fn content_of_another_length_than_was_said_is_told_before_its_last_chunk_goes_out() {
        let pieces = |content: &[u8], left| {
            let mut content = content;
            let mut pieces = Pieces { action: "", content: &mut content, left, chunk_bytes: 4 };
            let mut lengths = Vec::new();
            while pieces.left > 0 {
                match pieces.read_next() {
                    Ok(piece) => lengths.push(piece.len()),
                    Err(error) => return (lengths, Some(error.problem)),
                }
            }
            (lengths, None)
        };
        assert_eq!(pieces(b"123456789", 9), (vec![4, 4, 1], None));
        assert_eq!(pieces(b"12345678", 8), (vec![4, 4], None));
        assert_eq!(pieces(b"1234567", 8), (vec![4], Some(MeshProblem::CannotBeSent)));
        assert_eq!(pieces(b"123456789", 8), (vec![4], Some(MeshProblem::CannotBeSent)));
    }
}
