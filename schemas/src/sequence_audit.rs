//! Values of the sequence audit's topics. The contract is `avro/*.avsc`; a test holds these types against it.

use serde::{Deserialize, Serialize};

/// What happened on a link.
///
/// Internal repartition topic, key: `<sender>/<recipient>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkEvent<'a> {
    /// An interchange came.
    #[serde(borrow, alias = "concord.sequence_audit.InterchangeSeen")]
    InterchangeSeen(InterchangeSeen<'a>),
    /// A receipt came, for a message or an interchange on this link.
    #[serde(borrow, alias = "concord.sequence_audit.ReceiptSeen")]
    ReceiptSeen(ReceiptSeen<'a>),
    /// Nothing did.
    #[serde(alias = "concord.sequence_audit.TimePassed")]
    TimePassed(TimePassed),
}

/// What the audit needs to know of an interchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterchangeSeen<'a> {
    /// Link code of the sender, as `UNB` has it.
    pub sender: &'a str,
    /// Link code of the recipient, as `UNB` has it.
    pub recipient: &'a str,
    /// Its number (SIS); `None` where it is unusable.
    pub number: Option<i64>,
    /// Hash of its content, where that is known.
    pub content: Option<i64>,
    /// When it was prepared, milliseconds since the epoch, UTC.
    pub prepared_at_ms: Option<i64>,
    /// When it was received, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// As MESH has it, `NHAIS_REG` or `NHAIS_RECEP`; empty when it is not known.
    pub workflow_id: &'a str,
    /// Its messages.
    #[serde(borrow)]
    pub messages: Vec<MessageSeen<'a>>,
    /// What is wrong with it, with codes and places, without anything of its body.
    #[serde(borrow)]
    pub defects: Vec<&'a str>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MessageSeen<'a> {
    /// Its number (SMS); `None` where it is unusable.
    pub number: Option<i64>,
    /// Hash of its content, where that is known.
    pub content: Option<i64>,
    /// Which side sends messages of its type: `GP` or `HA`; empty where the type does not tell.
    pub sender_side: &'a str,
    /// Its transaction numbers are those of the recipient.
    pub echoes_numbers: bool,
    /// Cipher of the Health Authority; empty where it names none.
    pub authority_cipher: &'a str,
    /// Its transactions.
    pub transactions: Vec<TransactionSeen>,
    /// Whether it is a receipt; for one that is none a receipt is due.
    pub is_receipt: bool,
    /// The interchanges that it acknowledges.
    #[serde(borrow)]
    pub receipts: Vec<InterchangeReceipt<'a>>,
}

/// One transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionSeen {
    /// Its number (TN).
    pub number: i64,
    /// Hash of its content, where that is known.
    pub content: Option<i64>,
}

/// The receipt of an interchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterchangeReceipt<'a> {
    /// Its number (SIS), one of the recipient of the receipt.
    pub interchange: i64,
    /// None of its data was taken, or some of it is invalid.
    pub is_refusal: bool,
    /// The code, such as `OK`, `NA` or `ER`.
    pub code: &'a str,
    /// The messages that it names.
    #[serde(borrow)]
    pub messages: Vec<MessageVerdict<'a>>,
}

/// What a receipt says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageVerdict<'a> {
    /// Its number (SMS).
    pub message: i64,
    /// `CP`, `CA`, `CI`, or `unknown`.
    pub verdict: &'a str,
}

/// The receipt of a message, or of an interchange as a whole, on its way to the link it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptSeen<'a> {
    /// Link code of the sender of the message or interchange.
    pub sender: &'a str,
    /// Link code of its recipient, who sent the receipt.
    pub recipient: &'a str,
    /// Number of the interchange (SIS).
    pub interchange: i64,
    /// Number of the message (SMS); 0 for the interchange as a whole.
    pub message: i64,
    /// Number of the interchange that brought the receipt; 0 where it is not known.
    pub by_interchange: i64,
    /// Number of the message that is the receipt; 0 where it is not known.
    pub by_message: i64,
    /// `CP`, `CA` or `CI`; of an interchange `OK`, `NA` or `ER`; or `unknown`.
    pub verdict: &'a str,
    /// When the receipt was prepared, milliseconds since the epoch, UTC.
    pub prepared_at_ms: Option<i64>,
    /// When it was received, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}

