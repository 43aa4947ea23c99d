//! Records of older and newer writers are read as ours, or refused for a stated reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod samples;

use std::sync::Arc;

use apache_avro::{Schema, from_avro_datum, to_avro_datum};
use concord_schemas::Schemas;
use concord_schemas::codec::*;
use concord_schemas::list_reconciliation::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn parsed(topic: &TopicSchema) -> Value {
    serde_json::from_str(topic.avsc()).unwrap()
}

fn fields(record: &mut Value) -> &mut Vec<Value> {
    record["fields"].as_array_mut().unwrap()
}

/// The bytes of `value` as a writer with another version of the schema would have written it.
fn written_with<T: Serialize>(topic: &'static TopicSchema, version: &Value, value: &T) -> Vec<u8> {
    let mut ours = Vec::new();
    Schemas::bundled().encoder().encode(topic, value, &mut ours).unwrap();
    let (our_schema, their_schema) = (Schema::parse_str(topic.avsc()).unwrap(), Schema::parse(version).unwrap());
    let theirs = from_avro_datum(&our_schema, &mut &ours[10..], Some(&their_schema)).unwrap();
    let mut bytes = vec![0, 0, 0, 0, 77];
    bytes.extend(to_avro_datum(&their_schema, theirs).unwrap());
    bytes
}

fn decoder_that_learned(topic: &'static TopicSchema, version: &Value) -> Decoder {
    let mut decoder = Schemas::bundled().decoder();
    decoder.learn(WriterId::Registry(77), Arc::new(WriterSchema::new(topic, &version.to_string()).unwrap()));
    decoder
}

fn read_back<'a, T: Deserialize<'a>>(topic: &'static TopicSchema, version: &Value, bytes: &'a [u8]) -> T {
    decoder_that_learned(topic, version).decode(topic, bytes).unwrap()
}

