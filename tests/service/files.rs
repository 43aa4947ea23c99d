//! What practices send: synthetic lists, files that are refused, a message that is none of ours, and a copy.

use std::collections::BTreeMap;

use concord_connectors::mesh::Outgoing;
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_flows::list_reconciliation::ids;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::servers::{OURS, SENDER, Servers};

/// The workflow that the mailbox expects.
pub const WORKFLOW: &str = "GPEXTRACT";
const GOOD: u64 = 18;
const PATIENTS: u64 = 300;
/// PDS is asked about every so many of a list.
const ASKED_FOR: usize = 10;

/// NHS numbers of a list with their places on it.
fn numbers(list: &SyntheticPractice) -> BTreeMap<String, usize> {
    let rows = list.extract().collect::<String>();
    let numbers = rows.lines().filter(|row| row.starts_with("DOW~1~")).map(|row| row.split('~').nth(7).unwrap());
    numbers.enumerate().map(|(place, number)| (number.to_owned(), place)).collect()
}

/// The NHS number of a resource, if it is a patient.
fn number_of_patient(resource: &str) -> Option<String> {
    let resource: Value = serde_json::from_str(resource).unwrap();
    (resource["resourceType"] == "Patient").then(|| resource["id"].as_str().unwrap().to_owned())
}

/// What becomes of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Good,
    Bad,
    /// It is of another workflow, and no job.
    Foreign,
}

pub struct Sent {
    pub kind: Kind,
    pub practice: String,
    pub name: String,
    pub job_id: String,
    /// Counts of the job, by their names.
    pub truth: BTreeMap<String, i64>,
    workflow: &'static str,
    content: String,
}

pub struct Files {
    pub files: Vec<Sent>,
    /// What PDS publishes, as NDJSON.
    pub pds: String,
    /// Of whom it publishes nothing and answers when it is asked: resources by NHS number.
    pub asked_for: BTreeMap<String, String>,
}

impl Files {
    pub fn generate() -> Self {
        let now = Timestamp::now();
        let (mut files, mut pds, mut first_person) = (Vec::new(), String::new(), 0);
        let mut asked_for = BTreeMap::new();
        for number in 0..GOOD {
            let practice = format!("Y{:05}", 20_000 + number);
            let settings =
                SyntheticSettings { practice: practice.clone(), patients: PATIENTS, seed: 5, first_person, now };
            let list = SyntheticPractice::generate(settings).unwrap();
            first_person += list.people();
            let listed = numbers(&list);
            for resource in list.pds() {
                match number_of_patient(&resource) {
                    // Whoever is on no list is found by what is published only.
                    Some(number) if listed.get(&number).is_some_and(|place| place % ASKED_FOR == 0) => {
                        asked_for.insert(number, resource);
                    }
                    _ => pds.push_str(&resource),
                }
            }
            let mut file = Sent::new(Kind::Good, practice, list.extract_file_name(), list.extract().collect());
            let counts = serde_json::to_value(list.truth().counts).unwrap();
            file.truth = serde_json::from_value(counts).unwrap();
            files.push(file);
        }
        // In the midst of the others, which they must not hold up.
        let name_of = |practice: &str| files[0].name.replace(&files[0].practice, practice);
        let broken = (name_of("Y20900"), name_of("Y20901"));
        let content = files[0].content.clone();
        let rubbish = Sent::new(Kind::Bad, "Y20900".to_owned(), broken.0, "this is no list\n".to_owned());
        let unnamed = Sent::new(Kind::Bad, "Y20902".to_owned(), "Y20902 list of patients.txt".to_owned(), content);
        let mut foreign = Sent::new(Kind::Foreign, "Y20901".to_owned(), broken.1, "x".to_owned());
        foreign.workflow = "SOMETHING-ELSE";
        files.insert(3, rubbish);
        files.insert(6, foreign);
        files.insert(9, unnamed);
        Self { files, pds, asked_for }
    }

    /// The status that each job must come to.
    pub fn expected_statuses(&self) -> BTreeMap<String, &'static str> {
        let jobs = self.files.iter().filter(|file| file.kind != Kind::Foreign);
        jobs.map(|file| (file.job_id.clone(), if file.kind == Kind::Good { "COMPLETE" } else { "REJECTED" })).collect()
    }

    pub fn copied_job(&self) -> String {
        self.files[0].job_id.clone()
    }

    pub fn send_copy(&self, servers: &Servers) {
        self.files[0].send_as("copy", servers);
    }
}

impl Sent {
    fn new(kind: Kind, practice: String, name: String, content: String) -> Self {
        let job_id = ids::job_id(&name, &Sha256::digest(&content).into());
        Self { kind, practice, name, job_id, truth: BTreeMap::new(), workflow: WORKFLOW, content }
    }

    pub fn send(&self, servers: &Servers) {
        self.send_as("first", servers);
    }

    fn send_as(&self, which: &str, servers: &Servers) {
        let local_id = format!("{which}-{}", self.job_id);
        let message = Outgoing {
            to: OURS,
            workflow_id: self.workflow,
            local_id: &local_id,
            file_name: &self.name,
            subject: "",
            content_type: "",
            compress: true,
            sha256: None,
        };
        let content = self.content.as_bytes();
        servers.mailbox(SENDER).send(&message, &mut &content[..], content.len() as u64).unwrap();
    }
}
