//! Receives extracts piece by piece, gives its verdict on the whole file, and only then lets its records go on.
//!
//! Pieces are kept as they came. A file is read twice: once as its pieces arrive, for the verdict; once in slices behind
//! the end marker, to send its records (or, of a refused file, its reasons). What a reading has seen so far is only a
//! cache: after a crash it is read again from the pieces.

mod reading;
mod sender;

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::list_reconciliation::{
    EndOfFile, ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, GpEvent, JobEvent, JobReceived, JobValidated,
};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::extract::ReaderSettings;
use super::profile::Profile;
use super::settings::OnInvalid;
use super::values::{GpEvents, JobEvents};
use super::{codes, ids, parse_extract_file_name};
use reading::{Reading, Verdict};
use sender::Sender;

/// Pieces released in one slice.
const SLICE: i32 = 4;
/// Files released side by side; further ones wait until one of them is done.
const RELEASED_TOGETHER: usize = 4;
const WAIT_FOR_OTHERS_MS: i64 = 50;

/// The reason for which a job that never ended is refused.
pub(super) const TIMED_OUT: &str = "TIMED_OUT";
const INVALID_FILENAME: &str = "INVALID_FILENAME";
const INVALID_STRUCTURE: &str = "INVALID_STRUCTURE";
const INVALID_RECORDS: &str = "INVALID_RECORDS";

/// What the intake uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// Progress by job.
    pub jobs: StoreHandle<()>,
    /// `job/number`: pieces as they came.
    pub pieces: StoreHandle<()>,
    pub gp_events: SinkHandle<GpEvents>,
    pub job_events: SinkHandle<JobEvents>,
}

/// See the module.
pub(super) struct Intake {
    pub handles: Handles,
    pub profile: Profile,
    pub on_invalid: OnInvalid,
    pub upload_timeout_ms: i64,
    /// Cache: the file being validated, and the files being released.
    pub validating: Option<Reading>,
    pub releasing: Vec<Reading>,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Stage {
    Receiving,
    /// The verdict is known; records (or reasons) are being sent.
    Releasing,
    Done,
    TimedOut,
}

/// What is stored of a job.
#[derive(serde::Serialize, serde::Deserialize)]
struct Progress {
    stage: Stage,
    file_name: String,
    at_ms: i64,
    /// Pieces received, or pieces of the file once it is closed.
    pieces: i32,
    /// Of these, the first ones that are in the store.
    kept: i32,
    /// Pieces released.
    released: i32,
    /// Records (or reasons) sent so far.
    sent: i64,
    /// Of the file name; empty when it cannot be read.
    practice: String,
    cipher: String,
    /// The verdict: empty when accepted.
    refused: String,
    reasons: Vec<String>,
    records: i64,
    invalid_records: i64,
}

impl Intake {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: ExtractEvent<'_>) -> Result<(), ProcessError> {
        let job_id = match &event {
            ExtractEvent::ExtractOpened(opened) => opened.job_id,
            ExtractEvent::ExtractChunk(chunk) => chunk.job_id,
            ExtractEvent::ExtractClosed(closed) => closed.job_id,
        };
        if ctx.key()? != job_id {
            let message = "the extract's job id is not its key: all its pieces must stand on one partition";
            return Err(Rejection::by_processor(codes::EXTRACT_KEY_DIFFERS, message).into());
        }
        match &event {
            ExtractEvent::ExtractOpened(opened) => self.open(ctx, opened),
            ExtractEvent::ExtractChunk(chunk) => self.receive(ctx, chunk),
            ExtractEvent::ExtractClosed(closed) => self.close(ctx, closed),
        }
    }

    fn open(&mut self, ctx: &mut Context<'_>, opened: &ExtractOpened<'_>) -> Result<(), ProcessError> {
        let now = utc(opened.received_at_ms)?;
        if let Some(progress) = self.progress(ctx, opened.job_id)?
            && progress.stage != Stage::TimedOut
        {
            ctx.count_filtered("extract already received");
            return Ok(());
        }
        // What was read of an earlier attempt is not of this one: it may come in other pieces.
        self.validating.take_if(|reading| reading.is_of(opened.job_id));
        let name = parse_extract_file_name(opened.file_name, now, self.profile).ok();
        let (practice, cipher) = name.map_or_else(Default::default, |name| (name.practice, name.cipher));
        let progress = Progress {
            stage: Stage::Receiving,
            file_name: opened.file_name.to_string(),
            at_ms: opened.received_at_ms,
            pieces: 0,
            kept: 0,
            released: 0,
            sent: 0,
            practice,
            cipher,
            refused: String::new(),
            reasons: Vec::new(),
            records: 0,
            invalid_records: 0,
        };
        self.keep(ctx, opened.job_id, &progress)?;
        let due = ctx.wall_clock_ms() + self.upload_timeout_ms;
        ctx.set_timer(TimerClock::WallClock, &timer_key(TIMEOUT, opened.job_id), due, Bytes::new())?;
        let received = JobReceived { job_id: opened.job_id, file_name: opened.file_name, at_ms: opened.received_at_ms };
        ctx.send(self.handles.job_events, opened.job_id, &JobEvent::JobReceived(received))
    }

