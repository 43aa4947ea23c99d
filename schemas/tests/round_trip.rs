//! What a worker encodes, another decodes, letter by letter, with either framing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod samples;

use concord_schemas::Schemas;
use concord_schemas::codec::*;
use concord_schemas::dps::DpsAnswerEvent;
use concord_schemas::gp_links::{HistoryDocument, InterchangePiece};
use concord_schemas::list_reconciliation::*;
use concord_schemas::patient_documents::{
    Document, DocumentEvent, Extraction, PatientConflict, PatientConsolidation, ReadRequest, UpdateRequest,
};
use concord_schemas::pds::{PdsAnswer, PdsLookup};
use concord_schemas::sequence_audit::*;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

fn framings() -> [Schemas; 2] {
    [Schemas::bundled(), Schemas::framed(|topic| Framing::Confluent { schema_id: topic.name().len() as u32 })]
}

fn encoded<T: Serialize>(schemas: &Schemas, topic: &'static TopicSchema, value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    schemas.encoder().encode(topic, value, &mut bytes).unwrap();
    bytes
}

macro_rules! assert_round_trips {
    ($topic:expr, $type:ty, $values:expr) => {
        for schemas in framings() {
            for value in $values {
                let bytes = encoded(&schemas, $topic, &value);
                let read: $type = schemas.decoder().decode($topic, &bytes).unwrap();
                assert_eq!(read, value);
            }
        }
    };
}

#[test]
fn every_type_round_trips_with_both_framings() {
    assert_round_trips!(&GP_EXTRACT, ExtractEvent, samples::extract_events());
    assert_round_trips!(&GP_RECORD, GpEvent, samples::gp_events());
    assert_round_trips!(&PDS_RECORD, PdsRecord, [samples::pds_record(), PdsRecord::default()]);
    assert_round_trips!(&PDS_REGISTRATION, Registration, [samples::registration()]);
    assert_round_trips!(&OUTCOME, Outcome, [samples::outcome()]);
    assert_round_trips!(&DIFFERENCE, Difference, [samples::difference()]);
    assert_round_trips!(&JOB_EVENT, JobEvent, samples::job_events());
    assert_round_trips!(&JOB, Job, [samples::job()]);
    assert_round_trips!(&FILE, FileChunk, [samples::file_chunk()]);
    assert_round_trips!(&MAIL, Mail, [samples::mail()]);
    assert_round_trips!(&DELIVERY, Delivery, [samples::delivery()]);
    assert_round_trips!(&DECISION, Decision, [samples::decision()]);
    assert_round_trips!(&STANDING_PERSON, StandingPerson, [samples::standing_person(), StandingPerson::default()]);
    assert_round_trips!(&STANDING_LIST, StandingList, [samples::standing_list()]);
    assert_round_trips!(&COMMAND, Command, [samples::command()]);
    assert_round_trips!(&POST_OFFICE, RouteStatus, [samples::route_status()]);
    assert_round_trips!(&INTAKE_REFUSED, RefusedInput, [samples::refused_input()]);
    assert_round_trips!(&PDS_LOOKUP, PdsLookup, [samples::pds_lookup()]);
    assert_round_trips!(&PDS_ANSWER, PdsAnswer, samples::pds_answers());
    assert_round_trips!(&GP_LINKS_HISTORY, HistoryDocument, [samples::history_document()]);
    assert_round_trips!(&DPS_ANSWER, DpsAnswerEvent, samples::dps_answer_events());
    assert_round_trips!(&GP_LINKS_INTERCHANGE, InterchangePiece, [samples::interchange_piece()]);
    assert_round_trips!(&LINK_EVENT, LinkEvent, samples::link_events());
    assert_round_trips!(&TRANSACTION_EVENT, TransactionEvent, samples::transaction_events());
    assert_round_trips!(&AUDIT_COMMAND, AuditCommand, [samples::audit_command()]);
    assert_round_trips!(&AUDIT_FINDING, AuditFinding, [samples::audit_finding()]);
    assert_round_trips!(&DOCUMENT, Document, samples::documents());
    assert_round_trips!(&EXTRACTION, Extraction, samples::extractions());
    assert_round_trips!(&DOCUMENT_EVENT, DocumentEvent, samples::document_events());
    assert_round_trips!(&READ_REQUEST, ReadRequest, [samples::read_request()]);
    assert_round_trips!(&UPDATE_REQUEST, UpdateRequest, samples::update_requests());
    assert_round_trips!(&CONSOLIDATION, PatientConsolidation, [samples::consolidation()]);
    assert_round_trips!(&CONFLICT, PatientConflict, samples::conflicts());
}

