//! The total name: forenames, surname, title. One decision for the names, one for the title, or a person for all of it.

use super::name_parts::{
    are_first_words, is_first_hyphened_part, is_first_part, is_hyphenated, is_in_capitals, is_later_word,
    is_well_cased, lacks_apostrophe,
};
use super::{Decided, Decision, Finding, Item, Patient, Reading};
use crate::list_reconciliation::catalogue::ActiveRules;
use crate::list_reconciliation::compare::words;

/// A rule of the total name.
pub(super) struct NameRule {
    pub id: &'static str,
    find: fn(&TotalName) -> Finding,
    /// Whether it accounts for a difference in the title as well.
    accounts_for_title: bool,
}

/// For the names; the first one that fires decides.
pub(super) static NAME_RULES: [NameRule; 14] = [
    for_names("BR-TN-02", only_gp_has_wrong_capitals),
    for_names("BR-TN-03", only_pds_has_wrong_capitals),
    for_names("BR-TN-01", are_swapped),
    NameRule { id: "BR-SN-01", find: surname_after_mrs_became_miss, accounts_for_title: true },
    NameRule { id: "BR-SN-02", find: surname_after_miss_became_mrs, accounts_for_title: true },
    for_names("BR-FN-01", forenames_are_missing),
    for_names("BR-FN-02", forenames_have_more_on_one_side),
    for_names("BR-FN-P1", forenames_differ_by_a_hyphen),
    for_names("BR-SN-P1", surnames_differ_by_an_apostrophe),
    for_names("BR-SN-04", pds_surname_has_more),
    for_names("BR-SN-05", gp_surname_has_more),
    for_names("BR-SN-07", gp_surname_has_a_hyphen),
    for_names("BR-SN-08", pds_surname_has_a_hyphen),
    for_names("BR-SN-03", surnames_differ_alone),
];

/// For the title, where the names are the same.
pub(super) static TITLE_RULES: [NameRule; 2] = [
    NameRule { id: "BR-TL-02", find: title_is_missing, accounts_for_title: true },
    NameRule { id: "BR-TL-01", find: titles_differ, accounts_for_title: true },
];

/// For what no other active rule accounts for.
pub(super) const REST: &str = "BR-TN-04";

const fn for_names(id: &'static str, find: fn(&TotalName) -> Finding) -> NameRule {
    NameRule { id, find, accounts_for_title: false }
}

/// The names and titles of both records, as they are compared.
pub(in crate::list_reconciliation) struct TotalName {
    reading: Reading,
    /// As given, but for white space.
    gp: Given,
    pds: Given,
    /// Lower case.
    gp_forenames: String,
    gp_surname: String,
    gp_title: String,
    pds_forenames: String,
    pds_surname: String,
    pds_title: String,
}

struct Given {
    forenames: String,
    surname: String,
}

impl TotalName {
    /// Cheaper than [`TotalName::of`], and true of nearly everybody.
    pub(super) fn is_surely_the_same(patient: &Patient<'_>, reading: Reading) -> bool {
        let Patient { gp, pds, .. } = patient;
        let (forenames, surname) = (gp.forenames.unwrap_or_default(), gp.surname.unwrap_or_default());
        reading == Reading::Specification
            && is_in_capitals(forenames)
            && is_in_capitals(surname)
            && words::same(&[forenames], &pds.forenames)
            && words::same(&[surname], &[pds.surname])
            && words::same(&[gp.title.unwrap_or_default()], &pds.titles)
    }

    pub(in crate::list_reconciliation) fn of(patient: &Patient<'_>, reading: Reading) -> Self {
        let Patient { gp, pds, .. } = patient;
        let on_gp = Given {
            forenames: spaced(&[gp.forenames.unwrap_or_default()]),
            surname: spaced(&[gp.surname.unwrap_or_default()]),
        };
        let on_pds = Given { forenames: spaced(&pds.forenames), surname: spaced(&[pds.surname]) };
        Self {
            reading,
            gp_forenames: on_gp.forenames.to_lowercase(),
            gp_surname: on_gp.surname.to_lowercase(),
            gp_title: spaced(&[gp.title.unwrap_or_default()]).to_lowercase(),
            pds_forenames: on_pds.forenames.to_lowercase(),
            pds_surname: on_pds.surname.to_lowercase(),
            pds_title: spaced(&pds.titles).to_lowercase(),
            gp: on_gp,
            pds: on_pds,
        }
    }

