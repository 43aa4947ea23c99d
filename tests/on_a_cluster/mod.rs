//! The program on the cluster under test, under an application id of its own: what tests of an operator's commands have in common.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use concord_engine::log::Log;
use concord_engine::log::kafka::{GroupProtocol, KafkaLog, KafkaSettings};

/// A configuration, and the process that runs on it; it is killed when dropped.
pub struct Program {
    pub folder: tempfile::TempDir,
    pub log: KafkaLog,
    config: PathBuf,
    running: Option<Child>,
}

impl Program {
    /// With these sections of flows. `shared` is a topic that does not carry the application's name: it is the cluster's, and has the
    /// partitions that all topics must have.
    pub fn configured(bootstrap: &str, name: &str, shared: &str, flows: &str) -> Self {
        let settings = KafkaSettings {
            bootstrap_servers: bootstrap.to_owned(),
            client: BTreeMap::new(),
            protocol: GroupProtocol::Auto,
        };
        let log = KafkaLog::connect(settings).unwrap();
        let topics = log.topics().unwrap();
        let partitions = topics.iter().find(|topic| &*topic.name == shared).map_or(2, |topic| topic.partitions);
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        let text = format!(
            "[instance]\nname = \"{name}\"\nstate_dir = {state:?}\nmemory_mib = 128\n\
             [kafka]\nbootstrap_servers = \"{bootstrap}\"\n\
             [topics]\npartitions = {partitions}\nreplication = 1\n\
             [dead_letters]\nmax_share = 1.0\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             {flows}",
            state = folder.path().join("state"),
        );
        fs::write(&config, text).unwrap();
        Self { folder, log, config, running: None }
    }

    pub fn concord(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(arguments).arg("--config").arg(&self.config).output().unwrap()
    }

    /// A command that must succeed; its standard output.
    #[track_caller]
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.concord(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.arg("run").arg("--config").arg(&self.config).stdout(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // SIGKILL: another test looks at how a process stops.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A number that no other run on the cluster has.
pub fn unique() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}
