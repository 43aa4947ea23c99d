//! The processes of the service: two instances of `concord run`, and the connectors of MESH, of the mail server and of PDS.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::files::WORKFLOW;
use crate::servers::{OURS, RECIPIENT, Servers};

const PATIENCE: Duration = Duration::from_secs(240);
/// How often a command is tried while a server is away.
const ATTEMPTS: u32 = 5;
pub const APPLICATION: &str = "service";
/// Name of the instance, and what it runs.
const PROCESSES: [(&str, &[&str]); 5] = [
    ("a", &["run"]),
    ("b", &["run"]),
    ("mesh", &["connect", "mesh"]),
    ("mail", &["connect", "mail"]),
    ("pds", &["connect", "pds"]),
];

pub struct Processes {
    folder: PathBuf,
    running: BTreeMap<&'static str, Child>,
}

impl Processes {
    /// Writes their configurations; nothing runs yet.
    pub fn prepare(folder: &Path, servers: &Servers) -> Self {
        fs::write(folder.join("mesh-password"), servers.variable("MESH_PASSWORD")).unwrap();
        fs::write(folder.join("mesh-shared-key"), servers.variable("MESH_SHARED_KEY")).unwrap();
        fs::write(folder.join("mail-password"), servers.variable("SMTP_PASSWORD")).unwrap();
        for (name, _) in PROCESSES {
            fs::write(folder.join(format!("{name}.toml")), configuration(name, folder, servers)).unwrap();
        }
        Self { folder: folder.to_path_buf(), running: BTreeMap::new() }
    }

    pub fn start_all(&mut self) {
        for (name, _) in PROCESSES {
            self.start(name);
        }
    }

    /// In a process group of its own: what is sent to the test's group must not reach it.
    pub fn start(&mut self, name: &'static str) {
        let (_, arguments) = PROCESSES.iter().find(|(process, _)| *process == name).unwrap();
        let log = OpenOptions::new().create(true).append(true).open(self.log(name)).unwrap();
        let mut command = self.command(arguments, name);
        command.env("CONCORD_LOG", "info").stdout(Stdio::null()).stderr(log).process_group(0);
        self.running.insert(name, command.spawn().unwrap());
    }

