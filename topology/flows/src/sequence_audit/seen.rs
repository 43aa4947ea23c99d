//! From an interchange as it was read to what the audit needs to know of it.

use concord_edifact::{Interchange, InterchangeCode, Message, MessageCode, MessageKind};

use super::receipts::Verdict;
use super::traffic::{SeenInterchange, SeenMessage, SeenReceipt, SeenTransaction, Workflow};

/// Defects of an interchange that are told one by one; of more only their number is.
const MOST_DEFECTS: usize = 20;

impl SeenInterchange {
    /// What was read, and how it was announced.
    #[must_use]
    pub fn of(read: &Interchange, workflow: Option<Workflow>) -> Self {
        Self {
            sender: read.header.sender.clone(),
            recipient: read.header.recipient.clone(),
            number: read.header.number,
            content: Some(read.end.content),
            prepared_at_ms: read.header.prepared_at.map(|at| at.as_millisecond()),
            workflow,
            messages: read.messages.iter().map(message).collect(),
            defects: told(&read.defects),
        }
    }
}

/// Defects in words.
pub(super) fn told(defects: &[concord_edifact::Defect]) -> Vec<String> {
    let mut words: Vec<String> = defects.iter().take(MOST_DEFECTS).map(ToString::to_string).collect();
    if defects.len() > MOST_DEFECTS {
        words.push(format!("and {} more", defects.len() - MOST_DEFECTS));
    }
    words
}

fn message(message: &Message) -> SeenMessage {
    let transactions = message
        .transactions
        .iter()
        .filter_map(|found| Some(SeenTransaction { number: found.number?, content: Some(found.content) }));
    SeenMessage {
        number: message.number,
        content: Some(message.content),
        sender_side: message.known_type().map(|known| known.sender),
        echoes_numbers: message.known_type().is_some_and(|known| known.echoes_number),
        authority_cipher: message.authority_cipher.clone(),
        transactions: transactions.collect(),
        receipts: (message.kind == MessageKind::Receipt).then(|| message.receipts.iter().map(receipt).collect()),
    }
}

fn receipt(receipt: &concord_edifact::Receipt) -> SeenReceipt {
    SeenReceipt {
        interchange: receipt.interchange,
        is_refusal: receipt.code.is_some_and(|code| code != InterchangeCode::Received),
        code: receipt.code.map_or("unknown", InterchangeCode::as_str).to_owned(),
        messages: receipt.messages.iter().map(|of| (of.message, verdict(of.code))).collect(),
    }
}

fn verdict(code: Option<MessageCode>) -> Verdict {
    match code {
        Some(MessageCode::Success) => Verdict::Success,
        Some(MessageCode::Error) => Verdict::Error,
        Some(MessageCode::Incomplete) => Verdict::Incomplete,
        None => Verdict::Unknown,
    }
}
