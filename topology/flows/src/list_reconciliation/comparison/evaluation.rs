//! What a practice's list and PDS say together of one person.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use crate::list_reconciliation::business::{self, Decided, Patient};
use crate::list_reconciliation::catalogue::{ActiveRules, ONLY_ON_GP, ONLY_ON_PDS, RuleSettings};
use crate::list_reconciliation::compare::{self, Rule, SENSITIVE};
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::{RegistrationStatus, is_sensitive};

/// See the module.
#[derive(Debug)]
pub(super) struct Evaluation {
    /// Where PDS has the person.
    pub status: RegistrationStatus,
    /// Whether PDS withholds the person.
    pub sensitive: bool,
    /// The finding in place of a comparison, where the records are not compared.
    pub apart: Option<&'static str>,
    /// In what the records differ.
    pub differences: Vec<&'static Rule>,
    /// What business rules say is to be done about it.
    pub decided: Vec<Decided>,
}

/// How records are compared.
pub(super) struct Comparing<'s> {
    pub profile: Profile,
    pub settings: &'s RuleSettings,
    /// The rules that hold for these records.
    pub active: ActiveRules,
}

impl Evaluation {
    /// Of a person whom the practice's list names. `pds_dispensing`: whether PDS has the patient down for dispensing, if known.
    pub fn of_named(
        practice: &str,
        gp: &GpRecord<'_>,
        pds: Option<&PdsRecord<'_>>,
        pds_dispensing: Option<bool>,
        how: &Comparing<'_>,
    ) -> Self {
        let status = RegistrationStatus::of(practice, pds);
        let sensitive = pds.is_some_and(is_sensitive);
        let mut found = Self { status, sensitive, apart: None, differences: Vec::new(), decided: Vec::new() };
        match pds {
            _ if sensitive => found.apart = Some(SENSITIVE),
            Some(pds) if status == RegistrationStatus::Matched => {
                let differences = compare::differences(gp, pds, how.profile);
                found.differences.extend(differences.filter(|rule| how.active.has(rule.id)));
                let practice_dispenses = how.settings.dispenses(practice);
                let patient = Patient { gp, pds, pds_dispensing, practice_dispenses };
                found.decided = business::decide(&patient, how.active, how.settings.reading);
            }
            _ => found.apart = Some(ONLY_ON_GP),
        }
        found
    }

    /// Of a person whom the practice's list names, and of whom PDS could not tell: what it has said before still holds, which is
    /// that it has no record of the person (`is_missing`), or nothing.
    pub fn of_unknown(is_missing: bool) -> Self {
        Self {
            status: RegistrationStatus::Unmatched,
            sensitive: false,
            apart: is_missing.then_some(ONLY_ON_GP),
            differences: Vec::new(),
            decided: Vec::new(),
        }
    }

    /// Of a person whom the practice's list does not name. `is_registered`: whether the person is registered there.
    pub fn of_unnamed(practice: &str, pds: Option<&PdsRecord<'_>>, is_registered: bool) -> Self {
        let sensitive = pds.is_some_and(is_sensitive);
        let is_shown = is_registered && pds.is_some() && !sensitive;
        Self {
            status: RegistrationStatus::of(practice, pds),
            sensitive,
            apart: is_shown.then_some(ONLY_ON_PDS),
            differences: Vec::new(),
            decided: Vec::new(),
        }
    }
}
