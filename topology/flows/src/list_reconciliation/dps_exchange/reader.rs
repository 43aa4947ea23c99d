//! Reads an answer, wherever its pieces begin and end: good lines out in order, and at the end what the whole is worth.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::JobCounts;
use sha2::{Digest, Sha256};

use super::answer::{Flaw, Refusal};
use super::codes;
use super::lines::{AnswerLine, HeaderLine, VERSION, Verdict};
use super::parsing::{contradiction, parse_line, unknown_version};
use super::totals::{CountsOfLines, Totals};
use super::unknown_fields::UnknownFields;
use crate::list_reconciliation::profile::Profile;

/// A longer line is refused, so that one line can never exhaust the memory.
const LONGEST_LINE: usize = 1 << 20;
/// Flaws that are kept; further ones are counted.
const MOST_FLAWS: usize = 20;
/// Flaws that a refusal names.
const NAMED_FLAWS: usize = 5;

/// Receives the lines of an answer in order, those with a flaw left out.
pub type OnLine<'f> = dyn FnMut(&AnswerLine<'_>) + 'f;

/// What is known when an answer has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerEnd {
    /// What it is about; `None` when its first line cannot be read.
    pub header: Option<HeaderLine<'static>>,
    /// Its totals.
    pub totals: Totals,
    /// The counts of the job, as comparing here would have counted them.
    pub counts: JobCounts,
    /// What is wrong with its lines, of the first ones.
    pub flaws: Vec<Flaw>,
    /// How many lines have a flaw.
    pub flawed_lines: u64,
    /// Fields that this program does not know. They are no flaw.
    pub unknown_fields: UnknownFields,
    /// SHA-256 of the answer in lower-case hexadecimal: the same answer again has the same.
    pub sha256: String,
    /// Why the answer cannot be used, whatever the job says. Lines handed on count for nothing then.
    pub refusal: Option<Refusal>,
}

/// Reads an answer piece by piece. Memory holds an unfinished line, and nothing of the lines before.
///
/// ```
/// use concord_flows::list_reconciliation::Profile;
/// use concord_flows::list_reconciliation::dps_exchange::{AnswerReader, codes};
///
/// let mut reader = AnswerReader::new(Profile::Fixed);
/// reader.push(br#"{"type": "header", "version": 1, "job_id": "j-1", "practice": "Y12345", "file": "Y12345_GPR4LNA1.H9A","#, &mut |_| {});
/// reader.push(br#" "processed_at": "2021-08-10T13:40:00Z", "verdict": "ACCEPTED", "reasons": []}"#, &mut |_| {});
/// let end = reader.finish(&mut |_| {});
/// assert_eq!(end.refusal.unwrap().code, codes::CUT);
/// ```
pub struct AnswerReader {
    profile: Profile,
    unfinished: Vec<u8>,
    /// The present line is beyond the limit: its rest is skipped.
    too_long: bool,
    content: Sha256,
    line: u64,
    place: Place,
    header: Option<HeaderLine<'static>>,
    totals: Totals,
    counts: CountsOfLines,
    trailer: Option<Totals>,
    unknown_version: Option<u64>,
    flaws: Vec<Flaw>,
    flawed_lines: u64,
    unknown_fields: UnknownFields,
}

/// How far an answer has come: kinds of lines in their order, and within a kind the last key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Header,
    InvalidRecord(i64),
    Patient(i64),
    OnlyOnPds(String),
    Trailer,
}

