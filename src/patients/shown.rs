//! Consolidated patients for people and for programs. They hold the patient's data, which was asked for.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::documents::place;
use crate::stores::time_text;

/// A record with the ids of documents in place of their numbers.
pub fn as_json(record: &Value) -> Value {
    let ids = Ids::of(record);
    let mut named = record.clone();
    ids.replace_in(&mut named);
    named
}

/// A record for a terminal.
pub fn whole(record: &Value) -> String {
    let mut shown = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(shown, "patient {}", text(record, "patient_id"));
    for field in listed(record, "fields") {
        let value = field["value"].as_str().unwrap_or("unresolved");
        let others = listed(field, "observed").count().saturating_sub(1);
        let note = if others > 0 { format!("  ({others} more observed)") } else { String::new() };
        let _ = writeln!(shown, "  {:<13} {value}{note}", text(field, "field"));
    }
    for medicine in listed(record, "medications") {
        let doses = values(medicine, "doses").join(" / ");
        let [name, strength, form, status, code] =
            ["name", "strength", "form", "status", "code"].map(|part| text(medicine, part));
        let _ = writeln!(shown, "  {:<13} {}", "medicine", joined(&[name, strength, form, status, code, &doses]));
    }
    for allergy in listed(record, "allergies") {
        let reactions = values(allergy, "reactions").join(", ");
        let parts = [text(allergy, "substance"), text(allergy, "code"), &reactions];
        let _ = writeln!(shown, "  {:<13} {}", "allergy", joined(&parts));
    }
    for conflict in listed(record, "conflicts") {
        let _ = writeln!(shown, "  {:<13} {}", "conflict", told(conflict));
    }
    for document in listed(record, "documents") {
        let parts = ["name", "content_type", "status", "reason_code", "reason"].map(|part| text(document, part));
        let _ = writeln!(shown, "  {:<13} {}  {}", "document", text(document, "document_id"), joined(&parts));
    }
    shown
}

/// A conflict in one line.
pub fn conflict(conflict: &Value) -> String {
    format!("{:<20} {}", text(conflict, "patient_id"), told(conflict))
}

fn told(conflict: &Value) -> String {
    let values: Vec<String> = listed(conflict, "values")
        .map(|value| format!("{} ({} documents)", text(value, "value"), listed(value, "documents").count()))
        .collect();
    let chosen =
        conflict["chosen"].as_str().map_or_else(|| "none is chosen".to_owned(), |value| format!("chosen: {value}"));
    let since = conflict["since_ms"].as_i64().map_or_else(String::new, time_text);
    format!("{}: {}; {chosen}; since {since}", text(conflict, "field"), values.join(" / "))
}

/// Why a field has its value: the policy, and every observed value with its documents and the places in them. `None` when no
/// document says anything of it. `documents` are the patient's extractions by key.
pub fn why(record: &Value, field: &str, documents: &BTreeMap<String, Value>) -> Option<Value> {
    let of = listed(record, "fields").find(|of| of["field"] == field)?;
    let patient_id = text(record, "patient_id");
    let numbered: Vec<&Value> = listed(record, "documents").collect();
    let observed = listed(of, "observed").map(|observed| {
        let said_by = listed(observed, "documents").filter_map(|number| {
            let document = numbered.get(usize::try_from(number.as_u64()?).ok()?)?;
            let id = text(document, "document_id");
            Some(said(id, document, field, documents.get(&format!("{patient_id}/{id}"))))
        });
        json!({
            "value": observed["value"],
            "weight": observed["weight"],
            "latest": observed["latest_ms"].as_i64().map(time_text),
            "not_counted": observed["not_counted"].as_str().filter(|why| !why.is_empty()),
            "documents": said_by.collect::<Vec<_>>(),
        })
    });
    Some(json!({
        "patient_id": patient_id,
        "field": field,
        "value": of["value"],
        "policy": of["policy"],
        "decided_by": of["decided_by"].as_str().filter(|step| !step.is_empty()),
        "observed": observed.collect::<Vec<_>>(),
    }))
}

/// What one document says of a field, and where.
fn said(id: &str, document: &Value, field: &str, extraction: Option<&Value>) -> Value {
    let features = extraction.map_or(&Value::Null, |extraction| &extraction["features"]);
    let places: Vec<Value> = listed(features, "demographics")
        .filter(|said| said["field"] == field)
        .map(|said| json!({ "value": said["value"], "place": place(said) }))
        .collect();
    json!({
        "document_id": id,
        "name": document["name"],
        "reader": features["reader"],
        "contents_of": extraction.and_then(|extraction| extraction["features_as_of_ms"].as_i64()).map(time_text),
        "said": places,
    })
}

