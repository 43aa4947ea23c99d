//! Keeps the two lines of each direction of a link, and what is open about its messages.

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Rejection, Timer};
use concord_schemas::gp_links::HistoryDocument;
use concord_schemas::sequence_audit::{AuditAction, AuditCommand, LinkEvent, TransactionEvent};

use super::codes;
use super::command::{self, Said};
use super::counter::{Circle, Counter};
use super::deadlines::Deadlines;
use super::events::{interchange_of, link_key, receipt_event, receipt_of, transactions_event};
use super::finding::LineKey;
use super::link::{AuditSettings, LinkState, MessageReceiptEvent};
use super::publication::publish;
use super::receipts::{Absence, MessageKey, MessageReceipts, SentAt};
use super::reports::history;
use super::stored::{UnreadableState, from_stored, stored};
use super::stored_rows::StoredRows;
use super::traffic::SeenInterchange;
use super::values::{AuditFindings, KeptLink, LinkEvents, OpenMessage, TransactionEvents};

/// The timer of a link: `link/TES5/XX11`.
const LINK: &str = "link";
/// The timer of a message: `message/TES5/XX11/00000001/00000002`.
const MESSAGE: &str = "message";

/// What the links use.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// `TES5/XX11`: the lines of a link.
    pub links: StoreHandle<()>,
    /// `TES5/XX11/00000001/00000002`: messages about which something is open. They are on their link's task.
    pub messages: StoreHandle<()>,
    /// What came of late on the lines of links.
    pub recent: StoreHandle<()>,
    pub link_events: SinkHandle<LinkEvents>,
    pub transaction_events: SinkHandle<TransactionEvents>,
    pub findings: SinkHandle<AuditFindings>,
}

/// See the module.
pub(super) struct Links {
    pub handles: Handles,
    pub audit: AuditSettings,
    pub deadlines: Deadlines,
}

