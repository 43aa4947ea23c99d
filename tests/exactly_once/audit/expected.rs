//! What must come out, from what went in, by code that shares nothing with the flow: interchanges are cut at their
//! separators, which the generator never releases, and faults are those that it planted.

use concord_connectors::synthetic::{Planted, PlantedFault};
use concord_flows::sequence_audit::topology::GP_LINKS_INTERCHANGE;
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::gp_links::InterchangePiece;

use crate::Outcome;
use crate::topics::Topics;

/// Number and transactions of a message.
pub type Message = (i64, Vec<i64>);

/// What an interchange says that was published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interchange {
    pub sender: String,
    pub recipient: String,
    pub number: i64,
    pub received_at_ms: i64,
    pub messages: Vec<Message>,
}

/// A receipt for a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receipt {
    /// Who sent the message, and to whom.
    pub sender: String,
    pub recipient: String,
    pub interchange: i64,
    pub message: i64,
    /// Interchange and message in which the receipt came.
    pub by: (i64, i64),
    pub code: String,
}

/// Everything that was published.
#[derive(Default)]
pub struct Traffic {
    pub interchanges: Vec<Interchange>,
    pub receipts: Vec<Receipt>,
}

impl Traffic {
    pub fn read(topics: &Topics) -> Outcome<Self> {
        let decoder = Schemas::bundled().decoder();
        let mut traffic = Self::default();
        for record in topics.read(GP_LINKS_INTERCHANGE)? {
            let value = record.value.as_deref().unwrap_or_default();
            let piece: InterchangePiece<'_> =
                decoder.decode(&codec::GP_LINKS_INTERCHANGE, value).map_err(|e| e.to_string())?;
            let text = std::str::from_utf8(piece.content).map_err(|e| e.to_string())?;
            traffic.cut(text, piece.received_at_ms).ok_or("an interchange that was published cannot be cut")?;
        }
        Ok(traffic)
    }

    fn cut(&mut self, text: &str, received_at_ms: i64) -> Option<()> {
        let mut segments = text.split('\'').map(str::trim);
        let header: Vec<&str> = segments.next()?.split('+').collect();
        let ["UNB", _, sender, recipient, _, number, ..] = header[..] else { return None };
        let (sender, recipient, number) = (sender.to_owned(), recipient.to_owned(), number.parse().ok()?);
        let mut messages: Vec<Message> = Vec::new();
        // Behind the lines of messages stands that of their interchange.
        let mut acknowledged: Vec<(i64, &str)> = Vec::new();
        for segment in segments {
            if let Some(rest) = segment.strip_prefix("UNH+") {
                messages.push((rest.split('+').next()?.parse().ok()?, Vec::new()));
            } else if let Some(transaction) = segment.strip_prefix("RFF+TN:") {
                messages.last_mut()?.1.push(transaction.parse().ok()?);
            } else if let Some(line) = segment.strip_prefix("RFF+MIS:") {
                let (message, code) = line.split_once(' ')?;
                acknowledged.push((message.parse().ok()?, code));
            } else if let Some(line) = segment.strip_prefix("RFF+RIS:") {
                let (interchange, code) = line.split_once(' ')?;
                let interchange = interchange.parse().ok()?;
                let by = (number, messages.last()?.0);
                let code = code.split(':').next()?;
                if code != "OK" || acknowledged.is_empty() {
                    // It says something of the interchange as a whole.
                    acknowledged.push((0, code));
                }
                self.receipts.extend(acknowledged.drain(..).map(|(message, code)| Receipt {
                    sender: recipient.clone(),
                    recipient: sender.clone(),
                    interchange,
                    message,
                    by,
                    code: code.to_owned(),
                }));
            }
        }
        self.interchanges.push(Interchange { sender, recipient, number, received_at_ms, messages });
        Some(())
    }
}

/// What a planted fault is found as, in the words of [`super::verifier`].
pub fn found_as(fault: &PlantedFault) -> String {
    let (kind, state) = match fault.kind {
        Planted::Lost => ("gap", "confirmed"),
        Planted::Late => ("gap", "closed-late"),
        Planted::SentAgain => ("duplicate", "confirmed"),
        Planted::SentDifferent => ("duplicate-differs", "confirmed"),
        Planted::EpochChange => ("epoch-change", "confirmed"),
        Planted::NoReceipt => ("receipt-overdue", "confirmed"),
        Planted::Refused => ("negative-receipt", "confirmed"),
        Planted::Orphan => ("orphan-receipt", "confirmed"),
    };
    let PlantedFault { sender, recipient, counter, from, to, .. } = fault;
    // Where an epoch begins is not planted but drawn.
    let numbers = if fault.kind == Planted::EpochChange { String::new() } else { format!("{from}-{to}") };
    format!("{kind} {state} {counter} {sender}>{recipient} {numbers}")
}
