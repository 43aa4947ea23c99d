//! Whole interchanges, as both sides of a link write them.

use super::super::*;
use super::read_one;

#[test]
fn a_header_of_ten_elements_is_read_and_zeros_in_front_of_a_number_do_not_matter() {
    let read = read_one(
        b"UNB+UNOA:2+SO01+WHI5+200620:1400+00000001++FHSREG+++FHSA EDI TRANSFERS'\
          UNH+00000001+FHSREG:0:1:FH:FHS001'RFF+950:F1'S01+1'RFF+TN:00000001'UNT+5+1'UNZ+1+1'",
    );
    assert_eq!(read.header.application.as_deref(), Some("FHSREG"));
    assert_eq!(read.header.prepared_at.unwrap().to_string(), "2020-06-20T13:00:00Z");
    assert_eq!(read.messages[0].transactions[0].number, Some(1));
    assert!(read.defects.is_empty(), "{:?}", read.defects);
}

#[test]
fn an_unknown_transaction_type_is_sequenced_all_the_same() {
    let read = read_one(
        b"UNB+UNOA:2+XX11+TES5+200620:1400+00000003'UNH+00000010+FHSREG:0:1:FH:FHS001'RFF+950:F5'RFF+TN:3'\
          RFF+TN:10817565'UNT+5+00000010'UNZ+1+00000003'",
    );
    let numbers: Vec<_> = read.messages[0].transactions.iter().map(|transaction| transaction.number).collect();
    assert_eq!(numbers, [Some(3), Some(10_817_565)], "numbers of authorities have eight digits");
    assert_eq!(read.messages[0].known_type(), None);
    assert_eq!(read.defects.len(), 1);
    assert_eq!(read.defects[0].problem.code(), "CONCORD-EF-0014");
}

#[test]
fn receipts_of_every_code_are_read() {
    let read = read_one(
        b"UNB+UNOA:2+FHS1+GP05+200620:1400+00000064++RECEP+++EDIFACT TRANSFER'UNH+00000028+RECEP:0:2:FH'\
          BGM++600+243:202005201355:306+64'NHS+FHS:819:201+123456:814:202'DTM+815:202004190600:306'\
          RFF+MIS:5 CP'RFF+MIS:10000006 CA:more'RFF+MIS:99000006 CI+more'RFF+RIS:10000006 ER:3:..'\
          RFF+RIS:99000006 NA:10:..++'UNT+10+00000028'UNZ+1+00000064'",
    );
    assert!(read.defects.is_empty(), "{:?}", read.defects);
    let message = &read.messages[0];
    assert_eq!((message.kind, message.authority_cipher.as_deref()), (MessageKind::Receipt, Some("FHS")));
    assert_eq!(message.prepared_at.unwrap().to_string(), "2020-04-19T05:00:00Z");
    let [first, second] = &message.receipts[..] else { panic!("{:?}", message.receipts) };
    let codes: Vec<_> = first.messages.iter().map(|of| (of.message, of.code.unwrap())).collect();
    assert_eq!(
        codes,
        [(5, MessageCode::Success), (10_000_006, MessageCode::Error), (99_000_006, MessageCode::Incomplete)]
    );
    assert_eq!((first.interchange, first.code), (10_000_006, Some(InterchangeCode::InvalidData)));
    assert_eq!((second.code, second.stated_messages), (Some(InterchangeCode::NoValidData), Some(10)));
}

#[test]
fn messages_of_an_interchange_that_cannot_be_named_are_not_those_of_another() {
    let receipts = |lines: &str| {
        let source = format!(
            "UNB+UNOA:2+FHS1+GP05+200620:1400+00000064++RECEP+++EDIFACT TRANSFER'UNH+00000028+RECEP:0:2:FH'{lines}\
             UNT+6+00000028'UNZ+1+00000064'"
        );
        let read = read_one(source.as_bytes());
        assert!(read.defects.iter().any(|defect| defect.problem.code() == "CONCORD-EF-0005"), "{:?}", read.defects);
        let of = |receipt: &Receipt| receipt.messages.iter().map(move |of| (receipt.interchange, of.message)).collect();
        read.messages[0].receipts.iter().flat_map(|receipt| -> Vec<_> { of(receipt) }).collect::<Vec<_>>()
    };
    assert_eq!(receipts("RFF+MIS:5 CP'RFF+RIS:X OK:1'RFF+MIS:7 CP'RFF+RIS:9 OK:1'"), [(9, 7)]);
    assert_eq!(receipts("RFF+MIS:5 CP'RFF+RIS:8 OK:1'RFF+MIS:7 CP'RFF+RIS:0 OK:1'"), [(8, 5)]);
    assert_eq!(receipts("RFF+MIS:5 CP'RFF+RIS:8 OK:1'RFF+RIS:X OK:1'RFF+MIS:7 CP'"), [(8, 5)]);
}

