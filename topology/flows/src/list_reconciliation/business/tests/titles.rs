//! Titles, alone and with names.

use super::*;

fn decided(
    gp: (Names<'_>, &str),
    pds: (Names<'_>, &str),
    active: ActiveRules,
) -> Vec<(&'static str, &'static str, &'static str)> {
    let (gp, pds) = (gp_named(gp.0, gp.1), pds_named(pds.0, pds.1));
    written(&decide(&patient_with(&gp, &pds), active, Reading::Specification))
}

const GP: Names<'_> = ("ANGELA", "KEW");
const PDS: Names<'_> = ("Angela", "Kew");

#[test]
fn a_title_that_differs_alone_goes_to_pds_and_a_missing_one_to_where_it_is_missing() {
    let table = [
        ("DR", "Mrs", vec![("BR-TL-01", "update PDS", "title")]),
        ("", "Mrs", vec![("BR-TL-02", "update GP", "title")]),
        ("DR", "", vec![("BR-TL-02", "update PDS", "title")]),
        ("MRS", "Mrs", vec![]),
        ("", "", vec![]),
    ];
    for (on_gp, on_pds, expected) in table {
        assert_eq!(decided((GP, on_gp), (PDS, on_pds), ActiveRules::ALL), expected, "{on_gp} {on_pds}");
    }
}

#[test]
fn a_surname_that_changed_with_mrs_and_miss_goes_to_pds() {
    let married = ("Angela", "Wilks");
    let with_titles = |on_gp, on_pds| decided((GP, on_gp), (married, on_pds), ActiveRules::ALL);
    assert_eq!(with_titles("MISS", "Mrs"), [("BR-SN-01", "update PDS", "surname")]);
    assert_eq!(with_titles("MRS", "Miss"), [("BR-SN-02", "update PDS", "surname")]);
    assert_eq!(with_titles("MRS", "Mrs"), [("BR-SN-03", "validate", "surname")]);
    assert_eq!(with_titles("", ""), [("BR-SN-03", "validate", "surname")]);
    assert_eq!(with_titles("DR", "Mrs"), [("BR-TN-04", "validate", "title, forenames and surname")]);
    let other_forename = decided((("ANNE", "KEW"), "MISS"), (married, "Mrs"), ActiveRules::ALL);
    assert_eq!(other_forename, [("BR-TN-04", "validate", "title, forenames and surname")]);
}

#[test]
fn a_change_of_title_explains_a_surname_before_its_parts_do() {
    let double = ("Angela", "Kew-Jones");
    let found = decided((GP, "MISS"), (double, "Mrs"), ActiveRules::ALL);
    assert_eq!(found, [("BR-SN-01", "update PDS", "surname")]);
}

#[test]
fn a_title_that_nothing_explains_sends_the_total_name_to_a_person() {
    let double = ("Angela", "Kew Jones");
    let hyphened = ("ANGELA", "KEW-JONES");
    let found = |active| decided((hyphened, "DR"), (double, "Mrs"), active);
    assert_eq!(found(ActiveRules::ALL), [("BR-TN-04", "validate", "title, forenames and surname")]);
    assert_eq!(found(without(&["BR-TN-04"])), [("BR-SN-07", "update PDS", "surname")]);
    let alone = decided((GP, "DR"), (PDS, "Mrs"), without(&["BR-TL-01"]));
    assert_eq!(alone, [("BR-TN-04", "validate", "title")]);
}

#[test]
fn capitals_and_a_title_are_two_decisions() {
    let found = decided((PDS, "Dr"), (("angela", "kew"), "Mrs"), ActiveRules::ALL);
    assert_eq!(found, [("BR-TN-03", "update PDS", "forenames and surname"), ("BR-TL-01", "update PDS", "title")]);
}
