//! Allergies of all documents, each once.

use std::collections::{BTreeMap, BTreeSet};

use concord_schemas::patient_documents::ConsolidatedAllergy;

use super::fields::Reading;
use super::gathered::{Gathered, number};
use super::policy::{Policy, Step};
use super::statement::SaidAllergy;
use super::weighed::{Voice, Weighed};
use super::words::{folded, spaced};

/// What documents say of allergies, in the order of the documents.
#[derive(Debug, Default)]
pub(super) struct Allergies {
    said: Vec<Said>,
    /// Codes under which a substance is known.
    codes: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug)]
struct Said {
    voice: Voice,
    code: String,
    /// Words of the substance.
    words: String,
    substance: String,
    reaction: String,
}

/// One allergy, as it is put together.
#[derive(Debug, Default)]
struct Allergy {
    code: String,
    substance: Gathered,
    reactions: Gathered,
    by: Weighed,
}

impl Allergies {
    /// Adds one; voices come in the order of their documents. One without a substance and a code is none.
    pub fn add(&mut self, said: &SaidAllergy<'_>, voice: Voice) {
        let words = folded(said.substance);
        if said.code.is_empty() && words.is_empty() {
            return;
        }
        if !said.code.is_empty() && !words.is_empty() {
            self.codes.entry(words.clone()).or_default().insert(said.code.to_owned());
        }
        let (code, substance) = (said.code.to_owned(), spaced(said.substance));
        self.said.push(Said { voice, code, words, substance, reaction: said.reaction.to_owned() });
    }

    /// Each allergy once.
    pub fn merged(self) -> Vec<ConsolidatedAllergy<'static>> {
        let Self { said, codes } = self;
        let mut allergies: BTreeMap<String, Allergy> = BTreeMap::new();
        for said in said {
            let known = codes.get(&said.words).filter(|known| known.len() == 1).and_then(BTreeSet::first);
            let code = if said.code.is_empty() { known.cloned().unwrap_or_default() } else { said.code };
            let key = if code.is_empty() { said.words.clone() } else { code.clone() };
            let allergy = allergies.entry(key).or_default();
            allergy.code = code;
            if !said.words.is_empty() {
                allergy.substance.add(Reading { key: said.words, shown: said.substance }, said.voice);
            }
            for reaction in said.reaction.split(',').map(spaced).filter(|reaction| !reaction.is_empty()) {
                allergy.reactions.add(Reading { key: folded(&reaction), shown: reaction }, said.voice);
            }
            allergy.by.add(said.voice);
        }
        let by_majority = Policy::of(&[Step::Majority, Step::MostRecent]);
        let merged = allergies.into_iter().map(|(key, allergy)| ConsolidatedAllergy {
            key: key.into(),
            code: allergy.code.into(),
            substance: allergy.substance.shown_by(&by_majority).into(),
            reactions: allergy.reactions.observed(),
            documents: allergy.by.documents.iter().copied().map(number).collect(),
        });
        merged.collect()
    }
}
