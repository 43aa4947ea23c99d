//! What reconciling a generated practice must count.

use std::collections::BTreeMap;

use concord_schemas::list_reconciliation::JobCounts;

use super::person::{Drift, Person, Place, Standing};

/// What must come out, known from how the people were made and not from comparing them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyntheticTruth {
    /// The counts of the job.
    pub counts: JobCounts,
    /// Differences by rule id; of all rules together there are `counts.differences`.
    pub by_rule: BTreeMap<&'static str, i64>,
}

impl SyntheticTruth {
    pub(super) fn count(&mut self, person: &Person) {
        let counts = &mut self.counts;
        if person.place != Place::InTheExtract {
            if person.standing == Standing::AtThePractice {
                counts.only_on_pds += 1;
            }
            return;
        }
        counts.records += 1;
        match person.standing {
            Standing::AtThePractice => counts.matched += 1,
            Standing::Elsewhere => counts.partnership_mismatch += 1,
            Standing::Unknown => counts.unmatched += 1,
            Standing::Nowhere | Standing::Restricted | Standing::VeryRestricted | Standing::Redacted => {
                counts.deducted += 1;
            }
        }
        if person.standing.is_sensitive() {
            counts.sensitive += 1;
            counts.work_items += 1;
        } else if person.standing != Standing::AtThePractice {
            counts.only_on_gp += 1;
        }
        let mut differs = false;
        for rule in rules_of(person.drift) {
            differs = true;
            counts.differences += 1;
            *self.by_rule.entry(rule).or_default() += 1;
        }
        if differs {
            counts.patients_with_differences += 1;
            counts.work_items += 1;
        }
    }
}

fn rules_of(drift: Drift) -> impl Iterator<Item = &'static str> {
    let rules = [
        ("MN-BR-AD-01", drift.address),
        ("MN-BR-AD-02", drift.address || drift.postcode_spacing),
        ("MN-BR-DB-01", drift.birth_date || drift.partial_birth_date),
        ("MN-BR-FN-01", drift.forenames),
        ("MN-BR-SN-01", drift.surname),
        ("MN-BR-SX-01", drift.sex),
        ("MN-BR-TL-01", drift.title),
    ];
    rules.into_iter().filter(|&(_, differs)| differs).map(|(rule, _)| rule)
}
