//! What passes between the parts of the flow: each event once, and named by what caused it.

use std::collections::BTreeMap;

use concord_flows::sequence_audit::topology::{LINK_EVENTS, TRANSACTION_EVENTS};
use concord_schemas::codec;
use concord_schemas::sequence_audit::{InterchangeReceipt, LinkEvent, TransactionEvent};

use super::super::Outcome;
use super::super::report::Report;
use super::{REPORT_IT, Reading, place_of};

/// An interchange on its way to its link.
pub struct InterchangeEvent {
    pub sender: String,
    pub recipient: String,
    pub number: Option<u64>,
    /// Receipts, of messages and of interchanges, that it causes events of.
    receipts: u64,
}

/// The events that are still on their topics, by what caused them.
#[derive(Default)]
pub struct Events {
    /// Where the event stands, by the place of the source.
    interchanges: BTreeMap<String, Vec<(String, InterchangeEvent)>>,
    /// Receipts, by the place of the interchange event that has them.
    receipts: BTreeMap<String, u64>,
    /// Events of transactions, by the place of what caused them.
    transactions: BTreeMap<String, u64>,
    /// The oldest events were deleted, which are kept for a week.
    pub are_partly_deleted: bool,
}

impl Events {
    pub fn read(reading: &Reading<'_>, report: &mut Report) -> Outcome<Self> {
        let mut events = Self::default();
        let of_links = format!("{}.{LINK_EVENTS}.repartition", reading.application);
        let cause = |lineage: &[u8]| String::from_utf8_lossy(lineage).into_owned();
        reading.topics.each(&of_links, &mut |record| {
            let (place, cause) = (place_of(&of_links, &record), cause(&record.lineage));
            let value = record.value.as_deref().unwrap_or_default();
            let event = reading.decoder.decode(&codec::LINK_EVENT, value);
            match event.map_err(|e| format!("{place} does not decode: {e}"))? {
                LinkEvent::InterchangeSeen(seen) => {
                    let receipts = seen.messages.iter().flat_map(|message| &message.receipts);
                    // One that refuses its interchange, or names no message, is of the interchange as well.
                    let caused = |receipt: &InterchangeReceipt<'_>| {
                        let messages = receipt.messages.len() as u64;
                        messages + u64::from(receipt.is_refusal || messages == 0)
                    };
                    let event = InterchangeEvent {
                        sender: seen.sender.to_owned(),
                        recipient: seen.recipient.to_owned(),
                        number: seen.number.map(i64::cast_unsigned),
                        receipts: receipts.map(caused).sum(),
                    };
                    events.interchanges.entry(cause).or_default().push((place, event));
                }
                LinkEvent::ReceiptSeen(_) => *events.receipts.entry(cause).or_default() += 1,
                LinkEvent::TimePassed(_) => {}
            }
            report.checked("events of links", 1);
            Ok(())
        })?;
        let of_senders = format!("{}.{TRANSACTION_EVENTS}.repartition", reading.application);
        reading.topics.each(&of_senders, &mut |record| {
            let cause = cause(&record.lineage);
            let value = record.value.as_deref().unwrap_or_default();
            let event = reading.decoder.decode(&codec::TRANSACTION_EVENT, value);
            match event.map_err(|e| format!("{} does not decode: {e}", place_of(&of_senders, &record)))? {
                TransactionEvent::TransactionsSeen(_) | TransactionEvent::AuditCommand(_) => {
                    *events.transactions.entry(cause).or_default() += 1;
                }
                TransactionEvent::TimePassed(_) => {}
            }
            report.checked("events of transactions", 1);
            Ok(())
        })?;
        events.are_partly_deleted =
            reading.topics.has_lost_its_beginning(&of_links)? || reading.topics.has_lost_its_beginning(&of_senders)?;
        Ok(events)
    }

    /// The events that the source at a place has caused.
    pub fn caused_by(&self, place: &str) -> impl Iterator<Item = &InterchangeEvent> {
        self.interchanges.get(place).into_iter().flatten().map(|(_, event)| event)
    }

    /// Each interchange has caused one event for each message and each interchange that it says something of, and nothing two of transactions.
    pub fn are_each_processed_once(&self, reading: &Reading<'_>, report: &mut Report) {
        let (mut lost, mut surplus) = (0, 0);
        for (place, event) in self.interchanges.values().flatten() {
            let found = self.receipts.get(place).copied().unwrap_or_default();
            lost += event.receipts.saturating_sub(found);
            surplus += found.saturating_sub(event.receipts);
        }
        if lost + surplus > 0 && !(surplus == 0 && self.are_partly_deleted) {
            let what = format!("{lost} receipts are missing, {surplus} are there twice");
            report.find(format!("{}.{LINK_EVENTS}.repartition", reading.application), what, REPORT_IT);
        }
        let repeated = self.transactions.values().filter(|times| **times > 1).count();
        if repeated > 0 {
            let what = format!("{repeated} interchanges or commands have more than one event of transactions");
            report.find(format!("{}.{TRANSACTION_EVENTS}.repartition", reading.application), what, REPORT_IT);
        }
    }
}
