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

/// Of an interchange, without a word of its messages.
fn refusal(number: u64, of_interchange: u64) -> SeenInterchange {
    let mut seen = receipt(number, of_interchange, &[]);
    let told = &mut seen.messages[0].receipts.as_mut().unwrap()[0];
    (told.is_refusal, told.code) = (true, "NA".to_owned());
    seen
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
    assert_eq!(
        audit.published(),
        [
            "OrphanReceipt Confirmed sis XX11>TES5 9-9",
            "ReceiptOverdue Confirmed sms TES5>XX11 1-1",
            "ReceiptOverdue Confirmed sms TES5>XX11 3-3"
        ],
        "no receipt is due for a receipt"
    );
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
    audit.take(&refusal(64, 1), 1, &settings());
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

    let mut audit = Audit::default();
    audit.take(&receipt(64, 7, &[]), 0, &settings());
    audit.take(&refusal(65, 8), 0, &settings());
    audit.end(0, &settings());
    assert_eq!(
        audit.published(),
        [
            "NegativeReceipt Confirmed sis TES5>XX11 8-8",
            "OrphanReceipt Confirmed sis TES5>XX11 7-7",
            "OrphanReceipt Confirmed sis TES5>XX11 8-8"
        ]
    );
    assert_eq!(audit.findings["negative-receipt/sis/TES5/XX11/8"].note, "NA");
    audit.take(&registration(7, 7, 7), 1, &settings());
    audit.take(&registration(8, 8, 8), 1, &settings());
    assert_eq!(audit.published(), ["NegativeReceipt Confirmed sis TES5>XX11 8-8"], "they came after all");
}

#[test]
fn a_receipt_that_names_no_message_settles_none_whichever_comes_first() {
    for receipt_first in [false, true] {
        let mut audit = Audit::default();
        let (sent, answer) = (registration(1, 1, 1), receipt(64, 1, &[]));
        let both = if receipt_first { [&answer, &sent] } else { [&sent, &answer] };
        both.into_iter().for_each(|seen| audit.take(seen, 0, &settings()));
        assert_eq!(
            audit.messages.keys().map(|key| key.message).collect::<Vec<_>>(),
            [1],
            "the message waits for its own"
        );
        let counts = audit.links[&("TES5".to_owned(), "XX11".to_owned())].receipts;
        assert_eq!(counts, ReceiptCounts { expected: 1, received: 0, negative: 0 });
        audit.end(0, &settings());
        assert_eq!(audit.published(), ["ReceiptOverdue Confirmed sms TES5>XX11 1-1"]);
    }
}

#[test]
fn a_receipt_of_what_was_sent_before_the_link_was_watched_is_no_orphan() {
    let mut audit = Audit::default();
    audit.take(&registration(5, 5, 5), 0, &settings());
    audit.end(0, &settings());
    audit.findings.clear();
    let now = 20 * 24 * 60 * 60 * 1000;
    audit.take(&receipt(64, 3, &[(3, Verdict::Success)]), now, &settings());
    audit.take(&receipt(65, 4, &[]), now, &settings());
    audit.take(&receipt(66, 7, &[(7, Verdict::Success)]), now, &settings());
    audit.end(now, &settings());
    assert_eq!(
        audit.published(),
        ["OrphanReceipt Confirmed sms TES5>XX11 7-7"],
        "of 7 it is known that it did not come"
    );
    let late = now + 60 * 24 * 60 * 60 * 1000;
    audit.take(&registration(3, 3, 3), late, &settings());
    audit.findings.clear();
    audit.end(late, &settings());
    assert!(audit.findings.is_empty(), "message 3 comes after all, and its receipt was here: {:?}", audit.published());
}

#[test]
fn receipts_before_the_first_interchange_are_judged_when_the_beginning_is_settled() {
    for (of, expected) in [(3, &[][..]), (7, &["OrphanReceipt Confirmed sms TES5>XX11 7-7"][..])] {
        let mut audit = Audit::default();
        audit.take(&receipt(64, of, &[(of, Verdict::Success)]), 0, &settings());
        audit.take(&registration(5, 5, 5), 60_000, &settings());
        audit.end(0, &settings());
        audit.findings.retain(|_, finding| finding.kind == FindingKind::OrphanReceipt);
        assert_eq!(audit.published(), expected);
    }
}

