//! Answers of DPS: each one that came whole has ended its job, or was refused and told.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::list_reconciliation::topology::{DPS_ANSWER, INTAKE_REFUSED};
use concord_schemas::codec::{self, Decoder};
use concord_schemas::dps::DpsAnswerEvent;
use concord_schemas::list_reconciliation::RefusedInput;

use super::Outcome;
use super::report::Report;
use super::topics::Topics;

/// What the topics say of answers.
#[derive(Default)]
pub(super) struct Answers {
    /// By job and answer: where it came from, and whether its end marker did.
    came: BTreeMap<(String, String), (String, bool)>,
    /// Where refused inputs came from.
    refused: BTreeSet<String>,
}

impl Answers {
    pub fn read(topics: &Topics, decoder: &Decoder, report: &mut Report) -> Outcome<Self> {
        let mut answers = Self::default();
        topics.each(DPS_ANSWER, &mut |record| {
            // What cannot be read is a dead letter, and counted there.
            let value = record.value.as_deref().unwrap_or_default();
            if let Ok(event) = decoder.decode::<DpsAnswerEvent<'_>>(&codec::DPS_ANSWER, value) {
                answers.note(&event);
            }
            Ok(())
        })?;
        topics.each(INTAKE_REFUSED, &mut |record| {
            let value = record.value.as_deref().unwrap_or_default();
            if let Ok(refused) = decoder.decode::<RefusedInput<'_>>(&codec::INTAKE_REFUSED, value) {
                answers.refused.insert(refused.source.to_owned());
            }
            Ok(())
        })?;
        report.checked("answers of DPS", answers.came.len() as u64);
        Ok(answers)
    }

    fn note(&mut self, event: &DpsAnswerEvent<'_>) {
        let key = |job_id: &str, answer_id: &str| (job_id.to_owned(), answer_id.to_owned());
        match event {
            DpsAnswerEvent::AnswerOpened(opened) => {
                self.came.entry(key(opened.job_id, opened.answer_id)).or_default().0 = opened.source.to_owned();
            }
            DpsAnswerEvent::AnswerChunk(_) => {}
            DpsAnswerEvent::AnswerClosed(closed) => {
                self.came.entry(key(closed.job_id, closed.answer_id)).or_default().1 = true;
            }
        }
    }

    /// `ended`: the jobs that have.
    pub fn came_to_something(&self, ended: &BTreeSet<&str>, report: &mut Report) {
        for ((job_id, answer_id), (source, is_whole)) in &self.came {
            let is_accounted_for = !is_whole || ended.contains(job_id.as_str()) || self.refused.contains(source);
            if !is_accounted_for {
                report.find(
                    format!("{DPS_ANSWER}, job {job_id}, answer {answer_id}"),
                    "it is there whole, and has neither ended its job nor was it refused",
                    "an answer without a job waits a minute for it: verify again then",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use concord_schemas::dps::{AnswerClosed, AnswerOpened};

    use super::*;

    fn came(answers: &mut Answers, job_id: &str, source: &str, is_whole: bool) {
        let answer_id = source;
        let opened = AnswerOpened { job_id, answer_id, source, received_at_ms: 0, bytes: 0 };
        answers.note(&DpsAnswerEvent::AnswerOpened(opened));
        if is_whole {
            answers.note(&DpsAnswerEvent::AnswerClosed(AnswerClosed { job_id, answer_id, chunks: 0 }));
        }
    }

    #[test]
    fn an_answer_that_came_to_nothing_is_found_and_no_other() {
        let mut answers = Answers::default();
        came(&mut answers, "j-1", "file:one", true);
        came(&mut answers, "j-2", "file:two", true);
        came(&mut answers, "j-3", "file:three", true);
        came(&mut answers, "j-3", "file:four", false);
        answers.refused.insert("file:two".to_owned());
        let mut report = Report::default();
        answers.came_to_something(&BTreeSet::from(["j-1"]), &mut report);
        assert_eq!(report.findings(), 1);
    }
}