/// A schema that no release of this crate bundles.
static OF_ANOTHER_PROGRAM: TopicSchema = TopicSchema::new(
    "another.program",
    r#"{"type": "record", "name": "Registration", "fields": [
        {"name": "nhs_number", "type": "string"},
        {"name": "gp_practice", "type": "string"},
        {"name": "dispensing_flag", "type": "string"}]}"#,
);

#[test]
fn a_program_may_declare_a_schema_of_its_own_which_is_framed_as_single_object_whatever_the_others_are() {
    for schemas in framings() {
        let bytes = encoded(&schemas, &OF_ANOTHER_PROGRAM, &samples::registration());
        assert_eq!(bytes[2..10], OF_ANOTHER_PROGRAM.fingerprint().to_le_bytes());
        let read: Registration = schemas.decoder().decode(&OF_ANOTHER_PROGRAM, &bytes).unwrap();
        assert_eq!(read, samples::registration());
        assert_eq!(schemas.framing(&OF_ANOTHER_PROGRAM), Framing::SingleObject);
        let of_job = encoded(&Schemas::bundled(), &JOB, &samples::job());
        let refused = schemas.decoder().decode::<Registration>(&OF_ANOTHER_PROGRAM, &of_job).unwrap_err();
        assert!(matches!(refused, CodecError::UnknownWriterSchema { .. }), "{refused}");
    }
}

#[test]
fn another_version_of_a_programs_own_schema_can_be_learned() {
    let schemas = Schemas::bundled();
    let mut decoder = schemas.decoder();
    let id = WriterId::Registry(7);
    let datum = &encoded(&schemas, &OF_ANOTHER_PROGRAM, &samples::registration())[10..];
    let bytes = [&[0, 0, 0, 0, 7], datum].concat();
    assert!(decoder.decode::<Registration>(&OF_ANOTHER_PROGRAM, &bytes).is_err());
    decoder.learn(id, std::sync::Arc::new(WriterSchema::new(&OF_ANOTHER_PROGRAM, OF_ANOTHER_PROGRAM.avsc()).unwrap()));
    let read: Registration = decoder.decode(&OF_ANOTHER_PROGRAM, &bytes).unwrap();
    assert_eq!(read, samples::registration());
}

#[test]
fn single_object_values_begin_with_marker_and_little_endian_fingerprint() {
    let bytes = encoded(&Schemas::bundled(), &JOB, &samples::job());
    assert_eq!(bytes[..2], [0xC3, 0x01]);
    assert_eq!(bytes[2..10], JOB.fingerprint().to_le_bytes());
}

#[test]
fn confluent_values_begin_with_zero_and_big_endian_id() {
    let schemas = Schemas::framed(|_| Framing::Confluent { schema_id: 0x0102_0304 });
    assert_eq!(encoded(&schemas, &JOB, &samples::job())[..5], [0, 1, 2, 3, 4]);
}

#[test]
fn values_written_before_a_registry_was_introduced_stay_readable() {
    let old = encoded(&Schemas::bundled(), &JOB, &samples::job());
    let with_registry = Schemas::framed(|_| Framing::Confluent { schema_id: 1 });
    assert_eq!(with_registry.decoder().decode::<Job>(&JOB, &old), Ok(samples::job()));
}

