//! `concord run` on a real cluster with a real schema registry: a practice is reconciled by two workers of one process, and
//! a registry that is down at the start is waited for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, LogRecord, read_whole_topic};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Decoder, Framing};
use concord_schemas::list_reconciliation::{FileChunk, Job, JobCounts};
use concord_schemas::registry::RegistryClient;
use jiff::Timestamp;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(120);
/// The people of this test; other tests on the cluster have those before.
const FIRST_PERSON: u64 = 2_000_000;

/// Real servers.
struct Servers {
    bootstrap: String,
    registry: String,
}

fn servers() -> Option<Servers> {
    let servers = std::env::var("KAFKA_BOOTSTRAP").ok().zip(std::env::var("SCHEMA_REGISTRY_URL").ok());
    if servers.is_none() {
        eprintln!(
            "SKIPPED: with_a_registry wants real servers; set KAFKA_BOOTSTRAP and SCHEMA_REGISTRY_URL as scripts/test.sh does"
        );
    }
    servers.map(|(bootstrap, registry)| Servers { bootstrap, registry })
}

/// An application of its own on the cluster.
struct Application {
    bootstrap: String,
    folder: tempfile::TempDir,
    config: PathBuf,
    port: u16,
    log: KafkaLog,
    unique: u128,
    running: Option<Child>,
}

impl Application {
    fn new(servers: &Servers, registry: &str) -> Self {
        let settings = KafkaSettings {
            bootstrap_servers: servers.bootstrap.clone(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        };
        let log = KafkaLog::connect(settings).unwrap();
        // Topics of extracts and of PDS are the cluster's, not the application's: as many partitions as they have.
        let partitions = log.topics().unwrap().iter().find(|t| &*t.name == "pds.record").map_or(2, |t| t.partitions);
        let port = free_port();
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        let text = format!(
            "[instance]\nname = \"registry\"\nstate_dir = {state:?}\nmemory_mib = 128\nworkers = 2\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [schema_registry]\nurl = \"{registry}\"\n\
             [topics]\npartitions = {partitions}\nreplication = 1\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\n\
             [flows.list_reconciliation]\napplication = \"registry-{unique:x}\"\n",
            state = folder.path().join("state"),
            bootstrap = servers.bootstrap,
        );
        fs::write(&config, text).unwrap();
        Self { bootstrap: servers.bootstrap.clone(), folder, config, port, log, unique, running: None }
    }

    /// A command on this application's configuration that must succeed; its standard output.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(&self.config);
        command
    }

    fn told(&self) -> PathBuf {
        self.folder.path().join("run.log")
    }

    fn start(&mut self) {
        let told = fs::File::create(self.told()).unwrap();
        self.running = Some(self.command(&["run"]).stdout(Stdio::null()).stderr(told).spawn().unwrap());
    }

    fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert!(child.wait().unwrap().success(), "{}", fs::read_to_string(self.told()).unwrap());
    }

    /// Status line and body of a page of its HTTP service; empty while it does not answer.
    fn page(&self, path: &str) -> String {
        let ask = || -> io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().unwrap_or_default()
    }

    fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            if let Some(child) = &mut self.running {
                let ended = child.try_wait().unwrap();
                assert!(ended.is_none(), "{what}: it ended: {}", fs::read_to_string(self.told()).unwrap());
            }
            assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}: {}", self.page("/health/ready"));
            // The interval of a poll with a deadline.
            thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// Whether its committed positions stand at the ends of a topic that is written without transactions.
    fn has_read_all_of(&self, topic: &str) -> bool {
        let member: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", format!("registry-{:x}", self.unique))
            .create()
            .unwrap();
        let partitions = self.log.topics().unwrap().into_iter().find(|t| &*t.name == topic).unwrap().partitions;
        (0..partitions).all(|partition| {
            let mut asked = TopicPartitionList::new();
            asked.add_partition(topic, partition);
            let (_, end) = member.fetch_watermarks(topic, partition, PATIENCE).unwrap();
            let committed = member.committed_offsets(asked, PATIENCE).unwrap();
            end == 0 || committed.elements()[0].offset() == Offset::Offset(end)
        })
    }

    /// The records of a topic whose key begins so, in the order of each partition.
    fn records(&self, topic: &str, prefix: &str) -> Vec<(String, LogRecord)> {
        let mut records = Vec::new();
        read_whole_topic(&self.log, topic, &mut |_, record| {
            let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
            if key.starts_with(prefix) {
                records.push((key, record));
            }
        })
        .unwrap();
        records
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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(path: &Path, pieces: impl Iterator<Item = String>) {
    let mut file = fs::File::create(path).unwrap();
    for piece in pieces {
        file.write_all(piece.as_bytes()).unwrap();
    }
}

#[test]
fn a_practice_is_reconciled_by_two_workers_with_ids_of_the_registry() {
    let Some(servers) = servers() else { return };
    let mut application = Application::new(&servers, &servers.registry);
    application.succeeds(&["topics", "apply"]);
    application.start();
    application.wait_until("both workers have tasks", |application| {
        let page = application.page("/metrics");
        let has_tasks = |worker| {
            let gauge = format!("concord_tasks_running{{worker=\"{worker}\"}} ");
            page.lines().any(|line| line.strip_prefix(&gauge).is_some_and(|tasks| tasks != "0"))
        };
        has_tasks(0) && has_tasks(1)
    });

    let code = format!("Y{:05}", application.unique / 1_000 % 100_000);
    let practice = SyntheticPractice::generate(SyntheticSettings {
        practice: code.clone(),
        patients: 300,
        seed: 1,
        first_person: FIRST_PERSON,
        now: Timestamp::now(),
    })
    .unwrap();
    let extract = application.folder.path().join(practice.extract_file_name());
    let pds = application.folder.path().join("pds.ndjson");
    write(&extract, practice.extract());
    write(&pds, practice.pds());
    application.succeeds(&["produce", "pds", pds.to_str().unwrap()]);
    let expected = practice.truth().counts;
    let list = format!("{code}/");
    // An extract is compared with what is known when its records are processed.
    application.wait_until("the PDS records are processed", |application| application.has_read_all_of("pds.record"));
    let said = application.succeeds(&["produce", "extract", extract.to_str().unwrap()]);
    let job = said.trim().strip_prefix("job ").unwrap().to_owned();

    let schemas = Schemas::with_registry(RegistryClient::new(&servers.registry).unwrap()).unwrap();
    let decoder = schemas.decoder();
    application.wait_until("the job is reconciled", |application| {
        status_of(application, &decoder, &job).is_some_and(|(status, _)| status == "RECONCILED")
    });
    let (_, counts) = status_of(&application, &decoder, &job).unwrap();
    assert_eq!(counts, expected, "what the generator knows");
    each_output_stands_once(&application, &job, &list, &counts);
    values_name_the_registrys_schema(&application, &schemas, &job);
    files_are_whole(&application, &decoder, &job, &counts);
    application.stop();
}

fn status_of(application: &Application, decoder: &Decoder, job: &str) -> Option<(String, JobCounts)> {
    let records = application.records("list-reconciliation.job", job);
    let (_, last) = records.last()?;
    let job: Job<'_> = decoder.decode(&codec::JOB, last.value.as_deref()?).unwrap();
    Some((job.status.to_owned(), job.counts))
}

fn each_output_stands_once(application: &Application, job: &str, practice: &str, counts: &JobCounts) {
    let of_registration = counts.only_on_gp + counts.only_on_pds + counts.sensitive;
    for (topic, prefix, expected) in [
        ("list-reconciliation.outcome", job, counts.records),
        ("list-reconciliation.difference", practice, counts.differences + of_registration),
    ] {
        let keys: Vec<String> = application.records(topic, prefix).into_iter().map(|(key, _)| key).collect();
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!((keys.len() as i64, different.len() as i64), (expected, expected), "{topic}");
    }
}

fn values_name_the_registrys_schema(application: &Application, schemas: &Schemas, job: &str) {
    let Framing::Confluent { schema_id } = schemas.framing(&codec::JOB) else { panic!("the registry gave no id") };
    let mut head = vec![0];
    head.extend(schema_id.to_be_bytes());
    for (_, record) in application.records("list-reconciliation.job", job) {
        assert_eq!(record.value.unwrap()[..5], head[..]);
    }
}

fn files_are_whole(application: &Application, decoder: &Decoder, job: &str, counts: &JobCounts) {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (_, record) in application.records("list-reconciliation.file", job) {
        let value = record.value.unwrap();
        let piece: FileChunk<'_> = decoder.decode(&codec::FILE, &value).unwrap();
        files.entry(piece.file_name.to_owned()).or_default().push_str(piece.text);
    }
    let rows_of = |part: &str| {
        let found = files.iter().find(|(name, _)| name.contains(part));
        found.unwrap_or_else(|| panic!("no {part} in {:?}", files.keys())).1.lines().count() as i64 - 1
    };
    assert_eq!((rows_of("-OnlyOnGP-"), rows_of("-OnlyOnPDS-")), (counts.only_on_gp, counts.only_on_pds));
    // A sensitive patient has a row and no difference.
    assert!(rows_of("-CDD-") >= counts.differences);
    assert_eq!(files.keys().filter(|name| name.starts_with("work-items/")).count() as i64, counts.work_items);
}

/// Lets calls to `port` through to a server from now on, until the test ends.
fn open_the_way(port: u16, to: String) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let (Ok(here), Ok(there)) = (connection, TcpStream::connect(&to)) else { continue };
            let (mut from_there, mut to_here) = (there.try_clone().unwrap(), here.try_clone().unwrap());
            let (mut from_here, mut to_there) = (here, there);
            thread::spawn(move || {
                let _ = io::copy(&mut from_here, &mut to_there);
                let _ = to_there.shutdown(Shutdown::Write);
            });
            thread::spawn(move || {
                let _ = io::copy(&mut from_there, &mut to_here);
                let _ = to_here.shutdown(Shutdown::Write);
            });
        }
    });
}

#[test]
fn a_registry_that_is_down_at_the_start_is_waited_for() {
    let Some(servers) = servers() else { return };
    let (host, path) = servers.registry.strip_prefix("http://").unwrap().split_once('/').unwrap_or_default();
    let port = free_port();
    let mut application = Application::new(&servers, &format!("http://127.0.0.1:{port}/{path}"));
    let applied = application
        .command(&["topics", "apply"])
        .env("CONCORD_SCHEMA_REGISTRY__URL", &servers.registry)
        .output()
        .unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));

    application.start();
    application.wait_until("it says what it waits for", |application| {
        let told = fs::read_to_string(application.told()).unwrap();
        let page = application.page("/health/ready");
        told.contains("The schema registry does not answer; trying again.")
            && page.starts_with("HTTP/1.0 503")
            && page.ends_with("waiting for the schema registry")
    });
    assert!(application.page("/health/live").starts_with("HTTP/1.0 200"), "waiting is no reason to restart it");
    open_the_way(port, host.to_owned());
    application.wait_until("it goes on", |application| application.page("/health/ready").ends_with(" tasks process"));
    application.stop();
}
