//! Elements of resources: texts, periods, codes, quantities.

use serde_json::Value;

use crate::values::{code_system, date, product, squeezed};

/// A text that is not empty.
pub(super) fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// The elements of a list; an element that is no list counts as a list of one.
pub(super) fn list_of<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match value.get(name) {
        Some(Value::Array(elements)) => elements,
        Some(Value::Null) | None => &[],
        Some(element) => std::slice::from_ref(element),
    }
}

/// An ISO date.
pub(super) fn date_of(value: &Value, name: &str) -> Option<String> {
    text_of(value, name).and_then(date::from_iso)
}

/// Whether a period has an end: what it is of has passed, or will. There is no clock here to tell these apart, and what is
/// about to pass is nothing to rely on either.
pub(super) fn has_ended(value: &Value) -> bool {
    value.get("period").is_some_and(|period| text_of(period, "end").is_some())
}

/// A concept: the best of its codes, and its text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Concept {
    pub system: String,
    pub code: String,
    pub text: String,
}

impl Concept {
    /// Of a `CodeableConcept`. What people chose or wrote stands before what a code is called.
    pub fn of(value: &Value) -> Self {
        let codings = list_of(value, "coding");
        let best = codings
            .iter()
            .filter(|coding| text_of(coding, "code").is_some())
            .min_by_key(|coding| code_system::rank(text_of(coding, "system").unwrap_or_default()));
        let display = best.and_then(|best| text_of(best, "display"));
        let any_display = || codings.iter().find_map(|coding| text_of(coding, "display"));
        let text = text_of(value, "text").or(display).or_else(any_display).unwrap_or_default();
        Self {
            system: best
                .and_then(|best| text_of(best, "system"))
                .map(code_system::named)
                .unwrap_or_default()
                .to_owned(),
            code: best.and_then(|best| text_of(best, "code")).unwrap_or_default().trim().to_owned(),
            text: squeezed(code_system::without_tag(text)),
        }
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.text.is_empty()
    }
}

/// The code of a status, which R4 has as a concept and earlier releases as a text.
pub(super) fn status_of<'a>(value: &'a Value, name: &str) -> &'a str {
    match value.get(name) {
        Some(Value::String(status)) => status,
        Some(concept) => {
            list_of(concept, "coding").iter().find_map(|coding| text_of(coding, "code")).unwrap_or_default()
        }
        None => "",
    }
}

/// A quantity, such as `500 mg`.
pub(super) fn quantity(value: &Value) -> Option<String> {
    let number = number_of(value, "value")?;
    let unit = text_of(value, "unit").or_else(|| text_of(value, "code")).unwrap_or_default();
    Some(product::amount(&number, &product::unit(unit)))
}

/// A number as it is written.
pub(super) fn number_of(value: &Value, name: &str) -> Option<String> {
    match value.get(name) {
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}
