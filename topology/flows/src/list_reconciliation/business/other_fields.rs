//! Date of birth, sex, address, postcode: a person looks at every difference.

use super::{Decision, FieldRule, Finding, Item, Patient};
use crate::list_reconciliation::compare::{address_lines, birth_date, sex, words};

pub(super) static RULES: [FieldRule; 4] = [
    FieldRule { id: "BR-DB-01", find: birth_date_differs },
    FieldRule { id: "BR-SX-01", find: sex_differs },
    FieldRule { id: "BR-AD-01", find: address_differs },
    FieldRule { id: "BR-AD-02", find: postcode_differs },
];

fn birth_date_differs(patient: &Patient<'_>) -> Finding {
    let same = birth_date::same(patient.gp.date_of_birth.unwrap_or_default(), patient.pds.date_of_birth);
    unless(same, Item::DateOfBirth, "the dates of birth are the same")
}

fn sex_differs(patient: &Patient<'_>) -> Finding {
    unless(sex::same(patient.gp.sex, patient.pds.gender), Item::Sex, "the sexes are the same")
}

fn address_differs(patient: &Patient<'_>) -> Finding {
    let same = same_without_spaces(&address_lines(patient.gp), &patient.pds.address);
    unless(same, Item::Address, "the addresses are the same without spaces")
}

fn postcode_differs(patient: &Patient<'_>) -> Finding {
    let same = same_without_spaces(&[patient.gp.postcode.unwrap_or_default()], &[patient.pds.postcode]);
    unless(same, Item::Postcode, "the postcodes are the same without spaces")
}

fn unless(same: bool, item: Item, why: &'static str) -> Finding {
    if same { Err(why) } else { Ok((Decision::Validate, item)) }
}

fn same_without_spaces(left: &[&str], right: &[&str]) -> bool {
    folded(left).eq(folded(right))
}

/// The text as these rules compare it.
pub(in crate::list_reconciliation) fn without_spaces(pieces: &[&str]) -> String {
    folded(pieces).collect()
}

fn folded(pieces: &[&str]) -> impl Iterator<Item = char> {
    pieces
        .iter()
        .flat_map(|piece| piece.chars())
        .filter(|character| !words::is_space(*character))
        .flat_map(char::to_lowercase)
}
