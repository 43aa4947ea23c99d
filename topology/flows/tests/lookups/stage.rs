//! The flow in a test driver, and PDS played by the test.

use std::collections::BTreeMap;

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_flows::list_reconciliation::topology::{
    COMMAND, DIFFERENCE, FILE, GP_EXTRACT, JOB, OUTCOME, PDS_ANSWER, PDS_LOOKUP, PDS_RECORD, PDS_REGISTRATION,
};
use concord_flows::list_reconciliation::values::{
    Commands, Differences, ExtractEvents, Files, Jobs, Outcomes, PdsAnswers, PdsLookups, PdsRecords, Registrations,
};
use concord_flows::list_reconciliation::{Lookups, Settings, ids, topology};
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{
    Command, CommandAction, ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobCounts, PdsRecord,
    Registration, StandingPerson,
};
use concord_schemas::pds::{FAILED, FOUND, NOT_FOUND, PdsAnswer};
use concord_schemas::{Schemas, list_reconciliation};
use sha2::{Digest, Sha256};

use crate::people::extract;

/// 10 August 2021, 13:40 in UTC.
pub const NOW: i64 = 1_628_602_800_000;
pub const HOUR: i64 = 60 * 60 * 1000;
pub const SIX_HOURS: i64 = 6 * HOUR;

/// A file and the job that it becomes.
#[derive(Debug, Clone)]
pub struct File {
    pub job_id: String,
    pub name: String,
    pub content: String,
    pub at_ms: i64,
}

impl File {
    pub fn new(name: &str, content: String) -> Self {
        let digest: [u8; 32] = Sha256::digest(&content).into();
        Self { job_id: ids::job_id(name, &digest), name: name.to_owned(), content, at_ms: NOW }
    }

    /// The list of a practice that names these people; see [`extract`].
    pub fn of(practice: &str, people: &[&str]) -> Self {
        Self::new(&format!("{practice}_GPR4LNA1.H9A"), extract(people))
    }

    pub fn later(self, ms: i64) -> Self {
        Self { at_ms: self.at_ms + ms, ..self }
    }

    /// The same file as a re-run.
    pub fn again(&self) -> Self {
        Self { job_id: ids::rerun_id(&self.job_id, 1), ..self.clone() }
    }
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: String,
    pub sensitive: bool,
    pub rules: Vec<String>,
    pub code: String,
}

impl Outcome {
    pub fn of(status: &str) -> Self {
        Self { status: status.to_owned(), sensitive: false, rules: Vec::new(), code: String::new() }
    }

    pub fn differing_in(rule: &str) -> Self {
        Self { rules: vec![rule.to_owned()], ..Self::of("Matched") }
    }

    pub fn failed(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::of("Lookup Failed") }
    }
}

/// A job as its last record shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub status: String,
    pub counts: JobCounts,
    /// Status and detail of each step.
    pub history: Vec<(String, String)>,
}

/// What stands under one key of the topic of differences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    pub list: String,
    pub status: String,
    pub pds_version: String,
    pub seen: (i64, i64),
    pub cause: String,
}

/// See the module.
pub struct Stage {
    pub driver: TopologyTestDriver,
    asks: bool,
}

impl Stage {
    pub fn asking(about: Lookups) -> Self {
        Self::with(Settings { lookups: about, ..Settings::default() })
    }

    pub fn with(settings: Settings) -> Self {
        let asks = settings.lookups != Lookups::Never;
        let topology = topology(&Settings { partitions: 2, ..settings }).unwrap();
        let settings = DriverSettings { now_ms: NOW, ..DriverSettings::with_workers(2) };
        Self { driver: TopologyTestDriver::start(topology, settings).unwrap(), asks }
    }

    pub fn idle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    pub fn pass(&mut self, ms: i64) {
        self.driver.run_for(ms).unwrap();
    }

    /// PDS is published, in part.
    pub fn publish(&mut self, record: &PdsRecord<'_>) {
        self.driver.pipe::<PdsRecords>(PDS_RECORD, record.nhs_number, record).unwrap();
        self.idle();
    }

