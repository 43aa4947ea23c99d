//! The earlier reports, with every quirk that is known of them, and the true answers to the same questions.

use concord_schemas::gp_links::{DocumentReceipt, DocumentWorkflow, StateDocument};
use jiff::{SignedDuration, Timestamp};

use super::super::reports::{compatible, history, truthful};
use super::super::*;
use super::audit::Audit;

fn noon() -> Timestamp {
    "2020-01-10T12:00:00Z".parse().unwrap()
}

fn document(sender: &str, number: i64, at: Timestamp) -> StateDocument {
    StateDocument {
        workflow: DocumentWorkflow::Registration,
        sender: sender.to_owned(),
        recipient: "XX11".to_owned(),
        interchange: Some(number),
        message: Some(number),
        transaction: Some(number),
        transaction_type: Some("ACG".to_owned()),
        operation_id: Some(format!("operation {number}")),
        translated_at: Some(at),
        processed_at: None,
        recep_code: None,
        recep_date_time: None,
        recep: None,
    }
}

fn documents(sender: &str, numbers: &[i64]) -> Vec<StateDocument> {
    numbers.iter().map(|&number| document(sender, number, noon())).collect()
}

fn question(sender: &str) -> compatible::Question<'_> {
    compatible::Question {
        from: noon() - SignedDuration::from_hours(1),
        to: noon() + SignedDuration::from_hours(1),
        sender: Some(sender),
        recipient: Some("XX11"),
    }
}

fn missing(documents: &[StateDocument]) -> compatible::MissingNumbers {
    compatible::missing_numbers(documents, compatible::Field::Number(Counter::Sis), &question("TES5"))
}

fn numbers(ranges: &[(u64, u64)]) -> compatible::MissingNumbers {
    compatible::MissingNumbers::Numbers(ranges.iter().map(|&range| range.into()).collect())
}

#[test]
fn the_example_of_the_source_document_is_answered_as_it_was() {
    let seen = documents("TES5", &[1, 3, 7, 9]);
    assert_eq!(missing(&seen), numbers(&[(2, 2), (4, 6), (8, 8)]), "2, 4, 5, 6, 8");
}

#[test]
fn a_number_of_another_pair_hides_that_it_is_missing() {
    let mut seen = documents("TES5", &[1, 3, 7, 9]);
    seen.extend(documents("ABC5", &[2, 5]));
    assert_eq!(missing(&seen), numbers(&[(4, 4), (6, 6), (8, 8)]));
}

#[test]
fn the_ends_are_invisible_and_no_row_has_three_meanings() {
    assert_eq!(missing(&documents("TES5", &[5, 6, 9])), numbers(&[(7, 8)]));
    assert_eq!(missing(&documents("TES5", &[5, 6, 7])), compatible::MissingNumbers::NoRow);
    assert_eq!(missing(&documents("TES5", &[5])), compatible::MissingNumbers::NoRow);
    assert_eq!(missing(&documents("ABC5", &[1, 9])), compatible::MissingNumbers::NoRow);
}

#[test]
fn both_bounds_are_outside_and_what_is_outside_still_fills_a_hole() {
    let mut seen = documents("TES5", &[2, 4]);
    seen.push(document("TES5", 1, question("TES5").from));
    seen.push(document("TES5", 9, question("TES5").to));
    assert_eq!(missing(&seen), numbers(&[(3, 3)]));
    seen.push(document("TES5", 3, noon() + SignedDuration::from_hours(99)));
    assert_eq!(missing(&seen), compatible::MissingNumbers::NoRow);
}

