//! One direction of a link: its interchanges, its messages, and what an interchange on it means for others.

use concord_edifact::NUMBER_UNUSABLE;
use concord_schemas::gp_links::Side;
use serde::{Deserialize, Serialize};

use super::counter::Circle;
use super::finding::{Change, Finding, FindingKind, LineKey, id_of_interchange};
use super::line::{Arrival, SequenceLine, Sighting};
use super::receipts::{Absence, KeptReceipt, MessageKey, ReceiptCounts, Verdict};
use super::recent::RecentRows;
use super::settings::{LineSettings, ReceiptSettings};
use super::traffic::{SeenInterchange, SeenReceipt};
use super::workflow_mismatch;

/// Settings of all lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSettings {
    /// Interchanges; the silence of a link is that of its interchanges.
    pub interchanges: LineSettings,
    /// Messages.
    pub messages: LineSettings,
    /// Transactions of GP systems.
    pub gp_transactions: LineSettings,
    /// Transactions of Health Authorities. `None` leaves them out: whom they are numbered for is not proven.
    pub authority_transactions: Option<LineSettings>,
    /// Receipts.
    pub receipts: ReceiptSettings,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            interchanges: LineSettings::of(Circle::REFERENCES),
            messages: LineSettings::of(Circle::REFERENCES),
            gp_transactions: LineSettings::of(Circle::GP_TRANSACTIONS),
            authority_transactions: Some(LineSettings::of(Circle::AUTHORITY_TRANSACTIONS)),
            receipts: ReceiptSettings::default(),
        }
    }
}

impl AuditSettings {
    /// The settings of a sender's transactions, if they are judged. Whose side is not known counts as a GP system's.
    #[must_use]
    pub fn of_transactions(&self, side: Option<Side>) -> Option<LineSettings> {
        match side {
            Some(Side::HealthAuthority) => self.authority_transactions,
            Some(Side::Gp) | None => Some(self.gp_transactions),
        }
    }
}

/// The state of one direction of a link. The states of its open messages are kept beside it, each under its own key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkState {
    /// Its interchanges.
    pub interchanges: SequenceLine,
    /// Its messages.
    pub messages: SequenceLine,
    /// Its receipts.
    pub receipts: ReceiptCounts,
}

/// What an interchange means beyond its own link's lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consequences {
    /// Messages of this link that a receipt is due for from now on.
    pub sent: Vec<MessageKey>,
    /// The interchange as a whole, when it is new: receipts of it may have come before.
    pub interchange: Option<MessageKey>,
    /// Numbers on the line of the sender's transactions.
    pub transactions: Vec<Sighting>,
    /// The side of the sender, which their settings follow from: see [`AuditSettings::of_transactions`].
    pub transactions_of: Option<Side>,
    /// Receipts of messages, and of interchanges as a whole, on the link in the other direction.
    pub receipts: Vec<MessageReceiptEvent>,
}

/// A receipt on its way to the link it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageReceiptEvent {
    /// The message it is about.
    pub message: MessageKey,
    /// What it says.
    pub receipt: KeptReceipt,
}

impl LinkState {
    /// Takes in an interchange of this direction. Deadlines up to `at_ms` are kept first. `rows` hold what came of late on its lines.
    ///
    /// # Errors
    /// When rows cannot be had. The link has then taken in a part, and is not to be kept.
    pub fn on_interchange<R: RecentRows>(
        &mut self,
        seen: &SeenInterchange,
        at_ms: i64,
        settings: &AuditSettings,
        rows: &mut R,
        changes: &mut Vec<Change>,
    ) -> Result<Consequences, R::Error> {
        let lines =
            (LineKey::interchanges(&seen.sender, &seen.recipient), LineKey::messages(&seen.sender, &seen.recipient));
        let mut unusable = Vec::new();
        let sighting = |number, content, within_resend| Sighting {
            number,
            content,
            at_ms,
            prepared_at_ms: seen.prepared_at_ms,
            within_resend,
        };
        let mut arrival = None;
        if let Some(number) = seen.number {
            let sighting = sighting(number, seen.content, false);
            arrival = Some(self.interchanges.observe(&lines.0, &sighting, &settings.interchanges, rows, changes)?);
            if arrival == Some(Arrival::Unusable) {
                unusable.push(format!("interchange number {number} is none"));
            }
        }
        let is_resend = arrival == Some(Arrival::Again { differs: false });
        let (came_before, was_known) =
            (matches!(arrival, Some(Arrival::Again { .. })), arrival == Some(Arrival::Known));
        let mut consequences = Consequences { transactions_of: seen.sender_side(), ..Consequences::default() };
        if !matches!(arrival, Some(Arrival::Again { .. } | Arrival::Unusable)) {
            let key = |number| MessageKey::of_interchange(&seen.sender, &seen.recipient, number);
            consequences.interchange = seen.number.map(key);
        }
        for message in &seen.messages {
            let mut is_due = true;
            if let Some(number) = message.number {
                let sighting = sighting(number, message.content, is_resend);
                let arrival = self.messages.observe(&lines.1, &sighting, &settings.messages, rows, changes)?;
                // A number that came in another interchange is another message to whoever answers it.
                is_due = match arrival {
                    Arrival::Unusable => false,
                    Arrival::Again { .. } | Arrival::Known => !came_before && !was_known,
                    Arrival::First | Arrival::New | Arrival::Closes | Arrival::Late => true,
                };
                if arrival == Arrival::Unusable {
                    unusable.push(format!("message number {number} is none"));
                }
            }
            match (&message.receipts, seen.number, message.number) {
                (Some(receipts), by_interchange, by_message) => {
                    for receipt in receipts {
                        let by = (by_interchange.unwrap_or_default(), by_message.unwrap_or_default());
                        add_receipt(&mut consequences, seen, receipt, by);
                    }
                }
                (None, Some(interchange), Some(message)) if is_due => {
                    let (sender, recipient) = (seen.sender.clone(), seen.recipient.clone());
                    consequences.sent.push(MessageKey { sender, recipient, interchange, message });
                }
                (None, ..) => {}
            }
            let of_line =
                if message.echoes_numbers { None } else { settings.of_transactions(consequences.transactions_of) };
            for found in of_line.iter().flat_map(|_| &message.transactions) {
                if of_line.is_some_and(|of_line| of_line.numbers.contains(found.number)) {
                    consequences.transactions.push(sighting(found.number, found.content, is_resend));
                } else {
                    unusable.push(format!("transaction number {} is none", found.number));
                }
            }
        }
        add_mismatch(seen, unusable, arrival, at_ms, changes);
        workflow_mismatch::judge(seen, came_before, at_ms, changes);
        Ok(consequences)
    }

