//! What operators know is taken in, and said in findings.

use concord_edifact::{InterchangeCode, MessageCode};
use concord_schemas::sequence_audit::{AuditAction, AuditCommand};

use crate::stage::{GRACE, OVERDUE, Stage, explain, receipt, receipt_of_interchange, registration};

#[test]
fn numbers_that_are_explained_stay_on_the_topic_with_the_reason() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(5));
    stage.pass(GRACE);
    for counter in ["sis", "sms", "tn"] {
        stage.command(&explain(counter, 2, 3));
    }
    let lines = ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"];
    let mut expected: Vec<String> = lines.iter().map(|line| format!("gap confirmed {line} 4-4")).collect();
    expected.extend(lines.iter().map(|line| format!("gap explained {line} 2-3")));
    assert_eq!(stage.told(), expected);
    assert_eq!(stage.note("gap/tn/TES5/0/2"), "burnt by a failed save (an operator)");
    stage.check();
}

#[test]
fn a_receipt_that_will_never_come_is_given_up() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.pass(OVERDUE);
    let command = AuditCommand {
        action: AuditAction::ExplainReceipt,
        interchange: Some(1),
        reason: "entered again as 17",
        ..explain("sms", 1, 1)
    };
    stage.command(&command);
    assert_eq!(stage.told(), ["receipt-overdue explained sms TES5>XX11 1-1"]);
    assert!(stage.open_messages().is_empty());
    stage.command(&command);
    stage.check();
}

#[test]
fn what_was_done_about_refused_messages_is_said_of_a_range() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&receipt(64, 1, MessageCode::Error));
    assert_eq!(stage.told(), ["negative-receipt confirmed sms TES5>XX11 1-1"]);
    let command = AuditCommand {
        action: AuditAction::ExplainReceipt,
        interchange: Some(1),
        reason: "corrected, sent as 17",
        ..explain("sms", 1, 3)
    };
    stage.command(&command);
    assert_eq!(stage.told(), ["negative-receipt explained sms TES5>XX11 1-1"]);
    stage.receive(&receipt(65, 1, MessageCode::Error));
    assert_eq!(stage.told(), ["negative-receipt explained sms TES5>XX11 1-1"], "it was sent again");
    stage.check();
}

#[test]
fn what_was_done_about_a_refused_interchange_is_said_of_the_whole() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&receipt_of_interchange(64, 1, InterchangeCode::InvalidData));
    assert_eq!(stage.told(), ["negative-receipt confirmed sis TES5>XX11 1-1"]);
    let command =
        AuditCommand { action: AuditAction::ExplainReceipt, reason: "corrected, sent as 17", ..explain("sis", 1, 3) };
    stage.command(&command);
    assert_eq!(stage.told(), ["negative-receipt explained sis TES5>XX11 1-1"]);
    stage.receive(&receipt_of_interchange(65, 1, InterchangeCode::InvalidData));
    assert_eq!(stage.told(), ["negative-receipt explained sis TES5>XX11 1-1"], "it was sent again");
    stage.check();
}

#[test]
fn what_is_said_of_numbers_that_there_are_not_is_refused() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(5));
    stage.pass(GRACE);
    let before = stage.told();
    // Each would explain the gap, if its numbers were taken around the circle.
    for (counter, from, to) in
        [("sis", 100_000_001, 100_000_003), ("tn", 10_000_001, 10_000_003), ("sms", 60, 50), ("sis", 2, 100_000_000)]
    {
        stage.command(&explain(counter, from, to));
    }
    assert_eq!(stage.told(), before);
    let codes: Vec<String> = stage.driver.dead_letters().unwrap().into_iter().map(|letter| letter.code).collect();
    assert_eq!(codes, ["CONCORD-SA-0021"; 3], "that of transactions is counted where their line is, and lets it be");
}

#[test]
fn a_link_that_is_taken_over_misses_what_its_baseline_expects() {
    let mut stage = Stage::new();
    for counter in ["sis", "sms", "tn"] {
        let command = AuditCommand { action: AuditAction::TakeOver, ..explain(counter, 40, 40) };
        stage.command(&command);
    }
    stage.receive(&registration(42));
    stage.pass(GRACE);
    assert_eq!(
        stage.told(),
        ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"].map(|line| format!("gap confirmed {line} 41-41"))
    );
    stage.check();
}
