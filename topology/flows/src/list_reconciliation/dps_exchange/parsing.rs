//! From the text of a line to the line, with every fault named by its field. The texts of the parser quote values, which are
//! patients': they stay out.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::PdsRecord;
use concord_schemas::nhs_number;
use serde::Deserialize;

use super::lines::{AnswerLine, HeaderLine, InvalidRecordLine, OnlyOnPdsLine, PatientLine, PdsBlock, VERSION, Verdict};
use super::totals::Totals;
use super::unknown_fields::UnknownFields;
use crate::list_reconciliation::compare;
use crate::list_reconciliation::registration::{RegistrationStatus, is_sensitive};

const LONGEST_ID: usize = 64;

/// What is wrong with a line: the field, and the problem.
pub(super) type Wrong = (String, Cow<'static, str>);

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// Reads a line by itself. Whether it contradicts the header is for [`contradiction`] to say.
pub(super) fn parse_line<'a>(text: &'a str, unknown: &mut UnknownFields) -> Result<AnswerLine<'a>, Wrong> {
    let Ok(Tag { kind }) = serde_json::from_str(text) else {
        return Err(wrong("", "it is not a JSON object with one field `type`, whose value is text"));
    };
    match &*kind {
        "header" => parse("header", text, unknown).map(AnswerLine::Header),
        "invalid_record" => parse("invalid_record", text, unknown).map(AnswerLine::InvalidRecord),
        "patient" => parse("patient", text, unknown).map(AnswerLine::Patient),
        "only_on_pds" => parse("only_on_pds", text, unknown).map(AnswerLine::OnlyOnPds),
        "trailer" => parse::<Totals>("trailer", text, unknown).map(AnswerLine::Trailer),
        _ => Err(wrong("type", "it is none of header, invalid_record, patient, only_on_pds, trailer")),
    }
}

fn parse<'a, T: Deserialize<'a>>(kind: &str, text: &'a str, unknown: &mut UnknownFields) -> Result<T, Wrong> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let mut ignored = Vec::new();
    let parsed = serde_ignored::deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track), |path| {
        ignored.push(path.to_string());
    });
    match parsed {
        Ok(line) => {
            // A line of another kind of fault is not asked what else it has.
            ignored.iter().filter(|path| *path != "type").for_each(|path| unknown.add(kind, path));
            Ok(line)
        }
        Err(error) => Err(described(&track.path(), &error)),
    }
}

/// The words of the parser name a missing field, and otherwise quote what they found.
fn described(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Wrong {
    let path = if path.iter().next().is_none() { String::new() } else { path.to_string() };
    let words = error.to_string();
    for (beginning, problem) in
        [("missing field `", "the field is missing"), ("duplicate field `", "the field stands twice")]
    {
        if let Some(name) = words.strip_prefix(beginning).and_then(|rest| rest.split('`').next()) {
            let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            return (field, Cow::Borrowed(problem));
        }
    }
    (path, Cow::Borrowed("its value is not of the kind that the schema gives it"))
}

/// What contradicts itself in a line, or contradicts the header.
pub(super) fn contradiction(line: &AnswerLine<'_>, practice: &str) -> Option<Wrong> {
    let checked = match line {
        AnswerLine::Header(header) => check_header(header),
        AnswerLine::InvalidRecord(invalid) => check_invalid_record(invalid),
        AnswerLine::Patient(patient) => check_patient(patient, practice),
        AnswerLine::OnlyOnPds(person) => check_person(person),
        AnswerLine::Trailer(_) => Ok(()),
    };
    checked.err()
}

/// The version of a header, whatever else it is like, when it is one that this program does not know.
pub(super) fn unknown_version(text: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        version: u64,
    }
    let Ok(Versioned { kind, version }) = serde_json::from_str(text) else { return None };
    (kind == "header" && version != u64::from(VERSION)).then_some(version)
}

