//! The rules of consolidation as data: how far each kind of document is trusted, and by which policy each field is chosen.

use std::collections::BTreeMap;

use super::fields::Field;
use super::policy::Policy;

/// Trust in what each reader reads, unless the configuration says otherwise. What is written for programs is trusted more than
/// what is written for people, and that more than what is recognised on an image.
pub const TRUST: [(&str, u32); 6] =
    [("fhir-r4", 100), ("cda-r2", 100), ("hl7-v2", 90), ("labelled-text", 70), ("pdf-text", 70), ("ocr", 40)];

/// Trust in readers that the table does not have.
const TRUST_IN_OTHERS: u32 = 40;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    trust: BTreeMap<String, u32>,
    policies: BTreeMap<Field, Policy>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            trust: TRUST.into_iter().map(|(reader, trust)| (reader.to_owned(), trust)).collect(),
            policies: Field::all().map(|field| (field, Policy::of(field.rule().policy))).collect(),
        }
    }
}

impl Rules {
    /// Trusts what a reader reads so far.
    pub fn set_trust(&mut self, reader: &str, trust: u32) {
        self.trust.insert(reader.to_owned(), trust);
    }

    /// Chooses a field by another policy.
    pub fn set_policy(&mut self, field: Field, policy: Policy) {
        self.policies.insert(field, policy);
    }

    pub(super) fn trust(&self, reader: &str) -> u32 {
        self.trust.get(reader).copied().unwrap_or(TRUST_IN_OTHERS)
    }

    pub(super) fn policy(&self, field: Field) -> Policy {
        self.policies.get(&field).cloned().unwrap_or_else(|| Policy::of(field.rule().policy))
    }
}
