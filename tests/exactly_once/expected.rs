//! What must come out, computed from what went in by code that shares nothing with the flow: rows are cut and compared
//! here in the plainest way that synthetic practices allow.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::list_reconciliation::topology::{GP_EXTRACT, PDS_RECORD};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{ExtractEvent, JobCounts, PdsRecord};

use crate::Outcome;
use crate::topics::{Record, Topics};

/// A patient of an extract.
pub struct Patient {
    /// 1-based place in the file.
    pub number: i64,
    pub nhs: String,
    pub status: &'static str,
    pub sensitive: bool,
    /// Ids of the rules that find a difference.
    pub rules: BTreeSet<&'static str>,
}

impl Patient {
    /// Whether the patient is a row of the OnlyOnGP file.
    pub fn is_only_on_gp(&self) -> bool {
        self.status != "Matched" && !self.sensitive
    }

    /// Whether the patient has a work item.
    pub fn has_work_item(&self) -> bool {
        self.sensitive || !self.rules.is_empty()
    }
}

/// A job and what must be found.
pub struct ExpectedJob {
    pub id: String,
    pub practice: String,
    pub patients: Vec<Patient>,
    /// Registered at the practice, not in its file, not sensitive; in order.
    pub only_on_pds: BTreeSet<String>,
}

impl ExpectedJob {
    /// Keys of what must stand on the topic of differences.
    pub fn standing(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut stands = |nhs: &str, rule: &str| keys.push(format!("{}/{nhs}/{rule}", self.practice));
        for patient in &self.patients {
            patient.rules.iter().for_each(|rule| stands(&patient.nhs, rule));
            if patient.sensitive {
                stands(&patient.nhs, "sensitive");
            }
            if patient.is_only_on_gp() {
                stands(&patient.nhs, "ONLY-ON-GP");
            }
        }
        self.only_on_pds.iter().for_each(|nhs| stands(nhs, "ONLY-ON-PDS"));
        keys
    }

    /// The counts of the job.
    pub fn counts(&self) -> JobCounts {
        let count = |holds: &dyn Fn(&Patient) -> bool| self.patients.iter().filter(|p| holds(p)).count() as i64;
        JobCounts {
            records: self.patients.len() as i64,
            matched: count(&|p| p.status == "Matched"),
            partnership_mismatch: count(&|p| p.status == "Partnership Mismatch"),
            deducted: count(&|p| p.status == "Deducted Patient Match"),
            unmatched: count(&|p| p.status == "Unmatched"),
            sensitive: count(&|p| p.sensitive),
            only_on_gp: count(&Patient::is_only_on_gp),
            only_on_pds: self.only_on_pds.len() as i64,
            differences: self.patients.iter().map(|p| p.rules.len() as i64).sum(),
            patients_with_differences: count(&|p| !p.rules.is_empty()),
            work_items: count(&Patient::has_work_item),
            duplicates: 0,
            pds_updates: 0,
            gp_updates: 0,
            validations: 0,
            lookup_failed: 0,
        }
    }
}

/// Computes every job that was sent.
pub fn jobs(topics: &Topics) -> Outcome<Vec<ExpectedJob>> {
    let decoder = Schemas::bundled().decoder();
    let stored = topics.read(PDS_RECORD)?;
    let mut on_pds: BTreeMap<String, PdsRecord<'_>> = BTreeMap::new();
    for record in &stored {
        match &record.value {
            Some(value) => {
                let read = decoder.decode(&codec::PDS_RECORD, value).map_err(|e| e.to_string())?;
                on_pds.insert(record.text_key(), read);
            }
            None => {
                on_pds.remove(&record.text_key());
            }
        }
    }
    let mut jobs = Vec::new();
    for (id, (file_name, content)) in extracts(&topics.read(GP_EXTRACT)?)? {
        let practice: String = file_name.chars().take(6).collect();
        let patients = patients(&practice, &content, &on_pds)?;
        let named: BTreeSet<&str> = patients.iter().map(|p| p.nhs.as_str()).collect();
        let only_on_pds = on_pds
            .iter()
            .filter(|(nhs, pds)| pds.gp_practice == practice && !is_sensitive(pds) && !named.contains(nhs.as_str()))
            .map(|(nhs, _)| nhs.clone())
            .collect();
        jobs.push(ExpectedJob { id, practice, patients, only_on_pds });
    }
    Ok(jobs)
}