fn check_header(header: &HeaderLine<'_>) -> Result<(), Wrong> {
    let is_id = |text: &str| {
        (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // Job and practice stand in keys and file names.
    require(is_id(&header.job_id), "job_id", "it is not 1 to 64 letters, digits and hyphens")?;
    let practice = header.practice.as_bytes();
    let is_practice =
        practice.len() == 6 && practice[0].is_ascii_uppercase() && practice[1..].iter().all(u8::is_ascii_digit);
    require(is_practice, "practice", "it is not a capital letter and five digits")?;
    require((1..=LONGEST_ID).contains(&header.file.len()), "file", "it is empty or longer than 64 bytes")?;
    let has_reasons = !header.reasons.is_empty();
    require(
        has_reasons == (header.verdict == Verdict::InvalidStructure),
        "reasons",
        "there are reasons for the verdict INVALID_STRUCTURE, and for no other",
    )
}

fn check_invalid_record(invalid: &InvalidRecordLine<'_>) -> Result<(), Wrong> {
    require(invalid.number > 0, "number", "records are counted from 1")?;
    let [first, last] = invalid.lines;
    require(first > 0 && first <= last, "lines", "they are not two lines in order, counted from 1")?;
    require(!invalid.messages.is_empty(), "messages", "an invalid record breaks at least one rule")
}

fn check_patient(patient: &PatientLine<'_>, practice: &str) -> Result<(), Wrong> {
    require(patient.number > 0, "number", "records are counted from 1")?;
    require(matches!(patient.gp.sex, None | Some(0 | 1 | 2 | 9)), "gp.sex", "it is none of 0, 1, 2, 9")?;
    let Some(status) = patient.registration_status() else {
        return Err(wrong("status", "it is none of the four registration statuses"));
    };
    let pds = patient.pds.as_ref().map(PdsBlock::as_record);
    let sensitive = pds.as_ref().is_some_and(is_sensitive);
    require(
        status == RegistrationStatus::of(practice, pds.as_ref()),
        "status",
        "it is not the one that follows from the practice which PDS names",
    )?;
    if let Some(pds) = &pds {
        check_pds(pds)?;
        // Demographics under another person's number would harm both.
        require(
            patient.gp.nhs_number.as_deref() == Some(pds.nhs_number),
            "pds.nhs_number",
            "it is not the number that the practice gave",
        )?;
    }
    let is_compared = status == RegistrationStatus::Matched && !sensitive;
    require(
        is_compared || patient.rules.is_empty(),
        "rules",
        "only a matched patient who is not sensitive is compared",
    )?;
    let place = |id: &str| compare::RULES.iter().position(|rule| rule.id == id);
    let places: Option<Vec<usize>> = patient.rules.iter().map(|id| place(id)).collect();
    let Some(places) = places else {
        return Err(wrong("rules", "one of them is no id of a rule"));
    };
    require(places.is_sorted_by(|one, next| one < next), "rules", "they are not in the order of evaluation, each once")
}

fn check_person(person: &OnlyOnPdsLine<'_>) -> Result<(), Wrong> {
    let pds = person.pds.as_record();
    check_pds(&pds)?;
    require(!is_sensitive(&pds), "pds.security", "a sensitive person must not be named here")
}

fn check_pds(pds: &PdsRecord<'_>) -> Result<(), Wrong> {
    require(nhs_number::is_valid(pds.nhs_number), "pds.nhs_number", "it is not ten digits with a right check digit")?;
    let is_gender = matches!(pds.gender, "" | "male" | "female" | "other" | "unknown");
    require(is_gender, "pds.gender", "it is none of male, female, other, unknown")?;
    let is_date = is_perhaps_partial_date(pds.date_of_birth);
    require(is_date, "pds.date_of_birth", "it is no YYYY-MM-DD, YYYY-MM or YYYY, and not empty")
}

fn is_perhaps_partial_date(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-dd";
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == *shape };
    matches!(text.len(), 0 | 4 | 7 | 10) && text.bytes().zip(SHAPE).all(fits)
}

fn require(holds: bool, field: &str, problem: &'static str) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong(field, problem)) }
}

fn wrong(field: &str, problem: &'static str) -> Wrong {
    (field.to_owned(), Cow::Borrowed(problem))
}
