//! The rules alone, fed as fast as they go: what their states would take in stores as more and more comes.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use concord_flows::sequence_audit::{
    AuditSettings, LineKey, LinkState, MessageKey, MessageReceipts, RecentRow, RowId, SeenInterchange, SeenMessage,
    SeenReceipt, SeenTransaction, SentAt, SequenceLine, Verdict, stored,
};
use concord_schemas::gp_links::Side;
use serde_json::Value;

use super::traffic::codes;
use crate::Result;
use crate::figures::table::Table;
use crate::process::resident_memory_mib;

const MIB: f64 = (1 << 20) as f64;
/// Between two interchanges of the traffic: a million take nearly three hours, so that deadlines pass.
const SPACING_MS: i64 = 10;
/// 1 January 2026, in UTC.
const BEGAN_MS: i64 = 1_767_225_600_000;

/// One pair, as the flow would keep it.
struct Pair {
    practice: String,
    /// From the practice, and to it.
    links: [LinkState; 2],
    transactions: SequenceLine,
    /// What came of late on all three.
    recent: BTreeMap<(LineKey, RowId), RecentRow>,
    /// What comes next, of both.
    registration: SeenInterchange,
    receipt: SeenInterchange,
}

/// States at growing numbers of interchanges.
pub struct ByRules(Table);

/// Feeds so many interchanges, and measures the states ten, a hundred and more times on the way.
pub fn run(pairs: u64, interchanges: u64) -> Result<ByRules> {
    eprintln!("{interchanges} interchanges by the rules alone");
    let settings = AuditSettings::default();
    let mut all: Vec<Pair> = (0..pairs).map(Pair::new).collect();
    let mut open: HashMap<MessageKey, MessageReceipts> = HashMap::new();
    let mut table = Table::of(&[
        "interchanges",
        "a link",
        "bytes a pair",
        "MiB of states",
        "open messages",
        "findings",
        "us each",
        "resident MiB",
    ]);
    let (mut fed, mut findings, mut at_ms) = (0, 0, BEGAN_MS);
    let mut look_at = 20 * pairs;
    let mut began = Instant::now();
    let mut measured = 0;
    for number in 1_u64.. {
        for pair in &mut all {
            at_ms += 2 * SPACING_MS;
            findings += pair.exchange(number, at_ms, &settings, &mut open)?;
            fed += 2;
        }
        let is_last = fed >= interchanges;
        if fed >= look_at || is_last {
            let us_each = began.elapsed().as_secs_f64() * 1e6 / (fed - measured) as f64;
            let mut bytes = 0;
            for pair in &all {
                bytes +=
                    stored(&pair.links[0])?.len() + stored(&pair.links[1])?.len() + stored(&pair.transactions)?.len();
                for row in pair.recent.values() {
                    bytes += stored(row)?.len();
                }
            }
            table.add(&[
                fed as f64,
                (fed / pairs / 2) as f64,
                bytes as f64 / pairs as f64,
                bytes as f64 / MIB,
                open.len() as f64,
                findings as f64,
                us_each,
                resident_memory_mib(std::process::id())?,
            ]);
            (began, measured) = (Instant::now(), fed);
            look_at = fed * 10;
        }
        if is_last {
            break;
        }
    }
    Ok(ByRules(table))
}

impl Pair {
    fn new(pair: u64) -> Self {
        let (practice, authority, cipher) = codes(pair);
        let message = SeenMessage {
            sender_side: Some(Side::Gp),
            authority_cipher: Some(cipher),
            transactions: vec![SeenTransaction { number: 1, content: Some(1) }],
            ..SeenMessage::default()
        };
        let registration =
            SeenInterchange { messages: vec![message], ..SeenInterchange::between(&practice, &authority) };
        let receipt = SeenReceipt {
            interchange: 1,
            is_refusal: false,
            code: "OK".to_owned(),
            messages: vec![(1, Verdict::Success)],
        };
        let message = SeenMessage { receipts: Some(vec![receipt]), ..SeenMessage::default() };
        let receipt = SeenInterchange { messages: vec![message], ..SeenInterchange::between(&authority, &practice) };
        Self {
            practice,
            links: Default::default(),
            transactions: SequenceLine::default(),
            recent: BTreeMap::new(),
            registration,
            receipt,
        }
    }

    /// A registration and its receipt, both of this number. Answers how many findings changed.
    fn exchange(
        &mut self,
        number: u64,
        at_ms: i64,
        settings: &AuditSettings,
        open: &mut HashMap<MessageKey, MessageReceipts>,
    ) -> Result<usize> {
        let mut changes = Vec::new();
        let content = Some(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for seen in [&mut self.registration, &mut self.receipt] {
            (seen.number, seen.content, seen.prepared_at_ms) = (Some(number), content, Some(at_ms));
            for message in &mut seen.messages {
                (message.number, message.content) = (Some(number), content);
                for transaction in &mut message.transactions {
                    *transaction = SeenTransaction { number, content };
                }
                for receipt in message.receipts.iter_mut().flatten() {
                    receipt.interchange = number;
                    receipt.messages = vec![(number, Verdict::Success)];
                }
            }
        }
        let [there, back] = &mut self.links;
        let rows = &mut self.recent;
        let Ok(sent) = there.on_interchange(&self.registration, at_ms, settings, rows, &mut changes);
        for key in sent.sent {
            let receipts = open.entry(key.clone()).or_default();
            let sent = SentAt { at_ms, prepared_at_ms: Some(at_ms) };
            receipts.on_sent(&key, sent, &mut there.receipts, &mut changes);
        }
        let line = LineKey::transactions(&self.practice);
        for sighting in &sent.transactions {
            let Ok(_) = self.transactions.observe(&line, sighting, &settings.gp_transactions, rows, &mut changes);
        }
        let Ok(answered) = back.on_interchange(&self.receipt, at_ms + SPACING_MS, settings, rows, &mut changes);
        for event in answered.receipts {
            let key = event.message;
            let was_sent = there.has_sent(&key, settings);
            let mut receipts = open.remove(&key).unwrap_or_default();
            receipts.on_receipt(&key, event.receipt, was_sent, at_ms, &mut there.receipts, &mut changes);
            if !receipts.is_settled() {
                open.insert(key, receipts);
            }
        }
        Ok(changes.len())
    }
}

impl ByRules {
    pub fn print(&self) {
        self.0.print();
    }

    pub fn to_json(&self) -> Value {
        self.0.to_json()
    }
}
