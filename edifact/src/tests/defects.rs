//! Every defect of an envelope: reported with its segment and place, and no obstacle to reading on.

use super::super::*;

const GOOD: &str = "UNB+UNOA:2+XX11+TES5+200620:1400+00000003'\nUNH+00000009+FHSREG:0:1:FH:FHS001'\nRFF+950:F4'\n\
                    RFF+TN:13'\nUNT+4+00000009'\nUNZ+1+00000003'";
const RECEIPT: &str = "UNB+UNOA:2+FHS1+GP05+200620:1400+00000064++RECEP+++EDIFACT TRANSFER'\nUNH+00000028+RECEP:0:2:FH'\n\
                       DTM+815:202004190600:306'\nRFF+MIS:00000100 CP'\nRFF+RIS:00000001 OK:1'\nUNT+5+00000028'\n\
                       UNZ+1+00000064'";

fn defects(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for read in read_interchanges(source.as_bytes(), Strictness::Lenient) {
        let defects = match read {
            Ok(interchange) => interchange.defects,
            Err(refused) => refused.defects,
        };
        found.extend(defects.iter().map(ToString::to_string));
    }
    found
}

#[test]
fn what_is_right_has_none() {
    assert_eq!(defects(GOOD), Vec::<String>::new());
    assert_eq!(defects(RECEIPT), Vec::<String>::new());
}

#[test]
fn each_defect_is_reported_with_code_segment_and_place() {
    let cases = [
        ("UNT+4", "UNT+17", "CONCORD-EF-0001 segment 5 (byte 101): UNT says 17 segments, the message has 4"),
        ("UNZ+1", "UNZ+2", "CONCORD-EF-0001 segment 6 (byte 117): UNZ says 2 messages, the interchange has 1"),
        (
            "UNT+4+00000009",
            "UNT+4+00000001",
            "CONCORD-EF-0002 segment 5 (byte 101): UNT has another reference than UNH",
        ),
        ("UNZ+1+00000003", "UNZ+1+2", "CONCORD-EF-0002 segment 6 (byte 117): UNZ has another reference than UNB"),
        (
            "UNZ+1+00000003'",
            "UNZ+1+00000003",
            "CONCORD-EF-0003 segment 6 (byte 117): the last segment has no terminator",
        ),
        ("UNT+4+00000009'\n", "", "CONCORD-EF-0003 segment 5 (byte 101): the message has no UNT"),
        ("UNZ+1+00000003'", "", "CONCORD-EF-0003 segment 5 (byte 101): the interchange has no UNZ"),
        (
            "UNZ+1+00000003'",
            "UNZ+1+00000003'\nNAD+GP'DTM'",
            "CONCORD-EF-0004 segment 7 (byte 133): the segment stands outside its envelope",
        ),
        (
            "1400+00000003",
            "1400+0000000A",
            "CONCORD-EF-0005 segment 1 (byte 0): the number of the interchange is not made of digits, is zero or is too large",
        ),
        (
            "UNH+00000009",
            "UNH+00000000",
            "CONCORD-EF-0005 segment 2 (byte 43): the number of the message is not made of digits, is zero or is too large",
        ),
        (
            "UNH+00000009",
            "UNH+100000000",
            "CONCORD-EF-0005 segment 2 (byte 43): the number of the message is not made of digits, is zero or is too large",
        ),
        (
            "RFF+TN:13",
            "RFF+TN:",
            "CONCORD-EF-0005 segment 4 (byte 90): the number of the transaction is not made of digits, is zero or is too large",
        ),
        ("XX11", "", "CONCORD-EF-0006 segment 1 (byte 0): the sender is missing"),
        ("RFF+950:F4'\n", "", "CONCORD-EF-0006 segment 4 (byte 89): the transaction type (RFF+950) is missing"),
        ("200620:1400", "201320:1400", "CONCORD-EF-0007 segment 1 (byte 0): the time of the interchange is none"),
        ("XX11", "TES5", "CONCORD-EF-0010 segment 1 (byte 0): the sender is the recipient"),
        (
            "UNB",
            "UNA::.? 'UNB",
            "CONCORD-EF-0012 segment 1 (byte 0): the characters of the service string advice cannot separate",
        ),
        ("950:F4", "950:F6", "CONCORD-EF-0014 segment 3 (byte 78): the transaction type is none that is known"),
    ];
    for (from, to, expected) in cases {
        let source = GOOD.replacen(from, to, 1);
        let found = defects(&source);
        assert!(found.iter().any(|defect| defect == expected), "{from} -> {to}: {found:#?}");
    }
}

