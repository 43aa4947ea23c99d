//! What the earlier adaptor remembered of a transaction or of a receipt.

use jiff::Timestamp;

/// What a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentWorkflow {
    /// One transaction of a registration.
    Registration,
    /// One receipt message.
    Recep,
}

/// One document of `inboundState` or `outboundState`, of either generation of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDocument {
    /// What it is of.
    pub workflow: DocumentWorkflow,
    /// Link code of the sender.
    pub sender: String,
    /// Link code of the recipient.
    pub recipient: String,
    /// Number of the interchange (`intSeq`).
    pub interchange: Option<i64>,
    /// Number of the message (`msgSeq`).
    pub message: Option<i64>,
    /// Number of the transaction (`tn`); none of a receipt.
    pub transaction: Option<i64>,
    /// Type of the transaction, abbreviated: `ACG`.
    pub transaction_type: Option<String>,
    /// `operationId`; none of a receipt.
    pub operation_id: Option<String>,
    /// `translationTimestamp`.
    pub translated_at: Option<Timestamp>,
    /// `processedTimestamp`; none before release 1.4.0.
    pub processed_at: Option<Timestamp>,
    /// Releases before 1.4.0: `recepCode`.
    pub recep_code: Option<String>,
    /// Releases before 1.4.0: `recepDateTime`.
    pub recep_date_time: Option<Timestamp>,
    /// Release 1.4.0 and later: the document `recep`.
    pub recep: Option<DocumentReceipt>,
}

/// The receipt in a document of release 1.4.0 or later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentReceipt {
    /// `SUCCESS`, `ERROR`, `INCOMPLETE`.
    pub code: Option<String>,
    /// When the receipt was prepared.
    pub translated_at: Option<Timestamp>,
    /// When it was taken in.
    pub processed_at: Option<Timestamp>,
    /// The interchange it came in, by the number of the Health Authority.
    pub interchange: Option<i64>,
}
