//! A Kafka, a schema registry, a MESH and a mail server of the test's own, and a small PDS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use concord_connectors::mesh::{MeshClient, MeshSettings, TlsFiles};
use concord_connectors::secret::Secret;
use jiff::Timestamp;

use crate::pds::Pds;

const PARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/parts");
const NAMES: [&str; 4] = ["kafka", "registry", "mesh", "smtp"];

/// The mailbox of a practice's system.
pub const SENDER: &str = "X26ABC1";
/// Ours.
pub const OURS: &str = "X26ABC2";
/// Of those who get the results.
pub const RECIPIENT: &str = "X26ABC3";

/// Running servers; stopped when dropped.
pub struct Servers {
    pub pds: Pds,
    run: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Servers {
    /// PDS answers about these people.
    pub fn start(folder: &Path, asked_for: BTreeMap<String, String>) -> Self {
        let run = folder.join("servers");
        std::fs::create_dir(&run).unwrap();
        let mut servers = Self { pds: Pds::start(asked_for), run, variables: BTreeMap::new() };
        for name in NAMES {
            servers.parts(name, "start");
            let settings = std::fs::read_to_string(servers.run.join(format!("{name}.env"))).unwrap();
            let pairs = settings.lines().filter_map(|line| line.split_once('='));
            servers.variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        servers
    }

    /// What one of them tells of itself when it starts.
    pub fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    pub fn freeze(&self, name: &str) {
        match name {
            "pds" => self.pds.set_frozen(true),
            _ => self.parts(name, "freeze"),
        }
    }

    pub fn thaw(&self, name: &str) {
        match name {
            "pds" => self.pds.set_frozen(false),
            _ => self.parts(name, "thaw"),
        }
    }

    /// The broker, as a crash would end it, and then again on its data.
    pub fn crash_the_broker(&self) {
        self.parts("kafka", "kill9");
        self.parts("kafka", "restart");
    }

    fn parts(&self, name: &str, command: &str) {
        let output = Command::new(PARTS).args([name, command, "--run"]).arg(&self.run).output().unwrap();
        assert!(output.status.success(), "scripts/parts {name} {command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn mailbox(&self, id: &str) -> MeshClient {
        let secret = |name| Secret::new(self.variable(name).to_owned());
        let mut settings =
            MeshSettings::new(self.variable("MESH_URL"), id, secret("MESH_PASSWORD"), secret("MESH_SHARED_KEY"));
        let certificates = Path::new(self.variable("MESH_CERTIFICATES"));
        settings.tls = Some(TlsFiles {
            ca: certificates.join("ca.pem"),
            certificate: certificates.join("client.pem"),
            key: certificates.join("client.key"),
        });
        MeshClient::new(settings, Timestamp::now).unwrap()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for name in NAMES {
            // A frozen one would not hear that it is to stop.
            for command in ["thaw", "stop"] {
                let _ = Command::new(PARTS).args([name, command, "--run"]).arg(&self.run).output();
            }
        }
    }
}
