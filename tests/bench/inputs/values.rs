//! What the topics of the comparison hold: the contract is `../avro/*.avsc`, and the Kafka Streams arm is built from the
//! same files.

use concord_engine::value::Value;
use concord_schemas::codec::TopicSchema;
use serde::{Deserialize, Serialize};

static MESSAGE: TopicSchema = TopicSchema::new("bench.message", include_str!("../avro/message.avsc"));
static FINDING: TopicSchema = TopicSchema::new("bench.finding", include_str!("../avro/finding.avsc"));
static PERSON: TopicSchema = TopicSchema::new("bench.person", include_str!("../avro/person.avsc"));
static OUTCOME: TopicSchema = TopicSchema::new("bench.outcome", include_str!("../avro/outcome.avsc"));

/// Input of W0 and W1.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message<'a> {
    pub sender: &'a str,
    pub sequence: i32,
    pub kind: MessageKind,
    pub at: i64,
    pub payload: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageKind {
    Admission,
    Transfer,
    Discharge,
    Result,
}

/// Output of W1.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding<'a> {
    pub sender: &'a str,
    pub kind: FindingKind,
    pub first: i32,
    pub last: i32,
    pub at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FindingKind {
    Gap,
    Resolved,
}

/// Input of W2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person<'a> {
    pub nhs_number: &'a str,
    pub surname: &'a str,
    pub forenames: &'a str,
    pub title: &'a str,
    pub sex: &'a str,
    pub date_of_birth: &'a str,
    pub address1: &'a str,
    pub address2: &'a str,
    pub address3: &'a str,
    pub address4: &'a str,
    pub address5: &'a str,
    pub postcode: &'a str,
    pub practice: &'a str,
}

impl<'a> Person<'a> {
    /// Names of the fields, in the order of [`Self::fields`].
    pub const FIELDS: [&'static str; 13] = [
        "nhsNumber",
        "surname",
        "forenames",
        "title",
        "sex",
        "dateOfBirth",
        "address1",
        "address2",
        "address3",
        "address4",
        "address5",
        "postcode",
        "practice",
    ];

    pub fn fields(&self) -> [&'a str; 13] {
        [
            self.nhs_number,
            self.surname,
            self.forenames,
            self.title,
            self.sex,
            self.date_of_birth,
            self.address1,
            self.address2,
            self.address3,
            self.address4,
            self.address5,
            self.postcode,
            self.practice,
        ]
    }
}

/// What W2 remembers, and its output where the lists disagree.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome<'a> {
    pub nhs_number: &'a str,
    pub status: Status,
    pub at: i64,
    #[serde(borrow)]
    pub differences: Vec<Difference<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Same,
    Different,
    Missing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Difference<'a> {
    pub field: &'a str,
    pub reference: &'a str,
    pub extract: &'a str,
}

macro_rules! kinds {
    ($($(#[$meaning:meta])* $kind:ident: $value:ident, $schema:ident;)*) => {$(
        $(#[$meaning])*
        pub struct $kind;

        impl Value for $kind {
            type Of<'a> = $value<'a>;

            fn schema() -> &'static TopicSchema {
                &$schema
            }
        }
    )*};
}

kinds! {
    /// Topics of messages.
    Messages: Message, MESSAGE;
    /// Topics of findings.
    Findings: Finding, FINDING;
    /// Topics and stores of persons.
    Persons: Person, PERSON;
    /// Topics and stores of outcomes.
    Outcomes: Outcome, OUTCOME;
}
