//! What becomes of a job that waits for DPS when something arrives, or nothing does.

use serde::{Deserialize, Serialize};

use super::answer::Refusal;
use super::codes;
use super::lines::Verdict;
use super::reader::AnswerEnd;

/// How far the exchange about a job has come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ExchangeState {
    /// The extract was not sent to DPS, since it is refused.
    #[default]
    NotSent,
    /// The extract was sent.
    Waiting,
    /// The answer is here.
    Answered {
        /// Of the answer that was accepted.
        sha256: String,
    },
    /// No answer came in time. A late one is accepted all the same.
    TimedOut,
    /// An operator has ended the job.
    GivenUp,
}

/// A job as an answer meets it.
#[derive(Debug, Clone, Copy)]
pub struct JobInExchange<'a> {
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Normalised file name.
    pub file: &'a str,
    /// Records of the extract, as they were counted here before it was sent.
    pub records: i64,
    /// How far the exchange has come.
    pub state: &'a ExchangeState,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Its lines go to the report of the job, whose state is this from now on.
    Accept(ExchangeState),
    /// It is the answer that is here already: nothing changes.
    Filter,
    /// It is set aside with a code; the job stays as it is, so one that waits goes on waiting for a good answer.
    Refuse(Refusal),
}

/// What follows from an answer that has been read to its end. `job` is the one its header names, when there is one.
///
/// ```
/// use concord_flows::list_reconciliation::Profile;
/// use concord_flows::list_reconciliation::dps_exchange::{AnswerReader, Reaction, codes, receive};
///
/// let end = AnswerReader::new(Profile::Fixed).finish(&mut |_| {});
/// let Reaction::Refuse(refusal) = receive(None, &end) else { unreachable!("it is empty") };
/// assert_eq!(refusal.code, codes::CUT);
/// ```
#[must_use]
pub fn receive(job: Option<&JobInExchange<'_>>, answer: &AnswerEnd) -> Reaction {
    let refuse = |code, message: String| Reaction::Refuse(Refusal::new(code, message));
    let Some(header) = &answer.header else {
        // Without a header nobody knows which job it is about.
        let cut = || Refusal::new(codes::CUT, "the answer has no header");
        return Reaction::Refuse(answer.refusal.clone().unwrap_or_else(cut));
    };
    let Some(job) = job else {
        return refuse(codes::UNKNOWN_JOB, format!("there is no job {}", header.job_id));
    };
    if header.practice != job.practice || header.file != job.file {
        return refuse(
            codes::HEADER_CONTRADICTS,
            format!(
                "the answer is about {} of practice {}, and the job {} about {} of {}",
                header.file, header.practice, header.job_id, job.file, job.practice
            ),
        );
    }
    match job.state {
        ExchangeState::NotSent => refuse(codes::NOT_ASKED, format!("the job {} was not sent to DPS", header.job_id)),
        ExchangeState::GivenUp => {
            refuse(codes::GIVEN_UP, format!("the job {} was ended by an operator", header.job_id))
        }
        ExchangeState::Answered { sha256 } if *sha256 == answer.sha256 => Reaction::Filter,
        ExchangeState::Answered { .. } => {
            refuse(codes::ANSWERED_ALREADY, format!("the job {} has an answer, and this is another one", header.job_id))
        }
        ExchangeState::Waiting | ExchangeState::TimedOut => match &answer.refusal {
            Some(refusal) => Reaction::Refuse(refusal.clone()),
            // Totals that agree with the lines may still be those of half an extract.
            None if header.verdict != Verdict::InvalidStructure && answer.totals.records != job.records => refuse(
                codes::TOTALS_DIFFER,
                format!("the answer counts {} records, and the extract has {}", answer.totals.records, job.records),
            ),
            None => Reaction::Accept(ExchangeState::Answered { sha256: answer.sha256.clone() }),
        },
    }
}

/// What follows when the time for an answer is over: the state from now on, and why the job ends; `None` when nothing does.
#[must_use]
pub fn time_out(state: &ExchangeState, minutes: i64) -> Option<(ExchangeState, Refusal)> {
    if *state != ExchangeState::Waiting {
        return None;
    }
    let message = format!("DPS sent no answer that can be used within {minutes} minutes");
    Some((ExchangeState::TimedOut, Refusal::new(codes::NO_ANSWER, message)))
}
