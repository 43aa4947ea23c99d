//! What the audit needs to know of an interchange.

use concord_schemas::gp_links::{Side, link_code_of_cipher};
use serde::{Deserialize, Serialize};

use super::receipts::Verdict;

/// How an interchange was announced by what brought it: the MESH workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workflow {
    /// `NHAIS_REG`.
    Registration,
    /// `NHAIS_RECEP`.
    Recep,
}

/// One interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenInterchange {
    /// Link code of the sender.
    pub sender: String,
    /// Link code of the recipient.
    pub recipient: String,
    /// Its number (SIS); `None` where it is unusable.
    pub number: Option<u64>,
    /// Hash of its content, where that is known.
    pub content: Option<u64>,
    /// When it was prepared, milliseconds since the epoch.
    pub prepared_at_ms: Option<i64>,
    /// How it was announced, where it was.
    pub workflow: Option<Workflow>,
    /// Its messages.
    pub messages: Vec<SeenMessage>,
    /// What is wrong with it, in words that name no patient.
    pub defects: Vec<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeenMessage {
    /// Its number (SMS); `None` where it is unusable.
    pub number: Option<u64>,
    /// Hash of its content, where that is known.
    pub content: Option<u64>,
    /// Which side sends messages of its type; `None` where the type does not tell.
    pub sender_side: Option<Side>,
    /// Its transaction numbers are those of the recipient.
    pub echoes_numbers: bool,
    /// Cipher of the Health Authority, where it names one.
    pub authority_cipher: Option<String>,
    /// Its transactions.
    pub transactions: Vec<SeenTransaction>,
    /// The receipts in it; `None` for a message that one is due for.
    pub receipts: Option<Vec<SeenReceipt>>,
}

/// One transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenTransaction {
    /// Its number.
    pub number: u64,
    /// Hash of its content, where that is known.
    pub content: Option<u64>,
}

/// The receipt of an interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenReceipt {
    /// The interchange, by the number of its sender, who is the recipient here.
    pub interchange: u64,
    /// `NA` or `ER`: none of its data was taken, or some of it is invalid.
    pub is_refusal: bool,
    /// The code, for people.
    pub code: String,
    /// What it says of messages.
    pub messages: Vec<(u64, Verdict)>,
}

impl SeenReceipt {
    /// Whether it says something of the interchange as a whole: it refuses it, or names no message.
    #[must_use]
    pub fn is_of_interchange(&self) -> bool {
        self.is_refusal || self.messages.is_empty()
    }
}

impl SeenInterchange {
    /// On which side its sender is. What its messages are says it, then the Health Authority that they name, then the codes:
    /// those of practices end in 5, those of authorities in 1.
    ///
    /// ```
    /// use concord_flows::sequence_audit::SeenInterchange;
    /// use concord_schemas::gp_links::Side;
    ///
    /// let interchange = SeenInterchange::between("TES5", "XX11");
    /// assert_eq!(interchange.sender_side(), Some(Side::Gp));
    /// assert_eq!(SeenInterchange::between("SO01", "WHI5").sender_side(), Some(Side::HealthAuthority));
    /// assert_eq!(SeenInterchange::between("A", "B").sender_side(), None);
    /// ```
    #[must_use]
    pub fn sender_side(&self) -> Option<Side> {
        if let Some(side) = self.messages.iter().find_map(|message| message.sender_side) {
            return Some(side);
        }
        for cipher in self.messages.iter().filter_map(|message| message.authority_cipher.as_deref()) {
            let authority = link_code_of_cipher(cipher);
            if authority == self.sender {
                return Some(Side::HealthAuthority);
            }
            if authority == self.recipient {
                return Some(Side::Gp);
            }
        }
        side_of_codes(&self.sender, &self.recipient)
    }

    /// An interchange of which nothing is known but its parties.
    #[must_use]
    pub fn between(sender: &str, recipient: &str) -> Self {
        Self {
            sender: sender.to_owned(),
            recipient: recipient.to_owned(),
            number: None,
            content: None,
            prepared_at_ms: None,
            workflow: None,
            messages: Vec::new(),
            defects: Vec::new(),
        }
    }
}

/// On which side a sender is, as far as the codes of both tell.
#[must_use]
pub fn side_of_codes(sender: &str, recipient: &str) -> Option<Side> {
    match (sender.ends_with('5'), recipient.ends_with('5')) {
        (true, false) => Some(Side::Gp),
        (false, true) => Some(Side::HealthAuthority),
        _ => match (sender.ends_with('1'), recipient.ends_with('1')) {
            (true, false) => Some(Side::HealthAuthority),
            (false, true) => Some(Side::Gp),
            _ => None,
        },
    }
}
