//! The Avro files are the contract: documented, complete, and what an independent Avro implementation reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod samples;

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use concord_schemas::Schemas;
use concord_schemas::codec::*;
use serde::Serialize;
use serde_json::Value;

/// Schemas of topics, and of stores.
fn every() -> impl Iterator<Item = &'static TopicSchema> {
    ALL.into_iter().chain(STORED)
}

fn parsed(topic: &TopicSchema) -> Value {
    serde_json::from_str(topic.avsc()).unwrap()
}

/// Calls `visit` with every schema object nested anywhere in `schema`.
fn walk(schema: &Value, visit: &mut impl FnMut(&Value)) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| walk(branch, visit)),
        Value::Object(object) => {
            visit(schema);
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                walk(&field["type"], visit);
            }
            for inner in ["items", "values"].iter().filter_map(|key| object.get(*key)) {
                walk(inner, visit);
            }
        }
        _ => {}
    }
}

fn has_doc(value: &Value) -> bool {
    value["doc"].as_str().is_some_and(|doc| !doc.trim().is_empty())
}

#[test]
fn every_record_enum_and_field_is_documented() {
    for topic in every() {
        walk(&parsed(topic), &mut |schema| {
            if !matches!(schema["type"].as_str(), Some("record" | "enum")) {
                return;
            }
            assert!(has_doc(schema), "{}: {} has no doc", topic.name(), schema["name"]);
            for field in schema["fields"].as_array().into_iter().flatten() {
                assert!(has_doc(field), "{}: {}.{} has no doc", topic.name(), schema["name"], field["name"]);
            }
        });
    }
}

#[test]
fn every_named_type_is_in_a_namespace_of_concord() {
    for topic in every() {
        walk(&parsed(topic), &mut |schema| {
            if schema.get("name").is_some() {
                let namespace = schema["namespace"].as_str().unwrap_or_default();
                assert!(namespace.starts_with("concord."), "{}: {} is in '{namespace}'", topic.name(), schema["name"]);
            }
        });
    }
}

#[test]
fn every_optional_field_begins_with_null_and_defaults_to_it() {
    for topic in every() {
        walk(&parsed(topic), &mut |schema| {
            for field in schema["fields"].as_array().into_iter().flatten() {
                if field["type"].is_array() {
                    let place = format!("{}: {}.{}", topic.name(), schema["name"], field["name"]);
                    assert_eq!(field["type"][0], "null", "{place}");
                    assert_eq!(field.get("default"), Some(&Value::Null), "{place}");
                }
            }
        });
    }
}

/// The schema files of a folder, in order.
fn files_of(folder: &str) -> Vec<String> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names.filter(|name| name.ends_with(".avsc")).collect();
    files.sort();
    files
}

#[test]
fn every_avro_file_is_a_schema_of_a_topic_or_a_store() {
    let file_names = |schemas: &[&TopicSchema]| {
        let mut names: Vec<_> = schemas.iter().map(|schema| format!("{}.avsc", schema.name())).collect();
        names.sort();
        names
    };
    assert_eq!(files_of("avro"), file_names(&ALL));
    assert_eq!(files_of("avro/stored"), file_names(&STORED));
    let mut earlier: Vec<String> = Vec::new();
    for schema in ALL {
        earlier.extend((1..=schema.earlier().len()).map(|number| format!("{}.{number}.avsc", schema.name())));
    }
    earlier.sort();
    assert_eq!(files_of("avro/earlier"), earlier);
}

/// Replaces `{"type": "long", "logicalType": ...}` by `"long"`, as the specification's canonical form does
/// (apache-avro 0.21 leaves `{"type": "long"}` standing, so its fingerprint of such a schema is not the specified one).
fn without_logical_types(schema: &mut Value) {
    if schema.get("logicalType").is_some() {
        *schema = schema["type"].take();
        return;
    }
    match schema {
        Value::Array(values) => values.iter_mut().for_each(without_logical_types),
        Value::Object(object) => object.values_mut().for_each(without_logical_types),
        _ => {}
    }
}

#[test]
fn fingerprints_are_those_of_an_independent_implementation() {
    for topic in every() {
        let mut physical = parsed(topic);
        without_logical_types(&mut physical);
        let independent = Schema::parse(&physical).unwrap().fingerprint::<Rabin>();
        assert_eq!(topic.fingerprint().to_le_bytes()[..], independent.bytes[..], "{}", topic.name());
    }
}

