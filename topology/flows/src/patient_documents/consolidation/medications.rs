//! Medicines of all documents, each once.

use std::collections::{BTreeMap, BTreeSet};

use concord_schemas::patient_documents::{ConsolidatedMedication, OpenConflict};

use super::doses::dose_key;
use super::fields::Reading;
use super::gathered::{Gathered, number};
use super::medicine_name::{MedicineName, normal_form, normal_strength};
use super::policy::{Policy, Step};
use super::statement::SaidMedication;
use super::weighed::{Voice, Weighed};
use super::words::{folded, spaced};

/// What documents say of medicines, in the order of the documents.
#[derive(Debug, Default)]
pub(super) struct Medications {
    said: Vec<Said>,
    /// Codes under which a medicine of this name is known.
    codes: BTreeMap<MedicineName, BTreeSet<String>>,
}

#[derive(Debug)]
struct Said {
    voice: Voice,
    code: String,
    parts: MedicineName,
    name: String,
    strength: String,
    form: String,
    dose: String,
    route: String,
    status: String,
}

/// One medicine, as it is put together.
#[derive(Debug, Default)]
struct Medicine {
    code: String,
    name: Gathered,
    strength: Gathered,
    form: Gathered,
    route: Gathered,
    status: Gathered,
    dose: Gathered,
    by: Weighed,
}

impl Medications {
    /// Adds one; voices come in the order of their documents. One without a name and a code is none.
    pub fn add(&mut self, said: &SaidMedication<'_>, voice: Voice) {
        let parts = MedicineName::of(said.name, said.strength, said.form);
        if said.code.is_empty() && parts.name.is_empty() {
            return;
        }
        if !said.code.is_empty() && !parts.name.is_empty() {
            self.codes.entry(parts.clone()).or_default().insert(said.code.to_owned());
        }
        let or_found = |said: &str, found: &str| if said.trim().is_empty() { found.to_owned() } else { spaced(said) };
        self.said.push(Said {
            voice,
            code: said.code.to_owned(),
            name: spaced(said.name),
            strength: or_found(said.strength, &parts.strength),
            form: or_found(said.form, &parts.form),
            dose: spaced(said.dose),
            route: spaced(said.route),
            status: said.status.to_owned(),
            parts,
        });
    }

    /// Each medicine once, and what is contradictory about them.
    pub fn merged(self) -> (Vec<ConsolidatedMedication<'static>>, Vec<OpenConflict<'static>>) {
        let Self { said, codes } = self;
        let mut medicines: BTreeMap<String, Medicine> = BTreeMap::new();
        for said in said {
            // What has no code is the medicine of its name, where that has one code.
            let known = codes.get(&said.parts).filter(|known| known.len() == 1).and_then(BTreeSet::first);
            let code = if said.code.is_empty() { known.cloned().unwrap_or_default() } else { said.code.clone() };
            let key = if code.is_empty() { said.parts.to_string() } else { code.clone() };
            let medicine = medicines.entry(key).or_default();
            medicine.code = code;
            medicine.add(said);
        }
        let (mut merged, mut conflicts) = (Vec::new(), Vec::new());
        for (key, medicine) in medicines {
            conflicts.extend(medicine.conflicts(&key));
            merged.push(medicine.merged(key));
        }
        (merged, conflicts)
    }
}

impl Medicine {
    fn add(&mut self, said: Said) {
        let voice = said.voice;
        let gather = |gathered: &mut Gathered, key: String, shown: String| {
            if !key.is_empty() {
                gathered.add(Reading { key, shown }, voice);
            }
        };
        gather(&mut self.name, said.parts.name, said.name);
        gather(&mut self.strength, normal_strength(&said.strength), said.strength);
        gather(&mut self.form, normal_form(&folded(&said.form)), said.form);
        gather(&mut self.route, folded(&said.route), said.route);
        gather(&mut self.status, folded(&said.status), said.status);
        gather(&mut self.dose, dose_key(&said.dose), said.dose);
        self.by.add(voice);
    }

    /// Of one medicine dose and strength must not differ from document to document. One document may give several.
    fn conflicts(&self, key: &str) -> impl Iterator<Item = OpenConflict<'static>> {
        let parts = [("dose", &self.dose), ("strength", &self.strength)];
        let differing = parts.into_iter().filter(|(_, gathered)| !gathered.is_empty() && !gathered.has_common_value());
        differing.map(move |(part, gathered)| gathered.conflict(format!("medications/{key}/{part}"), None))
    }

    fn merged(self, key: String) -> ConsolidatedMedication<'static> {
        let by_majority = Policy::of(&[Step::Majority, Step::MostRecent]);
        let by_time = Policy::of(&[Step::MostRecent, Step::Majority]);
        ConsolidatedMedication {
            key: key.into(),
            code: self.code.into(),
            name: self.name.shown_by(&by_majority).into(),
            strength: self.strength.shown_by(&by_majority).into(),
            form: self.form.shown_by(&by_majority).into(),
            route: self.route.shown_by(&by_majority).into(),
            status: self.status.shown_by(&by_time).into(),
            doses: self.dose.observed(),
            documents: self.by.documents.iter().copied().map(number).collect(),
        }
    }
}
