//! A driven topology, and what its topics say.

use std::collections::BTreeMap;

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::lineage;
use concord_engine::log::LogRecord;
use concord_engine::partitioner::partition_of;
use concord_flows::list_reconciliation::topology::{DECISION, DIFFERENCE, PDS_RECORD, PDS_REGISTRATION};
use concord_flows::list_reconciliation::values::{
    Decisions, Differences, GpEvents, JobEvents, PdsRecords, Registrations,
};
use concord_flows::list_reconciliation::{Settings, topology};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{
    EndOfFile, GpEvent, GpRecord, JobCounts, JobEvent, JobRecord, PdsRecord, Registration, StandingPerson,
};

const GP_EVENTS: &str = "list-reconciliation.gp-records.repartition";
const JOB_EVENTS: &str = "list-reconciliation.job-events.repartition";
const PARTITIONS: i32 = 2;
/// 10 August 2021, 13:40 in UTC: the processing time of the first list of a test, and of its first PDS records.
pub const NOW: i64 = 1_628_602_800_000;
pub const DAY: i64 = 24 * 60 * 60 * 1000;

/// What stands under one key of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    pub list: String,
    pub status: String,
    pub pds_version: String,
    pub first_seen: i64,
    pub last_confirmed: i64,
    pub cause: String,
    /// Of a decision.
    pub decision: String,
}

/// See the module.
pub struct Stage {
    pub driver: TopologyTestDriver,
}

