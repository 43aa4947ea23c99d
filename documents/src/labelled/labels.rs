//! Finds the labels of a line, and what is theirs.

use std::ops::Range;

pub(super) use super::table::Label;
use super::table::{LABELS, OF_OTHERS, OF_THE_PATIENT, PARTS_OF_OTHERS};

/// In bytes; a line may have any length.
const LONGEST_LABEL: usize = 64;

/// A label in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabelAt {
    pub label: Label,
    /// Whether a colon or its like stands behind it. Without one it is only a label when its value proves it.
    pub is_marked: bool,
    /// Where the label begins, and the bytes of its value up to the next label.
    pub start: usize,
    pub value: Range<usize>,
    /// The word of a label that names a code system.
    pub written: &'static str,
}

/// The labels of a line in order: at its beginning, and behind gaps, colons' values and bars.
pub(super) fn in_line(line: &str) -> Vec<LabelAt> {
    let mut found: Vec<LabelAt> = Vec::new();
    for start in beginnings(line) {
        if found.last().is_some_and(|last| start < last.value.start) {
            continue;
        }
        if let Some(label) = label_at(line, start, start == first_of(line)) {
            if let Some(before) = found.last_mut() {
                before.value.end = before.value.end.min(label.start).max(before.value.start);
            }
            found.push(label);
        }
    }
    for label in &mut found {
        if let Some(end) = unknown_label_in(&line[label.value.clone()]) {
            label.value.end = label.value.start + end;
        }
    }
    found
}

/// Where a label begins, behind a gap, that is not in the table: a value ends there too.
fn unknown_label_in(value: &str) -> Option<usize> {
    let mut behind_gaps = value.char_indices().filter(|(at, one)| *one != ' ' && value[..*at].ends_with("  "));
    behind_gaps.find(|(at, _)| begins_with_label(&value[*at..])).map(|(at, _)| at)
}

/// Whether a text begins as a label does that may not be in the table: a few words, the first with a capital, and a colon.
pub(super) fn begins_with_label(text: &str) -> bool {
    // No label is longer; a line may have any length.
    let Some((colon, _)) = text.char_indices().take(LONGEST_LABEL).find(|(_, one)| *one == ':') else { return false };
    let (words, behind) = (&text[..colon], &text[colon + 1..]);
    let is_short = words.split_whitespace().count() <= 4 && !words.contains("  ");
    words.starts_with(char::is_uppercase) && is_short && (behind.is_empty() || behind.starts_with(' '))
}

fn first_of(line: &str) -> usize {
    line.len() - without_bullet(line).len()
}

