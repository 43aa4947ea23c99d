//! What comes out of an inbox.

use std::io::Write;

use concord_connectors::mesh::{Checksum, DeliveryStatus, MeshClient, MeshProblem, MeshSettings, Message, Received};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::at_hand::{CHUNK, CROWDED, Mesh, RECIPIENT, SENDER, client, message, new_local_id, noise};
use crate::raw_sender::RawSender;

/// Downloads a message that is no report.
pub fn download(client: &MeshClient, id: &str) -> (Message, Vec<u8>) {
    let mut content = Vec::new();
    match client.download(id, &mut content).unwrap() {
        Received::Message(message) => (message, content),
        Received::Report(report) => panic!("{report:?}"),
    }
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_message_stays_in_the_inbox_until_it_is_acknowledged() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let (sender, recipient) = (mesh.client(SENDER), mesh.client(RECIPIENT));
    let local_id = new_local_id("stays");
    let content = b"503\\*\nDOW~1~...\n";
    let id = sender.send(&message(&local_id), &mut &content[..], content.len() as u64).unwrap().message_id;

    assert!(recipient.inbox().unwrap().contains(&id));
    let first = download(&recipient, &id);
    assert_eq!(first.1, content);
    // A crash here, before anything was acknowledged: another client finds the same message with the same bytes.
    let after_the_crash = mesh.client(RECIPIENT);
    assert!(after_the_crash.inbox().unwrap().contains(&id));
    assert_eq!(download(&after_the_crash, &id), first);

    assert_eq!(sender.track(&id).unwrap().status, DeliveryStatus::Accepted);
    after_the_crash.acknowledge(&id).unwrap();
    assert!(!recipient.inbox().unwrap().contains(&id));
    assert_eq!(sender.track(&id).unwrap().status, DeliveryStatus::Acknowledged);
    // A crash before the acknowledgement was noted: once more does no harm.
    after_the_crash.acknowledge(&id).unwrap();
}

#[test]
fn a_message_comes_with_what_its_sender_said_of_it() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let local_id = new_local_id("headers");
    let content = noise(1_000, 1);
    let sha256: [u8; 32] = Sha256::digest(&content).into();
    let mut outgoing = message(&local_id);
    outgoing.subject = "Registrations Output";
    outgoing.sha256 = Some(sha256);
    let sent = mesh.client(SENDER).send(&outgoing, &mut &content[..], 1_000).unwrap();

    let (message, received) = download(&mesh.client(RECIPIENT), &sent.message_id);
    assert_eq!(received, content);
    assert_eq!((message.bytes, message.sha256), (1_000, sha256));
    let headers = message.headers;
    assert_eq!(headers.message_id, sent.message_id);
    assert_eq!((headers.from.as_str(), headers.to.as_str()), (SENDER, RECIPIENT));
    assert_eq!(headers.workflow_id, "RSLISTRECONCILIATIONPCSE");
    assert_eq!(headers.local_id, local_id);
    assert_eq!(headers.subject, "Registrations Output");
    assert_eq!(headers.file_name, "Y12345-CDD-20210810134000.csv");
    // Where the service hands the checksum on, it was held against the content.
    let expected = if headers.checksum.is_empty() { Checksum::NotGiven } else { Checksum::Fits };
    assert_eq!(message.checksum, expected);
}

