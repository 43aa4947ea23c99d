//! Traffic of many links, pair by pair: a registration, then its receipt.

use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, MessageCode, MessageReceipt, Receipt, RegistrationText,
    TransactionText,
};
use concord_flows::sequence_audit::Received;
use concord_schemas::Schemas;
use concord_schemas::codec::{Encoder, GP_LINKS_INTERCHANGE};
use jiff::Timestamp;

use crate::Result;
use crate::broker::topics::Publishing;
use crate::inputs::feed::now_ms;

const LETTERS: u64 = 26;
/// As many practices as three letters name.
const MOST_PAIRS: u64 = LETTERS * LETTERS * LETTERS;
/// Of the registrations of a practice, one in so many never comes, where some are to be lost.
const LOST_ONE_IN: u64 = 101;

/// Link codes of a practice and its Health Authority, and the cipher of that.
pub fn codes(pair: u64) -> (String, String, String) {
    let letter = |digit: u64| char::from(b'A' + (digit % LETTERS) as u8);
    let name: String = [letter(pair / LETTERS / LETTERS), letter(pair / LETTERS), letter(pair)].iter().collect();
    (format!("{name}5"), format!("{name}1"), name)
}

/// What was published last, and what it reveals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revealed {
    /// Key of the finding.
    pub finding: String,
    /// When what reveals it was due, milliseconds since the epoch.
    pub due_ms: i64,
}

/// See the module.
pub struct Traffic {
    pairs: u64,
    /// The next number of each practice: of interchange, message and transaction alike; its Health Authority counts receipts.
    next: Vec<Next>,
    pair: u64,
    awaits_receipt: bool,
    sent: u64,
    encoder: Encoder,
}

#[derive(Debug, Clone, Copy)]
struct Next {
    registration: u64,
    receipt: u64,
}

impl Traffic {
    /// At most as many pairs as have names.
    pub fn between(pairs: u64) -> Self {
        let pairs = pairs.min(MOST_PAIRS);
        Self {
            pairs,
            next: vec![Next { registration: 1, receipt: 1 }; pairs as usize],
            pair: 0,
            awaits_receipt: false,
            sent: 0,
            encoder: Schemas::bundled().encoder(),
        }
    }

    /// Interchanges that were published so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Publishes the next interchange, received now.
    pub fn publish(&mut self, to: &mut Publishing) -> Result<()> {
        self.publish_due(to, now_ms())
    }

    /// Publishes the next interchange as received at a time. When the practice's turn comes to a number that is lost, it goes on with the
    /// one behind it: answers the gaps that this reveals.
    pub fn publish_losing(&mut self, to: &mut Publishing, due_ms: i64) -> Result<Vec<Revealed>> {
        let number = self.next[self.pair as usize].registration;
        let is_lost = !self.awaits_receipt && (number + self.pair).is_multiple_of(LOST_ONE_IN);
        if is_lost {
            self.next[self.pair as usize].registration += 1;
        }
        let (practice, authority, _) = codes(self.pair);
        self.publish_due(to, due_ms)?;
        if !is_lost {
            return Ok(Vec::new());
        }
        let of_link = |counter| format!("gap/{counter}/{practice}/{authority}/0/{number}");
        let keys = [of_link("sis"), of_link("sms"), format!("gap/tn/{practice}/0/{number}")];
        Ok(keys.into_iter().map(|finding| Revealed { finding, due_ms }).collect())
    }

    fn publish_due(&mut self, to: &mut Publishing, due_ms: i64) -> Result<()> {
        let text = if self.awaits_receipt { self.receipt(due_ms)? } else { self.registration(due_ms)? };
        let source = format!("mesh:{}", self.sent);
        let received = Received { source: &source, workflow_id: "", received_at_ms: due_ms, content: text.as_bytes() };
        let file_id = received.file_id();
        let mut value = Vec::new();
        for piece in received.pieces(&file_id) {
            value.clear();
            self.encoder.encode(&GP_LINKS_INTERCHANGE, &piece, &mut value)?;
            to.send(&file_id, &value, due_ms)?;
        }
        self.sent += 1;
        self.go_on();
        Ok(())
    }

    fn go_on(&mut self) {
        let next = &mut self.next[self.pair as usize];
        if self.awaits_receipt {
            next.receipt += 1;
            self.pair = (self.pair + 1) % self.pairs;
        } else {
            next.registration += 1;
        }
        self.awaits_receipt = !self.awaits_receipt;
    }

    fn registration(&self, at_ms: i64) -> Result<String> {
        let (practice, authority, cipher) = codes(self.pair);
        let number = self.next[self.pair as usize].registration;
        let prepared_at = Timestamp::from_millisecond(at_ms)?;
        let mut writer = InterchangeWriter::begin(&InterchangeHeader {
            sender: practice,
            recipient: authority,
            prepared_at: Some(prepared_at),
            number: Some(number),
            application: None,
        });
        let segments = vec![
            "NAD+GP+4826940,281:900",
            "HEA+ACD+A:ZZZ",
            "S02+2",
            "PNA+PAT+9999999999:OPI+++SU:TESTER+FO:ANN",
            "DTM+329:19500101:102",
            "NAD+PAT++??:1 TEST STREET:TESTTOWN:TESTSHIRE++++TE1 1ST",
        ];
        let message = RegistrationText {
            authority_cipher: &cipher,
            prepared_at,
            transaction_type: "G1",
            transactions: vec![TransactionText { number, segments }],
        };
        writer.registration(number, &message);
        Ok(writer.finish())
    }

    /// For the registration before it.
    fn receipt(&self, at_ms: i64) -> Result<String> {
        let (practice, authority, cipher) = codes(self.pair);
        let Next { registration, receipt } = self.next[self.pair as usize];
        let prepared_at = Timestamp::from_millisecond(at_ms)?;
        let mut writer = InterchangeWriter::begin(&InterchangeHeader {
            sender: authority,
            recipient: practice,
            prepared_at: Some(prepared_at),
            number: Some(receipt),
            application: Some("RECEP".to_owned()),
        });
        let of = Receipt {
            interchange: registration - 1,
            code: Some(InterchangeCode::Received),
            stated_messages: Some(1),
            messages: vec![MessageReceipt { message: registration - 1, code: Some(MessageCode::Success) }],
        };
        writer.recep(receipt, &cipher, "4826940,281", prepared_at, &[of]);
        Ok(writer.finish())
    }
}
