//! The file of `concord rules test`: one person's record of the practice and of PDS, and where they are from.

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned};
use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::business::{Patient, dispensing_flag};
use concord_flows::list_reconciliation::catalogue::{RuleSettings, Situation, TrialRecords};
use concord_schemas::list_reconciliation::GpRecord;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::publish::selection;

/// Both records.
pub struct Pair {
    /// Empty for any.
    pub practice: String,
    /// Empty for any.
    pub region: String,
    pub date: Date,
    dispensing_flag: String,
    gp: GpFields,
    pds: PdsRecordOwned,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairFile {
    #[serde(default)]
    practice: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    date: Option<Date>,
    /// Of the registration: `1` or `0`.
    #[serde(default)]
    dispensing_flag: String,
    gp: GpFields,
    pds: Value,
}

/// The fields of a practice's record that a rule looks at, by the names they have on topics.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GpFields {
    surname: Option<String>,
    forenames: Option<String>,
    title: Option<String>,
    sex: Option<i32>,
    date_of_birth: Option<String>,
    address_line_1: Option<String>,
    address_line_2: Option<String>,
    address_line_3: Option<String>,
    address_line_4: Option<String>,
    address_line_5: Option<String>,
    postcode: Option<String>,
    drugs_dispensed_marker: Option<String>,
}

/// The fields of a PDS record, by the names they have on the topic and in `concord store get pds`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PdsFields {
    nhs_number: String,
    version: String,
    sensitivity: String,
    surname: String,
    forenames: Vec<String>,
    titles: Vec<String>,
    gender: String,
    date_of_birth: String,
    address: Vec<String>,
    postcode: String,
    gp_practice: String,
    gp_registered_date: String,
    date_of_death: String,
}

impl Pair {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong, where, and what to write instead.
    pub fn read(text: &str, now: Timestamp, profile: Profile) -> Result<Self, String> {
        let file: PairFile = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let date = file.date.unwrap_or_else(|| Situation::at("", "", now).date);
        file.gp.check()?;
        let pds = match file.pds.get("resourceType") {
            Some(_) => fhir_patient(&file.pds, date, profile)?,
            None => pds_fields(file.pds)?,
        };
        if !matches!(pds.gender.as_str(), "" | "male" | "female" | "other" | "unknown") {
            return Err("pds.gender: write male, female, other or unknown".to_string());
        }
        Ok(Self {
            practice: file.practice,
            region: file.region,
            date,
            dispensing_flag: file.dispensing_flag,
            gp: file.gp,
            pds,
        })
    }

    /// Lends the records as the rules take them.
    pub fn with_records<T>(
        &self,
        settings: &RuleSettings,
        profile: Profile,
        then: impl FnOnce(&TrialRecords<'_>) -> T,
    ) -> T {
        let gp = self.gp.as_record();
        let pds = self.pds.as_record();
        let situation = Situation { practice: &self.practice, region: &self.region, date: self.date };
        let patient = Patient {
            gp: &gp,
            pds: &pds,
            pds_dispensing: dispensing_flag(&self.dispensing_flag),
            practice_dispenses: settings.dispenses(&self.practice),
        };
        then(&TrialRecords { patient, situation, profile })
    }
}

impl GpFields {
    fn check(&self) -> Result<(), String> {
        let is_date = |text: &String| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !self.date_of_birth.as_ref().is_none_or(is_date) {
            return Err("gp.date_of_birth: write it as the extract has it, such as \"19800229\"".to_string());
        }
        if !matches!(self.sex, None | Some(0 | 1 | 2 | 9)) {
            return Err("gp.sex: write 1 (male), 2 (female), 0 (not known) or 9 (not specified)".to_string());
        }
        if !matches!(self.drugs_dispensed_marker.as_deref(), None | Some("" | "Y")) {
            return Err("gp.drugs_dispensed_marker: write \"Y\", or leave it out".to_string());
        }
        Ok(())
    }

    fn as_record(&self) -> GpRecord<'_> {
        GpRecord {
            surname: self.surname.as_deref(),
            forenames: self.forenames.as_deref(),
            title: self.title.as_deref(),
            sex: self.sex,
            date_of_birth: self.date_of_birth.as_deref(),
            address_line_1: self.address_line_1.as_deref(),
            address_line_2: self.address_line_2.as_deref(),
            address_line_3: self.address_line_3.as_deref(),
            address_line_4: self.address_line_4.as_deref(),
            address_line_5: self.address_line_5.as_deref(),
            postcode: self.postcode.as_deref(),
            drugs_dispensed_marker: self.drugs_dispensed_marker.as_deref(),
            ..GpRecord::default()
        }
    }
}

fn pds_fields(value: Value) -> Result<PdsRecordOwned, String> {
    let fields: PdsFields = serde_json::from_value(value).map_err(|e| format!("pds: {e}"))?;
    Ok(PdsRecordOwned {
        nhs_number: fields.nhs_number,
        version: fields.version,
        sensitivity: fields.sensitivity,
        surname: fields.surname,
        forenames: fields.forenames,
        titles: fields.titles,
        gender: fields.gender,
        date_of_birth: fields.date_of_birth,
        address: fields.address,
        postcode: fields.postcode,
        gp_practice: fields.gp_practice,
        gp_registered_date: fields.gp_registered_date,
        date_of_death: fields.date_of_death,
    })
}

fn fhir_patient(value: &Value, today: Date, profile: Profile) -> Result<PdsRecordOwned, String> {
    let line = value.to_string();
    let settings = FhirSettings { selection: selection(profile), today };
    let mut reader = FhirReader::open("pds", line.as_bytes(), settings).map_err(|e| e.to_string())?;
    match reader.next().transpose().map_err(|e| e.to_string())?.map(|entry| entry.change) {
        Some(PdsChange::Upsert(record)) => Ok(*record),
        _ => Err("pds: PDS has no record of this number, so there is nothing to compare".to_string()),
    }
}
