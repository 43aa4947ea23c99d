//! One link through its days: what is missing, what comes again, what has no receipt.

use concord_edifact::{InterchangeCode, MessageCode};
use concord_flows::sequence_audit::{AuditSettings, LineSettings, Settings};

use crate::stage::{
    GRACE, MINUTE, OVERDUE, Stage, receipt, receipt_of_interchange, registration, registration_saying, settings,
};

#[test]
fn a_gap_is_suspected_confirmed_and_closed_late() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(3));
    let gap = |state| ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"].map(|line| format!("gap {state} {line} 2-2"));
    assert_eq!(stage.told(), gap("suspected"));
    stage.pass(GRACE);
    assert_eq!(stage.told(), gap("confirmed"));
    stage.receive(&registration(2));
    assert_eq!(stage.told(), gap("closed-late"));
    stage.check();
}

#[test]
fn a_gap_at_the_end_of_a_backlog_is_confirmed_a_grace_period_after_it_was_read() {
    let mut stage = Stage::new();
    let began = stage.driver.now_ms() - 20 * GRACE;
    for number in 1..20 {
        stage.publish_received_at(began + number * GRACE, &registration(number.cast_unsigned()));
    }
    stage.publish_received_at(began + 20 * GRACE, &registration(21));
    stage.settle();
    let gap = |state| ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"].map(|line| format!("gap {state} {line} 20-20"));
    // Files stand on several partitions, of which each is read as fast as it can be: others of the backlog may have come late.
    let told_of_the_last = |stage: &Stage| -> Vec<String> {
        stage.told().into_iter().filter(|finding| finding.ends_with(" 20-20")).collect()
    };
    assert_eq!(told_of_the_last(&stage), gap("suspected"));
    stage.pass(GRACE);
    assert_eq!(told_of_the_last(&stage), gap("confirmed"));
    stage.check();
}

#[test]
fn a_number_that_comes_within_the_grace_period_leaves_no_finding() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(3));
    stage.pass(GRACE / 2);
    stage.receive(&registration(2));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.pass(GRACE);
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.check();
}

#[test]
fn a_number_from_before_the_beginning_is_late_once_that_is_settled() {
    let mut stage = Stage::new();
    stage.receive(&registration(5));
    stage.pass(GRACE);
    stage.receive(&registration(2));
    let lines = ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"];
    assert_eq!(stage.told(), lines.map(|line| format!("late confirmed {line} 2-2")));
    stage.check();
}

#[test]
fn a_receipt_that_does_not_come_is_overdue_until_it_comes() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.pass(OVERDUE);
    assert_eq!(stage.told(), ["receipt-overdue confirmed sms TES5>XX11 1-1"]);
    assert_eq!(stage.open_messages().len(), 1);
    stage.receive(&receipt(64, 1, MessageCode::Success));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    assert!(stage.open_messages().is_empty());
    let counts = stage.links()["TES5/XX11"].receipts;
    assert_eq!((counts.expected, counts.received, counts.negative), (1, 1, 0));
    stage.check();
}

#[test]
fn a_receipt_that_comes_before_its_message_waits_for_it() {
    let mut stage = Stage::new();
    stage.receive(&receipt(64, 1, MessageCode::Success));
    stage.pass(GRACE);
    assert_eq!(stage.told(), ["orphan-receipt confirmed sms TES5>XX11 1-1"]);
    stage.receive(&registration(1));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    assert!(stage.open_messages().is_empty());
    stage.check();
}

#[test]
fn a_negative_receipt_is_told_with_its_code() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&receipt(64, 1, MessageCode::Error));
    assert_eq!(stage.told(), ["negative-receipt confirmed sms TES5>XX11 1-1"]);
    assert_eq!(stage.note("negative-receipt/TES5/XX11/00000001/00000001"), "CA");
    stage.check();
}

