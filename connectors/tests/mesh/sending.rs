//! What goes into an outbox.

use concord_connectors::mesh::{DeliveryStatus, MeshProblem, Outgoing, Sent};
use concord_connectors::next_step::NextStep;

use crate::at_hand::{CHUNK, Mesh, RECIPIENT, SENDER, message, new_local_id, noise};
use crate::raw_sender::RawSender;
use crate::receiving::download;

#[test]
fn long_messages_go_in_chunks_and_come_out_the_same_packed_or_not() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let (sender, recipient) = (mesh.client(SENDER), mesh.client(RECIPIENT));
    for compress in [false, true] {
        for length in [1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
            let content = noise(length, length as u64);
            let local_id = new_local_id("long");
            let outgoing = Outgoing { compress, ..message(&local_id) };
            let sent = sender.send(&outgoing, &mut &content[..], length as u64).unwrap();
            let found = sender.find_sent(&local_id).unwrap().unwrap();
            assert_eq!(found.chunks, Some(length.div_ceil(CHUNK) as u32));
            assert_eq!((found.message_id, found.status), (sent.message_id.clone(), DeliveryStatus::Accepted));
            let (message, received) = download(&recipient, &sent.message_id);
            assert!(received == content, "{length} bytes, compressed: {compress}");
            assert_eq!(message.headers.local_id, local_id);
        }
    }
}

#[test]
fn a_message_sent_again_is_not_sent_twice() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let sender = mesh.client(SENDER);
    let local_id = new_local_id("again");
    assert_eq!(sender.find_sent(&local_id).unwrap(), None);
    let first = sender.send(&message(&local_id), &mut &b"once"[..], 4).unwrap();
    assert!(!first.before);
    // Another process after a crash: it knows no more than the local id.
    let again = mesh.client(SENDER).send(&message(&local_id), &mut &b"once"[..], 4).unwrap();
    assert_eq!(again, Sent { message_id: first.message_id, before: true });
}

#[test]
fn a_message_whose_sender_died_between_two_chunks_is_finished() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let content = noise(2 * CHUNK + 5, 7);
    let local_id = new_local_id("died");
    let begun = RawSender::new(&mesh).send(&[("Mex-LocalID", &local_id)], &[(1, &content[..CHUNK])], 3);
    let sender = mesh.client(SENDER);
    assert_eq!(sender.track(&begun).unwrap().status, DeliveryStatus::Uploading);
    let sent = sender.send(&message(&local_id), &mut &content[..], content.len() as u64).unwrap();
    assert_eq!(sent, Sent { message_id: begun, before: false });
    let (_, received) = download(&mesh.client(RECIPIENT), &sent.message_id);
    assert!(received == content);
}

#[test]
fn of_two_messages_under_one_local_id_no_third_is_made() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let local_id = new_local_id("twice");
    for _ in 0..2 {
        RawSender::new(&mesh).send(&[("Mex-LocalID", &local_id)], &[(1, b"x")], 1);
    }
    let error = mesh.client(SENDER).send(&message(&local_id), &mut &b"x"[..], 1).unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MeshProblem::SentTwice, NextStep::SetAside), "{error}");
}

#[test]
fn a_recipient_whom_nobody_knows_is_a_fault_of_that_message_only() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let local_id = new_local_id("unknown");
    let nobody = Outgoing { to: "X26NOBODY", ..message(&local_id) };
    let error = mesh.client(SENDER).send(&nobody, &mut &b"x"[..], 1).unwrap_err();
    assert_eq!((error.problem, error.status), (MeshProblem::Refused, Some(417)), "{error}");
    assert_eq!(error.next_step(), NextStep::SetAside);
    assert!(error.detail.contains("12 Unregistered to address"), "{error}");
    assert_eq!(mesh.client(SENDER).find_sent(&local_id).unwrap(), None);
}

#[test]
fn content_that_is_not_as_long_as_was_said_is_never_delivered() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let sender = mesh.client(SENDER);
    for said in [2 * CHUNK - 1, 2 * CHUNK + 1] {
        let local_id = new_local_id("length");
        let content = noise(2 * CHUNK, 8);
        let error = sender.send(&message(&local_id), &mut &content[..], said as u64).unwrap_err();
        assert_eq!(error.problem, MeshProblem::CannotBeSent, "{error}");
        let status = sender.find_sent(&local_id).unwrap().map(|found| found.status);
        assert_eq!(status, Some(DeliveryStatus::Uploading));
    }
}