/// A line without what counts or marks its item.
pub(super) fn without_bullet(line: &str) -> &str {
    let line = line.trim_start();
    let bare = line.trim_start_matches(['-', '*', '•', '·', '–', '>', '«', '¢']);
    if bare.len() < line.len() && bare.starts_with(' ') {
        return bare.trim_start();
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line[digits..].strip_prefix(['.', ')']) {
        Some(rest) if (1..=2).contains(&digits) && rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    }
}

/// Where labels may begin.
fn beginnings(line: &str) -> Vec<usize> {
    let first = first_of(line);
    let mut starts = vec![first];
    let bytes = line.as_bytes();
    for (at, _) in line.char_indices().filter(|(at, _)| *at > first) {
        let is_word = !bytes[at].is_ascii_whitespace();
        let behind_gap = bytes[at - 1] == b' ' && at >= 2 && matches!(bytes[at - 2], b' ' | b'|' | b',' | b';');
        let behind_blank = bytes[at - 1] == b' ' || bytes[at - 1] == b'|';
        if is_word && (behind_gap || behind_blank) {
            starts.push(at);
        }
    }
    starts
}

fn label_at(line: &str, start: usize, is_first: bool) -> Option<LabelAt> {
    let rest = &line[start..];
    let (written, label, length) = LABELS
        .iter()
        .filter_map(|(written, label)| matched(rest, written).map(|length| (*written, *label, length)))
        .max_by_key(|(written, ..)| written.len())?;
    let behind = &rest[length..];
    let value_of = |mark: &str| {
        let trimmed = mark.trim_start();
        line.len() - trimmed.len()
    };
    let trimmed = behind.trim_start_matches(['.', ' ']);
    let marked = trimmed.strip_prefix([':', '=']);
    let is_behind_gap = line[..start].ends_with("  ") || line[..start].trim_end().ends_with(['|', ';', ',']);
    // Within a sentence a label needs a colon; at the beginning, or behind a gap, its value may prove it.
    if marked.is_none() && !is_first && !is_behind_gap {
        return None;
    }
    let qualifier = if marked.is_some() { qualifier_of(&line[..start]) } else { "" };
    if is_of_others(&line[..start]) || (is_of_a_person(label) && !is_of_the_patient(qualifier)) {
        // The words before it are part of it, and no value of another label.
        let start = line[..start].trim_end().rfind("  ").map_or(0, |gap| gap + 2);
        return Some(LabelAt {
            label: Label::Other,
            is_marked: true,
            start,
            value: line.len()..line.len(),
            written: "",
        });
    }
    let value = match marked {
        Some(rest) => value_of(rest),
        None => value_of(behind.strip_prefix(['.', ';', '-']).unwrap_or(behind)),
    };
    let is_marked = marked.is_some()
        || (behind.trim().is_empty() && is_first)
        || behind.starts_with("  ")
        || behind.starts_with([';', '-']);
    Some(LabelAt { label, is_marked, start, value: value..line.len(), written })
}

/// Values of which each person has their own.
fn is_of_a_person(label: Label) -> bool {
    use Label::{
        Address, BirthDate, FamilyName, GivenNames, MiddleNames, Mobile, Name, Phone, Postcode, Sex, WorkPhone,
    };
    matches!(
        label,
        Name | FamilyName
            | GivenNames
            | MiddleNames
            | BirthDate
            | Sex
            | Address
            | Postcode
            | Phone
            | Mobile
            | WorkPhone
    )
}

/// The few words before a label that belong to it: those from the beginning of the line, or from the last gap.
fn qualifier_of(before: &str) -> &str {
    let end = end_of(before);
    let words = end.rsplit("  ").next().unwrap_or_default();
    let is_cut = words.len() == end.len() && end.len() < before.len();
    let is_label = !is_cut && !words.contains([':', '.', ',', ';', '|', '=']) && words.split_whitespace().count() <= 4;
    if is_label { without_bullet(words).trim() } else { "" }
}

/// As much of the end of a text as a label may be long.
fn end_of(text: &str) -> &str {
    let start = (text.len().saturating_sub(LONGEST_LABEL)..text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(text.len())..]
}

fn is_of_the_patient(qualifier: &str) -> bool {
    qualifier.split_whitespace().all(|word| OF_THE_PATIENT.contains(&word.to_lowercase().as_str()))
}

/// Whether a line is the heading of a part about somebody else. `stands_out`: a ruler says that it is a heading.
pub(super) fn is_heading_of_others(line: &str, stands_out: bool) -> bool {
    let line = line.trim().trim_end_matches(':');
    let words: Vec<&str> = line.split_whitespace().collect();
    let begins_large = |word: Option<&&str>| word.is_some_and(|word| word.starts_with(char::is_uppercase));
    let is_title = words.len() <= 5 && begins_large(words.first()) && begins_large(words.last());
    let line = line.to_lowercase();
    let heading = line.trim_end_matches(" details").trim_end_matches(" information");
    let ends_with = |other: &&str| {
        let rest = heading.strip_suffix(*other).or_else(|| heading.strip_suffix('s')?.strip_suffix(*other));
        rest.is_some_and(|rest| rest.ends_with(' ') || rest.is_empty())
    };
    OF_OTHERS.contains(&heading) || ((is_title || stands_out) && PARTS_OF_OTHERS.iter().any(ends_with))
}

/// Whether the words before a label say that it is about somebody else.
fn is_of_others(before: &str) -> bool {
    let words = end_of(before).rsplit("  ").next().unwrap_or_default().to_lowercase();
    let words = words.trim().trim_end_matches(':').trim();
    OF_OTHERS.iter().any(|other| words.ends_with(other))
}

/// How many bytes of the text are the label, whatever its capitals and blanks; `None` when it does not begin with it.
fn matched(text: &str, label: &str) -> Option<usize> {
    let mut rest = text.char_indices().peekable();
    for one in label.chars() {
        if one == ' ' {
            let mut blanks = 0;
            while rest.next_if(|(_, other)| *other == ' ' || *other == '.').is_some() {
                blanks += 1;
            }
            if blanks == 0 || blanks > 2 {
                return None;
            }
            continue;
        }
        let (_, other) = rest.next()?;
        if !(other.to_lowercase().eq(std::iter::once(one)) || one == '\'' && other == '’') {
            return None;
        }
    }
    let length = rest.peek().map_or(text.len(), |(at, _)| *at);
    let ends_word = rest.peek().is_none_or(|(_, next)| !next.is_alphanumeric() && *next != '\'');
    // `Name(s)`, `Allergy/allergies` and their like.
    let plural = ["(s)", "(es)"].iter().find(|plural| text[length..].starts_with(**plural));
    ends_word.then_some(length + plural.map_or(0, |plural| plural.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn found(line: &str) -> Vec<(Label, &str)> {
        in_line(line).into_iter().map(|at| (at.label, line[at.value].trim())).collect()
    }

    #[test]
    fn labels_are_found_at_the_beginning_behind_gaps_and_before_colons() {
        assert_eq!(found("NHS Number: 999 054 8609"), [(Label::NhsNumber, "999 054 8609")]);
        assert_eq!(found("  Date  of birth . : 1958"), [(Label::BirthDate, "1958")]);
        assert_eq!(
            found("NHS No: 1   D.O.B.: 2   Sex  F"),
            [(Label::NhsNumber, "1"), (Label::BirthDate, "2"), (Label::Sex, "F")]
        );
        assert_eq!(found("Name: A | Sex: F"), [(Label::Name, "A |"), (Label::Sex, "F")]);
        assert_eq!(found("- Medication: Paracetamol"), [(Label::Medications, "Paracetamol")]);
        assert_eq!(found("ALLERGIES"), [(Label::Allergies, "")]);
        let at_the_end = in_line("- Paracetamol 500 mg, dm+d");
        assert!(at_the_end.iter().all(|at| !at.is_marked), "{at_the_end:?}");
    }

    #[test]
    fn a_word_in_a_sentence_is_no_label() {
        assert_eq!(found("I write about the address of the patient"), []);
        assert_eq!(found("Surnames: A"), []);
        let unmarked = in_line("Name and address are on file");
        assert!(unmarked.iter().all(|at| !at.is_marked), "{unmarked:?}");
    }

    #[test]
    fn what_is_labelled_as_somebody_elses_is_not_the_patients() {
        assert_eq!(found("GP Name: Dr Jones"), [(Label::Other, "")]);
        assert_eq!(found("Name: A   Next of kin telephone: 1"), [(Label::Name, "A"), (Label::Other, "")]);
    }

    #[test]
    fn items_lose_their_bullets_and_numbers() {
        for line in ["- a", "  • a", "1. a", "12) a", "a"] {
            assert_eq!(without_bullet(line), "a");
        }
        assert_eq!(without_bullet("500 mg"), "500 mg");
        assert_eq!(without_bullet("1.5 mg"), "1.5 mg");
    }
}
