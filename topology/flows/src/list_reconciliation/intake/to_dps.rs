//! An accepted file goes to DPS as it came, as a file of its job; and the sub-topology that waits for the answer is told of it.

use bytes::Bytes;
use concord_engine::topology::SinkHandle;
use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{FileChunk, JobEvent, JobNote, JobNoted};

use super::Intake;
use super::progress::{Progress, RELEASE, Stage, timer_key};
use super::releasing::{SLICE, verdict_on};
use crate::list_reconciliation::outputs::DPS_EXTRACT;
use crate::list_reconciliation::values::{Files, JobEvents};

/// The ways to DPS.
#[derive(Clone, Copy)]
pub(in crate::list_reconciliation) struct ToDps {
    pub files: SinkHandle<Files>,
    /// What the exchange needs to know of a job.
    pub jobs: SinkHandle<JobEvents>,
}

impl Intake {
    /// Tells the exchange what became of a job, where there is an exchange.
    pub(super) fn tell_dps_exchange(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        event: &JobEvent<'_>,
    ) -> Result<(), ProcessError> {
        match self.handles.to_dps {
            Some(to_dps) => ctx.send(to_dps.jobs, job_id, event),
            None => Ok(()),
        }
    }

    /// The verdict on the job will be DPS's: the report is only told that the file goes there.
    pub(super) fn tell_of_sending(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        progress: &Progress,
    ) -> Result<(), ProcessError> {
        let noted = JobNoted { job_id, note: JobNote::SentToDps, subject: &progress.practice, detail: "" };
        ctx.send(self.handles.job_events, job_id, &JobEvent::JobNoted(noted))
    }

    /// Sends a slice of an accepted file; behind the last one the exchange waits for the answer.
    pub(super) fn send_to_dps(
        &mut self,
        ctx: &mut Context<'_>,
        to_dps: ToDps,
        job_id: &str,
        mut progress: Progress,
    ) -> Result<(), ProcessError> {
        let file_name = format!("{DPS_EXTRACT}{}", progress.sent_as);
        let upto = (progress.released + SLICE).min(progress.pieces);
        for sequence in progress.released..upto {
            let last = sequence + 1 == progress.pieces;
            let mut bytes = std::mem::take(&mut progress.half_character);
            bytes.extend_from_slice(&self.piece(ctx, job_id, sequence)?);
            let (text, rest) = whole_characters(&bytes, last)?;
            progress.half_character = rest.to_vec();
            let piece = FileChunk { job_id, file_name: &file_name, sequence, last, text };
            ctx.send(to_dps.files, &format!("{job_id}/{file_name}"), &piece)?;
        }
        progress.released = upto;
        if upto < progress.pieces {
            self.keep(ctx, job_id, &progress)?;
            let now = ctx.wall_clock_ms();
            return ctx.set_timer(TimerClock::WallClock, &timer_key(RELEASE, job_id), now, Bytes::new());
        }
        ctx.send(to_dps.jobs, job_id, &verdict_on(job_id, &progress))?;
        self.finish(ctx, job_id, progress, Stage::Done)
    }
}

/// The characters that are whole, and the bytes of the one whose rest is still to come.
fn whole_characters(bytes: &[u8], is_last: bool) -> Result<(&str, &[u8]), ProcessError> {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if !is_last && error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    let (whole, rest) = bytes.split_at(whole);
    let text = std::str::from_utf8(whole);
    let text = text.map_err(|_| ProcessError::Programming("an accepted extract is not UTF-8 text".to_string()))?;
    Ok((text, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_character_that_is_cut_waits_for_its_rest() {
        let (text, rest) = whole_characters("ÉLAN\u{20ac}".as_bytes(), false).unwrap();
        assert_eq!((text, rest), ("ÉLAN\u{20ac}", &[][..]));
        for cut in 1..3 {
            let bytes = &"ÉLAN\u{20ac}".as_bytes()[..5 + cut];
            assert_eq!(whole_characters(bytes, false).unwrap(), ("ÉLAN", &bytes[5..]));
            assert!(whole_characters(bytes, true).is_err());
        }
        assert!(whole_characters(b"A\xffB", false).is_err());
    }
}
