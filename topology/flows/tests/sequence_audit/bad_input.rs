//! Bad input is a finding or a dead letter with a code, and the stream goes on.

use concord_edifact::MessageCode;
use concord_flows::sequence_audit::topology::GP_LINKS_INTERCHANGE;
use concord_flows::sequence_audit::values::InterchangePieces;
use concord_schemas::gp_links::InterchangePiece;

use crate::stage::{GRACE, OVERDUE, Stage, explain, receipt, registration};

fn codes(stage: &Stage) -> Vec<String> {
    stage.driver.dead_letters().unwrap().into_iter().map(|letter| letter.code).collect()
}

#[test]
fn what_is_no_edifact_is_a_finding_on_no_link() {
    let mut stage = Stage::new();
    for content in ["", "nhs_number,gp_practice\n1,A82023\n", "ISA*00*          *00*"] {
        stage.receive(content);
    }
    stage.receive(&registration(1));
    assert_eq!(stage.told(), ["envelope-mismatch confirmed sis >"; 3]);
    for id in stage.findings().keys() {
        let note = stage.note(id);
        assert!(note.starts_with("mesh:") && note.contains("CONCORD-EF-0004"), "{note}");
        assert!(!note.contains("A82023"), "the finding repeats what was received: {note}");
    }
    assert_eq!(stage.links().len(), 1);
    stage.check();
}

#[test]
fn an_interchange_that_is_cut_or_counted_wrongly_is_told_and_numbered_all_the_same() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    let cut = registration(2);
    stage.receive(&cut[..cut.len() - 40]);
    stage.receive(&registration(3).replace("UNZ+1+", "UNZ+7+"));
    stage.receive(&registration(4).replace('\n', "\r\n"));
    stage.pass(GRACE);
    assert_eq!(stage.told(), [2, 3].map(|n| format!("envelope-mismatch confirmed sis TES5>XX11 {n}-{n}")));
    stage.check();
}

#[test]
fn several_interchanges_in_one_source_each_go_to_their_link_and_what_is_between_is_told() {
    let mut stage = Stage::new();
    let all = format!("{}\n{}\nNONSENSE+1'\n{}", registration(1), registration(2), registration(4));
    stage.receive(&all);
    let told = stage.told();
    assert!(told.contains(&"gap suspected sis TES5>XX11 3-3".to_owned()), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("envelope-mismatch confirmed")), "{told:?}");
    stage.check();
}

#[test]
fn a_number_beyond_its_largest_zero_or_letters_is_told_and_on_no_line() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    for number in ["000000000", "100000000", "0000000A"] {
        stage.receive(&registration(2).replace("+00000002", &format!("+{number}")));
    }
    stage.pass(GRACE);
    let mut expected = vec!["duplicate confirmed tn TES5> 2-2"];
    expected.extend(["envelope-mismatch confirmed sis TES5>XX11"; 3]);
    assert_eq!(stage.told(), expected, "their transactions are numbered all the same");
    stage.check();
}

#[test]
fn a_sender_who_is_the_recipient_is_told_and_answers_himself() {
    let mut stage = Stage::new();
    stage.receive(&registration(1).replace("XX11", "TES5"));
    stage.receive(&receipt(2, 1, MessageCode::Success).replace("XX11", "TES5"));
    assert_eq!(stage.told(), [1, 2].map(|n| format!("envelope-mismatch confirmed sis TES5>TES5 {n}-{n}")));
    let counts = stage.links()["TES5/TES5"].receipts;
    assert_eq!((counts.expected, counts.received), (1, 1));
    stage.check();
}

#[test]
fn codes_that_are_no_codes_have_links_of_their_own() {
    let mut stage = Stage::new();
    for sender in ["", "A/B", "A%2FB"] {
        stage.receive(&registration(1).replace("TES5", sender));
    }
    let links: Vec<String> = stage.links().into_keys().collect();
    assert_eq!(links, ["/XX11", "A%252FB/XX11", "A%2FB/XX11"]);
    stage.check();
}

#[test]
fn a_source_of_many_pieces_is_read_when_its_last_has_come() {
    let mut stage = Stage::new();
    let all: Vec<String> = (1..=1300).map(registration).collect();
    let content = all.join("\n");
    assert!(content.len() > 256 << 10, "{} bytes are one piece", content.len());
    stage.receive(&content);
    let line = &stage.links()["TES5/XX11"].interchanges;
    assert_eq!(line.sightings(), 1300);
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    assert!(stage.driver.state("reading", "reading-pieces").unwrap().is_empty());
    stage.check();
}

