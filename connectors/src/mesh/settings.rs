//! How a mailbox is reached.

use std::path::PathBuf;
use std::time::Duration;

use crate::patience::Patience;
use crate::secret::Secret;

/// How one mailbox is reached, and with how much patience.
#[derive(Debug, Clone)]
pub struct MeshSettings {
    /// Address of the service without the path `/messageexchange`, such as `https://mesh.example`.
    pub url: String,
    /// Id of the mailbox.
    pub mailbox: String,
    /// Password of the mailbox.
    pub password: Secret,
    /// The key that the service's environment shares with its clients.
    pub shared_key: Secret,
    /// Certificates. Without them, and with an `https` address, the machine's authorities are trusted and no certificate
    /// of one's own is shown.
    pub tls: Option<TlsFiles>,
    /// The largest message that is downloaded, in bytes, unpacked.
    pub largest_message: u64,
    /// Messages above this many bytes are sent in several chunks; one chunk is held in memory.
    pub chunk_bytes: usize,
    /// Ids on one page of the inbox, 10 to 5000.
    pub page_size: u32,
    /// How long MESH may take for one answer or one read, and to accept one chunk.
    pub timeout: Duration,
    /// How long one call waits for a service that is away.
    pub patience: Patience,
}

impl MeshSettings {
    /// The settings of a mailbox, with usual limits and without certificates.
    #[must_use]
    pub fn new(url: &str, mailbox: &str, password: Secret, shared_key: Secret) -> Self {
        Self {
            url: url.to_owned(),
            mailbox: mailbox.to_owned(),
            password,
            shared_key,
            tls: None,
            largest_message: 1 << 30,
            chunk_bytes: 16 << 20,
            page_size: 500,
            timeout: Duration::from_secs(60),
            patience: Patience::default(),
        }
    }
}

/// Files in PEM form.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The authorities that are trusted, and no others.
    pub ca: PathBuf,
    /// The client's certificate, with the intermediate ones behind it.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
}
