//! Both flows in one process on a real cluster: a gap in the numbers of a link shows, is explained back to its interchange, and is
//! taken back when the late interchange comes; a number that will never come is explained by an operator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use concord_edifact::{InterchangeHeader, InterchangeWriter, RegistrationText, TransactionText};
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};
use concord_engine::log::{Log, read_whole_topic};
use concord_schemas::Schemas;
use concord_schemas::codec::AUDIT_FINDING;
use concord_schemas::sequence_audit::AuditFinding;
use jiff::Timestamp;

const PATIENCE: Duration = Duration::from_secs(90);

struct Application {
    folder: tempfile::TempDir,
    config: PathBuf,
    /// A link code that no other run on the cluster has.
    sender: String,
    log: KafkaLog,
    running: Option<Child>,
}

impl Application {
    fn new(bootstrap: &str) -> Self {
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.to_owned(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        };
        let log = KafkaLog::connect(settings).unwrap();
        // Topics without the application's name are the cluster's: as many partitions as they have.
        let topics = log.topics().unwrap();
        let partitions = topics.iter().find(|t| &*t.name == "pds.record").map_or(2, |t| t.partitions);
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        let text = format!(
            "[instance]\nname = \"audit\"\nstate_dir = {state:?}\nmemory_mib = 128\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [topics]\npartitions = {partitions}\nreplication = 1\n\
             [dead_letters]\nmax_share = 1.0\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [flows.list_reconciliation]\napplication = \"beside-audit-{unique:x}\"\n\
             [flows.sequence_audit]\napplication = \"audit-{unique:x}\"\n",
            state = folder.path().join("state"),
        );
        fs::write(&config, text).unwrap();
        Self { folder, config, sender: format!("T{:03}", unique / 1_000 % 1_000), log, running: None }
    }

    fn concord(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(&self.config).output().unwrap()
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.concord(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("run").arg("--config").arg(&self.config).stdout(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }

    /// Publishes an interchange with one message of one acceptance, all of the same number.
    fn publish(&self, number: u64) {
        let prepared_at = Timestamp::now();
        let mut writer = InterchangeWriter::begin(&InterchangeHeader {
            sender: self.sender.clone(),
            recipient: "XX11".to_owned(),
            prepared_at: Some(prepared_at),
            number: Some(number),
            application: None,
        });
        let transactions = vec![TransactionText { number, segments: vec!["HEA+ACD+A:ZZZ"] }];
        let message = RegistrationText { authority_cipher: "XX1", prepared_at, transaction_type: "G1", transactions };
        writer.registration(number, &message);
        let path = self.folder.path().join(format!("{number}.dat"));
        fs::write(&path, writer.finish()).unwrap();
        self.succeeds(&["produce", "interchange", path.to_str().unwrap()]);
    }

    /// The key of the finding that interchanges from here on are missing.
    fn gap_from(&self, number: u64) -> String {
        format!("gap/sis/{}/XX11/0/{number}", self.sender)
    }

    /// State and numbers of the last finding under a key; `None` when there is none or it was taken back.
    fn finding(&self, key: &str) -> Option<(String, Option<i64>, Option<i64>)> {
        let (decoder, mut last) = (Schemas::bundled().decoder(), None);
        read_whole_topic(&self.log, AUDIT_FINDING.name(), &mut |_, record| {
            if record.key.as_deref() != Some(key.as_bytes()) {
                return;
            }
            last = record.value.as_ref().map(|value| {
                let finding: AuditFinding<'_> = decoder.decode(&AUDIT_FINDING, value).unwrap();
                (finding.state.to_owned(), finding.from, finding.to)
            });
        })
        .unwrap();
        last
    }

    #[track_caller]
    fn finding_becomes(&self, key: &str, expected: Option<(&str, i64, i64)>) {
        let expected = expected.map(|(state, from, to)| (state.to_owned(), Some(from), Some(to)));
        let deadline = Instant::now() + PATIENCE;
        while self.finding(key) != expected {
            assert!(Instant::now() < deadline, "{key} is {:?} and not {expected:?}", self.finding(key));
            // The interval of a poll with a deadline.
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_gap_shows_is_explained_and_is_taken_back_when_the_late_interchange_comes() {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: audit_on_a_cluster wants a real cluster; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    };
    let mut application = Application::new(&bootstrap);
    application.succeeds(&["topics", "apply"]);
    application.start();
    application.publish(1);
    application.publish(3);
    let gap = application.gap_from(2);
    application.finding_becomes(&gap, Some(("suspected", 2, 2)));
    let explained = application.succeeds(&["explain", AUDIT_FINDING.name(), &gap]);
    assert!(explained.contains("gp-links.interchange"), "{explained}");

    application.publish(2);
    application.finding_becomes(&gap, None);

    application.publish(5);
    let gap = application.gap_from(4);
    application.finding_becomes(&gap, Some(("suspected", 4, 4)));
    let sender = application.sender.clone();
    application.succeeds(&[
        "audit",
        "explain",
        "--sender",
        &sender,
        "--recipient",
        "XX11",
        "--field",
        "intSeq",
        "--from",
        "4",
        "--to",
        "4",
        "--by",
        "Ann Operator",
        "--reason",
        "burnt",
    ]);
    application.finding_becomes(&gap, Some(("explained", 4, 4)));
}
