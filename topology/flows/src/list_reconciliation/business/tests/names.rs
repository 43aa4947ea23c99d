//! The names of both records, without titles.

use super::*;

/// What the prototype answered: practice, PDS, decision, item, and the rule that stands for it here.
const VECTORS: [(Names<'_>, Names<'_>, &str, &str, &str); 30] = [
    (("Peter", "Smith"), ("John", "Wilks"), "validate", BOTH, "BR-TN-04"),
    (("Simon", "Smith"), ("Peter", "Smith"), "validate", "forenames", "BR-TN-04"),
    (("Peter", "Smith"), ("Peter", "Wilks"), "validate", "surname", "BR-SN-03"),
    (("peter", "smith"), ("Peter", "Smith"), "update GP", BOTH, "BR-TN-02"),
    (("Peter", "Smith"), ("peter", "smith"), "update PDS", BOTH, "BR-TN-03"),
    (("peter", "Smith"), ("Peter", "Smith"), "update GP", "forenames", "BR-TN-02"),
    (("Peter", "Smith"), ("Peter", "smith"), "update PDS", "surname", "BR-TN-03"),
    (("Peter", "smith"), ("peter", "Smith"), "validate", BOTH, "BR-TN-04"),
    (("Peter", ""), ("Peter", "Smith"), "update GP", "surname", "BR-SN-04"),
    (("Peter", "Smith"), ("Peter", ""), "update PDS", "surname", "BR-SN-05"),
    (("", "Smith"), ("Peter", "Smith"), "update GP", "forenames", "BR-FN-01"),
    (("Peter", "Smith"), ("", "Smith"), "update PDS", "forenames", "BR-FN-01"),
    (("Peter", "Smith"), ("Francis Peter", "Smith"), "validate", "forenames", "BR-TN-04"),
    (("Mark", "Rich Coleman"), ("Mark", "Coleman"), "update PDS", "surname", "BR-SN-05"),
    (("Mark", "Coleman"), ("Mark", "Rich Coleman"), "update PDS", "surname", "BR-SN-04"),
    (("Mark", "Coleman"), ("Mark-Rich", "Coleman"), "update GP", "forenames", "BR-FN-02"),
    (("Mark-Rich", "Coleman"), ("Mark", "Coleman"), "update PDS", "forenames", "BR-FN-02"),
    (("Peter-Jones", "Smith"), ("Peter Jones", "Smith"), "update PDS", "forenames", "BR-FN-P1"),
    (("Peter Jones", "Smith"), ("Peter-Jones", "Smith"), "update PDS", "forenames", "BR-FN-P1"),
    (("Peter", "Smith-Jones"), ("Peter", "Smith Jones"), "update PDS", "surname", "BR-SN-07"),
    (("Peter", "Smith Jones"), ("Peter", "Smith-Jones"), "update PDS", "surname", "BR-SN-08"),
    (("Peter", "O'Conner"), ("Peter", "O Conner"), "update PDS", "surname", "BR-SN-P1"),
    (("Peter", "OConner"), ("Peter", "O'Conner"), "update GP", "surname", "BR-SN-P1"),
    (("Angela", "Smith"), ("Angela Charlotte", "Smith"), "update PDS", "forenames", "BR-FN-02"),
    (("Angela Charlotte", "Smith"), ("Angela", "Smith"), "update PDS", "forenames", "BR-FN-02"),
    (("Mark", "Coleman"), ("Mark", "Coleman Rich"), "update GP", "surname", "BR-SN-04"),
    (("Mark", "Coleman Rich"), ("Mark", "Coleman"), "update PDS", "surname", "BR-SN-05"),
    (("Mark", "Coleman"), ("Mark", "Coleman-Rich"), "update GP", "surname", "BR-SN-04"),
    (("Mark", "Coleman-Rich"), ("Mark", "Coleman"), "update PDS", "surname", "BR-SN-05"),
    (("Smith", "Peter"), ("Peter", "Smith"), "update PDS", BOTH, "BR-TN-01"),
];

const BOTH: &str = "forenames and surname";

/// Where the specification has PDS keep a name that the practice lacks, and the prototype had it taken away.
const KEPT_BY_THE_SPECIFICATION: [(Names<'_>, Names<'_>); 2] =
    [(("Mark", "Coleman"), ("Mark", "Rich Coleman")), (("Angela", "Smith"), ("Angela Charlotte", "Smith"))];

#[test]
fn the_prototypes_reading_answers_its_thirty_vectors() {
    for (gp, pds, decision, item, rule) in VECTORS {
        let decided = decide_names(gp, pds, ActiveRules::ALL, Reading::Prototype);
        assert_eq!(written(&decided), [(rule, decision, item)], "{gp:?} {pds:?}");
    }
}

