//! The table: a row for each rule. Business rules stand in the order in which they are tried.

use super::{CatalogueEntry, Class, RuleSet, Source};
use crate::list_reconciliation::compare::{GUIDANCE, SENSITIVE};

const UPDATE_PDS: &str = "Update PDS";
const UPDATE_GP: &str = "Update GP";
const UPDATE_WHICH_LACKS_IT: &str = "Update the source that lacks it";

/// Id of the finding that PDS does not have a person of the practice's list there.
pub const ONLY_ON_GP: &str = "ONLY-ON-GP";
/// Id of the finding that the practice's list does not name a person who is registered there.
pub const ONLY_ON_PDS: &str = "ONLY-ON-PDS";

/// What is found in place of a comparison of two records. It is no matter of choice, so no switch turns it off.
pub static REGISTRATION_FINDINGS: [CatalogueEntry; 3] = [
    registration(
        ONLY_ON_GP,
        "the practice's list names the person, and PDS has the person elsewhere, nowhere or not at all",
    ),
    registration(ONLY_ON_PDS, "the person is registered at the practice, and its last list does not name the person"),
    registration(SENSITIVE, "the practice's list names the person, and PDS withholds the person's record"),
];

/// All rules of both sets.
pub static CATALOGUE: [CatalogueEntry; 32] = [
    difference("MN-BR-AD-01", "address without postcode", "the lines of the address have not the same words"),
    difference("MN-BR-DB-01", "date of birth", "the dates of birth are not the same day"),
    difference("MN-BR-FN-01", "forenames", "the forenames, middle names among them, have not the same words"),
    difference("MN-BR-SX-01", "sex", "the practice's digit does not stand for PDS's word"),
    difference("MN-BR-AD-02", "postcode", "the postcodes have not the same parts"),
    difference("MN-BR-SN-01", "surname", "the surnames have not the same words"),
    difference("MN-BR-TL-01", "title", "the titles have not the same words"),
    accepted(
        "BR-TN-02",
        "forenames, surname",
        "the names differ in capitals only, and PDS has them in the right places",
        UPDATE_GP,
    ),
    accepted(
        "BR-TN-03",
        "forenames, surname",
        "the names differ in capitals only, and the practice has them in the right places",
        UPDATE_PDS,
    ),
    accepted("BR-TN-01", "forenames, surname", "one side's forenames are the other side's surname", UPDATE_PDS),
    accepted(
        "BR-SN-01",
        "surname, title, forenames",
        "the surnames differ, the title was Mrs (PDS) and is Miss (practice), the forenames are the same",
        UPDATE_PDS,
    ),
    accepted(
        "BR-SN-02",
        "surname, title, forenames",
        "the surnames differ, the title is Mrs (practice) and was Miss (PDS), the forenames are the same",
        UPDATE_PDS,
    ),
    accepted("BR-FN-01", "forenames", "one side has no forenames, and the surname is the same", UPDATE_WHICH_LACKS_IT),
    accepted(
        "BR-FN-02",
        "forenames",
        "one side's forenames are the beginning of the other's, and the surname is the same",
        UPDATE_WHICH_LACKS_IT,
    ),
    of_the_prototype(
        "BR-FN-P1",
        "forenames",
        "the forenames differ by a hyphen in the place of a space, and the surname is the same",
        UPDATE_PDS,
    ),
    of_the_prototype(
        "BR-SN-P1",
        "surname",
        "the surnames differ by an apostrophe only, and the forenames are the same",
        "Update the source that lacks the apostrophe",
    ),
    accepted("BR-SN-04", "surname", "PDS's surname has a part that the practice's has not", UPDATE_GP),
    accepted("BR-SN-05", "surname", "the practice's surname has a part that PDS's has not", UPDATE_PDS),
    accepted("BR-SN-07", "surname", "the practice has a hyphen where PDS has a space", UPDATE_PDS),
    accepted("BR-SN-08", "surname", "PDS has a hyphen where the practice has a space", UPDATE_PDS),
    validate(
        "BR-SN-03",
        "surname, title, forenames",
        "the surnames differ otherwise; forenames and title are the same",
    ),
    accepted("BR-TL-02", "title", "one side has no title, and the names are the same", UPDATE_WHICH_LACKS_IT),
    accepted("BR-TL-01", "title", "the titles differ, and the names are the same", UPDATE_PDS),
    validate(
        "BR-TN-04",
        "title, forenames, surname",
        "something in the total name differs that no other active rule accounts for",
    ),
    validate("BR-DB-01", "date of birth", "the dates of birth are not the same day"),
    validate("BR-SX-01", "sex", "the practice's digit does not stand for PDS's word"),
    validate("BR-AD-01", "address without postcode", "the addresses differ when line breaks and spaces are taken out"),
    validate("BR-AD-02", "postcode", "the postcodes differ when spaces are taken out"),
    accepted(
        "BR-DD-01",
        "drugs dispensed marker",
        "PDS says yes, the practice has no marker, and it is not a dispensing practice",
        "Update PDS to No",
    ),
    accepted(
        "BR-DD-02",
        "drugs dispensed marker",
        "PDS says yes, the practice has no marker, and it is a dispensing practice",
        "Update PDS to No",
    ),
    accepted(
        "BR-DD-03",
        "drugs dispensed marker",
        "PDS says no, the practice says yes, and it is not a dispensing practice",
        "Update GP to No",
    ),
    accepted(
        "BR-DD-04",
        "drugs dispensed marker",
        "PDS says no, the practice says yes, and it is a dispensing practice",
        "Update PDS to Yes",
    ),
];

const fn difference(id: &'static str, fields: &'static str, condition: &'static str) -> CatalogueEntry {
    let (set, class, source) = (RuleSet::Differences, Class::Validate, Source::Specification);
    CatalogueEntry { id, set, fields, condition, class, guidance: GUIDANCE, source }
}

const fn registration(id: &'static str, condition: &'static str) -> CatalogueEntry {
    let (set, class, source) = (RuleSet::Registration, Class::Validate, Source::Specification);
    CatalogueEntry { id, set, fields: "registration", condition, class, guidance: GUIDANCE, source }
}

const fn validate(id: &'static str, fields: &'static str, condition: &'static str) -> CatalogueEntry {
    let (set, class, source) = (RuleSet::Business, Class::Validate, Source::Specification);
    CatalogueEntry { id, set, fields, condition, class, guidance: GUIDANCE, source }
}

const fn accepted(
    id: &'static str,
    fields: &'static str,
    condition: &'static str,
    guidance: &'static str,
) -> CatalogueEntry {
    let (set, class, source) = (RuleSet::Business, Class::Accepted, Source::Specification);
    CatalogueEntry { id, set, fields, condition, class, guidance, source }
}

const fn of_the_prototype(
    id: &'static str,
    fields: &'static str,
    condition: &'static str,
    guidance: &'static str,
) -> CatalogueEntry {
    let (set, class, source) = (RuleSet::Business, Class::Accepted, Source::Prototype);
    CatalogueEntry { id, set, fields, condition, class, guidance, source }
}
