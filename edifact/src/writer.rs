//! Writes receipts, and registrations for tests, as the earlier adaptor does: a segment a line, no line end behind the last.

use std::fmt::Write;

use jiff::Timestamp;

use super::collecting::Interchange;
use super::envelope::InterchangeHeader;
use super::receipt::{InterchangeCode, MessageCode, MessageReceipt, Receipt};
use super::uk_time;

/// The GP of a receipt for an interchange that names none.
const NO_GP: &str = "9999";

/// A registration message to be written. Texts are in their escaped form: see [`escaped`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationText<'text> {
    /// Cipher of the Health Authority.
    pub authority_cipher: &'text str,
    /// When it was prepared.
    pub prepared_at: Timestamp,
    /// `G1`, `F4`.
    pub transaction_type: &'text str,
    /// Its transactions.
    pub transactions: Vec<TransactionText<'text>>,
}

/// One transaction to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionText<'text> {
    /// Its number.
    pub number: u64,
    /// The segments behind `RFF+TN`, without terminators.
    pub segments: Vec<&'text str>,
}

/// Writes one interchange.
///
/// ```
/// use concord_edifact::{InterchangeHeader, InterchangeWriter, Strictness, read_interchanges};
///
/// let header = InterchangeHeader {
///     sender: "TES5".to_owned(),
///     recipient: "XX11".to_owned(),
///     prepared_at: Some("2020-06-10T13:38:00Z".parse()?),
///     number: Some(7),
///     application: None,
/// };
/// let text = InterchangeWriter::begin(&header).finish();
/// assert_eq!(text, "UNB+UNOA:2+TES5+XX11+200610:1438+00000007'\nUNZ+0+00000007'");
/// let read = read_interchanges(text.as_bytes(), Strictness::Strict);
/// assert_eq!(read[0].as_ref().map(|read| &read.header), Ok(&header));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct InterchangeWriter {
    text: String,
    number: u64,
    messages: u64,
    segments_of_message: u64,
}

impl InterchangeWriter {
    /// Begins with `UNB`. A header without a number or a time is written with zero and the beginning of 1970, for tests of
    /// bad traffic.
    #[must_use]
    pub fn begin(header: &InterchangeHeader) -> Self {
        let number = header.number.unwrap_or_default();
        let prepared_at = uk_time::header_of(header.prepared_at.unwrap_or_default());
        let mut writer = Self { text: String::new(), number, messages: 0, segments_of_message: 0 };
        let application = match header.application.as_deref() {
            None => String::new(),
            Some("RECEP") => "++RECEP+++EDIFACT TRANSFER".to_owned(),
            Some(other) => format!("++{other}+++FHSA EDI TRANSFERS"),
        };
        let InterchangeHeader { sender, recipient, .. } = header;
        writer.segment(format_args!("UNB+UNOA:2+{sender}+{recipient}+{prepared_at}+{number:08}{application}"));
        writer
    }

    /// Adds a registration message.
    pub fn registration(&mut self, number: u64, message: &RegistrationText<'_>) {
        self.begin_message(number, "FHSREG:0:1:FH:FHS001");
        self.segment(format_args!("BGM+++507"));
        self.segment(format_args!("NAD+FHS+{}:954", message.authority_cipher));
        self.segment(format_args!("DTM+137:{}:203", uk_time::segment_of(message.prepared_at)));
        self.segment(format_args!("RFF+950:{}", message.transaction_type));
        for transaction in &message.transactions {
            self.segment(format_args!("S01+1"));
            self.segment(format_args!("RFF+TN:{}", transaction.number));
            for text in &transaction.segments {
                self.segment(format_args!("{text}"));
            }
        }
        self.end_message(number);
    }

    /// Adds a receipt message: the lines of messages first, then that of their interchange.
    pub fn recep(&mut self, number: u64, cipher: &str, gp: &str, prepared_at: Timestamp, receipts: &[Receipt]) {
        let time = uk_time::segment_of(prepared_at);
        self.begin_message(number, "RECEP:0:2:FH");
        self.segment(format_args!("BGM++600+243:{time}:306+64"));
        self.segment(format_args!("NHS+{cipher}:819:201+{gp}:814:202"));
        self.segment(format_args!("DTM+815:{time}:306"));
        for receipt in receipts {
            for message in &receipt.messages {
                let code = message.code.map_or("??", MessageCode::as_str);
                self.segment(format_args!("RFF+MIS:{:08} {code}", message.message));
            }
            let code = receipt.code.map_or("??", InterchangeCode::as_str);
            let count = receipt.stated_messages.unwrap_or(receipt.messages.len() as u64);
            self.segment(format_args!("RFF+RIS:{:08} {code}:{count}", receipt.interchange));
        }
        self.end_message(number);
    }

    /// Ends with `UNZ`.
    #[must_use]
    pub fn finish(mut self) -> String {
        let (messages, number) = (self.messages, self.number);
        self.segment(format_args!("UNZ+{messages}+{number:08}"));
        self.text.pop();
        self.text
    }

    fn begin_message(&mut self, number: u64, of_type: &str) {
        self.messages += 1;
        self.segments_of_message = 0;
        self.segment(format_args!("UNH+{number:08}+{of_type}"));
    }

    fn end_message(&mut self, number: u64) {
        let count = self.segments_of_message + 1;
        self.segment(format_args!("UNT+{count}+{number:08}"));
    }

    fn segment(&mut self, text: std::fmt::Arguments<'_>) {
        self.segments_of_message += 1;
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(text);
        self.text.push_str("'\n");
    }
}

/// The receipt for an interchange: every message translated, as many as its `UNZ` says. `number` and `message` are the
/// sender's next ones.
#[must_use]
pub fn recep_for(received: &Interchange, number: u64, message: u64, prepared_at: Timestamp) -> String {
    let header = InterchangeHeader {
        sender: received.header.recipient.clone(),
        recipient: received.header.sender.clone(),
        prepared_at: Some(prepared_at),
        number: Some(number),
        application: Some("RECEP".to_owned()),
    };
    let numbers = received.messages.iter().filter_map(|message| message.number);
    let messages = numbers.map(|message| MessageReceipt { message, code: Some(MessageCode::Success) }).collect();
    let receipt = Receipt {
        interchange: received.header.number.unwrap_or_default(),
        code: Some(InterchangeCode::Received),
        stated_messages: received.end.stated_messages,
        messages,
    };
    let first = received.messages.first();
    let cipher = first.and_then(|first| first.authority_cipher.as_deref()).unwrap_or_default();
    let gp = first.and_then(|first| first.responsible_gp.as_deref()).unwrap_or(NO_GP);
    let mut writer = InterchangeWriter::begin(&header);
    writer.recep(message, cipher, gp, prepared_at, &[receipt]);
    writer.finish()
}

/// A value with its separators released.
///
/// ```
/// use concord_edifact::escaped;
///
/// assert_eq!(escaped("O'BRIEN?"), "O?'BRIEN??");
/// ```
#[must_use]
pub fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\'' | '+' | ':' | '?') {
            text.push('?');
        }
        text.push(character);
    }
    text
}
