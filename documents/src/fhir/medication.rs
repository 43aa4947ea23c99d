//! `MedicationStatement` and `MedicationRequest`, and the `Medication` that they refer to.

use concord_schemas::patient_documents::ObservedMedication;
use serde_json::Value;

use super::element::{Concept, date_of, list_of, number_of, quantity, status_of, text_of};
use super::references::{Resource, Resources};
use crate::found::{Found, Spot};
use crate::values::{joined, medicine, product};

/// Status of a statement, and as the contract has it. One that is missing takes itself back.
const STATEMENT: [(&str, &str); 7] = [
    ("active", "active"),
    ("completed", "completed"),
    ("intended", "intended"),
    ("stopped", "stopped"),
    ("on-hold", "on-hold"),
    ("unknown", "unknown"),
    ("not-taken", "not-taken"),
];
/// Status of a request, and as the contract has it.
const REQUEST: [(&str, &str); 7] = [
    ("active", "active"),
    ("on-hold", "on-hold"),
    ("cancelled", "stopped"),
    ("completed", "completed"),
    ("stopped", "stopped"),
    ("draft", "intended"),
    ("unknown", "unknown"),
];
/// Requests that order nothing yet.
const NOT_ORDERED: [&str; 2] = ["proposal", "plan"];

pub(super) fn read_statement<'a>(resource: &Resource<'a>, resources: &Resources<'a>, found: &mut Found) {
    let statement = resource.value;
    let Some(status) = status(statement, &STATEMENT) else { return };
    let mut medication = product_of(resource, resources);
    dosage(list_of(statement, "dosage"), &mut medication);
    let period = statement.get("effectivePeriod").unwrap_or(&Value::Null);
    let start = date_of(period, "start").or_else(|| date_of(statement, "effectiveDateTime"));
    keep_dates(start, date_of(period, "end"), &mut medication);
    medication.status = status.into();
    found.medication(medication, &Spot::at_path(resource.path("medication")));
}

pub(super) fn read_request<'a>(resource: &Resource<'a>, resources: &Resources<'a>, found: &mut Found) {
    let request = resource.value;
    let Some(status) = status(request, &REQUEST) else { return };
    if request.get("doNotPerform") == Some(&Value::Bool(true)) {
        return;
    }
    let is_ordered = !text_of(request, "intent").is_some_and(|intent| NOT_ORDERED.contains(&intent));
    let mut medication = product_of(resource, resources);
    dosage(list_of(request, "dosageInstruction"), &mut medication);
    keep_dates(date_of(request, "authoredOn"), None, &mut medication);
    medication.status = if is_ordered { status } else { "intended" }.into();
    found.medication(medication, &Spot::at_path(resource.path("medication")));
}

