//! Runs `concord reconcile` in a folder of its own, and reads what it left.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Processing time of most tests; extracts are dated the day before.
pub const AT: &str = "2021-08-10T13:40:00Z";

/// A folder for one test: inputs are written into it, and each run gets an output folder in it.
pub struct Folder {
    folder: TempDir,
    runs: Cell<u32>,
}

impl Folder {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder"), runs: Cell::new(0) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of the file");
        fs::write(&path, content).expect("writing an input");
        path
    }

    pub fn reconcile(&self) -> Reconcile {
        let run = self.runs.get() + 1;
        self.runs.set(run);
        self.reconcile_into(&self.path(&format!("out-{run}")))
    }

    pub fn reconcile_into(&self, out: &Path) -> Reconcile {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("reconcile").arg("--out").arg(out);
        Reconcile { command, out: out.to_path_buf(), at: AT.to_string() }
    }
}

/// One call of `concord reconcile`.
pub struct Reconcile {
    command: Command,
    out: PathBuf,
    at: String,
}

impl Reconcile {
    pub fn extract(self, path: impl AsRef<Path>) -> Self {
        self.with("--extract", path)
    }

    pub fn pds(self, path: impl AsRef<Path>) -> Self {
        self.with("--pds", path)
    }

    pub fn registrations(self, path: impl AsRef<Path>) -> Self {
        self.with("--registrations", path)
    }

    pub fn at(mut self, at: &str) -> Self {
        self.at = at.to_string();
        self
    }

    pub fn compatible(self) -> Self {
        self.with("--profile", "compatible")
    }

    pub fn mail_to(mut self, address: &str) -> Self {
        self.command.arg("--mail-to").arg(address);
        self
    }

    pub fn quarantine(self) -> Self {
        self.with("--on-invalid", "quarantine")
    }

    fn with(mut self, option: &str, value: impl AsRef<Path>) -> Self {
        self.command.arg(option).arg(value.as_ref());
        self
    }

    /// Runs it with `--json`.
    pub fn run(mut self) -> Run {
        self.command.arg("--json");
        self.run_for_people()
    }

    /// Runs it as a person would.
    pub fn run_for_people(mut self) -> Run {
        let output = self.command.arg("--at").arg(&self.at).output().expect("the program starts");
        let mut files = BTreeMap::new();
        read_folder(&self.out, "", &mut files);
        assert!(!self.out.join(".concord-state").exists(), "the state of a run must go with it");
        Run {
            exit_code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text on stdout"),
            stderr: String::from_utf8(output.stderr).expect("text on stderr"),
            files,
            out: self.out,
        }
    }
}

/// What a call did, and what it left.
#[derive(Debug)]
pub struct Run {
    pub exit_code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub out: PathBuf,
    /// Content by name relative to the output folder.
    pub files: BTreeMap<String, String>,
}

impl Run {
    #[track_caller]
    pub fn expect_exit_code(self, expected: i32) -> Self {
        assert_eq!(self.exit_code, Some(expected), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// All jobs, in the order of the extracts.
    #[track_caller]
    pub fn jobs(&self) -> Vec<Job> {
        let printed: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr));
        let jobs = printed["jobs"].as_array().expect("a list of jobs");
        jobs.iter().map(|job| Job::new(job.clone(), &self.files)).collect()
    }

    /// The only job.
    #[track_caller]
    pub fn job(&self) -> Job {
        let mut jobs = self.jobs();
        assert_eq!(jobs.len(), 1, "{}", self.stdout);
        jobs.remove(0)
    }

    /// The only job of a run that went well.
    #[track_caller]
    pub fn reconciled(self) -> Job {
        let run = self.expect_exit_code(0);
        let job = run.job();
        assert_eq!(job.status(), "RECONCILED");
        job
    }
}

/// A job as printed, and the files in its folder.
#[derive(Debug)]
pub struct Job {
    pub printed: Value,
    /// Content by name relative to the job's folder, without the mails.
    pub files: BTreeMap<String, String>,
    /// Mails by id, as the outbox holds them.
    pub mails: BTreeMap<String, String>,
}

impl Job {
    fn new(printed: Value, all_files: &BTreeMap<String, String>) -> Self {
        let folder = format!("{}/", printed["job_id"].as_str().expect("a job id"));
        let own = all_files.iter().filter_map(|(name, text)| Some((name.strip_prefix(&folder)?, text)));
        let own = own.map(|(name, text)| (name.to_owned(), text.clone()));
        let (mails, files): (BTreeMap<_, _>, BTreeMap<_, _>) = own.partition(|(name, _)| name.starts_with("mail/"));
        let id = |name: &str| name.trim_start_matches("mail/").trim_end_matches(".json").to_owned();
        let mails = mails.into_iter().map(|(name, text)| (id(&name), text)).collect();
        Self { printed, files, mails }
    }

    pub fn status(&self) -> &str {
        self.text("status")
    }

    #[track_caller]
    pub fn text(&self, key: &str) -> &str {
        self.printed[key].as_str().unwrap_or_else(|| panic!("no text {key} in {}", self.printed))
    }

    #[track_caller]
    pub fn count(&self, key: &str) -> i64 {
        self.printed[key].as_i64().unwrap_or_else(|| panic!("no count {key} in {}", self.printed))
    }

    /// Checks counts by name.
    #[track_caller]
    pub fn expect_counts(&self, expected: &[(&str, i64)]) {
        let found: Vec<(&str, i64)> = expected.iter().map(|&(key, _)| (key, self.count(key))).collect();
        assert_eq!(found, expected, "{}", self.printed);
    }

    /// The content of the one file whose name holds `part`.
    #[track_caller]
    pub fn file(&self, part: &str) -> &str {
        let files: Vec<&String> =
            self.files.iter().filter(|(name, _)| name.contains(part)).map(|(_, text)| text).collect();
        assert_eq!(files.len(), 1, "files with {part} in their name, of {:?}", self.printed["files"]);
        files[0]
    }

    /// The rows of a CSV output, without its header.
    #[track_caller]
    pub fn rows(&self, part: &str) -> Vec<String> {
        self.file(part).lines().skip(1).map(str::to_owned).collect()
    }

    /// Work items by name.
    pub fn work_items(&self) -> BTreeMap<String, Value> {
        let files = self.files.iter().filter(|(name, _)| name.starts_with("work-items/"));
        files.map(|(name, text)| (name.clone(), serde_json::from_str(text).expect("a work item is JSON"))).collect()
    }

    #[track_caller]
    pub fn validation(&self) -> Value {
        serde_json::from_str(self.file("validation.json")).expect("validation.json is JSON")
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.expect("an entry of the folder");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read_to_string(entry.path()).expect("an output file is text"));
        }
    }
}
