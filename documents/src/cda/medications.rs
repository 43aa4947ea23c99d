//! Medicines: `substanceAdministration` and `supply` of entries, or the narrative where there is no entry.

use concord_schemas::patient_documents::ObservedMedication;

use super::narrative;
use super::sections::Section;
use super::types::{Code, Narrative, interval};
use crate::found::{Found, Spot};
use crate::values::{joined, medicine, product, squeezed};
use crate::xml::Element;

/// Status of an act, and as the contract has it.
const STATUS: [(&str, &str); 8] = [
    ("active", "active"),
    ("completed", "completed"),
    ("suspended", "on-hold"),
    ("held", "on-hold"),
    ("aborted", "stopped"),
    ("cancelled", "stopped"),
    ("new", "intended"),
    ("obsolete", "stopped"),
];

/// Status of a medicine (LOINC 33999-4) by codes of SNOMED CT: active, on hold, no longer active, prior history.
const OBSERVED: [(&str, &str); 4] =
    [("55561003", "active"), ("421139008", "on-hold"), ("73425007", "completed"), ("392521001", "completed")];

pub(super) fn read(section: &Section<'_>, found: &mut Found) {
    let mut is_understood = false;
    for (at, entry) in section.element.all("entry") {
        is_understood |= read_within(entry, &format!("{}/entry[{at}]", section.path), &section.narrative, found);
    }
    if !is_understood {
        narrative::medications(section, found);
    }
}

/// What is given or supplied, directly in the entry, or in an organiser or an act in it; says whether one of them spoke of a medicine.
fn read_within(element: &Element, path: &str, narrative: &Narrative<'_>, found: &mut Found) -> bool {
    let mut is_understood = false;
    for child in &element.children {
        let path = format!("{path}/{}", child.name);
        is_understood |= match child.name.as_str() {
            "substanceAdministration" | "supply" => read_act(child, path, narrative, found),
            "organizer" | "act" | "component" | "entryRelationship" => read_within(child, &path, narrative, found),
            _ => false,
        };
    }
    is_understood
}

/// A medicine that is denied is understood too, and is none.
fn read_act(act: &Element, path: String, narrative: &Narrative<'_>, found: &mut Found) -> bool {
    let status = act.child("statusCode").and_then(|code| code.attribute("code")).unwrap_or_default();
    if act.attribute("negationInd") == Some("true") || status == "nullified" {
        return true;
    }
    let product =
        act.at(&["consumable", "manufacturedProduct"]).or_else(|| act.at(&["product", "manufacturedProduct"]));
    let Some(product) = product else { return false };
    let mut medication = product_of(product, narrative);
    if medication.name.is_empty() && medication.code.is_empty() {
        return false;
    }
    let often = times(act, &mut medication);
    let written = act.child("text").map(|text| narrative.cells_of(text, narrative::is_dose)).unwrap_or_default();
    medication.dose = dose_of(act, &often, &written).into();
    let route = act.child("routeCode").map(|code| Code::of(code, narrative).text).unwrap_or_default();
    medication.route = medicine::route(&route).into();
    medication.status = STATUS.iter().find(|(name, _)| *name == status).map_or("unknown", |(_, status)| status).into();
    if act.attribute("moodCode").is_some_and(|mood| matches!(mood, "INT" | "PRP" | "PRMS")) && status != "aborted" {
        medication.status = "intended".into();
    }
    if let Some(status) = status_observed(act) {
        medication.status = status.into();
    }
    found.medication(medication, &Spot::at_path(path));
    true
}

/// What an observation in the act says of the medicine. The act itself may be completed when the medicine is not.
fn status_observed(act: &Element) -> Option<&'static str> {
    let observations = act.all("entryRelationship").filter_map(|(_, one)| one.child("observation"));
    let is_status = |one: &&Element| one.child("code").and_then(|code| code.attribute("code")) == Some("33999-4");
    let codes = observations.filter(is_status).filter_map(|one| one.child("value")?.attribute("code"));
    codes.into_iter().find_map(|code| OBSERVED.iter().find(|(known, _)| *known == code)).map(|(_, status)| *status)
}

