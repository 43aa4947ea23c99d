//! Lists of medicines and allergies, one item to a line or several, and labelled lines that belong to the item before them.

use std::ops::Range;

use concord_schemas::patient_documents::{ObservedAllergy, ObservedMedication};

use super::labels::{Label, LabelAt, begins_with_label, without_bullet};
use super::{LABELLED, TOLD_APART};
use crate::found::{Found, Spot};
use crate::values::{code_system, date, joined, medicine, product, squeezed};
use crate::words::{Line, together};

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    Medications,
    Allergies,
}

/// An item is a few lines; what would make it longer is left out.
const LONGEST_ITEM: usize = 1_000;

/// A list that is being read.
pub(super) struct List {
    kind: ListKind,
    /// How far its heading is indented.
    heading: usize,
    /// Something stood behind the heading: then only lines that are indented go on with it.
    is_beside: bool,
    item: Option<Item>,
    has_items: bool,
    saw_blank: bool,
}

struct Item {
    text: String,
    spot: Spot,
    indent: usize,
    has_bullet: bool,
}

impl List {
    pub fn new(kind: ListKind, heading: &Line, is_beside: bool) -> Self {
        let heading = indent_of(&heading.text);
        Self { kind, heading, is_beside, item: None, has_items: false, saw_blank: false }
    }

    /// What stands behind the heading: a medicine, or allergies.
    pub fn first(&mut self, line: &Line, value: Range<usize>, found: &mut Found) {
        let text = line.text[value.clone()].to_owned();
        if text.is_empty() {
            return;
        }
        self.has_items = true;
        let spot = line.spot(value.clone(), TOLD_APART);
        if self.kind == ListKind::Allergies {
            // Several behind each other; what goes on in the next line is one more.
            allergies(&text, &spot, found);
            return;
        }
        self.item = Some(Item { text, spot, indent: value.start, has_bullet: false });
    }

    /// An empty line: what follows belongs to the list only when it is marked as an item, or when there was none yet.
    pub fn blank(&mut self, found: &mut Found) {
        self.end_item(found);
        self.saw_blank = self.has_items;
    }

    /// Takes a line or the part of one; `false` when it does not belong to the list.
    pub fn line(&mut self, line: &Line, part: Range<usize>, found: &mut Found) -> bool {
        let written = line.text[part.clone()].trim_end();
        let (indent, bare) = (indent_of(written), without_bullet(written));
        let has_bullet = bare.len() < written.trim_start().len();
        let goes_on = line.goes_on && !has_bullet && self.item.is_some();
        if !goes_on && !has_bullet && (self.saw_blank || (self.is_beside && indent < self.heading + 2)) {
            return false;
        }
        // Of an item that is labelled more is labelled.
        if self.is_beside && !has_bullet && !goes_on && begins_with_label(bare) {
            return false;
        }
        let start = written.len() - bare.len();
        let spot = line.spot(part.start + start..part.start + written.len(), TOLD_APART);
        if let Some(item) = &mut self.item {
            let is_indented = if item.has_bullet { indent > item.indent } else { indent > item.indent + 1 };
            if goes_on || (is_indented && !has_bullet) {
                if item.text.len() < LONGEST_ITEM {
                    if !ends_within_word(&item.text) {
                        item.text.push(' ');
                    }
                    item.text.push_str(bare);
                }
                item.spot = together(&item.spot, &spot);
                return true;
            }
            if item.has_bullet && !has_bullet {
                return false;
            }
        }
        self.end_item(found);
        self.has_items = true;
        self.saw_blank = false;
        self.item = Some(Item { text: bare.to_owned(), spot, indent, has_bullet });
        true
    }

    /// The item before is whole.
    pub fn end_item(&mut self, found: &mut Found) {
        let Some(Item { text, spot, .. }) = self.item.take() else { return };
        match self.kind {
            ListKind::Medications => medication(&text, &spot, found),
            ListKind::Allergies => one_allergy(&text, &spot, found),
        }
    }
}

/// Lines are broken behind a hyphen too: in a date, or in co-codamol.
fn ends_within_word(text: &str) -> bool {
    text.strip_suffix('-').is_some_and(|text| text.ends_with(char::is_alphanumeric))
}

