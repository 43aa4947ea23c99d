//! What a person wants to know of an extract: whether it would be accepted, and what to correct. It names lines and fields,
//! and nobody's data, so it can be passed on.

use std::fmt::Write;

use concord_flows::list_reconciliation::extract::ReadRecord;
use concord_flows::list_reconciliation::{ExtractFileName, Profile};
use jiff::tz::TimeZone;

use super::tables::Written;
use super::{COUNTS, RECORDS, REPORT, Request};

/// The key of a record that could not be cut into fields. Its message does not say how many there must be.
const INVALID_RECORD: &str = "INVALID_RECORD";

/// Lines named of each fault.
const PLACES: usize = 5;

/// What was found.
pub struct Report {
    file_name: String,
    /// `None` of a file whose name is not one of an extract.
    pub name: Option<ExtractFileName>,
    pub verdict: Verdict,
    /// A last row alone that was left out without a word.
    pub odd_last_row: Option<u64>,
    /// Lines behind the data that were left out.
    pub trailing_lines_dropped: usize,
    records: u64,
    invalid_records: u64,
    faults: Vec<Fault>,
}

/// How the reading ended.
pub enum Verdict {
    /// The file as a whole is no extract, for these reasons.
    Refused(Vec<String>),
    /// Every record was judged.
    Read { written: Written },
}

/// A field that is invalid, in one or many records.
struct Fault {
    key: &'static str,
    message: &'static str,
    records: u64,
    first: Vec<String>,
}

impl Report {
    pub fn of(file_name: &str) -> Self {
        Self {
            file_name: file_name.to_string(),
            name: None,
            verdict: Verdict::Refused(Vec::new()),
            odd_last_row: None,
            trailing_lines_dropped: 0,
            records: 0,
            invalid_records: 0,
            faults: Vec::new(),
        }
    }

    /// Counts a record in.
    pub fn add(&mut self, read: &ReadRecord<'_>) {
        self.records += 1;
        let Err(invalid) = &read.record else { return };
        self.invalid_records += 1;
        for error in &invalid.errors {
            let position = self.faults.iter().position(|fault| fault.key == error.key).unwrap_or_else(|| {
                let fault = Fault { key: error.key, message: error.message, records: 0, first: Vec::new() };
                self.faults.push(fault);
                self.faults.len() - 1
            });
            let fault = &mut self.faults[position];
            fault.records += 1;
            if fault.first.len() < PLACES {
                fault.first.push(invalid.on_lines());
            }
        }
    }

    /// Whether the extract would be accepted as it is.
    pub fn is_valid(&self) -> bool {
        matches!(self.verdict, Verdict::Read { .. }) && self.invalid_records == 0
    }

    pub fn text(&self, request: &Request) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}: {}\n", self.file_name, if self.is_valid() { "valid" } else { "NOT VALID" });
        self.write_what_was_checked(&mut text, request);
        match &self.verdict {
            Verdict::Refused(reasons) => {
                text.push_str("\nThe file as a whole is refused:\n");
                for reason in reasons {
                    let _ = writeln!(text, "  {reason}");
                }
                text.push_str("\nNo tables were written.\n");
            }
            Verdict::Read { written } => self.write_what_was_read(&mut text, *written, request),
        }
        text
    }

    fn write_what_was_checked(&self, text: &mut String, request: &Request) {
        if let Some(name) = &self.name {
            let _ = writeln!(text, "  practice      {}", name.practice);
            let _ = writeln!(text, "  region        {}", name.cipher);
            let _ = writeln!(text, "  extract of    {}", name.extract_date);
        }
        let at = request.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC");
        let _ = writeln!(text, "  checked as of {at}");
        if request.profile == Profile::Compatible {
            text.push_str("  rules         those of the earlier implementation\n");
        }
    }

    fn write_what_was_read(&self, text: &mut String, written: Written, request: &Request) {
        let _ = writeln!(text, "  records       {}", self.records);
        let _ = writeln!(text, "  invalid       {}", self.invalid_records);
        if let Some(line) = self.odd_last_row {
            let _ =
                writeln!(text, "\nThe row on line {line} has no second row: it is left out, and so is its patient.");
        }
        if self.trailing_lines_dropped > 0 {
            let _ =
                writeln!(text, "\nLines behind the last patient that were not read: {}.", self.trailing_lines_dropped);
        }
        if !self.faults.is_empty() {
            text.push_str("\nWhat to correct, the most frequent first:\n");
        }
        let mut faults: Vec<&Fault> = self.faults.iter().collect();
        faults.sort_by_key(|fault| std::cmp::Reverse(fault.records));
        for fault in faults {
            let more = if fault.records > fault.first.len() as u64 { ", ..." } else { "" };
            let _ = writeln!(
                text,
                "\n  {} in {}, lines {}{more}",
                fault.key,
                counted(fault.records),
                fault.first.join(", ")
            );
            let _ = writeln!(text, "    {}", fault.message);
            if fault.key == INVALID_RECORD {
                text.push_str(
                    "    A patient's first row has 16 fields, with ~ between them, and the second row has 11.\n",
                );
            }
        }
        if self.invalid_records > 0 {
            text.push_str(
                "\nOne invalid record refuses the whole file when it is reconciled, unless invalid records are quarantined.\n",
            );
        }
        let which = match written {
            Written::All => "all records".to_string(),
            Written::Invalid => {
                format!("only the invalid records ({} invalid fields or more)", request.invalid_threshold)
            }
        };
        let _ = writeln!(text, "\nIn {}:", request.out.display());
        for (name, what) in [
            (RECORDS, which.as_str()),
            (COUNTS, "how often each field is invalid"),
            (REPORT, "this report, without anybody's data"),
        ] {
            let _ = writeln!(text, "  {name:<20}{what}");
        }
    }
}

fn counted(records: u64) -> String {
    if records == 1 { "1 record".to_string() } else { format!("{records} records") }
}
