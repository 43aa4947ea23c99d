//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use concord_flows::list_reconciliation::Profile;
use jiff::Timestamp;

mod audit;
mod documents;
mod jobs;
mod rules;

pub use audit::{
    AuditArgs, AuditDemoArgs, AuditExplainArgs, AuditFilesArgs, AuditQuestion, FieldName, MissingNumbersArgs,
    MissingReceiptsArgs, OperationsArgs, QueryFieldName, ReleaseName, SideName, WindowArgs,
};
pub use documents::{
    ConflictsArgs, ConsolidateArgs, DeleteArgs, DocumentShowArgs, DocumentsCommand, DocumentsDemoArgs,
    DocumentsListArgs, PatientShowArgs, PatientUpdateArgs, PatientsCommand, RetryArgs, StatusName, UploadArgs,
};
pub use jobs::{
    JobsCleanupArgs, JobsCommand, JobsListArgs, JobsRerunArgs, JobsShowArgs, PostOfficeCommand, PostOfficeStatusArgs,
    SwitchArgs,
};
pub use rules::{RulesCommand, RulesTestArgs};

/// Keeps health records in agreement: a stream processor on Kafka.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The command of the process that reads documents for another one, which starts it with limits behind it.
pub const READER_COMMAND: &str = "read-documents";

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Read documents from standard input for the process that started this one, within limits (JSON).
    #[command(name = READER_COMMAND, hide = true)]
    ReadDocuments {
        /// What a document may cost.
        limits: String,
    },
    /// Make a synthetic practice and reconcile it, to see what Concord does.
    #[command(after_help = "Example:\n  concord demo --patients 10000 --out /tmp/demo")]
    Demo(DemoArgs),
    /// Reconcile GP extracts against PDS, from files, on this machine.
    #[command(
        after_help = "Example:\n  concord reconcile --extract H81109_GPR4LNA1.H9A --pds pds.ndjson --out results\n\n\
        Exit codes: 0 reconciled, 1 failed, 2 usage or configuration, 3 an extract was rejected"
    )]
    Reconcile(ReconcileArgs),
    /// Check a GP extract on this machine: nothing is reconciled, nothing is sent.
    #[command(after_help = "Example:\n  concord validate H81109_GPR4LNA1.H9A --out checked\n\n\
        Exit codes: 0 valid, 1 failed, 2 usage, 3 the extract is not valid")]
    Validate(ValidateArgs),
    /// Audit the numbers and receipts of GP Links interchanges, from files, on this machine.
    #[command(
        after_help = "Examples:\n  concord audit interchanges/ --out audited\n  concord audit demo --out /tmp/audit\n\n\
        Exit codes: 0 no finding, 1 failed, 2 usage or configuration, 4 findings"
    )]
    Audit(AuditArgs),
    /// Documents of patients: read and consolidate folders, upload, list, look at one, have one read again.
    #[command(subcommand)]
    Documents(DocumentsCommand),
    /// What all documents of a patient say together, and what they contradict each other about.
    #[command(subcommand)]
    Patients(PatientsCommand),
    /// The rules: what each looks at, when it fires, and what is to be done then.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Process what arrives on a Kafka cluster, until SIGTERM.
    #[command(
        after_help = "Example:\n  concord topics apply --config concord.toml\n  concord run --config concord.toml"
    )]
    Run(RunArgs),
    /// Topics as declared and as they are.
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Publish files to a cluster; the same file twice changes nothing.
    #[command(subcommand)]
    Produce(ProduceCommand),
    /// Show the graph of processors, stores and topics.
    #[command(subcommand)]
    Topology(TopologyCommand),
    /// Look into committed state, of a running process or of a stopped one.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look into rejected records, and give them back to their topics.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Show which inputs made a record: the last one with this key in this topic.
    #[command(
        after_help = "Example:\n  concord explain list-reconciliation.difference A82023/9000000009/MN-BR-SN-01 --config concord.toml"
    )]
    Explain(ExplainArgs),
    /// Hold what came out against what went in: every job, record, file, interchange and finding once, nothing undecided, nothing
    /// unread. Reads only.
    #[command(after_help = "The state folder is checked too when it is here and its process is stopped.\n\n\
        Example:\n  concord verify --config concord.toml\n\nExit codes: 0 all is well, 1 findings, 2 usage or configuration")]
    Verify(VerifyArgs),
    /// What became of files: list jobs, look at one, run one again, end one.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Let files wait, without losing any, and let them go on.
    #[command(subcommand)]
    PostOffice(PostOfficeCommand),
    /// Connect the log with what is beside it, until SIGTERM: each in a process of its own.
    #[command(subcommand)]
    Connect(ConnectCommand),
}

