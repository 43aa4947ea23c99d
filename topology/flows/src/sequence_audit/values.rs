//! The kinds of values on the flow's topics, and what its stores hold.

use concord_engine::value::Value;
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::gp_links::{HistoryDocument, InterchangePiece, Side};
use concord_schemas::sequence_audit as types;
use serde::{Deserialize, Serialize};

use super::line::SequenceLine;
use super::link::LinkState;
use super::receipts::{MessageKey, MessageReceipts};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $value:ty, $schema:ident;)*) => {$(
        $(#[$doc])*
        pub struct $kind;

        impl Value for $kind {
            type Of<'a> = $value;

            fn schema() -> &'static TopicSchema {
                &codec::$schema
            }
        }
    )*};
}

kinds! {
    /// Interchanges as they are received.
    InterchangePieces = InterchangePiece<'a>, GP_LINKS_INTERCHANGE;
    /// What the earlier adaptor remembered.
    HistoryDocuments = HistoryDocument<'a>, GP_LINKS_HISTORY;
    /// What happened on links.
    LinkEvents = types::LinkEvent<'a>, LINK_EVENT;
    /// What happened on lines of transactions.
    TransactionEvents = types::TransactionEvent<'a>, TRANSACTION_EVENT;
    /// What operators know.
    AuditCommands = types::AuditCommand<'a>, AUDIT_COMMAND;
    /// Findings.
    AuditFindings = types::AuditFinding<'a>, AUDIT_FINDING;
}

/// A direction of a link, as the store `links` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLink {
    /// Link code of the sender.
    pub sender: String,
    /// Link code of the recipient.
    pub recipient: String,
    /// On which side the sender is, as far as its interchanges have told.
    pub side: Option<Side>,
    /// Its lines.
    pub state: LinkState,
    /// The deadline that its timer waits for.
    pub(super) timer_for_ms: Option<i64>,
}

/// A message about which something is open, as the store `link-messages` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMessage {
    /// Which message.
    pub key: MessageKey,
    /// Its receipts.
    pub receipts: MessageReceipts,
}

/// The transactions of a sender, as the store `transaction-lines` holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTransactions {
    /// Link code of the sender.
    pub sender: String,
    /// On which side the sender is, as far as its interchanges have told.
    pub side: Option<Side>,
    /// The line.
    pub line: SequenceLine,
    /// The deadline that its timer waits for.
    pub(super) timer_for_ms: Option<i64>,
}
