//! Between what the audit judges and what travels on its topics.

use concord_schemas::gp_links::{NHAIS_RECEP, NHAIS_REG, Side};
use concord_schemas::sequence_audit::{
    InterchangeReceipt, InterchangeSeen, LinkEvent, MessageSeen, MessageVerdict, ReceiptSeen, TransactionSeen,
    TransactionsSeen,
};

use super::finding::part_of_key;
use super::line::Sighting;
use super::link::MessageReceiptEvent;
use super::receipts::{KeptReceipt, MessageKey, Verdict};
use super::traffic::{SeenInterchange, SeenMessage, SeenReceipt, SeenTransaction, Workflow};

/// The key of a direction of a link: `TES5/XX11`.
///
/// ```
/// assert_eq!(concord_flows::sequence_audit::link_key("TES5", "XX11"), "TES5/XX11");
/// ```
#[must_use]
pub fn link_key(sender: &str, recipient: &str) -> String {
    format!("{}/{}", part_of_key(sender), part_of_key(recipient))
}

impl Workflow {
    /// MESH's id of it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Registration => NHAIS_REG,
            Self::Recep => NHAIS_RECEP,
        }
    }

    /// The workflow of an id of MESH, if it is one of GP Links.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        [Self::Registration, Self::Recep].into_iter().find(|workflow| workflow.id().eq_ignore_ascii_case(id))
    }
}

/// An interchange as it travels to its link.
#[must_use]
pub fn interchange_event(seen: &SeenInterchange, at_ms: i64) -> LinkEvent<'_> {
    LinkEvent::InterchangeSeen(InterchangeSeen {
        sender: &seen.sender,
        recipient: &seen.recipient,
        number: seen.number.map(u64::cast_signed),
        content: seen.content.map(u64::cast_signed),
        prepared_at_ms: seen.prepared_at_ms,
        at_ms,
        workflow_id: seen.workflow.map_or("", Workflow::id),
        messages: seen.messages.iter().map(message_event).collect(),
        defects: seen.defects.iter().map(String::as_str).collect(),
    })
}

fn message_event(message: &SeenMessage) -> MessageSeen<'_> {
    let receipts = message.receipts.iter().flatten().map(|receipt| InterchangeReceipt {
        interchange: receipt.interchange.cast_signed(),
        is_refusal: receipt.is_refusal,
        code: &receipt.code,
        messages: receipt
            .messages
            .iter()
            .map(|&(message, verdict)| MessageVerdict { message: message.cast_signed(), verdict: verdict.as_code() })
            .collect(),
    });
    MessageSeen {
        number: message.number.map(u64::cast_signed),
        content: message.content.map(u64::cast_signed),
        sender_side: side_word(message.sender_side),
        echoes_numbers: message.echoes_numbers,
        authority_cipher: message.authority_cipher.as_deref().unwrap_or_default(),
        transactions: message
            .transactions
            .iter()
            .map(|found| TransactionSeen {
                number: found.number.cast_signed(),
                content: found.content.map(u64::cast_signed),
            })
            .collect(),
        is_receipt: message.receipts.is_some(),
        receipts: receipts.collect(),
    }
}

/// The interchange that an event is of.
pub(super) fn interchange_of(event: &InterchangeSeen<'_>) -> SeenInterchange {
    SeenInterchange {
        sender: event.sender.to_owned(),
        recipient: event.recipient.to_owned(),
        number: event.number.map(i64::cast_unsigned),
        content: event.content.map(i64::cast_unsigned),
        prepared_at_ms: event.prepared_at_ms,
        workflow: Workflow::of_id(event.workflow_id),
        messages: event.messages.iter().map(message_of).collect(),
        defects: event.defects.iter().map(ToString::to_string).collect(),
    }
}

fn message_of(event: &MessageSeen<'_>) -> SeenMessage {
    let receipts = event.receipts.iter().map(|receipt| SeenReceipt {
        interchange: receipt.interchange.cast_unsigned(),
        is_refusal: receipt.is_refusal,
        code: receipt.code.to_owned(),
        messages: receipt
            .messages
            .iter()
            .map(|of| (of.message.cast_unsigned(), Verdict::of_code(of.verdict)))
            .collect(),
    });
    let cipher = event.authority_cipher;
    SeenMessage {
        number: event.number.map(i64::cast_unsigned),
        content: event.content.map(i64::cast_unsigned),
        sender_side: side_of_word(event.sender_side),
        echoes_numbers: event.echoes_numbers,
        authority_cipher: (!cipher.is_empty()).then(|| cipher.to_owned()),
        transactions: event
            .transactions
            .iter()
            .map(|found| SeenTransaction {
                number: found.number.cast_unsigned(),
                content: found.content.map(i64::cast_unsigned),
            })
            .collect(),
        receipts: event.is_receipt.then(|| receipts.collect()),
    }
}