    fn receive(&mut self, ctx: &mut Context<'_>, chunk: &ExtractChunk<'_>) -> Result<(), ProcessError> {
        let Some(mut progress) = self.progress(ctx, chunk.job_id)? else { return Err(not_opened().into()) };
        if progress.stage != Stage::Receiving || chunk.sequence < progress.pieces {
            ctx.count_filtered("extract piece already received");
            return Ok(());
        }
        if chunk.sequence > progress.pieces {
            return Err(piece_missing(progress.pieces).into());
        }
        if self.is_wanted(chunk.job_id, &progress) {
            ctx.put_bytes(
                self.handles.pieces,
                &piece_key(chunk.job_id, chunk.sequence),
                Bytes::copy_from_slice(chunk.content),
            )?;
            progress.kept += 1;
        }
        progress.pieces += 1;
        self.keep(ctx, chunk.job_id, &progress)?;
        // Read ahead for the verdict, so that the end marker has little left to do.
        self.validate_up_to(ctx, chunk.job_id, &progress)?;
        Ok(())
    }

    fn close(&mut self, ctx: &mut Context<'_>, closed: &ExtractClosed<'_>) -> Result<(), ProcessError> {
        let job_id = closed.job_id;
        let Some(mut progress) = self.progress(ctx, job_id)? else { return Err(not_opened().into()) };
        if progress.stage != Stage::Receiving {
            ctx.count_filtered("extract already received");
            return Ok(());
        }
        if closed.chunks != progress.pieces {
            return Err(piece_missing(progress.pieces).into());
        }
        self.judge(ctx, &mut progress, closed)?;
        self.validating = None;
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(TIMEOUT, job_id))?;
        if progress.refused == INVALID_FILENAME || progress.refused == INVALID_STRUCTURE {
            self.send_verdict(ctx, job_id, &progress)?;
            return self.finish(ctx, job_id, progress, Stage::Done);
        }
        if progress.refused.is_empty() {
            self.send_verdict(ctx, job_id, &progress)?;
        }
        progress.stage = Stage::Releasing;
        self.keep(ctx, job_id, &progress)?;
        ctx.set_timer(TimerClock::WallClock, &timer_key(RELEASE, job_id), ctx.wall_clock_ms(), Bytes::new())
    }

    /// The verdict on a file of which all pieces have come.
    fn judge(
        &mut self,
        ctx: &Context<'_>,
        progress: &mut Progress,
        closed: &ExtractClosed<'_>,
    ) -> Result<(), ProcessError> {
        let name = match parse_extract_file_name(&progress.file_name, utc(progress.at_ms)?, self.profile) {
            Ok(name) => name,
            Err(messages) => {
                progress.refused = INVALID_FILENAME.to_string();
                progress.reasons = messages.iter().map(ToString::to_string).collect();
                return Ok(());
            }
        };
        let Verdict { end, content, reasons } = self.finish_validation(ctx, closed.job_id, progress)?;
        let came_whole = content == closed.sha256;
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

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let key = ids::text(&timer.key)?;
        let (what, job_id) = key.split_once('/').unwrap_or_default();
        let Some(progress) = self.progress(ctx, job_id)? else { return Ok(()) };
        match (what, progress.stage) {
            (TIMEOUT, Stage::Receiving) => self.time_out(ctx, job_id, progress),
            (RELEASE, Stage::Releasing) => self.release(ctx, job_id, progress),
            _ => Ok(()),
        }
    }

    fn time_out(&mut self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        progress.refused = TIMED_OUT.to_string();
        progress.reasons = vec![format!(
            "The upload was cut: {} pieces came, and no end marker within {} minutes. Send the file again",
            progress.pieces,
            self.upload_timeout_ms / 60_000
        )];
        self.send_verdict(ctx, job_id, &progress)?;
        self.finish(ctx, job_id, progress, Stage::TimedOut)
    }

    /// Sends a slice of the records of an accepted file, or of the reasons of a refused one.
    fn release(&mut self, ctx: &mut Context<'_>, job_id: &str, mut progress: Progress) -> Result<(), ProcessError> {
        let place = self.releasing.iter().position(|reading| reading.is_of(job_id));
        let mut reading = match place.map(|place| self.releasing.swap_remove(place)) {
            Some(reading) if reading.next_piece() == progress.released => reading,
            None if self.releasing.len() == RELEASED_TOGETHER => {
                // In turns, each would be read from its beginning again and again.
                let later = ctx.wall_clock_ms() + WAIT_FOR_OTHERS_MS;
                return ctx.set_timer(TimerClock::WallClock, &timer_key(RELEASE, job_id), later, Bytes::new());
            }
            // After a crash: what was released before is read again, and not sent again.
            _ => self.read_pieces(ctx, job_id, &progress, progress.released)?,
        };
        let upto = (progress.released + SLICE).min(progress.pieces);
        let mut sender = Sender {
            handles: self.handles,
            job_id,
            practice: &progress.practice,
            at_ms: progress.at_ms,
            refused: !progress.refused.is_empty(),
            sent: progress.sent,
        };
        while reading.next_piece() < upto {
            let piece = self.piece(ctx, job_id, reading.next_piece())?;
            reading.feed(&piece, &mut |record| sender.send(ctx, &record))?;
        }
        progress.released = upto;
        if upto < progress.pieces {
            progress.sent = sender.sent;
            self.releasing.push(reading);
            self.keep(ctx, job_id, &progress)?;
            return ctx.set_timer(
                TimerClock::WallClock,
                &timer_key(RELEASE, job_id),
                ctx.wall_clock_ms(),
                Bytes::new(),
            );
        }

        reading.finish(&mut |record| sender.send(ctx, &record))?;
        progress.sent = sender.sent;
        if progress.refused.is_empty() {
            let partitions = ctx.partitions_of(self.handles.gp_events);
            let end = EndOfFile {
                job_id,
                practice: &progress.practice,
                at_ms: progress.at_ms,
                records: progress.sent,
                partitions,
            };
            ctx.broadcast(self.handles.gp_events, job_id, &GpEvent::EndOfFile(end))?;
        } else {
            self.send_verdict(ctx, job_id, &progress)?;
        }
        self.finish(ctx, job_id, progress, Stage::Done)
    }

    fn send_verdict(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        let verdict = JobEvent::JobValidated(JobValidated {
            job_id,
            practice: &progress.practice,
            file_name: &progress.file_name,
            at_ms: progress.at_ms,
            refused: &progress.refused,
            reasons: progress.reasons.iter().map(String::as_str).collect(),
            records: progress.records,
            invalid_records: progress.invalid_records,
        });
        ctx.send(self.handles.job_events, job_id, &verdict)
    }

    /// Drops the pieces; what stays is that the job was received.
    fn finish(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        mut progress: Progress,
        stage: Stage,
    ) -> Result<(), ProcessError> {
        for piece in 0..progress.kept {
            ctx.delete(self.handles.pieces, &piece_key(job_id, piece))?;
        }
        progress.stage = stage;
        self.keep(ctx, job_id, &progress)
    }

    /// Whether the next piece must be kept: not of a file that is refused whatever it says.
    fn is_wanted(&self, job_id: &str, progress: &Progress) -> bool {
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
    fn validate_up_to(&mut self, ctx: &Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
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
        let reading = match self.validating.take() {
            Some(reading) if reading.is_of(job_id) && reading.next_piece() == progress.kept => reading,
            _ => self.read_pieces(ctx, job_id, progress, progress.kept)?,
        };
        reading.finish(&mut |_| Ok(()))
    }

    /// A reading of the first `upto` pieces, whose records go nowhere.
    fn read_pieces(
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

    fn piece(&self, ctx: &Context<'_>, job_id: &str, number: i32) -> Result<Bytes, ProcessError> {
        let piece = ctx.get(self.handles.pieces, &piece_key(job_id, number))?;
        piece
            .ok_or_else(|| ProcessError::Programming("a piece of an extract under way is not in the store".to_string()))
    }

    fn progress(&self, ctx: &Context<'_>, job_id: &str) -> Result<Option<Progress>, ProcessError> {
        match ctx.get(self.handles.jobs, job_id.as_bytes())? {
            Some(bytes) => Ok(Some(ids::progress_from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    fn keep(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.jobs, job_id.as_bytes(), ids::progress_to_bytes(progress))
    }
}

const TIMEOUT: &str = "timeout";
const RELEASE: &str = "release";

fn timer_key(what: &str, job_id: &str) -> Vec<u8> {
    format!("{what}/{job_id}").into_bytes()
}

fn piece_key(job_id: &str, number: i32) -> Vec<u8> {
    format!("{job_id}/{number:010}").into_bytes()
}

fn utc(at_ms: i64) -> Result<DateTime, Rejection> {
    let at = Timestamp::from_millisecond(at_ms).map_err(|_| {
        Rejection::by_processor(
            codes::TIME_OUT_OF_RANGE,
            "the extract's processing time is outside the calendar: send it again with the time of now",
        )
    })?;
    Ok(at.to_zoned(TimeZone::UTC).datetime())
}

fn not_opened() -> Rejection {
    Rejection::by_processor(
        codes::EXTRACT_NOT_OPENED,
        "a piece of an extract whose beginning was never received: send the whole file again",
    )
}

fn piece_missing(expected: i32) -> Rejection {
    Rejection::by_processor(
        codes::EXTRACT_PIECE_MISSING,
        format!("piece {expected} of the extract is missing: send the whole file again"),
    )
}
