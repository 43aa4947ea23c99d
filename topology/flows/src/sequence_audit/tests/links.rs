//! Whole interchanges on a link: what they mean for its lines, for the sender's transactions, and for the other direction.

use super::super::*;
use super::audit::Audit;

fn registration(number: u64, message: u64, transaction: u64) -> SeenInterchange {
    SeenInterchange {
        number: Some(number),
        content: Some(number),
        messages: vec![SeenMessage {
            number: Some(message),
            content: Some(message),
            transactions: vec![SeenTransaction { number: transaction, content: Some(transaction) }],
            ..SeenMessage::default()
        }],
        ..SeenInterchange::between("TES5", "XX11")
    }
}

fn receipt(number: u64, of_interchange: u64, verdicts: &[(u64, Verdict)]) -> SeenInterchange {
    let receipts = vec![SeenReceipt {
        interchange: of_interchange,
        is_refusal: false,
        code: "OK".to_owned(),
        messages: verdicts.to_vec(),
    }];
    SeenInterchange {
        number: Some(number),
        content: Some(number),
        messages: vec![SeenMessage { number: Some(number), receipts: Some(receipts), ..SeenMessage::default() }],
        ..SeenInterchange::between("XX11", "TES5")
    }
}

fn settings() -> AuditSettings {
    AuditSettings::default()
}

#[test]
fn receipts_are_numbered_on_the_lines_of_their_sender_but_not_among_its_transactions() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 1), 0, &settings());
    let mut answer = receipt(2, 9, &[]);
    (answer.sender, answer.recipient) = ("TES5".to_owned(), "XX11".to_owned());
    audit.take(&answer, 1, &settings());
    audit.take(&registration(3, 3, 2), 2, &settings());
    audit.end(3, &settings());
    let [sis, sms] = audit.summary("TES5", "XX11", &settings());
    assert_eq!((sis.first, sis.last, sis.missing.len(), sms.missing.len()), (Some(1), Some(3), 0, 0));
    assert!(
        audit.findings.values().all(|finding| finding.kind == FindingKind::ReceiptOverdue),
        "{:?}",
        audit.published()
    );
    assert_eq!(audit.findings.len(), 2, "no receipt is due for a receipt");
}

#[test]
fn transactions_are_numbered_over_all_recipients() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 1), 0, &settings());
    let elsewhere = SeenInterchange { recipient: "SO01".to_owned(), ..registration(1, 1, 2) };
    audit.take(&elsewhere, 1, &settings());
    audit.take(&registration(2, 2, 3), 2, &settings());
    let (_, line) = &audit.transactions["TES5"];
    let summary = line.summary(&settings().gp_transactions);
    assert_eq!((summary.first, summary.last, summary.missing), (Some(1), Some(3), Vec::new()));
}

#[test]
fn an_interchange_sent_again_is_one_finding_and_counted_on_all_its_lines() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 1), 0, &settings());
    audit.take(&registration(1, 1, 1), 1, &settings());
    assert_eq!(audit.published(), ["Duplicate Confirmed sis TES5>XX11 1-1"]);
    let [sis, sms] = audit.summary("TES5", "XX11", &settings());
    assert_eq!((sis.duplicates, sms.duplicates), (1, 1));
    assert_eq!(audit.links.values().next().unwrap().receipts.expected, 1);
}

#[test]
fn a_receipt_settles_its_message_and_the_first_negative_one_is_told() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 1), 0, &settings());
    audit.take(&registration(2, 2, 2), 1, &settings());
    audit.take(&receipt(64, 1, &[(1, Verdict::Success)]), 2, &settings());
    audit.take(&receipt(65, 2, &[(2, Verdict::Error)]), 3, &settings());
    audit.end(4, &settings());
    assert_eq!(audit.published(), ["NegativeReceipt Confirmed sms TES5>XX11 2-2"]);
    let kept: Vec<u64> = audit.messages.keys().map(|key| key.message).collect();
    assert_eq!(kept, [2], "the refused one, so that it is not told as another when the receipt is sent again");
    let counts = audit.links[&("TES5".to_owned(), "XX11".to_owned())].receipts;
    assert_eq!(counts, ReceiptCounts { expected: 2, received: 2, negative: 1 });
}

