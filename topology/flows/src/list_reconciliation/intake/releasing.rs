//! What goes on of a file behind its verdict, and how a file ends.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{EndOfFile, GpEvent, JobEvent, JobValidated};

use super::judging::{INVALID_FILENAME, INVALID_STRUCTURE};
use super::progress::{JUDGE, Progress, RELEASE, Stage, TIMEOUT, piece_key, timer_key};
use super::sender::Sender;
use super::{Intake, TIMED_OUT};

/// Pieces released in one slice.
pub(super) const SLICE: i32 = 4;
/// Files released side by side; further ones wait until one of them is done.
pub(super) const RELEASED_TOGETHER: usize = 4;
pub(super) const WAIT_FOR_OTHERS_MS: i64 = 50;

impl Intake {
    /// Gives the verdict on a whole file, and lets go on what it allows.
    pub(super) fn let_through(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        mut progress: Progress,
    ) -> Result<(), ProcessError> {
        let sent_as = progress.file_name.clone();
        self.judge(ctx, job_id, &mut progress)?;
        if progress.refused == INVALID_FILENAME || progress.refused == INVALID_STRUCTURE {
            self.send_verdict(ctx, job_id, &progress)?;
            return self.finish(ctx, job_id, progress, Stage::Done);
        }
        if progress.refused.is_empty() {
            if self.handles.to_dps.is_some() {
                progress.sent_as = sent_as;
                self.tell_of_sending(ctx, job_id, &progress)?;
            } else {
                self.send_verdict(ctx, job_id, &progress)?;
            }
        }
        progress.stage = Stage::Releasing;
        self.keep(ctx, job_id, &progress)?;
        let now = ctx.wall_clock_ms();
        ctx.set_timer(TimerClock::WallClock, &timer_key(TIMEOUT, job_id), now + self.job_timeout_ms, Bytes::new())?;
        ctx.set_timer(TimerClock::WallClock, &timer_key(RELEASE, job_id), now, Bytes::new())
    }

    /// Sends a slice of the records of an accepted file, or of the reasons of a refused one.
    pub(super) fn release(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        mut progress: Progress,
    ) -> Result<(), ProcessError> {
        if let Some(to_dps) = self.handles.to_dps
            && !progress.sent_as.is_empty()
        {
            return self.send_to_dps(ctx, to_dps, job_id, progress);
        }
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
            plays_dps: self.plays_dps,
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
            self.end_file(ctx, job_id, &progress, false)?;
        } else {
            self.send_verdict(ctx, job_id, &progress)?;
        }
        self.finish(ctx, job_id, progress, Stage::Done)
    }

    /// Sends the end-of-file marker behind the last record, or `abandoned`, when no more records follow.
    fn end_file(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &Progress,
        abandoned: bool,
    ) -> Result<(), ProcessError> {
        let partitions = ctx.partitions_of(self.handles.gp_events);
        let end = EndOfFile {
            job_id,
            practice: &progress.practice,
            at_ms: progress.at_ms,
            records: progress.sent,
            partitions,
            abandoned,
        };
        ctx.broadcast(self.handles.gp_events, job_id, &GpEvent::EndOfFile(end))
    }

    fn send_verdict(&self, ctx: &mut Context<'_>, job_id: &str, progress: &Progress) -> Result<(), ProcessError> {
        let verdict = verdict_on(job_id, progress);
        ctx.send(self.handles.job_events, job_id, &verdict)?;
        self.tell_dps_exchange(ctx, job_id, &verdict)
    }

    /// Ends a job that does not come on: its end marker does not come, or its records cannot be sent.
    pub(super) fn time_out(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        mut progress: Progress,
    ) -> Result<(), ProcessError> {
        let reason = match progress.stage {
            Stage::Waiting | Stage::Releasing => format!(
                "The file was not passed on within {} minutes: {} of its {} pieces were. Rerun the job",
                self.job_timeout_ms / 60_000,
                progress.released,
                progress.pieces
            ),
            _ => format!(
                "The upload was cut: {} pieces came, and no end marker within {} minutes. Send the file again",
                progress.pieces,
                self.upload_timeout_ms / 60_000
            ),
        };
        self.abandon(ctx, job_id, &progress)?;
        progress.refused = TIMED_OUT.to_string();
        progress.reasons = vec![reason];
        self.send_verdict(ctx, job_id, &progress)?;
        self.finish(ctx, job_id, progress, Stage::TimedOut)
    }

    /// Stops the release of a file, and lets the partitions forget whom it has named.
    pub(super) fn abandon(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &Progress,
    ) -> Result<(), ProcessError> {
        self.releasing.retain(|reading| !reading.is_of(job_id));
        if progress.is_being_compared() { self.end_file(ctx, job_id, progress, true) } else { Ok(()) }
    }

    /// Drops the pieces; what stays is that the job was received.
    pub(super) fn finish(
        &mut self,
        ctx: &mut Context<'_>,
        job_id: &str,
        mut progress: Progress,
        stage: Stage,
    ) -> Result<(), ProcessError> {
        for piece in 0..progress.kept {
            ctx.delete(self.handles.pieces, &piece_key(job_id, piece))?;
        }
        for timer in [TIMEOUT, RELEASE, JUDGE] {
            ctx.cancel_timer(TimerClock::WallClock, &timer_key(timer, job_id))?;
        }
        self.validating.take_if(|reading| reading.is_of(job_id));
        progress.kept = 0;
        progress.stage = stage;
        self.keep(ctx, job_id, &progress)
    }
}

pub(super) fn verdict_on<'p>(job_id: &'p str, progress: &'p Progress) -> JobEvent<'p> {
    JobEvent::JobValidated(JobValidated {
        job_id,
        practice: &progress.practice,
        file_name: &progress.file_name,
        at_ms: progress.at_ms,
        refused: &progress.refused,
        reasons: progress.reasons.iter().map(String::as_str).collect(),
        records: progress.records,
        invalid_records: progress.invalid_records,
    })
}
