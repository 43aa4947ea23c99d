//! `recordTarget`: whom the document is about.

use concord_schemas::patient_documents::fields;

use super::types::{FORMER, date_of, uses};
use crate::found::{AddressParts, Found, Spot};
use crate::values::{joined, name};
use crate::xml::Element;
use crate::{Problem, ReadFailure};

/// Parts of an address in the order in which they are written. The postcode is apart.
const ADDRESS_PARTS: [&str; 13] = [
    "additionalLocator",
    "unitID",
    "houseNumber",
    "houseNumberNumeric",
    "streetName",
    "streetNameBase",
    "streetAddressLine",
    "deliveryAddressLine",
    "precinct",
    "city",
    "county",
    "state",
    "country",
];
/// Uses of names by which the patient is not called, or no longer.
const OTHER_NAMES: [&str; 5] = ["OLD", "BAD", "P", "A", "ASGN"];

/// # Errors
/// [`Problem::SeveralPatients`] when there are several record targets.
pub(super) fn read(document: &Element, found: &mut Found) -> Result<(), ReadFailure> {
    if document.all("recordTarget").count() > 1 {
        return Err(ReadFailure::new(Problem::SeveralPatients, "a document with several record targets"));
    }
    let Some(role) = document.at(&["recordTarget", "patientRole"]) else { return Ok(()) };
    let base = "/ClinicalDocument/recordTarget/patientRole";
    for (at, id) in role.all("id") {
        let spot = Spot::at_path(format!("{base}/id[{at}]"));
        found.identifier(
            id.attribute("root").unwrap_or_default(),
            id.attribute("extension").unwrap_or_default(),
            &spot,
        );
    }
    if let Some(patient) = role.child("patient") {
        names(patient, &format!("{base}/patient"), found);
        let sex = patient.child("administrativeGenderCode").filter(|code| !code.is_null());
        let sex =
            sex.and_then(|code| code.attribute("code").or_else(|| code.attribute("displayName"))).unwrap_or_default();
        found.sex(sex, &Spot::at_path(format!("{base}/patient/administrativeGenderCode")));
        let born = patient.child("birthTime").and_then(date_of).unwrap_or_default();
        found.field(fields::BIRTH_DATE, &born, &Spot::at_path(format!("{base}/patient/birthTime")));
    }
    for (at, telecom) in role.all("telecom") {
        let value = telecom.attribute("value").unwrap_or_default();
        let is_phone = !value.contains(':') || value.to_lowercase().starts_with("tel:");
        if is_phone {
            let uses = uses(telecom);
            let is_former = uses.iter().any(|one| FORMER.contains(one));
            found.phone(value, usage_of(&uses), is_former, &Spot::at_path(format!("{base}/telecom[{at}]")));
        }
    }
    for (at, address) in role.all("addr").filter(|(_, address)| !address.is_null()) {
        found.address(&parts_of(address), &Spot::at_path(format!("{base}/addr[{at}]")));
    }
    Ok(())
}

/// The names that the patient goes by: legal ones and those of which nothing is said; when there are none, all that are not former.
fn names(patient: &Element, base: &str, found: &mut Found) {
    let is_other = |name: &Element| uses(name).iter().any(|one| OTHER_NAMES.contains(one)) || is_of_birth(name);
    let is_former = |name: &Element| uses(name).iter().any(|one| FORMER.contains(one)) || has_ended(name);
    let has_first_choice = patient.all("name").any(|(_, name)| !is_other(name) && !has_ended(name));
    for (at, name) in patient.all("name").filter(|(_, name)| !name.is_null()) {
        if is_former(name) || (has_first_choice && is_other(name)) {
            continue;
        }
        let spot = Spot::at_path(format!("{base}/name[{at}]"));
        // A part may be marked as that of birth, or as a call me.
        let is_present = |part: &&Element| !part.is_null() && !matches!(part.attribute("qualifier"), Some("BR" | "CL"));
        let part = |kind: &'static str| {
            let parts = name.children.iter().filter(move |part| part.name == kind).filter(is_present);
            joined(parts.map(Element::text), " ")
        };
        let (family, given) = (part("family"), part("given"));
        if family.is_empty() && given.is_empty() {
            let (family, given) = name::split(&name.text());
            found.name(&family, &given, &spot.at_most(80));
        } else {
            found.name(&family, &given, &spot);
        }
    }
}

/// Whether its only family name is that of birth: then what is beside it is of a name that is no longer used, too.
fn is_of_birth(name: &Element) -> bool {
    let is_of_birth = |(_, part): (usize, &Element)| part.attribute("qualifier") == Some("BR");
    name.child("family").is_some() && name.all("family").all(is_of_birth)
}

fn has_ended(element: &Element) -> bool {
    let times = [element.child("validTime"), element.child("useablePeriod")];
    times.into_iter().flatten().any(|time| time.child("high").is_some_and(|high| high.attribute("value").is_some()))
}

fn parts_of(address: &Element) -> AddressParts {
    let mut lines: Vec<String> = Vec::new();
    let mut number = String::new();
    for part in in_written_order(address) {
        // The number of a house stands before its street, in one line.
        if matches!(part.name.as_str(), "houseNumber" | "houseNumberNumeric" | "unitID") {
            number = joined([number, part.text()], " ");
            continue;
        }
        lines.push(joined([std::mem::take(&mut number), part.text()], " "));
    }
    if address.children.is_empty() {
        lines.push(address.text());
    }
    let uses = uses(address);
    AddressParts {
        lines,
        postcode: address.child("postalCode").map(Element::text).unwrap_or_default(),
        usage: usage_of(&uses),
        is_former: has_ended(address) || uses.iter().any(|one| FORMER.contains(one)),
    }
}

/// Some programs write the country first.
fn in_written_order(address: &Element) -> Vec<&Element> {
    let place = |part: &&Element| ADDRESS_PARTS.iter().position(|known| *known == part.name);
    let mut parts: Vec<&Element> = address.children.iter().filter(|part| place(part).is_some()).collect();
    parts.sort_by_key(place);
    parts
}

fn usage_of(uses: &[&str]) -> &'static str {
    const KNOWN: [(&str, &str); 8] = [
        ("OLD", "old"),
        ("BAD", "old"),
        ("TMP", "temp"),
        ("MC", "mobile"),
        ("HP", "home"),
        ("H", "home"),
        ("HV", "home"),
        ("WP", "work"),
    ];
    KNOWN.iter().find(|(one, _)| uses.contains(one)).map_or("", |(_, usage)| usage)
}
