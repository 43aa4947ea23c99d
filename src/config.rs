//! The configuration file: TOML, every key documented here, unknown keys refused. `CONCORD_<SECTION>__<KEY>` overrides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use concord_engine::log::Guarantee;
use concord_engine::log::kafka::{GroupProtocol, KafkaSettings};
use concord_engine::topology::Topology;
use concord_engine::worker::WorkerSettings;
use concord_flows::list_reconciliation::catalogue::RuleSettings;
use concord_flows::list_reconciliation::post_office::PostOffice;
use concord_flows::list_reconciliation::{
    Delivered, DpsExchange, Lookups, MailSettings, OnInvalid, Profile, RegistrationSource, Settings, topology,
};
use concord_state::RocksOptions;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;

use crate::cli::FlowName;
use crate::failure::Failure;

use connectors::{Connect, Folders, Mail, Mesh, S3};
pub use patient_documents::PatientDocuments;

pub mod connectors;
mod patient_documents;
mod pds;
mod post_office;
mod reading_limits;
mod rules;
mod sequence_audit;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this process is.
    pub instance: Instance,
    /// How the cluster is reached.
    pub kafka: Kafka,
    /// Where schemas are registered; without it values carry the fingerprints of the bundled schemas.
    #[serde(default)]
    pub schema_registry: Option<SchemaRegistry>,
    /// How topics are created.
    #[serde(default)]
    pub topics: Topics,
    /// How records are processed.
    #[serde(default)]
    pub processing: Processing,
    /// What happens when many records are rejected.
    #[serde(default)]
    pub dead_letters: DeadLetters,
    /// Health, metrics and queries.
    #[serde(default)]
    pub http: Http,
    /// Which systems run, and how.
    pub flows: Flows,
    /// Common to all connectors.
    #[serde(default)]
    pub connect: Connect,
    /// Mailboxes.
    #[serde(default)]
    pub mesh: Option<Mesh>,
    /// Folders.
    #[serde(default)]
    pub folders: Folders,
    /// Buckets.
    #[serde(default)]
    pub s3: Option<S3>,
    /// The mail server.
    #[serde(default)]
    pub mail: Option<Mail>,
    /// How PDS is asked, by `concord connect pds`.
    #[serde(default)]
    pub pds: Option<Pds>,
    /// The rules of the flow, checked.
    #[serde(skip)]
    rule_settings: RuleSettings,
    /// The routes of the flow, checked.
    #[serde(skip)]
    post_office: PostOffice,
}

/// Who this process is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Name of this process, unique among those of the application and the same after a restart (such as a pod's ordinal).
    pub name: String,
    /// Folder of the state. One process at a time may use it.
    pub state_dir: PathBuf,
    /// Worker threads.
    #[serde(default = "defaults::workers")]
    pub workers: usize,
    /// Memory of state, caches and client queues together, in MiB.
    #[serde(default = "defaults::memory_mib")]
    pub memory_mib: usize,
}

/// How the cluster is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// `classic`, `consumer` (brokers 4.0 and newer) or `auto` (the newest that the brokers have).
    #[serde(default)]
    pub protocol: Protocol,
    /// Further properties of the client by librdkafka's names, such as `security.protocol`.
    #[serde(default)]
    pub client: BTreeMap<String, String>,
}

/// How workers join their group.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The newest that the brokers have.
    Auto,
    /// KIP-848, where the brokers assign.
    Consumer,
    /// The protocol of every broker: a worker that was killed is back at once (docs/decisions/0002).
    #[default]
    Classic,
}

/// Where schemas are registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaRegistry {
    /// Base address, with its path if it has one.
    pub url: String,
}

/// How topics are created.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    /// Partitions of every topic of a flow.
    pub partitions: i32,
    /// Copies of each partition.
    pub replication: i32,
}

impl Default for Topics {
    fn default() -> Self {
        Self { partitions: 8, replication: 3 }
    }
}

