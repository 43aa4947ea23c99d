//! Mails of the log to a mail server, each once, and what became of them back to the log.
//!
//! A mail is committed before the next one is taken. What remains is the moment between the server's yes and the commit: a crash
//! there sends the mail again, under the same `Message-ID` and with the same bytes, by which its receiver can tell.

use std::collections::HashSet;
use std::time::Duration;

use concord_engine::log::{LogRecord, TopicPartition};
use concord_schemas::codec;
use concord_schemas::list_reconciliation::{Delivery, Mail};
use concord_state::failpoint;

use super::assembly::Assembly;
use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::feed::{Fed, Feed};
use super::ledger::{REFUSED, SENT};
use super::progress::Progress;
use super::reading::{ValueReader, read_deliveries};
use super::surroundings::Surroundings;
use crate::mail::{Delivered, MailSender, MailSettings, OutboxMail};
use crate::next_step::NextStep;

/// How long a turn waits for records.
const WAIT: Duration = Duration::from_millis(200);
/// What deliveries of mails call their way.
pub const MAIL_ROUTE: &str = "mail";

/// How the settings of the mail server are found: its password is read when a connection is made.
pub type MailSettingsOf = Box<dyn Fn() -> Result<MailSettings, Trouble> + Send>;

/// See the module.
pub struct Outbox {
    settings: MailSettingsOf,
    surroundings: Surroundings,
    open: Option<Open>,
}

struct Open {
    feed: Feed,
    values: ValueReader,
    sender: MailSender,
    progress: Progress,
    /// Ids of mails of which the log says what became of them.
    known: HashSet<String>,
}

impl Outbox {
    /// Nothing is asked yet.
    pub fn new(settings: MailSettingsOf, surroundings: Surroundings) -> Self {
        Self { settings, surroundings, open: None }
    }

    fn open(&mut self) -> Result<&mut Open, Trouble> {
        if self.open.is_none() {
            self.open = Some(Open {
                sender: MailSender::new((self.settings)()?)?,
                feed: Feed::join(&self.surroundings, MAIL_ROUTE, codec::MAIL.name())?,
                values: ValueReader::new(&self.surroundings.schemas),
                progress: Progress::default(),
                known: HashSet::new(),
            });
        }
        opened(&mut self.open)
    }

    fn take(&mut self, from: &TopicPartition, record: LogRecord) -> Result<(), Trouble> {
        let offset = record.offset;
        let Open { feed, values, sender, progress, known } = opened(&mut self.open)?;
        match values.read::<Mail<'_>>(&codec::MAIL, record.value.as_deref())? {
            Ok(mail) if known.contains(mail.mail_id) => {}
            Ok(mail) => {
                failpoint!(MailRead);
                let (state, detail) = match sender.send(&as_outbox_mail(&mail)) {
                    Ok(delivered) => (SENT, refused_recipients(&delivered)),
                    Err(error) if error.next_step() == NextStep::SetAside => {
                        tracing::warn!(job = mail.job_id, %error, "A mail is refused for good.");
                        (REFUSED, Trouble::from(error).stated())
                    }
                    Err(error) => return Err(error.into()),
                };
                failpoint!(MailHandedOver);
                tracing::info!(job = mail.job_id, mail = mail.mail_id, state, "A mail is done.");
                feed.tell(&Delivery {
                    job_id: mail.job_id,
                    name: mail.mail_id,
                    route: MAIL_ROUTE,
                    state,
                    reference: "",
                    detail: &detail,
                    at_ms: self.surroundings.clock.now_ms(),
                })?;
                known.insert(mail.mail_id.to_owned());
            }
            Err(cause) => feed.reject(from, record, &cause),
        }
        progress.done(from, offset);
        self.settle()?;
        failpoint!(MailCommitted);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Trouble> {
        let Open { feed, progress, .. } = opened(&mut self.open)?;
        let positions = progress.due(&Assembly::default(), false);
        feed.commit(&positions)?;
        progress.committed(positions);
        Ok(())
    }

    /// Another process may have sent what stands in these partitions, so the log is read for that.
    fn known(&self) -> Result<HashSet<String>, Trouble> {
        let mut known = HashSet::new();
        read_deliveries(&self.surroundings, &mut |delivery| {
            if delivery.route == MAIL_ROUTE {
                known.insert(delivery.name.to_owned());
            }
        })?;
        Ok(known)
    }
}

fn opened(open: &mut Option<Open>) -> Result<&mut Open, Trouble> {
    open.as_mut().ok_or_else(|| Trouble::new(ConnectProblem::Log, "the feed", "it is closed"))
}

fn as_outbox_mail(mail: &Mail<'_>) -> OutboxMail {
    OutboxMail {
        id: mail.mail_id.to_owned(),
        service: mail.service.to_owned(),
        timestamp: mail.timestamp.to_owned(),
        to: mail.to.iter().map(|to| (*to).to_owned()).collect(),
        subject: mail.subject.to_owned(),
        body: mail.body.to_owned(),
    }
}

/// Who does not get a mail that others get.
fn refused_recipients(delivered: &Delivered) -> String {
    let refused: Vec<String> =
        delivered.refused.iter().map(|recipient| format!("{}: {}", recipient.address, recipient.reason)).collect();
    if refused.is_empty() { String::new() } else { format!("not for {}", refused.join("; ")) }
}

impl Edge for Outbox {
    fn name(&self) -> &str {
        "mails"
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        for fed in self.open()?.feed.poll(WAIT)? {
            match fed {
                Fed::Came(positions) => {
                    let known = self.known()?;
                    let open = opened(&mut self.open)?;
                    open.known = known;
                    open.progress.came(positions);
                }
                Fed::Go(partitions, _) => {
                    // Each mail is committed when it is done.
                    let Open { feed, progress, .. } = opened(&mut self.open)?;
                    for partition in &partitions {
                        progress.leave(partition);
                    }
                    feed.release(&partitions)?;
                }
                Fed::Records(from, records) => {
                    for record in records {
                        self.take(&from, record)?;
                    }
                }
            }
        }
        Ok(Turn::Again)
    }

    fn forget(&mut self) {
        self.open = None;
    }
}
