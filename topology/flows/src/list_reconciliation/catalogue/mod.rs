//! All rules as data: what each looks at, when it fires, and what is to be done then; and where each is switched on.
//!
//! The rules themselves are in [`compare`](super::compare) and [`business`](super::business). A test holds their tables
//! against this one.

mod entries;
mod switches;
mod trial;

#[cfg(test)]
mod tests;

pub use entries::{CATALOGUE, ONLY_ON_GP, ONLY_ON_PDS, REGISTRATION_FINDINGS};
pub use switches::{ActiveRules, RuleSettings, RuleSwitch, Situation};
pub use trial::{Trial, TrialRecords, Verdict, trial};

/// A rule, described.
#[derive(Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// Such as `BR-SN-04`.
    pub id: &'static str,
    /// Which set it belongs to.
    pub set: RuleSet,
    /// The fields it looks at.
    pub fields: &'static str,
    /// When it fires.
    pub condition: &'static str,
    /// What kind of difference it finds.
    pub class: Class,
    /// What is to be done, as outputs say it.
    pub guidance: &'static str,
    /// Where the rule comes from.
    pub source: Source,
}

/// The two sets of rules, and what is found where neither is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSet {
    /// Every difference is looked at by a person.
    Differences,
    /// Many differences are decided without a person. Optional.
    Business,
    /// The records are not compared, and that is the difference.
    Registration,
}

impl RuleSet {
    /// As it is written in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Differences => "differences",
            Self::Business => "business",
            Self::Registration => "registration",
        }
    }
}

/// What kind of difference a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// One side is right, and the other can be updated without a person.
    Accepted,
    /// A person has to look.
    Validate,
}

impl Class {
    /// As it is written in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Validate => "validate",
        }
    }
}

/// Where a rule comes from. The two do not always agree: docs/decisions/0006.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The specification of differences, which numbers its rules.
    Specification,
    /// The prototype of the name rules; the number is ours.
    Prototype,
}

impl Source {
    /// As it is written in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Specification => "specification",
            Self::Prototype => "prototype",
        }
    }
}

/// The rule, or the finding of registration, of this id.
#[must_use]
pub fn entry(id: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().chain(&REGISTRATION_FINDINGS).find(|entry| entry.id == id)
}

/// Ids that begin as a wrong one does, for a message that says what to write instead; all of a set where none does.
#[must_use]
pub fn similar_ids(wrong: &str) -> Vec<&'static str> {
    let wrong = wrong.to_ascii_uppercase();
    let shared = |id: &str| id.bytes().zip(wrong.bytes()).take_while(|(left, right)| left == right).count();
    let most = CATALOGUE.iter().map(|entry| shared(entry.id)).max().unwrap_or_default();
    CATALOGUE.iter().map(|entry| entry.id).filter(|id| shared(id) == most).collect()
}
