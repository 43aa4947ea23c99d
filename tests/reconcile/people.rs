//! People who do not exist, as a practice and as PDS would write them.

use serde_json::{Value, json};

/// Valid NHS numbers of nobody.
pub const NUMBERS: [&str; 6] = ["9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069"];

/// The practice of most tests, and its extract of the day before [`super::command::AT`].
pub const PRACTICE: &str = "Y12345";
pub const EXTRACT: &str = "Y12345_GPR4LNA1.H9A";
pub const HEADER: &str = "503\\*\n";

/// A patient as the practice writes one: the fields that tests vary.
#[derive(Clone, Copy)]
pub struct GpPatient<'a> {
    pub number: u32,
    pub date: &'a str,
    pub time: &'a str,
    pub nhs_number: &'a str,
    pub surname: &'a str,
    pub forenames: &'a str,
    pub title: &'a str,
    pub sex: &'a str,
    pub born: &'a str,
    /// Lines 1 to 5, joined by the separator of the rows.
    pub address: [&'a str; 5],
    pub postcode: &'a str,
    pub residential_institute: &'a str,
}

/// The patient of a number: PDS agrees with all fields when it answers [`on_pds`].
pub fn patient(number: u32, nhs_number: &str) -> GpPatient<'_> {
    GpPatient {
        number,
        date: "20210809",
        time: "1641",
        nhs_number,
        surname: "WREN",
        forenames: "ANNA",
        title: "MS",
        sex: "2",
        born: "19800229",
        address: ["THE NEST", "1 OAK LANE", "", "ELMTON", ""],
        postcode: "AB1  2CD",
        residential_institute: "",
    }
}

impl GpPatient<'_> {
    /// The first row, without line end.
    pub fn first_row(&self) -> String {
        let Self { number, date, time, nhs_number, surname, forenames, title, sex, born, address, .. } = self;
        format!(
            "DOW~1~1234567,1234~LNA~{date}~{time}~{number}~{nhs_number}~{surname}~{forenames}~~{title}~{sex}~{born}~{}~{}",
            address[0], address[1]
        )
    }

    /// The second row, without line end.
    pub fn second_row(&self) -> String {
        let Self { address, postcode, residential_institute, .. } = self;
        format!("DOW~2~{}~{}~{}~{postcode}~~~~~{residential_institute}", address[2], address[3], address[4])
    }

    pub fn rows(&self) -> String {
        format!("{}\n{}\n", self.first_row(), self.second_row())
    }
}

/// An extract of these patients.
pub fn extract(patients: &[GpPatient<'_>]) -> String {
    let rows: String = patients.iter().map(GpPatient::rows).collect();
    format!("{HEADER}{rows}")
}

/// What PDS answers of the patient of [`patient`], registered at `practice`.
pub fn on_pds(nhs_number: &str, practice: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": nhs_number,
        "meta": {"versionId": "3", "security": [{"code": "U"}]},
        "name": [{"use": "usual", "family": "Wren", "given": ["Anna"], "prefix": ["Ms"]}],
        "gender": "female",
        "birthDate": "1980-02-29",
        "address": [{"use": "home", "line": ["The Nest", "1 Oak Lane", "Elmton"], "postalCode": "AB1 2CD"}],
        "generalPractitioner": [{"identifier": {"value": practice, "period": {"start": "2019-04-01"}}}],
    })
}

/// What PDS answers instead of a record.
pub fn outcome(nhs_number: &str, code: &str) -> Value {
    json!({
        "resourceType": "OperationOutcome",
        "id": nhs_number,
        "issue": [{"severity": "error", "details": {"coding": [{"code": code}]}}],
    })
}

/// Resources, one per line.
pub fn ndjson(resources: &[Value]) -> String {
    resources.iter().map(|resource| format!("{resource}\n")).collect()
}
