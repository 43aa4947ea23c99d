//! Interchanges as they are received.

use serde::{Deserialize, Serialize};

/// A piece of a source of EDIFACT interchanges, nearly always the whole of it; may cut it anywhere.
///
/// Topic `gp-links.interchange`, key: file id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterchangePiece<'a> {
    /// Derived from the source and the content: the same content from the same place has the same id.
    pub file_id: &'a str,
    /// Where it came from, such as `mesh:X26OT181/20210810134000123456_AB12CD` or `file:a.dat`.
    pub source: &'a str,
    /// As MESH has it, `NHAIS_REG` or `NHAIS_RECEP`; empty when it is not known.
    pub workflow_id: &'a str,
    /// When it was received, milliseconds since the epoch, UTC. All grace periods count from it.
    pub received_at_ms: i64,
    /// 0, 1, 2, ... within the source.
    pub piece: i32,
    /// How many pieces the source has.
    pub pieces: i32,
    /// The bytes as received.
    #[serde(with = "serde_bytes")]
    pub content: &'a [u8],
}
