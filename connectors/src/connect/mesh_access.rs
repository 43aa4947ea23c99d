//! How a mailbox is reached, with its secrets still in their files: they are read when a connection is made, so that a changed
//! password is in use without a restart.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::Trouble;
use crate::mesh::{MeshClient, MeshError, MeshProblem, MeshSettings, TlsFiles};
use crate::patience::Patience;
use crate::secret::Secret;

/// The way to a mailbox.
#[derive(Debug, Clone)]
pub struct MeshAccess {
    /// Address of the service.
    pub url: String,
    /// Certificates.
    pub tls: Option<TlsFiles>,
    /// File with the key that the service shares with its clients.
    pub shared_key_file: PathBuf,
    /// Id of the mailbox.
    pub mailbox: String,
    /// File with its password.
    pub password_file: PathBuf,
    /// The largest message that is downloaded, in bytes, unpacked.
    pub largest_message: u64,
    /// How long one call waits for a service that is away.
    pub patience: Patience,
}

impl MeshAccess {
    /// A client that has said that it is there.
    pub(super) fn connect(&self) -> Result<MeshClient, Trouble> {
        let secret = |path: &PathBuf| {
            Secret::from_file(path).map_err(|error| {
                let action = format!("mailbox {}", self.mailbox);
                MeshError::new(MeshProblem::Settings, &action, format!("{}: {error}", path.display()))
            })
        };
        let (password, shared_key) = (secret(&self.password_file)?, secret(&self.shared_key_file)?);
        let mut settings = MeshSettings::new(&self.url, &self.mailbox, password, shared_key);
        settings.tls = self.tls.clone();
        settings.largest_message = self.largest_message;
        settings.patience = self.patience;
        let client = MeshClient::new(settings, Timestamp::now)?;
        client.handshake()?;
        Ok(client)
    }
}