/// Nothing came until then. Only runs over files say so, whose time is that of their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimePassed {
    /// Until when, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}

/// What happened on the line of a sender's transactions.
///
/// Internal repartition topic, key: link code of the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionEvent<'a> {
    /// Transactions came.
    #[serde(borrow, alias = "concord.sequence_audit.TransactionsSeen")]
    TransactionsSeen(TransactionsSeen<'a>),
    /// An operator said something of the line.
    #[serde(borrow, alias = "concord.sequence_audit.AuditCommand")]
    AuditCommand(AuditCommand<'a>),
    /// Nothing came.
    #[serde(alias = "concord.sequence_audit.TimePassed")]
    TimePassed(TimePassed),
}

/// The transactions of an interchange that are on the line of its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionsSeen<'a> {
    /// Link code of the sender.
    pub sender: &'a str,
    /// The side of the sender: `GP` or `HA`; empty where it is not known.
    pub side: &'a str,
    /// When the interchange was prepared, milliseconds since the epoch, UTC.
    pub prepared_at_ms: Option<i64>,
    /// When it was received, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// The whole interchange was sent again.
    pub within_resend: bool,
    /// In the order of the interchange.
    pub transactions: Vec<TransactionSeen>,
}

/// What an operator knows of a line of numbers, or of a receipt. The topic is the record of who said what.
///
/// Topic `sequence-audit.command`, key: `<sender>/<recipient>`, or the sender for transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditCommand<'a> {
    /// What is said.
    pub action: AuditAction,
    /// Link code of the sender.
    pub sender: &'a str,
    /// Link code of the recipient; empty for transactions.
    pub recipient: &'a str,
    /// `sis`, `sms` or `tn`; for receipts of interchanges `sis`, of messages `sms`.
    pub counter: &'a str,
    /// The first number; of a receipt the message, or the interchange; the number used last, 0 for a line that begins.
    pub from: i64,
    /// The last number, in the order of the line; otherwise the same as `from`.
    pub to: i64,
    /// The interchange of the messages whose receipts are explained.
    pub interchange: Option<i64>,
    /// Who says it.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When it was said, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}

/// What operators can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditAction {
    /// Missing numbers are burnt, or given up.
    ExplainNumbers,
    /// No receipt will come, or one came for nothing.
    ExplainReceipt,
    /// The number that was used last before the line is watched.
    TakeOver,
}

/// One finding.
///
/// Topic `sequence-audit.finding`, compacted, key: finding id; a tombstone takes it back, since it has solved itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding<'a> {
    /// Follows from kind and subject.
    pub finding_id: &'a str,
    /// `gap`, `duplicate`, `duplicate-differs`, `late`, `epoch-change`, `link-silent`, `orphan-receipt`, `negative-receipt`,
    /// `receipt-overdue`, `envelope-mismatch` or `workflow-mismatch`.
    pub kind: &'a str,
    /// `suspected`, `confirmed`, `closed-late` or `explained`.
    pub state: &'a str,
    /// Link code of who sent, or should have sent; empty where nobody is named.
    pub sender: &'a str,
    /// To whom; empty for transactions, which are numbered over all recipients.
    pub recipient: &'a str,
    /// What `from` and `to` number: `sis` interchanges, `sms` messages, `tn` transactions.
    pub counter: &'a str,
    /// The first of the numbers it is about.
    pub from: Option<i64>,
    /// The last of them in the order of the line, which goes on at 1 behind its largest.
    pub to: Option<i64>,
    /// The interchange, where the numbers are of one message of it.
    pub interchange: Option<i64>,
    /// How often the number came, as far as that is remembered.
    pub copies: Option<i64>,
    /// More, in words: an operator's explanation, the codes of receipts, defects of an envelope; may be empty.
    pub note: &'a str,
    /// When it came to be what it is, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}
