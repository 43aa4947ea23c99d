//! A file becomes the events of `gp.extract`: opened, its pieces, closed.

use std::io::{self, Read};

use concord_schemas::codec;
use concord_schemas::list_reconciliation::{ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened};
use sha2::{Digest, Sha256};

use super::writing::{LogWriter, WriteError};

/// Bytes of one piece of what arrives.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// What is known of a file before it is published.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// Derived from name and content.
    pub job_id: &'a str,
    /// As its sender named it.
    pub file_name: &'a str,
    /// Where it came from; empty when published by hand.
    pub source: &'a str,
    /// Processing time, milliseconds since the epoch.
    pub received_at_ms: i64,
    /// Length of the content.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: [u8; 32],
}

/// Why a file is not published.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The content cannot be read.
    #[error("{0}")]
    Content(#[from] io::Error),
    /// The log does not take it.
    #[error("{0}")]
    Write(#[from] WriteError),
}

/// Length and SHA-256 of a content.
///
/// # Errors
/// The content cannot be read.
pub fn measure(content: impl Read) -> io::Result<(u64, [u8; 32])> {
    let (mut bytes, mut digest) = (0, Sha256::new());
    for piece in Pieces(content) {
        let piece = piece?;
        bytes += piece.len() as u64;
        digest.update(&piece);
    }
    Ok((bytes, digest.finalize().into()))
}

/// Publishes a file, and waits until it is durably in the log. The same file again changes nothing: its events have the ids
/// that they had, and the flow filters them.
///
/// # Errors
/// The content cannot be read, or the log refuses. Part of the file may be in the log then; publishing it again completes it.
pub fn publish_extract(writer: &mut LogWriter, file: &Described<'_>, content: impl Read) -> Result<(), ExtractError> {
    let Described { job_id, file_name, source, received_at_ms, bytes, sha256 } = *file;
    let mut send = |event: ExtractEvent<'_>| writer.send(&codec::GP_EXTRACT, job_id, Some(&event), received_at_ms);
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    send(ExtractEvent::ExtractOpened(ExtractOpened { job_id, file_name, received_at_ms, bytes, source }))?;
    let mut sequence = 0;
    for piece in Pieces(content) {
        send(ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence, content: &piece? }))?;
        sequence += 1;
    }
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    send(ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks: sequence, sha256: &sha256 }))?;
    writer.flush()?;
    Ok(())
}

/// A content in pieces of at most 256 KiB.
pub struct Pieces<R>(pub R);

impl<R: Read> Iterator for Pieces<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        match (&mut self.0).take(PIECE_BYTES as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece)),
            Err(error) => Some(Err(error)),
        }
    }
}
