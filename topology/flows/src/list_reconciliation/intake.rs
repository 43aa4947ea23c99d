//! Receives extracts piece by piece, gives its verdict on the whole file, and only then lets its records go on.
//!
//! Pieces are kept as they came. A file is read twice: once as its pieces arrive, for the verdict; once in slices behind
//! the end marker, to send its records (or, of a refused file, its reasons). What a reading has seen so far is only a
//! cache: after a crash it is read again from the pieces. Between the end marker and the verdict stands the post office:
//! while the route of a file is closed, the file waits.

mod commands;
mod judging;
mod progress;
mod reading;
mod releasing;
mod sender;
mod to_dps;
mod waiting;

use std::sync::Arc;

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::list_reconciliation::{
    ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobEvent, JobNote, JobNoted, JobReceived,
};

use super::post_office::PostOffice;
use super::profile::Profile;
use super::settings::OnInvalid;
use super::values::{GpEvents, JobEvents, RouteStatuses};
use super::{codes, ids, parse_extract_file_name};
pub(super) use judging::INVALID_RECORDS;
use judging::utc;
use progress::{HOURS, JUDGE, NEXT, Progress, RELEASE, Stage, TIMEOUT, piece_key, timer_key};
use reading::Reading;
pub(super) use to_dps::ToDps;

/// The reason for which a job that never ended is refused.
pub(super) const TIMED_OUT: &str = "TIMED_OUT";
/// Other sources of a file that are remembered: a connector that repeats itself does so at once.
const REMEMBERED_SOURCES: usize = 8;

/// What the intake uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// Progress by job.
    pub jobs: StoreHandle<()>,
    /// `job/number`: pieces as they came.
    pub pieces: StoreHandle<()>,
    /// `route`: its switch; `route/practice`: whose turn it is.
    pub routes: StoreHandle<()>,
    /// `route/place`: files that wait.
    pub waiting: StoreHandle<()>,
    pub gp_events: SinkHandle<GpEvents>,
    pub job_events: SinkHandle<JobEvents>,
    pub post_office: SinkHandle<RouteStatuses>,
    /// `None`: DPS is not asked.
    pub to_dps: Option<ToDps>,
}

/// See the module.
pub(super) struct Intake {
    pub handles: Handles,
    pub profile: Profile,
    /// Whether an answer is written to whoever sent the file.
    pub plays_dps: bool,
    pub on_invalid: OnInvalid,
    pub upload_timeout_ms: i64,
    pub job_timeout_ms: i64,
    pub post_office: Arc<PostOffice>,
    /// Cache: the file being validated, and the files being released.
    pub validating: Option<Reading>,
    pub releasing: Vec<Reading>,
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
            && !progress.may_start_over()
        {
            return self.receive_copy(ctx, opened, progress);
        }
        // What was read of an earlier attempt is not of this one: it may come in other pieces.
        self.validating.take_if(|reading| reading.is_of(opened.job_id));
        let name = parse_extract_file_name(opened.file_name, now, self.profile).ok();
        let (practice, cipher) = name.map_or_else(Default::default, |name| (name.practice, name.cipher));
        let progress = Progress {
            file_name: opened.file_name.to_string(),
            at_ms: opened.received_at_ms,
            practice,
            cipher,
            source: opened.source.to_string(),
            ..Progress::default()
        };
        self.keep(ctx, opened.job_id, &progress)?;
        let due = ctx.wall_clock_ms() + self.upload_timeout_ms;
        ctx.set_timer(TimerClock::WallClock, &timer_key(TIMEOUT, opened.job_id), due, Bytes::new())?;
        let received = JobReceived {
            job_id: opened.job_id,
            file_name: opened.file_name,
            at_ms: opened.received_at_ms,
            source: opened.source,
        };
        ctx.send(self.handles.job_events, opened.job_id, &JobEvent::JobReceived(received))
    }

    /// The same file again. From where it came before it is a repetition of the connector, or of a person's command.
    fn receive_copy(
        &mut self,
        ctx: &mut Context<'_>,
        opened: &ExtractOpened<'_>,
        mut progress: Progress,
    ) -> Result<(), ProcessError> {
        let source = opened.source;
        let is_repetition = source.is_empty()
            || source == progress.source
            || progress.copies_from.iter().any(|earlier| earlier == source);
        if is_repetition {
            ctx.count_filtered("extract already received");
            return Ok(());
        }
        progress.copies_from.push(source.to_string());
        if progress.copies_from.len() > REMEMBERED_SOURCES {
            progress.copies_from.remove(0);
        }
        self.keep(ctx, opened.job_id, &progress)?;
        let noted = JobNoted { job_id: opened.job_id, note: JobNote::Copied, subject: source, detail: "" };
        ctx.send(self.handles.job_events, opened.job_id, &JobEvent::JobNoted(noted))
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
        progress.sha256 = closed.sha256.to_string();
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(TIMEOUT, job_id))?;
        if self.waits(ctx, job_id, &mut progress)? {
            self.validating.take_if(|reading| reading.is_of(job_id));
            return self.keep(ctx, job_id, &progress);
        }
        self.let_through(ctx, job_id, progress)
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let key = ids::text(&timer.key)?;
        let (what, whose) = key.split_once('/').unwrap_or_default();
        match what {
            HOURS => return self.hours_change(ctx, whose),
            NEXT => return self.next_in_line(ctx, whose),
            _ => {}
        }
        let Some(progress) = self.progress(ctx, whose)? else { return Ok(()) };
        match (what, progress.stage) {
            // While a file stands in a line it has no such timer.
            (TIMEOUT, Stage::Receiving | Stage::Waiting | Stage::Releasing) => self.time_out(ctx, whose, progress),
            (JUDGE, Stage::Waiting) => self.let_through(ctx, whose, progress),
            (RELEASE, Stage::Releasing) => self.release(ctx, whose, progress),
            _ => Ok(()),
        }
    }
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
