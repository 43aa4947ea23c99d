//! A reading of a file, piece by piece.

use concord_engine::ProcessError;
use sha2::{Digest, Sha256};

use crate::list_reconciliation::extract::{ExtractReader, ReadEnd, ReadRecord, ReaderSettings};

/// Reasons of invalid records that the job itself names; all are in the validation report.
const NAMED_REASONS: usize = 10;

/// What reading a whole file says of it.
pub(in crate::list_reconciliation) struct Verdict {
    pub end: ReadEnd,
    /// SHA-256 of what was read, in hexadecimal digits.
    pub content: String,
    /// Why the first invalid records are invalid.
    pub reasons: Vec<String>,
}

/// A reading of a file, as far as it has come.
pub(in crate::list_reconciliation) struct Reading {
    job_id: String,
    next_piece: i32,
    reader: ExtractReader,
    content: Sha256,
    reasons: Vec<String>,
}

impl Reading {
    pub fn new(job_id: &str, settings: ReaderSettings) -> Self {
        Self {
            job_id: job_id.to_string(),
            next_piece: 0,
            reader: ExtractReader::new(settings),
            content: Sha256::new(),
            reasons: Vec::new(),
        }
    }

    pub fn is_of(&self, job_id: &str) -> bool {
        self.job_id == job_id
    }

    /// The number of the piece it needs next, from 0.
    pub fn next_piece(&self) -> i32 {
        self.next_piece
    }

    /// Whether what it has read is no extract, whatever follows.
    pub fn is_faulty(&self) -> bool {
        self.reader.structure_error().is_some()
    }

    /// Reads the next piece.
    pub fn feed(
        &mut self,
        piece: &[u8],
        on_record: &mut dyn FnMut(ReadRecord<'_>) -> Result<(), ProcessError>,
    ) -> Result<(), ProcessError> {
        let mut outcome = Ok(());
        self.content.update(piece);
        self.reader.push(piece, &mut |record| {
            note_reasons(&mut self.reasons, &record);
            if outcome.is_ok() {
                outcome = on_record(record);
            }
        });
        self.next_piece += 1;
        outcome
    }

    /// Reads what is left when there are no more pieces.
    pub fn finish(
        self,
        on_record: &mut dyn FnMut(ReadRecord<'_>) -> Result<(), ProcessError>,
    ) -> Result<Verdict, ProcessError> {
        let mut outcome = Ok(());
        let mut reasons = self.reasons;
        let end = self.reader.finish(&mut |record| {
            note_reasons(&mut reasons, &record);
            if outcome.is_ok() {
                outcome = on_record(record);
            }
        });
        outcome?;
        let content = self.content.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Verdict { end, content, reasons })
    }
}

/// Notes why a record is invalid, by lines and fields, while there are few such notes.
fn note_reasons(reasons: &mut Vec<String>, read: &ReadRecord<'_>) {
    let Err(invalid) = &read.record else { return };
    for error in &invalid.errors {
        if reasons.len() == NAMED_REASONS {
            return;
        }
        reasons.push(format!("lines {}-{}, {}: {}", invalid.lines.0, invalid.lines.1, error.key, error.message));
    }
}