impl Links {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: LinkEvent<'_>) -> Result<(), ProcessError> {
        match event {
            LinkEvent::InterchangeSeen(seen) => self.take(ctx, &interchange_of(&seen), seen.at_ms),
            LinkEvent::ReceiptSeen(receipt) => self.take_receipt(ctx, &receipt_of(&receipt), receipt.at_ms),
            // The time of the task has moved on, and its timers fire.
            LinkEvent::TimePassed(_) => Ok(()),
        }
    }

    /// What the earlier adaptor remembered of a transaction or a receipt.
    pub fn on_history(&mut self, ctx: &mut Context<'_>, history: HistoryDocument<'_>) -> Result<(), ProcessError> {
        // Within the grace period from the loading on, no order matters: not that of documents, nor that with interchanges.
        let (documents, at_ms) = ([history.as_document()], history.loaded_at_ms);
        let interchanges = history::interchanges(&documents);
        if interchanges.is_empty() {
            ctx.count_filtered("document of a history without numbers");
        }
        for seen in interchanges {
            self.take(ctx, &seen, at_ms)?;
        }
        for receipt in history::receipts(&documents) {
            // Of a message about which nothing is open it says nothing new: the history was loaded before.
            if self.message(ctx, &receipt.message)?.is_some() {
                self.take_receipt(ctx, &receipt, at_ms)?;
            }
        }
        Ok(())
    }

    fn take(&self, ctx: &mut Context<'_>, seen: &SeenInterchange, at_ms: i64) -> Result<(), ProcessError> {
        let mut link = self.link(ctx, &seen.sender, &seen.recipient)?;
        let mut changes = Vec::new();
        let mut rows = StoredRows { ctx, store: self.handles.recent };
        let consequences = link.state.on_interchange(seen, at_ms, &self.audit, &mut rows, &mut changes)?;
        link.side = link.side.or(consequences.transactions_of);
        let sent = SentAt { at_ms, prepared_at_ms: seen.prepared_at_ms };
        for key in &consequences.sent {
            let known = self.message(ctx, key)?;
            let mut receipts = known.clone().unwrap_or_default();
            receipts.on_sent(key, sent, &mut link.state.receipts, &mut changes);
            self.keep_message(ctx, key, known.as_ref(), receipts, at_ms)?;
        }
        if let Some(key) = &consequences.interchange
            && let Some(known) = self.message(ctx, key)?
        {
            let mut receipts = known.clone();
            receipts.on_sent(key, sent, &mut link.state.receipts, &mut changes);
            self.keep_message(ctx, key, Some(&known), receipts, at_ms)?;
        }
        self.keep_link(ctx, link, at_ms)?;
        publish(ctx, self.handles.findings, &changes)?;
        for receipt in &consequences.receipts {
            let key = link_key(&receipt.message.sender, &receipt.message.recipient);
            ctx.send(self.handles.link_events, &key, &receipt_event(receipt, at_ms))?;
        }
        if consequences.transactions.is_empty() {
            return Ok(());
        }
        let event = transactions_event(seen, consequences.transactions_of, &consequences.transactions, at_ms);
        ctx.send(self.handles.transaction_events, &seen.sender, &TransactionEvent::TransactionsSeen(event))
    }

    fn take_receipt(&self, ctx: &mut Context<'_>, event: &MessageReceiptEvent, at_ms: i64) -> Result<(), ProcessError> {
        let key = &event.message;
        let mut link = self.link(ctx, &key.sender, &key.recipient)?;
        let mut changes = Vec::new();
        let was_sent = link.state.has_sent(key, &self.audit);
        let known = self.message(ctx, key)?;
        let mut receipts = known.clone().unwrap_or_default();
        receipts.on_receipt(key, event.receipt, was_sent, at_ms, &mut link.state.receipts, &mut changes);
        self.keep_message(ctx, key, known.as_ref(), receipts, at_ms)?;
        self.keep_link(ctx, link, at_ms)?;
        publish(ctx, self.handles.findings, &changes)
    }

    pub fn on_command(&mut self, ctx: &mut Context<'_>, command: AuditCommand<'_>) -> Result<(), ProcessError> {
        let said = command::understood(&command)?;
        if said.counter == Counter::Tn {
            check_key(ctx, command.sender)?;
            // Whose they are is known where their line is. None has more of them than Health Authorities.
            let widest = self
                .audit
                .authority_transactions
                .filter(|of| of.numbers.largest() > self.audit.gp_transactions.numbers.largest());
            command::check_numbers(&command, &widest.unwrap_or(self.audit.gp_transactions))?;
            return ctx.send(self.handles.transaction_events, command.sender, &TransactionEvent::AuditCommand(command));
        }
        let mut link = self.link(ctx, command.sender, command.recipient)?;
        let mut changes = Vec::new();
        let of_line = if said.counter == Counter::Sis { &self.audit.interchanges } else { &self.audit.messages };
        command::check_numbers(&command, of_line)?;
        if command.action == AuditAction::ExplainReceipt {
            return self.explain_receipt(ctx, &command, &said, of_line.numbers);
        }
        let (line, key, settings) = match said.counter {
            Counter::Sis => (
                &mut link.state.interchanges,
                LineKey::interchanges(command.sender, command.recipient),
                &self.audit.interchanges,
            ),
            _ => (&mut link.state.messages, LineKey::messages(command.sender, command.recipient), &self.audit.messages),
        };
        let mut rows = StoredRows { ctx, store: self.handles.recent };
        command::obey(line, &key, &command, &said, settings, &mut rows, &mut changes)?;
        self.keep_link(ctx, link, command.at_ms)?;
        publish(ctx, self.handles.findings, &changes)
    }

    fn explain_receipt(
        &self,
        ctx: &mut Context<'_>,
        command: &AuditCommand<'_>,
        said: &Said,
        numbers: Circle,
    ) -> Result<(), ProcessError> {
        let mut changes = Vec::new();
        let mut number = said.numbers.from;
        for _ in 0..=numbers.steps(said.numbers.from, said.numbers.to) {
            let key = command::receipted(command, number);
            number = numbers.successor(number);
            let Some(known) = self.message(ctx, &key)? else {
                ctx.count_filtered("command for a message about which nothing is open");
                continue;
            };
            let mut receipts = known.clone();
            receipts.explain(&key, &said.why, command.at_ms, &mut changes);
            self.keep_message(ctx, &key, Some(&known), receipts, command.at_ms)?;
        }
        publish(ctx, self.handles.findings, &changes)
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let Some(deadline_ms) = self.deadlines.passed(ctx, timer)? else { return Ok(()) };
        let mut changes = Vec::new();
        if let Some(key) = timer.key.strip_prefix(b"message/") {
            let Some(bytes) = ctx.get(self.handles.messages, key)? else { return Ok(()) };
            let OpenMessage { key, mut receipts } = from_stored(&bytes).map_err(unreadable)?;
            let known = receipts.clone();
            let absence =
                if receipts.is_unclaimed() { self.absence(ctx, &key, deadline_ms)? } else { Absence::Missing };
            receipts.on_time(&key, deadline_ms, absence, &self.audit.receipts, &mut changes);
            self.keep_message(ctx, &key, Some(&known), receipts, deadline_ms)?;
        } else if let Some(key) = timer.key.strip_prefix(b"link/") {
            let Some(bytes) = ctx.get(self.handles.links, key)? else { return Ok(()) };
            let mut link: KeptLink = from_stored(&bytes).map_err(unreadable)?;
            link.timer_for_ms = None;
            link.state.on_time(&link.sender, &link.recipient, deadline_ms, &self.audit, &mut changes);
            self.keep_link(ctx, link, deadline_ms)?;
        }
        publish(ctx, self.handles.findings, &changes)
    }

    /// What the link of a message that did not come says of it.
    fn absence(&self, ctx: &Context<'_>, key: &MessageKey, now_ms: i64) -> Result<Absence, ProcessError> {
        let Some(bytes) = ctx.get(self.handles.links, link_key(&key.sender, &key.recipient).as_bytes())? else {
            return Ok(Absence::Missing);
        };
        let link: KeptLink = from_stored(&bytes).map_err(unreadable)?;
        Ok(link.state.absence_of(key, now_ms, &self.audit))
    }

    /// The link that the record in hand is about.
    fn link(&self, ctx: &Context<'_>, sender: &str, recipient: &str) -> Result<KeptLink, ProcessError> {
        let key = link_key(sender, recipient);
        check_key(ctx, &key)?;
        match ctx.get(self.handles.links, key.as_bytes())? {
            Some(bytes) => Ok(from_stored(&bytes).map_err(unreadable)?),
            None => Ok(KeptLink {
                sender: sender.to_owned(),
                recipient: recipient.to_owned(),
                side: None,
                state: LinkState::default(),
                timer_for_ms: None,
            }),
        }
    }

    fn keep_link(&self, ctx: &mut Context<'_>, mut link: KeptLink, at_ms: i64) -> Result<(), ProcessError> {
        let key = link_key(&link.sender, &link.recipient);
        // A timer that fires when there is nothing to do yet is set again: most deadlines move with every interchange.
        if let Some(deadline_ms) = link.state.next_deadline(&self.audit)
            && Deadlines::moves(link.timer_for_ms, deadline_ms, at_ms)
        {
            self.deadlines.set(ctx, format!("{LINK}/{key}").as_bytes(), deadline_ms, at_ms)?;
            link.timer_for_ms = Some(deadline_ms);
        }
        ctx.put_bytes(self.handles.links, key.as_bytes(), Bytes::from(stored(&link).map_err(unreadable)?))
    }

    fn message(&self, ctx: &Context<'_>, key: &MessageKey) -> Result<Option<MessageReceipts>, ProcessError> {
        match ctx.get(self.handles.messages, key.to_string().as_bytes())? {
            Some(bytes) => Ok(Some(from_stored::<OpenMessage>(&bytes).map_err(unreadable)?.receipts)),
            None => Ok(None),
        }
    }

    /// Keeps what is open about a message, or drops it when nothing is. `known` is what was kept of it before.
    fn keep_message(
        &self,
        ctx: &mut Context<'_>,
        key: &MessageKey,
        known: Option<&MessageReceipts>,
        receipts: MessageReceipts,
        at_ms: i64,
    ) -> Result<(), ProcessError> {
        let settings = &self.audit.receipts;
        let (before, next) = (known.and_then(|known| known.next_deadline(settings)), receipts.next_deadline(settings));
        let (stored_under, timer) = (key.to_string(), format!("{MESSAGE}/{key}"));
        match next {
            Some(deadline_ms) if before != next => self.deadlines.set(ctx, timer.as_bytes(), deadline_ms, at_ms)?,
            None if before.is_some() => self.deadlines.cancel(ctx, timer.as_bytes())?,
            _ => {}
        }
        if !receipts.is_settled() {
            let open = OpenMessage { key: key.clone(), receipts };
            let bytes = Bytes::from(stored(&open).map_err(unreadable)?);
            return ctx.put_bytes(self.handles.messages, stored_under.as_bytes(), bytes);
        }
        if known.is_some() {
            ctx.delete(self.handles.messages, stored_under.as_bytes())?;
        }
        Ok(())
    }
}

pub(super) fn check_key(ctx: &Context<'_>, expected: &str) -> Result<(), ProcessError> {
    if ctx.key()? == expected {
        return Ok(());
    }
    let message = "a record under another key than the link or the sender it is about: correct the producer";
    Err(Rejection::by_processor(codes::KEY_DIFFERS, message).into())
}

pub(super) fn unreadable(error: UnreadableState) -> Rejection {
    Rejection::by_processor(codes::STATE_UNREADABLE, error.to_string())
}
