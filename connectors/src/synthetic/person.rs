//! One invented person: who he or she is, how PDS stands to the person, and what has drifted apart.

use super::numbers::{SplitMix, nhs_number_of};
use super::words;

/// Where a person is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    InTheExtract,
    OnPdsAtThePractice,
    OnPdsElsewhere,
}

/// How PDS stands to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    AtThePractice,
    Elsewhere,
    Nowhere,
    Restricted,
    VeryRestricted,
    Redacted,
    Unknown,
}

impl Standing {
    pub(super) fn is_sensitive(self) -> bool {
        matches!(self, Self::Restricted | Self::VeryRestricted | Self::Redacted)
    }
}

/// In what PDS differs from the practice, for someone registered there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Drift {
    pub surname: bool,
    pub forenames: bool,
    pub title: bool,
    pub address: bool,
    pub postcode_spacing: bool,
    pub birth_date: bool,
    pub partial_birth_date: bool,
    pub sex: bool,
}

/// A person; texts are the practice's. What PDS holds instead where there is drift stands in `pds_...`.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub index: u64,
    pub nhs_number: String,
    pub place: Place,
    pub standing: Standing,
    pub drift: Drift,
    pub surname: &'static str,
    pub forenames: Vec<&'static str>,
    pub title: &'static str,
    /// The digit of the extract.
    pub sex: u8,
    /// Year, month, day.
    pub born: (u64, u64, u64),
    pub address: [String; 5],
    /// In its eight characters.
    pub postcode: String,
    pub registered_year: u64,
    pub version: u64,
    pub pds_surname: &'static str,
    pub pds_title: &'static str,
    pub pds_address: [String; 5],
    pub pds_postcode: String,
    /// Whether PDS writes the first two address lines as one.
    pub pds_joins_lines: bool,
}

impl Person {
    /// The person of an index.
    pub(super) fn draw(seed: u64, index: u64, place: Place) -> Self {
        let dice = &mut SplitMix::of_person(seed, index);
        let standing = draw_standing(dice, place);
        let sex = draw_sex(dice);
        let drift = if standing == Standing::AtThePractice && place == Place::InTheExtract {
            draw_drift(dice, sex)
        } else {
            Drift::default()
        };

        let is_male = if sex == 1 || sex == 2 { sex == 1 } else { dice.per_mille(500) };
        let all_forenames = if is_male { &words::MALE_FORENAMES } else { &words::FEMALE_FORENAMES };
        let mut forenames = vec![dice.pick(all_forenames)];
        if dice.per_mille(400) {
            forenames.push(dice.pick(all_forenames));
        }
        let titles: &[&str] = if is_male { &words::MALE_TITLES } else { &words::FEMALE_TITLES };
        let surname = dice.pick(&words::SURNAMES);
        let title = dice.pick(titles);
        let (address, postcode) = draw_address(dice, House::Usual);
        let (new_address, new_postcode) = draw_address(dice, House::Moved);
        let born = (1925 + dice.below(85), 1 + dice.below(12), 1 + dice.below(28));
        let unspaced = postcode.replace(' ', "");

        Self {
            index,
            nhs_number: nhs_number_of(index),
            place,
            standing,
            drift,
            surname,
            pds_surname: if drift.surname { another(dice, &words::SURNAMES, surname) } else { surname },
            forenames,
            title,
            pds_title: if drift.title { another(dice, titles, title) } else { title },
            sex,
            born,
            pds_address: if drift.address { new_address } else { address.clone() },
            pds_postcode: if drift.address {
                new_postcode
            } else if drift.postcode_spacing {
                unspaced
            } else {
                postcode.clone()
            },
            address,
            postcode,
            registered_year: 2010 + dice.below(8),
            version: 1 + dice.below(20),
            pds_joins_lines: dice.per_mille(300),
        }
    }
}

fn draw_standing(dice: &mut SplitMix, place: Place) -> Standing {
    let roll = dice.below(1000);
    match place {
        Place::OnPdsElsewhere => Standing::Elsewhere,
        Place::OnPdsAtThePractice if roll < 50 => Standing::Restricted,
        Place::OnPdsAtThePractice => Standing::AtThePractice,
        Place::InTheExtract => match roll {
            0..10 => Standing::Unknown,
            10..25 => Standing::Elsewhere,
            25..33 => Standing::Nowhere,
            33..36 => Standing::Restricted,
            36 => Standing::VeryRestricted,
            37 => Standing::Redacted,
            _ => Standing::AtThePractice,
        },
    }
}

fn draw_sex(dice: &mut SplitMix) -> u8 {
    match dice.below(1000) {
        0..3 => 9,
        3..5 => 0,
        5..500 => 1,
        _ => 2,
    }
}

fn draw_drift(dice: &mut SplitMix, sex: u8) -> Drift {
    let address = dice.per_mille(40);
    let birth_date = dice.per_mille(3);
    Drift {
        surname: dice.per_mille(15),
        forenames: dice.per_mille(20),
        title: dice.per_mille(25),
        address,
        postcode_spacing: dice.per_mille(10) && !address,
        birth_date,
        partial_birth_date: dice.per_mille(2) && !birth_date,
        sex: dice.per_mille(2) && (sex == 1 || sex == 2),
    }
}

enum House {
    Usual,
    /// With a number and a postcode that no usual house has, so that moving always shows.
    Moved,
}

fn draw_address(dice: &mut SplitMix, house: House) -> ([String; 5], String) {
    let is_usual = matches!(house, House::Usual);
    let number = if is_usual { 1 + dice.below(180) } else { 200 + dice.below(180) };
    let named_house = if dice.per_mille(300) { dice.pick(&words::HOUSES) } else { "" };
    let locality = if dice.per_mille(400) { dice.pick(&words::LOCALITIES) } else { "" };
    let county = if dice.per_mille(600) { dice.pick(&words::COUNTIES) } else { "" };
    let address = [
        named_house.to_owned(),
        format!("{number} {}", dice.pick(&words::STREETS)),
        locality.to_owned(),
        dice.pick(&words::TOWNS).to_owned(),
        county.to_owned(),
    ];

    let area = dice.pick(&words::POSTCODE_AREAS);
    let district = 1 + dice.below(98);
    let sector = if is_usual { 1 + dice.below(8) } else { 9 };
    let unit = dice.pick(&["AA", "BD", "FG", "HJ", "LN", "PQ", "RS", "TU", "WX", "YZ"]);
    let outward = format!("{area}{district}");
    (address, format!("{outward:<5}{sector}{unit}"))
}

fn another(dice: &mut SplitMix, list: &[&'static str], than: &str) -> &'static str {
    let others: Vec<&'static str> = list.iter().copied().filter(|&text| text != than).collect();
    dice.pick(&others)
}