#[test]
fn encoding_appends_to_the_buffer() {
    let schemas = Schemas::bundled();
    let mut bytes = b"before".to_vec();
    schemas.encoder().encode(&JOB, &samples::job(), &mut bytes).unwrap();
    assert_eq!(bytes[6..], encoded(&schemas, &JOB, &samples::job()));
}

#[test]
fn a_value_of_another_topic_is_refused_and_the_buffer_is_as_before() {
    let mut bytes = b"before".to_vec();
    let refused = Schemas::bundled().encoder().encode(&JOB, &samples::pds_record(), &mut bytes);
    assert!(matches!(refused, Err(CodecError::Unwritable { topic: "list-reconciliation.job", .. })), "{refused:?}");
    assert_eq!(bytes, b"before");
}

#[test]
fn an_encoder_works_on_after_a_refused_value() {
    let schemas = Schemas::bundled();
    let mut encoder = schemas.encoder();
    let mut bytes = Vec::new();
    encoder.encode(&JOB, &samples::pds_record(), &mut bytes).unwrap_err();
    encoder.encode(&JOB, &samples::job(), &mut bytes).unwrap();
    assert_eq!(schemas.decoder().decode::<Job>(&JOB, &bytes), Ok(samples::job()));
}

#[test]
fn an_unknown_writer_schema_is_named_so_that_it_can_be_fetched() {
    let decoder = Schemas::bundled().decoder();
    let unknown = decoder.decode::<Job>(&JOB, &[0, 0, 0, 0, 42, 1, 2, 3]).unwrap_err();
    assert_eq!(unknown, CodecError::UnknownWriterSchema { topic: JOB.name(), id: WriterId::Registry(42) });
    let unknown = decoder.decode::<Job>(&JOB, &[0xC3, 1, 9, 0, 0, 0, 0, 0, 0, 0, 1]).unwrap_err();
    assert_eq!(unknown, CodecError::UnknownWriterSchema { topic: JOB.name(), id: WriterId::Fingerprint(9) });
}

#[test]
fn bytes_without_a_whole_header_are_unframed() {
    let decoder = Schemas::bundled().decoder();
    for bytes in [&b""[..], b"\0", b"\0\0\0\0", b"\xC3", b"\xC3\x01\x01\x02\x03\x04\x05\x06\x07", b"{}"] {
        let refused = decoder.decode::<Job>(&JOB, bytes).unwrap_err();
        assert_eq!(refused, CodecError::Unframed { topic: JOB.name(), length: bytes.len() });
    }
}

#[test]
fn a_value_cut_anywhere_is_malformed() {
    let schemas = Schemas::bundled();
    let bytes = encoded(&schemas, &GP_RECORD, &samples::gp_events()[0]);
    for length in 10..bytes.len() {
        let read = schemas.decoder().decode::<GpEvent>(&GP_RECORD, &bytes[..length]);
        assert!(matches!(read, Err(CodecError::Malformed { .. })), "cut at {length}: {read:?}");
    }
}

#[test]
fn bytes_left_over_behind_a_value_are_malformed() {
    let schemas = Schemas::bundled();
    let mut bytes = encoded(&schemas, &JOB, &samples::job());
    bytes.push(0);
    assert!(matches!(schemas.decoder().decode::<Job>(&JOB, &bytes), Err(CodecError::Malformed { .. })));
}

#[test]
fn no_error_repeats_a_part_of_the_value() {
    #[derive(Debug, Serialize, Deserialize)]
    struct WrongTypes {
        nhs_number: i32,
        gp_practice: i64,
        dispensing_flag: bool,
    }
    #[derive(Debug, Deserialize)]
    enum WrongEnum {
        Never,
    }
    #[derive(Debug, Deserialize)]
    struct EnumForText {
        #[allow(dead_code, reason = "decoding fails before")]
        nhs_number: WrongEnum,
    }
    let schemas = Schemas::bundled();
    let secret = Registration { nhs_number: "SECRET", gp_practice: "SECRET", dispensing_flag: "SECRET" };
    let bytes = encoded(&schemas, &PDS_REGISTRATION, &secret);
    let as_number = schemas.decoder().decode::<WrongTypes>(&PDS_REGISTRATION, &bytes).unwrap_err();
    let as_enum = schemas.decoder().decode::<EnumForText>(&PDS_REGISTRATION, &bytes).unwrap_err();
    let mut broken = bytes.clone();
    broken[11] = 0xFF;
    let not_utf8 = schemas.decoder().decode::<Registration>(&PDS_REGISTRATION, &broken).unwrap_err();
    let wrong = WrongTypes { nhs_number: 777_777, gp_practice: 777_777, dispensing_flag: true };
    let unwritable = schemas.encoder().encode(&PDS_REGISTRATION, &wrong, &mut Vec::new()).unwrap_err();
    let _ = WrongEnum::Never;
    for error in [as_number, as_enum, not_utf8, unwritable] {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("SECRET") && !text.contains("ECRET") && !text.contains("777"), "{text}");
    }
}

