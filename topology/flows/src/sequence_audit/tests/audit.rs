//! The pure parts put together in memory, as a processor with stores and timers will put them together.

use std::collections::BTreeMap;

use concord_edifact::{Strictness, read_interchanges};
use concord_schemas::gp_links::Side;

use super::super::*;

const A_DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// States by their keys, and what is published.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Audit {
    pub links: BTreeMap<(String, String), LinkState>,
    pub transactions: BTreeMap<String, (Option<Side>, SequenceLine)>,
    pub messages: BTreeMap<MessageKey, MessageReceipts>,
    pub findings: BTreeMap<String, Finding>,
    pub recent: BTreeMap<(LineKey, RowId), RecentRow>,
}

impl Audit {
    pub fn take(&mut self, seen: &SeenInterchange, at_ms: i64, settings: &AuditSettings) {
        self.keep_deadlines(at_ms, settings);
        let mut changes = Vec::new();
        let link = self.links.entry((seen.sender.clone(), seen.recipient.clone())).or_default();
        let Ok(consequences) = link.on_interchange(seen, at_ms, settings, &mut self.recent, &mut changes);
        for key in consequences.sent {
            let receipts = self.messages.entry(key.clone()).or_default();
            let sent = SentAt { at_ms, prepared_at_ms: seen.prepared_at_ms };
            receipts.on_sent(&key, sent, &mut link.receipts, &mut changes);
            if receipts.is_settled() {
                self.messages.remove(&key);
            }
        }
        if let Some(key) = consequences.interchange
            && let Some(receipts) = self.messages.get_mut(&key)
        {
            receipts.on_sent(&key, SentAt { at_ms, prepared_at_ms: None }, &mut link.receipts, &mut changes);
            if receipts.is_settled() {
                self.messages.remove(&key);
            }
        }
        for event in consequences.receipts {
            self.take_receipt(&event, at_ms, settings, &mut changes);
        }
        let side = consequences.transactions_of;
        for sighting in &consequences.transactions {
            let (_, line) = self.transactions.entry(seen.sender.clone()).or_insert((side, SequenceLine::default()));
            let of_line = settings.of_transactions(side).unwrap();
            let key = LineKey::transactions(&seen.sender);
            let Ok(_) = line.observe(&key, sighting, &of_line, &mut self.recent, &mut changes);
        }
        self.publish(changes);
    }

    fn take_receipt(
        &mut self,
        event: &MessageReceiptEvent,
        at_ms: i64,
        settings: &AuditSettings,
        changes: &mut Vec<Change>,
    ) {
        let key = &event.message;
        let link = self.links.entry((key.sender.clone(), key.recipient.clone())).or_default();
        let was_sent = link.has_sent(key, settings);
        let receipts = self.messages.entry(key.clone()).or_default();
        receipts.on_receipt(key, event.receipt, was_sent, at_ms, &mut link.receipts, changes);
        if receipts.is_settled() {
            self.messages.remove(key);
        }
    }

    /// What the timers of a processor would do up to an instant: as often as one is due, in order.
    pub fn keep_deadlines(&mut self, now_ms: i64, settings: &AuditSettings) {
        let mut changes = Vec::new();
        for ((sender, recipient), link) in &mut self.links {
            link.on_time(sender, recipient, now_ms, settings, &mut changes);
            assert!(link.next_deadline(settings).is_none_or(|deadline| deadline > now_ms));
        }
        for (sender, (side, line)) in &mut self.transactions {
            if let Some(of_line) = settings.of_transactions(*side) {
                line.on_time(&LineKey::transactions(sender), now_ms, &of_line, &mut changes);
            }
        }
        for (key, receipts) in &mut self.messages {
            let link = self.links.get(&(key.sender.clone(), key.recipient.clone()));
            let absence = link.map_or(Absence::Missing, |link| link.absence_of(key, now_ms, settings));
            receipts.on_time(key, now_ms, absence, &settings.receipts, &mut changes);
        }
        self.publish(changes);
    }

    /// Lets all deadlines pass.
    pub fn end(&mut self, last_ms: i64, settings: &AuditSettings) {
        self.keep_deadlines(last_ms + 10 * A_DAY_MS, settings);
    }

    fn publish(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Upsert(finding) => {
                    self.findings.insert(finding.id.clone(), finding);
                }
                Change::Retract(id) => {
                    self.findings.remove(&id);
                }
            }
        }
    }

    /// Kind, state, line and numbers of what is published, without its times.
    pub fn published(&self) -> Vec<String> {
        self.findings.values().map(described).collect()
    }

    pub fn summary(&self, sender: &str, recipient: &str, settings: &AuditSettings) -> [LineSummary; 2] {
        let link = &self.links[&(sender.to_owned(), recipient.to_owned())];
        [link.interchanges.summary(&settings.interchanges), link.messages.summary(&settings.messages)]
    }
}

pub fn described(finding: &Finding) -> String {
    let numbers = finding.numbers.map_or(String::new(), |range| format!(" {}-{}", range.from, range.to));
    format!(
        "{:?} {:?} {} {}>{}{numbers}",
        finding.kind,
        finding.state,
        finding.counter.as_str(),
        finding.sender,
        finding.recipient
    )
}

/// Reads a source that has nothing outside interchanges.
pub fn read(source: &[u8]) -> Vec<SeenInterchange> {
    let read = read_interchanges(source, Strictness::Lenient);
    read.into_iter().map(|interchange| SeenInterchange::of(&interchange.unwrap(), None)).collect()
}