#[test]
fn a_refused_interchange_is_told_and_one_that_never_was_is_an_orphan_until_it_comes() {
    let mut stage = Stage::new();
    stage.receive(&receipt_of_interchange(64, 1, InterchangeCode::NoValidData));
    stage.receive(&receipt_of_interchange(65, 2, InterchangeCode::Received));
    assert_eq!(stage.told(), ["negative-receipt confirmed sis TES5>XX11 1-1"]);
    assert_eq!(stage.note("negative-receipt/sis/TES5/XX11/1"), "NA");
    stage.pass(GRACE);
    assert_eq!(
        stage.told(),
        [
            "negative-receipt confirmed sis TES5>XX11 1-1",
            "orphan-receipt confirmed sis TES5>XX11 1-1",
            "orphan-receipt confirmed sis TES5>XX11 2-2"
        ]
    );
    stage.receive(&registration(1));
    stage.receive(&registration(2));
    assert_eq!(stage.told(), ["negative-receipt confirmed sis TES5>XX11 1-1"]);
    let counts = stage.links()["TES5/XX11"].receipts;
    assert_eq!((counts.expected, counts.received, counts.negative), (2, 0, 0), "of the messages nothing was said");
    stage.check();
}

#[test]
fn what_a_connector_repeats_counts_once_and_what_is_sent_again_is_a_duplicate() {
    let mut stage = Stage::new();
    for _ in 0..2 {
        stage.publish_from("mesh:17", "NHAIS_REG", registration(1).as_bytes());
        stage.settle();
    }
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.publish_from("mesh:18", "NHAIS_REG", registration(1).as_bytes());
    stage.settle();
    assert_eq!(stage.told(), ["duplicate confirmed sis TES5>XX11 1-1"]);
    stage.receive(&registration_saying(1, "HEA+ACD+B:ZZZ"));
    assert_eq!(
        stage.told(),
        ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"].map(|line| format!("duplicate-differs confirmed {line} 1-1"))
    );
    stage.check();
}

#[test]
fn a_workflow_that_is_not_that_of_the_content_is_told_until_the_interchange_comes_under_its_own() {
    let mut stage = Stage::new();
    stage.publish_from("mesh:17", "NHAIS_RECEP", registration(1).as_bytes());
    stage.settle();
    assert_eq!(stage.told(), ["workflow-mismatch confirmed sis TES5>XX11 1-1"]);
    assert!(stage.note("workflow-mismatch/TES5/XX11/1").starts_with("CONCORD-SA-0030"));
    stage.publish_from("mesh:18", "NHAIS_REG", registration(1).as_bytes());
    stage.settle();
    assert_eq!(stage.told(), ["duplicate confirmed sis TES5>XX11 1-1"]);
    stage.check();
}

#[test]
fn a_link_that_falls_silent_is_told_and_taken_back_when_it_speaks() {
    let of_test = settings(2);
    let silent = LineSettings { silence_ms: Some(10 * MINUTE), ..of_test.audit.interchanges };
    let audit = AuditSettings { interchanges: silent, ..of_test.audit };
    let mut stage = Stage::with(&Settings { audit, ..of_test });
    stage.receive(&registration(1));
    for number in 2..5 {
        stage.pass(9 * MINUTE);
        stage.receive(&registration(number));
    }
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.pass(11 * MINUTE);
    assert_eq!(stage.told(), ["link-silent confirmed sis TES5>XX11"]);
    stage.receive(&registration(5));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.check();
}

#[test]
fn a_process_that_stood_still_takes_in_what_waits_before_it_calls_anything_missing() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(3));
    stage.driver.stop(0).unwrap();
    stage.driver.stop(1).unwrap();
    stage.driver.advance(GRACE / 2);
    stage.publish(&registration(2));
    stage.driver.advance(10 * GRACE);
    stage.driver.restart_all().unwrap();
    stage.settle();
    stage.pass(2 * GRACE);
    let gaps = stage.told().into_iter().filter(|told| told.starts_with("gap")).collect::<Vec<_>>();
    assert!(gaps.is_empty(), "{gaps:?}");
    stage.check();
}
