//! Receipts as plain sets: of the messages that were sent, those that no receipt names.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::sequence_audit::topology::{FINDING, LINK_MESSAGES};
use concord_flows::sequence_audit::values::OpenMessage;
use concord_flows::sequence_audit::{MessageKey, SeenInterchange, from_stored};

use super::super::Outcome;
use super::super::report::Report;
use super::inputs::Inputs;
use super::published::{Published, Standing};
use super::{REPORT_IT, Reading, VERIFY_AGAIN};

/// What came of messages and receipts.
#[derive(Default)]
struct Came {
    /// Messages that a receipt is due for.
    sent: BTreeSet<MessageKey>,
    /// Those whose number came in several interchanges, or that came with several contents: whether each awaits a receipt of its own the
    /// numbers do not say.
    unclear: BTreeSet<MessageKey>,
    /// Messages that receipts name.
    receipted: BTreeSet<MessageKey>,
    /// Messages that were not taken, as receipts say.
    negative: BTreeSet<MessageKey>,
    /// Interchanges of which receipts say that they were not taken, or not whole: sender, recipient, number.
    refused: BTreeSet<(String, String, u64)>,
}

/// Holds the open messages of the store against what came, and the findings against both.
pub fn are_what_is_published(
    reading: &Reading<'_>,
    inputs: &Inputs,
    published: &Published,
    report: &mut Report,
) -> Outcome<()> {
    let came = Came::of(inputs);
    let changelog = format!("{}.{LINK_MESSAGES}.changelog", reading.application);
    let open = open_messages(reading, &changelog)?;
    report.checked("messages that a receipt is due for", came.sent.len() as u64);
    report.checked("messages about which something is open", open.len() as u64);

    let waiting: BTreeSet<&MessageKey> =
        open.values().filter(|open| open.receipts.is_outstanding()).map(|open| &open.key).collect();
    let is_clear = |key: &&MessageKey| !came.unclear.contains(*key) && !inputs.given_up.contains(*key);
    let has_receipt = waiting.iter().copied().filter(is_clear).filter(|key| came.receipted.contains(*key)).count();
    let (mut lost, mut unknown) = (0, 0);
    if inputs.are_complete {
        let without = came.sent.difference(&came.receipted).filter(is_clear);
        lost = without.filter(|key| !waiting.contains(key)).count();
        unknown = waiting.iter().copied().filter(|key| is_clear(key) && !came.sent.contains(*key)).count();
    }
    if has_receipt + lost + unknown > 0 {
        let what = format!(
            "{lost} messages without a receipt are not waited for, {has_receipt} are waited for and have one, {unknown} \
             are waited for and were not sent"
        );
        report.find(changelog, what, REPORT_IT);
    }
    let is_over = |open: &&OpenMessage| open.receipts.next_deadline(&reading.audit.receipts).is_none();
    let (overdue, orphans): (BTreeSet<_>, BTreeSet<_>) = (
        open.values()
            .filter(is_over)
            .filter(|open| open.receipts.is_outstanding())
            .map(|open| open.key.clone())
            .collect(),
        open.values().filter(|open| open.receipts.is_orphan()).map(|open| open.key.clone()).collect(),
    );
    for (kind, expected) in [("receipt-overdue", overdue), ("orphan-receipt", orphans)] {
        let told_as = |state: &str| -> BTreeSet<MessageKey> {
            published.of_kind(kind).filter(|standing| standing.state == state).filter_map(message_of).collect()
        };
        let (told, explained) = (told_as("confirmed"), told_as("explained"));
        let untold = expected.iter().filter(|key| !told.contains(*key) && !explained.contains(*key)).count();
        let unfounded = told.difference(&expected).count();
        if untold + unfounded > 0 {
            let what = format!("{untold} of {kind} are not told, {unfounded} are told and not so");
            report.find(FINDING, what, VERIFY_AGAIN);
        }
    }
    negative_receipts_are_told(&came, inputs, published, report);
    Ok(())
}

