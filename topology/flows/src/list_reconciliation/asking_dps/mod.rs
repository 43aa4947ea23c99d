//! Waits for DPS, which compares extracts in place of the comparison: takes its answers, and makes of a good one what intake and
//! comparison would have said of the job.
//!
//! A task has the jobs and the answers about them, since both are keyed by job id. An answer is read twice, as the intake reads
//! files: once as its pieces arrive, for the verdict; once in slices, to send its rows to the report. What a reading has seen is
//! only a cache: after a crash it is read again from the pieces. A bad answer leaves the job waiting for a good one.

mod judging;
mod passing_on;
mod stored;

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer, TimerClock};
use concord_schemas::dps::{AnswerChunk, AnswerClosed, AnswerOpened, DpsAnswerEvent};
use concord_schemas::list_reconciliation::{JobEvent, JobNote, JobValidated};

use super::dps_exchange::{AnswerReader, ExchangeState, Refusal, codes, time_out};
use super::ids;
use super::intake::TIMED_OUT;
use super::profile::Profile;
use super::values::{JobEvents, RefusedInputs};
use stored::{AnswerKey, Exchange, Receipt, Stage};

/// What the processor uses.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// By job: how far the exchange has come.
    pub exchanges: StoreHandle<()>,
    /// `job/answer`: an answer on its way.
    pub answers: StoreHandle<()>,
    /// `job/answer/number`: its pieces as they came.
    pub pieces: StoreHandle<()>,
    pub job_events: SinkHandle<JobEvents>,
    pub refused: SinkHandle<RefusedInputs>,
}

/// See the module.
pub(super) struct AskingDps {
    pub handles: Handles,
    pub profile: Profile,
    pub upload_timeout_ms: i64,
    pub job_timeout_ms: i64,
    /// Cache: the answer that is read for its verdict, and the one whose rows are sent.
    pub judging: Option<Reading>,
    pub passing_on: Option<Reading>,
}

/// A reading of an answer, as far as it has come.
pub(super) struct Reading {
    key: AnswerKey,
    next_piece: i32,
    reader: AnswerReader,
}

impl Reading {
    fn new(key: &AnswerKey, profile: Profile) -> Self {
        Self { key: key.clone(), next_piece: 0, reader: AnswerReader::new(profile) }
    }
}

/// The timer that ends the waiting for an answer.
const NO_ANSWER: &str = "no-answer";
/// The timer that gives up an answer whose end marker does not come.
const CUT: &str = "cut";
/// The timer at which an answer that was here before its job is judged.
const JUDGE: &str = "judge";
/// The timer of the next slice of rows.
const PASS_ON: &str = "pass-on";

/// `what/job` or `what/job/answer`.
fn timer_key(what: &str, whose: &str) -> Vec<u8> {
    format!("{what}/{whose}").into_bytes()
}

impl AskingDps {
    /// What the intake says of a job: that its extract was sent, that it was refused, or that an operator has ended it.
    pub fn on_job(&mut self, ctx: &mut Context<'_>, event: JobEvent<'_>) -> Result<(), ProcessError> {
        match event {
            JobEvent::JobValidated(job) => self.job_is_here(ctx, &job),
            JobEvent::JobNoted(noted) if noted.note == JobNote::CleanedUp => self.give_up(ctx, noted.job_id),
            _ => Err(ProcessError::Programming("an event that says nothing of the exchange with DPS".to_string())),
        }
    }

    fn job_is_here(&self, ctx: &mut Context<'_>, job: &JobValidated<'_>) -> Result<(), ProcessError> {
        let was_sent = job.refused.is_empty();
        let exchange = Exchange {
            state: if was_sent { ExchangeState::Waiting } else { ExchangeState::NotSent },
            practice: job.practice.to_string(),
            file: job.file_name.to_string(),
            at_ms: job.at_ms,
            records: job.records,
            passing_on: String::new(),
        };
        self.keep_exchange(ctx, job.job_id, &exchange)?;
        if !was_sent {
            return Ok(());
        }
        let due = ctx.wall_clock_ms() + self.job_timeout_ms;
        ctx.set_timer(TimerClock::WallClock, &timer_key(NO_ANSWER, job.job_id), due, Bytes::new())
    }

