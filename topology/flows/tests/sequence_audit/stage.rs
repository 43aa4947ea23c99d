//! A driven topology, and what its topics and stores say.

use std::collections::BTreeMap;

use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, MessageCode, MessageReceipt, Receipt, RegistrationText,
    TransactionText,
};
use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_flows::sequence_audit::topology::{
    COMMAND, FINDING, GP_LINKS_INTERCHANGE, LINK_MESSAGES, LINKS, TRANSACTION_LINES,
};
use concord_flows::sequence_audit::values::{
    AuditCommands, AuditFindings, InterchangePieces, KeptLink, KeptTransactions, OpenMessage,
};
use concord_flows::sequence_audit::{
    AuditSettings, Circle, LineSettings, LinkState, MessageReceipts, ReceiptSettings, Received, SequenceLine, Settings,
    from_stored, topology,
};
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};
use jiff::Timestamp;

pub const MINUTE: i64 = 60 * 1000;
/// How long the audit of a test waits for a number. Ages of receipts have the same ratio to it as by default.
pub const GRACE: i64 = 2 * MINUTE;
pub const OVERDUE: i64 = 24 * GRACE;
/// 10 June 2020, 13:38 in UTC: the beginning of a test.
pub const NOW: i64 = 1_591_796_280_000;

/// See the module.
pub struct Stage {
    pub driver: TopologyTestDriver,
    received: u32,
}

pub fn settings(partitions: i32) -> Settings {
    settings_with(partitions, GRACE)
}

