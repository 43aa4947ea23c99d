//! The audit alone on a broker of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use concord_flows::sequence_audit::topology::FINDING;
use concord_schemas::Schemas;
use concord_schemas::codec::AUDIT_FINDING;
use concord_schemas::sequence_audit::AuditFinding;

use crate::broker::Broker;
use crate::topics::{Record, Topics};

pub const NAME: &str = "audit";
pub const PARTITIONS: i32 = 2;
/// Deadlines of a minute pass, and what stood still waits for another.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct Application {
    running: Option<Child>,
    pub broker: Broker,
    pub topics: Topics,
    config: PathBuf,
    folder: tempfile::TempDir,
}

impl Application {
    pub fn start_broker() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("broker");
        fs::create_dir(&run).unwrap();
        let broker = Broker::start(&run).unwrap();
        let config = folder.path().join("concord.toml");
        let text = format!(
            "[instance]\nname = \"one\"\nstate_dir = {state:?}\nmemory_mib = 128\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [topics]\npartitions = {PARTITIONS}\nreplication = 1\n\
             [dead_letters]\nmax_share = 1.0\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [flows.sequence_audit]\napplication = \"{NAME}\"\ngrace_minutes = 1\nreceipt_overdue_minutes = 1\n\
             orphan_minutes = 1\n",
            state = folder.path().join("state"),
            bootstrap = broker.bootstrap,
        );
        fs::write(&config, text).unwrap();
        let topics = Topics::of(&broker.bootstrap, &BTreeMap::new()).unwrap();
        Self { running: None, broker, topics, config, folder }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A file, and its path.
    pub fn write(&self, name: &str, text: impl AsRef<str>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text.as_ref()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn concord(&self, arguments: &[&str]) -> Output {
        command(&self.config, arguments).output().unwrap()
    }

    #[track_caller]
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.concord(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says of it.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str]) -> String {
        let output = self.concord(arguments);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn run(&mut self) {
        self.running = Some(command(&self.config, &["run"]).stdout(Stdio::null()).spawn().unwrap());
    }

    /// SIGTERM, and the expectation that it leaves cleanly.
    pub fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success());
    }

    /// What stands on the topic of findings, by id: kind and state.
    pub fn findings(&self) -> BTreeMap<String, String> {
        let (decoder, mut standing) = (Schemas::bundled().decoder(), BTreeMap::new());
        for record in self.topics.read(FINDING).unwrap() {
            let key = record.text_key();
            match &record.value {
                Some(value) => {
                    let finding: AuditFinding<'_> = decoder.decode(&AUDIT_FINDING, value).unwrap();
                    standing.insert(key, format!("{} {}", finding.kind, finding.state));
                }
                None => drop(standing.remove(&key)),
            }
        }
        standing
    }

    /// Waits for findings of these kinds and states, as many of each, and answers them.
    #[track_caller]
    pub fn findings_become(&self, expected: &BTreeMap<String, usize>) -> BTreeMap<String, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let findings = self.findings();
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for told in findings.values() {
                *counts.entry(told.clone()).or_default() += 1;
            }
            if counts == *expected {
                return findings;
            }
            assert!(Instant::now() < deadline, "{findings:#?} are not {expected:#?}");
            thread::park_timeout(Duration::from_millis(500));
        }
    }

    /// Waits until `concord verify` finds nothing, and answers its report.
    #[track_caller]
    pub fn is_verified(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.concord(&["verify"]);
            let report = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() {
                return report;
            }
            assert!(Instant::now() < deadline, "{report}\n{}", String::from_utf8_lossy(&output.stderr));
            thread::park_timeout(Duration::from_millis(500));
        }
    }

    /// `concord verify` finds this.
    #[track_caller]
    pub fn verify_finds(&self, what: &str) {
        let output = self.concord(&["verify"]);
        let report = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{what}: {report}");
        assert!(report.lines().any(|line| line.starts_with("FOUND") && line.contains(what)), "{what}: {report}");
    }

    /// The last record of a topic that fits.
    pub fn last(&self, topic: &str, fits: impl Fn(&Record) -> bool) -> Record {
        self.topics.read(topic).unwrap().into_iter().rfind(fits).unwrap_or_else(|| panic!("no such record in {topic}"))
    }
}

fn command(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments).arg("--config").arg(config).stdin(Stdio::null());
    command
}

impl Drop for Application {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
