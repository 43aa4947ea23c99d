//! All values that documents give for one thing: which are the same, who says them, and which one counts.

use std::collections::BTreeMap;

use concord_schemas::patient_documents::{ObservedValue, OpenConflict};

use super::fields::Reading;
use super::policy::{Choice, Policy, Step};
use super::weighed::{DocumentNumber, Voice, Weighed};

/// Values by what makes them the same.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    counting: BTreeMap<String, Variants>,
    /// By the text.
    not_counted: BTreeMap<String, (&'static str, Weighed)>,
    /// Every document that gives a counting value.
    speaking: Vec<DocumentNumber>,
}

/// One value in the ways in which it is written.
#[derive(Debug, Default)]
struct Variants {
    weighed: Weighed,
    written: BTreeMap<String, Weighed>,
}

/// Which way of writing a value is shown.
const WRITTEN_AS: [Step; 4] = [Step::MostTrusted, Step::Majority, Step::MostRecent, Step::Smallest];

impl Variants {
    fn shown(&self) -> &str {
        let candidates: Vec<(&str, &Weighed)> = self.written.iter().map(|(text, by)| (text.as_str(), by)).collect();
        let chosen = Policy::of(&WRITTEN_AS).choose(&candidates).chosen;
        chosen.map_or("", |place| candidates[place].0)
    }
}

impl Gathered {
    /// Adds a value; voices come in the order of their documents.
    pub fn add(&mut self, reading: Reading, voice: Voice) {
        let variants = self.counting.entry(reading.key).or_default();
        variants.weighed.add(voice);
        variants.written.entry(reading.shown).or_default().add(voice);
        if self.speaking.last() != Some(&voice.document) {
            self.speaking.push(voice.document);
        }
    }

    /// Adds a value that cannot be the one.
    pub fn add_not_counted(&mut self, text: String, why: &'static str, voice: Voice) {
        self.not_counted.entry(text).or_insert_with(|| (why, Weighed::default())).1.add(voice);
    }

    pub fn is_empty(&self) -> bool {
        self.counting.is_empty() && self.not_counted.is_empty()
    }

    /// How many values could be the one.
    pub fn counting(&self) -> usize {
        self.counting.len()
    }

    /// Whether some value is given by every document that gives one; true where none gives any.
    pub fn has_common_value(&self) -> bool {
        let everybody = self.speaking.len();
        everybody == 0 || self.counting.values().any(|variants| variants.weighed.documents.len() == everybody)
    }

    /// Chooses by a policy.
    pub fn choose(&self, policy: &Policy) -> Choice {
        let candidates: Vec<(&str, &Weighed)> =
            self.counting.iter().map(|(key, variants)| (key.as_str(), &variants.weighed)).collect();
        policy.choose(&candidates)
    }

    /// The value of a choice, as it is shown.
    pub fn shown(&self, choice: Choice) -> Option<String> {
        let variants = self.counting.values().nth(choice.chosen?)?;
        Some(variants.shown().to_owned())
    }

    /// The value that a policy chooses; empty where there is none.
    pub fn shown_by(&self, policy: &Policy) -> String {
        self.shown(self.choose(policy)).unwrap_or_default()
    }

    /// Every value: first those that count, then the others, each in the order of what makes them the same.
    pub fn observed(&self) -> Vec<ObservedValue<'static>> {
        let others = self.not_counted.iter().map(|(text, (why, weighed))| observed(text, why, weighed));
        self.observed_counting().chain(others).collect()
    }

    fn observed_counting(&self) -> impl Iterator<Item = ObservedValue<'static>> {
        self.counting.values().map(|variants| observed(variants.shown(), "", &variants.weighed))
    }

    /// What is contradictory: the values that count. It began with the first document that says something else than an earlier one.
    pub fn conflict(&self, field: String, chosen: Option<String>) -> OpenConflict<'static> {
        let mut beginnings: Vec<i64> = self.counting.values().map(|variants| variants.weighed.earliest_ms).collect();
        beginnings.sort_unstable();
        OpenConflict {
            field: field.into(),
            chosen: chosen.map(Into::into),
            values: self.observed_counting().collect(),
            since_ms: beginnings.get(1).copied().unwrap_or_default(),
        }
    }
}

fn observed(text: &str, not_counted: &'static str, weighed: &Weighed) -> ObservedValue<'static> {
    ObservedValue {
        value: text.to_owned().into(),
        documents: weighed.documents.iter().copied().map(number).collect(),
        not_counted: not_counted.into(),
        weight: weighed.weight.cast_signed(),
        latest_ms: weighed.latest_ms,
    }
}

/// A document's number as records have it.
pub(super) fn number(document: DocumentNumber) -> i32 {
    i32::try_from(document).unwrap_or(i32::MAX)
}
