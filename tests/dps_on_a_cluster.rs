//! The exchange with DPS on a Kafka of the test's own: an extract arrives in a folder and leaves for DPS through another, its answer
//! comes back through a third, and the files are those that comparing at once makes, though the processes are killed on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsRecordOwned, Selection};
use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_flows::list_reconciliation::topology::{FILE, GP_EXTRACT, PDS_RECORD};
use concord_flows::list_reconciliation::values::{ExtractEvents, Files, PdsRecords};
use concord_flows::list_reconciliation::{DpsExchange, Settings, ids, topology};
use concord_schemas::list_reconciliation::{ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use sha2::{Digest, Sha256};

const PARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/parts");
const PATIENCE: Duration = Duration::from_secs(120);
/// What `concord` runs: the flow, and the folders.
const PROCESSES: [&[&str]; 2] = [&["run"], &["connect", "files"]];

/// Stopped when dropped.
struct Kafka {
    run: PathBuf,
    bootstrap: String,
}

impl Kafka {
    fn start(folder: &Path) -> Self {
        let run = folder.join("servers");
        fs::create_dir(&run).unwrap();
        let output = Command::new(PARTS).args(["kafka", "start", "--run"]).arg(&run).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let settings = fs::read_to_string(run.join("kafka.env")).unwrap();
        let bootstrap = settings.lines().find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP=")).unwrap();
        Self { bootstrap: bootstrap.to_owned(), run }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let _ = Command::new(PARTS).args(["kafka", "stop", "--run"]).arg(&self.run).output();
    }
}

struct Asker {
    running: Vec<Child>,
    folder: tempfile::TempDir,
}

impl Asker {
    fn new(folder: tempfile::TempDir, kafka: &Kafka) -> Self {
        let place = folder.path().display();
        let text = format!(
            "[instance]\nname = \"one\"\nstate_dir = \"{place}/state\"\nmemory_mib = 128\n\
             [kafka]\nbootstrap_servers = \"{}\"\n[topics]\npartitions = 2\nreplication = 1\n\
             [processing]\nsession_timeout_ms = 6000\ntransaction_timeout_ms = 5000\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [flows.list_reconciliation]\ndps = \"asks\"\n\
             [[folders.intake]]\npath = \"{place}/in\"\npoll_seconds = 1\n\
             [[folders.intake]]\npath = \"{place}/answers\"\nholds = \"dps-answers\"\ntaken = \"{place}/taken\"\n\
             poll_seconds = 1\n\
             [[folders.results]]\nname = \"to-dps\"\nfiles = [\"dps-extract\"]\npath = \"{place}/to-dps\"\n\
             [[folders.results]]\nname = \"lists\"\nfiles = [\"cdd\", \"only-on-gp\", \"only-on-pds\", \"work-item\"]\n\
             path = \"{place}/results\"\n",
            kafka.bootstrap
        );
        fs::write(folder.path().join("concord.toml"), text).unwrap();
        for name in ["in", "answers", "taken", "to-dps", "results"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { running: Vec::new(), folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(self.folder.path().join("concord.toml")).stdin(Stdio::null());
        command
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}{}", String::from_utf8_lossy(&output.stderr));
        told
    }

    fn start(&mut self) {
        for arguments in PROCESSES {
            let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
            let mut command = self.command(arguments);
            command.env("CONCORD_LOG", "info").stdout(Stdio::null()).stderr(log);
            self.running.push(command.spawn().unwrap());
        }
    }

    /// SIGKILL.
    fn kill(&mut self) {
        for mut child in self.running.drain(..) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn await_that(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            let told = || fs::read_to_string(self.place("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{what}\n{}", told());
            thread::park_timeout(Duration::from_millis(200));
        }
    }

    fn job(&self) -> Option<Value> {
        self.succeeds(&["jobs", "list", "--json"]).lines().next().map(|line| serde_json::from_str(line).unwrap())
    }

    fn history(&self) -> String {
        self.job().map(|job| job["history"].to_string()).unwrap_or_default()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Files below a folder by their paths, and what they hold.
fn files_below(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.extend(files_below(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

struct Sent {
    job_id: String,
    name: String,
    content: String,
}

/// The files that the flow makes of an extract in memory: as DPS, or comparing at once.
fn made(
    dps: DpsExchange,
    sent: &Sent,
    pds: &BTreeMap<String, PdsRecordOwned>,
    at: Timestamp,
) -> BTreeMap<String, String> {
    let settings = Settings { partitions: 2, dps, ..Settings::default() };
    let mut driver = TopologyTestDriver::start(topology(&settings).unwrap(), DriverSettings::with_workers(1)).unwrap();
    for (number, record) in pds {
        driver.pipe::<PdsRecords>(PDS_RECORD, number, &record.as_record()).unwrap();
    }
    driver.run_until_idle().unwrap();
    let (job_id, content) = (sent.job_id.as_str(), sent.content.as_bytes());
    let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    let opened = ExtractOpened {
        job_id,
        file_name: &sent.name,
        received_at_ms: at.as_millisecond(),
        bytes: content.len() as i64,
        source: "",
    };
    for event in [
        ExtractEvent::ExtractOpened(opened),
        ExtractEvent::ExtractChunk(ExtractChunk { job_id, sequence: 0, content }),
        ExtractEvent::ExtractClosed(ExtractClosed { job_id, chunks: 1, sha256: &sha256 }),
    ] {
        driver.pipe::<ExtractEvents>(GP_EXTRACT, job_id, &event).unwrap();
    }
    driver.run_until_idle().unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for output in driver.outputs::<Files>(FILE).unwrap() {
        let piece = output.value().unwrap().unwrap();
        files.entry(piece.file_name.to_owned()).or_default().push_str(piece.text);
    }
    files
}

#[test]
fn an_extract_goes_to_dps_and_its_answer_becomes_the_files_though_processes_are_killed_on_the_way() {
    if std::env::var_os("KAFKA_BOOTSTRAP").is_none() {
        eprintln!("SKIPPED: the exchange with DPS wants a real Kafka; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    }
    let now = Timestamp::now();
    let settings = SyntheticSettings { practice: "Y12345".to_owned(), patients: 2_000, seed: 9, first_person: 0, now };
    let practice = SyntheticPractice::generate(settings).unwrap();
    let (name, content) = (practice.extract_file_name(), practice.extract().collect::<String>());
    let sent = Sent { job_id: ids::job_id(&name, &Sha256::digest(&content).into()), name, content };
    let mut pds = BTreeMap::new();
    let resources: String = practice.pds().collect();
    let today = now.to_zoned(TimeZone::UTC).date();
    let of_fhir = FhirSettings { selection: Selection::OneElement, today };
    for entry in FhirReader::open("pds.ndjson", resources.as_bytes(), of_fhir).unwrap() {
        let entry = entry.unwrap();
        if let PdsChange::Upsert(record) = entry.change {
            pds.insert(entry.nhs_number, *record);
        }
    }

    let folder = tempfile::Builder::new().prefix("concord-dps-").tempdir().unwrap();
    let kafka = Kafka::start(folder.path());
    let mut asker = Asker::new(folder, &kafka);
    asker.succeeds(&["topics", "apply"]);
    asker.start();
    fs::write(asker.place("in").join(&sent.name), &sent.content).unwrap();
    let (to_dps, path) = (asker.place("to-dps"), format!("{}/dps-extract/{}", sent.job_id, sent.name));
    asker.await_that("the extract leaves for DPS", |_| files_below(&to_dps).contains_key(&path));
    assert_eq!(files_below(&to_dps), BTreeMap::from([(path, sent.content.clone())]));
    asker.kill();
    asker.start();

    let answers = made(DpsExchange::Answers, &sent, &pds, now);
    let (_, answer) = answers.first_key_value().unwrap();
    let cut: String = answer.lines().take(40).map(|line| format!("{line}\n")).collect();
    fs::write(asker.place("answers").join("cut.jsonl"), cut).unwrap();
    asker.await_that("the cut answer is refused", |asker| asker.history().contains("CONCORD-DP-0003"));
    assert_eq!(asker.job().unwrap()["status"], "VALIDATED");

    fs::write(asker.place("answers").join("good.jsonl"), answer).unwrap();
    asker.await_that("the answer is taken", |asker| files_below(&asker.place("taken")).len() == 2);
    asker.kill();
    asker.start();
    asker.await_that("the job is reconciled", |asker| asker.job().unwrap()["status"] == "RECONCILED");
    let direct = made(DpsExchange::Off, &sent, &pds, now);
    let expected: BTreeMap<String, String> =
        direct.into_iter().map(|(name, text)| (format!("{}/{name}", sent.job_id), text)).collect();
    assert!(expected.len() > 100, "{} files", expected.len());
    asker.await_that("every file leaves", |asker| files_below(&asker.place("results")).len() == expected.len());
    assert_eq!(files_below(&asker.place("results")), expected);

    // By hand, the same answer again: nothing changes.
    let again = asker.place("again.jsonl");
    fs::write(&again, answer).unwrap();
    let told = asker.succeeds(&["produce", "dps-answer", again.to_str().unwrap()]);
    assert_eq!(told.trim(), format!("answer about job {}", sent.job_id));
    asker.await_that("everything is read and accounted for", |asker| {
        let output = asker.command(&["verify"]).output().unwrap();
        output.status.success()
    });
    let verified = asker.succeeds(&["verify"]);
    assert!(verified.contains("answers of DPS"), "{verified}");
    assert_eq!(asker.job().unwrap()["status"], "RECONCILED");
}
