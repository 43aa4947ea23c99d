//! The receipts of one message.

use std::collections::BTreeMap;

use super::super::*;
use super::audit::described;

const OVERDUE: i64 = 100;
const ORPHAN: i64 = 10;

struct Scene {
    key: MessageKey,
    receipts: MessageReceipts,
    counts: ReceiptCounts,
    published: BTreeMap<String, Finding>,
}

impl Scene {
    fn new() -> Self {
        let key = MessageKey { sender: "TES5".into(), recipient: "XX11".into(), interchange: 1, message: 2 };
        let (receipts, counts) = (MessageReceipts::default(), ReceiptCounts::default());
        Self { key, receipts, counts, published: BTreeMap::new() }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Upsert(finding) => drop(self.published.insert(finding.id.clone(), finding)),
                Change::Retract(id) => assert!(self.published.remove(&id).is_some(), "{id} was never published"),
            }
        }
    }

    fn sent(&mut self, at_ms: i64) {
        let mut changes = Vec::new();
        let sent = SentAt { at_ms, prepared_at_ms: None };
        self.receipts.on_sent(&self.key, sent, &mut self.counts, &mut changes);
        self.apply(changes);
    }

    fn receipt(&mut self, by_interchange: u64, verdict: Verdict, was_sent: bool, at_ms: i64) {
        let mut changes = Vec::new();
        let receipt = KeptReceipt { by_interchange, by_message: 1, verdict, prepared_at_ms: None };
        self.receipts.on_receipt(&self.key, receipt, was_sent, at_ms, &mut self.counts, &mut changes);
        self.apply(changes);
    }

    fn time(&mut self, now_ms: i64) {
        let mut changes = Vec::new();
        let settings = ReceiptSettings { overdue_ms: OVERDUE, orphan_ms: ORPHAN };
        let deadline = self.receipts.next_deadline(&settings);
        self.receipts.on_time(&self.key, now_ms, Absence::Missing, &settings, &mut changes);
        assert!(changes.is_empty() || deadline.is_some_and(|deadline| deadline <= now_ms));
        self.apply(changes);
    }

    fn findings(&self) -> Vec<String> {
        self.published.values().map(described).collect()
    }
}

#[test]
fn a_message_and_its_receipt_settle_each_other_in_either_order() {
    for receipt_first in [false, true] {
        let mut scene = Scene::new();
        if receipt_first {
            scene.receipt(64, Verdict::Success, false, 1);
            assert!(!scene.receipts.is_settled());
            scene.sent(2);
        } else {
            scene.sent(1);
            assert!(scene.receipts.is_outstanding());
            scene.receipt(64, Verdict::Success, false, 2);
        }
        assert!(scene.receipts.is_settled() && scene.findings().is_empty());
        assert_eq!(scene.counts, ReceiptCounts { expected: 1, received: 1, negative: 0 });
        scene.time(10_000);
        assert!(scene.findings().is_empty());
    }
}

#[test]
fn a_receipt_that_does_not_come_is_overdue_until_it_comes() {
    let mut scene = Scene::new();
    scene.sent(0);
    scene.time(OVERDUE - 1);
    assert!(scene.findings().is_empty());
    scene.time(OVERDUE);
    assert_eq!(scene.findings(), ["ReceiptOverdue Confirmed sms TES5>XX11 2-2"]);
    scene.receipt(64, Verdict::Success, false, OVERDUE + 1);
    assert!(scene.findings().is_empty());
}

#[test]
fn a_receipt_of_what_was_never_sent_is_an_orphan_until_it_was() {
    let mut scene = Scene::new();
    scene.receipt(64, Verdict::Success, false, 0);
    scene.time(ORPHAN - 1);
    assert!(scene.findings().is_empty());
    scene.time(ORPHAN);
    assert_eq!(scene.findings(), ["OrphanReceipt Confirmed sms TES5>XX11 2-2"]);
    scene.sent(50);
    assert!(scene.findings().is_empty());
    assert_eq!(scene.counts, ReceiptCounts { expected: 1, received: 1, negative: 0 });
}