#[test]
fn the_query_fails_where_it_failed() {
    let mut recep = document("TES5", 1, noon());
    (recep.workflow, recep.transaction) = (DocumentWorkflow::Recep, None);
    let of_transactions = compatible::Field::Number(Counter::Tn);
    let answer = compatible::missing_numbers(&[recep.clone()], of_transactions, &question("TES5"));
    assert_eq!(answer, compatible::MissingNumbers::NoNumber);
    let of_time = compatible::Field::TranslationTimestamp;
    let answer = |documents: &[StateDocument]| compatible::missing_numbers(documents, of_time, &question("TES5"));
    assert_eq!(answer(&[recep]), compatible::MissingNumbers::NoNumber);
    assert_eq!(answer(&[]), compatible::MissingNumbers::NoRow);
    let wrap = documents("TES5", &[99_999_998, 99_999_999, 1, 2]);
    assert_eq!(missing(&wrap), compatible::MissingNumbers::TooMany { span: 99_999_998 });
    let long = documents("TES5", &[1, 3_000_001]);
    assert_eq!(missing(&long), compatible::MissingNumbers::TooLong { missing: 2_999_999 });
    let short = documents("TES5", &[1, 1_000_001]);
    assert!(matches!(missing(&short), compatible::MissingNumbers::Numbers(_)));
}

#[test]
fn the_early_receipt_report_names_receipts_half_filled_ones_and_all_of_the_next_release() {
    let receipt = DocumentReceipt { code: Some("ERROR".to_owned()), ..DocumentReceipt::default() };
    let early = StateDocument {
        recep_code: Some("CP".to_owned()),
        recep_date_time: Some(noon()),
        ..document("TES5", 1, noon())
    };
    let half = StateDocument { recep_date_time: None, ..early.clone() };
    let of_receipt = StateDocument { workflow: DocumentWorkflow::Recep, ..document("TES5", 3, noon()) };
    let current = StateDocument { recep: Some(receipt), ..document("TES5", 4, noon()) };
    let all = [early, half, of_receipt, current];
    let asked = |release| {
        let is_found = |place: &usize| compatible::is_missing_receipt(&all[*place], release, &question("TES5"));
        (0..all.len()).filter(is_found).collect::<Vec<_>>()
    };
    assert_eq!(asked(compatible::Release::Early), [1, 2, 3]);
    assert_eq!(asked(compatible::Release::Current), [0, 1]);
    let of_all = compatible::Question { sender: None, recipient: None, ..question("") };
    let found = all.iter().filter(|one| compatible::is_missing_receipt(one, compatible::Release::Early, &of_all));
    assert_eq!(found.count(), 3);
}

#[test]
fn the_third_report_takes_both_ends_and_does_not_go_over_the_end_of_the_numbers() {
    let seen = documents("TES5", &[99_999_999, 1, 2, 3]);
    let operations = compatible::operations(&seen, "TES5", "XX11", 1, 2);
    assert_eq!(operations, [(1, Some("operation 1")), (2, Some("operation 2"))]);
    assert!(compatible::operations(&seen, "TES5", "XX11", 99_999_999, 2).is_empty());
    let range = NumberRange { from: 99_999_999, to: 1 };
    let truly = truthful::operations(&seen, "TES5", "XX11", range, Circle::REFERENCES);
    assert_eq!(truly, [(99_999_999, "operation 99999999"), (1, "operation 1")]);
}

/// The line that the documents were made of, and the answer from it.
fn truly(documents: &[StateDocument], window: truthful::Window) -> truthful::MissingNumbers {
    let settings = AuditSettings::default();
    let mut audit = Audit::default();
    for seen in history::interchanges(documents) {
        audit.take(&seen, seen.prepared_at_ms.unwrap(), &settings);
    }
    let line = audit.links.get(&("TES5".to_owned(), "XX11".to_owned())).map(|link| link.interchanges.clone());
    truthful::missing_numbers(&line.unwrap_or_default(), window, &settings.interchanges)
}

fn hours(from: i64, to: i64) -> truthful::Window {
    let at = |hours| (noon() + SignedDuration::from_hours(hours)).as_millisecond();
    truthful::Window { from_ms: at(from), to_ms: at(to) }
}

fn ranges(answer: &truthful::MissingNumbers) -> Vec<(u64, u64)> {
    match answer {
        truthful::MissingNumbers::Missing(missing) => missing.iter().map(|range| range.numbers.into()).collect(),
        truthful::MissingNumbers::NoData | truthful::MissingNumbers::NoGap => panic!("{answer:?}"),
    }
}