/// Code, name, strength and form of a product.
fn product_of(product: &Element, narrative: &Narrative<'_>) -> ObservedMedication<'static> {
    let material = product.child("manufacturedMaterial").or_else(|| product.child("manufacturedLabeledDrug"));
    let Some(material) = material else { return ObservedMedication::default() };
    let code = material.child("code").map(|code| Code::of(code, narrative)).unwrap_or_default();
    let name = material.child("name").map(|name| squeezed(&name.text())).filter(|name| !name.is_empty());
    let mut split = product::split(&if code.text.is_empty() { name.unwrap_or_default() } else { code.text });
    if let Some(form) = material.child("formCode").and_then(|code| code.attribute("displayName")) {
        split.form = product::in_singular(form);
    }
    ObservedMedication {
        code_system: code.system.into(),
        code: code.code.into(),
        name: split.name.into(),
        strength: split.strength.into(),
        form: joined([split.form.as_str(), split.rest.as_str()], " ").into(),
        ..ObservedMedication::default()
    }
}

/// Takes begin and end, and gives how often.
fn times(act: &Element, medication: &mut ObservedMedication<'static>) -> String {
    let mut often = String::new();
    for (_, time) in act.all("effectiveTime") {
        if let Some(period) = time.child("period") {
            often = every(period);
            continue;
        }
        let (start, end) = interval(time);
        if let Some(start) = start.filter(|_| medication.start.is_empty()) {
            medication.start = start.into();
        }
        if let Some(end) = end.filter(|_| medication.end.is_empty()) {
            medication.end = end.into();
        }
    }
    often
}

/// `twice a day` of twelve hours, otherwise `every 8 hours`.
fn every(period: &Element) -> String {
    let (value, unit) = (period.attribute("value").unwrap_or_default(), period.attribute("unit").unwrap_or_default());
    let unit = match unit {
        "h" => "hour",
        "d" => "day",
        "wk" => "week",
        "mo" => "month",
        "min" => "minute",
        _ => return String::new(),
    };
    match (value, unit) {
        ("24", "hour") | ("1", "day") => "once a day".to_owned(),
        ("12", "hour") | (".5" | "0.5", "day") => "twice a day".to_owned(),
        ("8", "hour") => "3 times a day".to_owned(),
        ("6", "hour") => "4 times a day".to_owned(),
        ("1", unit) => format!("once a {unit}"),
        ("", _) => String::new(),
        (value, unit) => format!("every {value} {unit}s"),
    }
}

/// Put together from quantity and timing where both are said; otherwise as a person wrote it.
fn dose_of(act: &Element, often: &str, written: &str) -> String {
    let quantity = act.child("doseQuantity").and_then(quantity_of).map(|(value, unit)| {
        let unit = if unit.is_empty() { administered(act) } else { product::unit(&unit) };
        product::amount(value, &unit)
    });
    let is_whole = quantity.is_some() && !often.is_empty();
    if is_whole || written.is_empty() {
        return joined([quantity.unwrap_or_default().as_str(), often], " ");
    }
    written.to_owned()
}

/// A number and its unit, which may stand in another writing of it: `1` is the unit of what is only counted.
fn quantity_of(quantity: &Element) -> Option<(&str, String)> {
    let part = quantity.child("center").or_else(|| quantity.child("low")).unwrap_or(quantity);
    let unit = part.attribute("unit").map(|unit| unit.trim_matches(['{', '}'])).filter(|unit| *unit != "1");
    let translated = || part.at(&["translation", "originalText"]).map(|text| squeezed(&text.text()));
    Some((part.attribute("value")?, unit.map(str::to_owned).or_else(translated).unwrap_or_default()))
}

/// What is counted, such as `puff`.
fn administered(act: &Element) -> String {
    let code = act.child("administrationUnitCode").and_then(|code| code.attribute("displayName"));
    code.map(product::in_singular).unwrap_or_default()
}