/// File name and content by job. A file may have been sent more than once, or in part and then again.
fn extracts(records: &[Record]) -> Outcome<BTreeMap<String, (String, String)>> {
    let decoder = Schemas::bundled().decoder();
    let mut names = BTreeMap::new();
    let mut pieces: BTreeMap<String, BTreeMap<i32, Vec<u8>>> = BTreeMap::new();
    for record in records {
        let value = record.value.as_deref().unwrap_or_default();
        match decoder.decode(&codec::GP_EXTRACT, value).map_err(|e| e.to_string())? {
            ExtractEvent::ExtractOpened(opened) => {
                names.insert(opened.job_id.to_owned(), opened.file_name.to_owned());
            }
            ExtractEvent::ExtractChunk(chunk) => {
                pieces.entry(chunk.job_id.to_owned()).or_default().insert(chunk.sequence, chunk.content.to_vec());
            }
            ExtractEvent::ExtractClosed(_) => {}
        }
    }
    let mut extracts = BTreeMap::new();
    for (id, name) in names {
        let content = pieces.remove(&id).unwrap_or_default().into_values().flatten().collect();
        let content = String::from_utf8(content).map_err(|e| e.to_string())?;
        extracts.insert(id, (name, content));
    }
    Ok(extracts)
}

fn patients(practice: &str, content: &str, on_pds: &BTreeMap<String, PdsRecord<'_>>) -> Outcome<Vec<Patient>> {
    let lines: Vec<&str> = content.lines().skip(1).collect();
    let mut patients = Vec::new();
    for (place, rows) in lines.chunks(2).enumerate() {
        let [first, second] = rows else { return Err("an extract ends within a patient".to_owned()) };
        let fields: Vec<&str> = first.split('~').chain(second.split('~').skip(2)).collect();
        let [_, _, _, _, _, _, _, nhs, surname, forenames, _, title, sex, born, address @ .., postcode, _, _, _, _, _] =
            &fields[..]
        else {
            return Err(format!("patient {} of an extract has {} fields", place + 1, fields.len()));
        };
        let pds = on_pds.get(*nhs);
        let status = match pds.map(|pds| pds.gp_practice) {
            None => "Unmatched",
            Some("") => "Deducted Patient Match",
            Some(at) if at == practice => "Matched",
            Some(_) => "Partnership Mismatch",
        };
        let sensitive = pds.is_some_and(is_sensitive);
        let mut rules = BTreeSet::new();
        if let Some(pds) = pds
            && status == "Matched"
            && !sensitive
        {
            let word = match *sex {
                "1" => "male",
                "2" => "female",
                "0" => "other",
                _ => "unknown",
            };
            let compared = [
                ("MN-BR-AD-01", plain(&address.join(" ")), plain(&pds.address.join(" "))),
                ("MN-BR-AD-02", plain(postcode), plain(pds.postcode)),
                ("MN-BR-DB-01", (*born).to_owned(), pds.date_of_birth.replace('-', "")),
                ("MN-BR-FN-01", plain(forenames), plain(&pds.forenames.join(" "))),
                ("MN-BR-SN-01", plain(surname), plain(pds.surname)),
                ("MN-BR-SX-01", word.to_owned(), pds.gender.to_owned()),
                ("MN-BR-TL-01", plain(title), plain(&pds.titles.join(" "))),
            ];
            rules.extend(compared.into_iter().filter(|(_, gp, pds)| gp != pds).map(|(rule, _, _)| rule));
        }
        patients.push(Patient { number: place as i64 + 1, nhs: (*nhs).to_owned(), status, sensitive, rules });
    }
    Ok(patients)
}

fn is_sensitive(pds: &PdsRecord<'_>) -> bool {
    ["R", "V", "REDACTED"].contains(&pds.sensitivity)
}

/// Words in capitals with one space between them.
fn plain(text: &str) -> String {
    text.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