#[test]
fn the_true_answer_is_of_one_pair_and_goes_over_the_end_of_the_numbers() {
    let mut seen = documents("TES5", &[1, 3, 7, 9]);
    seen.extend(documents("ABC5", &[2, 5]));
    assert_eq!(ranges(&truly(&seen, hours(-1, 1))), [(2, 2), (4, 6), (8, 8)]);
    let wrap = documents("TES5", &[99_999_997, 99_999_999, 2]);
    assert_eq!(ranges(&truly(&wrap, hours(-1, 1))), [(99_999_998, 99_999_998), (1, 1)]);
}

#[test]
fn the_true_answer_tells_no_gap_from_no_data() {
    assert_eq!(truly(&documents("TES5", &[5, 6, 7]), hours(-1, 1)), truthful::MissingNumbers::NoGap);
    assert_eq!(truly(&documents("ABC5", &[1, 9]), hours(-1, 1)), truthful::MissingNumbers::NoData);
    assert_eq!(truly(&documents("TES5", &[1, 9]), hours(5, 6)), truthful::MissingNumbers::NoData);
}

#[test]
fn the_true_answer_names_what_was_sent_within_the_window_and_adjacent_windows_lose_nothing() {
    let at = |number, hours| document("TES5", number, noon() + SignedDuration::from_hours(hours));
    let seen = [at(1, 0), at(3, 2), at(4, 10), at(6, 12)];
    assert_eq!(ranges(&truly(&seen, hours(0, 5))), [(2, 2)]);
    assert_eq!(ranges(&truly(&seen, hours(5, 20))), [(5, 5)]);
    assert_eq!(ranges(&truly(&seen, hours(12, 13))), [(5, 5)], "the beginning of a window is inside");
    assert_eq!(truly(&seen, hours(3, 10)), truthful::MissingNumbers::NoGap, "the end is outside");
}

#[test]
fn messages_without_a_receipt_are_named_once_and_receipts_in_documents_count() {
    let settings = AuditSettings::default();
    let mut seen = documents("TES5", &[1, 2]);
    // A second transaction of message 1, and a receipt for message 2.
    seen.push(StateDocument { transaction: Some(9), ..seen[0].clone() });
    seen[1].recep_code = Some("CA".to_owned());
    let mut audit = Audit::default();
    for interchange in history::interchanges(&seen) {
        audit.take(&interchange, interchange.prepared_at_ms.unwrap(), &settings);
    }
    let receipts = history::receipts(&seen);
    assert_eq!(receipts.len(), 1);
    let event = &receipts[0];
    let (mut counts, mut changes) = (ReceiptCounts::default(), Vec::new());
    let message = audit.messages.get_mut(&event.message).unwrap();
    message.on_receipt(&event.message, event.receipt, true, noon().as_millisecond(), &mut counts, &mut changes);
    let outstanding = truthful::missing_receipts(&audit.messages, hours(-1, 1));
    assert_eq!(outstanding.iter().map(|key| key.message).collect::<Vec<_>>(), [1]);
    assert_eq!(counts.negative, 1);
    assert!(truthful::missing_receipts(&audit.messages, hours(1, 2)).is_empty());
}

/// What was sent to answer them does not say which message it answers.
#[test]
fn no_receipt_is_missing_of_what_a_health_authority_sent_before() {
    let settings = AuditSettings::default();
    let mut seen = documents("TES5", &[1, 2]);
    for document in &mut seen {
        std::mem::swap(&mut document.sender, &mut document.recipient);
        document.transaction_type = Some("AMF".to_owned());
    }
    let mut audit = Audit::default();
    for interchange in history::interchanges(&seen) {
        audit.take(&interchange, interchange.prepared_at_ms.unwrap(), &settings);
    }
    assert_eq!(audit.summary("XX11", "TES5", &settings)[0].last, Some(2), "the numbers are known");
    assert!(audit.messages.is_empty());
}
