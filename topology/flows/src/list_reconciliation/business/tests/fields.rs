//! Everything but the total name.

use super::*;

fn decided(gp: &GpRecord<'_>, pds: &PdsRecord<'_>) -> Vec<(&'static str, &'static str, &'static str)> {
    written(&decide(&patient_with(gp, pds), ActiveRules::ALL, Reading::Specification))
}

#[test]
fn differences_in_other_fields_go_to_a_person_each_on_its_own() {
    let gp = GpRecord {
        date_of_birth: Some("20120211"),
        sex: Some(2),
        address_line_1: Some("1 HIGH STREET"),
        postcode: Some("LS1  2PQ"),
        ..GpRecord::default()
    };
    let same = PdsRecord {
        date_of_birth: "2012-02-11",
        gender: "female",
        address: vec!["1 High", "Street"],
        postcode: "LS1 2PQ",
        ..PdsRecord::default()
    };
    assert_eq!(decided(&gp, &same), []);
    let other = PdsRecord {
        date_of_birth: "2012-11-02",
        gender: "male",
        address: vec!["1 The High Street"],
        postcode: "LS2 1PQ",
        ..PdsRecord::default()
    };
    let expected = [
        ("BR-DB-01", "validate", "date of birth"),
        ("BR-SX-01", "validate", "sex"),
        ("BR-AD-01", "validate", "address"),
        ("BR-AD-02", "validate", "postcode"),
    ];
    assert_eq!(decided(&gp, &other), expected);
}

#[test]
fn spaces_make_no_difference_in_addresses_and_postcodes() {
    let gp = GpRecord {
        address_line_1: Some("FLAT 1"),
        address_line_4: Some("EAST HAM"),
        postcode: Some("E1   1AA"),
        ..GpRecord::default()
    };
    let pds = PdsRecord { address: vec!["Flat 1 East", "Ham"], postcode: "e11aa", ..PdsRecord::default() };
    assert_eq!(decided(&gp, &pds), []);
    let run_together = PdsRecord { address: vec!["Flat 1, EastHam"], postcode: "E11AA", ..PdsRecord::default() };
    assert_eq!(decided(&gp, &run_together), [("BR-AD-01", "validate", "address")], "punctuation counts");
}

#[test]
fn the_drugs_dispensed_marker_follows_pds_the_practice_and_whether_it_dispenses() {
    let table = [
        (Some(true), "", Some(false), Some(("BR-DD-01", "update PDS"))),
        (Some(true), "", Some(true), Some(("BR-DD-02", "update PDS"))),
        (Some(false), "Y", Some(false), Some(("BR-DD-03", "update GP"))),
        (Some(false), "Y", Some(true), Some(("BR-DD-04", "update PDS"))),
        (Some(true), "Y", Some(true), None),
        (Some(false), "", Some(false), None),
        (None, "Y", Some(true), None),
        (Some(false), "Y", None, None),
    ];
    for (pds_dispensing, marker, practice_dispenses, expected) in table {
        let gp = GpRecord { drugs_dispensed_marker: Some(marker).filter(|m| !m.is_empty()), ..GpRecord::default() };
        let pds = PdsRecord::default();
        let patient = Patient { pds_dispensing, practice_dispenses, ..patient_with(&gp, &pds) };
        let found = written(&decide(&patient, ActiveRules::ALL, Reading::Specification));
        let expected: Vec<_> =
            expected.into_iter().map(|(rule, decision)| (rule, decision, "drugs dispensed marker")).collect();
        assert_eq!(found, expected, "{pds_dispensing:?} {marker:?} {practice_dispenses:?}");
    }
}

#[test]
fn only_one_and_zero_are_flags_of_dispensing() {
    for (flag, expected) in [("1", Some(true)), ("0", Some(false)), ("", None), ("False", None), ("Y", None)] {
        assert_eq!(dispensing_flag(flag), expected, "{flag:?}");
    }
}

#[test]
fn nothing_is_decided_where_the_business_rules_are_not_in_use() {
    let settings = RuleSettings::default();
    let active =
        settings.active(&Situation { practice: "A82023", region: "LNA", date: jiff::civil::date(2021, 8, 10) });
    let (gp, pds) = (gp_named(("PETER", "SMITH"), "MR"), pds_named(("John", "Wilks"), "Dr"));
    assert_eq!(decide(&patient_with(&gp, &pds), active, Reading::Specification), []);
}
