//! Labelled text: lines of plain text, and those that OCR or a PDF's text layer give, with `label: value` and lists below headings.

mod address;
mod items;
mod labels;
mod others;
mod table;
#[cfg(test)]
mod tests;

use std::ops::Range;

use concord_schemas::patient_documents::fields;

use crate::Limits;
use crate::found::Found;
use crate::values::{date, name, nhs_number, postcode, sex};
use crate::words::{Line, lines_of_text};
use address::OpenAddress;
use concord_schemas::patient_documents::Features;
use items::{List, ListKind};
pub(crate) use items::{allergy, allergy_to};
use labels::{Label, LabelAt};
use others::Others;

/// How sure a labelled value is: a person wrote the label, and may have put another value behind it.
const LABELLED: i32 = 95;
/// How sure a value is that had to be told apart from others, such as the family name in a name of one line.
const TOLD_APART: i32 = 90;
/// The system of a valid NHS number.
const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// Reads plain text.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Features<'static>, crate::ReadFailure> {
    let mut found = Found::new("labelled-text", limits);
    read_lines(&lines_of_text(text), &mut found);
    found.finish()
}

/// Reads lines, of one page or several behind each other.
pub(crate) fn read_lines(lines: &[Line], found: &mut Found) {
    let mut reader = Reader { found, list: None, address: None, item: None, others: Others::default() };
    for line in lines {
        if reader.found.is_full() {
            return;
        }
        let heading = others::without_ruler(line);
        if heading.is_some() {
            reader.ruler();
        }
        let line = heading.as_ref().unwrap_or(line);
        reader.line(line);
        if !line.text.trim().is_empty() {
            reader.others.passed();
        }
    }
    reader.end_list();
    reader.end_address();
}

struct Reader<'f> {
    found: &'f mut Found,
    list: Option<List>,
    address: Option<OpenAddress>,
    /// There was a medicine or an allergy, whose label begins so far in, and nothing since then that cannot be about it.
    item: Option<usize>,
    others: Others,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line) {
        let text = line.text.as_str();
        if text.trim().is_empty() {
            self.others.blank();
            if self.address.as_ref().is_some_and(|address| !address.parts.lines.is_empty()) {
                self.break_address();
            } else {
                self.end_address();
            }
            if let Some(list) = &mut self.list {
                list.blank(self.found);
            }
            return;
        }
        if !self.others.is_about_patient(text) {
            return;
        }
        let labels: Vec<LabelAt> = labels::in_line(text)
            .into_iter()
            .filter(|at| at.is_marked || is_proven(at.label, &text[at.value.clone()]))
            .collect();
        if labels.is_empty() {
            self.unlabelled(line);
            return;
        }
        if self.others.is_active() {
            return;
        }
        // Before the first label the line may be an item: `- Paracetamol 500 mg   Dose: 1 tablet`.
        let before = &text[..labels[0].start];
        let is_item = labels::without_bullet(before).chars().any(char::is_alphabetic);
        if is_item && let Some(list) = &mut self.list {
            list.line(line, 0..labels[0].start, self.found);
        }
        for at in &labels {
            self.labelled(line, at);
        }
    }

    fn unlabelled(&mut self, line: &Line) {
        let text = line.text.as_str();
        let indent = text.len() - text.trim_start().len();
        if self.address_line(line, indent) {
            return;
        }
        if labels::is_heading_of_others(text, self.others.stands_out()) {
            self.end_list();
            self.item = None;
            self.others.begin(text);
            return;
        }
        if let Some(list) = &mut self.list {
            if list.line(line, 0..text.len(), self.found) {
                return;
            }
            self.end_list();
        }
        // What is labelled in a way that is not known may be about the item too, and so may what is further in; any other text is about
        // something else.
        self.item = self.item.filter(|item| indent > *item || labels::begins_with_label(text.trim()));
    }

    /// A part is at its end, whatever it was about.
    fn ruler(&mut self) {
        self.end_list();
        self.end_address();
        self.item = None;
        self.others.ruler();
    }

    fn labelled(&mut self, line: &Line, at: &LabelAt) {
        let value = trimmed(&line.text, at.value.clone());
        let written = &line.text[value.clone()];
        let spot = line.spot(value.clone(), LABELLED);
        // Forms have dashes where nothing is known.
        let says_nothing = !written.is_empty() && !written.contains(char::is_alphanumeric);
        match at.label {
            Label::Postcode if says_nothing => return,
            Label::Postcode => return self.postcode(written, &spot),
            Label::AddressPart => return self.address_part(written, &spot),
            Label::Phone | Label::Mobile | Label::WorkPhone => self.break_address(),
            _ => self.end_address(),
        }
        if items::is_of_item(at.label) {
            if let Some(list) = &mut self.list {
                list.end_item(self.found);
            }
            if self.item.is_some() && !says_nothing {
                items::of_item(at, written, self.found);
            }
            return;
        }
        self.end_list();
        self.item = matches!(at.label, Label::Medications | Label::Allergies).then_some(at.start);
        if says_nothing {
            return;
        }
        match at.label {
            Label::NhsNumber => {
                match nhs_number(leading(written, |one| one.is_ascii_digit() || matches!(one, ' ' | '-'))) {
                    Some(number) => self.found.identifier(NHS_NUMBER_SYSTEM, &number, &spot),
                    None => self.found.identifier(at.written, written, &spot),
                }
            }
            Label::Identifier => self.found.identifier(at.written, before_gap(written), &spot),
            Label::Name => {
                let (family, given) = name::split(before_gap(written));
                self.found.name(&family, &given, &spot.at_most(TOLD_APART));
            }
            Label::FamilyName => self.found.field(fields::FAMILY_NAME, before_gap(written), &spot),
            Label::GivenNames => self.found.field(fields::GIVEN_NAMES, before_gap(written), &spot),
            Label::MiddleNames => self.found.more_given_names(before_gap(written)),
            Label::BirthDate => self.found.field(fields::BIRTH_DATE, &leading_date(written).unwrap_or_default(), &spot),
            Label::Sex => self.found.sex(leading(before_gap(written), |one| one.is_alphabetic() || one == ' '), &spot),
            Label::Address => self.open_address(line, at, value),
            Label::Phone => self.found.phone(before_gap(written), "", false, &spot),
            Label::Mobile => self.found.phone(before_gap(written), "mobile", false, &spot),
            Label::WorkPhone => self.found.phone(before_gap(written), "work", false, &spot),
            Label::Medications => self.open_list(ListKind::Medications, line, value),
            Label::Allergies => self.open_list(ListKind::Allergies, line, value),
            _ => {}
        }
    }

    fn open_list(&mut self, kind: ListKind, line: &Line, value: Range<usize>) {
        let mut list = List::new(kind, line, !value.is_empty());
        list.first(line, value, self.found);
        self.list = Some(list);
    }

    fn end_list(&mut self) {
        if let Some(mut list) = self.list.take() {
            list.end_item(self.found);
        }
    }
}

