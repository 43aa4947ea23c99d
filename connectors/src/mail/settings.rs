//! How the mail server is reached.

use std::path::PathBuf;
use std::time::Duration;

use crate::patience::Patience;
use crate::secret::Secret;

/// How the mail server is reached, and with how much patience.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Name of the server.
    pub server: String,
    /// Its port: by custom 25 without TLS, 587 with STARTTLS, 465 with TLS.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The authorities that are trusted, in PEM form; without it, those of the machine.
    pub ca: Option<PathBuf>,
    /// With which account; without it, none is named. An account wants TLS.
    pub account: Option<Account>,
    /// The sender's address.
    pub from: String,
    /// The name with which this machine greets the server.
    pub hello: String,
    /// How long the server may take for one answer.
    pub timeout: Duration,
    /// How long one call waits for a server that is away.
    pub patience: Patience,
}

impl MailSettings {
    /// The settings of a server, without account, trusting the machine's authorities.
    #[must_use]
    pub fn new(server: &str, port: u16, tls: MailTls, from: &str) -> Self {
        Self {
            server: server.to_owned(),
            port,
            tls,
            ca: None,
            account: None,
            from: from.to_owned(),
            hello: "localhost".to_owned(),
            timeout: Duration::from_secs(60),
            patience: Patience::default(),
        }
    }
}

/// How the connection is protected. There is no form that falls back to an unprotected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all: for a relay on the same machine.
    None,
    /// It begins without, and goes no further before it is protected.
    StartTls,
    /// From its beginning.
    Tls,
}

/// Who signs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name of the account.
    pub user: String,
    /// Its password.
    pub password: Secret,
}
