//! What a reader gives out: a person's record, or that PDS has none.

use concord_schemas::list_reconciliation::PdsRecord;

/// What PDS says of one NHS number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdsEntry {
    /// Ten digits, the check digit right.
    pub nhs_number: String,
    /// What it says.
    pub change: PdsChange,
}

/// What PDS says of a number: an upsert or a tombstone of the record topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PdsChange {
    /// This is the record now.
    Upsert(Box<PdsRecordOwned>),
    /// There is no record of that number.
    NotFound,
}

/// A [`PdsRecord`] that owns its text. The fields mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PdsRecordOwned {
    /// Ten digits.
    pub nhs_number: String,
    /// Serial change number.
    pub version: String,
    /// `U`, `R`, `V`, `REDACTED`, or as PDS sent it.
    pub sensitivity: String,
    /// Family name.
    pub surname: String,
    /// Given names in order.
    pub forenames: Vec<String>,
    /// Titles in order.
    pub titles: Vec<String>,
    /// FHIR word.
    pub gender: String,
    /// ISO date, perhaps partial.
    pub date_of_birth: String,
    /// Address lines in order, without the postcode.
    pub address: Vec<String>,
    /// Postcode.
    pub postcode: String,
    /// ODS code of the practice of registration.
    pub gp_practice: String,
    /// Start of that registration.
    pub gp_registered_date: String,
    /// ISO date, perhaps with a time; empty while PDS knows of no death.
    pub date_of_death: String,
}

impl PdsRecordOwned {
    /// The record of an invalidated number: nothing but the number and the marker `REDACTED`.
    #[must_use]
    pub fn redacted(nhs_number: &str) -> Self {
        Self { nhs_number: nhs_number.to_owned(), sensitivity: "REDACTED".to_owned(), ..Self::default() }
    }

    /// Lends the record as the value of its topic.
    #[must_use]
    pub fn as_record(&self) -> PdsRecord<'_> {
        PdsRecord {
            nhs_number: &self.nhs_number,
            version: &self.version,
            sensitivity: &self.sensitivity,
            surname: &self.surname,
            forenames: self.forenames.iter().map(String::as_str).collect(),
            titles: self.titles.iter().map(String::as_str).collect(),
            gender: &self.gender,
            date_of_birth: &self.date_of_birth,
            address: self.address.iter().map(String::as_str).collect(),
            postcode: &self.postcode,
            gp_practice: &self.gp_practice,
            gp_registered_date: &self.gp_registered_date,
            date_of_death: &self.date_of_death,
        }
    }
}