/// The value as an independent reader sees it must be the value as serde sees it, and its bytes the same.
fn assert_independently_readable<T: Serialize>(topic: &'static TopicSchema, value: &T, is_union: bool) {
    let schema = Schema::parse_str(topic.avsc()).unwrap();
    let mut bytes = Vec::new();
    Schemas::bundled().encoder().encode(topic, value, &mut bytes).unwrap();
    let mut datum = &bytes[10..];
    let independent = apache_avro::from_avro_datum(&schema, &mut datum, None).unwrap();
    assert!(datum.is_empty(), "{}: bytes left over", topic.name());
    assert_eq!(apache_avro::to_avro_datum(&schema, independent.clone()).unwrap(), bytes[10..], "{}", topic.name());

    let mut expected = serde_json::to_value(value).unwrap();
    if is_union {
        expected = expected.as_object().unwrap().values().next().unwrap().clone();
    }
    assert_eq!(Value::try_from(independent).unwrap(), expected, "{}", topic.name());
}

#[test]
fn an_independent_reader_sees_the_same_values() {
    samples::extract_events().iter().for_each(|event| assert_independently_readable(&GP_EXTRACT, event, true));
    samples::gp_events().iter().for_each(|event| assert_independently_readable(&GP_RECORD, event, true));
    assert_independently_readable(&PDS_RECORD, &samples::pds_record(), false);
    assert_independently_readable(&PDS_REGISTRATION, &samples::registration(), false);
    assert_independently_readable(&OUTCOME, &samples::outcome(), false);
    assert_independently_readable(&DIFFERENCE, &samples::difference(), false);
    samples::job_events().iter().for_each(|event| assert_independently_readable(&JOB_EVENT, event, true));
    assert_independently_readable(&JOB, &samples::job(), false);
    assert_independently_readable(&FILE, &samples::file_chunk(), false);
    assert_independently_readable(&MAIL, &samples::mail(), false);
    assert_independently_readable(&DELIVERY, &samples::delivery(), false);
    assert_independently_readable(&DECISION, &samples::decision(), false);
    assert_independently_readable(&STANDING_PERSON, &samples::standing_person(), false);
    assert_independently_readable(&STANDING_LIST, &samples::standing_list(), false);
    assert_independently_readable(&COMMAND, &samples::command(), false);
    assert_independently_readable(&POST_OFFICE, &samples::route_status(), false);
    assert_independently_readable(&INTAKE_REFUSED, &samples::refused_input(), false);
    assert_independently_readable(&PDS_LOOKUP, &samples::pds_lookup(), false);
    samples::pds_answers().iter().for_each(|answer| assert_independently_readable(&PDS_ANSWER, answer, false));
    assert_independently_readable(&GP_LINKS_HISTORY, &samples::history_document(), false);
    samples::dps_answer_events().iter().for_each(|event| assert_independently_readable(&DPS_ANSWER, event, true));
    assert_independently_readable(&GP_LINKS_INTERCHANGE, &samples::interchange_piece(), false);
    samples::link_events().iter().for_each(|event| assert_independently_readable(&LINK_EVENT, event, true));
    let of_transactions = samples::transaction_events();
    of_transactions.iter().for_each(|event| assert_independently_readable(&TRANSACTION_EVENT, event, true));
    assert_independently_readable(&AUDIT_COMMAND, &samples::audit_command(), false);
    assert_independently_readable(&AUDIT_FINDING, &samples::audit_finding(), false);
    samples::documents().iter().for_each(|document| assert_independently_readable(&DOCUMENT, document, false));
    samples::extractions().iter().for_each(|extraction| assert_independently_readable(&EXTRACTION, extraction, false));
    samples::document_events().iter().for_each(|event| assert_independently_readable(&DOCUMENT_EVENT, event, true));
    assert_independently_readable(&READ_REQUEST, &samples::read_request(), false);
    samples::update_requests().iter().for_each(|asked| assert_independently_readable(&UPDATE_REQUEST, asked, false));
    assert_independently_readable(&CONSOLIDATION, &samples::consolidation(), false);
    samples::conflicts().iter().for_each(|conflict| assert_independently_readable(&CONFLICT, conflict, false));
}

#[test]
fn an_extraction_is_the_same_on_its_way_to_its_patient() {
    assert_eq!(parsed(&DOCUMENT_EVENT)[0], parsed(&EXTRACTION));
}

#[test]
fn what_two_topics_of_the_audit_carry_is_declared_the_same_in_both() {
    let of_lines = parsed(&TRANSACTION_EVENT);
    assert_eq!(of_lines[1], parsed(&AUDIT_COMMAND));
    assert_eq!(of_lines[2], parsed(&LINK_EVENT)[2]);
}

#[test]
fn the_record_in_an_answer_of_pds_is_that_of_the_topic_of_records() {
    let answer = parsed(&PDS_ANSWER);
    let field = answer["fields"].as_array().unwrap().iter().find(|field| field["name"] == "record").unwrap();
    let mut record = field["type"][1].clone();
    record["namespace"] = answer["namespace"].clone();
    assert_eq!(record, parsed(&PDS_RECORD));
}
