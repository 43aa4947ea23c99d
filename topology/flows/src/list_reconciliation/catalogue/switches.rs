//! Which rules hold where and when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{CATALOGUE, REGISTRATION_FINDINGS, RuleSet, entry, similar_ids};
use crate::list_reconciliation::business::Reading;
use crate::list_reconciliation::uk_time::EUROPE_LONDON;

/// What can be set for the rules. [`RuleSettings::default`] is the first set alone, everywhere.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    /// Whether the business rules are tried at all.
    pub business: bool,
    /// Which reading of the business rules holds where their sources contradict each other.
    pub reading: Reading,
    /// Practices that dispense drugs. `None`: it is not known which do, and rules that ask for it do not fire.
    pub dispensing_practices: Option<BTreeSet<String>>,
    switches: Vec<RuleSwitch>,
}

/// Turns rules on or off in some places or at some times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSwitch {
    /// Ids of rules; not empty.
    pub rules: Vec<String>,
    /// On or off.
    pub enabled: bool,
    /// Codes of practices; empty for all.
    pub practices: Vec<String>,
    /// Ciphers of Health Authorities; empty for all.
    pub regions: Vec<String>,
    /// The first day on which it holds.
    pub from: Option<Date>,
    /// The last day on which it holds.
    pub to: Option<Date>,
}

/// Whose records are looked at, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation<'a> {
    /// Code of the practice.
    pub practice: &'a str,
    /// Cipher of its Health Authority, as every record of its extract carries it.
    pub region: &'a str,
    /// The UK day of processing.
    pub date: Date,
}

impl<'a> Situation<'a> {
    /// The situation of a practice's records that are processed at an instant.
    #[must_use]
    pub fn at(practice: &'a str, region: &'a str, instant: Timestamp) -> Self {
        Self { practice, region, date: EUROPE_LONDON.to_datetime(instant).date() }
    }
}

impl RuleSettings {
    /// Without switches, and without knowing which practices dispense.
    #[must_use]
    pub fn new(business: bool, reading: Reading) -> Self {
        Self { business, reading, ..Self::default() }
    }

    /// Takes switches in. The last one that applies decides; where none does, a rule is on.
    ///
    /// # Errors
    /// What is wrong with a switch, and what to write instead.
    pub fn with_switches(self, switches: Vec<RuleSwitch>) -> Result<Self, String> {
        for switch in &switches {
            switch.check()?;
        }
        Ok(Self { switches, ..self })
    }

    /// Takes in which practices dispense.
    ///
    /// # Errors
    /// What is wrong with a code, and what to write instead.
    pub fn with_dispensing_practices(self, practices: Vec<String>) -> Result<Self, String> {
        practices.iter().try_for_each(|practice| check_practice(practice))?;
        Ok(Self { dispensing_practices: Some(practices.into_iter().collect()), ..self })
    }

    /// Whether the practice dispenses, where that is known.
    #[must_use]
    pub fn dispenses(&self, practice: &str) -> Option<bool> {
        self.dispensing_practices.as_ref().map(|practices| practices.contains(practice))
    }

    /// The rules that hold in a situation. The answer is the same for all records of a job.
    #[must_use]
    pub fn active(&self, situation: &Situation<'_>) -> ActiveRules {
        let mut active = 0;
        for (position, entry) in CATALOGUE.iter().enumerate() {
            let in_use = entry.set == RuleSet::Differences || self.business;
            if in_use && self.deciding_switch(entry.id, situation).is_none_or(|switch| switch.enabled) {
                active |= 1 << position;
            }
        }
        ActiveRules(active)
    }

    /// The switch that decides on a rule in a situation, if any does.
    #[must_use]
    pub fn deciding_switch(&self, id: &str, situation: &Situation<'_>) -> Option<&RuleSwitch> {
        self.switches
            .iter()
            .rev()
            .find(|switch| switch.rules.iter().any(|rule| rule == id) && switch.applies(situation))
    }
}

impl RuleSwitch {
    fn applies(&self, situation: &Situation<'_>) -> bool {
        let among = |list: &[String], one: &str| list.is_empty() || list.iter().any(|listed| listed == one);
        among(&self.practices, situation.practice)
            && among(&self.regions, situation.region)
            && self.from.is_none_or(|from| from <= situation.date)
            && self.to.is_none_or(|to| situation.date <= to)
    }

    fn check(&self) -> Result<(), String> {
        if self.rules.is_empty() {
            return Err("a switch names no rule: write rules = [\"BR-SN-04\"]".to_string());
        }
        for id in &self.rules {
            if REGISTRATION_FINDINGS.iter().any(|finding| finding.id == id) {
                return Err(format!(
                    "`{id}` is found of every list: only rules can be switched (`concord rules list`)"
                ));
            }
            if entry(id).is_none() {
                let similar = similar_ids(id).join(", ");
                return Err(format!("there is no rule `{id}`: write one of {similar} (`concord rules list` has all)"));
            }
        }
        self.practices.iter().try_for_each(|practice| check_practice(practice))?;
        self.regions.iter().try_for_each(|region| check_region(region))?;
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            let rules = self.rules.join(", ");
            return Err(format!("the switch of {rules} ends ({to}) before it begins ({from}): exchange the two days"));
        }
        Ok(())
    }
}

impl std::fmt::Display for RuleSwitch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.enabled { "on" } else { "off" })?;
        if !self.practices.is_empty() {
            write!(formatter, " for practice {}", self.practices.join(", "))?;
        }
        if !self.regions.is_empty() {
            write!(formatter, " in region {}", self.regions.join(", "))?;
        }
        if let Some(from) = self.from {
            write!(formatter, " from {from}")?;
        }
        if let Some(to) = self.to {
            write!(formatter, " to {to}")?;
        }
        Ok(())
    }
}

/// The rules that hold in a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveRules(u64);

const _: () = assert!(CATALOGUE.len() <= u64::BITS as usize);

impl ActiveRules {
    /// All rules of both sets.
    pub const ALL: Self = Self((1 << CATALOGUE.len()) - 1);

    /// Whether this rule holds. An id that is not in the catalogue does not.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        let position = CATALOGUE.iter().position(|entry| entry.id == id);
        position.is_some_and(|position| self.0 & (1 << position) != 0)
    }

    /// Whether any business rule holds: where none does, none need be tried.
    #[must_use]
    pub fn has_business(self) -> bool {
        const FIRST: usize = {
            let mut position = 0;
            while matches!(CATALOGUE[position].set, RuleSet::Differences) {
                position += 1;
            }
            position
        };
        self.0 >> FIRST != 0
    }
}

fn check_practice(code: &str) -> Result<(), String> {
    match code.as_bytes() {
        [letter, digits @ ..]
            if letter.is_ascii_uppercase() && digits.len() == 5 && digits.iter().all(u8::is_ascii_digit) =>
        {
            Ok(())
        }
        _ => Err(format!("`{code}` is no practice code: write a capital and five digits, such as A82023")),
    }
}

fn check_region(cipher: &str) -> Result<(), String> {
    if cipher.len() == 3 && cipher.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!("`{cipher}` is no cipher of a Health Authority: write three capitals or digits, such as LNA"))
}
