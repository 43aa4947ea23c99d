//! The part of the command line for patient documents.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use concord_flows::patient_documents::consolidation::Field;

/// `concord documents`
#[derive(Subcommand)]
pub enum DocumentsCommand {
    /// Read documents from folders and consolidate each patient, on this machine.
    #[command(
        after_help = "DIR has a folder for each patient, named by the patient's id, with the documents in it. DIR/PATIENT.json is \
        written for each patient.\n\n\
        Example:\n  concord documents consolidate inbox/ --out consolidated\n\n\
        Exit codes: 0 all is read, 1 failed, 2 usage, 4 a document could not be read"
    )]
    Consolidate(ConsolidateArgs),
    /// Make synthetic documents of all kinds with conflicts in them, consolidate them, and hold the result against what was planted.
    #[command(after_help = "Example:\n  concord documents demo --out /tmp/documents")]
    Demo(DocumentsDemoArgs),
    /// Publish a document of a patient; under an id that is known it is an edit.
    #[command(after_help = "Example:\n  concord documents upload letter.pdf --patient 4711 --config concord.toml\n\n\
        The file must fit in a record (processing.max_record_bytes).")]
    Upload(UploadArgs),
    /// Delete a document: what only it said is withdrawn.
    Delete(DeleteArgs),
    /// Every document with how far its reading has come.
    #[command(after_help = "Example:\n  concord documents list --status failed --config concord.toml")]
    List(DocumentsListArgs),
    /// One document: its status, and what was read with the places where it stands.
    Show(DocumentShowArgs),
    /// Have documents read that failed.
    #[command(after_help = "Examples:\n  concord documents retry 8d7f3a --config concord.toml\n  \
        concord documents retry --failed --config concord.toml")]
    Retry(RetryArgs),
}

/// `concord documents consolidate`
#[derive(Args)]
pub struct ConsolidateArgs {
    /// A folder with a folder for each patient.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the consolidated patients are written.
    #[arg(long)]
    pub out: PathBuf,
    /// Configuration file (TOML) whose policies, trust and reading limits hold; without it those of the program.
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// `concord documents demo`
#[derive(Args)]
pub struct DocumentsDemoArgs {
    /// Patients.
    #[arg(long, default_value_t = 100)]
    pub patients: usize,
    /// Documents of all of them together.
    #[arg(long, default_value_t = 500)]
    pub documents: usize,
    /// The same seed makes the same documents.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where input and output are written.
    #[arg(long, default_value = "concord-documents-demo")]
    pub out: PathBuf,
}

/// `concord documents upload`
#[derive(Args)]
pub struct UploadArgs {
    /// The document.
    pub file: PathBuf,
    /// Id of the patient.
    #[arg(long, value_parser = id)]
    pub patient: String,
    /// Id of the document; without it one that follows from patient and file name, so that the same file again is an edit.
    #[arg(long, value_parser = id)]
    pub id: Option<String>,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord documents delete`
#[derive(Args)]
pub struct DeleteArgs {
    /// Id of the document.
    #[arg(value_parser = id)]
    pub id: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord documents list`
#[derive(Args)]
pub struct DocumentsListArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Only those of this patient.
    #[arg(long)]
    pub patient: Option<String>,
    /// Only those with this status.
    #[arg(long, value_enum)]
    pub status: Option<StatusName>,
    /// Print JSON, one document a line, without what was read.
    #[arg(long)]
    pub json: bool,
}

/// `concord documents show`
#[derive(Args)]
pub struct DocumentShowArgs {
    /// Id of the document.
    pub id: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `concord documents retry`
#[derive(Args)]
pub struct RetryArgs {
    /// Ids of documents.
    #[arg(value_name = "ID", required_unless_present = "failed", conflicts_with = "failed")]
    pub ids: Vec<String>,
    /// All that failed.
    #[arg(long)]
    pub failed: bool,
    /// Who asks.
    #[arg(long, default_value = "")]
    pub by: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// Statuses of documents.
#[derive(Clone, Copy, ValueEnum)]
pub enum StatusName {
    /// To be read.
    Pending,
    /// Given to a reader.
    InProgress,
    /// Read.
    Complete,
    /// Not read.
    Failed,
}

/// `concord patients`
#[derive(Subcommand)]
pub enum PatientsCommand {
    /// What all documents of a patient say together, and why.
    #[command(after_help = "Examples:\n  concord patients show 4711 --config concord.toml\n  \
        concord patients show 4711 --why birth_date --config concord.toml")]
    Show(PatientShowArgs),
    /// Every open conflict between documents.
    Conflicts(ConflictsArgs),
    /// Have a patient consolidated.
    Update(PatientUpdateArgs),
}

/// `concord patients show`
#[derive(Args)]
pub struct PatientShowArgs {
    /// Id of the patient.
    pub id: String,
    /// Why this field has its value: every observed value with its documents, and where it stands in them.
    #[arg(long, value_name = "FIELD", value_parser = field)]
    pub why: Option<Field>,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `concord patients conflicts`
#[derive(Args)]
pub struct ConflictsArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Only those about this field.
    #[arg(long)]
    pub field: Option<String>,
    /// Print JSON, one conflict a line.
    #[arg(long)]
    pub json: bool,
}

/// `concord patients update`
#[derive(Args)]
pub struct PatientUpdateArgs {
    /// Id of the patient.
    #[arg(value_parser = id)]
    pub id: String,
    /// How long to wait for more before, seconds; as long as after a change, if not given.
    #[arg(long)]
    pub delay_seconds: Option<u32>,
    /// Who asks.
    #[arg(long, default_value = "")]
    pub by: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

fn id(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        return Err("an id is not empty, and has no `/`".to_owned());
    }
    Ok(text.to_owned())
}

fn field(text: &str) -> Result<Field, String> {
    Field::of_name(text).ok_or_else(|| {
        let known: Vec<&str> = Field::all().map(Field::name).collect();
        format!("write one of {}", known.join(", "))
    })
}