/// [`why`] for a terminal.
pub fn why_as_text(why: &Value) -> String {
    let mut shown = String::new();
    let value = why["value"].as_str().unwrap_or("unresolved");
    let decided = match why["decided_by"].as_str() {
        Some(step) => format!("decided by {step}"),
        None => "there was no choice".to_owned(),
    };
    // Writing to a String does not fail.
    let _ = writeln!(shown, "{} of {}: {value}", text(why, "field"), text(why, "patient_id"));
    let _ = writeln!(shown, "  policy: {}; {decided}", text(why, "policy"));
    for observed in listed(why, "observed") {
        let _ = write!(
            shown,
            "  {}  weight {}, latest {}",
            text(observed, "value"),
            observed["weight"],
            text(observed, "latest")
        );
        let _ = match observed["not_counted"].as_str() {
            Some(reason) => writeln!(shown, "; does not count: {reason}"),
            None => writeln!(shown),
        };
        for document in listed(observed, "documents") {
            let places: Vec<String> = listed(document, "said")
                .map(|said| format!("{} at {}", text(said, "value"), text(said, "place")))
                .collect();
            let (id, name, reader) = (text(document, "document_id"), text(document, "name"), text(document, "reader"));
            let _ = writeln!(shown, "    {id}  {name}, read by {reader}: {}", places.join("; "));
        }
    }
    shown
}

/// Ids of a record's documents by their numbers.
struct Ids(Vec<Value>);

impl Ids {
    fn of(record: &Value) -> Self {
        Self(listed(record, "documents").map(|document| document["document_id"].clone()).collect())
    }

    fn replace_in(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (name, inner) in object {
                    match inner {
                        Value::Array(numbers) if name == "documents" && numbers.iter().all(Value::is_number) => {
                            for number in numbers {
                                let place = number.as_u64().and_then(|place| usize::try_from(place).ok());
                                *number = place.and_then(|place| self.0.get(place)).cloned().unwrap_or_default();
                            }
                        }
                        inner => self.replace_in(inner),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.replace_in(value)),
            _ => {}
        }
    }
}

/// The values in a list of observed values.
fn values<'v>(of: &'v Value, list: &str) -> Vec<&'v str> {
    listed(of, list).map(|observed| text(observed, "value")).collect()
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

fn listed<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn record() -> Value {
        let observed = |value: &str, documents: Value| json!({"value": value, "documents": documents, "not_counted": "", "weight": 7000, "latest_ms": 0});
        json!({
            "patient_id": "p1",
            "fields": [{"field": "sex", "value": "female", "policy": "majority", "decided_by": "majority",
                "observed": [observed("female", json!([0, 1])), observed("male", json!([1]))]}],
            "medications": [{"key": "1", "code": "1", "name": "Warfarin", "strength": "", "form": "tablet", "route": "",
                "status": "active", "doses": [observed("1 daily", json!([0]))], "documents": [0]}],
            "allergies": [],
            "conflicts": [{"field": "sex", "chosen": null, "since_ms": 0,
                "values": [observed("female", json!([0])), observed("male", json!([1]))]}],
            "documents": [
                {"document_id": "a", "name": "a.txt", "content_type": "text/plain", "status": "Complete", "reason_code": "", "reason": ""},
                {"document_id": "b", "name": "b.txt", "content_type": "", "status": "Failed", "reason_code": "X", "reason": "broken"},
            ],
        })
    }

    #[test]
    fn a_patient_is_shown_with_what_is_contradictory() {
        let expected = "patient p1\n  \
            sex           female  (1 more observed)\n  \
            medicine      Warfarin, tablet, active, 1, 1 daily\n  \
            conflict      sex: female (1 documents) / male (1 documents); none is chosen; since 1970-01-01T00:00:00Z\n  \
            document      a  a.txt, text/plain, Complete\n  \
            document      b  b.txt, Failed, X, broken\n";
        assert_eq!(whole(&record()), expected);
    }

    #[test]
    fn programs_are_told_ids_of_documents() {
        let json = as_json(&record());
        assert_eq!(json["fields"][0]["observed"][0]["documents"], json!(["a", "b"]));
        assert_eq!(json["documents"][0]["document_id"], "a");
    }

    #[test]
    fn the_reason_for_a_value_names_documents_and_places() {
        let extraction = json!({"features_as_of_ms": 0, "features": {"reader": "labelled-text", "demographics": [
            {"field": "sex", "value": "female", "confidence": 100, "place": {"page": null, "region": null, "path": "line 4"}},
        ]}});
        let documents = BTreeMap::from([("p1/a".to_owned(), extraction)]);
        let why = why(&record(), "sex", &documents).unwrap();
        let told = why_as_text(&why);
        assert!(told.starts_with("sex of p1: female\n  policy: majority; decided by majority\n"), "{told}");
        assert!(told.contains("    a  a.txt, read by labelled-text: female at line 4\n"), "{told}");
        assert!(super::why(&record(), "phone", &documents).is_none());
    }
}
