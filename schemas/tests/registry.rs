//! The registry client against a registry that fails in chosen ways, and against a real one.
//!
//! The real one is at `SCHEMA_REGISTRY_URL`; its subjects `concord-test-*` are written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod samples;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use concord_schemas::Schemas;
use concord_schemas::codec::*;
use concord_schemas::list_reconciliation::Job;
use concord_schemas::patience::Patience;
use concord_schemas::registry::{RegistryClient, RegistryError};
use serde_json::json;

const PATIENCE: Patience =
    Patience { attempts: 3, first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(1) };

/// A registry that gives the prepared answers in order, then closes its door. Keeps the request lines it saw.
struct ScriptedRegistry {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedRegistry {
    fn answering(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/apis/registry", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for (status, body) in answers {
                let (connection, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(connection);
                let mut request_line = String::new();
                reader.read_line(&mut request_line).unwrap();
                let mut length = 0;
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).unwrap();
                    if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if header == "\r\n" {
                        break;
                    }
                }
                reader.read_exact(&mut vec![0; length]).unwrap();
                seen.lock().unwrap().push(request_line.trim_end().trim_end_matches(" HTTP/1.1").to_owned());
                let head =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                reader.into_inner().write_all((head + &body).as_bytes()).unwrap();
            }
        });
        Self { url, requests }
    }

    fn client(&self) -> RegistryClient {
        RegistryClient::new(&self.url).unwrap().with_patience(PATIENCE)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn refusal(status: u16, code: u32, message: &str) -> (u16, String) {
    (status, json!({"error_code": code, "message": message}).to_string())
}

#[test]
fn an_outage_is_waited_out() {
    let registry = ScriptedRegistry::answering(vec![
        (503, "no JSON".to_owned()),
        refusal(500, 50001, "store is down"),
        (200, json!({"schema": "\"string\""}).to_string()),
    ]);
    assert_eq!(registry.client().schema_by_id(7), Ok("\"string\"".to_owned()));
    assert_eq!(registry.requests(), vec!["GET /apis/registry/schemas/ids/7?deleted=true"; 3]);
}

#[test]
fn a_registry_that_stays_down_is_unavailable_after_the_last_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody_listens = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = RegistryClient::new(&nobody_listens).unwrap().with_patience(PATIENCE);
    let calls = [
        client.schema_by_id(1).unwrap_err(),
        client.register("s", "\"string\"").unwrap_err(),
        client.check_compatibility("s", "\"string\"").unwrap_err(),
        client.require_backward_compatibility("s").unwrap_err(),
        Schemas::with_registry(client).err().unwrap(),
    ];
    for error in calls {
        assert!(matches!(error, RegistryError::Unavailable { attempts: 3, .. }), "{error:?}");
    }
}

