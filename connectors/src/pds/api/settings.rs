//! How the API is reached.

use std::path::PathBuf;
use std::time::Duration;

use crate::patience::Patience;
use crate::pds::Selection;
use crate::secret::Secret;

/// How the API is reached, how fast, and with how much patience.
#[derive(Debug, Clone)]
pub struct PdsApiSettings {
    /// Address without a path, such as `https://api.service.nhs.uk`.
    pub url: String,
    /// Who asks; `None` for a service that does not want to know, such as the sandbox.
    pub credentials: Option<Credentials>,
    /// Authorities that are trusted, and no others, in PEM form; `None`: those of the machine.
    pub ca: Option<PathBuf>,
    /// Requests per second, those for tokens among them. PDS takes 15 at most.
    pub rate_per_second: f64,
    /// Requests that may be made at once after a pause.
    pub burst: u32,
    /// How long PDS may take for one answer.
    pub timeout: Duration,
    /// How long one look-up waits for a PDS that is away or busy.
    pub patience: Patience,
    /// Which of several names and addresses is taken.
    pub selection: Selection,
}

/// Who asks. PDS knows the public half of the key by its id.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Id of the key, such as `prod-1`.
    pub key_id: String,
    /// Key of the application.
    pub app_key: Secret,
    /// The RSA key that signs, in PEM form.
    pub private_key_file: PathBuf,
}

impl PdsApiSettings {
    /// Usual limits, and no credentials.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            credentials: None,
            ca: None,
            rate_per_second: 12.0,
            burst: 3,
            timeout: Duration::from_secs(30),
            patience: Patience::default(),
            selection: Selection::OneElement,
        }
    }
}