fn indent_of(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn medication(text: &str, spot: &Spot, found: &mut Found) {
    let Some(read) = medicine::from_line(text) else { return };
    let observed = ObservedMedication {
        code_system: read.code_system.into(),
        code: read.code.into(),
        name: read.name.into(),
        strength: read.strength.into(),
        form: read.form.into(),
        dose: read.dose.into(),
        route: read.route.into(),
        start: read.start.into(),
        end: read.end.into(),
        status: if read.status.is_empty() { "unknown" } else { read.status }.into(),
        ..ObservedMedication::default()
    };
    found.medication(observed, spot);
}

/// Several allergies behind each other: `Penicillin (rash), latex; nuts - swelling`.
fn allergies(text: &str, spot: &Spot, found: &mut Found) {
    let at_commas = !text.contains(" - ");
    let (mut depth, mut start) = (0_usize, 0);
    for (at, one) in text.char_indices() {
        match one {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' | ',' if depth == 0 && (one == ';' || at_commas) => {
                one_allergy(&text[start..at], spot, found);
                start = at + 1;
            }
            _ => {}
        }
    }
    one_allergy(&text[start..], spot, found);
}

fn one_allergy(text: &str, spot: &Spot, found: &mut Found) {
    if let Some(observed) = allergy(text) {
        found.allergy(observed, spot);
    }
}

/// `Penicillin - rash`, `Penicillin (rash)`, `Penicillin: rash`, with a code anywhere in brackets. `None` when it names none.
pub(crate) fn allergy(text: &str) -> Option<ObservedAllergy<'static>> {
    let (bare, code_system, code) = medicine::without_code(text);
    let bare = bare.trim_end_matches(['.', ',', ';']);
    let (substance, reaction) = [" - ", " – ", ": ", "("]
        .iter()
        .find_map(|separator| bare.split_once(separator))
        .map_or((bare, ""), |(substance, reaction)| (substance, reaction.trim_end_matches(')')));
    let reaction = reaction.trim();
    let reaction = reaction.strip_prefix("reaction:").or(reaction.strip_prefix("Reaction:")).unwrap_or(reaction);
    let is_denied = code_system::denies_allergies(&code, bare);
    let observed = allergy_to(substance, reaction).filter(|_| !is_denied)?;
    Some(ObservedAllergy { code_system: code_system.into(), code: code.into(), ..observed })
}

/// An allergy whose reaction stands apart, with a code in brackets behind the substance.
pub(crate) fn allergy_to(substance: &str, reaction: &str) -> Option<ObservedAllergy<'static>> {
    let (substance, code_system, code) = medicine::without_code(substance);
    let is_none = substance.chars().filter(|one| one.is_alphabetic()).count() < 2;
    if is_none || code_system::denies_allergies(&code, &substance) {
        return None;
    }
    Some(ObservedAllergy {
        code_system: code_system.into(),
        code: code.into(),
        substance: substance.into(),
        reaction: squeezed(reaction).into(),
        ..ObservedAllergy::default()
    })
}

/// Whether a label is about the item before it.
pub(super) fn is_of_item(label: Label) -> bool {
    use Label::{Code, Dose, End, Form, Reaction, Route, Start, Status, Strength};
    matches!(label, Strength | Form | Dose | Route | Start | End | Status | Code | Reaction)
}

/// Adds a labelled value to the medicine or allergy before it, where that does not have it yet.
pub(super) fn of_item(at: &LabelAt, written: &str, found: &mut Found) {
    if at.label == Label::Reaction {
        if let Some(allergy) = found.last_allergy().filter(|allergy| allergy.reaction.is_empty()) {
            allergy.reaction = squeezed(written).into();
        }
        return;
    }
    let Some(medication) = found.last_medication() else { return };
    medication.confidence = medication.confidence.min(LABELLED);
    let date = || date::from_words(written).unwrap_or_default();
    let (field, value) = match at.label {
        Label::Strength => (&mut medication.strength, product::strength(written).unwrap_or_else(|| squeezed(written))),
        Label::Form => (&mut medication.form, product::in_singular(written)),
        Label::Route => (&mut medication.route, medicine::route(written)),
        Label::Start => (&mut medication.start, date()),
        Label::End => (&mut medication.end, date()),
        Label::Code => {
            if medication.code.is_empty() && !written.is_empty() {
                let system = if at.written.starts_with("dm") { "dm+d" } else { "snomed" };
                medication.code_system = system.into();
                medication.code = squeezed(written).into();
            }
            return;
        }
        Label::Status => {
            if let Some(status) = medicine::status(written).filter(|_| medication.status == "unknown") {
                medication.status = status.into();
            }
            return;
        }
        _ if medication.dose.len() > LONGEST_ITEM => return,
        _ => {
            medication.dose = joined([medication.dose.as_ref(), written], ", ").into();
            return;
        }
    };
    if field.is_empty() {
        *field = value.into();
    }
}