#[test]
fn each_defect_of_a_receipt_is_reported() {
    let cases = [
        ("++RECEP+++EDIFACT TRANSFER", "", "CONCORD-EF-0009"),
        ("RECEP:0:2:FH", "OTHER", "CONCORD-EF-0015"),
        ("00000100 CP", "00000100 XX", "CONCORD-EF-0013"),
        ("00000100 CP", "ONE CP", "CONCORD-EF-0005"),
        ("00000001 OK", "00000001 XX", "CONCORD-EF-0013"),
        ("OK:1", "OK:2", "CONCORD-EF-0013"),
        ("RFF+RIS:00000001 OK:1'\n", "", "CONCORD-EF-0013"),
        ("815:202004190600", "815:2020", "CONCORD-EF-0007"),
    ];
    for (from, to, code) in cases {
        let found = defects(&RECEIPT.replacen(from, to, 1));
        assert!(found.iter().any(|defect| defect.starts_with(code)), "{from} -> {to}: {found:#?}");
    }
}

#[test]
fn messages_that_are_not_numbered_one_after_the_other_are_reported() {
    let twice = |second: &str| {
        let message = &GOOD["UNB+UNOA:2+XX11+TES5+200620:1400+00000003'\n".len()..GOOD.len() - "UNZ+1+00000003'".len()];
        let other = message.replace("00000009", second);
        defects(&GOOD.replace(message, &format!("{message}{other}")).replace("UNZ+1", "UNZ+2"))
    };
    assert_eq!(twice("00000010"), Vec::<String>::new());
    assert_eq!(twice("00000012"), ["CONCORD-EF-0008 segment 9 (byte 175): message 12 follows message 9"]);
}

#[test]
fn another_standard_an_empty_file_and_garbage_are_no_interchange() {
    for source in ["", "  \r\n", "ISA*00*          *00*~GS*PO~", "<xml/>", "'''''", "\u{0}\u{1}\u{2}"] {
        let read = read_interchanges(source.as_bytes(), Strictness::Lenient);
        assert_eq!(read.len(), 1, "{source:?}: {read:?}");
        let refused = read[0].as_ref().unwrap_err();
        assert!(refused.defects.iter().any(|defect| defect.problem == Problem::NoInterchange), "{refused:?}");
        assert!(refused.header.is_none());
    }
}

#[test]
fn what_is_cut_off_is_given_as_far_as_it_came() {
    for end in 1..GOOD.len() {
        let read = read_interchanges(&GOOD.as_bytes()[..end], Strictness::Lenient);
        let whole = read.iter().flatten().any(|interchange| interchange.defects.is_empty());
        assert!(!whole, "cut at {end}: {read:?}");
    }
    let cut = read_interchanges(&GOOD.as_bytes()[..100], Strictness::Lenient);
    let interchange = cut[0].as_ref().unwrap();
    assert!(!interchange.end.is_complete);
    assert_eq!(interchange.messages[0].transactions[0].number, Some(13));
}

#[test]
fn a_strict_reader_refuses_an_interchange_with_a_defect_and_gives_the_next() {
    let bad = GOOD.replace("UNT+4", "UNT+5");
    let read = read_interchanges(format!("{bad}{GOOD}").as_bytes(), Strictness::Strict);
    assert_eq!(read.len(), 2);
    let refused = read[0].as_ref().unwrap_err();
    assert_eq!(refused.header.as_ref().unwrap().number, Some(3));
    assert_eq!(refused.defects.len(), 1);
    assert!(read[1].is_ok());
}

#[test]
fn a_segment_that_is_too_long_is_a_defect_of_its_message() {
    let long = GOOD.replace("RFF+TN:13'", &format!("FTX+{}'\nRFF+TN:13'", "X".repeat(LONGEST_SEGMENT)));
    let found = defects(&long.replace("UNT+4", "UNT+5"));
    assert_eq!(found, ["CONCORD-EF-0011 segment 4 (byte 90): the segment is longer than 64 KiB"]);
}
