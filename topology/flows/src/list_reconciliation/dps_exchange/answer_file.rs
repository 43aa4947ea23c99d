//! An answer as an output file of a job: its lines travel as rows, which the report orders, and sets between header and trailer.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::{JobCounts, ReportFile};
use jiff::Timestamp;

use super::lines::{AnswerLine, HeaderLine, VERSION, Verdict, write_line};
use super::totals::Totals;
use crate::list_reconciliation::values::Row;

/// A line that stands between header and trailer, as a row: kinds in their order, and within a kind by number.
pub fn row_of_line(line: &AnswerLine<'_>) -> Row {
    let sort_key = match line {
        AnswerLine::Header(_) | AnswerLine::Trailer(_) => String::new(),
        AnswerLine::InvalidRecord(invalid) => format!("1/{:012}", invalid.number),
        AnswerLine::Patient(patient) => format!("2/{:012}", patient.number),
        AnswerLine::OnlyOnPds(person) => format!("3/{}", person.pds.nhs_number),
    };
    let mut text = String::new();
    write_line(&mut text, line);
    // Rows are without their line end.
    text.truncate(text.trim_end().len());
    Row { file: ReportFile::DpsAnswer, sort_key, text }
}

/// A job whose extract was compared, or refused, for whoever sent it.
pub struct Answered<'a> {
    pub job_id: &'a str,
    pub practice: &'a str,
    /// Normalised file name.
    pub file: &'a str,
    /// Processing time.
    pub at: Timestamp,
    pub verdict: Verdict,
    pub reasons: &'a [String],
    /// Records of the extract, the invalid ones among them.
    pub records: i64,
    pub invalid_records: i64,
    pub counts: &'a JobCounts,
}

impl Answered<'_> {
    /// The first line.
    pub fn write_header(&self, text: &mut String) {
        let reasons: &[String] = if self.verdict == Verdict::InvalidStructure { self.reasons } else { &[] };
        let header = HeaderLine {
            version: VERSION,
            job_id: Cow::Borrowed(self.job_id),
            practice: Cow::Borrowed(self.practice),
            file: Cow::Borrowed(self.file),
            processed_at: self.at,
            verdict: self.verdict,
            reasons: reasons.iter().map(|reason| Cow::Borrowed(reason.as_str())).collect(),
        };
        write_line(text, &AnswerLine::Header(header));
    }

    /// The last line, behind `rows` lines between it and the header.
    pub fn write_trailer(&self, text: &mut String, rows: i64) {
        let lines = rows + 1;
        let totals = match self.verdict {
            Verdict::Accepted => {
                let counts = self.counts;
                let patients_with_line = rows - self.invalid_records - counts.only_on_pds;
                Totals {
                    lines,
                    records: self.records,
                    invalid_records: self.invalid_records,
                    unremarkable: counts.records - patients_with_line,
                    duplicates: counts.duplicates,
                    matched: counts.matched,
                    partnership_mismatch: counts.partnership_mismatch,
                    deducted: counts.deducted,
                    unmatched: counts.unmatched,
                    sensitive: counts.sensitive,
                    differences: counts.differences,
                    only_on_pds: counts.only_on_pds,
                }
            }
            Verdict::InvalidRecords => {
                Totals { lines, records: self.records, invalid_records: self.invalid_records, ..Totals::default() }
            }
            Verdict::InvalidStructure => Totals { lines, ..Totals::default() },
        };
        write_line(text, &AnswerLine::Trailer(totals));
    }
}

impl Verdict {
    /// The verdict behind a job's refusal, or `None` when it is none that DPS gives.
    pub(in crate::list_reconciliation) fn of_refusal(refused: &str) -> Option<Self> {
        let all = [Self::Accepted, Self::InvalidStructure, Self::InvalidRecords];
        all.into_iter().find(|verdict| verdict.refused() == refused)
    }
}
