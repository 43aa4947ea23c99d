//! What the earlier adaptor remembered is loaded before interchanges come.

use concord_flows::sequence_audit::topology::GP_LINKS_HISTORY;
use concord_flows::sequence_audit::values::HistoryDocuments;
use concord_schemas::gp_links::HistoryDocument;

use crate::stage::{GRACE, MINUTE, NOW, OVERDUE, Stage, registration};

const DAY: i64 = 24 * 60 * MINUTE;

/// An acceptance of TES5 a day ago, all of the same number.
fn document(number: i64) -> HistoryDocument<'static> {
    HistoryDocument {
        workflow_id: "NHAIS_REG",
        sender: "TES5",
        recipient: "XX11",
        interchange: Some(number),
        message: Some(number),
        transaction: Some(number),
        transaction_type: "ACG",
        prepared_at_ms: Some(NOW - DAY + number * MINUTE),
        receipt: Some("SUCCESS"),
        receipt_interchange: Some(60 + number),
        receipt_prepared_at_ms: Some(NOW - DAY / 2),
        loaded_at_ms: NOW,
    }
}

fn load(stage: &mut Stage, documents: &[HistoryDocument<'_>]) {
    for document in documents {
        stage.driver.pipe::<HistoryDocuments>(GP_LINKS_HISTORY, "TES5/XX11", document).unwrap();
    }
    stage.settle();
}

fn gaps(number: i64) -> Vec<String> {
    let lines = ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"];
    lines.iter().map(|line| format!("gap confirmed {line} {number}-{number}")).collect()
}

#[test]
fn numbers_and_receipts_of_a_history_are_judged_with_what_comes_behind_it() {
    let mut stage = Stage::new();
    let without_receipt = HistoryDocument { receipt: None, ..document(2) };
    let refused = HistoryDocument { receipt: Some("CA"), receipt_interchange: None, ..document(4) };
    load(&mut stage, &[document(1), without_receipt, refused]);
    stage.receive(&registration(6));
    stage.pass(GRACE);
    let mut expected = [gaps(3), gaps(5)].concat();
    expected.push("negative-receipt confirmed sms TES5>XX11 4-4".to_owned());
    expected.sort();
    assert_eq!(stage.told(), expected);
    stage.pass(OVERDUE);
    expected.extend([2, 6].map(|n| format!("receipt-overdue confirmed sms TES5>XX11 {n}-{n}")));
    assert_eq!(stage.told(), expected);
    stage.check();
}

#[test]
fn no_receipt_is_overdue_for_what_a_health_authority_sent_before() {
    let mut stage = Stage::new();
    for number in [1, 2] {
        let inbound = HistoryDocument {
            sender: "XX11",
            recipient: "TES5",
            transaction_type: "AMF",
            receipt: None,
            receipt_interchange: None,
            receipt_prepared_at_ms: None,
            ..document(number)
        };
        stage.driver.pipe::<HistoryDocuments>(GP_LINKS_HISTORY, "XX11/TES5", &inbound).unwrap();
    }
    stage.settle();
    stage.pass(2 * OVERDUE);
    assert_eq!(stage.told(), Vec::<String>::new());
    assert_eq!(stage.links()["XX11/TES5"].messages.sightings(), 2);
    stage.check();
}

#[test]
fn a_history_that_is_loaded_twice_changes_nothing() {
    let mut stage = Stage::new();
    let refused = HistoryDocument { receipt: Some("CA"), ..document(4) };
    let documents = [document(1), HistoryDocument { receipt: None, ..document(2) }, refused];
    load(&mut stage, &documents);
    stage.receive(&registration(5));
    stage.pass(GRACE);
    let told = stage.told();
    let counts = stage.links()["TES5/XX11"].receipts;
    load(&mut stage, &documents);
    stage.pass(GRACE);
    assert_eq!(stage.told(), told);
    assert_eq!(stage.links()["TES5/XX11"].receipts, counts);
    stage.check();
}

#[test]
fn what_a_history_tells_of_and_comes_was_not_sent_again_until_it_comes_once_more() {
    let mut stage = Stage::new();
    load(&mut stage, &[document(1), document(2)]);
    stage.receive(&registration(2));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.receive(&registration(2));
    assert_eq!(stage.told(), ["duplicate confirmed sis TES5>XX11 2-2"]);
    stage.check();
}

#[test]
fn several_transactions_of_one_message_are_one_message_with_one_receipt() {
    let mut stage = Stage::new();
    let second = HistoryDocument { transaction: Some(2), receipt: None, ..document(1) };
    load(&mut stage, &[second, document(1)]);
    stage.pass(OVERDUE);
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    let counts = stage.links()["TES5/XX11"].receipts;
    assert_eq!((counts.expected, counts.received), (1, 1));
    stage.check();
}

#[test]
fn a_date_in_2092_counts_as_loaded_and_a_document_without_numbers_is_passed_over() {
    let mut stage = Stage::new();
    let late = HistoryDocument { prepared_at_ms: Some(NOW + 70 * 365 * DAY), ..document(1) };
    load(&mut stage, &[late, HistoryDocument { interchange: None, ..document(2) }, document(3)]);
    stage.pass(GRACE);
    assert_eq!(stage.told(), gaps(2));
    stage.check();
}
