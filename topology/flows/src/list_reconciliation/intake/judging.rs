//! The verdict on a file of which all pieces have come.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, Rejection};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Intake;
use super::progress::{Progress, piece_key};
use super::reading::{Reading, Verdict};
use crate::list_reconciliation::extract::ReaderSettings;
use crate::list_reconciliation::settings::OnInvalid;
use crate::list_reconciliation::{codes, parse_extract_file_name};

pub(super) const INVALID_FILENAME: &str = "INVALID_FILENAME";
pub(super) const INVALID_STRUCTURE: &str = "INVALID_STRUCTURE";
pub(in crate::list_reconciliation) const INVALID_RECORDS: &str = "INVALID_RECORDS";

impl Intake {
    pub(super) fn judge(
        &mut self,
        ctx: &Context<'_>,
        job_id: &str,
        progress: &mut Progress,
    ) -> Result<(), ProcessError> {
        let name = match parse_extract_file_name(&progress.file_name, utc(progress.at_ms)?, self.profile) {
            Ok(name) => name,
            Err(messages) => {
                progress.refused = INVALID_FILENAME.to_string();
                progress.reasons = messages.iter().map(ToString::to_string).collect();
                return Ok(());
            }
        };
        let Verdict { end, content, reasons } = self.finish_validation(ctx, job_id, progress)?;
        let came_whole = content == progress.sha256;
        // What came behind a fault was not kept, and the checksum of the rest says nothing.
        let was_cut_off = progress.kept < progress.pieces;
        match end.structure_error {
            Some(error) if came_whole || was_cut_off => {
                progress.refused = INVALID_STRUCTURE.to_string();
                progress.reasons = vec![error.to_string()];
                return Ok(());
            }
            _ if !came_whole => {
                progress.refused = INVALID_STRUCTURE.to_string();
                let reason = "The content differs from the checksum of its end marker: send the file again";
                progress.reasons = vec![reason.to_string()];
                return Ok(());
            }
            _ => {}
        }
        progress.records = end.records as i64;
        progress.invalid_records = end.invalid_records as i64;
        progress.reasons = reasons;
        let none_is_valid = end.records == end.invalid_records;
        if end.invalid_records > 0 && (self.on_invalid == OnInvalid::Reject || none_is_valid) {
            progress.refused = INVALID_RECORDS.to_string();
            return Ok(());
        }
        progress.file_name = name.normalised;
        Ok(())
    }

    /// Whether the next piece must be kept: not of a file that is refused whatever it says.
    pub(super) fn is_wanted(&self, job_id: &str, progress: &Progress) -> bool {
        let is_named_well = !progress.cipher.is_empty();
        // A reading may be ahead of the store, when what it read was not committed.
        let is_faulty = self.validating.as_ref().is_some_and(|reading| {
            reading.is_of(job_id) && reading.next_piece() == progress.kept && reading.is_faulty()
        });
        is_named_well && progress.kept == progress.pieces && !is_faulty
    }

    /// Reads the pieces that have come, for the verdict.
    ///
    /// Of two files that come at the same time only one is read as it comes; the other is read at its end marker.
    pub(super) fn validate_up_to(
        &mut self,
        ctx: &Context<'_>,
        job_id: &str,
        progress: &Progress,
    ) -> Result<(), ProcessError> {
        match &mut self.validating {
            Some(reading) if reading.is_of(job_id) => {
                while reading.next_piece() < progress.kept {
                    let piece = ctx.get(self.handles.pieces, &piece_key(job_id, reading.next_piece()))?;
                    reading.feed(&piece.unwrap_or_default(), &mut |_| Ok(()))?;
                }
            }
            _ if progress.kept == 1 => {
                self.validating = Some(self.read_pieces(ctx, job_id, progress, progress.kept)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish_validation(
        &mut self,
        ctx: &Context<'_>,
        job_id: &str,
        progress: &Progress,
    ) -> Result<Verdict, ProcessError> {
        let reading = match self.validating.take_if(|reading| reading.is_of(job_id)) {
            Some(reading) if reading.next_piece() == progress.kept => reading,
            _ => self.read_pieces(ctx, job_id, progress, progress.kept)?,
        };
        reading.finish(&mut |_| Ok(()))
    }

    /// A reading of the first `upto` pieces, whose records go nowhere.
    pub(super) fn read_pieces(
        &self,
        ctx: &Context<'_>,
        job_id: &str,
        progress: &Progress,
        upto: i32,
    ) -> Result<Reading, ProcessError> {
        let settings =
            ReaderSettings { profile: self.profile, file_cipher: progress.cipher.clone(), now: utc(progress.at_ms)? };
        let mut reading = Reading::new(job_id, settings);
        while reading.next_piece() < upto {
            let piece = self.piece(ctx, job_id, reading.next_piece())?;
            reading.feed(&piece, &mut |_| Ok(()))?;
        }
        Ok(reading)
    }

    pub(super) fn piece(&self, ctx: &Context<'_>, job_id: &str, number: i32) -> Result<Bytes, ProcessError> {
        let piece = ctx.get(self.handles.pieces, &piece_key(job_id, number))?;
        piece
            .ok_or_else(|| ProcessError::Programming("a piece of an extract under way is not in the store".to_string()))
    }
}

/// The time of day in UTC of a processing time.
pub(super) fn utc(at_ms: i64) -> Result<DateTime, Rejection> {
    let at = Timestamp::from_millisecond(at_ms).map_err(|_| {
        Rejection::by_processor(
            codes::TIME_OUT_OF_RANGE,
            "the extract's processing time is outside the calendar: send it again with the time of now",
        )
    })?;
    Ok(at.to_zoned(TimeZone::UTC).datetime())
}
