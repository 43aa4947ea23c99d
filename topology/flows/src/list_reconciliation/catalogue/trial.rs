//! All rules on one pair of records: what each compared, and why it fired or did not.

use super::{CATALOGUE, CatalogueEntry, RuleSet, RuleSettings, Situation};
use crate::list_reconciliation::business::{self, Decided, Decision, Item, Patient, TotalName};
use crate::list_reconciliation::compare::{self, address_lines, list_as_compared, sex, words};
use crate::list_reconciliation::profile::Profile;

/// The records of a person, and where they are from.
#[derive(Debug, Clone, Copy)]
pub struct TrialRecords<'a> {
    /// Both records.
    pub patient: Patient<'a>,
    /// Whose and when.
    pub situation: Situation<'a>,
    /// Which reading of the first set holds.
    pub profile: Profile,
}

/// What became of one rule.
#[derive(Debug)]
pub struct Trial {
    /// The rule.
    pub rule: &'static CatalogueEntry,
    /// The practice's value as it was compared.
    pub gp: String,
    /// PDS's value as it was compared.
    pub pds: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a rule.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule of the first set found a difference.
    Differs,
    /// A business rule decided.
    Decides(Decision, Item),
    /// It did not fire, and why.
    DoesNotFire(String),
    /// It is not in use, and why.
    Off(String),
}

/// Tries every rule of the catalogue, in its order.
#[must_use]
pub fn trial(records: &TrialRecords<'_>, settings: &RuleSettings) -> Vec<Trial> {
    let active = settings.active(&records.situation);
    let decided = business::decide(&records.patient, active, settings.reading);
    let total_name = TotalName::of(&records.patient, settings.reading);
    let tried = |rule: &'static CatalogueEntry| {
        let (gp, pds) = as_compared(rule, records, &total_name);
        let verdict = if active.has(rule.id) {
            match rule.set {
                RuleSet::Differences | RuleSet::Registration => difference(rule, records),
                RuleSet::Business => decision(rule, records, &total_name, &decided),
            }
        } else {
            Verdict::Off(why_off(rule, settings, &records.situation))
        };
        Trial { rule, gp, pds, verdict }
    };
    CATALOGUE.iter().map(tried).collect()
}

fn why_off(rule: &CatalogueEntry, settings: &RuleSettings, situation: &Situation<'_>) -> String {
    match settings.deciding_switch(rule.id, situation) {
        Some(switch) if !switch.enabled => format!("switched {switch}"),
        _ => "the business rules are not in use".to_string(),
    }
}

fn difference(rule: &CatalogueEntry, records: &TrialRecords<'_>) -> Verdict {
    let Patient { gp, pds, .. } = records.patient;
    match compare::RULES.iter().find(|compared| compared.id == rule.id) {
        Some(compared) if compared.differs(gp, pds, records.profile) => Verdict::Differs,
        _ => Verdict::DoesNotFire("both are the same".to_string()),
    }
}

fn decision(rule: &CatalogueEntry, records: &TrialRecords<'_>, total_name: &TotalName, decided: &[Decided]) -> Verdict {
    if let Some(decided) = decided.iter().find(|decided| decided.rule_id == rule.id) {
        return Verdict::Decides(decided.decision, decided.item);
    }
    let on_its_own = total_name.finding(rule.id).or_else(|| business::finding_on_a_field(rule.id, &records.patient));
    match on_its_own {
        Some(Err(why)) => Verdict::DoesNotFire(why.to_string()),
        _ => Verdict::DoesNotFire(format!("it would, but {} decides", those_of_the_total_name(decided))),
    }
}

/// Only rules of the total name give way to each other.
fn those_of_the_total_name(decided: &[Decided]) -> String {
    let of_the_name = |decided: &&Decided| {
        matches!(decided.item, Item::Forenames | Item::Surname | Item::Names | Item::Title | Item::TotalName)
    };
    let ids: Vec<&str> = decided.iter().filter(of_the_name).map(|decided| decided.rule_id).collect();
    ids.join(", ")
}

fn as_compared(rule: &CatalogueEntry, records: &TrialRecords<'_>, total_name: &TotalName) -> (String, String) {
    let Patient { gp, pds, .. } = records.patient;
    let list = |list| words::normalised(list_as_compared(list, records.profile));
    let one = |text: Option<&str>| words::normalised(&[text.unwrap_or_default()]);
    match rule.id {
        "MN-BR-AD-01" => (words::normalised(&address_lines(gp)), list(&pds.address)),
        "MN-BR-FN-01" => (one(gp.forenames), list(&pds.forenames)),
        "MN-BR-TL-01" => (one(gp.title), list(&pds.titles)),
        "MN-BR-SN-01" => (one(gp.surname), one(Some(pds.surname))),
        "MN-BR-AD-02" => (one(gp.postcode), one(Some(pds.postcode))),
        "MN-BR-DB-01" | "BR-DB-01" => (iso_date(gp.date_of_birth.unwrap_or_default()), pds.date_of_birth.to_string()),
        "MN-BR-SX-01" | "BR-SX-01" => {
            (gp.sex.and_then(sex::word).unwrap_or_default().to_string(), pds.gender.to_ascii_lowercase())
        }
        "BR-AD-01" => (business::without_spaces(&address_lines(gp)), business::without_spaces(&pds.address)),
        "BR-AD-02" => {
            (business::without_spaces(&[gp.postcode.unwrap_or_default()]), business::without_spaces(&[pds.postcode]))
        }
        id if id.starts_with("BR-DD-") => {
            let on_pds = records.patient.pds_dispensing.map_or("not known", yes_or_no);
            (yes_or_no(gp.drugs_dispensed_marker == Some("Y")).to_string(), on_pds.to_string())
        }
        _ => total_name.as_compared(),
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// `YYYYMMDD` as PDS would write it.
fn iso_date(digits: &str) -> String {
    match (digits.get(..4), digits.get(4..6), digits.get(6..)) {
        (Some(year), Some(month), Some(day)) if digits.len() == 8 => format!("{year}-{month}-{day}"),
        _ => digits.to_string(),
    }
}