#[test]
fn codecs_can_move_to_a_worker_thread() {
    fn is_send<T: Send>() {}
    is_send::<Encoder>();
    is_send::<Decoder>();
    is_send::<Schemas>();
}

proptest! {
    #[test]
    fn any_patient_record_round_trips(
        texts in prop::array::uniform8(".*"),
        optional in prop::array::uniform16(prop::option::of(".{0,40}")),
        numbers in prop::array::uniform3(prop::option::of(any::<i32>())),
        at_ms: i64,
        number: i64,
    ) {
        let text = |index: usize| optional[index].as_deref();
        let record = GpRecord {
            registered_gp: &texts[0],
            cipher: &texts[1],
            download_date: &texts[2],
            download_time: &texts[3],
            trans_id: &texts[4],
            nhs_number: text(0),
            surname: text(1),
            forenames: text(2),
            previous_surname: text(3),
            title: text(4),
            sex: numbers[0],
            date_of_birth: text(5),
            address_line_1: text(6),
            address_line_2: text(7),
            address_line_3: text(8),
            address_line_4: text(9),
            address_line_5: text(10),
            postcode: text(11),
            drugs_dispensed_marker: text(12),
            rpp_mileage: numbers[1],
            blocked_route_special_district_marker: text(13),
            walking_units: numbers[2],
            residential_institute_code: text(14),
        };
        let event = GpEvent::JobRecord(JobRecord { job_id: &texts[5], practice: &texts[6], at_ms, number, record });
        assert_round_trips!(&GP_RECORD, GpEvent, [event.clone()]);
    }

    #[test]
    fn any_pds_record_round_trips(
        texts in prop::array::uniform9(".*"),
        lists in prop::array::uniform3(prop::collection::vec(".{0,20}", 0..6)),
    ) {
        let list = |index: usize| lists[index].iter().map(String::as_str).collect::<Vec<_>>();
        let record = PdsRecord {
            nhs_number: &texts[0],
            version: &texts[1],
            sensitivity: &texts[2],
            surname: &texts[3],
            forenames: list(0),
            titles: list(1),
            gender: &texts[4],
            date_of_birth: &texts[5],
            address: list(2),
            postcode: &texts[6],
            gp_practice: &texts[7],
            gp_registered_date: &texts[8],
            date_of_death: &texts[7],
        };
        assert_round_trips!(&PDS_RECORD, PdsRecord, [record.clone()]);
    }

    #[test]
    fn any_piece_of_a_file_round_trips(content: Vec<u8>, sequence: i32, job_id in ".*") {
        let event = ExtractEvent::ExtractChunk(ExtractChunk { job_id: &job_id, sequence, content: &content });
        assert_round_trips!(&GP_EXTRACT, ExtractEvent, [event.clone()]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>, with_our_header: bool) {
        let schemas = Schemas::bundled();
        if with_our_header {
            let mut framed = vec![0xC3, 0x01];
            framed.extend_from_slice(&JOB_EVENT.fingerprint().to_le_bytes());
            framed.append(&mut bytes);
            bytes = framed;
        }
        let _ = schemas.decoder().decode::<JobEvent>(&JOB_EVENT, &bytes);
    }
}