#[test]
fn the_specifications_reading_answers_them_too_but_never_takes_a_name_from_pds() {
    for (gp, pds, decision, item, rule) in VECTORS {
        let decision = if KEPT_BY_THE_SPECIFICATION.contains(&(gp, pds)) { "update GP" } else { decision };
        let decided = decide_names(gp, pds, ActiveRules::ALL, Reading::Specification);
        assert_eq!(written(&decided), [(rule, decision, item)], "{gp:?} {pds:?}");
    }
}

#[test]
fn in_the_capitals_of_an_extract_the_specifications_reading_answers_the_same() {
    for (gp, pds, decision, item, rule) in VECTORS {
        if rule == "BR-TN-02" || rule == "BR-TN-03" || gp == ("Peter", "smith") {
            continue;
        }
        let decision = if KEPT_BY_THE_SPECIFICATION.contains(&(gp, pds)) { "update GP" } else { decision };
        let (forenames, surname) = (gp.0.to_uppercase(), gp.1.to_uppercase());
        let decided = decide_names((&forenames, &surname), pds, ActiveRules::ALL, Reading::Specification);
        assert_eq!(written(&decided), [(rule, decision, item)], "{forenames} {surname} {pds:?}");
    }
}

#[test]
fn capitals_of_an_extract_are_no_difference_by_the_specification_and_one_by_the_prototype() {
    let (gp, pds) = (("PETER", "SMITH"), ("Peter", "Smith"));
    assert_eq!(decide_names(gp, pds, ActiveRules::ALL, Reading::Specification), []);
    let decided = decide_names(gp, pds, ActiveRules::ALL, Reading::Prototype);
    assert_eq!(written(&decided), [("BR-TN-02", "update GP", BOTH)]);
}

#[test]
fn a_swap_is_accepted_only_where_pds_shows_which_letters_are_capitals() {
    for reading in [Reading::Specification, Reading::Prototype] {
        let decided = decide_names(("SMITH", "PETER"), ("PETER", "SMITH"), ActiveRules::ALL, reading);
        assert_eq!(written(&decided), [("BR-TN-04", "validate", BOTH)], "{reading:?}");
    }
    let decided = decide_names(("SMITH", "PETER"), ("Peter", "Smith"), ActiveRules::ALL, Reading::Specification);
    assert_eq!(written(&decided), [("BR-TN-01", "update PDS", BOTH)]);
}

#[test]
fn equal_names_need_no_decision_whatever_their_capitals() {
    for names in [("Peter", "Smith"), ("PETER", "SMITH"), ("peter", "SMITH"), ("", "")] {
        for reading in [Reading::Specification, Reading::Prototype] {
            assert_eq!(decide_names(names, names, ActiveRules::ALL, reading), [], "{names:?} {reading:?}");
        }
    }
}

#[test]
fn further_middle_names_are_added_to_the_source_that_lacks_them() {
    let (short, long) = (("ANNA BEA", "WREN"), ("Anna Bea Clara", "Wren"));
    let decided = decide_names(short, long, ActiveRules::ALL, Reading::Specification);
    assert_eq!(written(&decided), [("BR-FN-02", "update GP", "forenames")]);
    let (long, short) = (("ANNA BEA CLARA", "WREN"), ("Anna Bea", "Wren"));
    let decided = decide_names(long, short, ActiveRules::ALL, Reading::Specification);
    assert_eq!(written(&decided), [("BR-FN-02", "update PDS", "forenames")]);
}

#[test]
fn forenames_in_several_elements_and_spaces_are_one_text() {
    let gp = gp_named((" ANNA  BEA", "WREN "), "");
    let pds = PdsRecord { forenames: vec!["Anna", "", " Bea "], surname: "Wren", ..PdsRecord::default() };
    assert_eq!(decide(&patient_with(&gp, &pds), ActiveRules::ALL, Reading::Specification), []);
}

#[test]
fn what_a_switched_off_rule_would_have_accepted_goes_to_a_person() {
    let (gp, pds) = (("ANGELA", "KEW-JONES"), ("Angela", "Kew Jones"));
    let with = |active| written(&decide_names(gp, pds, active, Reading::Specification));
    assert_eq!(with(ActiveRules::ALL), [("BR-SN-07", "update PDS", "surname")]);
    assert_eq!(with(without(&["BR-SN-07"])), [("BR-SN-03", "validate", "surname")]);
    assert_eq!(with(without(&["BR-SN-07", "BR-SN-03"])), [("BR-TN-04", "validate", "surname")]);
    assert_eq!(with(without(&["BR-SN-07", "BR-SN-03", "BR-TN-04"])), []);
}