#[test]
fn a_refusal_of_an_interchange_that_names_no_message_is_told_and_its_messages_stay_open() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 1), 0, &settings());
    let mut refusal = receipt(64, 1, &[]);
    refusal.messages[0].receipts.as_mut().unwrap()[0].is_refusal = true;
    audit.take(&refusal, 1, &settings());
    audit.end(2, &settings());
    assert_eq!(
        audit.published(),
        ["NegativeReceipt Confirmed sis TES5>XX11 1-1", "ReceiptOverdue Confirmed sms TES5>XX11 1-1"]
    );
}

#[test]
fn a_receipt_of_an_interchange_that_never_was_is_an_orphan() {
    let mut audit = Audit::default();
    audit.take(&receipt(64, 7, &[(7, Verdict::Success)]), 0, &settings());
    audit.end(0, &settings());
    assert_eq!(audit.published(), ["OrphanReceipt Confirmed sms TES5>XX11 7-7"]);
}

#[test]
fn defects_are_one_finding_and_a_workflow_that_is_not_that_of_the_content_another() {
    let mut audit = Audit::default();
    let mut seen = registration(1, 1, 1);
    seen.defects = vec!["UNT says 17 segments, the message has 18".to_owned()];
    seen.workflow = Some(Workflow::Recep);
    audit.take(&seen, 0, &settings());
    assert_eq!(
        audit.published(),
        ["EnvelopeMismatch Confirmed sis TES5>XX11 1-1", "WorkflowMismatch Confirmed sis TES5>XX11 1-1"]
    );
    let note = |id: &str| audit.findings[id].note.as_str();
    assert_eq!(note("envelope-mismatch/TES5/XX11/1"), "UNT says 17 segments, the message has 18");
    let told = note("workflow-mismatch/TES5/XX11/1");
    assert!(told.starts_with("CONCORD-SA-0030: it came under NHAIS_RECEP and belongs under NHAIS_REG"), "{told}");
}

#[test]
fn whichever_of_the_wrong_and_the_right_workflow_comes_first_nothing_of_it_stands_in_the_end() {
    for order in [[Workflow::Recep, Workflow::Registration], [Workflow::Registration, Workflow::Recep]] {
        let mut audit = Audit::default();
        for workflow in order {
            audit.take(&SeenInterchange { workflow: Some(workflow), ..registration(1, 1, 1) }, 0, &settings());
        }
        assert_eq!(audit.published(), ["Duplicate Confirmed sis TES5>XX11 1-1"], "{order:?}");
    }
    let mut audit = Audit::default();
    for _ in 0..2 {
        audit.take(&SeenInterchange { workflow: Some(Workflow::Recep), ..registration(1, 1, 1) }, 0, &settings());
    }
    assert!(audit.findings.contains_key("workflow-mismatch/TES5/XX11/1"), "wrong twice is wrong");
    let receipts = SeenInterchange { workflow: Some(Workflow::Recep), ..receipt(5, 1, &[(1, Verdict::Success)]) };
    audit.take(&receipts, 0, &settings());
    assert!(!audit.findings.contains_key("workflow-mismatch/XX11/TES5/5"), "receipts come under theirs");
}

#[test]
fn numbers_that_answer_the_recipients_are_on_no_line_of_the_sender() {
    let mut audit = Audit::default();
    let mut approval = SeenInterchange { ..SeenInterchange::between("XX11", "TES5") };
    approval.number = Some(1);
    let message = |number, echoes_numbers, transaction| SeenMessage {
        number: Some(number),
        echoes_numbers,
        transactions: vec![SeenTransaction { number: transaction, content: None }],
        ..SeenMessage::default()
    };
    approval.messages = vec![message(1, false, 100), message(2, true, 13), message(3, false, 101)];
    audit.take(&approval, 0, &settings());
    let (_, line) = &audit.transactions["XX11"];
    let summary = line.summary(&settings().authority_transactions.unwrap());
    assert_eq!((summary.first, summary.last, summary.missing.len()), (Some(100), Some(101), 0));
}