/// `concord connect`
#[derive(Subcommand)]
pub enum ConnectCommand {
    /// Mailboxes of MESH: extracts and interchanges in, results out.
    #[command(after_help = "Example:\n  concord connect mesh --config concord.toml")]
    Mesh(ConfigArgs),
    /// Folders and buckets: extracts, interchanges and documents of patients in, results and copies out, and their retention.
    #[command(after_help = "Example:\n  concord connect files --config concord.toml")]
    Files(ConfigArgs),
    /// The mail server: the only process that needs a way out.
    #[command(after_help = "Example:\n  concord connect mail --config concord.toml")]
    Mail(ConfigArgs),
    /// Answer the questions of the topic pds.lookup with what the PDS FHIR API says, on the topic pds.answer.
    #[command(
        after_help = "Example:\n  concord topics apply --config concord.toml\n  concord connect pds --config concord.toml"
    )]
    Pds(ConfigArgs),
}

/// `concord verify`
#[derive(Args)]
pub struct VerifyArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The configuration file.
#[derive(Args)]
pub struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord run`
#[derive(Args)]
pub struct RunArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Run although state of an earlier topology is left behind.
    #[arg(long)]
    pub accept_migration: bool,
}

/// `concord topics`
#[derive(Subcommand)]
pub enum TopicsCommand {
    /// What `apply` would do.
    Plan(ConfigArgs),
    /// Create missing topics and register the schemas.
    Apply(ConfigArgs),
    /// Every declared topic with its key, schema and retention.
    List(ConfigArgs),
}

/// `concord produce`
#[derive(Subcommand)]
pub enum ProduceCommand {
    /// Publish a GP extract.
    Extract(ProduceArgs),
    /// Publish PDS records (FHIR NDJSON, or the CSV of the PDS test pack).
    Pds(ProduceArgs),
    /// Publish a list of registrations (`nhs_number,gp_practice,dispensing_flag`).
    Registrations(ProduceArgs),
    /// Publish an answer of DPS (JSON Lines) about an extract that was sent to it.
    DpsAnswer(ProduceArgs),
    /// Publish GP Links interchanges, for the sequence audit.
    Interchange(ProduceArgs),
    /// Publish what the earlier adaptor remembered (inboundState or outboundState as JSON Lines), for the sequence audit.
    #[command(
        after_help = "Before the first interchanges of its links are received. The same documents again change nothing.\n\n\
        Example:\n  concord produce history outboundState.json inboundState.json --config concord.toml"
    )]
    History(ProduceHistoryArgs),
    /// Publish the numbers that links used last (outboundSequenceId as JSON Lines), for the sequence audit.
    #[command(after_help = "For links without a history: what comes before the next number is then not missed.\n\n\
        Example:\n  concord produce baseline outboundSequenceId.json --config concord.toml")]
    Baseline(ProduceArgs),
}

/// What is published, and where.
#[derive(Args)]
pub struct ProduceArgs {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Processing time, such as 2021-08-10T13:40:00Z; now, if not given.
    #[arg(long)]
    pub at: Option<Timestamp>,
}

/// `concord produce history`
#[derive(Args)]
pub struct ProduceHistoryArgs {
    /// The exports, plain or gzip.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Also when interchanges were received already, of other links.
    #[arg(long)]
    pub behind_traffic: bool,
}

/// `concord demo`
#[derive(Args)]
pub struct DemoArgs {
    /// Patients in the extract.
    #[arg(long, default_value_t = 10_000)]
    pub patients: u64,
    /// The same seed makes the same practice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where input and output are written.
    #[arg(long, default_value = "concord-demo")]
    pub out: PathBuf,
}

/// `concord reconcile`
#[derive(Args)]
pub struct ReconcileArgs {
    /// GP extracts; each is a job.
    #[arg(long, required = true, num_args = 1..)]
    pub extract: Vec<PathBuf>,
    /// PDS records: FHIR R4 Patient NDJSON, or the CSV of the PDS test pack (by its ending, `.csv`); gzip is recognised.
    #[arg(long, required = true, num_args = 1..)]
    pub pds: Vec<PathBuf>,
    /// Who is registered where: `nhs_number,gp_practice,dispensing_flag`, plain or gzip. Without it PDS records say.
    #[arg(long)]
    pub registrations: Option<PathBuf>,
    /// Where the output is written, a folder for each job.
    #[arg(long)]
    pub out: PathBuf,
    /// Processing time, such as 2021-08-10T13:40:00Z; now, if not given.
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// Print the jobs as one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Corrected rules, or those of the earlier implementation.
    #[arg(long, value_enum, default_value_t = ProfileName::Fixed)]
    pub profile: ProfileName,
    /// What happens to a file with invalid records.
    #[arg(long, value_enum, default_value_t = OnInvalidName::Reject)]
    pub on_invalid: OnInvalidName,
    /// Who the mails about the jobs are for. They are written as files, and sent to nobody.
    #[arg(long, default_value = "gp-lists@nhs.example")]
    pub mail_to: Vec<String>,
}

/// `concord validate`
#[derive(Args)]
pub struct ValidateArgs {
    /// A GP extract. Its name says practice, region and date, so it must be the name it is sent with.
    pub file: PathBuf,
    /// Where records.csv, invalid_counts.csv and report.txt are written.
    #[arg(long)]
    pub out: PathBuf,
    /// Processing time, such as 2021-08-10T13:40:00Z; now, if not given.
    #[arg(long)]
    pub at: Option<Timestamp>,
    /// With this many invalid fields or more, records.csv has the invalid records only.
    #[arg(short = 't', long, visible_alias = "invalid_threshold", default_value_t = 10)]
    pub invalid_threshold: u64,
    /// In records.csv, say of each invalid field what it must be.
    #[arg(short = 'r', long, visible_alias = "include_reason")]
    pub include_reason: bool,
    /// Corrected rules, or those of the earlier implementation.
    #[arg(long, value_enum, default_value_t = ProfileName::Fixed)]
    pub profile: ProfileName,
}

/// `concord topology`
#[derive(Subcommand)]
pub enum TopologyCommand {
    /// Print the graph.
    Describe {
        /// For people, for a picture, or for programs.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Of which flow.
        #[arg(long, value_enum, default_value_t = FlowName::ListReconciliation)]
        flow: FlowName,
    },
    /// Say whether the state on disk fits: same, compatible, needs migration, refused.
    Check(ConfigArgs),
}

/// Names of the flows.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowName {
    /// GP extracts against PDS.
    ListReconciliation,
    /// Numbers and receipts of GP Links.
    SequenceAudit,
    /// Documents of patients.
    PatientDocuments,
}

/// Forms of a description.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// Indented text.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// JSON.
    Json,
}

/// Names of the rule profiles.
#[derive(Clone, Copy, ValueEnum)]
pub enum ProfileName {
    /// Known defects are corrected.
    Fixed,
    /// As the earlier implementation.
    Compatible,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Fixed => Self::Fixed,
            ProfileName::Compatible => Self::Compatible,
        }
    }
}

/// Names of the ways with invalid records.
#[derive(Clone, Copy, ValueEnum)]
pub enum OnInvalidName {
    /// The whole file is rejected.
    Reject,
    /// The invalid records are left out.
    Quarantine,
}

/// `concord store`
#[derive(Subcommand)]
pub enum StoreCommand {
    /// Every store of every task, with how far it has come; no entries.
    #[command(after_help = "Examples:\n  concord store list --url http://127.0.0.1:8080\n  \
        concord store list --config concord.toml")]
    List {
        #[command(flatten)]
        whose: StateSource,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The entries of a key, as JSON. A process knows its own tasks only: ask each of them, or the one that has the task.
    #[command(after_help = "Example:\n  concord store get pds 9000000009 --url http://127.0.0.1:8080")]
    Get {
        #[command(flatten)]
        whose: StateSource,
        /// Name of the store.
        store: String,
        /// The key; bytes that are not text as 0x and hexadecimal digits.
        key: String,
    },
    /// Entries in the order of their keys, one JSON object a line.
    #[command(
        after_help = "Example:\n  concord store scan practice-lists --prefix A82023/ --limit 20 --config concord.toml"
    )]
    Scan {
        #[command(flatten)]
        whose: StateSource,
        /// Name of the store.
        store: String,
        /// Only keys that begin so.
        #[arg(long, default_value = "")]
        prefix: String,
        /// Only this key and higher ones.
        #[arg(long)]
        from: Option<String>,
        /// Only keys below this one.
        #[arg(long)]
        to: Option<String>,
        /// Most entries shown.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

/// Whose state is read.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct StateSource {
    /// Configuration file of a stopped process: its state folder is read.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Address of a running process's HTTP service, such as http://127.0.0.1:8080.
    #[arg(long)]
    pub url: Option<String>,
}

/// `concord dead-letters`
#[derive(Subcommand)]
pub enum DeadLettersCommand {
    /// Where each rejected record came from, and why it was rejected; no payloads.
    List {
        /// Configuration file (TOML).
        #[arg(long)]
        config: PathBuf,
        /// Of which flow, where several run.
        #[arg(long, value_enum)]
        flow: Option<FlowName>,
        /// Only those with this code.
        #[arg(long)]
        code: Option<String>,
    },
    /// One rejected record with its headers and its payload, as JSON.
    Show {
        /// Where the letter stands, as `list` shows it.
        #[arg(value_name = "PARTITION/OFFSET", value_parser = letter_place)]
        letter: (i32, i64),
        /// Configuration file (TOML).
        #[arg(long)]
        config: PathBuf,
        /// Of which flow, where several run.
        #[arg(long, value_enum)]
        flow: Option<FlowName>,
    },
    /// Publish rejected records again, unchanged, where they came from.
    #[command(
        after_help = "Replaying a letter twice publishes it once: its replay is found in its topic by the header \
        concord-replayed-from. Two replays at the same time may both publish, and a replay is forgotten when its topic \
        has deleted it. In a compacted topic a record is left alone when a newer one has its key.\n\n\
        Examples:\n  concord dead-letters replay --all --code CONCORD-EN-0001 --config concord.toml\n  \
        concord dead-letters replay 3/17 3/18 --config concord.toml"
    )]
    Replay(ReplayArgs),
}

/// `concord dead-letters replay`
#[derive(Args)]
pub struct ReplayArgs {
    /// Letters, as `list` shows them.
    #[arg(value_name = "PARTITION/OFFSET", value_parser = letter_place, required_unless_present = "all", conflicts_with = "all")]
    pub letters: Vec<(i32, i64)>,
    /// All letters.
    #[arg(long)]
    pub all: bool,
    /// Only those with this code.
    #[arg(long)]
    pub code: Option<String>,
    /// Also where a newer record of the same key stands in the topic: the older value then counts again.
    #[arg(long)]
    pub superseded: bool,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Of which flow, where several run.
    #[arg(long, value_enum)]
    pub flow: Option<FlowName>,
}

/// `concord explain`
#[derive(Args)]
pub struct ExplainArgs {
    /// A topic, such as list-reconciliation.difference.
    pub topic: String,
    /// The key of the record; bytes that are not text as 0x and hexadecimal digits.
    pub key: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Show what the records hold, too.
    #[arg(long)]
    pub payload: bool,
}

fn letter_place(text: &str) -> Result<(i32, i64), String> {
    let place =
        text.split_once('/').and_then(|(partition, offset)| Some((partition.parse().ok()?, offset.parse().ok()?)));
    place.ok_or_else(|| "write it as PARTITION/OFFSET, such as 3/17".to_string())
}
