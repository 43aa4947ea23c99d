//! Keeps the line of each sender's transactions, which are numbered over all recipients.

use bytes::Bytes;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError, Timer};
use concord_schemas::sequence_audit::{AuditCommand, TransactionEvent, TransactionsSeen};

use super::command;
use super::deadlines::Deadlines;
use super::events::{side_of_word, sightings_of};
use super::finding::LineKey;
use super::line::SequenceLine;
use super::link::AuditSettings;
use super::links::{check_key, unreadable};
use super::publication::publish;
use super::stored::{from_stored, stored};
use super::stored_rows::StoredRows;
use super::values::{AuditFindings, KeptTransactions};

/// What the transactions use.
#[derive(Clone, Copy)]
pub(super) struct Handles {
    /// `TES5`: the line of a sender.
    pub lines: StoreHandle<()>,
    /// What came of late on them.
    pub recent: StoreHandle<()>,
    pub findings: SinkHandle<AuditFindings>,
}

/// See the module.
pub(super) struct Transactions {
    pub handles: Handles,
    pub audit: AuditSettings,
    pub deadlines: Deadlines,
}

impl Transactions {
    pub fn on_event(&mut self, ctx: &mut Context<'_>, event: TransactionEvent<'_>) -> Result<(), ProcessError> {
        match event {
            TransactionEvent::TransactionsSeen(seen) => self.take(ctx, &seen),
            TransactionEvent::AuditCommand(command) => self.obey(ctx, &command),
            // The time of the task has moved on, and its timers fire.
            TransactionEvent::TimePassed(_) => Ok(()),
        }
    }

    fn take(&self, ctx: &mut Context<'_>, seen: &TransactionsSeen<'_>) -> Result<(), ProcessError> {
        let mut kept = self.kept(ctx, seen.sender)?;
        kept.side = kept.side.or(side_of_word(seen.side));
        let Some(settings) = self.audit.of_transactions(kept.side) else {
            ctx.count_filtered("transactions of a side whose numbers are not judged");
            return Ok(());
        };
        let (key, mut changes) = (LineKey::transactions(seen.sender), Vec::new());
        let mut rows = StoredRows { ctx, store: self.handles.recent };
        for sighting in sightings_of(seen) {
            kept.line.observe(&key, &sighting, &settings, &mut rows, &mut changes)?;
        }
        self.keep(ctx, kept, seen.at_ms)?;
        publish(ctx, self.handles.findings, &changes)
    }

    fn obey(&self, ctx: &mut Context<'_>, command: &AuditCommand<'_>) -> Result<(), ProcessError> {
        let said = command::understood(command)?;
        let mut kept = self.kept(ctx, command.sender)?;
        let Some(settings) = self.audit.of_transactions(kept.side) else {
            ctx.count_filtered("command for a line that is not judged");
            return Ok(());
        };
        if command::check_numbers(command, &settings).is_err() {
            ctx.count_filtered("command about numbers that its line does not have");
            return Ok(());
        }
        let mut changes = Vec::new();
        let key = LineKey::transactions(command.sender);
        let mut rows = StoredRows { ctx, store: self.handles.recent };
        command::obey(&mut kept.line, &key, command, &said, &settings, &mut rows, &mut changes)?;
        self.keep(ctx, kept, command.at_ms)?;
        publish(ctx, self.handles.findings, &changes)
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &Timer) -> Result<(), ProcessError> {
        let Some(deadline_ms) = self.deadlines.passed(ctx, timer)? else { return Ok(()) };
        let Some(bytes) = ctx.get(self.handles.lines, &timer.key)? else { return Ok(()) };
        let mut kept: KeptTransactions = from_stored(&bytes).map_err(unreadable)?;
        kept.timer_for_ms = None;
        let Some(settings) = self.audit.of_transactions(kept.side) else { return Ok(()) };
        let mut changes = Vec::new();
        kept.line.on_time(&LineKey::transactions(&kept.sender), deadline_ms, &settings, &mut changes);
        self.keep(ctx, kept, deadline_ms)?;
        publish(ctx, self.handles.findings, &changes)
    }

    fn kept(&self, ctx: &Context<'_>, sender: &str) -> Result<KeptTransactions, ProcessError> {
        check_key(ctx, sender)?;
        match ctx.get(self.handles.lines, sender.as_bytes())? {
            Some(bytes) => Ok(from_stored(&bytes).map_err(unreadable)?),
            None => Ok(KeptTransactions {
                sender: sender.to_owned(),
                side: None,
                line: SequenceLine::default(),
                timer_for_ms: None,
            }),
        }
    }

    fn keep(&self, ctx: &mut Context<'_>, mut kept: KeptTransactions, at_ms: i64) -> Result<(), ProcessError> {
        let next = self.audit.of_transactions(kept.side).and_then(|settings| kept.line.next_deadline(&settings));
        if let Some(deadline_ms) = next
            && Deadlines::moves(kept.timer_for_ms, deadline_ms, at_ms)
        {
            self.deadlines.set(ctx, kept.sender.as_bytes(), deadline_ms, at_ms)?;
            kept.timer_for_ms = Some(deadline_ms);
        }
        let bytes = Bytes::from(stored(&kept).map_err(unreadable)?);
        ctx.put_bytes(self.handles.lines, kept.sender.as_bytes(), bytes)
    }
}