    pub(super) fn decide(&self, active: ActiveRules) -> Vec<Decided> {
        let names = self.first_to_fire(&NAME_RULES, active);
        let title = self.first_to_fire(&TITLE_RULES, active);
        let names_accounted_for = names.is_some() || !self.names_differ();
        let title_accounted_for =
            !self.titles_differ() || title.is_some() || names.as_ref().is_some_and(|(rule, _)| rule.accounts_for_title);
        if !(names_accounted_for && title_accounted_for) && active.has(REST) {
            let item = match (names_accounted_for, title_accounted_for) {
                (true, false) if !self.names_differ() => Item::Title,
                (_, false) => Item::TotalName,
                (_, true) => self.names_that_differ(),
            };
            return vec![Decided { rule_id: REST, decision: Decision::Validate, item }];
        }
        names.into_iter().chain(title).map(|(_, decided)| decided).collect()
    }

    fn first_to_fire(&self, rules: &'static [NameRule], active: ActiveRules) -> Option<(&'static NameRule, Decided)> {
        rules.iter().filter(|rule| active.has(rule.id)).find_map(|rule| {
            let (decision, item) = (rule.find)(self).ok()?;
            Some((rule, Decided { rule_id: rule.id, decision, item }))
        })
    }

    /// What a rule says if no other is asked before it; `None` for an id that is not of the total name.
    pub(in crate::list_reconciliation) fn finding(&self, id: &str) -> Option<Finding> {
        if id == REST {
            return Some(if self.names_differ() || self.titles_differ() {
                Ok((Decision::Validate, Item::TotalName))
            } else {
                Err("the total names are the same")
            });
        }
        let rule = NAME_RULES.iter().chain(&TITLE_RULES).find(|rule| rule.id == id)?;
        Some((rule.find)(self))
    }

    /// The names of the practice and of PDS as one text each, for people.
    pub(in crate::list_reconciliation) fn as_compared(&self) -> (String, String) {
        let whole = |title: &str, given: &Given| format!("{title} | {} | {}", given.forenames, given.surname);
        (whole(&self.gp_title, &self.gp), whole(&self.pds_title, &self.pds))
    }

    fn same_forenames(&self) -> bool {
        self.gp_forenames == self.pds_forenames
    }

    fn same_surname(&self) -> bool {
        self.gp_surname == self.pds_surname
    }

    fn titles_differ(&self) -> bool {
        self.gp_title != self.pds_title
    }

    fn names_differ(&self) -> bool {
        !self.same_forenames() || !self.same_surname() || self.capitals_differ()
    }

    fn capitals_differ(&self) -> bool {
        !self.is_gp_without_case()
            && self.same_forenames()
            && self.same_surname()
            && (self.gp.forenames != self.pds.forenames || self.gp.surname != self.pds.surname)
    }

    /// The input specification demands capitals, so they are no sign of anything.
    fn is_gp_without_case(&self) -> bool {
        self.reading == Reading::Specification && is_in_capitals(&self.gp.forenames) && is_in_capitals(&self.gp.surname)
    }

    fn names_that_differ(&self) -> Item {
        match (self.same_forenames(), self.same_surname()) {
            (false, true) => Item::Forenames,
            (true, false) => Item::Surname,
            _ => Item::Names,
        }
    }

    /// Forenames and surname as rules on their parts compare them. The prototype minded capitals here.
    fn forenames(&self) -> (&str, &str) {
        match self.reading {
            Reading::Specification => (&self.gp_forenames, &self.pds_forenames),
            Reading::Prototype => (&self.gp.forenames, &self.pds.forenames),
        }
    }

