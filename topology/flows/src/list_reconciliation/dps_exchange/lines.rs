//! The lines of an answer, as they are written and read.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::totals::Totals;

/// The version of the answer's form that is written and read here.
pub const VERSION: u32 = 1;

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AnswerLine<'a> {
    /// The first line.
    Header(HeaderLine<'a>),
    /// A record of the extract that breaks rules.
    InvalidRecord(InvalidRecordLine<'a>),
    /// A patient of whom there is something to report.
    Patient(Box<PatientLine<'a>>),
    /// A person whom PDS registers at the practice and whom the extract does not name.
    OnlyOnPds(Box<OnlyOnPdsLine<'a>>),
    /// The last line.
    Trailer(Totals),
}

/// What the answer is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderLine<'a> {
    /// [`VERSION`].
    pub version: u32,
    /// The job, as it was sent along with the extract.
    #[serde(borrow)]
    pub job_id: Cow<'a, str>,
    /// Practice code of the file name.
    #[serde(borrow)]
    pub practice: Cow<'a, str>,
    /// Normalised name of the extract.
    #[serde(borrow)]
    pub file: Cow<'a, str>,
    /// Processing time, in UTC to the millisecond: the names of the output files and the mails show it.
    pub processed_at: jiff::Timestamp,
    /// Whether the extract was compared.
    pub verdict: Verdict,
    /// Why the extract is refused as a whole; empty otherwise.
    #[serde(borrow)]
    pub reasons: Vec<Cow<'a, str>>,
}

impl HeaderLine<'_> {
    pub(in crate::list_reconciliation) fn to_owned_line(&self) -> HeaderLine<'static> {
        let text = |text: &Cow<'_, str>| Cow::Owned(text.to_string());
        HeaderLine {
            version: self.version,
            job_id: text(&self.job_id),
            practice: text(&self.practice),
            file: text(&self.file),
            processed_at: self.processed_at,
            verdict: self.verdict,
            reasons: self.reasons.iter().map(text).collect(),
        }
    }
}

/// Whether the extract was compared with PDS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// It was.
    Accepted,
    /// It was not: it is no extract.
    InvalidStructure,
    /// It was not: records of it break rules.
    InvalidRecords,
}

impl Verdict {
    /// Why the job is refused, as its report says it; empty when it is not.
    #[must_use]
    pub fn refused(self) -> &'static str {
        match self {
            Self::Accepted => "",
            Self::InvalidStructure => "INVALID_STRUCTURE",
            Self::InvalidRecords => "INVALID_RECORDS",
        }
    }
}

/// A record that breaks rules. It says where and which, and nothing of the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidRecordLine<'a> {
    /// 1-based number of the record in the extract.
    pub number: i64,
    /// The lines of its two rows.
    pub lines: [u64; 2],
    /// The rules it breaks, in the order of the fields.
    #[serde(borrow)]
    pub messages: Vec<FieldMessage<'a>>,
}

/// A rule that a field breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMessage<'a> {
    /// The field, as reports name it.
    #[serde(borrow)]
    pub field: Cow<'a, str>,
    /// What it must be.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// A patient who is not registered at the practice on PDS, is sensitive, or differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientLine<'a> {
    /// 1-based number of the record in the extract.
    pub number: i64,
    /// How many records before it in the extract have the same NHS number.
    pub earlier: u32,
    /// `Matched`, `Partnership Mismatch`, `Deducted Patient Match` or `Unmatched`.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// Ids of the rules that found a difference, in the order of evaluation.
    #[serde(borrow)]
    pub rules: Vec<Cow<'a, str>>,
    /// What the practice holds.
    #[serde(borrow)]
    pub gp: GpBlock<'a>,
    /// What PDS holds; null for the unmatched.
    #[serde(borrow, deserialize_with = "present")]
    pub pds: Option<PdsBlock<'a>>,
}

/// A person whom PDS registers at the practice and whom the extract does not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlyOnPdsLine<'a> {
    /// What PDS holds.
    #[serde(borrow)]
    pub pds: PdsBlock<'a>,
}

/// What the practice holds of a patient, as far as outputs show it. Null is an empty field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpBlock<'a> {
    /// As given: ten digits, or an older form.
    #[serde(borrow, deserialize_with = "present")]
    pub nhs_number: Option<Cow<'a, str>>,
    /// Surname.
    #[serde(borrow, deserialize_with = "present")]
    pub surname: Option<Cow<'a, str>>,
    /// All forenames in one text.
    #[serde(borrow, deserialize_with = "present")]
    pub forenames: Option<Cow<'a, str>>,
    /// Previous surname.
    #[serde(borrow, deserialize_with = "present")]
    pub previous_surname: Option<Cow<'a, str>>,
    /// Title.
    #[serde(borrow, deserialize_with = "present")]
    pub title: Option<Cow<'a, str>>,
    /// 1 male, 2 female, 0 indeterminate or not known, 9 not specified.
    #[serde(deserialize_with = "present")]
    pub sex: Option<i32>,
    /// `CCYYMMDD`.
    #[serde(borrow, deserialize_with = "present")]
    pub date_of_birth: Option<Cow<'a, str>>,
    /// The five lines.
    #[serde(borrow)]
    pub address: [Option<Cow<'a, str>>; 5],
    /// Eight characters, padded between its two parts.
    #[serde(borrow, deserialize_with = "present")]
    pub postcode: Option<Cow<'a, str>>,
}

/// What PDS holds of a person. Empty text is "absent".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdsBlock<'a> {
    /// Ten digits.
    #[serde(borrow)]
    pub nhs_number: Cow<'a, str>,
    /// Serial change number.
    #[serde(borrow)]
    pub scn: Cow<'a, str>,
    /// `U`, `R`, `V`, `REDACTED`, or as PDS has it.
    #[serde(borrow)]
    pub security: Cow<'a, str>,
    /// Family name.
    #[serde(borrow)]
    pub surname: Cow<'a, str>,
    /// Given names in order.
    #[serde(borrow)]
    pub forenames: Vec<Cow<'a, str>>,
    /// Titles in order.
    #[serde(borrow)]
    pub titles: Vec<Cow<'a, str>>,
    /// FHIR word.
    #[serde(borrow)]
    pub gender: Cow<'a, str>,
    /// ISO date, perhaps partial.
    #[serde(borrow)]
    pub date_of_birth: Cow<'a, str>,
    /// Address lines in order, without the postcode.
    #[serde(borrow)]
    pub address: Vec<Cow<'a, str>>,
    /// Postcode.
    #[serde(borrow)]
    pub postcode: Cow<'a, str>,
    /// Practice of registration.
    #[serde(borrow)]
    pub gp_practice: Cow<'a, str>,
    /// Start of that registration.
    #[serde(borrow)]
    pub registered_from: Cow<'a, str>,
}

/// Appends a line with its line feed.
pub fn write_line(out: &mut String, line: &AnswerLine<'_>) {
    // Text keys and finite numbers always serialise.
    out.push_str(&serde_json::to_string(line).unwrap_or_default());
    out.push('\n');
}

/// Null is a value; a field that is not there is a mistake of the writer.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