/// How records are processed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Processing {
    /// `exactly-once`, or `at-least-once`: no record is lost, and after a failure some take effect again. Stop every
    /// process of the application before changing it.
    pub guarantee: GuaranteeName,
    /// Time between commits, milliseconds; it grows, up to five times, while commits take more than a quarter of it.
    pub commit_interval_ms: u64,
    /// How long a silent worker keeps its tasks, milliseconds.
    pub session_timeout_ms: u64,
    /// After this long the cluster aborts a transaction of a dead worker, milliseconds; below the session time-out.
    pub transaction_timeout_ms: u64,
    /// The process ends, as in a crash, when a worker does not come back from a step for so long, milliseconds; at least six
    /// times the transaction time-out, whatever is written.
    pub longest_step_ms: u64,
    /// Largest record in bytes.
    pub max_record_bytes: usize,
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            guarantee: GuaranteeName::ExactlyOnce,
            commit_interval_ms: 100,
            session_timeout_ms: 30_000,
            transaction_timeout_ms: 15_000,
            longest_step_ms: 300_000,
            max_record_bytes: 1 << 20,
        }
    }
}

impl Processing {
    /// How long a step may take. When brokers do not answer, draining, positions, and several attempts to end and to abort a
    /// transaction are one step, and each waits for a part of the transaction's time-out.
    pub fn longest_step(&self) -> Duration {
        Duration::from_millis(self.longest_step_ms.max(6 * self.transaction_timeout_ms))
    }
}

/// See [`Processing::guarantee`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuaranteeName {
    /// Each record takes effect once.
    ExactlyOnce,
    /// Each record takes effect, some of them again.
    AtLeastOnce,
}

/// What happens when many records are rejected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadLetters {
    /// The process stops when more than this share of a window of records is rejected; 1 never stops it.
    pub max_share: f64,
    /// Records in that window.
    pub window: u64,
}

impl Default for DeadLetters {
    fn default() -> Self {
        Self { max_share: 0.5, window: 1_000 }
    }
}

/// Health, metrics and queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address to listen on; it has no access control, so keep it off public networks.
    pub listen: String,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_string() }
    }
}

/// Which systems run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// GP extracts against PDS.
    #[serde(default)]
    pub list_reconciliation: Option<ListReconciliation>,
    /// Numbers and receipts of GP Links.
    #[serde(default)]
    pub sequence_audit: Option<SequenceAudit>,
    /// Documents of patients.
    #[serde(default)]
    pub patient_documents: Option<PatientDocuments>,
}

impl Flows {
    /// The flows that run, in the order of their topologies.
    fn running(&self) -> Vec<FlowName> {
        let flows = [
            (FlowName::ListReconciliation, self.list_reconciliation.is_some()),
            (FlowName::SequenceAudit, self.sequence_audit.is_some()),
            (FlowName::PatientDocuments, self.patient_documents.is_some()),
        ];
        flows.into_iter().filter(|(_, runs)| *runs).map(|(flow, _)| flow).collect()
    }
}

/// Settings of the sequence audit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SequenceAudit {
    /// Consumer group, and beginning of internal topic names.
    pub application: String,
    /// How long a number may come behind one that follows it before it counts as missing, minutes.
    pub grace_minutes: i64,
    /// How long a message may be without a receipt, minutes.
    pub receipt_overdue_minutes: i64,
    /// How long a receipt may be without its message, minutes.
    pub orphan_minutes: i64,
    /// After how long without an interchange a link is silent, minutes; without it links may be silent.
    pub silence_minutes: Option<i64>,
    /// The furthest that a number may lie from the last one and be of the same epoch.
    pub plausible: u64,
    /// Of how many numbers below the last one the content is remembered.
    pub window: u32,
    /// Whether the transactions of Health Authorities are judged; whom they are numbered for is not proven.
    pub authority_transactions: bool,
    /// The largest transaction number of Health Authorities, behind which 1 comes again: no standard says it.
    pub largest_authority_transaction: u32,
}

