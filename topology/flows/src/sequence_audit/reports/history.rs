//! The documents of the earlier adaptor as the traffic that they were made of.

use std::collections::BTreeMap;

use concord_schemas::gp_links::{DocumentWorkflow, Side, StateDocument, TransactionType};

use super::super::link::MessageReceiptEvent;
use super::super::receipts::{KeptReceipt, MessageKey, Verdict};
use super::super::traffic::{SeenInterchange, SeenMessage, SeenTransaction};

/// Sender, recipient and number of an interchange.
type Numbered<'code> = (&'code str, &'code str, u64);
/// An interchange, and its messages by their numbers.
type Parts = (SeenInterchange, BTreeMap<u64, SeenMessage>);

/// The interchanges that documents are of, in order of sender, recipient and number. The content of none is known, nor what the
/// receipts among them say; messages without a transaction left no document, so their numbers look missing. What was sent to
/// answer a message of a Health Authority does not say which message that was, so no receipt is waited for.
#[must_use]
pub fn interchanges(documents: &[StateDocument]) -> Vec<SeenInterchange> {
    let mut found: BTreeMap<Numbered<'_>, Parts> = BTreeMap::new();
    for document in documents {
        let (Some(interchange), Some(message)) = (positive(document.interchange), positive(document.message)) else {
            continue;
        };
        let (sender, recipient) = (document.sender.as_str(), document.recipient.as_str());
        let (of_interchange, messages) = found.entry((sender, recipient, interchange)).or_insert_with(|| {
            (
                SeenInterchange { number: Some(interchange), ..SeenInterchange::between(sender, recipient) },
                BTreeMap::new(),
            )
        });
        let prepared = document.translated_at.map(|at| at.as_millisecond());
        of_interchange.prepared_at_ms = of_interchange.prepared_at_ms.or(prepared);
        let of_type = document.transaction_type.as_deref().and_then(TransactionType::of_abbreviation);
        let sender_side = of_type.map(|of_type| of_type.sender);
        let is_unanswered = document.workflow == DocumentWorkflow::Recep || sender_side == Some(Side::HealthAuthority);
        let of_message = messages.entry(message).or_insert_with(|| SeenMessage {
            number: Some(message),
            sender_side,
            echoes_numbers: of_type.is_some_and(|of_type| of_type.echoes_number),
            receipts: is_unanswered.then(Vec::new),
            ..SeenMessage::default()
        });
        if let Some(number) = positive(document.transaction) {
            of_message.transactions.push(SeenTransaction { number, content: None });
        }
    }
    let finished = found.into_values().map(|(mut interchange, messages)| {
        interchange.messages = messages.into_values().collect();
        interchange
    });
    finished.collect()
}

/// The receipts that documents hold, of either generation. Of the early one the interchange they came in is not known.
#[must_use]
pub fn receipts(documents: &[StateDocument]) -> Vec<MessageReceiptEvent> {
    let mut found = Vec::new();
    for document in documents {
        let (Some(interchange), Some(message)) = (positive(document.interchange), positive(document.message)) else {
            continue;
        };
        let (code, prepared, by_interchange) = match (&document.recep, document.recep_code.as_deref()) {
            (Some(recep), _) => (recep.code.as_deref(), recep.translated_at, positive(recep.interchange)),
            (None, Some(code)) => (Some(code), document.recep_date_time, None),
            (None, None) => continue,
        };
        let verdict = match code {
            Some("CP" | "SUCCESS") => Verdict::Success,
            Some("CA" | "ERROR") => Verdict::Error,
            Some("CI" | "INCOMPLETE") => Verdict::Incomplete,
            _ => Verdict::Unknown,
        };
        found.push(MessageReceiptEvent {
            message: MessageKey {
                sender: document.sender.clone(),
                recipient: document.recipient.clone(),
                interchange,
                message,
            },
            receipt: KeptReceipt {
                by_interchange: by_interchange.unwrap_or_default(),
                by_message: 0,
                verdict,
                prepared_at_ms: prepared.map(|at| at.as_millisecond()),
            },
        });
    }
    found
}

fn positive(number: Option<i64>) -> Option<u64> {
    u64::try_from(number?).ok().filter(|&number| number > 0)
}
