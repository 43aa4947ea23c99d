//! The part of the configuration that `concord connect` reads: mailboxes, folders, buckets, the mail server.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use concord_connectors::connect::{BucketAccess, FileKind, InputKind};
use concord_schemas::gp_links;
use serde::Deserialize;

use super::Flows;

/// Common to all connectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Where files are put together, with room for the largest of each edge; without it, the system's temporary folder.
    pub spool_dir: Option<PathBuf>,
    /// The largest file that is taken in, unpacked, in MiB.
    pub largest_input_mib: u64,
}

impl Default for Connect {
    fn default() -> Self {
        Self { spool_dir: None, largest_input_mib: 1024 }
    }
}

/// MESH, for `concord connect mesh`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Address of the service without the path, such as `https://mesh.example`.
    pub url: String,
    /// The authorities that are trusted, in PEM form.
    pub ca: Option<PathBuf>,
    /// The client's certificate, in PEM form.
    pub certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM form.
    pub key: Option<PathBuf>,
    /// File with the key that the service's environment shares with its clients.
    pub shared_key_file: PathBuf,
    /// The mailboxes of this program.
    pub mailboxes: Vec<MeshMailbox>,
    /// Where results go.
    #[serde(default)]
    pub results: Vec<MeshResults>,
}

/// A mailbox of this program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshMailbox {
    /// Its id.
    pub id: String,
    /// File with its password.
    pub password_file: PathBuf,
    /// Whether its messages are taken in; without that it only sends, and reports of what was not collected stay in it.
    #[serde(default = "yes")]
    pub intake: bool,
    /// What its messages are, but for interchanges, which are known by their workflow ids: `extracts` or `dps-answers`.
    #[serde(default)]
    pub holds: HeldName,
    /// The workflow ids that are expected; none: any.
    #[serde(default)]
    pub workflow_ids: BTreeSet<String>,
    /// Seconds between two looks into an inbox that was empty.
    #[serde(default = "a_minute")]
    pub poll_seconds: u64,
}

/// Results from a mailbox of this program to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshResults {
    /// What deliveries call this route; its position in the log belongs to the name.
    pub name: String,
    /// Which files: `cdd`, `only-on-gp`, `only-on-pds`, `work-item`, `validation`, `dps-answer`, `dps-extract`, `other`.
    pub files: Vec<String>,
    /// The mailbox it is sent from, one of those above.
    pub from: String,
    /// The mailbox it is sent to.
    pub to: String,
    /// MESH's workflow id.
    pub workflow_id: String,
    /// Seconds between two questions for what was not collected yet.
    #[serde(default = "five_minutes")]
    pub track_seconds: u64,
}

/// Folders, for `concord connect files`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Folders {
    /// Where extracts, interchanges and documents arrive.
    pub intake: Vec<FolderIntake>,
    /// Where results go.
    pub results: Vec<FolderResults>,
    /// Where copies of all inputs are kept.
    pub inputs: Vec<FolderInputs>,
}

/// A folder in which extracts, interchanges, or documents of patients arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderIntake {
    /// The folder.
    pub path: PathBuf,
    /// `extracts`, `dps-answers`, `interchanges` of GP Links, or `documents` in a folder for each patient.
    #[serde(default)]
    pub holds: HeldName,
    /// Under which workflow of MESH its interchanges count as come: `NHAIS_REG` or `NHAIS_RECEP`; without it that is not judged.
    pub workflow_id: Option<String>,
    /// Where files go when they are in the log, on the same file system; without it they are removed.
    pub taken: Option<PathBuf>,
    /// Days after which files in `taken` are removed; without it, never.
    pub taken_days: Option<u32>,
    /// Seconds between two looks; a file is taken when it has not changed from one to the next.
    #[serde(default = "five")]
    pub poll_seconds: u64,
}

/// See [`FolderIntake::holds`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldName {
    /// GP extracts, for list reconciliation.
    #[default]
    Extracts,
    /// Answers of DPS about extracts that were sent to it, for list reconciliation.
    DpsAnswers,
    /// EDIFACT interchanges, for the sequence audit.
    Interchanges,
    /// Documents of patients.
    Documents,
}

impl HeldName {
    /// What files are taken in as.
    pub fn kind(self, workflow_id: Option<&String>) -> InputKind {
        match self {
            Self::Extracts => InputKind::Extract,
            Self::DpsAnswers => InputKind::DpsAnswer,
            Self::Interchanges => InputKind::Interchanges { workflow_id: workflow_id.cloned().unwrap_or_default() },
            Self::Documents => InputKind::Document,
        }
    }
}

/// A folder into which results go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderResults {
    /// As for MESH.
    pub name: String,
    /// As for MESH.
    pub files: Vec<String>,
    /// The folder; each job has a folder of its own in it.
    pub path: PathBuf,
    /// Days after which files are removed; without it, never.
    pub retention_days: Option<u32>,
}

