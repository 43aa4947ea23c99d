//! Answers that cannot be used: each has a code, and names the line and the field, and nobody.

use concord_flows::list_reconciliation::Profile;
use concord_flows::list_reconciliation::dps_exchange::{AnswerEnd, codes};

use crate::files::read;

pub const HEADER: &str = r#"{"type":"header","version":1,"job_id":"j-1","practice":"Y12345","file":"Y12345_GPR4LNA1.H9A","processed_at":"2021-08-10T13:40:00Z","verdict":"ACCEPTED","reasons":[]}"#;
pub const PATIENT: &str = r#"{"type":"patient","number":2,"earlier":0,"status":"Matched","rules":["MN-BR-DB-01","MN-BR-SN-01"],"gp":{"nhs_number":"9000000009","surname":"WREN","forenames":null,"previous_surname":null,"title":null,"sex":2,"date_of_birth":"19800228","address":[null,"1 OAK LANE",null,null,null],"postcode":null},"pds":{"nhs_number":"9000000009","scn":"7","security":"U","surname":"Lark","forenames":[],"titles":[],"gender":"female","date_of_birth":"1980","address":["1 Oak Lane"],"postcode":"","gp_practice":"Y12345","registered_from":""}}"#;
pub const PERSON: &str = r#"{"type":"only_on_pds","pds":{"nhs_number":"9000000017","scn":"7","security":"U","surname":"Lark","forenames":[],"titles":[],"gender":"","date_of_birth":"","address":[],"postcode":"","gp_practice":"Y12345","registered_from":""}}"#;
pub const TRAILER: &str = r#"{"type":"trailer","lines":3,"records":5,"invalid_records":0,"unremarkable":4,"duplicates":1,"matched":5,"partnership_mismatch":0,"deducted":0,"unmatched":0,"sensitive":0,"differences":2,"only_on_pds":1}"#;

fn end_of(lines: &[&str]) -> AnswerEnd {
    read(&(lines.join("\n") + "\n"), Profile::Fixed, 50, &mut |_| {})
}

fn good() -> [&'static str; 4] {
    [HEADER, PATIENT, PERSON, TRAILER]
}

/// The answer with one line changed.
fn with(line: usize, from: &str, to: &str) -> AnswerEnd {
    let mut lines = good().map(str::to_owned);
    assert!(lines[line].contains(from), "{from}");
    lines[line] = lines[line].replace(from, to);
    end_of(&lines.each_ref().map(String::as_str))
}

#[track_caller]
fn assert_refused(end: &AnswerEnd, code: &str, says: &str) {
    let refusal = end.refusal.as_ref().expect("a refusal");
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(refusal.message.contains(says), "{refusal}");
    let text = format!("{refusal} {:?}", end.flaws).to_uppercase();
    for patient in ["WREN", "LARK", "OAK LANE", "90000000"] {
        assert!(!text.contains(patient), "{text}");
    }
}

#[test]
fn the_good_answer_is_good() {
    let end = end_of(&good());
    assert_eq!(end.refusal, None);
    assert_eq!((end.counts.matched, end.counts.differences, end.counts.duplicates), (5, 2, 1));
    // White space between lines, and a last line without its end, are nothing.
    assert_eq!(read(&good().join("\r\n\n"), Profile::Fixed, 9, &mut |_| {}).refusal, None);
}

#[test]
fn a_cut_answer_is_told_from_a_whole_one_wherever_it_is_cut() {
    let whole = good().join("\n") + "\n";
    for length in 0..whole.len() - 2 {
        let end = read(&whole[..length], Profile::Fixed, 64, &mut |_| {});
        let code = end.refusal.expect("a refusal").code;
        assert!(code == codes::CUT || code == codes::LINE_INVALID, "cut behind {length} bytes: {code}");
    }
    assert_refused(&end_of(&good()[..3]), codes::CUT, "ends behind line 3");
    assert_refused(&read("", Profile::Fixed, 1, &mut |_| {}), codes::CUT, "line 0");
}