    /// Acts on the deadlines of both lines that have passed.
    pub fn on_time(
        &mut self,
        sender: &str,
        recipient: &str,
        now_ms: i64,
        settings: &AuditSettings,
        changes: &mut Vec<Change>,
    ) {
        let line = LineKey::interchanges(sender, recipient);
        self.interchanges.on_time(&line, now_ms, &settings.interchanges, changes);
        let line = LineKey::messages(sender, recipient);
        self.messages.on_time(&line, now_ms, &settings.messages, changes);
    }

    /// When [`Self::on_time`] has something to do next, milliseconds since the epoch: one timer serves a link.
    #[must_use]
    pub fn next_deadline(&self, settings: &AuditSettings) -> Option<i64> {
        let of_interchanges = self.interchanges.next_deadline(&settings.interchanges);
        of_interchanges.into_iter().chain(self.messages.next_deadline(&settings.messages)).min()
    }

    /// Whether the numbers of a message, or that of an interchange, are on the lines of this link.
    #[must_use]
    pub fn has_sent(&self, message: &MessageKey, settings: &AuditSettings) -> bool {
        self.interchanges.has_seen(message.interchange, &settings.interchanges)
            && (message.is_interchange() || self.messages.has_seen(message.message, &settings.messages))
    }

    /// What the lines say of a message, or an interchange, that did not come.
    #[must_use]
    pub fn absence_of(&self, message: &MessageKey, now_ms: i64, settings: &AuditSettings) -> Absence {
        let of_interchange = self.interchanges.before_beginning_from(message.interchange, &settings.interchanges);
        let of_message = self.messages.before_beginning_from(message.message, &settings.messages);
        match of_interchange.into_iter().chain(of_message).min() {
            None => Absence::Missing,
            Some(settled_ms) if settled_ms <= now_ms => Absence::BeforeBeginning,
            Some(settled_ms) => Absence::KnownFrom(settled_ms),
        }
    }
}

fn add_receipt(
    consequences: &mut Consequences,
    seen: &SeenInterchange,
    receipt: &SeenReceipt,
    (by_interchange, by_message): (u64, u64),
) {
    let of_interchange = MessageKey::of_interchange(&seen.recipient, &seen.sender, receipt.interchange);
    let mut add = |message, verdict| {
        let receipt = KeptReceipt { by_interchange, by_message, verdict, prepared_at_ms: seen.prepared_at_ms };
        consequences.receipts.push(MessageReceiptEvent { message, receipt });
    };
    for &(message, verdict) in &receipt.messages {
        add(MessageKey { message, ..of_interchange.clone() }, verdict);
    }
    if receipt.is_of_interchange() {
        add(of_interchange, Verdict::of_code(&receipt.code));
    }
}

/// One finding for all that is wrong with an envelope. Of an interchange that came before, whole or told of, another copy with a defect says
/// nothing new; a whole one takes back what was said of the other. So in the end it stands when no copy was whole, but for numbers from
/// before the beginning of their line, of which nobody remembers that they came.
fn add_mismatch(
    seen: &SeenInterchange,
    unusable: Vec<String>,
    arrival: Option<Arrival>,
    at_ms: i64,
    changes: &mut Vec<Change>,
) {
    let kind = FindingKind::EnvelopeMismatch;
    let mut notes = seen.defects.clone();
    notes.extend(unusable.into_iter().map(|what| format!("{NUMBER_UNUSABLE}: {what}")));
    match (notes.is_empty(), arrival) {
        (false, Some(Arrival::Again { .. })) => {}
        (false, _) => changes.push(Change::Upsert(Finding::of_interchange(seen, kind, notes.join("; "), at_ms))),
        (true, Some(Arrival::Again { .. } | Arrival::Known | Arrival::Late)) => {
            changes.push(Change::Retract(id_of_interchange(seen, kind)));
        }
        (true, _) => {}
    }
}
