//! A list and all of PDS.

use std::collections::BTreeMap;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::ids;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// When everything is processed.
pub const AT: &str = "2021-08-10T13:40:00Z";

pub fn at_ms() -> i64 {
    AT.parse::<Timestamp>().unwrap().as_millisecond()
}

pub type Pds = BTreeMap<String, PdsRecordOwned>;

/// A file and the job that it becomes.
#[derive(Debug, Clone)]
pub struct File {
    pub job_id: String,
    pub name: String,
    pub content: String,
}

impl File {
    pub fn new(name: &str, content: String) -> Self {
        let digest: [u8; 32] = Sha256::digest(&content).into();
        Self { job_id: ids::job_id(name, &digest), name: name.to_owned(), content }
    }
}

/// The list of a practice, and what PDS holds of those on it, and of some who are not. The first `twice` patients stand on it a
/// second time, under another surname; and one surname has a letter of two bytes.
pub fn world(patients: u64, seed: u64, twice: usize) -> (File, Pds) {
    let of = |patients, first_person| {
        let now = AT.parse().unwrap();
        let settings = SyntheticSettings { practice: "Y12345".to_owned(), patients, seed, first_person, now };
        SyntheticPractice::generate(settings).unwrap()
    };
    let practice = of(patients, 0);
    let unnamed = of(3, 50_000);
    let mut lines: Vec<String> = practice.extract().collect::<String>().lines().map(str::to_owned).collect();
    for place in 0..twice {
        let mut fields: Vec<String> = lines[1 + 2 * place].split('~').map(str::to_owned).collect();
        fields[6] = format!("77000{}", fields[6]);
        fields[8] = "ÉLAN".to_owned();
        let second_row = lines[2 + 2 * place].clone();
        lines.extend([fields.join("~"), second_row]);
    }
    let mut pds = Pds::new();
    for practice in [&practice, &unnamed] {
        let resources: String = practice.pds().collect();
        let settings = FhirSettings { selection: Selection::OneElement, today: jiff::civil::date(2021, 8, 10) };
        for entry in FhirReader::open("pds.ndjson", resources.as_bytes(), settings).unwrap() {
            let entry = entry.unwrap();
            if let PdsChange::Upsert(record) = entry.change {
                pds.insert(entry.nhs_number, *record);
            }
        }
    }
    (File::new(&practice.extract_file_name(), lines.join("\n") + "\n"), pds)
}
