//! The service, where one is at hand.

use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use concord_connectors::mesh::{MeshClient, MeshSettings, Outgoing, TlsFiles};
use concord_connectors::patience::Patience;
use concord_connectors::secret::Secret;
use jiff::Timestamp;

pub const SENDER: &str = "X26ABC1";
pub const RECIPIENT: &str = "X26ABC2";
/// A mailbox to which nothing is sent but by tests of long inboxes.
pub const CROWDED: &str = "X26ABC3";
pub const CHUNK: usize = 200_000;

/// Where the service is.
pub struct Mesh {
    pub url: String,
    pub shared_key: String,
    pub password: String,
    certificates: PathBuf,
}

impl Mesh {
    /// `None`, loudly, when there is no service.
    pub fn at_hand() -> Option<Self> {
        let Ok(url) = env::var("MESH_URL") else {
            eprintln!("SKIPPED: the client of MESH wants a real service; set MESH_URL as scripts/test.sh does");
            return None;
        };
        let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("MESH_URL is set, {name} is not"));
        Some(Self {
            url,
            shared_key: variable("MESH_SHARED_KEY"),
            password: variable("MESH_PASSWORD"),
            certificates: variable("MESH_CERTIFICATES").into(),
        })
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.certificates.join(name)
    }

    pub fn settings(&self, mailbox: &str) -> MeshSettings {
        let mut settings = MeshSettings::new(
            &self.url,
            mailbox,
            Secret::new(self.password.clone()),
            Secret::new(self.shared_key.clone()),
        );
        settings.tls = Some(TlsFiles {
            ca: self.certificate("ca.pem"),
            certificate: self.certificate("client.pem"),
            key: self.certificate("client.key"),
        });
        settings.chunk_bytes = CHUNK;
        settings.patience = impatient();
        settings
    }

    pub fn client(&self, mailbox: &str) -> MeshClient {
        client(self.settings(mailbox))
    }
}

pub fn client(settings: MeshSettings) -> MeshClient {
    MeshClient::new(settings, Timestamp::now).unwrap()
}

pub fn impatient() -> Patience {
    Patience { attempts: 5, first_pause: Duration::from_millis(1), longest_pause: Duration::from_secs(1) }
}

/// A message to the recipient that no other test sends.
pub fn message(local_id: &str) -> Outgoing<'_> {
    Outgoing {
        to: RECIPIENT,
        workflow_id: "RSLISTRECONCILIATIONPCSE",
        local_id,
        file_name: "Y12345-CDD-20210810134000.csv",
        subject: "",
        content_type: "text/csv",
        compress: false,
        sha256: None,
    }
}

/// A local id that nobody has used, in this run of the service or an earlier run of the tests.
pub fn new_local_id(test: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    format!("{test}-{}-{}-{made}", std::process::id(), Timestamp::now().as_nanosecond())
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}