#[test]
fn a_message_in_chunks_comes_out_whole_however_it_was_packed() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let raw = RawSender::new(&mesh);
    let recipient = mesh.client(RECIPIENT);
    let content = noise(3 * CHUNK + 17, 2);
    let packed = gzipped(&content);
    let third = packed.len() / 3;
    let one_stream = [(1, &packed[..third]), (2, &packed[third..2 * third]), (3, &packed[2 * third..])];
    let each = [gzipped(&content[..CHUNK]), gzipped(&content[CHUNK..])];
    let each_by_itself = [(1, &each[0][..]), (2, &each[1][..])];
    let plain = [(1, &content[..CHUNK]), (2, &content[CHUNK..])];
    let gzip = ("Content-Encoding", "gzip");
    let by_its_client = ("Mex-Content-Compressed", "Y");
    let ids = [
        raw.send(&[], &plain, 2),
        raw.send(&[gzip], &one_stream, 3),
        raw.send(&[gzip, by_its_client], &one_stream, 3),
        raw.send(&[by_its_client], &one_stream, 3),
        raw.send(&[gzip], &each_by_itself, 2),
        // Its sender says that it is packed, and it is not.
        raw.send(&[by_its_client], &plain, 2),
    ];
    for (case, id) in ids.iter().enumerate() {
        let (message, received) = download(&recipient, id);
        assert!(received == content, "case {case}: {} bytes instead of {}", received.len(), content.len());
        assert_eq!(message.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
    }
}

#[test]
fn a_message_that_is_not_what_it_says_is_told_and_does_not_block_the_next() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let raw = RawSender::new(&mesh);
    let recipient = mesh.client(RECIPIENT);
    let packed = gzipped(&noise(5_000, 3));
    let gzip = ("Content-Encoding", "gzip");
    let damaged = [
        // This service accepts that a chunk is left out.
        raw.send(&[], &[(1, b"one"), (3, b"three")], 3),
        raw.send(&[gzip], &[(1, &packed[..3_000])], 1),
        raw.send(&[gzip], &[(1, b"not gzip at all")], 1),
    ];
    for id in &damaged {
        let error = recipient.download(id, &mut Vec::new()).unwrap_err();
        assert_eq!((error.problem, error.code()), (MeshProblem::Damaged, "CONCORD-MS-0009"), "{error}");
    }
    let good = raw.send(&[], &[(1, b"good")], 1);
    assert_eq!(download(&recipient, &good).1, b"good");
}

#[test]
fn a_message_beyond_the_limit_is_refused_and_stays_in_the_inbox() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let small = client(MeshSettings { largest_message: 50_000, ..mesh.settings(RECIPIENT) });
    let raw = RawSender::new(&mesh);
    let bomb = gzipped(&vec![b'x'; 50_001]);
    let content = noise(50_001, 4);
    let too_large = [raw.send(&[("Content-Encoding", "gzip")], &[(1, &bomb)], 1), raw.send(&[], &[(1, &content)], 1)];
    for id in too_large {
        let mut sink = Vec::new();
        let error = small.download(&id, &mut sink).unwrap_err();
        assert_eq!(error.problem, MeshProblem::TooLarge, "{error}");
        assert!(sink.len() <= 50_000);
        assert!(small.inbox().unwrap().contains(&id));
    }
    let fits = raw.send(&[], &[(1, &content[..50_000])], 1);
    assert_eq!(download(&small, &fits).1, content[..50_000]);
}

#[test]
fn an_inbox_of_several_pages_is_listed_to_its_end() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let raw = RawSender::new(&mesh);
    let sent: Vec<String> = (0..25).map(|_| raw.send(&[("Mex-To", CROWDED)], &[(1, b"x")], 1)).collect();
    let paged = client(MeshSettings { page_size: 10, ..mesh.settings(CROWDED) });
    let listed = paged.inbox().unwrap();
    let ours: Vec<&String> = listed.iter().filter(|id| sent.contains(id)).collect();
    assert_eq!(ours.len(), sent.len());
    for id in &sent {
        paged.acknowledge(id).unwrap();
    }
    let left = paged.inbox().unwrap();
    assert!(sent.iter().all(|id| !left.contains(id)));
}

#[test]
fn what_is_not_in_the_inbox_is_told_apart_from_an_outage() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let recipient = mesh.client(RECIPIENT);
    for error in [
        recipient.download("NO-SUCH-MESSAGE", &mut Vec::new()).unwrap_err(),
        recipient.acknowledge("NO-SUCH-MESSAGE").unwrap_err(),
        recipient.track("NO-SUCH-MESSAGE").unwrap_err(),
    ] {
        assert_eq!((error.problem, error.status), (MeshProblem::NotThere, Some(404)), "{error}");
    }
}
