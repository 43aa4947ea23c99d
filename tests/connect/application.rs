//! An application of its own on the cluster, and the process that connects it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_connectors::connect::LogWriter;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, TopicSpec, read_whole_topic};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::gp_links::InterchangePiece;
use concord_schemas::list_reconciliation::{Delivery, ExtractEvent, FileChunk, RefusedInput};
use concord_state::failpoints::{Failpoint, VARIABLE, last_word};
use serde::Serialize;

const PATIENCE: Duration = Duration::from_secs(180);
/// The signal that `abort` raises.
const ABORTED: i32 = 6;

/// An environment variable of a part, loudly missing.
pub fn part(variable: &str, what: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        eprintln!("SKIPPED: {what} wants a real server; set {variable} as scripts/test.sh does");
    }
    found
}

pub struct Application {
    pub folder: tempfile::TempDir,
    /// What no other application has.
    pub unique: String,
    config: PathBuf,
    port: u16,
    log: KafkaLog,
    schemas: Schemas,
    connector: &'static str,
    running: Option<Child>,
    flows: Option<Child>,
}

impl Application {
    /// With these sections in its configuration, where `FOLDER` is its folder and `ROUTE` a route that no other application has:
    /// all of them share the topics. `None`, loudly, without Kafka.
    pub fn new(connector: &'static str, sections: &str) -> Option<Self> {
        let bootstrap = part("KAFKA_BOOTSTRAP", "concord connect")?;
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.clone(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        };
        let log = KafkaLog::connect(settings).unwrap();
        // Topics without the application's name are the cluster's: as many partitions as they have.
        let topics = log.topics().unwrap();
        let partitions = topics.iter().find(|topic| &*topic.name == "gp.extract").map_or(2, |topic| topic.partitions);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let unique = format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        let text = format!(
            "[instance]\nname = \"one\"\nstate_dir = {state:?}\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [topics]\npartitions = {partitions}\nreplication = 1\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\n\
             [flows.list_reconciliation]\napplication = \"connect-{unique}\"\n{sections}",
            state = folder.path().join("state"),
        );
        let text = text.replace("FOLDER", folder.path().to_str().unwrap()).replace("ROUTE", &format!("r-{unique}"));
        fs::write(&config, text).unwrap();
        let application = Self {
            folder,
            unique,
            config,
            port,
            log,
            schemas: Schemas::bundled(),
            connector,
            running: None,
            flows: None,
        };
        let applied = application.command(&["topics", "apply"]).output().unwrap();
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let spec = |schema: &TopicSchema| TopicSpec {
            name: Arc::from(schema.name()),
            partitions,
            replication: 1,
            settings: vec![],
        };
        application.log.create_topics(&[spec(&codec::MAIL), spec(&codec::DELIVERY)]).unwrap();
        Some(application)
    }

    /// A file beside the configuration, where `FOLDER` in its sections points to.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(&self.config).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CONCORD_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// What the connector has said since it started.
    pub fn told(&self) -> String {
        fs::read_to_string(self.folder.path().join("connect.log")).unwrap_or_default()
    }

    fn spawn(&mut self, failpoint: Option<(Failpoint, u64)>) {
        let log = File::create(self.folder.path().join("connect.log")).unwrap();
        let mut command = self.command(&["connect", self.connector]);
        if let Some((point, passing)) = failpoint {
            command.env(VARIABLE, format!("{}:{passing}", point.name()));
        }
        command.env("CONCORD_LOG", "info").stdout(Stdio::null()).stderr(log);
        self.running = Some(command.spawn().unwrap());
    }

    pub fn start(&mut self) {
        self.spawn(None);
    }

