#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn a_line_with_everything_is_told_apart() {
    let line = "Paracetamol 500 mg tablets, 1 tablet twice a day, oral, from 2024-01-01 to 1 Feb 2024, dm+d 322236009";
    let expected = Medicine {
        code_system: "dm+d",
        code: "322236009".into(),
        name: "Paracetamol".into(),
        strength: "500 mg".into(),
        form: "tablet".into(),
        dose: "1 tablet twice a day".into(),
        route: "oral".into(),
        start: "2024-01-01".into(),
        end: "2024-02-01".into(),
        status: "",
    };
    assert_eq!(from_line(line), Some(expected.clone()));
    let other = "Paracetamol (dm+d: 322236009) - 500mg; tablets; 1 tablet twice a day; by mouth; started 01/01/2024; until 2024-02-01";
    assert_eq!(from_line(other), Some(expected));
}

#[test]
fn what_is_nothing_else_is_the_dose() {
    let medicine = from_line("Heparin 10,000 units/ml injection, as directed, at night, stopped 1/2/2024").unwrap();
    assert_eq!(medicine.strength, "10000 unit/ml");
    assert_eq!(medicine.dose, "as directed, at night");
    assert_eq!((medicine.end.as_str(), medicine.status), ("2024-02-01", "stopped"));
    let medicine = from_line("Warfarin to 5 mg").unwrap();
    assert_eq!((medicine.name.as_str(), medicine.strength.as_str()), ("Warfarin to", "5 mg"));
}

#[test]
fn a_route_is_one_whatever_each_system_calls_it() {
    for (written, expected) in [
        ("Oral Route", "oral"),
        ("Oral use", "oral"),
        ("RESPIRATORY (INHALATION)", "inhalation"),
        ("Swallow, oral", "oral"),
        ("Intrapulmonary route", "intrapulmonary"),
    ] {
        assert_eq!(route(written), expected);
    }
}

#[test]
fn a_line_without_a_medicine_names_none() {
    for line in ["", "None", "nil.", "-", "1", ",;"] {
        assert_eq!(from_line(line), None, "{line}");
    }
}

#[test]
fn a_code_is_taken_out_of_a_text() {
    assert_eq!(
        without_code("Penicillin (SNOMED 91936005) rash"),
        ("Penicillin rash".to_owned(), "snomed", "91936005".to_owned())
    );
    assert_eq!(without_code("Penicillin (rash)"), ("Penicillin (rash)".to_owned(), "", String::new()));
}
