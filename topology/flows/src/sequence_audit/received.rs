//! What was received becomes events of `gp-links.interchange`.

use concord_schemas::gp_links::InterchangePiece;
use sha2::{Digest, Sha256};

/// Bytes of one piece. Nearly every source is smaller.
const PIECE_BYTES: usize = 256 << 10;

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
    /// The id under which its events are published.
    ///
    /// ```
    /// use concord_flows::sequence_audit::Received;
    ///
    /// let of = |source| Received { source, workflow_id: "", received_at_ms: 0, content: b"UNB" }.file_id();
    /// assert_eq!(of("file:a.dat"), of("file:a.dat"));
    /// assert_ne!(of("file:a.dat"), of("file:b.dat"));
    /// ```
    #[must_use]
    pub fn file_id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.source.len() as u64).to_be_bytes());
        hash.update(self.source);
        hash.update(self.content);
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
