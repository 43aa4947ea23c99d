//! PID: the patient.

use concord_schemas::patient_documents::fields;

use super::message::{Repetition, Segment};
use super::spot;
use crate::found::{AddressParts, Found};
use crate::values::{date, joined};

/// Types of names by which the patient is not called, or no longer: maiden, alias, name at birth, nickname, licence, coded.
const OTHER_NAMES: [&str; 7] = ["M", "A", "B", "N", "I", "S", "U"];
/// Types of addresses at which the patient lives no longer, or never did: bad, birth, birth delivery.
const FORMER_ADDRESSES: [&str; 4] = ["BA", "N", "BDL", "F"];
/// Equipment that is no phone.
const NO_PHONES: [&str; 4] = ["FX", "BP", "Internet", "X.400"];

pub(super) fn read(segment: &Segment<'_>, found: &mut Found) {
    // PID-2, PID-4 and PID-19 held identifiers in versions before 2.3.1.
    for field in [3, 2, 4] {
        for (at, identifier) in segment.repetitions(field) {
            let system = system_of(&identifier);
            found.identifier(&system, &identifier.component(1), &spot(segment, field, at));
        }
    }
    names(segment, found);
    let born = date::from_digits(&segment.field(7).component(1)).unwrap_or_default();
    found.field(fields::BIRTH_DATE, &born, &spot(segment, 7, 0));
    found.sex(&segment.field(8).component(1), &spot(segment, 8, 0));
    for (at, address) in segment.repetitions(11) {
        found.address(&parts_of(&address), &spot(segment, 11, at));
    }
    for (field, usage) in [(13, "home"), (14, "work")] {
        for (at, phone) in segment.repetitions(field) {
            if NO_PHONES.contains(&phone.component(3).as_str()) {
                continue;
            }
            let usage = if phone.component(3) == "CP" { "mobile" } else { usage };
            found.phone(&number_of(&phone), usage, false, &spot(segment, field, at));
        }
    }
}

/// The identifiers of a patient, each with who gives it: what two segments are compared by.
pub(super) fn identifiers(segment: &Segment<'_>) -> Vec<String> {
    let of_list = segment.repetitions(3).map(|(_, identifier)| identifier.component(1));
    of_list.filter(|identifier| !identifier.is_empty()).collect()
}

/// The assigning authority: its namespace or universal id; the type of the identifier where that says NHS number.
fn system_of(identifier: &Repetition<'_>) -> String {
    let kind = identifier.component(5);
    if matches!(kind.as_str(), "NH" | "NHS" | "NHSNMBR") {
        return kind;
    }
    let authority = identifier.subcomponent(4, 1);
    if authority.is_empty() { identifier.subcomponent(4, 2) } else { authority }
}

/// Legal names, and those of which nothing is said; when there are none, the first.
fn names(segment: &Segment<'_>, found: &mut Found) {
    let is_other = |name: &Repetition<'_>| OTHER_NAMES.contains(&name.component(7).as_str());
    let has_first_choice = segment.repetitions(5).any(|(_, name)| !is_other(&name));
    for (at, name) in segment.repetitions(5) {
        if (has_first_choice && is_other(&name)) || (!has_first_choice && at > 0) {
            continue;
        }
        let given = joined([name.component(2), name.component(3)], " ");
        found.name(&name.component(1), &given, &spot(segment, 5, at));
    }
}

/// Street, other designation, city and state. The country is a code, and left out.
fn parts_of(address: &Repetition<'_>) -> AddressParts {
    let kind = address.component(7);
    AddressParts {
        lines: [1, 2, 3, 4].iter().map(|number| address.component(*number)).collect(),
        postcode: address.component(5),
        usage: match kind.as_str() {
            "H" => "home",
            "B" | "O" => "work",
            "C" => "temp",
            "BA" => "old",
            "BI" => "billing",
            _ => "",
        },
        is_former: FORMER_ADDRESSES.contains(&kind.as_str()),
    }
}

/// As one text, or in parts: country, area, number.
fn number_of(phone: &Repetition<'_>) -> String {
    let whole = [phone.component(1), phone.component(12)].into_iter().find(|number| !number.is_empty());
    whole.unwrap_or_else(|| {
        let country = phone.component(5);
        let country = if country.is_empty() { country } else { format!("+{country}") };
        joined([country, phone.component(6), phone.component(7)], " ")
    })
}