#[test]
fn totals_that_are_not_those_of_the_lines_are_named() {
    for (from, to, says) in [
        (r#""lines":3"#, r#""lines":4"#, "lines 4 for 3"),
        (r#""records":5"#, r#""records":6"#, "records 6 for 5"),
        (r#""matched":5"#, r#""matched":4"#, "matched 4 for 5"),
        (r#""unmatched":0"#, r#""unmatched":1"#, "unmatched 1 for 0"),
        (r#""differences":2"#, r#""differences":3"#, "differences 3 for 2"),
        (r#""only_on_pds":1"#, r#""only_on_pds":0"#, "only_on_pds 0 for 1"),
        (r#""duplicates":1"#, r#""duplicates":9"#, "duplicates 9 for 0"),
    ] {
        assert_refused(&with(3, from, to), codes::TOTALS_DIFFER, says);
    }
    // A line in the middle is lost.
    assert_refused(&end_of(&[HEADER, PERSON, TRAILER]), codes::TOTALS_DIFFER, "records 5 for 4");
    assert_refused(&end_of(&[HEADER, PATIENT, TRAILER]), codes::TOTALS_DIFFER, "lines 3 for 2");
}

#[test]
fn a_line_that_is_not_as_described_is_named_with_its_field() {
    let table = [
        (1, r#""surname":"WREN","#, "", "line 2, gp.surname: the field is missing"),
        (1, r#""sex":2"#, r#""sex":"WREN""#, "line 2, gp.sex: its value is not of the kind"),
        (1, r#""sex":2"#, r#""sex":3"#, "line 2, gp.sex"),
        (1, r#""number":2"#, r#""number":0"#, "line 2, number"),
        (1, r#""earlier":0"#, r#""earlier":-1"#, "line 2, earlier"),
        (1, r#"[null,"1 OAK LANE",null,null,null]"#, r#"["1 OAK LANE"]"#, "line 2, gp.address"),
        (1, r#""status":"Matched""#, r#""status":"Wren""#, "line 2, status"),
        (1, r#""status":"Matched""#, r#""status":"Unmatched""#, "line 2, status"),
        (1, r#""gp_practice":"Y12345""#, r#""gp_practice":"Y54321""#, "line 2, status"),
        (1, r#""security":"U""#, r#""security":"R""#, "line 2, rules"),
        (1, r#""MN-BR-DB-01""#, r#""MN-BR-XX-01""#, "line 2, rules"),
        (1, r#"["MN-BR-DB-01","MN-BR-SN-01"]"#, r#"["MN-BR-SN-01","MN-BR-DB-01"]"#, "line 2, rules"),
        (1, r#""nhs_number":"9000000009","scn""#, r#""nhs_number":"9000000017","scn""#, "line 2, pds.nhs_number"),
        (1, r#""gender":"female""#, r#""gender":"Wren""#, "line 2, pds.gender"),
        (2, "9000000017", "9000000018", "line 3, pds.nhs_number"),
        (2, r#""security":"U""#, r#""security":"V""#, "line 3, pds.security"),
        (2, r#""type":"only_on_pds""#, r#""type":"Wren""#, "line 3, type"),
        (2, r#""type":"only_on_pds","#, "", "line 3: it is not a JSON object"),
        (2, "}}", "}", "line 3"),
        (0, r#""practice":"Y12345""#, r#""practice":"../../x""#, "line 1, practice"),
        (0, r#""job_id":"j-1""#, r#""job_id":"j/1""#, "line 1, job_id"),
        (0, r#""processed_at":"2021-08-10T13:40:00Z""#, r#""processed_at":"yesterday""#, "line 1, processed_at"),
        (0, r#""reasons":[]"#, r#""reasons":["x"]"#, "line 1, reasons"),
        (3, r#""matched":5,"#, "", "line 4, matched"),
    ];
    for (line, from, to, says) in table {
        assert_refused(&with(line, from, to), codes::LINE_INVALID, says);
    }
    let not_text = [HEADER.as_bytes(), b"\n\xff\xfe\n"].concat();
    let mut reader = concord_flows::list_reconciliation::dps_exchange::AnswerReader::new(Profile::Fixed);
    reader.push(&not_text, &mut |_| {});
    assert_refused(&reader.finish(&mut |_| {}), codes::LINE_INVALID, "line 2: it is not UTF-8");
    let long = format!("{{\"type\":\"{}\"}}", "x".repeat(1 << 20));
    assert_refused(&end_of(&[HEADER, &long, TRAILER]), codes::LINE_INVALID, "line 2: it is longer");
}

#[test]
fn lines_out_of_order_or_twice_are_refused() {
    for lines in [
        vec![PATIENT, PERSON, TRAILER],
        vec![HEADER, HEADER, PATIENT, PERSON, TRAILER],
        vec![HEADER, PERSON, PATIENT, TRAILER],
        vec![HEADER, PATIENT, PATIENT, PERSON, TRAILER],
        vec![HEADER, PATIENT, PERSON, PERSON, TRAILER],
        vec![HEADER, PATIENT, PERSON, TRAILER, PERSON],
        vec![HEADER, PATIENT, PERSON, TRAILER, TRAILER],
    ] {
        assert_refused(&end_of(&lines), codes::LINE_INVALID, "cannot be used");
    }
}

#[test]
fn nobody_is_compared_in_an_extract_that_is_refused() {
    let refused = HEADER.replace("ACCEPTED", "INVALID_RECORDS");
    assert_refused(&end_of(&[&refused, PATIENT, PERSON, TRAILER]), codes::LINE_INVALID, "the verdict of the header");
}

#[test]
fn an_answer_of_another_version_is_told_apart() {
    assert_refused(&with(0, r#""version":1"#, r#""version":2"#), codes::VERSION_UNKNOWN, "version 2");
}

#[test]
fn unknown_fields_are_no_flaw_and_are_named_once() {
    let newer_patient = PATIENT.replace(r#""number":2"#, r#""priority":"high","number":2"#);
    let newer_patient = newer_patient.replace(r#""scn":"7""#, r#""scn":"7","email":"anna@wren.example""#);
    let newer_person = PERSON.replace(r#""scn":"7""#, r#""scn":"7","email":null"#);
    let end = end_of(&[HEADER, &newer_patient, &newer_person, TRAILER]);
    assert_eq!(end.refusal, None);
    assert_eq!(end.unknown_fields.count(), 3);
    assert_eq!(end.unknown_fields.names(), ["patient.priority", "patient.pds.email", "only_on_pds.pds.email"]);
}

#[test]
fn many_flaws_are_counted_and_a_few_of_them_named() {
    let mut lines = vec![HEADER];
    lines.extend(["{}"; 5000]);
    lines.push(TRAILER);
    let end = end_of(&lines);
    assert_eq!((end.flawed_lines, end.flaws.len()), (5000, 20));
    assert!(end.refusal.unwrap().message.len() < 1000);
}
