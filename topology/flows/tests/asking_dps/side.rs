//! One side of the exchange in a test driver.

use std::collections::BTreeMap;
use std::time::Duration;

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::FaultPlan;
use concord_flows::list_reconciliation::topology::{
    COMMAND, DELIVERY, DPS_ANSWER, FILE, GP_EXTRACT, INTAKE_REFUSED, JOB, MAIL, PDS_RECORD,
};
use concord_flows::list_reconciliation::values::{
    Commands, Deliveries, DpsAnswers, ExtractEvents, Files, Jobs, Mails, PdsRecords, RefusedInputs,
};
use concord_flows::list_reconciliation::{DpsExchange, MailSettings, Profile, Settings, topology};
use concord_schemas::dps::{AnswerChunk, AnswerClosed, AnswerOpened, DpsAnswerEvent};
use concord_schemas::list_reconciliation::{
    Command, CommandAction, Delivery, ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobCounts,
};
use sha2::{Digest, Sha256};

use crate::world::{File, Pds, at_ms};

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// Bytes of a piece: small, so that files have several slices of them, which cut lines and letters.
const PIECE: usize = 300;

pub fn settings(dps: DpsExchange, profile: Profile) -> Settings {
    Settings {
        partitions: 2,
        profile,
        dps,
        mails: MailSettings { recipients: vec!["pcse@nhs.example".to_owned()], success: true },
        ..Settings::default()
    }
}

/// A job as its last record shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub status: String,
    pub practice: String,
    pub counts: JobCounts,
    pub invalid_records: i64,
    pub reasons: Vec<String>,
    /// `status: detail` of each step.
    pub history: Vec<String>,
}

/// An answer that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub source: String,
    pub code: String,
    pub cause: String,
    pub remedy: String,
}

/// See the module.
pub struct Side {
    pub driver: TopologyTestDriver,
}

impl Side {
    pub fn with(settings: Settings) -> Self {
        Self::faulty(settings, FaultPlan::none())
    }

    pub fn faulty(settings: Settings, faults: FaultPlan) -> Self {
        Self::driven(settings, DriverSettings { faults, ..DriverSettings::with_workers(2) })
    }

    /// With a commit behind every few records.
    pub fn committing_often(dps: DpsExchange) -> Self {
        let mut driver = DriverSettings::with_workers(2);
        driver.worker.poll_records = 3;
        driver.worker.commit_interval = Duration::ZERO;
        Self::driven(settings(dps, Profile::Fixed), driver)
    }

    fn driven(settings: Settings, driver: DriverSettings) -> Self {
        let driver = DriverSettings { now_ms: at_ms(), ..driver };
        Self { driver: TopologyTestDriver::start(topology(&settings).unwrap(), driver).unwrap() }
    }

    pub fn of(dps: DpsExchange) -> Self {
        Self::with(settings(dps, Profile::Fixed))
    }

    pub fn idle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    pub fn pass(&mut self, ms: i64) {
        self.driver.run_for(ms).unwrap();
    }

    pub fn publish(&mut self, pds: &Pds) {
        for (number, record) in pds {
            self.driver.pipe::<PdsRecords>(PDS_RECORD, number, &record.as_record()).unwrap();
        }
        self.idle();
    }

