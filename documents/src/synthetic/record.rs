//! What one document says of one person, and the same as it was read.

use concord_schemas::nhs_number;
use concord_schemas::patient_documents::{Features, fields};

use super::words::{ALLERGIES, FAMILY_NAMES, GIVEN_NAMES, MEDICINES, STREETS, TOWNS};

/// What a document says. Text as the contract has it; empty where the document does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyntheticRecord {
    /// Ten digits.
    pub nhs_number: String,
    /// Family name.
    pub family_name: String,
    /// Given names, separated by blanks.
    pub given_names: String,
    /// ISO date.
    pub birth_date: String,
    /// `male`, `female`, `other` or `unknown`.
    pub sex: String,
    /// Lines separated by `, `, without the postcode.
    pub address: String,
    /// Postcode.
    pub postcode: String,
    /// Digits.
    pub phone: String,
    /// Medicines.
    pub medications: Vec<SyntheticMedication>,
    /// Allergies.
    pub allergies: Vec<SyntheticAllergy>,
}

/// A medicine. Its code is one of dm+d, which CDA calls one of SNOMED CT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyntheticMedication {
    /// Six to eighteen digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// Such as `500 mg`.
    pub strength: String,
    /// Such as `tablet`.
    pub form: String,
    /// Such as `1 tablet twice a day`.
    pub dose: String,
    /// Such as `oral`.
    pub route: String,
    /// ISO date.
    pub start: String,
    /// ISO date; empty while it goes on.
    pub end: String,
}

/// An allergy. Its code is one of SNOMED CT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyntheticAllergy {
    /// Six to eighteen digits.
    pub code: String,
    /// Substance.
    pub substance: String,
    /// What it does, several separated by `, `.
    pub reaction: String,
}

impl SyntheticRecord {
    /// The record of a person: the same for the same seed and index.
    pub fn of(seed: u64, index: u64) -> Self {
        let mut chance = Chance(seed ^ Chance(index).next());
        let (first, sex) = GIVEN_NAMES[chance.below(GIVEN_NAMES.len())];
        let second: Vec<&str> =
            GIVEN_NAMES.iter().filter(|(name, of)| *of == sex && *name != first).map(|(name, _)| *name).collect();
        let (town, area) = TOWNS[chance.below(TOWNS.len())];
        let street = STREETS[chance.below(STREETS.len())];
        let letter = |chance: &mut Chance| char::from(b"ABDEFGHJLNPQRSTUWXYZ"[chance.below(20)]);
        Self {
            nhs_number: nhs_number_of(index),
            family_name: FAMILY_NAMES[chance.below(FAMILY_NAMES.len())].to_owned(),
            given_names: format!("{first} {}", second[chance.below(second.len())]),
            birth_date: chance.date(1925, 90),
            sex: sex.to_owned(),
            address: format!("{} {street}, {town}", 1 + chance.below(180)),
            postcode: format!(
                "{area}{} {}{}{}",
                1 + chance.below(20),
                chance.below(10),
                letter(&mut chance),
                letter(&mut chance)
            ),
            phone: format!("01632{:06}", 960_000 + chance.below(1_000)),
            medications: several(&mut chance, MEDICINES.len(), 4)
                .into_iter()
                .map(|at| medication(&mut chance, at))
                .collect(),
            allergies: several(&mut chance, ALLERGIES.len(), 2).into_iter().map(allergy).collect(),
        }
    }

    /// What was read of a document, as the record that it says: the first observation of every field.
    pub fn said_by(features: &Features<'_>) -> Self {
        let field = |name: &str| {
            let first = features.demographics.iter().find(|observed| observed.field == name);
            first.map(|observed| observed.value.to_string()).unwrap_or_default()
        };
        let medications = features.medications.iter().map(|read| SyntheticMedication {
            code: read.code.to_string(),
            name: read.name.to_string(),
            strength: read.strength.to_string(),
            form: read.form.to_string(),
            dose: read.dose.to_string(),
            route: read.route.to_string(),
            start: read.start.to_string(),
            end: read.end.to_string(),
        });
        let allergies = features.allergies.iter().map(|read| SyntheticAllergy {
            code: read.code.to_string(),
            substance: read.substance.to_string(),
            reaction: read.reaction.to_string(),
        });
        Self {
            nhs_number: field(fields::NHS_NUMBER),
            family_name: field(fields::FAMILY_NAME),
            given_names: field(fields::GIVEN_NAMES),
            birth_date: field(fields::BIRTH_DATE),
            sex: field(fields::SEX),
            address: field(fields::ADDRESS),
            postcode: field(fields::POSTCODE),
            phone: field(fields::PHONE),
            medications: medications.collect(),
            allergies: allergies.collect(),
        }
    }
}

/// Up to `most` different places of a list, in order.
fn several(chance: &mut Chance, places: usize, most: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..chance.below(most + 1)).map(|_| chance.below(places)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

fn medication(chance: &mut Chance, at: usize) -> SyntheticMedication {
    let [code, name, strength, form, dose, route] = MEDICINES[at].map(str::to_owned);
    let start = chance.date(2018, 4);
    let end = if chance.below(4) == 0 { chance.date(2023, 2) } else { String::new() };
    SyntheticMedication { code, name, strength, form, dose, route, start, end }
}

fn allergy(at: usize) -> SyntheticAllergy {
    let [code, substance, reaction] = ALLERGIES[at].map(str::to_owned);
    SyntheticAllergy { code, substance, reaction }
}

/// A valid number beginning with 999, which no person has: nine of ten indices in a row have one of their own.
fn nhs_number_of(index: u64) -> String {
    let mut next = index % 500_000 * 2;
    loop {
        let nine = format!("999{next:06}");
        match nhs_number::check_digit(&nine) {
            Some(check) => return format!("{nine}{check}"),
            None => next = (next + 1) % 1_000_000,
        }
    }
}

/// The splitmix64 generator.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound as u64)).unwrap_or_default()
    }

    fn date(&mut self, from: usize, years: usize) -> String {
        format!("{}-{:02}-{:02}", from + self.below(years), 1 + self.below(12), 1 + self.below(28))
    }
}
