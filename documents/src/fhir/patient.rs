//! `Patient`.

use concord_schemas::patient_documents::fields;
use serde_json::Value;

use super::element::{date_of, has_ended, list_of, text_of};
use super::references::Resource;
use crate::found::{AddressParts, Found, Spot};
use crate::values::{joined, name};

/// Names by which the patient is not called, or no longer.
const FORMER_NAMES: [&str; 4] = ["old", "maiden", "anonymous", "nickname"];

pub(super) fn read(resource: &Resource<'_>, found: &mut Found) {
    let patient = resource.value;
    for (at, identifier) in list_of(patient, "identifier").iter().enumerate() {
        let spot = Spot::at_path(resource.path(&format!("identifier[{at}].value")));
        let system = text_of(identifier, "system").unwrap_or_default();
        if text_of(identifier, "use") != Some("old") && !has_ended(identifier) {
            found.identifier(system, text_of(identifier, "value").unwrap_or_default(), &spot);
        }
    }
    names(resource, found);
    if let Some(date) = date_of(patient, "birthDate") {
        found.field(fields::BIRTH_DATE, &date, &Spot::at_path(resource.path("birthDate")));
    }
    found.sex(text_of(patient, "gender").unwrap_or_default(), &Spot::at_path(resource.path("gender")));
    for (at, contact) in list_of(patient, "telecom").iter().enumerate() {
        let is_phone = matches!(text_of(contact, "system"), Some("phone" | "sms"));
        let written = text_of(contact, "value").filter(|_| is_phone).unwrap_or_default();
        let usage = usage_of(contact);
        let is_former = usage == "old" || has_ended(contact);
        found.phone(written, usage, is_former, &Spot::at_path(resource.path(&format!("telecom[{at}].value"))));
    }
    for (at, address) in list_of(patient, "address").iter().enumerate() {
        found.address(&parts_of(address), &Spot::at_path(resource.path(&format!("address[{at}]"))));
    }
}

/// The names that the patient goes by: the official ones; else those that are usual, or of which nothing is said; else any that is
/// not former. A usual name beside an official one is what friends say.
fn names(resource: &Resource<'_>, found: &mut Found) {
    let names = list_of(resource.value, "name");
    let is_former =
        |name: &Value| has_ended(name) || text_of(name, "use").is_some_and(|usage| FORMER_NAMES.contains(&usage));
    let choice = |name: &Value| match text_of(name, "use") {
        _ if is_former(name) => None,
        Some("official") => Some(1),
        None | Some("usual") => Some(2),
        Some(_) => Some(3),
    };
    let first_choice = names.iter().filter_map(choice).min();
    for (at, name) in names.iter().enumerate() {
        if choice(name).is_none() || choice(name) != first_choice {
            continue;
        }
        let spot = Spot::at_path(resource.path(&format!("name[{at}]")));
        let given = joined(list_of(name, "given").iter().filter_map(Value::as_str), " ");
        match (text_of(name, "family"), text_of(name, "text")) {
            (None, Some(text)) if given.is_empty() => {
                let (family, given) = name::split(text);
                found.name(&family, &given, &spot.at_most(80));
            }
            (family, _) => found.name(family.unwrap_or_default(), &given, &spot),
        }
    }
}

fn parts_of(address: &Value) -> AddressParts {
    let mut lines: Vec<String> = list_of(address, "line").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let places = ["city", "district", "state", "country"];
    lines.extend(places.iter().filter_map(|place| text_of(address, place)).map(str::to_owned));
    if lines.is_empty() {
        lines.extend(text_of(address, "text").map(str::to_owned));
    }
    let usage = usage_of(address);
    let is_former = usage == "old" || has_ended(address);
    AddressParts { lines, postcode: text_of(address, "postalCode").unwrap_or_default().to_owned(), usage, is_former }
}

fn usage_of(element: &Value) -> &'static str {
    match text_of(element, "use") {
        Some("home") => "home",
        Some("work") => "work",
        Some("temp") => "temp",
        Some("old") => "old",
        Some("mobile") => "mobile",
        Some("billing") => "billing",
        _ => "",
    }
}
