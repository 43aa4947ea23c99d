//! The parts of a FHIR R4 Patient or OperationOutcome that Concord reads; all else is skipped.

use serde::Deserialize;

/// One line: a resource, or a wrapper that says which NHS number the resource answers for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Resource {
    pub resource_type: Option<String>,
    pub id: Option<String>,
    pub identifier: Vec<Identifier>,
    pub meta: Meta,
    pub name: Vec<HumanName>,
    pub gender: Option<String>,
    pub birth_date: Option<String>,
    pub deceased_date_time: Option<String>,
    pub address: Vec<Address>,
    pub general_practitioner: Vec<Reference>,
    /// Of an OperationOutcome.
    pub issue: Vec<Issue>,
    /// Of a wrapper.
    pub nhs_number: Option<String>,
    /// Of a wrapper.
    pub resource: Option<Box<Resource>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub version_id: Option<String>,
    pub security: Vec<Coding>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Coding {
    pub code: Option<String>,
}

/// Lists are absent, or hold `null` where an element has only an extension.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HumanName {
    #[serde(rename = "use")]
    pub usage: Option<String>,
    pub period: Period,
    pub family: Option<String>,
    pub given: Option<Vec<Option<String>>>,
    pub prefix: Option<Vec<Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Address {
    #[serde(rename = "use")]
    pub usage: Option<String>,
    pub period: Period,
    pub line: Option<Vec<Option<String>>>,
    pub postal_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Period {
    pub start: Option<String>,
    pub end: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference {
    pub identifier: Identifier,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identifier {
    pub system: Option<String>,
    pub value: Option<String>,
    pub period: Period,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Issue {
    pub details: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub coding: Vec<Coding>,
}
