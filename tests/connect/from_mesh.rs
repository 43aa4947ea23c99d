//! Extracts out of a mailbox.

use std::collections::BTreeMap;

use concord_state::failpoints::Failpoint;

use crate::application::Application;
use crate::mesh_part::{Mesh, message};

const SENDER: &str = "X26ABC1";
const OURS: &str = "X26ABC2";

fn application(mesh: &Mesh, workflow_id: &str) -> Option<Application> {
    let sections = format!(
        "[connect]\nlargest_input_mib = 1\n{}\
         [[mesh.mailboxes]]\nid = \"{OURS}\"\npassword_file = \"FOLDER/password\"\nworkflow_ids = [\"{workflow_id}\"]\n\
         poll_seconds = 1\n",
        mesh.section(),
    );
    let application = Application::new("mesh", &sections)?;
    application.write("shared-key", mesh.shared_key());
    application.write("password", mesh.password());
    Some(application)
}

/// A workflow that no other test uses.
fn workflow() -> String {
    format!("GPEXTRACT-{}", jiff::Timestamp::now().as_nanosecond())
}

#[test]
fn a_message_is_acknowledged_when_it_is_in_the_log_however_often_the_process_is_killed_before() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let workflow_id = workflow();
    let Some(mut application) = application(&mesh, &workflow_id) else { return };
    let content = b"503\\*\nDOW~1~\n".repeat(40_000);
    let (name, local_id) = (format!("A82023_{workflow_id}.B1A"), workflow_id.clone());
    let sent = mesh.client(SENDER).send(
        &message(OURS, &workflow_id, &local_id, &name),
        &mut &content[..],
        content.len() as u64,
    );
    let id = sent.unwrap().message_id;
    let source = format!("mesh:{OURS}/{id}");
    let is_in_the_inbox = || mesh.client(OURS).inbox().unwrap().contains(&id);

    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(application.extract_from(&source), None);
    assert!(is_in_the_inbox());
    // Other messages may stand before it in the inbox, but only this one has the workflow that is expected.
    application.dies_at(Failpoint::InputInLog, 1);
    assert_eq!(application.extract_from(&source), Some((name.clone(), content.clone())));
    assert!(is_in_the_inbox(), "it was not acknowledged");

    application.start();
    application.wait_until("the message is acknowledged", |_| !is_in_the_inbox());
    application.wait_until("it says that it works", |application| {
        application.page("/health/ready").starts_with("HTTP/1.0 200")
    });
    let metrics = application.page("/metrics");
    assert!(metrics.contains("concord_inputs_taken_total{way=\"mesh\"} 1"), "{metrics}");
    // The second life published it again: the same events, which the flow filters.
    assert_eq!(application.extract_from(&source), Some((name, content)));
    application.stop();
}

#[test]
fn messages_that_cannot_be_taken_in_stay_in_the_inbox_with_a_code_and_delay_no_others() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let workflow_id = workflow();
    let Some(mut application) = application(&mesh, &workflow_id) else { return };
    let ours = [("Mex-To", OURS), ("Mex-WorkflowID", workflow_id.as_str())];
    let send =
        |headers: &[(&str, &str)], body: &[u8]| mesh.send_raw(SENDER, &format!("{SENDER}/outbox"), headers, body);
    let wrong_workflow = send(&[("Mex-To", OURS), ("Mex-WorkflowID", "SOMETHING-ELSE")], b"x");
    let wrong_packing = send(&[&ours[..], &[("Content-Encoding", "gzip")]].concat(), b"this is no gzip");
    let too_large = send(&ours, &vec![b'x'; (1 << 20) + 1]);
    let no_name = send(&ours, b"a file without a name");
    let good = send(&[&ours[..], &[("Mex-FileName", "A82023_GPR4BRF1.B1A")]].concat(), b"good");

    let source = |id: &str| format!("mesh:{OURS}/{id}");
    application.start();
    application.wait_until("the good one is in the log", |application| {
        application.extract_from(&source(&good)) == Some(("A82023_GPR4BRF1.B1A".to_owned(), b"good".to_vec()))
    });
    application.wait_until("the one without a name is in the log", |application| {
        application.extract_from(&source(&no_name)).is_some()
    });
    let expected = BTreeMap::from([
        (source(&wrong_workflow), "CONCORD-CN-0011".to_owned()),
        (source(&wrong_packing), "CONCORD-MS-0009".to_owned()),
        (source(&too_large), "CONCORD-MS-0008".to_owned()),
    ]);
    application.wait_until("the others are refused", |application| {
        let refused = application.refused(OURS);
        expected.iter().all(|(source, code)| refused.get(source) == Some(code))
    });
    application.wait_until("the inbox has the refused ones and no others", |_| {
        let inbox = mesh.client(OURS).inbox().unwrap();
        let is_there = |id: &String| inbox.contains(id);
        is_there(&wrong_workflow)
            && is_there(&wrong_packing)
            && is_there(&too_large)
            && !is_there(&no_name)
            && !is_there(&good)
    });
    application.wait_until("its health says how many", |application| {
        let page = application.page("/health/ready");
        page.starts_with("HTTP/1.0 200") && page.contains("inputs refused, see the topic intake.refused")
    });
    application.stop();
    for id in [wrong_workflow, wrong_packing, too_large] {
        mesh.client(OURS).acknowledge(&id).unwrap();
    }
}

#[test]
fn a_wrong_password_is_told_and_the_mailbox_goes_on_when_its_file_is_corrected() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let workflow_id = workflow();
    let Some(mut application) = application(&mesh, &workflow_id) else { return };
    application.write("password", "wrong");
    application.start();
    application.wait_until("it says what is the matter", |application| {
        let page = application.page("/health/ready");
        page.starts_with("HTTP/1.0 503") && page.contains("mailbox X26ABC2: CONCORD-MS-0004")
    });
    application.write("password", mesh.password());
    application.wait_until("it goes on", |application| application.page("/health/ready").starts_with("HTTP/1.0 200"));
    application.stop();
}
