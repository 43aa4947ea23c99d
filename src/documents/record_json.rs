//! A consolidated patient as `concord documents consolidate` writes it.

use concord_flows::patient_documents::consolidation::Field;
use concord_schemas::patient_documents::{ObservedValue, PatientConsolidation};
use serde_json::{Map, Value, json};

/// The record as one object; documents are told by their names. Every field is there, with `null` where no value is chosen.
pub fn as_json(record: &PatientConsolidation<'_>) -> Value {
    let names = |documents: &[i32]| -> Vec<&str> {
        let place = |number: &i32| usize::try_from(*number).ok();
        documents.iter().filter_map(|number| Some(&*record.documents.get(place(number)?)?.name)).collect()
    };
    let observed = |values: &[ObservedValue<'_>]| -> Vec<Value> {
        values.iter().map(|of| json!({ "value": of.value, "documents": names(&of.documents) })).collect()
    };
    let mut fields = Map::new();
    for field in Field::all() {
        let found = record.fields.iter().find(|of| of.field == field.name());
        let shown = json!({
            "value": found.and_then(|of| of.value.as_deref()),
            "policy": found.map_or_else(|| field.default_policy(), |of| of.policy.to_string()),
            "observed": found.map(|of| observed(&of.observed)).unwrap_or_default(),
        });
        fields.insert(field.name().to_owned(), shown);
    }
    let medications = record.medications.iter().map(|medicine| {
        let doses: Vec<&str> = medicine.doses.iter().map(|dose| &*dose.value).collect();
        json!({
            "code": known(&medicine.code),
            "name": known(&medicine.name),
            "strength": known(&medicine.strength),
            "form": known(&medicine.form),
            "doses": doses,
            "documents": names(&medicine.documents),
        })
    });
    let allergies = record.allergies.iter().map(|allergy| {
        let reactions: Vec<&str> = allergy.reactions.iter().map(|reaction| &*reaction.value).collect();
        json!({
            "code": known(&allergy.code),
            "substance": known(&allergy.substance),
            "reactions": reactions,
            "documents": names(&allergy.documents),
        })
    });
    let conflicts = record
        .conflicts
        .iter()
        .map(|conflict| json!({ "field": conflict.field, "values": observed(&conflict.values) }));
    let documents = record.documents.iter().map(|document| {
        let reason = [&*document.reason_code, &*document.reason].join(": ");
        json!({
            "name": document.name,
            "content_type": known(&document.content_type),
            "status": document.status,
            "reason": (!document.reason_code.is_empty()).then_some(reason),
        })
    });
    json!({
        "patient_id": record.patient_id,
        "fields": fields,
        "medications": medications.collect::<Vec<_>>(),
        "allergies": allergies.collect::<Vec<_>>(),
        "conflicts": conflicts.collect::<Vec<_>>(),
        "documents": documents.collect::<Vec<_>>(),
    })
}

/// `None` for what nobody says.
fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use concord_schemas::patient_documents::{ConsolidatedDocument, ConsolidatedField, OpenConflict};

    use super::*;

    #[test]
    fn documents_are_told_by_name_and_every_field_is_there() {
        let value = |value: &'static str, documents: Vec<i32>| ObservedValue {
            value: value.into(),
            documents,
            ..ObservedValue::default()
        };
        let document = |name: &'static str, status: &'static str, code: &'static str| ConsolidatedDocument {
            name: name.into(),
            status: status.into(),
            reason_code: code.into(),
            reason: if code.is_empty() { "".into() } else { "it is broken".into() },
            ..ConsolidatedDocument::default()
        };
        let record = PatientConsolidation {
            patient_id: "p1".into(),
            fields: vec![ConsolidatedField {
                field: "sex".into(),
                value: Some("female".into()),
                policy: "majority".into(),
                decided_by: "majority".into(),
                observed: vec![value("female", vec![0, 1]), value("male", vec![1])],
            }],
            conflicts: vec![OpenConflict {
                field: "sex".into(),
                values: vec![value("female", vec![0]), value("male", vec![1])],
                ..OpenConflict::default()
            }],
            documents: vec![document("a.txt", "Complete", ""), document("b.txt", "Failed", "X-1")],
            ..PatientConsolidation::default()
        };
        let shown = as_json(&record);
        let sex = json!({"value": "female", "policy": "majority", "observed": [
            {"value": "female", "documents": ["a.txt", "b.txt"]}, {"value": "male", "documents": ["b.txt"]},
        ]});
        assert_eq!(shown["fields"]["sex"], sex);
        let phone = json!({"value": null, "policy": "majority, most-recent, smallest", "observed": []});
        assert_eq!(shown["fields"]["phone"], phone);
        assert_eq!(shown["fields"].as_object().map(Map::len), Some(8));
        let conflict = json!({"field": "sex", "values": [
            {"value": "female", "documents": ["a.txt"]}, {"value": "male", "documents": ["b.txt"]},
        ]});
        assert_eq!(shown["conflicts"][0], conflict);
        let failed = json!({"name": "b.txt", "content_type": null, "status": "Failed", "reason": "X-1: it is broken"});
        assert_eq!(shown["documents"][1], failed);
        assert_eq!(shown["documents"][0]["reason"], Value::Null);
    }
}