fn negative_receipts_are_told(came: &Came, inputs: &Inputs, published: &Published, report: &mut Report) {
    let (mut messages, mut interchanges) = (BTreeSet::new(), BTreeSet::new());
    for standing in published.of_kind("negative-receipt") {
        let Some((number, _)) = standing.numbers else { continue };
        if standing.counter == "sms" {
            messages.extend(message_of(standing));
        } else {
            interchanges.insert((standing.sender.clone(), standing.recipient.clone(), number));
        }
    }
    let untold = came.negative.difference(&messages).count() + came.refused.difference(&interchanges).count();
    let mut unfounded = 0;
    if inputs.are_complete {
        unfounded = messages.difference(&came.negative).count() + interchanges.difference(&came.refused).count();
    }
    if untold + unfounded > 0 {
        let what = format!("{untold} of negative-receipt are not told, {unfounded} are told and not so");
        report.find(FINDING, what, REPORT_IT);
    }
}

fn message_of(standing: &Standing) -> Option<MessageKey> {
    let interchange = MessageKey::of_interchange(&standing.sender, &standing.recipient, standing.interchange?);
    let message = if standing.counter == "sis" { 0 } else { standing.numbers?.0 };
    Some(MessageKey { message, ..interchange })
}

/// What following the changelog of the store makes.
fn open_messages(reading: &Reading<'_>, changelog: &str) -> Outcome<BTreeMap<Vec<u8>, OpenMessage>> {
    let mut open = BTreeMap::new();
    reading.topics.each(changelog, &mut |record| {
        match &record.value {
            None => drop(open.remove(&record.key)),
            Some(value) => {
                let message: OpenMessage = from_stored(value).map_err(|e| format!("{changelog}: {e}"))?;
                open.insert(record.key, message);
            }
        }
        Ok(())
    })?;
    Ok(open)
}

impl Came {
    fn of(inputs: &Inputs) -> Self {
        let mut came = Self::default();
        let mut interchange_of: BTreeMap<(&str, &str, u64), u64> = BTreeMap::new();
        let mut content_of: BTreeMap<MessageKey, u64> = BTreeMap::new();
        for seen in inputs.history.iter().chain(&inputs.interchanges) {
            came.take_receipts(seen);
            let of_line = seen.messages.iter().filter(|message| message.receipts.is_none());
            for message in of_line {
                let (Some(interchange), Some(number)) = (seen.number, message.number) else { continue };
                let key = MessageKey {
                    sender: seen.sender.clone(),
                    recipient: seen.recipient.clone(),
                    interchange,
                    message: number,
                };
                let first = *interchange_of.entry((&seen.sender, &seen.recipient, number)).or_insert(interchange);
                if first != interchange {
                    came.unclear.insert(MessageKey { interchange: first, ..key.clone() });
                    came.unclear.insert(key.clone());
                }
                if let Some(content) = message.content
                    && *content_of.entry(key.clone()).or_insert(content) != content
                {
                    came.unclear.insert(key.clone());
                }
                came.sent.insert(key);
            }
        }
        for event in &inputs.history_receipts {
            came.receipted.insert(event.message.clone());
            if event.receipt.verdict.is_negative() {
                came.negative.insert(event.message.clone());
            }
        }
        came
    }

    fn take_receipts(&mut self, seen: &SeenInterchange) {
        let (sender, recipient) = (&seen.recipient, &seen.sender);
        for receipt in seen.messages.iter().flat_map(|message| message.receipts.iter().flatten()) {
            for &(message, verdict) in &receipt.messages {
                let (sender, recipient) = (sender.clone(), recipient.clone());
                let key = MessageKey { sender, recipient, interchange: receipt.interchange, message };
                if verdict.is_negative() {
                    self.negative.insert(key.clone());
                }
                self.receipted.insert(key);
            }
            if receipt.is_refusal {
                self.refused.insert((sender.clone(), recipient.clone(), receipt.interchange));
            }
        }
    }
}
