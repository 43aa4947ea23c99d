//! A source of EDIFACT interchanges becomes events of `gp-links.interchange`: its bytes in pieces, nearly always one.

use std::io::Read;

use concord_schemas::codec;
use concord_schemas::gp_links::InterchangePiece;

use super::extract::{ExtractError, PIECE_BYTES, Pieces};
use super::writing::LogWriter;

/// What is known of a source of interchanges before it is published.
#[derive(Debug, Clone, Copy)]
pub struct DescribedInterchanges<'a> {
    /// Derived from source and content.
    pub file_id: &'a str,
    /// Where it came from.
    pub source: &'a str,
    /// As MESH has it; empty when it is not known.
    pub workflow_id: &'a str,
    /// When it was received, milliseconds since the epoch.
    pub received_at_ms: i64,
    /// Length of the content.
    pub bytes: u64,
}

/// Publishes a source, and waits until it is durably in the log. The same source again has the id that it had, and the flow filters
/// it. An empty one is published too: the audit tells that it holds no interchange.
///
/// # Errors
/// The content cannot be read, or the log refuses. Part of the source may be in the log then; publishing it again completes it.
pub fn publish_interchanges(
    writer: &mut LogWriter,
    described: &DescribedInterchanges<'_>,
    content: impl Read,
) -> Result<(), ExtractError> {
    let DescribedInterchanges { file_id, source, workflow_id, received_at_ms, bytes } = *described;
    let pieces = i32::try_from(bytes.div_ceil(PIECE_BYTES as u64).max(1)).unwrap_or(i32::MAX);
    let mut send = |piece, content: &[u8]| {
        let event = InterchangePiece { file_id, source, workflow_id, received_at_ms, piece, pieces, content };
        writer.send(&codec::GP_LINKS_INTERCHANGE, file_id, Some(&event), received_at_ms)
    };
    let mut sent = 0;
    for content in Pieces(content) {
        send(sent, &content?)?;
        sent += 1;
    }
    if sent == 0 {
        send(0, &[])?;
    }
    writer.flush()?;
    Ok(())
}