#[test]
fn an_unknown_id_is_final_and_asked_once() {
    let registry = ScriptedRegistry::answering(vec![refusal(404, 40403, "Schema not found")]);
    let error = registry.client().schema_by_id(7).unwrap_err();
    assert!(matches!(error, RegistryError::UnknownSchemaId { schema_id: 7, .. }), "{error:?}");
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn an_incompatible_version_is_final_and_keeps_the_reason() {
    let registry = ScriptedRegistry::answering(vec![refusal(409, 409, "READER_FIELD_MISSING_DEFAULT_VALUE: surname")]);
    assert_eq!(
        registry.client().register("pds.record-value", "\"string\""),
        Err(RegistryError::Incompatible {
            subject: "pds.record-value".to_owned(),
            reason: "READER_FIELD_MISSING_DEFAULT_VALUE: surname".to_owned()
        })
    );
    assert_eq!(registry.requests(), ["POST /apis/registry/subjects/pds.record-value/versions"]);
}

#[test]
fn an_invalid_schema_is_refused_and_keeps_the_reason() {
    let registry = ScriptedRegistry::answering(vec![refusal(422, 42201, "Invalid schema")]);
    let error = registry.client().register("s", "{").unwrap_err();
    assert!(matches!(&error, RegistryError::Refused { reason, .. } if reason.contains("Invalid schema")), "{error:?}");
}

#[test]
fn a_compatibility_check_keeps_the_registrys_messages() {
    let registry = ScriptedRegistry::answering(vec![(
        200,
        json!({"is_compatible": false, "messages": ["first reason", "second reason"]}).to_string(),
    )]);
    assert_eq!(
        registry.client().check_compatibility("s", "\"string\""),
        Err(RegistryError::Incompatible { subject: "s".to_owned(), reason: "first reason; second reason".to_owned() })
    );
}

#[test]
fn a_subject_without_versions_accepts_any_schema() {
    let registry = ScriptedRegistry::answering(vec![refusal(404, 40401, "Subject not found")]);
    assert_eq!(registry.client().check_compatibility("s", "\"string\""), Ok(()));
}

#[test]
fn each_topic_is_framed_with_the_id_that_the_registry_gave() {
    let answers = (0..ALL.len()).map(|index| (200, json!({"id": 100 + 7 * index}).to_string())).collect();
    let registry = ScriptedRegistry::answering(answers);
    let schemas = Schemas::with_registry(registry.client()).unwrap();
    for (index, topic) in ALL.into_iter().enumerate() {
        assert_eq!(schemas.framing(topic), Framing::Confluent { schema_id: 100 + 7 * index as u32 });
    }
}

#[test]
fn a_writer_schema_is_fetched_once() {
    let mut answers: Vec<_> = (0..ALL.len()).map(|_| (200, json!({"id": 1}).to_string())).collect();
    answers.push((200, json!({"schema": JOB.avsc()}).to_string()));
    let registry = ScriptedRegistry::answering(answers);
    let schemas = Schemas::with_registry(registry.client()).unwrap();
    let first = schemas.writer_schema(&JOB, WriterId::Registry(9)).unwrap();
    let second = schemas.writer_schema(&JOB, WriterId::Registry(9)).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_registry_id_without_a_configured_registry_says_what_to_configure() {
    let error = Schemas::bundled().writer_schema(&JOB, WriterId::Registry(9)).unwrap_err();
    assert_eq!(error, RegistryError::NotConfigured { topic: JOB.name(), schema_id: 9 });
}

#[test]
fn a_url_that_is_none_is_refused_and_credentials_are_not_shown() {
    assert!(matches!(RegistryClient::new("registry:8081"), Err(RegistryError::InvalidUrl { .. })));
    assert!(matches!(RegistryClient::new(""), Err(RegistryError::InvalidUrl { .. })));
    let client = RegistryClient::new("http://someone:secret@127.0.0.1:1/").unwrap().with_patience(PATIENCE);
    let error = client.schema_by_id(1).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

fn real_registry() -> Option<RegistryClient> {
    let Ok(url) = std::env::var("SCHEMA_REGISTRY_URL") else {
        eprintln!("SKIPPED: no real schema registry; set SCHEMA_REGISTRY_URL");
        return None;
    };
    Some(RegistryClient::new(&url).unwrap())
}

#[test]
fn a_real_registry_takes_every_schema_and_gives_the_same_ids_again() {
    let Some(client) = real_registry() else {
        return;
    };
    let first = Schemas::with_registry(client).unwrap();
    let again = Schemas::with_registry(real_registry().unwrap()).unwrap();
    for topic in ALL {
        assert_eq!(first.framing(topic), again.framing(topic), "{}", topic.name());
    }
}

#[test]
fn a_real_registrys_schema_reads_a_record_of_another_program() {
    let Some(client) = real_registry() else {
        return;
    };
    let newer = JOB.avsc().replacen(
        "\"fields\": [",
        "\"fields\": [{\"name\": \"added_for_a_test\", \"type\": \"int\", \"default\": 0, \"doc\": \"x\"},",
        1,
    );
    let id = client.register("concord-test-newer-job-value", &newer).unwrap();
    let schemas = Schemas::with_registry(client).unwrap();

    let mut ours = Vec::new();
    Schemas::bundled().encoder().encode(&JOB, &samples::job(), &mut ours).unwrap();
    let mut bytes = vec![0];
    bytes.extend(id.to_be_bytes());
    bytes.push(8);
    bytes.extend_from_slice(&ours[10..]);

    let mut decoder = schemas.decoder();
    let Err(CodecError::UnknownWriterSchema { id: unknown, .. }) = decoder.decode::<Job>(&JOB, &bytes) else {
        panic!("the newer schema is known already");
    };
    decoder.learn(unknown, schemas.writer_schema(&JOB, unknown).unwrap());
    assert_eq!(decoder.decode::<Job>(&JOB, &bytes), Ok(samples::job()));
}

#[test]
fn a_real_registry_refuses_an_incompatible_version_with_a_reason() {
    let Some(client) = real_registry() else {
        return;
    };
    for topic in [&PDS_RECORD, &GP_EXTRACT] {
        let subject = format!("concord-test-{}", topic.subject());
        let other = topic.avsc().replace("\"version\"", "\"renamed\"").replace("\"chunks\"", "\"renamed\"");
        client.register(&subject, topic.avsc()).unwrap();
        client.require_backward_compatibility(&subject).unwrap();
        assert_eq!(client.check_compatibility(&subject, topic.avsc()), Ok(()));
        let checked = client.check_compatibility(&subject, &other).unwrap_err();
        assert!(matches!(checked, RegistryError::Incompatible { .. }), "{checked:?}");
        let refused = client.register(&subject, &other).unwrap_err();
        eprintln!("the registry's reason: {refused}");
        assert!(matches!(&refused, RegistryError::Incompatible { reason, .. } if !reason.is_empty()), "{refused:?}");
    }
}

#[test]
fn a_real_registry_says_that_an_id_is_unknown() {
    let Some(client) = real_registry() else {
        return;
    };
    let error = client.schema_by_id(987_654_321).unwrap_err();
    assert!(matches!(error, RegistryError::UnknownSchemaId { .. }), "{error:?}");
}

#[test]
fn a_real_registry_accepts_a_check_of_a_subject_it_does_not_know() {
    let Some(client) = real_registry() else {
        return;
    };
    assert_eq!(client.check_compatibility("concord-test-never-registered-value", JOB.avsc()), Ok(()));
}