impl Default for SequenceAudit {
    fn default() -> Self {
        Self {
            application: "sequence-audit".to_string(),
            grace_minutes: 60,
            receipt_overdue_minutes: 24 * 60,
            orphan_minutes: 60,
            silence_minutes: None,
            plausible: 10_000,
            window: 256,
            authority_transactions: true,
            largest_authority_transaction: 99_999_999,
        }
    }
}

/// Settings of list reconciliation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListReconciliation {
    /// Consumer group, and beginning of internal topic names.
    pub application: String,
    /// `fixed` or `compatible` (the earlier implementation, known defects included).
    pub profile: ProfileName,
    /// `reject` (the whole file) or `quarantine` (only the invalid records).
    pub on_invalid: OnInvalidName,
    /// `pds-records` or `registration-list`.
    pub registrations: RegistrationsName,
    /// About whom PDS is asked: `never`, `unknown` (of whom nothing was published), or `always` (everybody on a list).
    pub lookups: LookupsName,
    /// Whether extracts are compared here (`off`), by DPS (`asks`), or here in the place of DPS (`answers`).
    pub dps: DpsName,
    /// How long a file may wait for its end marker, minutes.
    pub upload_timeout_minutes: i64,
    /// Which rules hold where and when.
    pub rules: Rules,
    /// Whether the last list of each practice stands, and every change of PDS is held against it. Without, differences are
    /// published and never taken back.
    pub standing: bool,
    /// How long a job may take from the time its whole file goes on, minutes.
    pub job_timeout_minutes: i64,
    /// What a job waits for before it is complete: `lists`, `work-items`, `mails`.
    pub delivered: Vec<DeliveredName>,
    /// Who is told of jobs.
    pub mails: Mails,
    /// By which routes files come, and when these are open.
    pub routes: Vec<Route>,
}

impl Default for ListReconciliation {
    fn default() -> Self {
        Self {
            application: "list-reconciliation".to_string(),
            profile: ProfileName::Fixed,
            on_invalid: OnInvalidName::Reject,
            registrations: RegistrationsName::PdsRecords,
            lookups: LookupsName::Never,
            dps: DpsName::Off,
            upload_timeout_minutes: 360,
            rules: Rules::default(),
            standing: true,
            job_timeout_minutes: 360,
            delivered: Vec::new(),
            mails: Mails::default(),
            routes: Vec::new(),
        }
    }
}

/// See [`ListReconciliation::delivered`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveredName {
    /// The CSV files of a reconciled file.
    Lists,
    /// Its work items.
    WorkItems,
    /// The mail about it.
    Mails,
}

/// Who is told of jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mails {
    /// Addresses. Without any, no mails are written.
    pub recipients: Vec<String>,
    /// Whether reconciled files are told too; refused ones always are.
    pub success: bool,
}

/// A way on which files come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name; `gp-extracts` is the route of every file that no other one takes.
    pub name: String,
    /// Patterns of the sources whose files it takes, such as `mesh:*TEST/*`; `*` stands for any text.
    #[serde(default)]
    pub sources: Vec<String>,
    /// When it is open; without hours always.
    #[serde(default)]
    pub hours: Vec<RouteHours>,
}

/// Open on some days of the week between two times of day in the United Kingdom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteHours {
    /// `mon` to `sun`.
    pub days: Vec<String>,
    /// Such as `"08:00"`.
    pub from: String,
    /// Such as `"18:00"`, up to `"24:00"`.
    pub to: String,
}

/// See [`ListReconciliation::profile`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// Known defects are corrected.
    Fixed,
    /// As the earlier implementation.
    Compatible,
}

/// See [`ListReconciliation::on_invalid`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnInvalidName {
    /// The whole file is refused.
    Reject,
    /// The invalid records are left out.
    Quarantine,
}

/// See [`ListReconciliation::registrations`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationsName {
    /// The practice that each PDS record names.
    PdsRecords,
    /// Topic `pds.registration`.
    RegistrationList,
}

/// See [`ListReconciliation::lookups`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupsName {
    /// About nobody.
    Never,
    /// About whom nothing was published of.
    Unknown,
    /// About everybody on a list.
    Always,
}

