//! Reads what was received: every interchange of it goes to its link, and what is none is a finding.

use concord_edifact::{InterchangeReader, RefusedInterchange, Strictness};
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection};
use concord_schemas::gp_links::InterchangePiece;

use super::codes;
use super::events::{interchange_event, link_key};
use super::finding::{Change, Finding};
use super::publication::publish;
use super::seen::told;
use super::traffic::{SeenInterchange, Workflow};
use super::values::{AuditFindings, LinkEvents};
use crate::derived_id::bytes_of;

/// What the reading uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// [`read_key`]: what was read of late, since a connector that is interrupted repeats itself.
    pub read: StoreHandle<()>,
    /// `file id/number`: pieces of what has not come whole.
    pub pieces: StoreHandle<()>,
    pub link_events: SinkHandle<LinkEvents>,
    pub findings: SinkHandle<AuditFindings>,
}

/// See the module.
pub(super) struct Reading {
    pub handles: Handles,
}

impl Reading {
    pub fn on_piece(&mut self, ctx: &mut Context<'_>, piece: InterchangePiece<'_>) -> Result<(), ProcessError> {
        if ctx.key()? != piece.file_id {
            return Err(Rejection::by_processor(
                codes::KEY_DIFFERS,
                "an interchange under another key than its file id: correct the producer",
            )
            .into());
        }
        if !(0..piece.pieces).contains(&piece.piece) {
            let message = format!("piece {} of {} is none: correct the producer", piece.piece, piece.pieces);
            return Err(Rejection::by_processor(codes::PIECE_NUMBER, message).into());
        }
        if ctx.get(self.handles.read, &read_key(piece.file_id))?.is_some() {
            ctx.count_filtered("interchanges already read");
            return Ok(());
        }
        if piece.piece + 1 < piece.pieces {
            let content = bytes::Bytes::copy_from_slice(piece.content);
            return ctx.put_bytes(self.handles.pieces, &piece_key(piece.file_id, piece.piece), content);
        }
        self.read(ctx, &piece)
    }

    /// Reads a source whose last piece is here.
    fn read(&self, ctx: &mut Context<'_>, last: &InterchangePiece<'_>) -> Result<(), ProcessError> {
        let mut reader = InterchangeReader::new(Strictness::Lenient);
        let mut found = Vec::new();
        for number in 0..last.piece {
            let Some(content) = ctx.get(self.handles.pieces, &piece_key(last.file_id, number))? else {
                let message = format!("piece {number} of the interchanges is missing: send all of it again");
                return Err(Rejection::by_processor(codes::PIECE_MISSING, message).into());
            };
            reader.push(&content, &mut |interchange| found.push(interchange));
        }
        reader.push(last.content, &mut |interchange| found.push(interchange));
        reader.finish(&mut |interchange| found.push(interchange));
        let workflow = Workflow::of_id(last.workflow_id);
        for (place, read) in found.iter().enumerate() {
            match read {
                Ok(interchange) => {
                    let seen = SeenInterchange::of(interchange, workflow);
                    let key = link_key(&seen.sender, &seen.recipient);
                    ctx.send(self.handles.link_events, &key, &interchange_event(&seen, last.received_at_ms))?;
                }
                Err(refused) => self.tell(ctx, last, place, refused)?,
            }
        }
        for number in 0..last.piece {
            ctx.delete(self.handles.pieces, &piece_key(last.file_id, number))?;
        }
        ctx.put_bytes(self.handles.read, &read_key(last.file_id), bytes::Bytes::from_static(&[1]))
    }

    /// What belongs to no interchange is a finding of its own: it is on no link.
    fn tell(
        &self,
        ctx: &mut Context<'_>,
        source: &InterchangePiece<'_>,
        place: usize,
        refused: &RefusedInterchange,
    ) -> Result<(), ProcessError> {
        let note = format!("{}: {}", source.source, told(&refused.defects).join("; "));
        let finding = Finding::of_no_link(&format!("{}/{place}", source.file_id), note, source.received_at_ms);
        publish(ctx, self.handles.findings, &[Change::Upsert(finding)])
    }
}

/// Sixteen bytes for a file id, which as text has more than twice as many: of all stores this has the most entries.
fn read_key(file_id: &str) -> [u8; 16] {
    bytes_of(&[file_id.as_bytes()])
}

fn piece_key(file_id: &str, number: i32) -> Vec<u8> {
    format!("{file_id}/{number:010}").into_bytes()
}
