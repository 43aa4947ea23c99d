//! What the earlier adaptor remembered, as it travels to a running audit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state_document::{DocumentReceipt, DocumentWorkflow, StateDocument};

/// What an audit needs to know of one document of the earlier adaptor.
///
/// Topic `gp-links.history`, key: `<sender>/<recipient>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryDocument<'a> {
    /// `NHAIS_REG` or `NHAIS_RECEP`.
    pub workflow_id: &'a str,
    /// Link code of the sender.
    pub sender: &'a str,
    /// Link code of the recipient.
    pub recipient: &'a str,
    /// Number of the interchange (SIS).
    pub interchange: Option<i64>,
    /// Number of the message (SMS).
    pub message: Option<i64>,
    /// Number of the transaction (TN); `None` of a receipt.
    pub transaction: Option<i64>,
    /// Type of the transaction, abbreviated: `ACG`; empty when it is not known.
    pub transaction_type: &'a str,
    /// When it was prepared, milliseconds since the epoch, UTC.
    pub prepared_at_ms: Option<i64>,
    /// What a receipt said of the message: `CP`, `CA`, `CI`, or another word; `None` when none came.
    pub receipt: Option<&'a str>,
    /// The interchange that brought the receipt, by the number of its sender; `None` where it is not known.
    pub receipt_interchange: Option<i64>,
    /// When the receipt was prepared, milliseconds since the epoch, UTC.
    pub receipt_prepared_at_ms: Option<i64>,
    /// When the document was loaded, milliseconds since the epoch, UTC: it counts as come then.
    pub loaded_at_ms: i64,
}

impl<'a> HistoryDocument<'a> {
    /// A document of either generation of fields, loaded at a time.
    #[must_use]
    pub fn of(document: &'a StateDocument, loaded_at_ms: i64) -> Self {
        let milliseconds = |at: Option<Timestamp>| at.map(|at| at.as_millisecond());
        let (receipt, receipt_interchange, receipt_prepared_at) = match (&document.recep, &document.recep_code) {
            (Some(recep), _) => {
                (Some(recep.code.as_deref().unwrap_or_default()), recep.interchange, recep.translated_at)
            }
            (None, Some(code)) => (Some(code.as_str()), None, document.recep_date_time),
            (None, None) => (None, None, None),
        };
        Self {
            workflow_id: match document.workflow {
                DocumentWorkflow::Registration => super::NHAIS_REG,
                DocumentWorkflow::Recep => super::NHAIS_RECEP,
            },
            sender: &document.sender,
            recipient: &document.recipient,
            interchange: document.interchange,
            message: document.message,
            transaction: document.transaction,
            transaction_type: document.transaction_type.as_deref().unwrap_or_default(),
            prepared_at_ms: milliseconds(document.translated_at),
            receipt,
            receipt_interchange,
            receipt_prepared_at_ms: milliseconds(receipt_prepared_at),
            loaded_at_ms,
        }
    }

    /// The document again, of the later generation of fields. What an audit does not need to know is gone.
    #[must_use]
    pub fn as_document(&self) -> StateDocument {
        let instant = |at: Option<i64>| at.and_then(|at| Timestamp::from_millisecond(at).ok());
        let recep = self.receipt.map(|code| DocumentReceipt {
            code: Some(code.to_owned()),
            translated_at: instant(self.receipt_prepared_at_ms),
            processed_at: None,
            interchange: self.receipt_interchange,
        });
        StateDocument {
            workflow: match self.workflow_id {
                super::NHAIS_RECEP => DocumentWorkflow::Recep,
                _ => DocumentWorkflow::Registration,
            },
            sender: self.sender.to_owned(),
            recipient: self.recipient.to_owned(),
            interchange: self.interchange,
            message: self.message,
            transaction: self.transaction,
            transaction_type: (!self.transaction_type.is_empty()).then(|| self.transaction_type.to_owned()),
            operation_id: None,
            translated_at: instant(self.prepared_at_ms),
            processed_at: None,
            recep_code: None,
            recep_date_time: None,
            recep,
        }
    }
}