/// A folder in which copies of all inputs are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderInputs {
    /// Its position in the log belongs to the name.
    pub name: String,
    /// The folder; each job has a folder of its own in it.
    pub path: PathBuf,
    /// Days after which copies are removed; without it, never.
    pub retention_days: Option<u32>,
}

/// A store that speaks S3, for `concord connect files`, and for readers of documents whose bytes are there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Address of the store; without it Amazon's, by the region.
    pub endpoint: Option<String>,
    /// The region.
    #[serde(default = "a_region")]
    pub region: String,
    /// The authorities that are trusted, in PEM form; without it, those of the machine.
    pub ca: Option<PathBuf>,
    /// File with the id of the key; without it and the next one, the role of the machine.
    pub access_key_file: Option<PathBuf>,
    /// File with the key.
    pub secret_key_file: Option<PathBuf>,
    /// Where extracts, interchanges and documents arrive.
    #[serde(default)]
    pub intake: Vec<S3Intake>,
    /// Where results go.
    #[serde(default)]
    pub results: Vec<S3Results>,
    /// Where copies of all inputs are kept.
    #[serde(default)]
    pub inputs: Vec<S3Inputs>,
}

impl S3 {
    /// How one of its buckets is reached.
    pub fn access(&self, bucket: &str) -> BucketAccess {
        BucketAccess {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            ca: self.ca.clone(),
            keys: self.access_key_file.clone().zip(self.secret_key_file.clone()),
            bucket: bucket.to_string(),
        }
    }
}

/// A prefix below which extracts, interchanges, or documents of patients arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Intake {
    /// The bucket.
    pub bucket: String,
    /// Beginning of the keys.
    pub prefix: String,
    /// As for folders.
    #[serde(default)]
    pub holds: HeldName,
    /// As for folders.
    pub workflow_id: Option<String>,
    /// Beginning of the keys of objects that are in the log, not below `prefix`; without it they are removed.
    pub taken_prefix: Option<String>,
    /// Days after which objects below `taken_prefix` are removed; without it, never.
    pub taken_days: Option<u32>,
    /// Seconds between two looks.
    #[serde(default = "a_minute")]
    pub poll_seconds: u64,
}

/// A prefix below which results go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Results {
    /// As for MESH.
    pub name: String,
    /// As for MESH.
    pub files: Vec<String>,
    /// The bucket.
    pub bucket: String,
    /// Beginning of the keys, before `JOB/NAME`.
    pub prefix: String,
    /// Days after which objects are removed; without it, never.
    pub retention_days: Option<u32>,
}

/// A prefix below which copies of all inputs are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Inputs {
    /// Its position in the log belongs to the name.
    pub name: String,
    /// The bucket.
    pub bucket: String,
    /// Beginning of the keys, before `JOB/NAME`.
    pub prefix: String,
    /// Days after which copies are removed; without it, never.
    pub retention_days: Option<u32>,
}

/// The mail server, for `concord connect mail`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Name of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `starttls`, `tls`, or `none` for a relay on the same machine.
    pub tls: MailTlsName,
    /// The authorities that are trusted, in PEM form; without it, those of the machine.
    pub ca: Option<PathBuf>,
    /// The sender's address.
    pub sender: String,
    /// The name with which this machine greets the server.
    pub hello: Option<String>,
    /// The account; without it none is named.
    pub user: Option<String>,
    /// File with the account's password.
    pub password_file: Option<PathBuf>,
}

/// See [`Mail::tls`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTlsName {
    /// Protected from the beginning.
    Tls,
    /// Protected before anything else is said.
    StartTls,
    /// Not at all.
    None,
}

fn yes() -> bool {
    true
}

fn five() -> u64 {
    5
}

fn a_minute() -> u64 {
    60
}

fn five_minutes() -> u64 {
    300
}

fn a_region() -> String {
    "eu-west-2".to_string()
}

/// A time that the configuration gives in seconds; never none, which would ask without a pause.
pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds.max(1))
}

/// The kinds of files of a route.
///
/// # Errors
/// A word that is no kind.
pub fn kinds(files: &[String]) -> Result<BTreeSet<FileKind>, String> {
    files.iter().map(|word| FileKind::from_word(word)).collect()
}

