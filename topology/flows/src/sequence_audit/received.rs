//! What was received becomes events of `gp-links.interchange`.

use concord_schemas::gp_links::InterchangePiece;
use sha2::{Digest, Sha256};

use crate::derived_id::uuid_of;

/// Bytes of one piece. Nearly every source is smaller.
const PIECE_BYTES: usize = 256 << 10;

/// The id of a source of interchanges, in the form of a UUID, from where it came and the SHA-256 of its content.
///
/// ```
/// use concord_flows::sequence_audit::file_id;
///
/// assert_eq!(file_id("file:a.dat", &[7; 32]), file_id("file:a.dat", &[7; 32]));
/// assert_ne!(file_id("file:a.dat", &[7; 32]), file_id("file:b.dat", &[7; 32]));
/// ```
#[must_use]
pub fn file_id(source: &str, content_sha256: &[u8; 32]) -> String {
    uuid_of(&[b"interchanges", source.as_bytes(), content_sha256])
}

/// A source of interchanges: a mail, a file.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Where it came from. The same content from elsewhere was sent again; from the same source it is a repetition of the
    /// connector, and counts once.
    pub source: &'a str,
    /// As MESH has it; empty when it is not known.
    pub workflow_id: &'a str,
    /// When it was received, milliseconds since the epoch.
    pub received_at_ms: i64,
    /// The bytes.
    pub content: &'a [u8],
}

impl<'a> Received<'a> {
    /// The id under which its events are published: see [`file_id`].
    #[must_use]
    pub fn file_id(&self) -> String {
        file_id(self.source, &Sha256::digest(self.content).into())
    }

    /// Its events, in order.
    pub fn pieces(self, file_id: &'a str) -> impl Iterator<Item = InterchangePiece<'a>> {
        let Self { source, workflow_id, received_at_ms, content } = self;
        let count = content.len().div_ceil(PIECE_BYTES).max(1);
        (0..count).map(move |place| {
            let from = place * PIECE_BYTES;
            InterchangePiece {
                file_id,
                source,
                workflow_id,
                received_at_ms,
                piece: place as i32,
                pieces: count as i32,
                content: &content[from..content.len().min(from + PIECE_BYTES)],
            }
        })
    }
}
