//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Keeps health records in agreement: a stream processor on Kafka.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Make a synthetic practice and reconcile it, to see what Concord does.
    #[command(after_help = "Example:\n  concord demo --patients 10000 --out /tmp/demo")]
    Demo(DemoArgs),
    /// Reconcile GP extracts against PDS, from files, on this machine.
    #[command(
        after_help = "Example:\n  concord reconcile --extract H81109_GPR4LNA1.H9A --pds pds.ndjson --out results\n\n\
        Exit codes: 0 reconciled, 1 failed, 2 usage or configuration, 3 an extract was rejected"
    )]
    Reconcile(ReconcileArgs),
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
}

/// What is published, and where.
#[derive(Args)]
pub struct ProduceArgs {
    /// The file.
    pub file: PathBuf,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Processing time, such as 2021-08-10T13:40:00Z; now, if not given.
    #[arg(long)]
    pub at: Option<Timestamp>,
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
}

/// `concord topology`
#[derive(Subcommand)]
pub enum TopologyCommand {
    /// Print the graph.
    Describe {
        /// For people, for a picture, or for programs.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Say whether the state on disk fits: same, compatible, needs migration, refused.
    Check(ConfigArgs),
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

/// Names of the ways with invalid records.
#[derive(Clone, Copy, ValueEnum)]
pub enum OnInvalidName {
    /// The whole file is rejected.
    Reject,
    /// The invalid records are left out.
    Quarantine,
}