#[test]
fn a_negative_receipt_is_reported_and_a_positive_one_does_not_hide_it() {
    for negative_first in [false, true] {
        let mut scene = Scene::new();
        scene.sent(0);
        let (first, second) = if negative_first {
            ((64, Verdict::Error), (65, Verdict::Success))
        } else {
            ((65, Verdict::Success), (64, Verdict::Error))
        };
        scene.receipt(first.0, first.1, false, 1);
        scene.receipt(second.0, second.1, false, 2);
        assert_eq!(scene.findings(), ["NegativeReceipt Confirmed sms TES5>XX11 2-2"]);
        let finding = scene.published.values().next().unwrap();
        assert_eq!(finding.note, "CA");
        assert_eq!(scene.counts, ReceiptCounts { expected: 1, received: 1, negative: 1 });
        assert_eq!(scene.receipts.receipts().len(), 2);
    }
}

/// A message that is settled is known no more when it is refused after all.
#[test]
fn the_order_of_a_message_and_its_two_receipts_changes_no_finding_and_no_count() {
    for refused_twice in [false, true] {
        let mut outcomes = Vec::new();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let (mut scene, mut was_sent) = (Scene::new(), false);
            for (at_ms, what) in (0..).zip(order) {
                match what {
                    0 => scene.sent(at_ms),
                    1 if refused_twice => scene.receipt(64, Verdict::Error, was_sent, at_ms),
                    1 => scene.receipt(64, Verdict::Success, was_sent, at_ms),
                    _ => scene.receipt(65, Verdict::Error, was_sent, at_ms),
                }
                was_sent |= what == 0;
                if scene.receipts.is_settled() {
                    scene.receipts = MessageReceipts::default();
                }
            }
            let notes: Vec<String> = scene.published.values().map(|finding| finding.note.clone()).collect();
            outcomes.push((scene.findings(), notes, scene.counts));
        }
        assert_eq!(outcomes[0].0, ["NegativeReceipt Confirmed sms TES5>XX11 2-2"]);
        assert_eq!(outcomes[0].2, ReceiptCounts { expected: 1, received: 1, negative: 1 }, "a message is refused once");
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    }
}

#[test]
fn what_was_done_about_a_refused_message_is_said_once_whatever_is_sent_again() {
    let mut scene = Scene::new();
    scene.sent(0);
    scene.receipt(64, Verdict::Error, false, 1);
    let mut changes = Vec::new();
    scene.receipts.explain(&scene.key, "corrected, sent as 17", 2, &mut changes);
    scene.apply(changes);
    scene.receipt(65, Verdict::Error, false, 3);
    assert_eq!(scene.findings(), ["NegativeReceipt Explained sms TES5>XX11 2-2"]);
    assert_eq!(scene.counts.negative, 1);
}

#[test]
fn the_same_receipt_read_twice_is_one() {
    let mut scene = Scene::new();
    scene.sent(0);
    scene.receipt(64, Verdict::Incomplete, false, 1);
    scene.receipt(64, Verdict::Incomplete, false, 2);
    assert_eq!(scene.counts.negative, 1);
    assert_eq!(scene.receipts.receipts().len(), 1);
}

#[test]
fn a_receipt_of_a_message_that_was_settled_long_ago_is_no_orphan() {
    let mut scene = Scene::new();
    scene.receipt(90, Verdict::Error, true, 5);
    assert!(!scene.receipts.is_outstanding() && !scene.receipts.is_unclaimed());
    scene.time(10_000);
    assert_eq!(scene.findings(), ["NegativeReceipt Confirmed sms TES5>XX11 2-2"]);
    assert_eq!((scene.counts.expected, scene.counts.received), (0, 0), "counted when it was settled");
}

#[test]
fn receipts_that_never_end_do_not_grow_the_state_without_end() {
    let mut scene = Scene::new();
    for by in 0..1000 {
        scene.receipt(by, Verdict::Success, false, 1);
    }
    assert!(scene.receipts.receipts().len() <= 32);
    assert!(stored(&scene.receipts).unwrap().len() < 1024);
}

#[test]
fn an_operator_can_say_that_no_receipt_will_come() {
    let mut scene = Scene::new();
    scene.sent(0);
    scene.time(OVERDUE);
    let mut changes = Vec::new();
    scene.receipts.explain(&scene.key, "entered again", 200, &mut changes);
    scene.apply(changes);
    assert_eq!(scene.findings(), ["ReceiptOverdue Explained sms TES5>XX11 2-2"]);
    assert!(scene.receipts.is_settled());
}

#[test]
fn keys_are_in_order_of_interchange_and_message_within_their_link() {
    let key = |interchange, message| {
        MessageKey { sender: "TES5".into(), recipient: "XX11".into(), interchange, message }.to_string()
    };
    assert_eq!(key(1, 2), "TES5/XX11/00000001/00000002");
    assert!(key(9, 99) < key(10, 1));
}
