//! The commands that look inside, on a real cluster: state of a running and of a stopped process, dead letters and their
//! replay, and the way back from an output to its input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, OutgoingRecord, read_whole_topic};
use jiff::Timestamp;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);

/// An application of its own on the cluster, with a practice of its own.
struct Application {
    folder: tempfile::TempDir,
    config: PathBuf,
    url: String,
    practice: String,
    log: KafkaLog,
    running: Option<Child>,
}

impl Application {
    fn new(bootstrap: String) -> Self {
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.clone(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        };
        let log = KafkaLog::connect(settings).unwrap();
        // Topics of extracts and of PDS are the cluster's, not the application's: as many partitions as they have.
        let topics = log.topics().unwrap();
        let partitions = topics.iter().find(|t| &*t.name == "pds.record").map_or(2, |t| t.partitions);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        // Without a registry it rejects what other tests have written to the cluster's topics with one.
        let text = format!(
            "[instance]\nname = \"inspect\"\nstate_dir = {state:?}\nmemory_mib = 128\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [topics]\npartitions = {partitions}\nreplication = 1\n\
             [dead_letters]\nmax_share = 1.0\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\n\
             [flows.list_reconciliation]\napplication = \"inspect-{unique:x}\"\n",
            state = folder.path().join("state"),
        );
        fs::write(&config, text).unwrap();
        let practice = format!("Y{:05}", unique / 1_000 % 100_000);
        Self { folder, config, url: format!("http://127.0.0.1:{port}"), practice, log, running: None }
    }