    /// The list of registrations says where somebody is registered.
    pub fn register(&mut self, nhs_number: &str, gp_practice: &str) {
        let registration = Registration { nhs_number, gp_practice, dispensing_flag: "0" };
        self.driver.pipe::<Registrations>(PDS_REGISTRATION, nhs_number, &registration).unwrap();
        self.idle();
    }

    /// A file comes, and everything that can be done without an answer is done.
    pub fn send(&mut self, file: &File) {
        self.give(file);
        self.idle();
    }

    /// A file comes.
    pub fn give(&mut self, file: &File) {
        let (job_id, content) = (file.job_id.as_str(), file.content.as_bytes());
        let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let opened = ExtractOpened {
            job_id,
            file_name: &file.name,
            received_at_ms: file.at_ms,
            bytes: content.len() as i64,
            source: "",
        };
        let pieces: Vec<&[u8]> = content.chunks(256 << 10).collect();
        let chunks = pieces.len() as i32;
        let mut events = vec![ExtractEvent::ExtractOpened(opened)];
        for (sequence, content) in pieces.into_iter().enumerate() {
            events.push(ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence: sequence as i32, content }));
        }
        events.push(ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks, sha256: &sha256 }));
        for event in &events {
            self.driver.pipe::<ExtractEvents>(GP_EXTRACT, job_id, event).unwrap();
        }
    }

    /// An operator ends a job.
    pub fn clean_up(&mut self, job_id: &str) {
        let (by, reason, at_ms) = ("Ann Operator", "a test", self.driver.now_ms());
        let command = Command { action: CommandAction::CleanUpJob, subject: job_id, by, reason, at_ms };
        self.driver.pipe::<Commands>(COMMAND, job_id, &command).unwrap();
        self.idle();
    }

    /// The questions so far: number and job, in order of number.
    pub fn questions(&self) -> Vec<(String, String)> {
        let outputs = self.driver.outputs::<PdsLookups>(PDS_LOOKUP).unwrap();
        let mut questions: Vec<_> = outputs
            .iter()
            .map(|output| {
                let question = output.value().unwrap().unwrap();
                assert_eq!(output.key(), question.nhs_number);
                (question.nhs_number.to_owned(), question.job_id.to_owned())
            })
            .collect();
        questions.sort();
        questions
    }

    /// Numbers that were asked about, each as often as it was.
    pub fn asked(&self) -> Vec<String> {
        self.questions().into_iter().map(|(number, _)| number).collect()
    }

    /// PDS answers with a record, which is at rest nowhere yet.
    pub fn tell(&mut self, record: &PdsRecord<'_>) {
        self.answer(record.nhs_number, FOUND, Some(record.clone()), "");
    }

    pub fn found(&mut self, record: &PdsRecord<'_>) {
        self.tell(record);
        self.idle();
    }

    pub fn not_found(&mut self, nhs_number: &str) {
        self.answer(nhs_number, NOT_FOUND, None, "");
        self.idle();
    }

    pub fn failed(&mut self, nhs_number: &str, code: &str) {
        self.answer(nhs_number, FAILED, None, code);
        self.idle();
    }

    pub fn answer(&mut self, nhs_number: &str, outcome: &str, record: Option<PdsRecord<'_>>, code: &str) {
        let at_ms = self.driver.now_ms();
        let answer = PdsAnswer { nhs_number, job_id: "whoever asked", outcome, record, code, at_ms };
        self.driver.pipe::<PdsAnswers>(PDS_ANSWER, nhs_number, &answer).unwrap();
    }

    /// What became of the records of a job, by number; each once.
    pub fn outcomes(&self, file: &File) -> BTreeMap<i64, Outcome> {
        let mut outcomes = BTreeMap::new();
        for output in self.driver.outputs::<Outcomes>(OUTCOME).unwrap() {
            let outcome = output.value().unwrap().unwrap();
            if outcome.job_id != file.job_id {
                continue;
            }
            let of_record = Outcome {
                status: outcome.status.to_owned(),
                sensitive: outcome.sensitive,
                rules: outcome.rules.iter().map(ToString::to_string).collect(),
                code: outcome.code.to_owned(),
            };
            assert_eq!(outcomes.insert(outcome.number, of_record), None, "record {} came out twice", outcome.number);
        }
        outcomes
    }

    /// Output files of a job by name.
    pub fn files(&self, file: &File) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for output in self.driver.outputs::<Files>(FILE).unwrap() {
            let piece = output.value().unwrap().unwrap();
            if piece.job_id == file.job_id {
                files.entry(piece.file_name.to_owned()).or_default().push_str(piece.text);
            }
        }
        files
    }

    /// Lines of the output file of this kind, without its head.
    pub fn rows(&self, file: &File, kind: &str) -> Vec<String> {
        let files = self.files(file);
        let (_, text) = files.iter().find(|(name, _)| name.contains(kind)).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// Whether the job is known.
    pub fn has(&self, file: &File) -> bool {
        self.driver.outputs::<Jobs>(JOB).unwrap().iter().any(|output| output.key() == file.job_id)
    }

    pub fn job(&self, file: &File) -> Job {
        let outputs = self.driver.outputs::<Jobs>(JOB).unwrap();
        let last = outputs.iter().rfind(|output| output.key() == file.job_id).unwrap();
        let job: list_reconciliation::Job<'_> = last.value().unwrap().unwrap();
        Job {
            status: job.status.to_owned(),
            counts: job.counts,
            history: job.history.iter().map(|step| (step.status.to_owned(), step.detail.to_owned())).collect(),
        }
    }

    /// What stands on the topic of differences.
    pub fn differences(&self) -> BTreeMap<String, Stands> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<Differences>(DIFFERENCE).unwrap() {
            let Some(value) = output.value().unwrap() else {
                assert!(standing.remove(output.key()).is_some(), "{} is taken back and did not stand", output.key());
                continue;
            };
            let stands = Stands {
                list: value.job_id.to_owned(),
                status: value.status.to_owned(),
                pds_version: value.pds_version.to_owned(),
                seen: (value.first_seen_ms, value.last_confirmed_ms),
                cause: value.cause.to_owned(),
            };
            standing.insert(output.key().to_owned(), stands);
        }
        standing
    }

    /// The same as `number/rule` of one practice.
    pub fn stands(&self, practice: &str) -> Vec<String> {
        let prefix = format!("{practice}/");
        self.differences().keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// How many records wait.
    pub fn waiting(&self) -> usize {
        let (waiting, by_job) = (self.count("lookups-waiting"), self.count("lookups-waiting-by-job"));
        assert_eq!(waiting, by_job);
        waiting
    }

    fn count(&self, store: &str) -> usize {
        self.driver.state("comparison", store).unwrap().len()
    }

    /// The version of a person's record in the store.
    pub fn stored_version(&self, nhs: &str) -> Option<String> {
        let stored = self.driver.state("comparison", "pds").unwrap();
        let bytes = stored.get(nhs.as_bytes())?;
        let record: PdsRecord<'_> = Schemas::bundled().decoder().decode(&codec::PDS_RECORD, bytes).unwrap();
        Some(record.version.to_owned())
    }

    /// All is at rest, nothing is left of any job, and the topic of differences says what the store does.
    #[track_caller]
    pub fn check(&self) {
        self.driver.check_settled().unwrap();
        assert_eq!(self.driver.dead_letters().unwrap(), Vec::new());
        let stores = ["lookups-waiting", "lookups-waiting-by-job", "lookups-ends"];
        for store in ["job-patients", "job-counts"].iter().chain(stores.iter().filter(|_| self.asks)) {
            assert_eq!(self.count(store), 0, "{store} is not empty");
        }
        let mut stored = BTreeMap::new();
        for (nhs, value) in self.driver.state("comparison", "standing").unwrap() {
            let nhs = String::from_utf8(nhs).unwrap();
            let person: StandingPerson<'_> =
                Schemas::bundled().decoder().decode(&codec::STANDING_PERSON, &value).unwrap();
            for list in &person.lists {
                for finding in &list.findings {
                    let key = format!("{}/{nhs}/{}", list.practice, finding.rule_id);
                    stored.insert(key, (list.job_id.to_owned(), (finding.first_seen_ms, finding.last_confirmed_ms)));
                }
            }
        }
        let published: BTreeMap<_, _> =
            self.differences().into_iter().map(|(key, stands)| (key, (stands.list, stands.seen))).collect();
        assert_eq!(published, stored);
    }
}
