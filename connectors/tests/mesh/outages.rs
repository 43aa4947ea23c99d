//! Answers that a service gives when it cannot work, from a server that gives nothing else.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use concord_connectors::mesh::{MeshClient, MeshProblem, MeshSettings};
use concord_connectors::next_step::NextStep;
use concord_connectors::secret::Secret;
use jiff::Timestamp;

use crate::at_hand::impatient;

/// Answers one request on each connection, in turn; the thread returns the `Authorization` of each.
fn answering(answers: &'static [&'static str]) -> (MeshClient, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut signed = Vec::new();
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            signed.extend(head.into_iter().filter(|line| line.to_lowercase().starts_with("authorization: ")));
            let (status, body) = answer.split_once('|').unwrap_or((answer, ""));
            let length = body.len();
            write!(connection, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .unwrap();
        }
        signed
    });
    let mut settings = MeshSettings::new(&url, "X26ABC1", Secret::new("p"), Secret::new("k"));
    settings.patience = impatient();
    (MeshClient::new(settings, Timestamp::now).unwrap(), server)
}

#[test]
fn a_service_that_is_busy_is_asked_again_with_a_new_signature() {
    let (client, server) = answering(&[
        "429 Too Many Requests\r\nretry-after: 0",
        "503 Service Unavailable",
        "502 Bad Gateway",
        r#"200 OK|{"messages": ["A", "B"]}"#,
    ]);
    assert_eq!(client.inbox().unwrap(), ["A", "B"]);
    let mut signed = server.join().unwrap();
    assert_eq!(signed.len(), 4);
    signed.dedup();
    assert_eq!(signed.len(), 4);
}

#[test]
fn a_service_that_asks_for_a_long_pause_is_left_alone_and_the_caller_learns_for_how_long() {
    let (client, server) = answering(&["429 Too Many Requests\r\nretry-after: 3600"]);
    let error = client.inbox().unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MeshProblem::Busy, NextStep::TryAgain));
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
    server.join().unwrap();
}

#[test]
fn an_outage_ends_with_an_error_when_patience_does() {
    let (client, server) = answering(&["500 Internal Server Error|<html>SMITH</html>"; 5]);
    let error = client.handshake().unwrap_err();
    assert_eq!((error.problem, error.status), (MeshProblem::Busy, Some(500)));
    assert!(!error.to_string().contains("SMITH"), "{error}");
    assert_eq!(server.join().unwrap().len(), 5);
}

#[test]
fn what_is_not_mesh_is_asked_once_and_not_quoted() {
    for answer in [&["200 OK|<html>SMITH</html>"], &["302 Found\r\nlocation: http://127.0.0.1:1/"]] {
        let (client, server) = answering(answer);
        let error = client.inbox().unwrap_err();
        assert_eq!(error.problem, MeshProblem::NotUnderstood, "{error}");
        assert!(!error.to_string().contains("SMITH"), "{error}");
        server.join().unwrap();
    }
}

#[test]
fn a_service_that_is_not_there_is_tried_as_often_as_patience_allows() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = MeshSettings::new(&format!("http://{address}"), "X26ABC1", Secret::new("p"), Secret::new("k"));
    settings.patience = impatient();
    let client = MeshClient::new(settings, Timestamp::now).unwrap();
    let error = client.inbox().unwrap_err();
    assert_eq!((error.problem, error.code()), (MeshProblem::Unreachable, "CONCORD-MS-0002"));
}