#[test]
fn pieces_that_are_none_and_pieces_that_are_missing_are_dead_letters() {
    let mut stage = Stage::new();
    let content = registration(1);
    let mut pipe = |key: &str, piece, pieces| {
        let piece = InterchangePiece {
            file_id: "f-1",
            source: "mesh:1",
            workflow_id: "",
            received_at_ms: 0,
            piece,
            pieces,
            content: content.as_bytes(),
        };
        stage.driver.pipe::<InterchangePieces>(GP_LINKS_INTERCHANGE, key, &piece).unwrap();
        stage.settle();
    };
    pipe("f-1", 2, 2);
    pipe("f-1", -1, 2);
    pipe("f-2", 0, 1);
    pipe("f-1", 1, 2);
    let mut found = codes(&stage);
    found.sort();
    assert_eq!(found, ["CONCORD-SA-0001", "CONCORD-SA-0002", "CONCORD-SA-0002", "CONCORD-SA-0003"]);
    stage.receive(&registration(1));
    assert_eq!(stage.links().len(), 1, "the stream goes on");
}

#[test]
fn commands_that_cannot_be_obeyed_are_dead_letters() {
    let mut stage = Stage::new();
    let mut by_nobody = explain("sis", 1, 2);
    by_nobody.by = " ";
    stage.command(&by_nobody);
    let mut of_nothing = explain("sis", 1, 2);
    of_nothing.counter = "abc";
    stage.command(&of_nothing);
    stage.command(&explain("sms", 0, 2));
    let mut found = codes(&stage);
    found.sort();
    assert_eq!(found, ["CONCORD-SA-0020", "CONCORD-SA-0021", "CONCORD-SA-0021"]);
}

#[test]
fn line_ends_of_all_kinds_in_one_source_make_no_difference() {
    let mut stage = Stage::new();
    let ends = ["\r\n", "\n", "\r", "\r\n\r\n", ""];
    let lines = registration(1);
    let mixed = lines.lines().enumerate().map(|(place, line)| format!("{line}{}", ends[place % ends.len()]));
    stage.receive(&mixed.collect::<String>());
    stage.receive(&registration(2).replace('\n', ""));
    assert!(stage.told().is_empty(), "{:?}", stage.told());
    stage.receive(&lines.replace('\n', "\r\n"));
    assert_eq!(stage.told(), ["duplicate confirmed sis TES5>XX11 1-1"], "it is the same content");
    stage.check();
}

#[test]
fn a_transaction_number_that_is_none_is_told_and_on_no_line() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    for (number, none) in [(2, "0"), (3, "ABC"), (4, "10000000"), (5, "99999999999999999999")] {
        let text = registration(number).replace(&format!("RFF+TN:{number}'"), &format!("RFF+TN:{none}'"));
        stage.receive(&text);
    }
    stage.pass(GRACE);
    assert_eq!(stage.told(), [2, 3, 4, 5].map(|n| format!("envelope-mismatch confirmed sis TES5>XX11 {n}-{n}")));
    assert_eq!(stage.transactions()["TES5"].sightings(), 1);
    stage.check();
}

#[test]
fn a_message_number_that_is_none_is_told_and_misses_on_its_line() {
    let mut stage = Stage::new();
    stage.receive(&registration(1));
    stage.receive(&registration(2).replace("UNH+00000002", "UNH+0000000X"));
    stage.receive(&registration(3));
    stage.pass(GRACE);
    assert_eq!(stage.told(), ["envelope-mismatch confirmed sis TES5>XX11 2-2", "gap confirmed sms TES5>XX11 2-2"]);
    stage.check();
}

#[test]
fn a_date_in_2092_moves_no_deadline() {
    let mut stage = Stage::new();
    for number in [1, 3] {
        let text = registration(number);
        assert!(text.contains("+200610:1438+"), "{text}");
        stage.receive(&text.replace("+200610:1438+", "+920113:1317+"));
    }
    stage.pass(GRACE);
    let lines = ["sis TES5>XX11", "sms TES5>XX11", "tn TES5>"];
    let mut expected: Vec<String> = lines.iter().map(|line| format!("gap confirmed {line} 2-2")).collect();
    assert_eq!(stage.told(), expected);
    stage.pass(OVERDUE);
    expected.extend([1, 3].map(|n| format!("receipt-overdue confirmed sms TES5>XX11 {n}-{n}")));
    assert_eq!(stage.told(), expected);
    stage.check();
}

#[test]
fn a_receipt_for_an_interchange_that_never_was_is_an_orphan_and_numbered_all_the_same() {
    let mut stage = Stage::new();
    stage.receive(&receipt(1, 77, MessageCode::Success));
    assert!(stage.told().is_empty(), "its interchange may yet come");
    stage.pass(GRACE);
    assert_eq!(stage.told(), ["orphan-receipt confirmed sms TES5>XX11 77-77"]);
    assert_eq!(stage.links()["XX11/TES5"].interchanges.sightings(), 1);
    stage.check();
}

#[test]
fn what_is_no_edifact_under_a_workflow_of_gp_links_is_told() {
    let mut stage = Stage::new();
    stage.publish_from("mesh:1", "NHAIS_REG", b"503\\*\nDOW~1~\n");
    stage.settle();
    assert_eq!(stage.told(), ["envelope-mismatch confirmed sis >"]);
    stage.check();
}
