//! The business rules: what is to be done about a matched patient's differences, and by whom.
//!
//! The total name (title, forenames, surname) gets one decision: the first active rule of `total_name` that accounts for
//! the names, and one for the title, or else a person looks at all of it. Everything else is compared on its own.

mod dispensing;
mod name_parts;
mod other_fields;
mod total_name;

#[cfg(test)]
mod tests;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::catalogue::ActiveRules;

pub use dispensing::dispensing_flag;
pub(super) use other_fields::without_spaces;
pub(super) use total_name::TotalName;

/// What is to be done about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// The practice is right: PDS can be updated without a person.
    UpdatePds,
    /// PDS is right: the practice's system can be updated without a person.
    UpdateGp,
    /// A person has to look.
    Validate,
}

impl Decision {
    /// As outputs say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpdatePds => "update PDS",
            Self::UpdateGp => "update GP",
            Self::Validate => "validate",
        }
    }
}

/// What the decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// All forenames.
    Forenames,
    /// The surname.
    Surname,
    /// Forenames and surname.
    Names,
    /// The title.
    Title,
    /// Title, forenames and surname.
    TotalName,
    /// The date of birth.
    DateOfBirth,
    /// The sex.
    Sex,
    /// The address without its postcode.
    Address,
    /// The postcode.
    Postcode,
    /// Whether drugs are dispensed to the patient.
    DrugsDispensedMarker,
}

impl Item {
    /// As outputs say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forenames => "forenames",
            Self::Surname => "surname",
            Self::Names => "forenames and surname",
            Self::Title => "title",
            Self::TotalName => "title, forenames and surname",
            Self::DateOfBirth => "date of birth",
            Self::Sex => "sex",
            Self::Address => "address",
            Self::Postcode => "postcode",
            Self::DrugsDispensedMarker => "drugs dispensed marker",
        }
    }
}

/// Which source of the rules is followed where the two contradict each other (docs/decisions/0006).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// The specification; the prototype where the specification is silent.
    #[default]
    Specification,
    /// The prototype of the name rules, letter by letter.
    Prototype,
}

/// What the business rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Patient<'a> {
    /// The practice's record.
    pub gp: &'a GpRecord<'a>,
    /// PDS's record of the same person.
    pub pds: &'a PdsRecord<'a>,
    /// Whether PDS has the patient down for dispensing: [`dispensing_flag`] of the registration. `None` if not known.
    pub pds_dispensing: Option<bool>,
    /// Whether the practice dispenses. `None` if not known.
    pub practice_dispenses: Option<bool>,
}

/// A decision, and the rule that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Such as `BR-SN-04`.
    pub rule_id: &'static str,
    /// What is to be done.
    pub decision: Decision,
    /// What it is about.
    pub item: Item,
}

/// What a rule of one patient's records says: a decision, or why it does not fire.
pub(super) type Finding = Result<(Decision, Item), &'static str>;

/// A business rule that looks at one field on its own.
pub(super) struct FieldRule {
    pub id: &'static str,
    pub find: fn(&Patient<'_>) -> Finding,
}

/// The decisions on a matched patient's two records, in the order of the catalogue.
///
/// Call it for patients registered at the practice on PDS who are not sensitive; nobody else is compared.
///
/// ```
/// use concord_flows::list_reconciliation::business::{self, Decision, Patient, Reading};
/// use concord_flows::list_reconciliation::catalogue::ActiveRules;
/// use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
///
/// let gp = GpRecord { forenames: Some("ANGELA"), surname: Some("KEW-JONES"), ..GpRecord::default() };
/// let pds = PdsRecord { forenames: vec!["Angela"], surname: "Kew Jones", ..PdsRecord::default() };
/// let patient = Patient { gp: &gp, pds: &pds, pds_dispensing: None, practice_dispenses: None };
/// let decided = business::decide(&patient, ActiveRules::ALL, Reading::Specification);
/// assert_eq!((decided[0].rule_id, decided[0].decision), ("BR-SN-07", Decision::UpdatePds));
/// ```
#[must_use]
pub fn decide(patient: &Patient<'_>, active: ActiveRules, reading: Reading) -> Vec<Decided> {
    if !active.has_business() {
        return Vec::new();
    }
    let mut decided = Vec::new();
    if !TotalName::is_surely_the_same(patient, reading) {
        decided.extend(TotalName::of(patient, reading).decide(active));
    }
    for rule in other_fields::RULES.iter().chain(&dispensing::RULES) {
        if let Ok((decision, item)) = (rule.find)(patient)
            && active.has(rule.id)
        {
            decided.push(Decided { rule_id: rule.id, decision, item });
        }
    }
    decided
}

/// What a rule on a field of its own says; `None` for rules of the total name and unknown ids.
pub(super) fn finding_on_a_field(id: &str, patient: &Patient<'_>) -> Option<Finding> {
    let rule = other_fields::RULES.iter().chain(&dispensing::RULES).find(|rule| rule.id == id)?;
    Some((rule.find)(patient))
}

/// The ids of all rules here, in the order in which they are tried.
#[cfg(test)]
pub(super) fn ids() -> Vec<&'static str> {
    let of_the_name = total_name::NAME_RULES.iter().chain(&total_name::TITLE_RULES).map(|rule| rule.id);
    let of_fields = other_fields::RULES.iter().chain(&dispensing::RULES).map(|rule| rule.id);
    of_the_name.chain([total_name::REST]).chain(of_fields).collect()
}