/// A list of a practice: which job, and when it is processed.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    pub practice: &'a str,
    pub job_id: &'a str,
    pub at_ms: i64,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let topology = topology(&Settings { partitions: PARTITIONS, ..settings }).unwrap();
        let settings = DriverSettings { now_ms: NOW, ..DriverSettings::with_workers(2) };
        Self { driver: TopologyTestDriver::start(topology, settings).unwrap() }
    }

    /// PDS publishes a record.
    pub fn pds(&mut self, record: &PdsRecord<'_>) {
        self.driver.pipe::<PdsRecords>(PDS_RECORD, record.nhs_number, record).unwrap();
        self.settle();
    }

    /// PDS publishes a record whose time is `days` behind the first list's.
    pub fn pds_on_day(&mut self, days: i64, record: &PdsRecord<'_>) {
        self.driver.pipe_at::<PdsRecords>(PDS_RECORD, record.nhs_number, record, NOW + days * DAY).unwrap();
        self.settle();
    }

    /// PDS has no record any more.
    pub fn no_pds(&mut self, nhs: &str) {
        self.driver.pipe_bytes(PDS_RECORD, Some(nhs.as_bytes()), None).unwrap();
        self.settle();
    }

    /// The list of registrations says where somebody is registered; with an empty practice, that nobody is.
    pub fn registration(&mut self, nhs: &str, practice: &str, dispensing_flag: &str) {
        if practice.is_empty() {
            self.driver.pipe_bytes(PDS_REGISTRATION, Some(nhs.as_bytes()), None).unwrap();
        } else {
            let registration = Registration { nhs_number: nhs, gp_practice: practice, dispensing_flag };
            self.driver.pipe::<Registrations>(PDS_REGISTRATION, nhs, &registration).unwrap();
        }
        self.settle();
    }

    /// A whole list comes.
    pub fn list(&mut self, list: List<'_>, records: &[GpRecord<'_>]) {
        self.records(list, records);
        self.end(list, records.len());
        self.settle();
    }

    /// Records of a list come, as the intake sends them.
    pub fn records(&mut self, list: List<'_>, records: &[GpRecord<'_>]) {
        for (place, record) in records.iter().enumerate() {
            let number = place as i64 + 1;
            let key = match record.nhs_number {
                Some(nhs) => nhs.to_owned(),
                None => format!("{}/{number}", list.job_id),
            };
            let List { practice, job_id, at_ms } = list;
            let event = GpEvent::JobRecord(JobRecord { job_id, practice, at_ms, number, record: record.clone() });
            self.driver.pipe::<GpEvents>(GP_EVENTS, &key, &event).unwrap();
        }
    }

    /// The end of a list comes, in every partition.
    pub fn end(&mut self, list: List<'_>, records: usize) {
        for partition in 0..PARTITIONS {
            let mut keys = (0..).map(|n: u32| n.to_string());
            let key = keys.find(|key| partition_of(key.as_bytes(), PARTITIONS) == partition).unwrap();
            let List { practice, job_id, at_ms } = list;
            let end = EndOfFile {
                job_id,
                practice,
                at_ms,
                records: records as i64,
                partitions: PARTITIONS,
                abandoned: false,
            };
            self.driver.pipe::<GpEvents>(GP_EVENTS, &key, &GpEvent::EndOfFile(end)).unwrap();
        }
    }

    pub fn settle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    /// What stands on the topic of differences.
    pub fn differences(&self) -> BTreeMap<String, Stands> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<Differences>(DIFFERENCE).unwrap() {
            let value = output.value().unwrap().map(|value| Stands {
                list: value.job_id.to_owned(),
                status: value.status.to_owned(),
                pds_version: value.pds_version.to_owned(),
                first_seen: value.first_seen_ms,
                last_confirmed: value.last_confirmed_ms,
                cause: value.cause.to_owned(),
                decision: String::new(),
            });
            compact(&mut standing, &output.record, value);
        }
        standing
    }

    /// What stands on the topic of decisions.
    pub fn decisions(&self) -> BTreeMap<String, Stands> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<Decisions>(DECISION).unwrap() {
            let value = output.value().unwrap().map(|value| Stands {
                list: value.job_id.to_owned(),
                status: String::new(),
                pds_version: value.pds_version.to_owned(),
                first_seen: value.first_seen_ms,
                last_confirmed: value.last_confirmed_ms,
                cause: value.cause.to_owned(),
                decision: value.decision.to_owned(),
            });
            compact(&mut standing, &output.record, value);
        }
        standing
    }

    /// Keys of the differences that stand.
    pub fn stands(&self) -> Vec<String> {
        self.differences().into_keys().collect()
    }

    /// The difference that stands for a person by a rule.
    pub fn of(&self, practice: &str, nhs: &str, rule: &str) -> Stands {
        let mut standing = self.differences();
        standing.remove(&key(practice, nhs, rule)).unwrap_or_else(|| panic!("only these stand: {standing:?}"))
    }

    /// Causes under which a difference was published (`+`) and taken back (`-`), in order.
    pub fn history(&self, practice: &str, nhs: &str, rule: &str) -> Vec<String> {
        let wanted = key(practice, nhs, rule);
        let records = self.driver.outputs::<Differences>(DIFFERENCE).unwrap();
        let of_key = records.into_iter().filter(|output| output.key() == wanted);
        of_key.map(|output| format!("{}{}", sign(&output.record), cause_of(&output.record))).collect()
    }

    /// The counts with which the partitions answered the end of a job's list, added up.
    pub fn counts(&self, job_id: &str) -> JobCounts {
        let mut total = JobCounts::default();
        for output in self.driver.outputs::<JobEvents>(JOB_EVENTS).unwrap() {
            if let Some(JobEvent::PartitionCompleted(completed)) = output.value().unwrap()
                && completed.job_id == job_id
            {
                total.records += completed.counts.records;
                total.differences += completed.counts.differences;
                total.only_on_pds += completed.counts.only_on_pds;
                total.pds_updates += completed.counts.pds_updates;
                total.gp_updates += completed.counts.gp_updates;
                total.validations += completed.counts.validations;
            }
        }
        total
    }

    /// All is at rest; the topics say what the store says; every record names its cause and its rule; and of a difference
    /// that stays, the day on which it was first seen stays, too.
    pub fn check(&self) {
        self.driver.check_settled().unwrap();
        assert!(self.driver.dead_letters().unwrap().is_empty());
        let mut published = self.differences();
        published.extend(self.decisions());
        let mut stored = BTreeMap::new();
        for (nhs, value) in self.driver.state("comparison", "standing").unwrap() {
            let nhs = String::from_utf8(nhs).unwrap();
            let person: StandingPerson<'_> =
                Schemas::bundled().decoder().decode(&codec::STANDING_PERSON, &value).unwrap();
            assert!(!person.lists.is_empty(), "an entry that says nothing is kept");
            for list in &person.lists {
                assert!(list.record.is_some() || !list.findings.is_empty(), "a list is kept for nothing");
                for finding in &list.findings {
                    let dates = (list.job_id.to_owned(), finding.first_seen_ms, finding.last_confirmed_ms);
                    stored.insert(key(list.practice, &nhs, finding.rule_id), dates);
                }
            }
        }
        let published: BTreeMap<String, (String, i64, i64)> = published
            .into_iter()
            .map(|(key, stands)| (key, (stands.list, stands.first_seen, stands.last_confirmed)))
            .collect();
        assert_eq!(published, stored, "what is published is not what the store says");
        self.check_history();
    }

    fn check_history(&self) {
        let mut first_seen: BTreeMap<String, i64> = BTreeMap::new();
        for output in self.driver.outputs::<Differences>(DIFFERENCE).unwrap() {
            let rule = header(&output.record, lineage::RULE);
            assert!(output.key().ends_with(&format!("/{rule}")), "{} by {rule}", output.key());
            assert!(!cause_of(&output.record).is_empty() && !output.lineage().is_empty());
            let Some(value) = output.value().unwrap() else {
                assert!(first_seen.remove(output.key()).is_some(), "{} is taken back and did not stand", output.key());
                continue;
            };
            assert_eq!(value.cause, cause_of(&output.record));
            assert!(value.first_seen_ms <= value.last_confirmed_ms, "{}", output.key());
            let since = *first_seen.entry(output.key().to_owned()).or_insert(value.first_seen_ms);
            assert_eq!(value.first_seen_ms, since, "{} became younger", output.key());
        }
    }
}

/// The key of a difference or decision.
pub fn key(practice: &str, nhs: &str, rule: &str) -> String {
    format!("{practice}/{nhs}/{rule}")
}

fn compact(standing: &mut BTreeMap<String, Stands>, record: &LogRecord, value: Option<Stands>) {
    let key = String::from_utf8(record.key.as_deref().unwrap().to_vec()).unwrap();
    match value {
        Some(value) => standing.insert(key, value),
        None => standing.remove(&key),
    };
}

fn sign(record: &LogRecord) -> char {
    if record.value.is_some() { '+' } else { '-' }
}

fn cause_of(record: &LogRecord) -> String {
    header(record, lineage::CAUSE)
}

fn header(record: &LogRecord, name: &str) -> String {
    let header = record.headers.iter().find(|header| &*header.name == name);
    header.map(|header| String::from_utf8(header.value.to_vec()).unwrap()).unwrap_or_default()
}
