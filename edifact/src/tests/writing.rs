//! What is written reads as what it was made of, and receipts are those that the earlier adaptor wrote.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::*;
use super::read_one;

fn header(number: u64, application: Option<&str>) -> InterchangeHeader {
    InterchangeHeader {
        sender: "TES5".to_owned(),
        recipient: "XX11".to_owned(),
        prepared_at: Some(Timestamp::from_second(1_591_796_280).unwrap()),
        number: Some(number),
        application: application.map(str::to_owned),
    }
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let code = prop_oneof![Just(MessageCode::Success), Just(MessageCode::Error), Just(MessageCode::Incomplete)];
    let message =
        (1..=LARGEST_REFERENCE, code).prop_map(|(message, code)| MessageReceipt { message, code: Some(code) });
    let of_interchange = prop_oneof![
        Just(InterchangeCode::Received),
        Just(InterchangeCode::NoValidData),
        Just(InterchangeCode::InvalidData)
    ];
    (1..=LARGEST_REFERENCE, of_interchange, proptest::collection::vec(message, 0..5)).prop_map(
        |(interchange, code, messages)| Receipt {
            interchange,
            code: Some(code),
            stated_messages: Some(messages.len() as u64),
            messages,
        },
    )
}

proptest! {
    #[test]
    fn a_receipt_that_is_written_reads_as_itself(
        number in 1..=LARGEST_REFERENCE,
        message in 1..=LARGEST_REFERENCE,
        receipts in proptest::collection::vec(receipt(), 1..4),
    ) {
        let header = header(number, Some("RECEP"));
        let mut writer = InterchangeWriter::begin(&header);
        writer.recep(message, "XX1", "4826940,281", header.prepared_at.unwrap(), &receipts);
        let read = read_one(writer.finish().as_bytes());
        prop_assert_eq!(read.defects, []);
        prop_assert_eq!(&read.header, &header);
        prop_assert_eq!(read.messages.len(), 1);
        let found = &read.messages[0];
        prop_assert_eq!((found.number, found.prepared_at), (Some(message), header.prepared_at));
        prop_assert_eq!(&found.receipts, &receipts);
    }

    #[test]
    fn a_registration_that_is_written_reads_as_itself(
        number in 1..=LARGEST_REFERENCE,
        messages in proptest::collection::vec((1..=LARGEST_REFERENCE, proptest::collection::vec(1..=LARGEST_GP_TRANSACTION, 0..4)), 0..4),
        note in "[ -~]{0,40}",
    ) {
        let header = header(number, None);
        let mut writer = InterchangeWriter::begin(&header);
        let text = format!("FTX+RGI+++{}", escaped(&note));
        for (sms, transactions) in &messages {
            let transactions = transactions.iter().map(|&number| TransactionText { number, segments: vec![&text] });
            writer.registration(*sms, &RegistrationText {
                authority_cipher: "XX1",
                prepared_at: header.prepared_at.unwrap(),
                transaction_type: "G1",
                transactions: transactions.collect(),
            });
        }
        let read = read_one(writer.finish().as_bytes());
        let in_sequence = |defect: &&Defect| !matches!(defect.problem, Problem::MessageSequence { .. });
        prop_assert_eq!(read.defects.iter().find(in_sequence), None);
        let found: Vec<_> = read.messages.iter().map(|message| {
            let transactions: Vec<u64> = message.transactions.iter().filter_map(|found| found.number).collect();
            (message.number.unwrap(), transactions)
        }).collect();
        prop_assert_eq!(found, messages);
    }
}

#[test]
fn the_receipt_of_the_earlier_adaptor_is_written_byte_for_byte() {
    let received = read_one(
        b"UNB+UNOA:2+HA41+GP11+200610:1438+00000045'UNH+00000056+FHSREG:0:1:FH:FHS001'BGM+++507'NAD+FHS+HA4:954'\
          RFF+950:F8'RFF+TN:5174'UNT+6+00000056'UNZ+1+00000045'",
    );
    let at = Timestamp::from_second(1_591_796_280).unwrap();
    assert_eq!(
        recep_for(&received, 123_123, 234_234, at),
        "UNB+UNOA:2+GP11+HA41+200610:1438+00123123++RECEP+++EDIFACT TRANSFER'\n\
         UNH+00234234+RECEP:0:2:FH'\n\
         BGM++600+243:202006101438:306+64'\n\
         NHS+HA4:819:201+9999:814:202'\n\
         DTM+815:202006101438:306'\n\
         RFF+MIS:00000056 CP'\n\
         RFF+RIS:00000045 OK:1'\n\
         UNT+7+00234234'\n\
         UNZ+1+00123123'"
    );
}
