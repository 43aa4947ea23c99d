#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fields;
mod names;
mod people;
mod prototype;
mod titles;

use super::*;
use crate::list_reconciliation::catalogue::{RuleSettings, RuleSwitch, Situation};

/// A practice's names against PDS's: forenames and surname each.
type Names<'a> = (&'a str, &'a str);

fn patient_with<'a>(gp: &'a GpRecord<'a>, pds: &'a PdsRecord<'a>) -> Patient<'a> {
    Patient { gp, pds, pds_dispensing: None, practice_dispenses: None }
}

/// Empty text is an absent value.
fn gp_named<'a>((forenames, surname): Names<'a>, title: &'a str) -> GpRecord<'a> {
    let filled = |text: &'a str| Some(text).filter(|text| !text.is_empty());
    GpRecord { forenames: filled(forenames), surname: filled(surname), title: filled(title), ..GpRecord::default() }
}

fn pds_named<'a>((forenames, surname): Names<'a>, title: &'a str) -> PdsRecord<'a> {
    PdsRecord { forenames: vec![forenames], surname, titles: vec![title], gender: "", ..PdsRecord::default() }
}

fn decide_names(gp: Names<'_>, pds: Names<'_>, active: ActiveRules, reading: Reading) -> Vec<Decided> {
    decide(&patient_with(&gp_named(gp, ""), &pds_named(pds, "")), active, reading)
}

/// Decisions by rule, decision and item, as they are written.
fn written(decided: &[Decided]) -> Vec<(&'static str, &'static str, &'static str)> {
    decided.iter().map(|decided| (decided.rule_id, decided.decision.as_str(), decided.item.as_str())).collect()
}

/// All business rules but these.
fn without(ids: &[&str]) -> ActiveRules {
    let off = RuleSwitch { rules: ids.iter().map(ToString::to_string).collect(), ..RuleSwitch::default() };
    let settings = RuleSettings::new(true, Reading::default()).with_switches(vec![off]).unwrap();
    settings.active(&Situation { practice: "A82023", region: "LNA", date: jiff::civil::date(2021, 8, 10) })
}