    fn concord(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).output().unwrap()
    }

    /// A command on this application's configuration that must succeed; its standard output.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.on_config(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn on_config(&self, arguments: &[&str]) -> Output {
        self.concord(&[arguments, &["--config", self.config.to_str().unwrap()]].concat())
    }

    /// A question to the running process that must succeed.
    fn asks(&self, arguments: &[&str]) -> String {
        let output = self.concord(&[arguments, &["--url", &self.url]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Publishes the files of a synthetic practice; the job's id.
    fn publish_practice(&self) -> String {
        let settings = SyntheticSettings {
            practice: self.practice.clone(),
            patients: 50,
            seed: 1,
            first_person: 0,
            now: Timestamp::now(),
        };
        let practice = SyntheticPractice::generate(settings).unwrap();
        let extract = self.folder.path().join(practice.extract_file_name());
        let pds = self.folder.path().join("pds.ndjson");
        write(&extract, practice.extract());
        write(&pds, practice.pds());
        self.succeeds(&["produce", "pds", pds.to_str().unwrap()]);
        let said = self.succeeds(&["produce", "extract", extract.to_str().unwrap()]);
        said.trim().strip_prefix("job ").unwrap().to_owned()
    }

    fn publish_unreadable_record(&self) {
        let topic: Arc<str> = Arc::from("pds.record");
        let mut publisher = self.log.publisher().unwrap();
        let (key, value) = (Some(self.practice.as_bytes()), Some(&b"not avro"[..]));
        let record = OutgoingRecord { topic: &topic, partition: 0, timestamp_ms: 1_000, key, value, headers: &[] };
        publisher.send(&record).unwrap();
        publisher.flush(Duration::from_secs(10)).unwrap();
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("run").arg("--config").arg(&self.config).stdout(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }

    fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(child.wait().unwrap().success());
    }

    /// The letters of this test's record, as `list` prints them.
    fn letters(&self) -> Vec<String> {
        let listed = self.succeeds(&["dead-letters", "list", "--code", "CONCORD-EN-0001"]);
        let own = |letter: &str| {
            let shown = self.succeeds(&["dead-letters", "show", letter]);
            serde_json::from_str::<Value>(&shown).unwrap()["key"] == self.practice.as_str()
        };
        let letters = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned());
        letters.filter(|letter| own(letter)).collect()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // Already ended is fine: the test has failed for another reason.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn write(path: &Path, pieces: impl Iterator<Item = String>) {
    let mut file = fs::File::create(path).unwrap();
    for piece in pieces {
        file.write_all(piece.as_bytes()).unwrap();
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        // The interval of a poll with a deadline.
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn state_dead_letters_and_lineage_of_a_real_application_can_be_looked_into() {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: inspect wants a real cluster; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    };
    let mut application = Application::new(bootstrap);
    application.succeeds(&["topics", "apply"]);
    let job = application.publish_practice();
    application.start();
    wait_until("the job is reconciled", || {
        let explained = application.on_config(&["explain", "list-reconciliation.job", &job, "--json", "--payload"]);
        explained.status.success()
            && json(&String::from_utf8_lossy(&explained.stdout))["payload"]["value"]["status"] == "RECONCILED"
    });

    let (patient, answer) = running_state_is_served(&application);
    dead_letters_are_listed_shown_and_replayed_once(&application);
    an_output_leads_back_to_the_extract(&application);
    application.stop();
    stopped_state_is_the_same(&application, &patient, &answer);
}

/// Answers a patient on the practice's list, and the state that is kept of them.
fn running_state_is_served(application: &Application) -> (String, Value) {
    let listed = json(&application.asks(&["store", "list", "--json"]));
    let stores = listed["stores"].as_array().unwrap();
    assert!(stores.iter().any(|s| s["store"] == "pds" && s["age_ms"].as_i64().is_some_and(|age| age >= 0)));

    let prefix = format!("{}/", application.practice);
    let scanned = application.asks(&["store", "scan", "practice-lists", "--prefix", &prefix, "--limit", "3"]);
    assert_eq!(scanned.lines().count(), 3);
    let key = json(scanned.lines().next().unwrap())["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with(&prefix));
    // A key with a slash goes through the service as it is.
    application.asks(&["store", "get", "practice-lists", &key]);

    let patient = key.strip_prefix(&prefix).unwrap().to_owned();
    let answer = json(&application.asks(&["store", "get", "pds", &patient]));
    assert_eq!(answer["entries"][0]["format"], "avro:pds.record");
    assert_eq!(answer["entries"][0]["value"]["gp_practice"], application.practice.as_str());

    let missing = application.concord(&["store", "get", "pds", "none", "--url", &application.url]);
    assert_eq!(missing.status.code(), Some(1));
    let unknown = application.concord(&["store", "get", "pd", "none", "--url", &application.url]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("practice-lists"), "the stores there are get named");
    let in_use = application.on_config(&["store", "list"]);
    assert_eq!(in_use.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&in_use.stderr).contains(&application.url), "the remedy is named");
    (patient, answer["entries"].clone())
}

fn dead_letters_are_listed_shown_and_replayed_once(application: &Application) {
    application.publish_unreadable_record();
    wait_until("the record is rejected", || !application.letters().is_empty());
    let letter = application.letters().remove(0);
    let shown = json(&application.succeeds(&["dead-letters", "show", &letter]));
    assert_eq!((&shown["stage"], &shown["code"]), (&"decode".into(), &"CONCORD-EN-0001".into()));
    assert_eq!(shown["payload"]["value"], "not avro");
    assert!(shown["source"].as_str().unwrap().starts_with("pds.record/0/"));

    let replayed = application.succeeds(&["dead-letters", "replay", &letter]);
    assert!(replayed.starts_with("1 records replayed"), "{replayed}");
    wait_until("the replayed record is rejected again", || application.letters().len() == 2);
    let again = application.succeeds(&["dead-letters", "replay", &letter]);
    assert!(again.starts_with("0 records replayed, 1 left alone"), "{again}");
    assert!(again.contains("it was replayed before"), "{again}");
    let missing = application.on_config(&["dead-letters", "replay", "0/999999999"]);
    assert_eq!(missing.status.code(), Some(1));
}

fn an_output_leads_back_to_the_extract(application: &Application) {
    let prefix = format!("{}/", application.practice);
    let mut difference = None;
    read_whole_topic(&application.log, "list-reconciliation.difference", &mut |_, record| {
        let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
        if key.starts_with(&prefix) && record.value.is_some() {
            difference = Some(key);
        }
    })
    .unwrap();
    let key = difference.expect("a synthetic practice differs from PDS");
    let rule = key.rsplit('/').next().unwrap();

    let mut explained = json(&application.succeeds(&["explain", "list-reconciliation.difference", &key, "--json"]));
    assert_eq!(explained["rule"], rule);
    assert_eq!(explained["written_by"][0], "comparison/comparison");
    assert!(explained.get("payload").is_none(), "payloads are shown only on demand");
    while explained["role"] != "input" {
        explained = explained["inputs"][0].take();
    }
    assert_eq!((&explained["topic"], &explained["found"]), (&"gp.extract".into(), &"here".into()));

    let tree = application.succeeds(&["explain", "list-reconciliation.difference", &key]);
    assert!(tree.lines().last().unwrap().contains("read by intake/intake"), "{tree}");
    let patient = key.split('/').nth(1).unwrap();
    assert!(!tree.contains(patient), "the tree holds no patient's number");
}

fn stopped_state_is_the_same(application: &Application, patient: &str, entries: &Value) {
    let answer = json(&application.succeeds(&["store", "get", "pds", patient]));
    assert_eq!(&answer["entries"], entries);
    let listed = application.succeeds(&["store", "list"]);
    assert!(listed.contains("task comparison/0, committed at"), "{listed}");
    assert!(!listed.contains(patient));
}