    fn surnames(&self) -> (&str, &str) {
        match self.reading {
            Reading::Specification => (&self.gp_surname, &self.pds_surname),
            Reading::Prototype => (&self.gp.surname, &self.pds.surname),
        }
    }

    fn only_forenames_differ(&self) -> Result<(&str, &str), &'static str> {
        match (self.same_forenames(), self.same_surname()) {
            (true, _) => Err("the forenames are the same"),
            (_, false) => Err("the surnames differ too"),
            _ => Ok(self.forenames()),
        }
    }

    fn only_surnames_differ(&self) -> Result<(&str, &str), &'static str> {
        match (self.same_forenames(), self.same_surname()) {
            (_, true) => Err("the surnames are the same"),
            (false, _) => Err("the forenames differ too"),
            _ => Ok(self.surnames()),
        }
    }
}

impl Given {
    fn is_well_cased(&self) -> bool {
        is_well_cased(&self.forenames) && is_well_cased(&self.surname)
    }

    /// Which of the two names is not well-cased.
    fn ill_cased(&self) -> Item {
        match (is_well_cased(&self.forenames), is_well_cased(&self.surname)) {
            (false, true) => Item::Forenames,
            (true, false) => Item::Surname,
            _ => Item::Names,
        }
    }
}

/// The words with one space between them.
fn spaced(pieces: &[&str]) -> String {
    let words = pieces.iter().flat_map(|piece| piece.split(words::is_space)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

const CAPITALS_SAY_NOTHING: &str = "the practice's names are in capitals only, which says nothing of their case";

fn differing_capitals(name: &TotalName) -> Result<(), &'static str> {
    if !name.same_forenames() || !name.same_surname() {
        return Err("the names differ in more than capitals");
    }
    if name.is_gp_without_case() {
        return Err(CAPITALS_SAY_NOTHING);
    }
    if name.capitals_differ() { Ok(()) } else { Err("the names are the same, capitals included") }
}

fn only_gp_has_wrong_capitals(name: &TotalName) -> Finding {
    differing_capitals(name)?;
    match (name.gp.is_well_cased(), name.pds.is_well_cased()) {
        (false, true) => Ok((Decision::UpdateGp, name.gp.ill_cased())),
        (_, false) => Err("PDS has capitals in wrong places"),
        (true, _) => Err("the practice has its capitals in the right places"),
    }
}

fn only_pds_has_wrong_capitals(name: &TotalName) -> Finding {
    differing_capitals(name)?;
    match (name.gp.is_well_cased(), name.pds.is_well_cased()) {
        (true, false) => Ok((Decision::UpdatePds, name.pds.ill_cased())),
        (false, _) => Err("the practice has capitals in wrong places"),
        (_, true) => Err("PDS has its capitals in the right places"),
    }
}

fn are_swapped(name: &TotalName) -> Finding {
    if name.same_forenames() || name.same_surname() {
        return Err("forenames or surname are the same");
    }
    if name.gp_forenames != name.pds_surname || name.gp_surname != name.pds_forenames {
        return Err("forenames and surname are not each other's");
    }
    if !name.pds.is_well_cased() || !(name.is_gp_without_case() || name.gp.is_well_cased()) {
        return Err("capitals in wrong places leave a doubt which name is which");
    }
    Ok((Decision::UpdatePds, Item::Names))
}

fn surname_after_mrs_became_miss(name: &TotalName) -> Finding {
    surname_after_titles(name, "miss", "mrs")
}

fn surname_after_miss_became_mrs(name: &TotalName) -> Finding {
    surname_after_titles(name, "mrs", "miss")
}

fn surname_after_titles(name: &TotalName, on_gp: &str, on_pds: &str) -> Finding {
    name.only_surnames_differ()?;
    if name.gp_title != on_gp || name.pds_title != on_pds {
        return Err("the titles are others");
    }
    Ok((Decision::UpdatePds, Item::Surname))
}

fn forenames_are_missing(name: &TotalName) -> Finding {
    match name.only_forenames_differ()? {
        ("", _) => Ok((Decision::UpdateGp, Item::Forenames)),
        (_, "") => Ok((Decision::UpdatePds, Item::Forenames)),
        _ => Err("both sides have forenames"),
    }
}

fn forenames_have_more_on_one_side(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_forenames_differ()?;
    let is_beginning = |short, long| match name.reading {
        Reading::Specification => are_first_words(short, long) || is_first_hyphened_part(short, long),
        Reading::Prototype => is_first_part(short, long),
    };
    if is_beginning(pds, gp) {
        return Ok((Decision::UpdatePds, Item::Forenames));
    }
    if !is_beginning(gp, pds) {
        return Err("neither side's forenames are the beginning of the other's");
    }
    // The prototype would have taken the further forename from PDS, unless there was a hyphen before it.
    let removes_from_pds = name.reading == Reading::Prototype && !is_first_hyphened_part(gp, pds);
    let decision = if removes_from_pds { Decision::UpdatePds } else { Decision::UpdateGp };
    Ok((decision, Item::Forenames))
}

fn forenames_differ_by_a_hyphen(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_forenames_differ()?;
    if is_hyphenated(gp, pds) || is_hyphenated(pds, gp) {
        return Ok((Decision::UpdatePds, Item::Forenames));
    }
    Err("there is no hyphen in the place of a space")
}

fn surnames_differ_by_an_apostrophe(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_surnames_differ()?;
    if lacks_apostrophe(gp, pds) {
        return Ok((Decision::UpdateGp, Item::Surname));
    }
    if lacks_apostrophe(pds, gp) {
        return Ok((Decision::UpdatePds, Item::Surname));
    }
    Err("they differ in more than an apostrophe")
}

fn pds_surname_has_more(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_surnames_differ()?;
    if gp.is_empty() || is_first_part(gp, pds) {
        return Ok((Decision::UpdateGp, Item::Surname));
    }
    if is_later_word(gp, pds) {
        // The prototype would have taken the first part from PDS.
        let decision = match name.reading {
            Reading::Specification => Decision::UpdateGp,
            Reading::Prototype => Decision::UpdatePds,
        };
        return Ok((decision, Item::Surname));
    }
    Err("the practice's surname is no part of PDS's")
}

fn gp_surname_has_more(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_surnames_differ()?;
    if pds.is_empty() || is_first_part(pds, gp) || is_later_word(pds, gp) {
        return Ok((Decision::UpdatePds, Item::Surname));
    }
    Err("PDS's surname is no part of the practice's")
}

fn gp_surname_has_a_hyphen(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_surnames_differ()?;
    if is_hyphenated(pds, gp) {
        Ok((Decision::UpdatePds, Item::Surname))
    } else {
        Err("the practice has no such hyphen")
    }
}

fn pds_surname_has_a_hyphen(name: &TotalName) -> Finding {
    let (gp, pds) = name.only_surnames_differ()?;
    if is_hyphenated(gp, pds) { Ok((Decision::UpdatePds, Item::Surname)) } else { Err("PDS has no such hyphen") }
}

fn surnames_differ_alone(name: &TotalName) -> Finding {
    name.only_surnames_differ()?;
    if name.titles_differ() {
        return Err("the title differs too");
    }
    Ok((Decision::Validate, Item::Surname))
}

fn same_names(name: &TotalName) -> Result<(), &'static str> {
    if name.same_forenames() && name.same_surname() { Ok(()) } else { Err("the names differ") }
}

fn title_is_missing(name: &TotalName) -> Finding {
    same_names(name)?;
    match (name.gp_title.as_str(), name.pds_title.as_str()) {
        ("", "") => Err("the titles are the same"),
        ("", _) => Ok((Decision::UpdateGp, Item::Title)),
        (_, "") => Ok((Decision::UpdatePds, Item::Title)),
        _ => Err("both sides have a title"),
    }
}

fn titles_differ(name: &TotalName) -> Finding {
    same_names(name)?;
    if !name.titles_differ() {
        return Err("the titles are the same");
    }
    if name.gp_title.is_empty() || name.pds_title.is_empty() {
        return Err("one side has no title");
    }
    Ok((Decision::UpdatePds, Item::Title))
}
