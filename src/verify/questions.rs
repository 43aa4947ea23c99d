//! What PDS was asked and has not answered: a job whose records wait for that has not ended, and nothing is wrong with it.

use std::collections::BTreeSet;

use concord_flows::list_reconciliation::topology::{PDS_ANSWER, PDS_LOOKUP};

use super::Outcome;
use super::report::Report;
use super::topics::{Record, Topics};

/// Whether any question is open.
pub(super) fn are_open(topics: &Topics, report: &mut Report) -> Outcome<bool> {
    let (questions, answers) = (topics.read(PDS_LOOKUP)?, topics.read(PDS_ANSWER)?);
    let open = unanswered(&questions, &answers);
    report.checked("questions to PDS", questions.len() as u64);
    report.checked("of these without an answer: jobs may wait for it", open);
    Ok(open > 0)
}

/// Each answer names its question as its origin; it may be there twice.
fn unanswered(questions: &[Record], answers: &[Record]) -> u64 {
    let answered: BTreeSet<&[u8]> = answers.iter().map(|answer| answer.lineage.as_slice()).collect();
    let is_open = |question: &&Record| {
        let name = format!("{PDS_LOOKUP}/{}/{}", question.partition, question.offset);
        !answered.contains(name.as_bytes())
    };
    questions.iter().filter(is_open).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64, lineage: &str) -> Record {
        Record {
            partition,
            offset,
            key: Vec::new(),
            value: None,
            lineage: lineage.as_bytes().to_vec(),
            rejected_at: None,
        }
    }

    #[test]
    fn a_question_is_open_until_an_answer_names_it_however_often_others_are_answered() {
        let questions = [record(0, 0, ""), record(0, 1, ""), record(1, 0, "")];
        let repeated = [record(0, 0, "pds.lookup/0/0"), record(0, 1, "pds.lookup/0/0"), record(1, 0, "pds.lookup/1/0")];
        assert_eq!(unanswered(&questions, &repeated), 1);
        assert_eq!(unanswered(&questions[..1], &repeated), 0);
        assert_eq!(unanswered(&questions, &[]), 3);
    }
}
