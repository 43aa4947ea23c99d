#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn gp() -> GpRecord<'static> {
    GpRecord {
        surname: Some("SMITHY"),
        forenames: Some("JANE ANN"),
        title: Some("MISS"),
        sex: Some(2),
        date_of_birth: Some("20120211"),
        address_line_1: Some("FLAT B"),
        address_line_2: Some("THE STREET"),
        address_line_4: Some("EAST"),
        postcode: Some("E1   1AA"),
        ..GpRecord::default()
    }
}

fn pds() -> PdsRecord<'static> {
    PdsRecord {
        surname: "Smithy",
        forenames: vec!["Jane", "Ann"],
        titles: vec!["Miss"],
        gender: "female",
        date_of_birth: "2012-02-11",
        address: vec!["Flat B", "The Street", "East"],
        postcode: "E1 1AA",
        ..PdsRecord::default()
    }
}

fn ids(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> Vec<&'static str> {
    differences(gp, pds, profile).map(|rule| rule.id).collect()
}

/// The ids that both profiles find; fails where they disagree.
fn ids_in_both(gp: &GpRecord<'_>, pds: &PdsRecord<'_>) -> Vec<&'static str> {
    let fixed = ids(gp, pds, Profile::Fixed);
    assert_eq!(fixed, ids(gp, pds, Profile::Compatible), "the profiles disagree");
    fixed
}

#[test]
fn records_that_differ_only_in_notation_have_no_difference() {
    assert_eq!(ids_in_both(&gp(), &pds()), [""; 0]);
}

#[test]
fn records_that_share_nothing_differ_in_all_rules_in_the_order_of_evaluation() {
    let other = PdsRecord {
        surname: "Chislett",
        forenames: vec!["Octavia"],
        titles: vec!["Ms"],
        gender: "male",
        date_of_birth: "2008-09-20",
        address: vec!["1 Ravensfield Gardens"],
        postcode: "KT19 0ST",
        ..PdsRecord::default()
    };
    let expected =
        ["MN-BR-AD-01", "MN-BR-DB-01", "MN-BR-FN-01", "MN-BR-SX-01", "MN-BR-AD-02", "MN-BR-SN-01", "MN-BR-TL-01"];
    assert_eq!(ids_in_both(&gp(), &other), expected);
}

#[test]
fn forenames_differ_by_comma_hyphen_and_number() {
    let table: [(&str, Vec<&str>, bool); 5] = [
        ("PETER PIPER", vec![" Peter ", "Piper"], false),
        ("PAUL,PHILIP", vec!["Paul", "Philip"], true),
        ("PETER", vec!["Peter", "Piper"], true),
        ("PETER-PIPER", vec!["Peter", "Piper"], true),
        ("PETER", vec!["", "Peter"], false),
    ];
    for (on_gp, on_pds, differ) in table {
        let found = ids_in_both(
            &GpRecord { forenames: Some(on_gp), ..gp() },
            &PdsRecord { forenames: on_pds.clone(), ..pds() },
        );
        assert_eq!(found == ["MN-BR-FN-01"], differ, "{on_gp} {on_pds:?}");
        assert_eq!(found.is_empty(), !differ, "{on_gp} {on_pds:?}");
    }
}

#[test]
fn titles_differ_by_a_full_stop_but_not_by_how_they_are_listed() {
    let table: [(&str, Vec<&str>, bool); 3] =
        [("MR", vec!["Mr."], true), ("MR DR", vec!["Mr", "Dr"], false), ("MR", vec!["Mr"], false)];
    for (on_gp, on_pds, differ) in table {
        let found =
            ids_in_both(&GpRecord { title: Some(on_gp), ..gp() }, &PdsRecord { titles: on_pds.clone(), ..pds() });
        assert_eq!(found == ["MN-BR-TL-01"], differ, "{on_gp} {on_pds:?}");
    }
}

#[test]
fn addresses_differ_by_punctuation_but_not_by_line_breaks() {
    let two_lines = GpRecord {
        address_line_1: Some("FLAT B THE"),
        address_line_2: None,
        address_line_5: Some("STREET EAST"),
        address_line_4: None,
        ..gp()
    };
    assert_eq!(ids_in_both(&two_lines, &pds()), [""; 0]);
    let with_comma = GpRecord { address_line_1: Some("FLAT B,"), ..gp() };
    assert_eq!(ids_in_both(&with_comma, &pds()), ["MN-BR-AD-01"]);
}

#[test]
fn a_postcode_without_its_space_is_a_difference() {
    let unspaced = PdsRecord { postcode: "E11AA", ..pds() };
    assert_eq!(ids_in_both(&gp(), &unspaced), ["MN-BR-AD-02"]);
}

#[test]
fn surname_and_postcode_absent_on_both_sides_are_equal() {
    let found = ids_in_both(
        &GpRecord { surname: None, postcode: Some("  "), ..gp() },
        &PdsRecord { surname: "", postcode: "", ..pds() },
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn lists_absent_on_both_sides_are_equal_when_fixed_and_differ_when_compatible() {
    let gp = GpRecord {
        title: None,
        forenames: None,
        address_line_1: None,
        address_line_2: None,
        address_line_4: None,
        ..gp()
    };
    let pds = PdsRecord { titles: vec![], forenames: vec![], address: vec![], ..pds() };
    assert_eq!(ids(&gp, &pds, Profile::Fixed), [""; 0]);
    assert_eq!(ids(&gp, &pds, Profile::Compatible), ["MN-BR-AD-01", "MN-BR-FN-01", "MN-BR-TL-01"]);
}

#[test]
fn a_list_of_one_empty_text_equals_an_absent_value_in_both_profiles() {
    let found = ids_in_both(&GpRecord { title: None, ..gp() }, &PdsRecord { titles: vec![""], ..pds() });
    assert_eq!(found, [""; 0]);
}

#[test]
fn absent_or_partial_birth_dates_and_absent_sex_have_a_result_in_both_profiles() {
    let no_birth_date = GpRecord { date_of_birth: None, ..gp() };
    assert_eq!(ids_in_both(&no_birth_date, &pds()), ["MN-BR-DB-01"]);
    for partial in ["", "2012", "2012-02"] {
        let pds = PdsRecord { date_of_birth: partial, ..pds() };
        assert_eq!(ids_in_both(&gp(), &pds), ["MN-BR-DB-01"], "{partial:?}");
    }
    assert_eq!(ids_in_both(&GpRecord { sex: None, ..gp() }, &pds()), ["MN-BR-SX-01"]);
    assert_eq!(ids_in_both(&GpRecord { sex: Some(0), ..gp() }, &pds()), ["MN-BR-SX-01"]);
    let absent_on_both = ids_in_both(&GpRecord { sex: None, ..gp() }, &PdsRecord { gender: "", ..pds() });
    assert_eq!(absent_on_both, [""; 0]);
}

#[test]
fn rule_ids_are_unique() {
    for (position, rule) in RULES.iter().enumerate() {
        assert!(RULES[..position].iter().all(|earlier| earlier.id != rule.id), "{}", rule.id);
    }
}