/// See [`ListReconciliation::dps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DpsName {
    /// Compared here.
    Off,
    /// Compared by DPS, which is sent the extracts.
    Asks,
    /// Compared here in the place of DPS.
    Answers,
}

/// Which rules hold where and when.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Whether the business rules are in use beside the others.
    pub business: bool,
    /// `specification` or `prototype`: which source of the business rules is followed where they contradict each other.
    pub reading: ReadingName,
    /// Codes of the practices that dispense drugs; without it rules that ask for it do not fire.
    pub dispensing_practices: Option<Vec<String>>,
    /// Turn rules on or off in some places or at some times; the last one that applies decides.
    pub switches: Vec<Switch>,
}

/// See [`Rules::reading`].
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadingName {
    /// The specification; the prototype where the specification is silent.
    #[default]
    Specification,
    /// The prototype of the name rules.
    Prototype,
}

/// Turns rules on or off. Without practices, regions or days it holds in all of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Ids, as `concord rules list` has them.
    pub rules: Vec<String>,
    /// On or off.
    pub enabled: bool,
    /// Codes of practices, such as `A82023`.
    #[serde(default)]
    pub practices: Vec<String>,
    /// Ciphers of Health Authorities, such as `LNA`.
    #[serde(default)]
    pub regions: Vec<String>,
    /// The first day, such as `"2021-09-01"`.
    #[serde(default)]
    pub from: Option<String>,
    /// The last day.
    #[serde(default)]
    pub to: Option<String>,
}

/// How PDS is asked, by `concord connect pds`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pds {
    /// Address of the PDS FHIR API without a path.
    pub url: String,
    /// Id of the key that signs requests for tokens; with it go the two files. Without the three no token is asked for.
    #[serde(default)]
    pub key_id: Option<String>,
    /// File whose first line is the application's key.
    #[serde(default)]
    pub app_key_file: Option<PathBuf>,
    /// File of the RSA key that signs, in PEM form.
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// File of the authorities that are trusted, in PEM form; without it those of the machine.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Requests per second, those for tokens among them.
    #[serde(default = "defaults::rate_per_second")]
    pub rate_per_second: f64,
    /// Requests that may be made at once after a pause.
    #[serde(default = "defaults::burst")]
    pub burst: u32,
    /// Requests under way at the same time.
    #[serde(default = "defaults::requests_in_flight")]
    pub requests_in_flight: usize,
    /// How long PDS may take for one answer, seconds.
    #[serde(default = "defaults::timeout_seconds")]
    pub timeout_seconds: u64,
    /// How long an answer is remembered, so that the same question is not asked again, seconds; 0: not at all.
    #[serde(default = "defaults::answers_kept_seconds")]
    pub answers_kept_seconds: u64,
    /// How many answers are remembered.
    #[serde(default = "defaults::answers_kept")]
    pub answers_kept: usize,
    /// Consumer group of the questions.
    #[serde(default = "defaults::pds_group")]
    pub group: String,
}

mod defaults {
    pub fn workers() -> usize {
        1
    }

    pub fn memory_mib() -> usize {
        512
    }

    pub fn rate_per_second() -> f64 {
        12.0
    }

    pub fn burst() -> u32 {
        3
    }

    pub fn requests_in_flight() -> usize {
        8
    }

    pub fn timeout_seconds() -> u64 {
        30
    }

    pub fn answers_kept_seconds() -> u64 {
        600
    }

    pub fn answers_kept() -> usize {
        10_000
    }

