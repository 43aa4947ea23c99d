//! One conversation with the mail server for each mail.

use std::fs;
use std::path::Path;

use concord_schemas::sources::with_sources;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::error::{MailError, MailProblem};
use super::message::compose;
use super::outbox::OutboxMail;
use super::settings::{Account, MailSettings, MailTls};
use crate::next_step::NextStep;

/// A mail that the server has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Recipients to whom the server will not bring it; there was at least one to whom it will.
    pub refused: Vec<RefusedRecipient>,
}

/// A recipient whom the server refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// The address.
    pub address: String,
    /// What the server says.
    pub reason: String,
}

/// Hands mails to a server, one at a time. Blocks; not for threads of an asynchronous runtime.
pub struct MailSender {
    settings: MailSettings,
    from: Mailbox,
    hello: ClientId,
    tls: Option<TlsParameters>,
}

/// How far a conversation has come when something fails.
#[derive(Clone, Copy)]
enum Stage {
    /// Connecting, greeting, protecting, signing in, naming the sender: the same for every mail.
    Door,
    /// Naming recipients, announcing the content.
    Envelope,
    /// The content, and the server's word that it has it.
    Content,
}

impl MailSender {
    /// Reads the certificates; nothing is asked yet.
    ///
    /// # Errors
    /// [`MailProblem::Settings`].
    pub fn new(settings: MailSettings) -> Result<Self, MailError> {
        let invalid = |detail: String| MailError::new(MailProblem::Settings, "settings", detail);
        let from =
            settings.from.parse::<Mailbox>().map_err(|error| invalid(format!("the sender's address: {error}")))?;
        if !from.email.to_string().is_ascii() {
            return Err(invalid("the sender's address has characters other than those of ASCII".to_owned()));
        }
        if settings.account.is_some() && settings.tls == MailTls::None {
            return Err(invalid("an account without TLS would show its password to everybody on the way".to_owned()));
        }
        let tls = match settings.tls {
            MailTls::None => None,
            MailTls::StartTls | MailTls::Tls => Some(tls_parameters(&settings).map_err(invalid)?),
        };
        let hello = ClientId::Domain(settings.hello.clone());
        Ok(Self { settings, from, hello, tls })
    }

    /// Hands a mail to the server. A server that is away or busy is tried again, with patience. One that has been given the
    /// mail and whose answer was lost is not: whoever calls again sends the same mail, with the same `Message-ID`.
    ///
    /// # Errors
    /// Any [`MailProblem`].
    pub fn send(&self, mail: &OutboxMail) -> Result<Delivered, MailError> {
        let action = format!("object {}", mail.id);
        let message =
            compose(mail, &self.from).map_err(|detail| MailError::new(MailProblem::NotAMail, &action, detail))?;
        let mut attempt = 1;
        loop {
            let error = match self.converse(&action, &message) {
                Ok(delivered) => return Ok(delivered),
                Err(error) => error,
            };
            let again = error.next_step() == NextStep::TryAgain && error.problem != MailProblem::OutcomeUnknown;
            if !again || !self.settings.patience.pause_after(attempt, None) {
                return Err(error);
            }
            attempt += 1;
        }
    }

    fn converse(&self, action: &str, message: &Message) -> Result<Delivered, MailError> {
        let failed = |stage| move |error: SmtpError| failure(action, stage, &error);
        let mut connection = self.connect().map_err(failed(Stage::Door))?;
        if let Some(Account { user, password }) = &self.settings.account {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).map_err(failed(Stage::Door))?;
        }
        let envelope = message.envelope();
        connection.command(Mail::new(envelope.from().cloned(), vec![])).map_err(failed(Stage::Door))?;
        let refused = name_recipients(action, &mut connection, envelope)?;
        connection.command(Data).map_err(failed(Stage::Envelope))?;
        connection.message(&message.formatted()).map_err(failed(Stage::Content))?;
        // The server has the mail; whether it takes leave is of no importance.
        let _ = connection.quit();
        Ok(Delivered { refused })
    }

    fn connect(&self) -> Result<SmtpConnection, SmtpError> {
        let MailSettings { server, port, tls, timeout, .. } = &self.settings;
        let wrapped = self.tls.as_ref().filter(|_| *tls == MailTls::Tls);
        let mut connection =
            SmtpConnection::connect((server.as_str(), *port), Some(*timeout), &self.hello, wrapped, None)?;
        if let (MailTls::StartTls, Some(parameters)) = (tls, &self.tls) {
            connection.starttls(parameters, &self.hello)?;
        }
        Ok(connection)
    }
}

/// One recipient who is refused does not keep the mail from the others.
fn name_recipients(
    action: &str,
    connection: &mut SmtpConnection,
    envelope: &Envelope,
) -> Result<Vec<RefusedRecipient>, MailError> {
    let mut refused = Vec::new();
    for address in envelope.to() {
        match connection.command(Rcpt::new(address.clone(), vec![])) {
            Ok(_) => {}
            Err(error) if error.is_permanent() => {
                refused.push(RefusedRecipient { address: address.to_string(), reason: error.to_string() });
            }
            Err(error) => return Err(failure(action, Stage::Envelope, &error)),
        }
    }
    if refused.len() < envelope.to().len() {
        return Ok(refused);
    }
    connection.abort();
    let reasons: Vec<&str> = refused.iter().map(|recipient| recipient.reason.as_str()).collect();
    Err(MailError::new(MailProblem::Refused, action, format!("no recipient is accepted: {}", reasons.join("; "))))
}

fn failure(action: &str, stage: Stage, error: &SmtpError) -> MailError {
    let problem = match stage {
        _ if error.is_transient() => MailProblem::Later,
        Stage::Door if error.is_permanent() || error.is_client() => MailProblem::NotAllowed,
        _ if error.is_permanent() || error.is_client() => MailProblem::Refused,
        Stage::Door | Stage::Envelope => MailProblem::Unreachable,
        Stage::Content => MailProblem::OutcomeUnknown,
    };
    MailError::new(problem, action, with_sources(error))
}

fn tls_parameters(settings: &MailSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.server.clone());
    if let Some(ca) = &settings.ca {
        let certificates = read_certificates(ca)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    builder.build().map_err(|error| with_sources(&error))
}

fn read_certificates(path: &Path) -> Result<Certificate, String> {
    let pem = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !pem.starts_with(b"-----BEGIN") && !pem.windows(11).any(|window| window == b"\n-----BEGIN") {
        return Err(format!("{}: it holds no certificate in PEM form", path.display()));
    }
    Certificate::from_pem(&pem).map_err(|error| format!("{}: {}", path.display(), with_sources(&error)))
}