/// What the intakes of folders and buckets say that cannot be, given which flows run.
pub fn check_intakes(folders: &Folders, s3: Option<&S3>, flows: &Flows) -> Result<(), String> {
    let of_folders = folders.intake.iter().map(|intake| ("folders.intake", intake.holds, &intake.workflow_id));
    let of_buckets = s3.iter().flat_map(|s3| &s3.intake);
    let of_buckets = of_buckets.map(|intake| ("s3.intake", intake.holds, &intake.workflow_id));
    for (section, holds, workflow_id) in of_folders.chain(of_buckets) {
        let (runs, flow) = match holds {
            HeldName::Extracts | HeldName::DpsAnswers => {
                (flows.list_reconciliation.is_some(), "flows.list_reconciliation")
            }
            HeldName::Interchanges => (flows.sequence_audit.is_some(), "flows.sequence_audit"),
            HeldName::Documents => (flows.patient_documents.is_some(), "flows.patient_documents"),
        };
        if !runs {
            return Err(format!("{section}: what it holds is for [{flow}], which is not there: add that section"));
        }
        let Some(id) = workflow_id else { continue };
        if holds != HeldName::Interchanges {
            return Err(format!("{section}: workflow_id is of interchanges: write holds = \"interchanges\" with it"));
        }
        if !gp_links::is_workflow(id) {
            return Err(format!("{section}: workflow_id = \"{id}\": write NHAIS_REG or NHAIS_RECEP"));
        }
    }
    let of_documents = folders.intake.iter().filter(|intake| intake.holds == HeldName::Documents);
    if of_documents.into_iter().any(|i| i.taken.as_ref().is_some_and(|taken| taken.starts_with(&i.path))) {
        return Err(
            "folders.intake: taken is below path, where each folder is a patient's: write another folder".to_string()
        );
    }
    Ok(())
}

/// What the connectors' sections say that cannot be.
pub fn check(mesh: Option<&Mesh>, folders: &Folders, s3: Option<&S3>, mail: Option<&Mail>) -> Result<(), String> {
    let mut names = BTreeSet::from(["mail".to_string()]);
    let mut route = |section: &str, name: &str, files: &[String]| {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(format!("{section}: the name `{name}` must be lower-case letters, digits and hyphens"));
        }
        if !names.insert(name.to_string()) {
            return Err(format!("{section}: there are two routes `{name}` (`mail` is taken): give each its own name"));
        }
        kinds(files).map(|_| ()).map_err(|problem| format!("{section} `{name}`: files: {problem}"))
    };
    if let Some(mesh) = mesh {
        for results in &mesh.results {
            route("mesh.results", &results.name, &results.files)?;
            if !mesh.mailboxes.iter().any(|mailbox| mailbox.id == results.from) {
                let MeshResults { name, from, .. } = results;
                return Err(format!(
                    "mesh.results `{name}`: from = \"{from}\" is none of mesh.mailboxes: add it there"
                ));
            }
        }
        if let Some(mailbox) = mesh.mailboxes.iter().find(|mailbox| mailbox.holds == HeldName::Interchanges) {
            return Err(format!(
                "mesh.mailboxes `{}`: holds = \"interchanges\": leave it out, since interchanges are known by their workflow ids",
                mailbox.id
            ));
        }
        if let Some(mailbox) = mesh.mailboxes.iter().find(|mailbox| mailbox.holds == HeldName::Documents) {
            return Err(format!(
                "mesh.mailboxes `{}`: holds = \"documents\": documents come through folders.intake or s3.intake, which say whose they are",
                mailbox.id
            ));
        }
        let certificates = [&mesh.ca, &mesh.certificate, &mesh.key];
        let given = certificates.iter().filter(|file| file.is_some()).count();
        if given != 0 && given != certificates.len() {
            return Err("mesh: ca, certificate and key belong together: give all three, or none".to_string());
        }
    }
    for results in &folders.results {
        route("folders.results", &results.name, &results.files)?;
    }
    for inputs in &folders.inputs {
        route("folders.inputs", &inputs.name, &[])?;
    }
    if let Some(s3) = s3 {
        for results in &s3.results {
            route("s3.results", &results.name, &results.files)?;
        }
        for inputs in &s3.inputs {
            route("s3.inputs", &inputs.name, &[])?;
        }
        for intake in &s3.intake {
            let below = |taken: &String| format!("{taken}/").starts_with(&format!("{}/", intake.prefix));
            if intake.taken_prefix.as_ref().is_some_and(below) {
                return Err("s3.intake: taken_prefix is below prefix: what was taken would be taken again".to_string());
            }
            let results = s3.results.iter().map(|results| (&results.bucket, &results.prefix));
            let inputs = s3.inputs.iter().map(|inputs| (&inputs.bucket, &inputs.prefix));
            if results.chain(inputs).any(|(bucket, prefix)| *bucket == intake.bucket && below(prefix)) {
                return Err(
                    "s3: results or inputs are kept below an intake's prefix, and would be taken in".to_string()
                );
            }
        }
        if s3.access_key_file.is_some() != s3.secret_key_file.is_some() {
            return Err("s3: access_key_file and secret_key_file belong together: give both, or none".to_string());
        }
    }
    if let Some(mail) = mail
        && mail.user.is_some() != mail.password_file.is_some()
    {
        return Err("mail: user and password_file belong together: give both, or none".to_string());
    }
    Ok(())
}