    /// A file comes.
    pub fn give(&mut self, file: &File) {
        let (job_id, content) = (file.job_id.as_str(), file.content.as_bytes());
        let opened = ExtractOpened {
            job_id,
            file_name: &file.name,
            received_at_ms: at_ms(),
            bytes: content.len() as i64,
            source: "",
        };
        let mut events = vec![ExtractEvent::ExtractOpened(opened)];
        let pieces = content.chunks(PIECE).zip(0..);
        events.extend(
            pieces.map(|(content, sequence)| ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence, content })),
        );
        let (chunks, sha256) = (events.len() as i32 - 1, sha256(content));
        events.push(ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks, sha256: &sha256 }));
        for event in &events {
            self.driver.pipe::<ExtractEvents>(GP_EXTRACT, job_id, event).unwrap();
        }
    }

    /// A file comes, and everything that can be done without an answer is done.
    pub fn send(&mut self, file: &File) {
        self.give(file);
        self.idle();
    }

    /// An answer comes under its job.
    pub fn give_answer(&mut self, job_id: &str, answer: &str) {
        for event in &answer_events(job_id, &sha256(answer.as_bytes()), answer.as_bytes()) {
            self.answer_event(job_id, event);
        }
    }

    pub fn answer_event(&mut self, key: &str, event: &DpsAnswerEvent<'_>) {
        self.driver.pipe::<DpsAnswers>(DPS_ANSWER, key, event).unwrap();
    }

    /// An answer comes, and everything is done that follows from it at once.
    pub fn answer(&mut self, job_id: &str, answer: &str) {
        self.give_answer(job_id, answer);
        self.idle();
    }

    pub fn clean_up(&mut self, job_id: &str) {
        let (by, reason, at_ms) = ("Ann Operator", "a test", self.driver.now_ms());
        let command = Command { action: CommandAction::CleanUpJob, subject: job_id, by, reason, at_ms };
        self.driver.pipe::<Commands>(COMMAND, job_id, &command).unwrap();
        self.idle();
    }

    /// What became of a file that left.
    pub fn deliver(&mut self, job_id: &str, name: &str, state: &str) {
        let detail = if state == "UNDELIVERABLE" { "14: not collected" } else { "" };
        let at_ms = self.driver.now_ms();
        let delivery = Delivery { job_id, name, route: "to-dps", state, reference: "1", detail, at_ms };
        self.driver.pipe::<Deliveries>(DELIVERY, job_id, &delivery).unwrap();
        self.idle();
    }

    /// Output files of a job by name, each whole and its pieces once and in order.
    pub fn files(&self, job_id: &str) -> BTreeMap<String, String> {
        let mut files: BTreeMap<String, (i32, bool, String)> = BTreeMap::new();
        for output in self.driver.outputs::<Files>(FILE).unwrap() {
            let piece = output.value().unwrap().unwrap();
            if piece.job_id != job_id {
                continue;
            }
            let (next, ended, text) = files.entry(piece.file_name.to_owned()).or_default();
            assert_eq!((piece.sequence, *ended), (*next, false), "{}", piece.file_name);
            (*next, *ended) = (*next + 1, piece.last);
            text.push_str(piece.text);
        }
        files
            .into_iter()
            .map(|(name, (_, ended, text))| {
                assert!(ended, "{name} has no end");
                (name, text)
            })
            .collect()
    }

    /// Whether the last piece of the extract has left for DPS.
    pub fn has_sent(&self, file: &File) -> bool {
        let outputs = self.driver.outputs::<Files>(FILE).unwrap();
        outputs.iter().any(|output| {
            let piece = output.value().unwrap().unwrap();
            piece.job_id == file.job_id && piece.last && piece.file_name.starts_with("dps-extract/")
        })
    }

    /// The extract that went to DPS: its name and content.
    pub fn sent(&self, file: &File) -> Option<File> {
        let files = self.files(&file.job_id);
        let (name, content) =
            files.iter().find_map(|(name, content)| Some((name.strip_prefix("dps-extract/")?, content)))?;
        Some(File { name: name.to_owned(), content: content.clone(), ..file.clone() })
    }

    /// The other files of a job.
    pub fn results(&self, job_id: &str) -> BTreeMap<String, String> {
        let mut files = self.files(job_id);
        files.retain(|name, _| !name.starts_with("dps-extract/"));
        files
    }

    pub fn job(&self, job_id: &str) -> Job {
        let outputs = self.driver.outputs::<Jobs>(JOB).unwrap();
        let last = outputs.iter().rfind(|output| output.key() == job_id).expect("the job is not known");
        let job = last.value().unwrap().unwrap();
        Job {
            status: job.status.to_owned(),
            practice: job.practice.to_owned(),
            counts: job.counts,
            invalid_records: job.invalid_records,
            reasons: job.reasons.iter().map(ToString::to_string).collect(),
            history: job.history.iter().map(|step| format!("{}: {}", step.status, step.detail)).collect(),
        }
    }

    /// Subjects and bodies of the mails about a job.
    pub fn mails(&self, job_id: &str) -> Vec<(String, String)> {
        let outputs = self.driver.outputs::<Mails>(MAIL).unwrap();
        let mails = outputs.iter().map(|output| output.value().unwrap().unwrap());
        mails.filter(|mail| mail.job_id == job_id).map(|mail| (mail.subject.to_owned(), mail.body.to_owned())).collect()
    }

    pub fn refused(&self) -> Vec<Refused> {
        let outputs = self.driver.outputs::<RefusedInputs>(INTAKE_REFUSED).unwrap();
        let refused = outputs.iter().map(|output| output.value().unwrap().unwrap());
        refused
            .map(|refused| Refused {
                source: refused.source.to_owned(),
                code: refused.code.to_owned(),
                cause: refused.cause.to_owned(),
                remedy: refused.remedy.to_owned(),
            })
            .collect()
    }

    /// The only answer that was refused, and nothing of a patient is said of it.
    #[track_caller]
    pub fn assert_refused(&self, code: &str, says: &str) {
        let refused = self.refused();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].code, code, "{refused:?}");
        assert!(refused[0].cause.contains(says), "{refused:?}");
        assert!(!refused[0].remedy.is_empty());
    }

    /// All is at rest, and nothing is left of answers and files that are done.
    #[track_caller]
    pub fn check(&self) {
        self.driver.check_settled().unwrap();
        assert_eq!(self.driver.dead_letters().unwrap(), Vec::new());
        for (sub_topology, store) in
            [("dps", "dps-pieces"), ("intake", "intake-pieces"), ("report", "report-found"), ("report", "report-rows")]
        {
            assert_eq!(self.driver.state(sub_topology, store).unwrap().len(), 0, "{store} is not empty");
        }
    }
}

/// The events of an answer, under this job and id.
pub fn answer_events<'a>(job_id: &'a str, answer_id: &'a str, content: &'a [u8]) -> Vec<DpsAnswerEvent<'a>> {
    let opened = AnswerOpened {
        job_id,
        answer_id,
        source: "folder:/answers/one.jsonl",
        received_at_ms: at_ms(),
        bytes: content.len() as i64,
    };
    let mut events = vec![DpsAnswerEvent::AnswerOpened(opened)];
    let pieces = content.chunks(PIECE).zip(0..);
    events.extend(
        pieces.map(|(content, sequence)| {
            DpsAnswerEvent::AnswerChunk(AnswerChunk { job_id, answer_id, sequence, content })
        }),
    );
    let chunks = events.len() as i32 - 1;
    events.push(DpsAnswerEvent::AnswerClosed(AnswerClosed { job_id, answer_id, chunks }));
    events
}

pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What DPS, played by the flow, answers to an extract that it was sent.
pub fn answer_of_dps(pds: &Pds, sent: &File, settings: Settings) -> String {
    let mut dps = Side::with(settings);
    dps.publish(pds);
    dps.send(sent);
    assert_eq!(dps.driver.dead_letters().unwrap(), Vec::new());
    let files = dps.files(&sent.job_id);
    let (_, answer) = files.iter().find(|(name, _)| name.ends_with(".jsonl")).expect("an answer");
    answer.clone()
}
