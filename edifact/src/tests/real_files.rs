//! The earlier adaptor's own files, read in place: numbers, types, receipts and defects that their notes state.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::*;
use super::read_one;

/// The files, or `None`, said aloud, where they are not.
fn folder() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/nhais");
    if !path.is_dir() {
        eprintln!("SKIPPED: the files of the earlier adaptor are not at {}", path.display());
        return None;
    }
    Some(path)
}

/// Sender, recipient, SIS, then SMS, type and TNs of each message.
fn sequences(path: &Path) -> String {
    let read = read_one(&fs::read(path).unwrap());
    let mut text = format!("{}>{} {}", read.header.sender, read.header.recipient, read.header.number.unwrap());
    for message in &read.messages {
        let numbers: Vec<String> = message.transactions.iter().map(|tn| tn.number.unwrap().to_string()).collect();
        let of_type = message.transaction_type.as_deref().unwrap_or("-");
        text.push_str(&format!(" {}/{of_type}/{}", message.number.unwrap(), numbers.join("+")));
    }
    text
}

fn defects(path: &Path) -> Vec<String> {
    read_one(&fs::read(path).unwrap()).defects.iter().map(|defect| defect.problem.to_string()).collect()
}

const INBOUND: [(&str, &str, &[&str]); 12] = [
    ("amendment/amend-all", "XX11>TES5 1 1/F1/1", &["UNT says 17 segments, the message has 18"]),
    ("amendment/app-j-1", "XX11>TES5 3 6/F1/101", &[]),
    ("amendment/erase-all-1", "XX11>TES5 1 1/F1/1", &[]),
    ("amendment/erase-all-2", "XX11>TES5 1 1/F1/1", &[]),
    ("approval/app-j-with-nhs-number", "XX11>TES5 3 9/F4/13", &[]),
    (
        "close_quarter_notification/close-quarter-notification",
        "XX11>TES5 3 6/F8/99",
        &["the last segment has no terminator"],
    ),
    ("deduction/app-j-1", "XX11>TES5 1 1/F2/1", &[]),
    ("deduction_rejection/app-j-1", "XX11>TES5 1 9/F11/1", &["the last segment has no terminator"]),
    ("fp69_flag_removal/app-j-1", "XX11>TES5 1 1/F10/102", &[]),
    ("fp69_prior_notification/app-j-1", "XX11>TES5 1 1/F9/1", &[]),
    ("fp69_prior_notification/min", "XX11>TES5 1 1/F9/1", &["UNT says 16 segments, the message has 15"]),
    ("rejection/app-j-1", "XX11>TES5 3 8/F3/12", &[]),
];

#[test]
fn the_twelve_inbound_files_have_the_sequences_and_defects_that_are_known_of_them() {
    let Some(folder) = folder() else { return };
    for (case, expected, expected_defects) in INBOUND {
        let path = folder.join("inbound").join(format!("{case}.edifact.dat"));
        assert_eq!(sequences(&path), expected, "{case}");
        assert_eq!(defects(&path), expected_defects, "{case}");
    }
}

#[test]
fn the_receipts_of_the_inbound_files_are_written_as_they_were_but_for_their_time() {
    let Some(folder) = folder() else { return };
    let at: Timestamp = "2020-08-07T13:12:00Z".parse().unwrap();
    for (case, ..) in INBOUND {
        let received = read_one(&fs::read(folder.join("inbound").join(format!("{case}.edifact.dat"))).unwrap());
        let expected = fs::read_to_string(folder.join("inbound").join(format!("{case}.recep.dat"))).unwrap();
        assert_eq!(recep_for(&received, 1, 1, at), expected.trim_end(), "{case}");
        assert_eq!(read_one(expected.as_bytes()).defects, [], "{case}");
    }
}

#[test]
fn the_interchange_with_four_messages_is_read_and_acknowledged_as_it_was() {
    let Some(folder) = folder() else { return };
    let path = folder.join("edifact/multi_transaction.1.dat");
    assert_eq!(sequences(&path), "XX11>TES5 3 6/F1/101 7/F2/100+102 8/F3/12 9/F4/13+14");
    assert_eq!(defects(&path), Vec::<String>::new());
    let received = read_one(&fs::read(path).unwrap());
    assert_eq!(received.messages[0].responsible_gp.as_deref(), Some("4826940,281"));
    let at: Timestamp = "2020-06-10T13:38:00Z".parse().unwrap();
    let expected = fs::read_to_string(folder.join("edifact/multi_transaction.1.recep.dat")).unwrap();
    assert_eq!(recep_for(&received, 1, 1, at), expected);
    let single = read_one(&fs::read(folder.join("edifact/registration.dat")).unwrap());
    let expected = fs::read_to_string(folder.join("edifact/registration_recep.dat")).unwrap();
    assert_eq!(recep_for(&single, 1, 1, at), expected);
}

#[test]
fn the_receipt_with_a_negative_code_is_read_with_its_wrong_count() {
    let Some(folder) = folder() else { return };
    let path = folder.join("edifact/recep.dat");
    assert_eq!(defects(&path), ["UNT says 10 segments, the message has 8"]);
    let read = read_one(&fs::read(path).unwrap());
    assert_eq!(read.header.prepared_at.unwrap().to_string(), "2020-06-20T13:00:00Z");
    let message = &read.messages[0];
    assert_eq!((read.header.number, message.number), (Some(64), Some(28)));
    let receipt = &message.receipts[0];
    assert_eq!(
        (receipt.interchange, receipt.code, receipt.stated_messages),
        (1, Some(InterchangeCode::Received), Some(2))
    );
    let codes: Vec<_> = receipt.messages.iter().map(|of| (of.message, of.code.unwrap())).collect();
    assert_eq!(codes, [(100, MessageCode::Success), (200, MessageCode::Error)]);
}

#[test]
fn the_practice_s_files_have_no_defect_and_are_all_number_one() {
    let Some(folder) = folder() else { return };
    let mut read = 0;
    for (kind, code) in [("acceptance", "G1"), ("amendment", "G2"), ("deduction", "G5"), ("removal", "G3")] {
        for entry in fs::read_dir(folder.join("outbound").join(kind)).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(sequences(&path), format!("TES5>XX11 1 1/{code}/1"), "{}", path.display());
            assert_eq!(defects(&path), Vec::<String>::new(), "{}", path.display());
            read += 1;
        }
    }
    assert_eq!(read, 31);
}