fn status(value: &Value, known: &[(&str, &'static str)]) -> Option<&'static str> {
    match status_of(value, "status") {
        "" => Some("unknown"),
        written => known.iter().find(|(name, _)| *name == written).map(|(_, status)| *status),
    }
}

/// What the dosage does not say of dates.
fn keep_dates(start: Option<String>, end: Option<String>, medication: &mut ObservedMedication<'static>) {
    if let Some(start) = start.filter(|_| medication.start.is_empty()) {
        medication.start = start.into();
    }
    if let Some(end) = end.filter(|_| medication.end.is_empty()) {
        medication.end = end.into();
    }
}

/// Code, name, strength and form, from the concept or from the medication that is referred to.
fn product_of<'a>(resource: &Resource<'a>, resources: &Resources<'a>) -> ObservedMedication<'static> {
    let reference = resource.value.get("medicationReference").unwrap_or(&Value::Null);
    let referred = resources.referred(resource, reference).filter(|one| one.kind == "Medication");
    let own = Concept::of(resource.value.get("medicationCodeableConcept").unwrap_or(&Value::Null));
    let of_referred = referred.map(|one| Concept::of(one.value.get("code").unwrap_or(&Value::Null)));
    let mut concept = of_referred.filter(|concept| !concept.is_empty()).unwrap_or(own);
    if concept.text.is_empty() {
        concept.text = text_of(reference, "display").unwrap_or_default().to_owned();
    }
    let mut split = product::split(&concept.text);
    if let Some(medication) = referred {
        let form = Concept::of(medication.value.get("form").unwrap_or(&Value::Null)).text;
        if !form.is_empty() {
            split.form = product::in_singular(&form);
        }
        if let Some(strength) = strength_of(medication.value) {
            split.strength = strength;
        }
    }
    ObservedMedication {
        code_system: concept.system.into(),
        code: concept.code.into(),
        name: split.name.into(),
        strength: split.strength.into(),
        form: joined([split.form.as_str(), split.rest.as_str()], " ").into(),
        ..ObservedMedication::default()
    }
}

/// Strength of the ingredients, such as `500 mg` or `8 mg/500 mg`.
fn strength_of(medication: &Value) -> Option<String> {
    let strengths =
        list_of(medication, "ingredient").iter().filter_map(|ingredient| ratio(ingredient.get("strength")?));
    let strengths: Vec<String> = strengths.collect();
    (!strengths.is_empty()).then(|| strengths.join("/"))
}

/// A ratio: `500 mg` to one tablet is `500 mg`, `5 mg` to one millilitre is `5 mg/ml`.
fn ratio(value: &Value) -> Option<String> {
    let numerator = quantity(value.get("numerator")?)?;
    let Some(denominator) = value.get("denominator") else { return Some(numerator) };
    let unit = text_of(denominator, "unit").or_else(|| text_of(denominator, "code")).unwrap_or_default();
    let unit = product::unit(unit);
    let number = number_of(denominator, "value").unwrap_or_else(|| "1".to_owned());
    match (number.trim_end_matches(".0"), unit.as_str()) {
        ("1", "ml" | "dose" | "hour" | "litre" | "g" | "actuation") => Some(format!("{numerator}/{unit}")),
        ("1", _) => Some(numerator),
        (number, unit) => Some(format!("{numerator}/{}", product::amount(number, unit))),
    }
}

/// Dose, route and bounds of dosages, which may be several behind each other.
fn dosage(dosages: &[Value], medication: &mut ObservedMedication<'static>) {
    let doses: Vec<String> = dosages.iter().map(dose_of).collect();
    medication.dose = joined(doses.iter(), ", ").into();
    let routes = dosages.iter().map(|dosage| Concept::of(dosage.get("route").unwrap_or(&Value::Null)).text);
    medication.route = routes
        .into_iter()
        .find(|route| !route.is_empty())
        .map_or_else(String::new, |route| medicine::route(&route))
        .into();
    let bounds = dosages.iter().filter_map(|dosage| dosage.get("timing")?.get("repeat")?.get("boundsPeriod"));
    for period in bounds {
        keep_dates(date_of(period, "start"), date_of(period, "end"), medication);
    }
}

/// As a person wrote it, or else put together from quantity and timing.
fn dose_of(dosage: &Value) -> String {
    if let Some(text) = text_of(dosage, "text").or_else(|| text_of(dosage, "patientInstruction")) {
        return text.to_owned();
    }
    let rate = list_of(dosage, "doseAndRate").first().unwrap_or(&Value::Null);
    let quantity_of = |name: &str| rate.get(name).and_then(quantity);
    let range = rate.get("doseRange").and_then(|range| {
        let (low, high) = (quantity(range.get("low")?)?, quantity(range.get("high")?)?);
        Some(format!("{low} to {high}"))
    });
    let amount = quantity_of("doseQuantity").or(range).unwrap_or_default();
    let timing = dosage.get("timing").unwrap_or(&Value::Null);
    let repeat = timing.get("repeat").unwrap_or(&Value::Null);
    let often = frequency(repeat).unwrap_or_else(|| Concept::of(timing.get("code").unwrap_or(&Value::Null)).text);
    let as_needed = if dosage.get("asNeededBoolean") == Some(&Value::Bool(true)) { "as needed" } else { "" };
    joined([amount.as_str(), often.as_str(), as_needed], " ")
}

/// `twice a day`, `3 times a week`, `every 8 hours`.
fn frequency(repeat: &Value) -> Option<String> {
    let unit = match text_of(repeat, "periodUnit")? {
        "s" => "second",
        "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "wk" => "week",
        "mo" => "month",
        "a" => "year",
        _ => return None,
    };
    let frequency = number_of(repeat, "frequency").unwrap_or_else(|| "1".to_owned());
    let period = number_of(repeat, "period").unwrap_or_else(|| "1".to_owned());
    let often = match (frequency.as_str(), period.trim_end_matches(".0")) {
        ("1", "1") => format!("once a {unit}"),
        ("2", "1") => format!("twice a {unit}"),
        (times, "1") => format!("{times} times a {unit}"),
        ("1", period) => format!("every {period} {unit}s"),
        (times, period) => format!("{times} times every {period} {unit}s"),
    };
    Some(often)
}
