//! What is stored of the exchange about a job, and of an answer, and under which keys.

use concord_engine::{Context, ProcessError};

use super::AskingDps;
use crate::list_reconciliation::dps_exchange::{ExchangeState, JobInExchange};
use crate::list_reconciliation::ids;

/// What is stored of a job.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Exchange {
    pub state: ExchangeState,
    pub practice: String,
    pub file: String,
    pub at_ms: i64,
    /// Records of the extract.
    pub records: i64,
    /// The answer whose rows are being sent; empty when there is none.
    pub passing_on: String,
}

impl Exchange {
    /// The job as an answer meets it.
    pub fn as_job(&self) -> JobInExchange<'_> {
        JobInExchange { practice: &self.practice, file: &self.file, records: self.records, state: &self.state }
    }
}

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) enum Stage {
    #[default]
    Receiving,
    /// It is here whole, and its job is not: the intake may be about to say that the extract was sent.
    BeforeItsJob,
    /// It is accepted, and its rows are being sent.
    PassingOn,
    /// Its rows are sent, or it was refused.
    Ended,
}

/// What is stored of an answer.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Receipt {
    pub stage: Stage,
    /// Where it came from.
    pub source: String,
    pub bytes: i64,
    /// Pieces received.
    pub pieces: i32,
    /// Pieces whose rows are sent.
    pub passed_on: i32,
    /// Why the first invalid records are invalid, as far as their rows are sent.
    pub reasons: Vec<String>,
}

/// `job/answer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnswerKey(String);

impl AnswerKey {
    pub fn of(job_id: &str, answer_id: &str) -> Self {
        Self(format!("{job_id}/{answer_id}"))
    }

    pub fn from_text(text: &str) -> Self {
        Self(text.to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id of an answer is hexadecimal, so the last slash is the one between the two.
    fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or((&self.0, ""))
    }

    pub fn job_id(&self) -> &str {
        self.parts().0
    }

    pub fn answer_id(&self) -> &str {
        self.parts().1
    }

    /// The key of a piece.
    pub fn piece(&self, number: i32) -> Vec<u8> {
        format!("{}/{number:010}", self.0).into_bytes()
    }
}

impl AskingDps {
    pub(super) fn exchange(&self, ctx: &Context<'_>, job_id: &str) -> Result<Option<Exchange>, ProcessError> {
        match ctx.get(self.handles.exchanges, job_id.as_bytes())? {
            Some(bytes) => Ok(Some(ids::progress_from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    pub(super) fn keep_exchange(
        &self,
        ctx: &mut Context<'_>,
        job_id: &str,
        exchange: &Exchange,
    ) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.exchanges, job_id.as_bytes(), ids::progress_to_bytes(exchange))
    }

    pub(super) fn receipt(&self, ctx: &Context<'_>, key: &AnswerKey) -> Result<Option<Receipt>, ProcessError> {
        match ctx.get(self.handles.answers, key.as_str().as_bytes())? {
            Some(bytes) => Ok(Some(ids::progress_from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    pub(super) fn keep_receipt(
        &self,
        ctx: &mut Context<'_>,
        key: &AnswerKey,
        receipt: &Receipt,
    ) -> Result<(), ProcessError> {
        ctx.put_bytes(self.handles.answers, key.as_str().as_bytes(), ids::progress_to_bytes(receipt))
    }
}