pub fn settings_with(partitions: i32, grace_ms: i64) -> Settings {
    let line = |numbers| LineSettings { grace_ms, ..LineSettings::of(numbers) };
    let audit = AuditSettings {
        interchanges: line(Circle::REFERENCES),
        messages: line(Circle::REFERENCES),
        gp_transactions: line(Circle::GP_TRANSACTIONS),
        authority_transactions: Some(line(Circle::AUTHORITY_TRANSACTIONS)),
        receipts: ReceiptSettings { overdue_ms: OVERDUE, orphan_ms: GRACE },
    };
    Settings { partitions, audit, ..Settings::default() }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(&settings(2))
    }

    pub fn with(settings: &Settings) -> Self {
        let driver = DriverSettings { now_ms: NOW, ..DriverSettings::with_workers(2) };
        Self::of(TopologyTestDriver::start(topology(settings).unwrap(), driver).unwrap())
    }

    pub fn of(driver: TopologyTestDriver) -> Self {
        Self { driver, received: 0 }
    }

    /// Receives something now, from a source of its own, and lets all be done that follows at once.
    pub fn receive(&mut self, content: &str) {
        self.publish(content);
        self.settle();
    }

    /// [`Self::receive`] without doing anything yet.
    pub fn publish(&mut self, content: &str) {
        self.received += 1;
        let source = format!("mesh:{}", self.received);
        self.publish_from(&source, "", content.as_bytes());
    }

    /// [`Self::publish`] of what was received before and has waited in the log.
    pub fn publish_received_at(&mut self, received_at_ms: i64, content: &str) {
        self.received += 1;
        let source = format!("mesh:{}", self.received);
        self.publish_received(Received {
            source: &source,
            workflow_id: "",
            received_at_ms,
            content: content.as_bytes(),
        });
    }

    pub fn publish_from(&mut self, source: &str, workflow_id: &str, content: &[u8]) {
        self.publish_received(Received { source, workflow_id, received_at_ms: self.driver.now_ms(), content });
    }

    fn publish_received(&mut self, received: Received<'_>) {
        let file_id = received.file_id();
        for piece in received.pieces(&file_id) {
            self.driver.pipe::<InterchangePieces>(GP_LINKS_INTERCHANGE, &file_id, &piece).unwrap();
        }
    }

    pub fn command(&mut self, command: &AuditCommand<'_>) {
        let key = if command.recipient.is_empty() {
            command.sender.to_owned()
        } else {
            format!("{}/{}", command.sender, command.recipient)
        };
        self.driver.pipe::<AuditCommands>(COMMAND, &key, command).unwrap();
        self.settle();
    }

    pub fn settle(&mut self) {
        self.driver.run_until_idle().unwrap();
    }

    /// Lets time pass, and a second for what follows.
    pub fn pass(&mut self, ms: i64) {
        self.driver.run_for(ms + 1000).unwrap();
    }

    /// What stands on the topic of findings, by id.
    pub fn findings(&self) -> BTreeMap<String, String> {
        let mut standing = BTreeMap::new();
        for output in self.driver.outputs::<AuditFindings>(FINDING).unwrap() {
            assert!(!output.lineage().is_empty(), "{} names no origin", output.key());
            match output.value().unwrap() {
                Some(finding) => {
                    assert_eq!(finding.finding_id, output.key());
                    let numbers = match (finding.from, finding.to) {
                        (Some(from), Some(to)) => format!(" {from}-{to}"),
                        _ => String::new(),
                    };
                    let (kind, state, counter) = (finding.kind, finding.state, finding.counter);
                    let line = format!("{}>{}", finding.sender, finding.recipient);
                    standing.insert(output.key().to_owned(), format!("{kind} {state} {counter} {line}{numbers}"));
                }
                None => drop(standing.remove(output.key())),
            }
        }
        standing
    }

    /// The same without ids, in order.
    pub fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.findings().into_values().collect();
        told.sort();
        told
    }

    pub fn note(&self, id: &str) -> String {
        let outputs = self.driver.outputs::<AuditFindings>(FINDING).unwrap();
        let last = outputs.iter().rfind(|output| output.key() == id).unwrap_or_else(|| panic!("no finding {id}"));
        last.value().unwrap().expect("a finding that stands").note.to_owned()
    }

    pub fn links(&self) -> BTreeMap<String, LinkState> {
        let stored = self.driver.state("links", LINKS).unwrap();
        stored.into_iter().map(|(key, bytes)| (text(key), from_stored::<KeptLink>(&bytes).unwrap().state)).collect()
    }

    pub fn transactions(&self) -> BTreeMap<String, SequenceLine> {
        let stored = self.driver.state("transactions", TRANSACTION_LINES).unwrap();
        let line = |bytes: &[u8]| from_stored::<KeptTransactions>(bytes).unwrap().line;
        stored.into_iter().map(|(key, bytes)| (text(key), line(&bytes))).collect()
    }

    pub fn open_messages(&self) -> BTreeMap<String, MessageReceipts> {
        let stored = self.driver.state("links", LINK_MESSAGES).unwrap();
        let receipts = |bytes: &[u8]| from_stored::<OpenMessage>(bytes).unwrap().receipts;
        stored.into_iter().map(|(key, bytes)| (text(key), receipts(&bytes))).collect()
    }

    /// All is at rest, and nothing was rejected.
    pub fn check(&self) {
        self.driver.check_settled().unwrap();
        assert_eq!(self.driver.dead_letters().unwrap(), []);
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

pub fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn begin(sender: &str, recipient: &str, number: u64, application: Option<&str>) -> InterchangeWriter {
    InterchangeWriter::begin(&InterchangeHeader {
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        prepared_at: Some(instant(NOW)),
        number: Some(number),
        application: application.map(ToOwned::to_owned),
    })
}

/// An interchange of TES5 to XX11 with one message of one acceptance, all of the same number.
pub fn registration(number: u64) -> String {
    registration_saying(number, "HEA+ACD+A:ZZZ")
}

pub fn registration_saying(number: u64, segment: &str) -> String {
    let mut writer = begin("TES5", "XX11", number, None);
    let transactions = vec![TransactionText { number, segments: vec![segment] }];
    let message =
        RegistrationText { authority_cipher: "XX1", prepared_at: instant(NOW), transaction_type: "G1", transactions };
    writer.registration(number, &message);
    writer.finish()
}

/// The receipt of [`registration`]'s interchange `of`.
pub fn receipt(number: u64, of: u64, code: MessageCode) -> String {
    receipt_naming(number, of, InterchangeCode::Received, vec![MessageReceipt { message: of, code: Some(code) }])
}

/// A receipt that says something of an interchange, and names none of its messages.
pub fn receipt_of_interchange(number: u64, of: u64, code: InterchangeCode) -> String {
    receipt_naming(number, of, code, Vec::new())
}

fn receipt_naming(number: u64, interchange: u64, code: InterchangeCode, messages: Vec<MessageReceipt>) -> String {
    let mut writer = begin("XX11", "TES5", number, Some("RECEP"));
    let stated_messages = Some(messages.len() as u64);
    let receipt = Receipt { interchange, code: Some(code), stated_messages, messages };
    writer.recep(number, "XX1", "4826940,281", instant(NOW), &[receipt]);
    writer.finish()
}

pub fn explain(counter: &'static str, from: i64, to: i64) -> AuditCommand<'static> {
    AuditCommand {
        action: AuditAction::ExplainNumbers,
        sender: "TES5",
        recipient: if counter == "tn" { "" } else { "XX11" },
        counter,
        from,
        to,
        interchange: None,
        by: "an operator",
        reason: "burnt by a failed save",
        at_ms: NOW,
    }
}