#[test]
fn numbers_that_are_used_again_await_an_answer_of_their_own() {
    let mut audit = Audit::default();
    for number in 1..=400 {
        let seen = SeenInterchange { prepared_at_ms: Some(0), ..registration(number, number, number) };
        audit.take(&seen, 0, &settings());
    }
    audit.take(&receipt(64, 5, &[(5, Verdict::Error)]), 0, &settings());
    audit.take(&refusal(65, 4), 0, &settings());
    audit.end(0, &settings());
    let now = 20 * 24 * 60 * 60 * 1000;
    for number in 1..=5 {
        let again =
            SeenInterchange { content: Some(9), prepared_at_ms: Some(now), ..registration(number, number, number) };
        audit.take(&again, now, &settings());
    }
    let counts = audit.links[&("TES5".to_owned(), "XX11".to_owned())].receipts;
    assert_eq!(counts.expected, 401, "of the five the refused one; the others are waited for already");
    audit.end(now, &settings());
    assert!(audit.findings.contains_key("receipt-overdue/TES5/XX11/00000005/00000005"), "{:?}", audit.published());
    assert!(audit.findings.contains_key("epoch-change/sis/TES5/XX11/1"));
    assert!(
        !audit.findings.contains_key("receipt-overdue/sis/TES5/XX11/4"),
        "none is due for an interchange as a whole"
    );
}

#[test]
fn a_message_number_used_in_another_interchange_awaits_a_receipt_of_its_own_in_either_order() {
    let overdue = |numbers: [u64; 2]| {
        let mut audit = Audit::default();
        numbers.into_iter().for_each(|number| audit.take(&registration(number, 5, number), 0, &settings()));
        audit.end(0, &settings());
        let of_kind = |id: &&String| id.starts_with("receipt-overdue/");
        audit.findings.keys().filter(of_kind).cloned().collect::<Vec<_>>()
    };
    let expected = ["receipt-overdue/TES5/XX11/00000001/00000005", "receipt-overdue/TES5/XX11/00000002/00000005"]
        .map(str::to_owned);
    assert_eq!(overdue([1, 2]), expected);
    assert_eq!(overdue([2, 1]), expected);
}

#[test]
fn an_orphan_that_was_explained_is_taken_back_when_its_message_comes() {
    let mut audit = Audit::default();
    audit.take(&receipt(64, 7, &[(7, Verdict::Success)]), 0, &settings());
    audit.end(0, &settings());
    let key = MessageKey { message: 7, ..MessageKey::of_interchange("TES5", "XX11", 7) };
    let mut changes = Vec::new();
    audit.messages.get_mut(&key).unwrap().explain(&key, "for somebody else", 1, &mut changes);
    assert!(matches!(&changes[..], [Change::Upsert(finding)] if finding.state == FindingState::Explained));
    audit.take(&receipt(65, 7, &[(7, Verdict::Success)]), 2, &settings());
    audit.end(2, &settings());
    assert_eq!(audit.messages.len(), 1, "it is not told again");
    audit.take(&registration(7, 7, 7), 3, &settings());
    audit.end(3, &settings());
    assert!(audit.findings.is_empty() && audit.messages.is_empty(), "{:?}", audit.published());
}

#[test]
fn an_envelope_with_a_defect_stands_when_no_copy_of_it_was_whole() {
    let whole = registration(1, 1, 1);
    let cut_off =
        SeenInterchange { defects: vec!["the interchange has no UNZ".to_owned()], content: None, ..whole.clone() };
    let standing = |copies: &[&SeenInterchange]| {
        let mut audit = Audit::default();
        copies.iter().for_each(|seen| audit.take(seen, 0, &settings()));
        audit.findings.contains_key("envelope-mismatch/TES5/XX11/1")
    };
    assert!(standing(&[&cut_off]));
    let again = SeenInterchange { content: Some(9), ..cut_off.clone() };
    assert!(standing(&[&again, &again]));
    assert!(!standing(&[&again, &whole]) && !standing(&[&whole, &again]));
}

#[test]
fn a_number_beyond_its_counter_is_told_with_code_and_number() {
    let mut audit = Audit::default();
    audit.take(&registration(1, 1, 10_000_000), 0, &settings());
    assert_eq!(
        audit.findings["envelope-mismatch/TES5/XX11/1"].note,
        "CONCORD-EF-0005: transaction number 10000000 is none"
    );
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