/// Whether a value shows that the word before it is a label, though nothing marks it as one.
fn is_proven(label: Label, value: &str) -> bool {
    let value = value.trim();
    match label {
        Label::NhsNumber => {
            nhs_number(leading(value, |one| one.is_ascii_digit() || matches!(one, ' ' | '-'))).is_some()
        }
        Label::BirthDate => leading_date(value).is_some_and(|date| date.len() == "1958-12-31".len()),
        Label::Sex => sex::from_text(before_gap(value)).is_some(),
        Label::Postcode => postcode::of_uk(before_gap(value)).is_some(),
        Label::Phone | Label::Mobile => {
            value.starts_with(['0', '+']) && crate::values::phone::from_text(before_gap(value)).is_some()
        }
        _ => false,
    }
}

/// A range without the blanks and bars around what it holds.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let around = |one: char| one.is_whitespace() || matches!(one, '|' | ';');
    let value = &text[range.clone()];
    let start = range.start + (value.len() - value.trim_start_matches(around).len());
    let end = start + text[start..range.end].trim_end_matches(around).len();
    start..end
}

/// What stands before a gap: behind it begins something else.
fn before_gap(value: &str) -> &str {
    value.trim().split("   ").next().unwrap_or_default().trim_end()
}

/// The longest beginning of characters that belong.
fn leading(value: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = value.find(|one| !belongs(one)).unwrap_or(value.len());
    value[..end].trim()
}

/// A date at the beginning: of one to three words.
fn leading_date(value: &str) -> Option<String> {
    let value = value.split('(').next().unwrap_or_default();
    let words: Vec<&str> = value.split_whitespace().take(3).collect();
    (1..=words.len()).rev().find_map(|count| date::from_words(&words[..count].join(" ")))
}