fn refusal(topic: &'static TopicSchema, version: &Value) -> String {
    match WriterSchema::new(topic, &version.to_string()) {
        Err(CodecError::IncompatibleWriterSchema { reason, .. }) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_field_that_only_the_writer_knows_is_skipped() {
    let mut newer = parsed(&PDS_RECORD);
    fields(&mut newer)
        .insert(3, json!({"name": "new_list", "type": {"type": "array", "items": "string"}, "default": ["x", "y"]}));
    fields(&mut newer).push(json!({"name": "new_number", "type": ["null", "long"], "default": null}));
    let bytes = written_with(&PDS_RECORD, &newer, &samples::pds_record());
    assert_eq!(read_back::<PdsRecord>(&PDS_RECORD, &newer, &bytes), samples::pds_record());
}

#[test]
fn a_field_that_only_the_writer_knows_is_skipped_inside_a_union() {
    let mut newer = parsed(&GP_RECORD);
    let patient = fields(&mut newer[0]).iter_mut().find(|field| field["name"] == "record").unwrap();
    fields(&mut patient["type"]).insert(0, json!({"name": "new_text", "type": "string", "default": "new"}));
    for event in samples::gp_events() {
        let bytes = written_with(&GP_RECORD, &newer, &event);
        assert_eq!(read_back::<GpEvent>(&GP_RECORD, &newer, &bytes), event);
    }
}

#[test]
fn an_optional_field_that_the_writer_did_not_know_is_none() {
    let mut older = parsed(&OUTCOME);
    fields(&mut older).retain(|field| field["name"] != "nhs_number");
    let sent = Outcome { nhs_number: Some("9990548609"), ..samples::outcome() };
    let bytes = written_with(&OUTCOME, &older, &sent);
    assert_eq!(read_back::<Outcome>(&OUTCOME, &older, &bytes), Outcome { nhs_number: None, ..sent });
}

#[test]
fn a_job_of_a_writer_that_knew_no_history_and_no_deliveries_is_read_without_them() {
    let mut older = parsed(&JOB);
    fields(&mut older).retain(|field| field.get("default").is_none());
    let bytes = written_with(&JOB, &older, &samples::job());
    let expected = Job {
        source: "",
        rerun_of: "",
        copies: 0,
        last_copy: "",
        history: Vec::new(),
        mails: Vec::new(),
        deliveries: JobDeliveries::default(),
        ..samples::job()
    };
    assert_eq!(read_back::<Job>(&JOB, &older, &bytes), expected);
}

#[test]
fn no_optional_field_of_a_patient_record_is_needed() {
    let mut older = parsed(&GP_RECORD);
    let patient = fields(&mut older[0]).iter_mut().find(|field| field["name"] == "record").unwrap();
    fields(&mut patient["type"]).retain(|field| field.get("default").is_none());
    let required = GpRecord {
        registered_gp: "1234567,123ABC",
        cipher: "AB1",
        download_date: "20240131",
        download_time: "0930",
        trans_id: "1",
        ..GpRecord::default()
    };
    let bytes = written_with(&GP_RECORD, &older, &GpEvent::JobRecord(samples::job_record()));
    let expected = GpEvent::JobRecord(JobRecord { record: required, ..samples::job_record() });
    assert_eq!(read_back::<GpEvent>(&GP_RECORD, &older, &bytes), expected);
}

#[test]
fn fields_in_another_order_are_found_by_name() {
    let mut reordered = parsed(&PDS_RECORD);
    fields(&mut reordered).reverse();
    let bytes = written_with(&PDS_RECORD, &reordered, &samples::pds_record());
    assert_eq!(read_back::<PdsRecord>(&PDS_RECORD, &reordered, &bytes), samples::pds_record());
}

#[test]
fn a_writer_that_never_leaves_a_field_empty_is_read() {
    let mut stricter = parsed(&OUTCOME);
    let nhs_number = fields(&mut stricter).iter_mut().find(|field| field["name"] == "nhs_number").unwrap();
    *nhs_number = json!({"name": "nhs_number", "type": "string"});
    let sent = Outcome { nhs_number: Some("9990548609"), ..samples::outcome() };
    let bytes = written_with(&OUTCOME, &stricter, &sent);
    assert_eq!(read_back::<Outcome>(&OUTCOME, &stricter, &bytes), sent);
}

#[test]
fn numbers_of_a_narrower_type_are_read() {
    let mut narrower = parsed(&OUTCOME);
    let number = fields(&mut narrower).iter_mut().find(|field| field["name"] == "number").unwrap();
    number["type"] = json!("int");
    // apache-avro does not narrow by itself, so the writer's bytes come from our own: int and long are written alike.
    let mut bytes = written_with(&OUTCOME, &parsed(&OUTCOME), &samples::outcome());
    bytes[4] = 77;
    assert_eq!(read_back::<Outcome>(&OUTCOME, &narrower, &bytes), samples::outcome());
}

#[test]
fn old_versions_are_also_known_by_fingerprint() {
    let mut older = parsed(&OUTCOME);
    fields(&mut older).retain(|field| field["name"] != "nhs_number");
    let writer = Arc::new(WriterSchema::new(&OUTCOME, &older.to_string()).unwrap());
    let mut bytes = vec![0xC3, 0x01];
    bytes.extend(writer.fingerprint().to_le_bytes());
    bytes.extend_from_slice(&written_with(&OUTCOME, &older, &samples::outcome())[5..]);
    let mut decoder = Schemas::bundled().decoder();
    let id = WriterId::Fingerprint(writer.fingerprint());
    assert_eq!(
        decoder.decode::<Outcome>(&OUTCOME, &bytes),
        Err(CodecError::UnknownWriterSchema { topic: OUTCOME.name(), id })
    );
    decoder.learn(id, writer);
    assert_eq!(decoder.decode::<Outcome>(&OUTCOME, &bytes), Ok(samples::outcome()));
}

#[test]
fn a_schema_learned_for_one_topic_is_not_used_for_another() {
    let decoder = decoder_that_learned(&OUTCOME, &parsed(&OUTCOME));
    let bytes = written_with(&JOB, &parsed(&JOB), &samples::job());
    let id = WriterId::Registry(77);
    assert_eq!(decoder.decode::<Job>(&JOB, &bytes), Err(CodecError::UnknownWriterSchema { topic: JOB.name(), id }));
}

#[test]
fn a_writer_without_a_required_field_is_refused() {
    let mut older = parsed(&PDS_RECORD);
    fields(&mut older).retain(|field| field["name"] != "surname");
    assert!(refusal(&PDS_RECORD, &older).contains("surname"), "{}", refusal(&PDS_RECORD, &older));
}

#[test]
fn a_writer_with_another_type_is_refused() {
    let mut other = parsed(&PDS_RECORD);
    let version = fields(&mut other).iter_mut().find(|field| field["name"] == "version").unwrap();
    version["type"] = json!("long");
    assert!(refusal(&PDS_RECORD, &other).contains("version"), "{}", refusal(&PDS_RECORD, &other));
}

#[test]
fn a_writer_with_an_event_that_we_do_not_know_is_refused() {
    let mut newer = parsed(&GP_EXTRACT);
    newer.as_array_mut().unwrap().push(json!({"type": "record", "name": "concord.gp.ExtractPaused", "fields": []}));
    assert!(!refusal(&GP_EXTRACT, &newer).is_empty());
}

#[test]
fn a_schema_of_another_topic_is_refused() {
    assert!(!refusal(&PDS_RECORD, &parsed(&JOB)).is_empty());
}

#[test]
fn text_that_is_no_schema_is_refused() {
    assert!(WriterSchema::new(&JOB, "{\"type\": \"recor").is_err());
}

/// A store or a compacted topic holds values for years: what an earlier release wrote is read without a registry.
#[test]
fn what_earlier_releases_wrote_is_read_without_asking_anybody() {
    let decoder = Schemas::bundled().decoder();
    for topic in ALL {
        for avsc in topic.earlier() {
            let writer = WriterSchema::new(topic, avsc).unwrap_or_else(|error| panic!("{}: {error}", topic.name()));
            let mut bytes = vec![0xC3, 0x01];
            bytes.extend(writer.fingerprint().to_le_bytes());
            let unreadable = decoder.decode::<serde::de::IgnoredAny>(topic, &bytes).unwrap_err();
            assert!(!matches!(unreadable, CodecError::UnknownWriterSchema { .. }), "{}: {unreadable}", topic.name());
        }
    }
    let (sent, earlier) = (samples::pds_record(), PDS_RECORD.earlier()[0]);
    let mut bytes = vec![0xC3, 0x01];
    bytes.extend(WriterSchema::new(&PDS_RECORD, earlier).unwrap().fingerprint().to_le_bytes());
    bytes.extend_from_slice(&written_with(&PDS_RECORD, &serde_json::from_str(earlier).unwrap(), &sent)[5..]);
    assert_eq!(decoder.decode::<PdsRecord>(&PDS_RECORD, &bytes), Ok(PdsRecord { date_of_death: "", ..sent }));
}
