//! Interchanges with a fault of each kind, and the findings that they make.

use std::collections::BTreeMap;

use concord_edifact::{
    InterchangeCode, InterchangeHeader, InterchangeWriter, MessageCode, MessageReceipt, Receipt, RegistrationText,
    TransactionText,
};
use jiff::Timestamp;

/// What the earlier adaptor remembered of three acceptances of TES5: the second without a receipt, and a number missing before the
/// third.
pub const HISTORY: &str = concat!(
    r#"{"workflowId":"REGISTRATION","intSeq":1,"msgSeq":1,"tn":1,"sndr":"TES5","recip":"XX11","transactionType":"ACG","translationTimestamp":{"$date":"2020-06-10T13:38:00Z"},"recep":{"code":"SUCCESS","interchangeSequence":7}}"#,
    "\n",
    r#"{"workflowId":"REGISTRATION","intSeq":2,"msgSeq":2,"tn":2,"sndr":"TES5","recip":"XX11","transactionType":"ACG","translationTimestamp":{"$date":"2020-06-10T13:39:00Z"}}"#,
    "\n",
    r#"{"workflowId":"REGISTRATION","intSeq":4,"msgSeq":4,"tn":4,"sndr":"TES5","recip":"XX11","transactionType":"ACG","translationTimestamp":{"$date":"2020-06-10T13:40:00Z"},"recepCode":"CA","recepDateTime":{"$date":"2020-06-10T14:00:00Z"}}"#,
    "\n",
);
/// What ABC5 used last.
pub const BASELINE: &str = concat!(
    r#"{"_id":"SIS-ABC5-XX11","sequenceNumber":{"$numberLong":"40"}}"#,
    "\n",
    r#"{"_id":"SMS-ABC5-XX11","sequenceNumber":{"$numberLong":"40"}}"#,
    "\n",
    r#"{"_id":"TN-ABC5","sequenceNumber":{"$numberLong":"41"}}"#,
    "\n",
);

/// An interchange with one message of one acceptance, all of the same number.
fn registration(sender: &str, number: u64, segment: &str) -> String {
    let mut writer = begin(sender, "XX11", number, None);
    let transactions = vec![TransactionText { number, segments: vec![segment] }];
    let message =
        RegistrationText { authority_cipher: "XX1", prepared_at: prepared(), transaction_type: "G1", transactions };
    writer.registration(number, &message);
    writer.finish()
}

/// The receipt of an interchange of TES5 and its message of the same number.
fn receipt(number: u64, of: u64, interchange: InterchangeCode, message: MessageCode) -> String {
    let mut writer = begin("XX11", "TES5", number, Some("RECEP"));
    let receipt = Receipt {
        interchange: of,
        code: Some(interchange),
        stated_messages: Some(1),
        messages: vec![MessageReceipt { message: of, code: Some(message) }],
    };
    writer.recep(number, "XX1", "4826940,281", prepared(), &[receipt]);
    writer.finish()
}

fn begin(sender: &str, recipient: &str, number: u64, application: Option<&str>) -> InterchangeWriter {
    InterchangeWriter::begin(&InterchangeHeader {
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        prepared_at: Some(prepared()),
        number: Some(number),
        application: application.map(ToOwned::to_owned),
    })
}

fn prepared() -> Timestamp {
    "2020-06-11T13:38:00Z".parse().unwrap()
}

/// Names and contents, in the order in which they are published.
pub fn files() -> Vec<(String, String)> {
    let tes5 = |number| registration("TES5", number, "HEA+ACD+A:ZZZ");
    let recep = |number, of, code| receipt(number, of, InterchangeCode::Received, code);
    let contents = [
        tes5(5),
        // 6 is missing.
        tes5(7),
        tes5(8),
        registration("TES5", 8, "HEA+ACD+B:ZZZ"),
        tes5(9).replace("UNZ+1+", "UNZ+7+"),
        // The same in a file of another name: sent again.
        tes5(5),
        // Far from where they were.
        tes5(500_000),
        recep(1, 5, MessageCode::Success),
        recep(2, 7, MessageCode::Error),
        receipt(3, 8, InterchangeCode::InvalidData, MessageCode::Success),
        // Of what never was.
        recep(4, 77, MessageCode::Success),
        registration("ABC5", 42, "HEA+ACD+A:ZZZ"),
        // The numbers begin again.
        registration("WRA5", 99_999_999, "HEA+ACD+A:ZZZ").replace("RFF+TN:99999999", "RFF+TN:9999999"),
        registration("WRA5", 2, "HEA+ACD+A:ZZZ"),
        "nhs_number,gp_practice\n".to_owned(),
    ];
    let named = contents.into_iter().enumerate();
    named.map(|(place, text)| (format!("{place:02}.dat"), text)).collect()
}

/// Kind and state of the findings, each as often as it stands, when all deadlines have passed.
pub fn expected() -> BTreeMap<String, usize> {
    let counts = [
        // 3 of the history and 6 of TES5 on three lines; 41 of ABC5 on two, where its transactions begin; 1 of WRA5 on three.
        ("gap confirmed", 3 + 3 + 2 + 3),
        // Interchange, message and transaction 8.
        ("duplicate-differs confirmed", 3),
        ("duplicate confirmed", 1),
        // A count; a file that is none.
        ("envelope-mismatch confirmed", 2),
        ("epoch-change confirmed", 3),
        // 4 of the history and 7; the interchange 8.
        ("negative-receipt confirmed", 3),
        ("orphan-receipt confirmed", 1),
        // 2 of the history, 9, 500,000, ABC5's, and two of WRA5.
        ("receipt-overdue confirmed", 6),
    ];
    counts.into_iter().map(|(told, count)| (told.to_owned(), count)).collect()
}