    /// SIGKILL.
    pub fn kill(&mut self, name: &str) {
        let mut child = self.running.remove(name).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn command(&self, arguments: &[&str], configured_as: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(self.folder.join(format!("{configured_as}.toml")));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CONCORD_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }

    /// A command of an operator that must succeed, though servers may be away for a while; its standard output.
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        for attempt in 1.. {
            let output = self.command(arguments, "a").output().unwrap();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap();
            }
            let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            assert!(attempt < ATTEMPTS, "{arguments:?}: {}", told.concat());
        }
        unreachable!("the last attempt ends the loop")
    }

    pub fn jobs(&self) -> Vec<Value> {
        let listed = self.succeeds(&["jobs", "list", "--json"]);
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the jobs have these statuses, and everything that is in the outbox was handed over.
    pub fn await_jobs(&mut self, expected: BTreeMap<String, &'static str>) {
        let wanted: BTreeMap<String, (String, bool)> =
            expected.into_iter().map(|(id, status)| (id, (status.to_owned(), true))).collect();
        let mut found = BTreeMap::new();
        self.wait(|processes| {
            found = processes
                .jobs()
                .into_iter()
                .map(|job| {
                    let text = |key: &str| job[key].as_str().unwrap().to_owned();
                    let every_mail_is_sent =
                        job["mails"].as_array().unwrap().iter().all(|mail| mail["state"] == "SENT");
                    (text("job_id"), (text("status"), every_mail_is_sent))
                })
                .collect();
            if found == wanted { Ok(()) } else { Err(format!("{found:#?}")) }
        });
    }

    /// Waits until a job tells of a copy of its file, and that was answered.
    pub fn await_copy(&mut self, job_id: &str) {
        self.wait(|processes| {
            let job = processes.jobs().into_iter().find(|job| job["job_id"] == job_id).unwrap();
            let mails = job["mails"].as_array().unwrap();
            let answered = mails.len() == 2 && mails.iter().all(|mail| mail["state"] == "SENT");
            if job["copies"] == 1 && answered { Ok(()) } else { Err(format!("{job:#}")) }
        });
    }

    /// Waits until PDS is loaded: only then is it certain what a list meets.
    pub fn await_lag_zero(&mut self, servers: &Servers) {
        let topics = crate::outcome::topics(servers);
        self.wait(|_| match topics.lag(APPLICATION, "pds.record") {
            Ok(0) => Ok(()),
            Ok(lag) => Err(format!("{lag} records of PDS are not processed")),
            Err(problem) => Err(problem),
        });
    }

    /// With what the processes have said last, when it does not come to that.
    fn wait(&mut self, mut looks: impl FnMut(&Self) -> Result<(), String>) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(problem) = looks(self) {
            for (name, child) in &mut self.running {
                let ended = child.try_wait().unwrap();
                assert!(ended.is_none(), "process {name} has ended by itself: {}", last_words(&self.folder, name));
            }
            if Instant::now() > deadline {
                let told: String = PROCESSES.iter().map(|(name, _)| last_words(&self.folder, name)).collect();
                panic!("it did not happen within {PATIENCE:?}: {problem}\n{told}");
            }
            std::thread::park_timeout(Duration::from_millis(500));
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn last_words(folder: &Path, name: &str) -> String {
    let told = fs::read_to_string(folder.join(format!("{name}.log"))).unwrap_or_default();
    let lines: Vec<&str> = told.lines().collect();
    format!("{name}:\n{}\n", lines[lines.len().saturating_sub(25)..].join("\n"))
}

fn configuration(name: &str, folder: &Path, servers: &Servers) -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let smtp_port = servers.variable("SMTP_PORTS").split(',').nth(1).unwrap();
    format!(
        r#"[instance]
name = "{name}"
state_dir = "{folder}/state-{name}"
memory_mib = 128

[kafka]
bootstrap_servers = "{bootstrap}"
protocol = "classic"

[schema_registry]
url = "{registry}"

[topics]
partitions = 4
replication = 1

[processing]
session_timeout_ms = 6000
transaction_timeout_ms = 5000

[http]
listen = "127.0.0.1:{port}"

[flows.list_reconciliation]
application = "{APPLICATION}"
delivered = ["lists", "mails"]
lookups = "unknown"

[flows.list_reconciliation.mails]
recipients = ["gp-lists@nhs.example"]
success = true

[pds]
url = "{pds}"
rate_per_second = 100.0
burst = 20
timeout_seconds = 2

[mesh]
url = "{mesh}"
ca = "{mesh_certificates}/ca.pem"
certificate = "{mesh_certificates}/client.pem"
key = "{mesh_certificates}/client.key"
shared_key_file = "{folder}/mesh-shared-key"

[[mesh.mailboxes]]
id = "{OURS}"
password_file = "{folder}/mesh-password"
workflow_ids = ["{WORKFLOW}"]
poll_seconds = 1

[[mesh.results]]
name = "pcse"
files = ["cdd", "only-on-gp", "only-on-pds"]
from = "{OURS}"
to = "{RECIPIENT}"
workflow_id = "RSLISTRECONCILIATIONPCSE"

[mail]
host = "127.0.0.1"
port = {smtp_port}
tls = "starttls"
ca = "{smtp_certificates}/ca.pem"
sender = "list-reconciliation@nhs.example"
user = "{smtp_user}"
password_file = "{folder}/mail-password"
"#,
        folder = folder.display(),
        bootstrap = servers.variable("KAFKA_BOOTSTRAP"),
        registry = servers.variable("SCHEMA_REGISTRY_URL"),
        pds = servers.pds.url(),
        mesh = servers.variable("MESH_URL"),
        mesh_certificates = servers.variable("MESH_CERTIFICATES"),
        smtp_certificates = servers.variable("SMTP_CERTIFICATES"),
        smtp_user = servers.variable("SMTP_USER"),
    )
}
