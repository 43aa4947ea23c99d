//! ORC, RXO, RXE, RXR, TQ1: an order of a medicine is the segments from one ORC to the next.

use concord_schemas::patient_documents::ObservedMedication;

use super::message::{Repetition, Segment};
use super::spot;
use crate::found::{Found, Spot};
use crate::values::{code_system, date, joined, medicine, product};

/// The order that is being read: what pharmacies encoded (RXE) stands before what was asked for (RXO).
#[derive(Default)]
pub(super) struct Orders {
    medication: Option<(ObservedMedication<'static>, Spot)>,
    /// Its dose is in a person's words, which say how often too.
    is_instructed: bool,
    is_encoded: bool,
    /// What ORC and TQ1 said before there was a medicine.
    status: &'static str,
    start: String,
    end: String,
    often: String,
    route: String,
}

/// Order control codes, and the status that follows.
const CONTROLS: [(&str, &str); 12] = [
    ("CA", "stopped"),
    ("OC", "stopped"),
    ("CR", "stopped"),
    ("DC", "stopped"),
    ("OD", "stopped"),
    ("DR", "stopped"),
    ("HD", "on-hold"),
    ("OH", "on-hold"),
    ("HR", "on-hold"),
    ("RP", "active"),
    ("XO", "active"),
    ("NW", "active"),
];

/// Where a segment has what, by field.
struct Layout {
    code: usize,
    amount: usize,
    unit: usize,
    form: usize,
    instructions: usize,
    strength: usize,
    strength_unit: usize,
}

const RXO: Layout = Layout { code: 1, amount: 2, unit: 4, form: 5, instructions: 7, strength: 18, strength_unit: 19 };
const RXE: Layout = Layout { code: 2, amount: 3, unit: 5, form: 6, instructions: 7, strength: 25, strength_unit: 26 };

impl Orders {
    /// Takes a segment of an order; leaves any other.
    pub fn take(&mut self, segment: &Segment<'_>, found: &mut Found) {
        match segment.name() {
            "ORC" => {
                self.end(found);
                let control = segment.field(1).component(1);
                self.status = CONTROLS.iter().find(|(code, _)| *code == control).map_or("", |(_, status)| status);
                self.timing(&segment.field(7));
            }
            "RXO" if self.is_encoded => {}
            "RXO" => {
                // Without ORC a second one is the next order.
                if self.medication.is_some() {
                    self.end(found);
                }
                self.order(segment, &RXO);
            }
            "RXE" => {
                if self.is_encoded {
                    self.end(found);
                }
                self.timing(&segment.field(1));
                self.order(segment, &RXE);
                self.is_encoded = true;
            }
            "RXR" => {
                let route = segment.field(1);
                keep(&mut self.route, medicine::route(&text_of(&route)));
            }
            "TQ1" => {
                keep(&mut self.often, segment.field(3).component(1));
                keep(&mut self.start, date::from_digits(&segment.field(7).component(1)).unwrap_or_default());
                keep(&mut self.end, date::from_digits(&segment.field(8).component(1)).unwrap_or_default());
            }
            _ => {}
        }
    }

    fn order(&mut self, segment: &Segment<'_>, layout: &Layout) {
        let mut medication = ordered(segment, layout);
        let instructions = joined(segment.repetitions(layout.instructions).map(|(_, one)| text_of(&one)), ", ");
        self.is_instructed = !instructions.is_empty();
        // What a person is told to take says more than amount and timing, and would say it twice.
        if self.is_instructed {
            medication.dose = instructions.into();
        }
        self.medication = Some((medication, spot(segment, layout.code, 0)));
    }

    /// The order is at its end.
    pub fn end(&mut self, found: &mut Found) {
        let Self { medication, is_instructed, status, start, end, often, route, .. } = std::mem::take(self);
        let Some((mut medication, spot)) = medication else { return };
        if !is_instructed {
            medication.dose = joined([medication.dose.as_ref(), how_often(&often).as_str()], " ").into();
        }
        medication.status = if status.is_empty() { "active" } else { status }.into();
        medication.start = start.into();
        medication.end = end.into();
        medication.route = route.into();
        found.medication(medication, &spot);
    }

    /// Quantity and timing, as messages before version 2.5 have it.
    fn timing(&mut self, timing: &Repetition<'_>) {
        keep(&mut self.often, timing.component(2));
        keep(&mut self.start, date::from_digits(&timing.component(4)).unwrap_or_default());
        keep(&mut self.end, date::from_digits(&timing.component(5)).unwrap_or_default());
    }
}

fn keep(field: &mut String, value: String) {
    if field.is_empty() {
        *field = value;
    }
}

fn ordered(segment: &Segment<'_>, layout: &Layout) -> ObservedMedication<'static> {
    let code = best_code(&segment.field(layout.code));
    let split = product::split(&code.text);
    let form = text_of(&segment.field(layout.form));
    let (number, unit) = (segment.field(layout.strength).component(1), text_of(&segment.field(layout.strength_unit)));
    let strength = if number.is_empty() { split.strength } else { product::amount(&number, &product::unit(&unit)) };
    let (amount, amount_unit) = (segment.field(layout.amount).component(1), text_of(&segment.field(layout.unit)));
    let amount = joined([amount, amount_unit], " ");
    ObservedMedication {
        code_system: code.system.into(),
        code: code.code.into(),
        name: split.name.into(),
        strength: strength.into(),
        form: if form.is_empty() { joined([split.form, split.rest], " ") } else { product::in_singular(&form) }.into(),
        dose: amount.into(),
        ..ObservedMedication::default()
    }
}

/// A code with its system and text.
pub(super) struct Code {
    pub system: String,
    pub code: String,
    pub text: String,
}

/// The better of a coded element's two codes: `code^text^system^other code^other text^other system`.
pub(super) fn best_code(element: &Repetition<'_>) -> Code {
    let part = |from: usize| Code {
        code: element.component(from),
        text: element.component(from + 1),
        system: code_system::named(&element.component(from + 2)).to_owned(),
    };
    let (mut first, other) = (part(1), part(4));
    let is_better = !other.code.is_empty() && code_system::rank(&other.system) < code_system::rank(&first.system);
    if is_better {
        let text = if first.text.is_empty() { other.text } else { first.text };
        return Code { text, ..other };
    }
    if first.text.is_empty() {
        first.text = other.text;
    }
    // A code without a text and a system is the text.
    if first.text.is_empty() && first.system.is_empty() {
        return Code { system: String::new(), code: String::new(), text: first.code };
    }
    first
}

/// The text of a coded element, or else its code.
pub(super) fn text_of(element: &Repetition<'_>) -> String {
    let text = element.component(2);
    if text.is_empty() { element.component(1) } else { text }
}

/// Intervals as HL7 v2 writes them; any other as it is.
fn how_often(interval: &str) -> String {
    match interval {
        "QD" | "Q24H" | "Q1D" => "once a day".to_owned(),
        "BID" | "Q12H" => "twice a day".to_owned(),
        "TID" | "Q8H" => "3 times a day".to_owned(),
        "QID" | "Q6H" => "4 times a day".to_owned(),
        "PRN" => "as needed".to_owned(),
        other => other.to_owned(),
    }
}