    pub fn pds_group() -> String {
        "pds-lookups".to_string()
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// A usage failure that names the file, the key and what is expected.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        if !path.is_file() {
            return Err(Failure::Usage(format!("the configuration file {} does not exist", path.display())));
        }
        let mut config: Self = Figment::new()
            .merge(Toml::file_exact(path))
            // Other variables with this prefix (CONCORD_LOG) are not of the configuration.
            .merge(Env::prefixed("CONCORD_").filter(|key| key.as_str().contains("__")).split("__"))
            .extract()
            .map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))?;
        let wrong = |problem| Failure::Usage(format!("{}: {problem}", path.display()));
        config.check().map_err(wrong)?;
        let lists = config.list_reconciliation();
        config.rule_settings = lists.rules.settings().map_err(wrong)?;
        config.post_office = lists.post_office().map_err(wrong)?;
        Ok(config)
    }

    /// [`Self::read`], for what knows list reconciliation only.
    ///
    /// # Errors
    /// As [`Self::read`]; or that flow is not in the file.
    pub fn read_with_lists(path: &Path) -> Result<Self, Failure> {
        let config = Self::read(path)?;
        if config.flows.list_reconciliation.is_none() {
            let path = path.display();
            return Err(Failure::Usage(format!("{path}: this command needs a section [flows.list_reconciliation]")));
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.instance.workers == 0 {
            return Err("instance.workers is 0: write 1 or more".to_string());
        }
        // A piece of a file has 256 KiB, and gathered rows 64 KiB.
        if self.processing.max_record_bytes < 512 << 10 {
            let found = self.processing.max_record_bytes;
            return Err(format!("processing.max_record_bytes is {found}: write 524288 or more"));
        }
        if self.instance.memory_mib < 64 {
            return Err(format!("instance.memory_mib is {}: write 64 or more", self.instance.memory_mib));
        }
        if self.processing.transaction_timeout_ms >= self.processing.session_timeout_ms {
            return Err(
                "processing.transaction_timeout_ms must be below processing.session_timeout_ms, so that a dead \
                        worker's transaction is gone before its tasks move"
                    .to_string(),
            );
        }
        if self.flows.running().is_empty() {
            return Err("flows is empty: write a section [flows.list_reconciliation], [flows.sequence_audit] or \
                        [flows.patient_documents]"
                .to_string());
        }
        if let Some(audit) = &self.flows.sequence_audit {
            audit.check()?;
        }
        if let Some(documents) = &self.flows.patient_documents {
            documents.check()?;
        }
        if self.list_reconciliation().job_timeout_minutes < 1 {
            return Err("flows.list_reconciliation.job_timeout_minutes must be 1 or more".to_string());
        }
        let lists = self.list_reconciliation();
        if lists.dps != DpsName::Off && !matches!(lists.lookups, LookupsName::Never) {
            return Err(
                "flows.list_reconciliation.lookups must be `never` with dps: where DPS compares there is nobody to ask \
                        about, and an answer has no line for a person whom PDS could not tell of"
                    .to_string(),
            );
        }
        if !(0.0..=1.0).contains(&self.dead_letters.max_share) {
            return Err("dead_letters.max_share must be between 0 and 1".to_string());
        }
        if let Some(pds) = &self.pds {
            pds.check()?;
        }
        connectors::check_intakes(&self.folders, self.s3.as_ref(), &self.flows)?;
        connectors::check(self.mesh.as_ref(), &self.folders, self.s3.as_ref(), self.mail.as_ref())
    }

    /// How the cluster is reached.
    pub fn kafka_settings(&self) -> KafkaSettings {
        KafkaSettings {
            bootstrap_servers: self.kafka.bootstrap_servers.clone(),
            client: self.kafka.client.clone(),
            protocol: match self.kafka.protocol {
                Protocol::Auto => GroupProtocol::Auto,
                Protocol::Consumer => GroupProtocol::Consumer,
                Protocol::Classic => GroupProtocol::Classic,
            },
        }
    }

    /// The section of list reconciliation; where there is none, what it would be without any key.
    pub fn list_reconciliation(&self) -> ListReconciliation {
        self.flows.list_reconciliation.clone().unwrap_or_default()
    }

    /// The topologies of the flows that run.
    ///
    /// # Errors
    /// Settings that make one impossible, such as an unusable application id.
    pub fn topologies(&self) -> Result<Vec<Topology>, Failure> {
        self.flows.running().into_iter().map(|flow| self.topology_of(Some(flow))).collect()
    }

    /// The topology of the flow that is named; where none is, of the only one, or of list reconciliation.
    ///
    /// # Errors
    /// As [`Self::topologies`]; or the configuration has no such flow.
    pub fn topology_of(&self, flow: Option<FlowName>) -> Result<Topology, Failure> {
        let missing = || Failure::Usage("the configuration has no section for this flow".to_string());
        let partitions = self.topics.partitions;
        let built = match flow.or_else(|| self.flows.running().first().copied()).ok_or_else(missing)? {
            FlowName::ListReconciliation => {
                self.flows.list_reconciliation.as_ref().ok_or_else(missing)?;
                topology(&self.flow())
            }
            FlowName::SequenceAudit => {
                let audit = self.flows.sequence_audit.as_ref().ok_or_else(missing)?;
                concord_flows::sequence_audit::topology(&audit.settings(partitions))
            }
            FlowName::PatientDocuments => {
                let documents = self.flows.patient_documents.as_ref().ok_or_else(missing)?;
                concord_flows::patient_documents::topology(&documents.settings(partitions))
            }
        };
        built.map_err(|e| Failure::Usage(e.to_string()))
    }

    /// Settings of list reconciliation.
    pub fn flow(&self) -> Settings {
        let flow = self.list_reconciliation();
        Settings {
            application: flow.application.clone(),
            partitions: self.topics.partitions,
            profile: match flow.profile {
                ProfileName::Fixed => Profile::Fixed,
                ProfileName::Compatible => Profile::Compatible,
            },
            on_invalid: match flow.on_invalid {
                OnInvalidName::Reject => OnInvalid::Reject,
                OnInvalidName::Quarantine => OnInvalid::Quarantine,
            },
            registrations: match flow.registrations {
                RegistrationsName::PdsRecords => RegistrationSource::PdsRecords,
                RegistrationsName::RegistrationList => RegistrationSource::RegistrationList,
            },
            lookups: match flow.lookups {
                LookupsName::Never => Lookups::Never,
                LookupsName::Unknown => Lookups::Unknown,
                LookupsName::Always => Lookups::Always,
            },
            dps: match flow.dps {
                DpsName::Off => DpsExchange::Off,
                DpsName::Asks => DpsExchange::Asks,
                DpsName::Answers => DpsExchange::Answers,
            },
            upload_timeout_ms: flow.upload_timeout_minutes * 60_000,
            rules: self.rule_settings.clone(),
            standing: flow.standing,
            job_timeout_ms: flow.job_timeout_minutes * 60_000,
            mails: MailSettings { recipients: flow.mails.recipients.clone(), success: flow.mails.success },
            delivered: flow.delivered.iter().copied().map(Delivered::from).collect(),
            post_office: self.post_office.clone(),
        }
    }

    /// Settings of one worker of an application. The memory budget is shared out: half to the stores, the rest to what is under way.
    pub fn worker(&self, application: &str, number: usize) -> WorkerSettings {
        let flows = self.flows.running().len().max(1);
        let share = (self.instance.memory_mib << 20) / self.instance.workers / flows;
        WorkerSettings {
            guarantee: match self.processing.guarantee {
                GuaranteeName::ExactlyOnce => Guarantee::ExactlyOnce,
                GuaranteeName::AtLeastOnce => Guarantee::AtLeastOnce,
            },
            commit_interval: Duration::from_millis(self.processing.commit_interval_ms),
            session_timeout: Duration::from_millis(self.processing.session_timeout_ms),
            transaction_timeout: Duration::from_millis(self.processing.transaction_timeout_ms),
            max_record_bytes: self.processing.max_record_bytes,
            uncommitted_bytes: share / 8,
            fetch_ahead_bytes: share / 16,
            producer_queue_bytes: share / 8,
            rejected_share: self.dead_letters.max_share,
            rejected_window: self.dead_letters.window,
            ..WorkerSettings::named(format!("{application}-{}-{number}", self.instance.name))
        }
    }

    /// Settings of the stores.
    pub fn stores(&self) -> RocksOptions {
        RocksOptions { memory_budget_bytes: (self.instance.memory_mib << 20) / 2, ..RocksOptions::default() }
    }
}
