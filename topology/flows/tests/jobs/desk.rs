//! The flow in a test driver, with files, commands and deliveries to give to it.

use std::sync::Arc;

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::{Log, OutgoingRecord};
use concord_flows::list_reconciliation::topology::{COMMAND, DELIVERY, GP_EXTRACT, JOB, MAIL, POST_OFFICE};
use concord_flows::list_reconciliation::values::{Deliveries, ExtractEvents, JobEvents, Jobs, Mails, RouteStatuses};
use concord_flows::list_reconciliation::{MailSettings, Settings, ids, topology};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{
    Command, CommandAction, Delivery, ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened, JobDeliveries, JobEvent,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Processing time of all files: 14:40 by the clocks of London.
pub const RECEIVED_AT: &str = "2021-08-10T13:40:00Z";
pub const HOUR_MS: i64 = 60 * 60 * 1000;
pub const SIX_HOURS_MS: i64 = 6 * HOUR_MS;
pub const PCSE: &str = "pcse@nhs.example";
const PARTITIONS: i32 = 2;

/// A file and the job that it becomes.
#[derive(Clone)]
pub struct File {
    pub job_id: String,
    pub name: String,
    pub content: Vec<u8>,
}

impl File {
    pub fn new(name: &str, content: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(content).into();
        Self { job_id: ids::job_id(name, &digest), name: name.to_owned(), content: content.to_vec() }
    }

    /// A good file of ten patients of whom PDS knows nobody.
    pub fn of_practice(code: &str) -> Self {
        let practice = practice(code);
        Self::new(&practice.extract_file_name(), practice.extract().collect::<String>().as_bytes())
    }

    /// The same practice's file with another content: `number` empty lines at its end.
    pub fn another_of_practice(code: &str, number: usize) -> Self {
        let first = Self::of_practice(code);
        let content = [&first.content[..], "\n".repeat(number).as_bytes()].concat();
        Self::new(&first.name, &content)
    }

    pub fn sha256(&self) -> String {
        Sha256::digest(&self.content).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn practice(code: &str) -> SyntheticPractice {
    let now = RECEIVED_AT.parse().unwrap();
    let settings = SyntheticSettings { practice: code.to_owned(), patients: 10, seed: 1, first_person: 0, now };
    SyntheticPractice::generate(settings).unwrap()
}

/// A job as its last record shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub status: String,
    pub reasons: Vec<String>,
    pub source: String,
    pub copies: i64,
    pub last_copy: String,
    pub rerun_of: String,
    /// Status and detail of each step.
    pub history: Vec<(String, String)>,
    /// Service and state of each mail.
    pub mails: Vec<(String, String)>,
    pub deliveries: JobDeliveries,
    pub files: Vec<String>,
}

impl Shown {
    pub fn statuses(&self) -> Vec<&str> {
        self.history.iter().map(|(status, _)| status.as_str()).collect()
    }
}

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub struct Letter {
    pub id: String,
    pub service: String,
    pub to: Vec<String>,
    pub subject: String,
    pub body: String,
}

/// A route as a partition has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub open: bool,
    pub switched: String,
    pub by: String,
    pub waiting: i64,
}

pub struct Desk {
    pub driver: TopologyTestDriver,
}

/// With somebody who is told of everything.
pub fn told_of_everything() -> Settings {
    Settings { mails: MailSettings { recipients: vec![PCSE.to_owned()], success: true }, ..Settings::default() }
}

impl Desk {
    pub fn with(settings: Settings) -> Self {
        Self::at(settings, "2021-08-10T13:40:00Z")
    }

    /// With the clock at `now`.
    pub fn at(settings: Settings, now: &str) -> Self {
        let settings = Settings { partitions: PARTITIONS, ..settings };
        let now_ms = now.parse::<Timestamp>().unwrap().as_millisecond();
        let driver_settings = DriverSettings { now_ms, ..DriverSettings::with_workers(1) };
        Self { driver: TopologyTestDriver::start(topology(&settings).unwrap(), driver_settings).unwrap() }
    }

    pub fn idle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    pub fn pass(&mut self, ms: i64) {
        self.driver.run_for(ms).unwrap();
    }

    /// Sends a whole file in pieces of 256 KiB, and lets everything come to rest.
    pub fn send(&mut self, file: &File, source: &str) {
        self.send_pieces(file, source, 256 << 10, usize::MAX);
        self.idle();
    }

    /// Sends the beginning of a file, and of its pieces as many as `most`; with all of them its end marker.
    pub fn send_pieces(&mut self, file: &File, source: &str, piece_bytes: usize, most: usize) {
        let job_id = file.job_id.as_str();
        let opened = ExtractOpened {
            job_id,
            file_name: &file.name,
            received_at_ms: RECEIVED_AT.parse::<Timestamp>().unwrap().as_millisecond(),
            bytes: file.content.len() as i64,
            source,
        };
        let mut events = vec![ExtractEvent::ExtractOpened(opened)];
        let pieces: Vec<&[u8]> = file.content.chunks(piece_bytes).collect();
        for (sequence, content) in pieces.iter().take(most).enumerate() {
            events.push(ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence: sequence as i32, content }));
        }
        let sha256 = file.sha256();
        if pieces.len() <= most {
            let chunks = pieces.len() as i32;
            events.push(ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks, sha256: &sha256 }));
        }
        for event in &events {
            self.driver.pipe::<ExtractEvents>(GP_EXTRACT, job_id, event).unwrap();
        }
    }

    /// An operator ends a job.
    pub fn clean_up(&mut self, job_id: &str) {
        self.command(CommandAction::CleanUpJob, job_id, "Ann Operator");
    }

    /// An operator switches a route, on every partition.
    pub fn switch(&mut self, action: CommandAction, route: &str) {
        self.command(action, route, "Ann Operator");
    }

    pub fn command(&mut self, action: CommandAction, subject: &str, by: &str) {
        self.give(action, subject, by);
        self.idle();
    }

    /// Publishes a command, and lets nothing happen yet.
    pub fn give(&mut self, action: CommandAction, subject: &str, by: &str) {
        let command = Command { action, subject, by, reason: "a test", at_ms: self.driver.now_ms() };
        let mut value = Vec::new();
        Schemas::bundled().encoder().encode(&codec::COMMAND, &command, &mut value).unwrap();
        let mut publisher = self.driver.log().publisher().unwrap();
        let every = 0..PARTITIONS;
        let of_key = concord_engine::partitioner::partition_of(subject.as_bytes(), PARTITIONS);
        let partitions = if action == CommandAction::CleanUpJob { of_key..of_key + 1 } else { every };
        for partition in partitions {
            let record = OutgoingRecord {
                topic: &Arc::from(COMMAND),
                partition,
                timestamp_ms: self.driver.now_ms(),
                key: Some(subject.as_bytes()),
                value: Some(&value),
                headers: &[],
            };
            publisher.send(&record).unwrap();
        }
    }

    /// A connector says what became of a file or mail.
    pub fn deliver(&mut self, job_id: &str, name: &str, route: &str, state: &str) {
        let at_ms = self.driver.now_ms();
        let delivery = Delivery { job_id, name, route, state, reference: "r-1", detail: "why", at_ms };
        self.driver.pipe::<Deliveries>(DELIVERY, job_id, &delivery).unwrap();
        self.idle();
    }

    /// Gives the report an event as if another part had sent it.
    pub fn event(&mut self, job_id: &str, event: &JobEvent<'_>) {
        let topic = "list-reconciliation.job-events.repartition";
        self.driver.pipe::<JobEvents>(topic, job_id, event).unwrap();
        self.idle();
    }

    // What came out.

    /// A job as its last record shows it; panics when there is none.
    #[track_caller]
    pub fn job(&self, job_id: &str) -> Shown {
        self.records_of(job_id).pop().expect("a record of the job")
    }

    pub fn records_of(&self, job_id: &str) -> Vec<Shown> {
        let outputs = self.driver.outputs::<Jobs>(JOB).unwrap();
        let of_job = outputs.iter().filter(|output| output.key() == job_id);
        of_job
            .map(|output| {
                let job = output.value().unwrap().unwrap();
                Shown {
                    status: job.status.to_owned(),
                    reasons: job.reasons.iter().map(ToString::to_string).collect(),
                    source: job.source.to_owned(),
                    copies: job.copies,
                    last_copy: job.last_copy.to_owned(),
                    rerun_of: job.rerun_of.to_owned(),
                    history: job.history.iter().map(|s| (s.status.to_owned(), s.detail.to_owned())).collect(),
                    mails: job.mails.iter().map(|m| (m.service.to_owned(), m.state.to_owned())).collect(),
                    deliveries: job.deliveries,
                    files: job.files.iter().map(ToString::to_string).collect(),
                }
            })
            .collect()
    }

    /// The mails in the outbox, in the order of each partition.
    pub fn mails(&self) -> Vec<Letter> {
        let outputs = self.driver.outputs::<Mails>(MAIL).unwrap();
        outputs
            .iter()
            .map(|output| {
                let mail = output.value().unwrap().unwrap();
                assert_eq!(output.key(), mail.mail_id);
                Letter {
                    id: mail.mail_id.to_owned(),
                    service: mail.service.to_owned(),
                    to: mail.to.iter().map(ToString::to_string).collect(),
                    subject: mail.subject.to_owned(),
                    body: mail.body.to_owned(),
                }
            })
            .collect()
    }

    /// What each partition said last of a route.
    pub fn route(&self, name: &str) -> Vec<Route> {
        let mut last = std::collections::BTreeMap::new();
        for output in self.driver.outputs::<RouteStatuses>(POST_OFFICE).unwrap() {
            let status = output.value().unwrap().unwrap();
            if status.route == name {
                assert_eq!(output.key(), format!("{name}/{}", status.partition));
                let route = Route {
                    open: status.open,
                    switched: status.switched.to_owned(),
                    by: status.by.to_owned(),
                    waiting: status.waiting,
                };
                last.insert(status.partition, route);
            }
        }
        last.into_values().collect()
    }

    /// Job ids in the order in which they were given their verdict.
    pub fn order_of_verdicts(&self, partition: i32) -> Vec<String> {
        let topic = "list-reconciliation.job-events.repartition";
        let outputs = self.driver.outputs::<JobEvents>(topic).unwrap();
        outputs
            .iter()
            .filter(|output| output.partition == partition)
            .filter_map(|output| match output.value().unwrap() {
                Some(JobEvent::JobValidated(validated)) => Some(validated.job_id.to_owned()),
                _ => None,
            })
            .collect()
    }

    /// Nothing is kept of any job but that it was there.
    #[track_caller]
    pub fn nothing_is_left(&self) {
        for (part, store) in [
            ("intake", "intake-pieces"),
            ("intake", "intake-waiting"),
            ("comparison", "job-patients"),
            ("comparison", "job-counts"),
            ("report", "report-found"),
            ("report", "report-rows"),
            ("intake", "intake-timers"),
            ("report", "report-timers"),
        ] {
            let left = self.driver.state(part, store).unwrap();
            // The store of timers keeps the stream time too.
            let left: Vec<_> = left.keys().filter(|key| !key.starts_with(b"stream-time")).collect();
            assert!(left.is_empty(), "{store} still holds {} entries", left.len());
        }
        self.driver.check_settled().unwrap();
    }

    pub fn no_dead_letters(&self) {
        assert_eq!(self.driver.dead_letters().unwrap(), Vec::new());
    }
}
