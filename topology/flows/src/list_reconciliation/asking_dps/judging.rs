//! What becomes of an answer of which all pieces have come.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, TimerClock};
use concord_schemas::list_reconciliation::{JobEvent, JobNote, JobNoted, RefusedInput};

use super::stored::{AnswerKey, Exchange, Receipt, Stage};
use super::{AskingDps, CUT, JUDGE, NO_ANSWER, PASS_ON, Reading, timer_key};
use crate::list_reconciliation::dps_exchange::{AnswerEnd, Reaction, Refusal, UnknownFields, codes, receive};

/// How long an answer whose job is not known waits for it: the intake's word may be behind on its way here.
const WAIT_FOR_ITS_JOB_MS: i64 = 60_000;

impl AskingDps {
    /// Reads the pieces that have come, for the verdict. Of two answers at a time only one is read as it comes.
    pub(super) fn read_ahead(
        &mut self,
        ctx: &Context<'_>,
        key: &AnswerKey,
        receipt: &Receipt,
    ) -> Result<(), ProcessError> {
        if receipt.pieces == 1 {
            self.judging = Some(Reading::new(key, self.profile));
        }
        if let Some(mut reading) = self.judging.take_if(|reading| reading.key == *key) {
            self.read_up_to(ctx, &mut reading, receipt.pieces)?;
            self.judging = Some(reading);
        }
        Ok(())
    }

    /// Reads pieces whose lines go nowhere.
    pub(super) fn read_up_to(&self, ctx: &Context<'_>, reading: &mut Reading, pieces: i32) -> Result<(), ProcessError> {
        while reading.next_piece < pieces {
            let piece = self.piece(ctx, &reading.key, reading.next_piece)?;
            reading.reader.push(&piece, &mut |_| {});
            reading.next_piece += 1;
        }
        Ok(())
    }

    pub(super) fn piece(&self, ctx: &Context<'_>, key: &AnswerKey, number: i32) -> Result<Bytes, ProcessError> {
        let piece = ctx.get(self.handles.pieces, &key.piece(number))?;
        piece.ok_or_else(|| ProcessError::Programming("a piece of an answer under way is not in the store".to_string()))
    }

    pub(super) fn judge(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        mut receipt: Receipt,
    ) -> Result<(), ProcessError> {
        let reading = self.judging.take_if(|reading| reading.key == *key);
        let mut reading = reading.unwrap_or_else(|| Reading::new(key, self.profile));
        self.read_up_to(ctx, &mut reading, receipt.pieces)?;
        let answer = reading.reader.finish(&mut |_| {});
        if let Some(refusal) = contradicts_its_key(key, &answer) {
            return self.refuse(ctx, key, receipt, &refusal);
        }
        let exchange = self.exchange(ctx, key.job_id())?;
        if exchange.is_none() && answer.header.is_some() && receipt.stage == Stage::Receiving {
            receipt.stage = Stage::BeforeItsJob;
            self.keep_receipt(ctx, key, &receipt)?;
            let due = ctx.wall_clock_ms() + WAIT_FOR_ITS_JOB_MS;
            return ctx.set_timer(TimerClock::WallClock, &timer_key(JUDGE, key.as_str()), due, Bytes::new());
        }
        let reaction = receive(exchange.as_ref().map(Exchange::as_job).as_ref(), &answer);
        match reaction {
            Reaction::Filter => {
                ctx.count_filtered("answer of DPS already accepted");
                self.end(ctx, key, receipt)
            }
            Reaction::Refuse(refusal) => self.refuse(ctx, key, receipt, &refusal),
            Reaction::Accept(state) => {
                let exchange = Exchange { state, ..exchange.unwrap_or_default() };
                self.accept(ctx, key, receipt, exchange, &answer)
            }
        }
    }

    fn accept(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        mut receipt: Receipt,
        mut exchange: Exchange,
        answer: &AnswerEnd,
    ) -> Result<(), ProcessError> {
        let job_id = key.job_id();
        ctx.cancel_timer(TimerClock::WallClock, &timer_key(NO_ANSWER, job_id))?;
        exchange.passing_on = key.answer_id().to_string();
        self.keep_exchange(ctx, job_id, &exchange)?;
        let unknown = described(&answer.unknown_fields);
        let noted = JobNoted { job_id, note: JobNote::DpsAnswered, subject: &receipt.source, detail: &unknown };
        ctx.send(self.handles.job_events, job_id, &JobEvent::JobNoted(noted))?;
        self.send_verdict_before_rows(ctx, answer)?;
        receipt.stage = Stage::PassingOn;
        self.keep_receipt(ctx, key, &receipt)?;
        ctx.set_timer(TimerClock::WallClock, &timer_key(PASS_ON, key.as_str()), ctx.wall_clock_ms(), Bytes::new())
    }

    /// Sets an answer aside: it is told with the refused inputs, and in the history of its job. The job goes on waiting.
    pub(super) fn refuse(
        &mut self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        receipt: Receipt,
        refusal: &Refusal,
    ) -> Result<(), ProcessError> {
        let job_id = key.job_id();
        let by_hand = format!("dps-answer:{}", key.answer_id());
        let source = if receipt.source.is_empty() { &by_hand } else { &receipt.source };
        let refused = RefusedInput {
            source,
            code: refusal.code,
            cause: &refusal.message,
            remedy: codes::remedy(refusal.code),
            bytes: Some(receipt.bytes),
            sender: "",
            workflow_id: "",
            at_ms: ctx.wall_clock_ms(),
        };
        ctx.send(self.handles.refused, source, &refused)?;
        if self.exchange(ctx, job_id)?.is_some() {
            let detail = refusal.to_string();
            let noted = JobNoted { job_id, note: JobNote::DpsRefused, subject: source, detail: &detail };
            ctx.send(self.handles.job_events, job_id, &JobEvent::JobNoted(noted))?;
        }
        ctx.count_filtered("answer of DPS refused");
        self.end(ctx, key, receipt)
    }

    /// Drops what is kept of an answer but that it was here: pieces that come again are known then.
    pub(super) fn end(&mut self, ctx: &mut Context<'_>, key: &AnswerKey, receipt: Receipt) -> Result<(), ProcessError> {
        for number in 0..receipt.pieces {
            ctx.delete(self.handles.pieces, &key.piece(number))?;
        }
        for timer in [CUT, JUDGE, PASS_ON] {
            ctx.cancel_timer(TimerClock::WallClock, &timer_key(timer, key.as_str()))?;
        }
        self.judging.take_if(|reading| reading.key == *key);
        self.passing_on.take_if(|reading| reading.key == *key);
        self.keep_receipt(ctx, key, &Receipt { stage: Stage::Ended, ..Receipt::default() })
    }
}

/// Whoever published it has put it under another job than its header names, or under an id that is not its content's.
fn contradicts_its_key(key: &AnswerKey, answer: &AnswerEnd) -> Option<Refusal> {
    let is_of_the_job = answer.header.as_ref().is_none_or(|header| header.job_id == key.job_id());
    let message = match (is_of_the_job, answer.sha256 == key.answer_id()) {
        (true, true) => return None,
        (false, _) => "the answer was published under another job than its header names",
        (true, false) => "the content of the answer is not the one whose checksum is its id",
    };
    Some(Refusal { code: codes::KEY_DIFFERS, message: message.to_string() })
}

fn described(unknown: &UnknownFields) -> String {
    match unknown.count() {
        0 => String::new(),
        count => format!("{count} fields that are not known were passed over: {}", unknown.names().join(", ")),
    }
}
