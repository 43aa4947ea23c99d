//! Connections that are cut, with a real service behind them.

use concord_connectors::mesh::{MeshClient, MeshProblem, MeshSettings, Outgoing};
use concord_connectors::next_step::NextStep;

use crate::at_hand::{CHUNK, Mesh, RECIPIENT, SENDER, client, message, new_local_id, noise};
use crate::failing_way::{FailingWay, Fate};
use crate::receiving::download;

fn through(way: &FailingWay, mesh: &Mesh, mailbox: &str) -> MeshClient {
    client(MeshSettings { url: way.url(), ..mesh.settings(mailbox) })
}

fn send(mesh: &Mesh, content: &[u8], compress: bool) -> String {
    let local_id = new_local_id("cut");
    let outgoing = Outgoing { compress, ..message(&local_id) };
    mesh.client(SENDER).send(&outgoing, &mut &content[..], content.len() as u64).unwrap().message_id
}

#[test]
fn a_download_that_is_cut_again_and_again_comes_out_as_if_it_had_not_been() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let content = noise(3 * CHUNK + 17, 9);
    for compress in [false, true] {
        let id = send(&mesh, &content, compress);
        // Within the first chunk, in it once more and earlier, within the second, and before there is a connection.
        let fates = [150_000, 100_000, 350_000, 1_000].map(Fate::CutBehindAnswered);
        let way = FailingWay::to(&mesh.url, &fates, Fate::Passes);
        let (message, received) = download(&through(&way, &mesh, RECIPIENT), &id);
        assert!(received == content, "{} bytes, compressed: {compress}", received.len());
        assert_eq!(message.bytes, content.len() as u64);
        assert_eq!(way.connections(), 5);
    }
}

#[test]
fn a_download_that_cannot_be_finished_says_so_and_the_message_is_still_there() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let content = noise(CHUNK, 10);
    let id = send(&mesh, &content, false);
    let way = FailingWay::to(&mesh.url, &[], Fate::CutBehindAnswered(100_000));
    let mut sink = Vec::new();
    let error = through(&way, &mesh, RECIPIENT).download(&id, &mut sink).unwrap_err();
    assert_eq!((error.problem, error.next_step()), (MeshProblem::Unreachable, NextStep::TryAgain), "{error}");
    assert!(sink.len() < content.len() && content.starts_with(&sink));

    let recipient = mesh.client(RECIPIENT);
    assert!(recipient.inbox().unwrap().contains(&id));
    assert!(download(&recipient, &id).1 == content);
}

#[test]
fn a_message_whose_answer_was_lost_is_sent_once() {
    let Some(mesh) = Mesh::at_hand() else { return };
    // One request; or three, of which the answer to the last is lost.
    for (length, sent_before) in [(CHUNK, 150_000), (3 * CHUNK, 2 * CHUNK as u64 + 150_000)] {
        let content = noise(length, 11);
        let local_id = new_local_id("lost");
        let way = FailingWay::to(&mesh.url, &[Fate::AnswerLostBehindSent(sent_before)], Fate::Passes);
        let sent = through(&way, &mesh, SENDER).send(&message(&local_id), &mut &content[..], length as u64).unwrap();
        assert!(way.connections() > 1, "no answer was lost");
        // It would be an error if there were two under this local id.
        let found = mesh.client(SENDER).find_sent(&local_id).unwrap().unwrap();
        assert_eq!(found.message_id, sent.message_id);
        assert!(download(&mesh.client(RECIPIENT), &sent.message_id).1 == content);
    }
}

#[test]
fn an_answer_lost_for_longer_than_patience_lasts_leaves_the_question_open_and_the_next_call_settles_it() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let content = noise(CHUNK, 12);
    let local_id = new_local_id("open");
    let fates = [Fate::AnswerLostBehindSent(150_000)];
    let way = FailingWay::to(&mesh.url, &fates, Fate::CutBehindAnswered(0));
    let lost = through(&way, &mesh, SENDER).send(&message(&local_id), &mut &content[..], CHUNK as u64).unwrap_err();
    assert_eq!((lost.problem, lost.next_step()), (MeshProblem::OutcomeUnknown, NextStep::TryAgain), "{lost}");

    let again = mesh.client(SENDER).send(&message(&local_id), &mut &content[..], CHUNK as u64).unwrap();
    assert!(again.before);
}
