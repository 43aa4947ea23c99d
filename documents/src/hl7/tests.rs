#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use concord_schemas::patient_documents::Features;

use super::*;

const MSH: &str = "MSH|^~\\&|A|B|C|D|20240201120000||RDE^O11|1|P|2.5";

fn read_hl7(segments: &[&str]) -> Features<'static> {
    read(&(segments.join("\r") + "\r"), &Limits::default()).unwrap()
}

fn problem_of(text: &str) -> Problem {
    read(text, &Limits::default()).unwrap_err().problem
}

fn values_of(features: &Features<'_>, field: &str) -> Vec<String> {
    features.demographics.iter().filter(|one| one.field == field).map(|one| one.value.to_string()).collect()
}

#[test]
fn pid_is_the_patient() {
    let pid = "PID|1||9990548609^^^NHS^NH~L1^^^HOSP^MR||Before^Åsa^^^^^M~O'Toole^Åsa^Marie^^Ms^^L||19581231|F|||\
        1 Trevelyan Square^Boar Lane^Leeds^^LS16AE^GBR^H~2 Then Road^^^^^^BA||0113 496 0000^PRN^PH~^NET^Internet^a@b|0113 496 0001";
    let features = read_hl7(&[MSH, pid]);
    for (field, values) in [
        ("nhs_number", vec!["9990548609"]),
        ("family_name", vec!["O'Toole"]),
        ("given_names", vec!["Åsa Marie"]),
        ("birth_date", vec!["1958-12-31"]),
        ("sex", vec!["female"]),
        ("address", vec!["1 Trevelyan Square, Boar Lane, Leeds"]),
        ("postcode", vec!["LS1 6AE"]),
        ("phone", vec!["01134960000", "01134960001"]),
    ] {
        assert_eq!(values_of(&features, field), values, "{field}");
    }
    assert_eq!(features.identifiers[1].system, "HOSP");
    assert_eq!(features.identifiers[1].place.to_string(), "PID[1]-3(2)");
    assert_eq!(features.addresses[1].usage, "old");
    assert_eq!(features.phones[1].usage, "work");
}

#[test]
fn separators_are_those_that_the_message_names() {
    let features = read_hl7(&["MSH$*%!@$A", "PID$1$$$$Smith*Ann!S!$$1958"]);
    assert_eq!(values_of(&features, "family_name"), ["Smith"]);
    assert_eq!(values_of(&features, "given_names"), ["Ann*"]);
    let features = read("MSH|^~\\&|A\nPID|1||||Smith^Ann\r\n", &Limits::default()).unwrap();
    assert_eq!(values_of(&features, "given_names"), ["Ann"]);
}

#[test]
fn escapes_are_undone_and_what_is_none_stays() {
    for (written, read) in [
        ("A\\T\\B", "A&B"),
        ("A\\F\\\\S\\\\R\\\\E\\B", "A|^~\\B"),
        ("O\\X27\\Toole", "O'Toole"),
        ("\\H\\A\\N\\ B", "A B"),
        ("A\\.br\\B", "A B"),
        ("A\\B", "A\\B"),
        ("A\\X2\\B", "AB"),
    ] {
        let features = read_hl7(&[MSH, &format!("PID|1||||{written}")]);
        assert_eq!(values_of(&features, "family_name"), [read], "{written}");
    }
}

#[test]
fn the_null_of_hl7_is_no_value() {
    let features = read_hl7(&[MSH, "PID|1||\"\"||\"\"^\"\"||\"\"|\"\""]);
    assert_eq!(features.demographics, []);
    assert_eq!(features.identifiers, []);
}

#[test]
fn an_encoded_order_stands_before_what_was_asked_for() {
    let rxe = "RXE|^BID^^20240101^20240201|322236009^Paracetamol 500mg tablets^SCT|1||tablet|TAB^Tablets";
    let features = read_hl7(&[MSH, "ORC|NW", "RXO|1^Paracetamol", rxe, "RXR|PO^Oral"]);
    assert_eq!(features.medications.len(), 1);
    let found = &features.medications[0];
    assert_eq!((found.code_system.as_ref(), found.code.as_ref()), ("snomed", "322236009"));
    assert_eq!(
        (found.name.as_ref(), found.strength.as_ref(), found.form.as_ref()),
        ("Paracetamol", "500 mg", "tablet")
    );
    assert_eq!((found.dose.as_ref(), found.route.as_ref()), ("1 tablet twice a day", "oral"));
    assert_eq!((found.start.as_ref(), found.end.as_ref()), ("2024-01-01", "2024-02-01"));
    assert_eq!((found.status.as_ref(), found.place.to_string().as_str()), ("active", "RXE[1]-2"));
}

#[test]
fn orders_end_at_the_next_one_with_or_without_orc() {
    let features = read_hl7(&[
        MSH,
        "ORC|DC",
        "RXO|1^Ramipril^L||||||^one a day",
        "ORC|HD",
        "RXO|2^Aspirin",
        "RXO|3^Warfarin",
        "RXR|IV",
        "RXE||4^Heparin",
        "RXE||5^Insulin",
    ]);
    let found: Vec<_> =
        features.medications.iter().map(|one| (one.name.as_ref(), one.status.as_ref(), one.dose.as_ref())).collect();
    assert_eq!(
        found,
        [
            ("Ramipril", "stopped", "one a day"),
            ("Aspirin", "on-hold", ""),
            ("Heparin", "active", ""),
            ("Insulin", "active", "")
        ]
    );
}

#[test]
fn al1_is_an_allergy() {
    let features = read_hl7(&[
        MSH,
        "AL1|1|DA|91936005^Penicillin^SCT|SV|rash~R2^wheeze",
        "AL1|2||^No known allergies",
        "AL1|3||Latex",
    ]);
    let found: Vec<_> = features.allergies.iter().map(|one| (one.substance.as_ref(), one.reaction.as_ref())).collect();
    assert_eq!(found, [("Penicillin", "rash, wheeze"), ("Latex", "")]);
    assert_eq!(features.allergies[1].place.to_string(), "AL1[3]-3");
}

#[test]
fn a_batch_is_read_when_it_is_about_one_patient() {
    let batch = |second: &str| {
        format!("FHS|^~\\&|A\rBHS|^~\\&|A\r{MSH}\rPID|1||1\r{MSH}\rPID|1||{second}||Smith\rBTS|2\rFTS|1\r")
    };
    assert_eq!(values_of(&read(&batch("2~1"), &Limits::default()).unwrap(), "family_name"), ["Smith"]);
    assert_eq!(problem_of(&batch("2")), Problem::SeveralPatients);
}

#[test]
fn what_is_no_message_is_damaged_and_too_many_segments_are_refused() {
    for text in ["", "PID|1", "MSH", "MSH|", "MSH|||", "MSHA^~\\&", "FHS|^~\\&|A\r", "MSH|^^\\&|"] {
        assert_eq!(problem_of(text), Problem::Damaged, "{text}");
    }
    let long = format!("{MSH}\r{}", "NTE|1\r".repeat(100));
    let limits = Limits { elements: 50, ..Limits::default() };
    assert_eq!(read(&long, &limits).unwrap_err().problem, Problem::TooMany);
}