/// A receipt as it travels to the link of its message.
#[must_use]
pub fn receipt_event(event: &MessageReceiptEvent, at_ms: i64) -> LinkEvent<'_> {
    LinkEvent::ReceiptSeen(ReceiptSeen {
        sender: &event.message.sender,
        recipient: &event.message.recipient,
        interchange: event.message.interchange.cast_signed(),
        message: event.message.message.cast_signed(),
        by_interchange: event.receipt.by_interchange.cast_signed(),
        by_message: event.receipt.by_message.cast_signed(),
        verdict: event.receipt.verdict.as_code(),
        prepared_at_ms: event.receipt.prepared_at_ms,
        at_ms,
    })
}

/// The receipt that an event is of.
pub(super) fn receipt_of(event: &ReceiptSeen<'_>) -> MessageReceiptEvent {
    MessageReceiptEvent {
        message: MessageKey {
            sender: event.sender.to_owned(),
            recipient: event.recipient.to_owned(),
            interchange: event.interchange.cast_unsigned(),
            message: event.message.cast_unsigned(),
        },
        receipt: KeptReceipt {
            by_interchange: event.by_interchange.cast_unsigned(),
            by_message: event.by_message.cast_unsigned(),
            verdict: Verdict::of_code(event.verdict),
            prepared_at_ms: event.prepared_at_ms,
        },
    }
}

/// The transactions of one interchange as they travel to the line of their sender.
pub(super) fn transactions_event<'a>(
    seen: &'a SeenInterchange,
    side: Option<Side>,
    sightings: &[Sighting],
    at_ms: i64,
) -> TransactionsSeen<'a> {
    TransactionsSeen {
        sender: &seen.sender,
        side: side_word(side),
        prepared_at_ms: seen.prepared_at_ms,
        at_ms,
        // An interchange is sent again as a whole.
        within_resend: sightings.first().is_some_and(|sighting| sighting.within_resend),
        transactions: sightings
            .iter()
            .map(|sighting| TransactionSeen {
                number: sighting.number.cast_signed(),
                content: sighting.content.map(u64::cast_signed),
            })
            .collect(),
    }
}

/// The sightings that an event is of.
pub(super) fn sightings_of<'e>(event: &'e TransactionsSeen<'_>) -> impl Iterator<Item = Sighting> + use<'e> {
    let (at_ms, prepared_at_ms, within_resend) = (event.at_ms, event.prepared_at_ms, event.within_resend);
    event.transactions.iter().map(move |found| Sighting {
        number: found.number.cast_unsigned(),
        content: found.content.map(i64::cast_unsigned),
        at_ms,
        prepared_at_ms,
        within_resend,
    })
}

fn side_word(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Gp) => "GP",
        Some(Side::HealthAuthority) => "HA",
        None => "",
    }
}

pub(super) fn side_of_word(word: &str) -> Option<Side> {
    match word {
        "GP" => Some(Side::Gp),
        "HA" => Some(Side::HealthAuthority),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::Workflow;
    use super::*;

    #[test]
    fn an_interchange_comes_out_of_its_event_as_it_went_in() {
        let source = b"UNB+UNOA:2+TES5+XX11+200610:1438+00000007++RECEP'\
            UNH+00000009+RECEP:0:2:FH'RFF+MIS:00000006 CP'RFF+MIS:00000007 CA'RFF+RIS:00000003 ER:3'UNT+5+00000009'\
            UNH+00000010+FHSREG:0:1:FH:FHS001'NAD+FHS+XX1:954'RFF+950:F4'RFF+TN:5'UNT+5+00000010'UNZ+2+00000008'";
        let read = concord_edifact::read_interchanges(source, concord_edifact::Strictness::Lenient);
        let seen = SeenInterchange::of(read[0].as_ref().unwrap(), Some(Workflow::Recep));
        assert!(!seen.defects.is_empty());
        let LinkEvent::InterchangeSeen(event) = interchange_event(&seen, 7) else { panic!("another event") };
        assert_eq!(event.at_ms, 7);
        assert_eq!(interchange_of(&event), seen);
    }
}