#[test]
fn receipts_of_the_oldest_releases_are_known_by_their_segments() {
    let read = read_one(
        b"UNB+UNOA:2+TES5+XX11+200620:1400+00000001++RECEP+++EDIFACT TRANSFER'UNH+00000001+FHSREG:0:1:FH'\
          DTM+137:202006201400:203'DTM+815:202006201400:203'RFF+MIS:00000006 CP'RFF+RIS:00000003 OK:1'\
          UNT+6+00000001'UNZ+1+00000001'",
    );
    assert_eq!(read.messages[0].kind, MessageKind::Receipt);
    assert_eq!(read.messages[0].receipts.len(), 1);
    assert!(read.defects.is_empty(), "{:?}", read.defects);
}

#[test]
fn the_same_content_has_the_same_hash_whatever_the_line_ends_and_other_content_has_another() {
    let text = "UNB+UNOA:2+XX11+TES5+200620:1400+00000003'\nUNH+00000010+FHSREG:0:1:FH:FHS001'\nRFF+950:F1'\nS01+1'\n\
                RFF+TN:3'\nNAD+GP+1:900'\nS01+1'\nRFF+TN:4'\nNAD+GP+1:900'\nUNT+9+00000010'\nUNZ+1+00000003'";
    let read = read_one(text.as_bytes());
    for same in [text.replace('\n', ""), text.replace('\n', "\r\n")] {
        assert_eq!(read_one(same.as_bytes()).end.content, read.end.content);
        assert_eq!(read_one(same.as_bytes()).messages, read.messages);
    }
    let other = read_one(text.replace("RFF+TN:4'\nNAD+GP+1", "RFF+TN:4'\nNAD+GP+2").as_bytes());
    assert_ne!(other.end.content, read.end.content);
    assert_ne!(other.messages[0].content, read.messages[0].content);
    let contents = |of: &Interchange| of.messages[0].transactions.iter().map(|found| found.content).collect::<Vec<_>>();
    assert_eq!(contents(&other)[0], contents(&read)[0], "the first transaction is as it was");
    assert_ne!(contents(&other)[1], contents(&read)[1]);
}

#[test]
fn interchanges_one_behind_the_other_are_read_one_by_one() {
    let one = "UNB+UNOA:2+XX11+TES5+200620:1400+00000003'UNZ+0+00000003'";
    let read = read_interchanges(format!("{one}\r\n{one}UNA:+.? '{one}").as_bytes(), Strictness::Strict);
    assert_eq!(read.len(), 3);
    assert!(read.iter().all(Result::is_ok), "{read:?}");
}

#[test]
fn behind_an_interchange_with_separators_of_its_own_others_have_these_or_the_usual_ones() {
    let one = "UNB+UNOA:2+XX11+TES5+200620:1400+00000003'UNZ+0+00000003'";
    let other = one.replace('+', "*").replace(':', ";").replace('\'', "~");
    let source = format!("UNA;*.! ~{other}{other}{one}{one}");
    let whole = read_interchanges(source.as_bytes(), Strictness::Strict);
    assert_eq!((whole.len(), whole.iter().filter(|read| read.is_ok()).count()), (4, 4), "{whole:?}");
    for length in 1..20 {
        let mut reader = InterchangeReader::new(Strictness::Strict);
        let mut read = Vec::new();
        for piece in source.as_bytes().chunks(length) {
            reader.push(piece, &mut |one| read.push(one));
        }
        reader.finish(&mut |one| read.push(one));
        assert_eq!(read, whole, "in pieces of {length}");
    }
}

#[test]
fn line_ends_within_a_segment_carry_nothing() {
    let whole = b"UNB+UNOA:2+XX11+TES5+200620:1400+00000003'UNH+00000009+FHSREG:0:1:FH:FHS001'RFF+950:F4'RFF+TN:13'\
                  UNT+4+00000009'UNZ+1+00000003'";
    let plain = read_one(whole);
    for (width, end) in [(7, "\n"), (20, "\r\n"), (80, "\r")] {
        let lines: Vec<Vec<u8>> = whole.chunks(width).map(<[u8]>::to_vec).collect();
        let wrapped = lines.join(end.as_bytes());
        let read = read_one(&wrapped);
        assert_eq!(read.messages, plain.messages, "{width}");
        assert_eq!((read.header.number, read.end.content), (plain.header.number, plain.end.content), "{width}");
        assert!(read.defects.is_empty(), "{width}: {:?}", read.defects);
    }
}

#[test]
fn of_two_transaction_types_the_first_is_the_messages() {
    let read = read_one(
        b"UNB+UNOA:2+XX11+TES5+200620:1400+3'UNH+9+FHSREG:0:1:FH:FHS001'RFF+950:F4'RFF+950:G1'RFF+TN:3'UNT+5+9'UNZ+1+3'",
    );
    assert_eq!(read.messages[0].transaction_type.as_deref(), Some("F4"));
}

#[test]
fn a_message_of_another_standard_is_numbered_and_told_of() {
    let read = read_one(b"UNB+UNOA:2+XX11+TES5+200620:1400+3'UNH+9+ORDERS:D:96A:UN'BGM+220+128576+9'UNT+3+9'UNZ+1+3'");
    assert_eq!((read.messages[0].number, read.messages[0].kind), (Some(9), MessageKind::Other));
    let told: Vec<_> = read.defects.iter().map(|defect| (defect.problem.code(), defect.segment)).collect();
    assert_eq!(told, [("CONCORD-EF-0015", 2)]);
}