    /// A life that ends at a point, as a crash would end it, and nowhere else.
    pub fn dies_at(&mut self, point: Failpoint, passing: u64) {
        self.spawn(Some((point, passing)));
        let mut child = self.running.take().unwrap();
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("{} was not reached: {}", point.name(), self.told());
            }
            thread::park_timeout(Duration::from_millis(50));
        };
        assert_eq!(status.signal(), Some(ABORTED), "{}: {}", point.name(), self.told());
        assert!(self.told().contains(&last_word(point, passing)), "{}", self.told());
    }

    /// SIGTERM, and the expectation that it leaves cleanly.
    pub fn stop(&mut self) {
        let mut child = self.running.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{}", self.told());
    }

    /// `concord run` beside the connector.
    pub fn run_flows(&mut self) {
        let log = File::create(self.folder.path().join("run.log")).unwrap();
        let mut command = self.command(&["run"]);
        command.env("CONCORD_HTTP__LISTEN", "127.0.0.1:0").env("CONCORD_LOG", "info");
        self.flows = Some(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// `concord documents retry` of one document.
    pub fn retry(&self, document_id: &str) {
        let asked = self.command(&["documents", "retry", document_id]).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    }

    /// SIGTERM, and the expectation that it leaves cleanly.
    pub fn stop_flows(&mut self) {
        let said = |application: &Self| fs::read_to_string(application.folder.path().join("run.log")).unwrap();
        let mut child = self.flows.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{}", said(self));
    }

    /// Status line and body of a page; empty while it does not answer.
    pub fn page(&self, path: &str) -> String {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().unwrap_or_default()
    }

    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            let ended = self.running.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
            assert!(!ended && Instant::now() < deadline, "{what}: {}\n{}", self.page("/health/ready"), self.told());
            thread::park_timeout(Duration::from_millis(200));
        }
    }

    pub fn publish<T: Serialize>(&self, schema: &'static TopicSchema, records: &[(String, T)]) {
        let mut writer = LogWriter::open(&self.log, &self.schemas).unwrap();
        for (key, value) in records {
            writer.send(schema, key, Some(value), 1_628_602_800_000).unwrap();
        }
        writer.flush().unwrap();
    }

    /// An output file in pieces of three bytes, so that it has some.
    pub fn publish_file(&self, job_id: &str, file_name: &str, text: &str) {
        let pieces: Vec<&str> = text.as_bytes().chunks(3).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
        let last = pieces.len() - 1;
        let records: Vec<(String, FileChunk<'_>)> = pieces
            .iter()
            .enumerate()
            .map(|(sequence, &text)| {
                let chunk = FileChunk { job_id, file_name, sequence: sequence as i32, last: sequence == last, text };
                (format!("{job_id}/{file_name}"), chunk)
            })
            .collect();
        self.publish(&codec::FILE, &records);
    }

    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    pub fn values(&self, schema: &'static TopicSchema, visit: &mut dyn FnMut(&[u8])) {
        read_whole_topic(&self.log, schema.name(), &mut |_, record| {
            if let Some(value) = &record.value {
                visit(value);
            }
        })
        .unwrap();
    }

    /// What the log tells of the deliveries of a job over the route of this application, or as mails: name, state, reference,
    /// detail.
    pub fn deliveries(&self, job_id: &str) -> Vec<(String, String, String, String)> {
        let (decoder, mut found) = (self.schemas.decoder(), Vec::new());
        let route = format!("r-{}", self.unique);
        self.values(&codec::DELIVERY, &mut |value| {
            let Ok(Delivery { job_id: job, name, route: over, state, reference, detail, .. }) =
                decoder.decode(&codec::DELIVERY, value)
            else {
                return;
            };
            if job == job_id && (over == route || over == "mail") {
                found.push((name.to_owned(), state.to_owned(), reference.to_owned(), detail.to_owned()));
            }
        });
        found
    }

    /// Code by source of the refused inputs whose source has this part.
    pub fn refused(&self, part: &str) -> BTreeMap<String, String> {
        let (decoder, mut found) = (self.schemas.decoder(), BTreeMap::new());
        self.values(&codec::INTAKE_REFUSED, &mut |value| {
            let Ok(RefusedInput { source, code, .. }) = decoder.decode(&codec::INTAKE_REFUSED, value) else { return };
            if source.contains(part) {
                found.insert(source.to_owned(), code.to_owned());
            }
        });
        found
    }

    /// The interchanges that came from a source, put together as the flow does: their file ids, workflow id and content. `None` until
    /// they are whole.
    pub fn interchanges_from(&self, from: &str) -> Option<(BTreeSet<String>, String, Vec<u8>)> {
        let decoder = self.schemas.decoder();
        let (mut ids, mut workflow, mut pieces, mut count) = (BTreeSet::new(), String::new(), BTreeMap::new(), None);
        self.values(&codec::GP_LINKS_INTERCHANGE, &mut |value| {
            let Ok(piece) = decoder.decode::<InterchangePiece<'_>>(&codec::GP_LINKS_INTERCHANGE, value) else { return };
            if piece.source == from {
                ids.insert(piece.file_id.to_owned());
                piece.workflow_id.clone_into(&mut workflow);
                count = Some(piece.pieces as usize);
                let before = pieces.insert(piece.piece, piece.content.to_vec());
                assert!(before.is_none_or(|before| before == piece.content), "a repetition is the same");
            }
        });
        (count? == pieces.len()).then(|| (ids, workflow, pieces.into_values().flatten().collect()))
    }

    /// The file that came from a source, put together as the flow does: its name and its content. `None` until it is whole.
    pub fn extract_from(&self, from: &str) -> Option<(String, Vec<u8>)> {
        let decoder = self.schemas.decoder();
        let (mut job, mut pieces, mut whole) = (None, BTreeMap::new(), None);
        self.values(
            &codec::GP_EXTRACT,
            &mut |value| match decoder.decode::<ExtractEvent<'_>>(&codec::GP_EXTRACT, value) {
                Ok(ExtractEvent::ExtractOpened(opened)) if opened.source == from => {
                    job = Some((opened.job_id.to_owned(), opened.file_name.to_owned()));
                }
                Ok(ExtractEvent::ExtractChunk(chunk)) if job.as_ref().is_some_and(|(id, _)| id == chunk.job_id) => {
                    let before = pieces.insert(chunk.sequence, chunk.content.to_vec());
                    assert!(before.is_none_or(|before| before == chunk.content), "a repetition is the same");
                }
                Ok(ExtractEvent::ExtractClosed(closed)) if job.as_ref().is_some_and(|(id, _)| id == closed.job_id) => {
                    whole = Some(closed.chunks as usize);
                }
                _ => {}
            },
        );
        let (_, name) = job?;
        (whole? == pieces.len()).then(|| (name, pieces.into_values().flatten().collect()))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        for child in [&mut self.running, &mut self.flows].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