    fn give_up(&mut self, ctx: &mut Context<'_>, job_id: &str) -> Result<(), ProcessError> {
        let Some(mut exchange) = self.exchange(ctx, job_id)? else {
            ctx.count_filtered("end of a job that was not sent to DPS");
            return Ok(());
        };
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(NO_ANSWER, job_id))?;
        if !exchange.passing_on.is_empty() {
            let key = AnswerKey::of(job_id, &std::mem::take(&mut exchange.passing_on));
            if let Some(receipt) = self.receipt(ctx, &key)? {
                self.end(ctx, &key, receipt)?;
            }
        }
        exchange.state = ExchangeState::GivenUp;
        self.keep_exchange(ctx, job_id, &exchange)
    }

    pub fn on_answer(&mut self, ctx: &mut Context<'_>, event: DpsAnswerEvent<'_>) -> Result<(), ProcessError> {
        let (job_id, answer_id) = match &event {
            DpsAnswerEvent::AnswerOpened(opened) => (opened.job_id, opened.answer_id),
            DpsAnswerEvent::AnswerChunk(chunk) => (chunk.job_id, chunk.answer_id),
            DpsAnswerEvent::AnswerClosed(closed) => (closed.job_id, closed.answer_id),
        };
        if ctx.key()? != job_id {
            let message = "the answer's job id is not its key: publish it with `concord produce dps-answer`";
            return Err(Rejection::by_processor(codes::KEY_DIFFERS, message).into());
        }
        let key = AnswerKey::of(job_id, answer_id);
        let receipt = self.receipt(ctx, &key)?;
        match &event {
            DpsAnswerEvent::AnswerOpened(opened) => self.open(ctx, &key, receipt, opened),
            DpsAnswerEvent::AnswerChunk(chunk) => self.receive(ctx, &key, receipt, chunk),
            DpsAnswerEvent::AnswerClosed(closed) => self.close(ctx, &key, receipt, closed),
        }
    }

    fn open(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        receipt: Option<Receipt>,
        opened: &AnswerOpened<'_>,
    ) -> Result<(), ProcessError> {
        // One that has ended is looked at again: the job may have come to wait for it since.
        if receipt.is_some_and(|receipt| receipt.stage != Stage::Ended) {
            ctx.count_filtered("answer of DPS already received");
            return Ok(());
        }
        self.judging.take_if(|reading| reading.key == *key);
        let receipt = Receipt { source: opened.source.to_string(), bytes: opened.bytes, ..Receipt::default() };
        self.keep_receipt(ctx, key, &receipt)?;
        let due = ctx.wall_clock_ms() + self.upload_timeout_ms;
        ctx.set_timer(TimerClock::WallClock, &timer_key(CUT, key.as_str()), due, Bytes::new())
    }

    fn receive(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        receipt: Option<Receipt>,
        chunk: &AnswerChunk<'_>,
    ) -> Result<(), ProcessError> {
        let Some(mut receipt) = receipt else { return Err(not_opened().into()) };
        if receipt.stage != Stage::Receiving || chunk.sequence < receipt.pieces {
            ctx.count_filtered("piece of an answer of DPS already received");
            return Ok(());
        }
        if chunk.sequence > receipt.pieces {
            return Err(piece_missing(receipt.pieces).into());
        }
        ctx.put_bytes(self.handles.pieces, &key.piece(chunk.sequence), Bytes::copy_from_slice(chunk.content))?;
        receipt.pieces += 1;
        self.keep_receipt(ctx, key, &receipt)?;
        self.read_ahead(ctx, key, &receipt)
    }

    fn close(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        receipt: Option<Receipt>,
        closed: &AnswerClosed<'_>,
    ) -> Result<(), ProcessError> {
        let Some(receipt) = receipt else { return Err(not_opened().into()) };
        if receipt.stage != Stage::Receiving {
            ctx.count_filtered("answer of DPS already received");
            return Ok(());
        }
        if closed.chunks != receipt.pieces {
            return Err(piece_missing(receipt.pieces).into());
        }
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(CUT, key.as_str()))?;
        self.judge(ctx, key, receipt)
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let text = ids::text(&timer.key)?;
        let (what, whose) = text.split_once('/').unwrap_or_default();
        if what == NO_ANSWER {
            return self.no_answer_came(ctx, whose);
        }
        let key = AnswerKey::from_text(whose);
        let Some(receipt) = self.receipt(ctx, &key)? else { return Ok(()) };
        match (what, receipt.stage) {
            (CUT, Stage::Receiving) => {
                let message = format!(
                    "{} pieces of the answer came, and no end marker within {} minutes",
                    receipt.pieces,
                    self.upload_timeout_ms / 60_000
                );
                self.refuse(ctx, &key, receipt, &Refusal { code: codes::CUT, message })
            }
            (JUDGE, Stage::BeforeItsJob) => self.judge(ctx, &key, receipt),
            (PASS_ON, Stage::PassingOn) => self.pass_on(ctx, &key, receipt),
            _ => Ok(()),
        }
    }

    fn no_answer_came(&self, ctx: &mut Context<'_>, job_id: &str) -> Result<(), ProcessError> {
        let Some(mut exchange) = self.exchange(ctx, job_id)? else { return Ok(()) };
        let Some((state, refusal)) = time_out(&exchange.state, self.job_timeout_ms / 60_000) else { return Ok(()) };
        exchange.state = state;
        self.keep_exchange(ctx, job_id, &exchange)?;
        let reason = format!("{refusal}. Ask DPS: a late answer is accepted. Or rerun the job");
        let ended = JobValidated {
            job_id,
            practice: &exchange.practice,
            file_name: &exchange.file,
            at_ms: exchange.at_ms,
            refused: TIMED_OUT,
            reasons: vec![&reason],
            records: exchange.records,
            invalid_records: 0,
        };
        ctx.send(self.handles.job_events, job_id, &JobEvent::JobValidated(ended))
    }
}

fn not_opened() -> Rejection {
    Rejection::by_processor(
        codes::NOT_OPENED,
        "a piece of an answer of DPS whose beginning was never received: publish the whole answer again",
    )
}

fn piece_missing(expected: i32) -> Rejection {
    Rejection::by_processor(
        codes::PIECE_MISSING,
        format!("piece {expected} of the answer of DPS is missing: publish the whole answer again"),
    )
}