impl AnswerReader {
    /// A reader at the start of an answer. The profile decides which work items there are.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            unfinished: Vec::new(),
            too_long: false,
            content: Sha256::new(),
            line: 0,
            place: Place::Start,
            header: None,
            totals: Totals::default(),
            counts: CountsOfLines::default(),
            trailer: None,
            unknown_version: None,
            flaws: Vec::new(),
            flawed_lines: 0,
            unknown_fields: UnknownFields::default(),
        }
    }

    /// Reads on.
    pub fn push(&mut self, piece: &[u8], on_line: &mut OnLine<'_>) {
        self.content.update(piece);
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..end]);
            self.end_line(on_line);
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// The header, once it has been read.
    #[must_use]
    pub fn header(&self) -> Option<&HeaderLine<'static>> {
        self.header.as_ref()
    }

    /// Reads what is left when there are no more pieces.
    pub fn finish(mut self, on_line: &mut OnLine<'_>) -> AnswerEnd {
        if !self.unfinished.is_empty() || self.too_long {
            self.end_line(on_line);
        }
        let refusal = self.refusal();
        let totals = self.trailer.unwrap_or(self.totals);
        AnswerEnd {
            header: self.header,
            totals,
            counts: self.counts.with(&totals),
            flaws: self.flaws,
            flawed_lines: self.flawed_lines,
            unknown_fields: self.unknown_fields,
            sha256: self.content.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            refusal,
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.too_long || self.unfinished.len() + piece.len() > LONGEST_LINE {
            self.too_long = true;
            self.unfinished.clear();
            return;
        }
        self.unfinished.extend_from_slice(piece);
    }

    fn end_line(&mut self, on_line: &mut OnLine<'_>) {
        self.line += 1;
        if std::mem::take(&mut self.too_long) {
            self.flaw("", Cow::Borrowed("it is longer than 1 MiB"));
            return;
        }
        let bytes = std::mem::take(&mut self.unfinished);
        if !bytes.trim_ascii().is_empty() {
            self.take_line(&bytes, on_line);
        }
        self.unfinished = bytes;
        self.unfinished.clear();
    }

    fn take_line(&mut self, bytes: &[u8], on_line: &mut OnLine<'_>) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.flaw("", Cow::Borrowed("it is not UTF-8 text"));
        };
        if self.place == Place::Start {
            self.unknown_version = unknown_version(text);
        }
        let line = match parse_line(text, &mut self.unknown_fields) {
            Ok(line) => line,
            Err((field, problem)) => return self.flaw(&field, problem),
        };
        let practice = self.header.as_ref().map_or("", |header| &*header.practice);
        if let Some((field, problem)) = contradiction(&line, practice) {
            return self.flaw(&field, problem);
        }
        if let Err(problem) = self.advance(&line) {
            return self.flaw("", Cow::Borrowed(problem));
        }
        self.totals.add(&line);
        self.counts.add(&line, self.profile);
        if let AnswerLine::Header(header) = &line {
            self.header = Some(header.to_owned_line());
        }
        if let AnswerLine::Trailer(totals) = line {
            self.trailer = Some(totals);
        }
        on_line(&line);
    }

    /// Moves on to a line of the order, and to a larger key within its kind.
    fn advance(&mut self, line: &AnswerLine<'_>) -> Result<(), &'static str> {
        let next = match line {
            AnswerLine::Header(_) => Place::Header,
            AnswerLine::InvalidRecord(invalid) => Place::InvalidRecord(invalid.number),
            AnswerLine::Patient(patient) => Place::Patient(patient.number),
            AnswerLine::OnlyOnPds(person) => Place::OnlyOnPds(person.pds.nhs_number.to_string()),
            AnswerLine::Trailer(_) => Place::Trailer,
        };
        if self.place == Place::Start && next != Place::Header {
            return Err("the header must stand before it");
        }
        if next <= self.place {
            return Err("it stands behind a line that must follow it, or stands twice");
        }
        let compared = matches!(next, Place::Patient(_) | Place::OnlyOnPds(_));
        let verdict = self.header.as_ref().map(|header| header.verdict);
        if compared && verdict.is_some_and(|verdict| verdict != Verdict::Accepted)
            || matches!(next, Place::InvalidRecord(_)) && verdict == Some(Verdict::InvalidStructure)
        {
            return Err("the verdict of the header allows no such line");
        }
        self.place = next;
        Ok(())
    }

    fn flaw(&mut self, field: &str, problem: Cow<'static, str>) {
        self.flawed_lines += 1;
        if self.flaws.len() < MOST_FLAWS {
            self.flaws.push(Flaw { line: self.line, field: field.to_owned(), problem });
        }
    }

    fn refusal(&self) -> Option<Refusal> {
        if let Some(version) = self.unknown_version {
            let message = format!("the answer is of version {version}, and this program reads version {VERSION}");
            return Some(Refusal::new(codes::VERSION_UNKNOWN, message));
        }
        if self.flawed_lines > 0 {
            let named: Vec<String> = self.flaws.iter().take(NAMED_FLAWS).map(ToString::to_string).collect();
            let message = format!("{} lines cannot be used: {}", self.flawed_lines, named.join("; "));
            return Some(Refusal::new(codes::LINE_INVALID, message));
        }
        let Some(trailer) = &self.trailer else {
            let message = format!("the answer ends behind line {}, without a trailer", self.line);
            return Some(Refusal::new(codes::CUT, message));
        };
        let expected = self.expected_totals(trailer);
        if *trailer != expected {
            return Some(Refusal::new(codes::TOTALS_DIFFER, differences(trailer, &expected)));
        }
        None
    }

    /// What the trailer must say, given the lines that came.
    fn expected_totals(&self, trailer: &Totals) -> Totals {
        let verdict = self.header.as_ref().map(|header| header.verdict);
        match verdict {
            Some(Verdict::Accepted) => self.totals.with_what_has_no_line_of(trailer),
            // The valid records of a refused extract have no lines.
            Some(Verdict::InvalidRecords) => {
                Totals { records: self.totals.records.max(trailer.records), ..self.totals }
            }
            _ => self.totals,
        }
    }
}

fn differences(trailer: &Totals, expected: &Totals) -> String {
    let pairs = [
        ("lines", trailer.lines, expected.lines),
        ("records", trailer.records, expected.records),
        ("invalid_records", trailer.invalid_records, expected.invalid_records),
        ("duplicates", trailer.duplicates, expected.duplicates),
        ("matched", trailer.matched, expected.matched),
        ("partnership_mismatch", trailer.partnership_mismatch, expected.partnership_mismatch),
        ("deducted", trailer.deducted, expected.deducted),
        ("unmatched", trailer.unmatched, expected.unmatched),
        ("sensitive", trailer.sensitive, expected.sensitive),
        ("differences", trailer.differences, expected.differences),
        ("only_on_pds", trailer.only_on_pds, expected.only_on_pds),
        ("unremarkable", trailer.unremarkable, expected.unremarkable),
    ];
    let wrong = pairs.iter().filter(|(_, told, counted)| told != counted);
    let wrong: Vec<String> = wrong.map(|(name, told, counted)| format!("{name} {told} for {counted}")).collect();
    format!("the trailer counts other lines than came: {}", wrong.join(", "))
}
