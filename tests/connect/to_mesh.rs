//! Results to a mailbox.

use std::collections::BTreeMap;

use concord_state::failpoints::Failpoint;
use serde_json::json;

use crate::application::Application;
use crate::mesh_part::Mesh;

const OURS: &str = "X26ABC1";
const THEIRS: &str = "X26ABC3";

/// A job that no other test has.
fn job(mark: char) -> String {
    let unique = format!("{:032x}", jiff::Timestamp::now().as_nanosecond());
    let unique = unique.replacen('0', &mark.to_string(), 1);
    format!("{}-{}-{}-{}-{}", &unique[..8], &unique[8..12], &unique[12..16], &unique[16..20], &unique[20..])
}

fn application(mesh: &Mesh, workflow_id: &str, intake: bool) -> Option<Application> {
    let sections = format!(
        "{}[[mesh.mailboxes]]\nid = \"{OURS}\"\npassword_file = \"FOLDER/password\"\nintake = {intake}\npoll_seconds = 1\n\
         [[mesh.results]]\nname = \"ROUTE\"\nfiles = [\"cdd\", \"only-on-gp\"]\nfrom = \"{OURS}\"\nto = \"{THEIRS}\"\n\
         workflow_id = \"{workflow_id}\"\ntrack_seconds = 1\n",
        mesh.section(),
    );
    let application = Application::new("mesh", &sections)?;
    application.write("shared-key", mesh.shared_key());
    application.write("password", mesh.password());
    Some(application)
}

#[test]
fn a_result_is_sent_once_however_often_the_process_is_killed_and_is_followed_to_its_recipient() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let (job, workflow_id) = (job('a'), format!("RESULTS-{}", jiff::Timestamp::now().as_nanosecond()));
    let Some(mut application) = application(&mesh, &workflow_id, false) else { return };
    let text = format!("of job {job}\n");
    let files = ["Y12345-CDD-20210810134000.csv", "Y12345-OnlyOnGP-20210810134000.csv"];
    for name in files {
        application.publish_file(&job, name, &text);
    }
    // Not for this route.
    application.publish_file(&job, "validation.json", "{\"records\": []}");
    application.publish_file(&job, "work-items/Y12345-WIP-j-9000000009-20210810134000.json", "{\"a\": 1}");

    application.dies_at(Failpoint::ResultHandedOver, 1);
    application.dies_at(Failpoint::ResultHandedOver, 2);
    application.dies_at(Failpoint::ResultCommitted, 1);
    application.start();
    let states = |application: &Application, state: &str| -> Vec<String> {
        let of_state = application.deliveries(&job).into_iter().filter(|(_, is, _, _)| is == state);
        of_state.map(|(name, ..)| name).collect()
    };
    application.wait_until("both are sent", |application| states(application, "SENT").len() >= 2);
    let sent: BTreeMap<String, (String, Vec<u8>)> = mesh
        .messages(THEIRS, &workflow_id)
        .into_iter()
        .filter(|(_, _, content)| content == text.as_bytes())
        .map(|(id, name, content)| (id, (name, content)))
        .collect();
    let mut names: Vec<&str> = sent.values().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, files, "each once");
    let mut told = states(&application, "SENT");
    told.sort_unstable();
    assert_eq!(told, files, "and told once");
    for (name, _, reference, _) in application.deliveries(&job) {
        assert_eq!(sent[&reference].0, name, "the delivery names the message");
    }

    for id in sent.keys() {
        mesh.client(THEIRS).acknowledge(id).unwrap();
    }
    application.wait_until("their arrival is told", |application| states(application, "DELIVERED").len() == 2);
    application.stop();
}

#[test]
fn a_result_that_its_recipient_did_not_collect_becomes_an_undeliverable_one() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let (job, workflow_id) = (job('b'), format!("RESULTS-{}", jiff::Timestamp::now().as_nanosecond()));
    let Some(mut application) = application(&mesh, &workflow_id, true) else { return };
    application.publish_file(&job, "Y12345-CDD-20210810134000.csv", "nhsNumber\n");
    application.start();
    application.wait_until("it is sent", |application| !application.deliveries(&job).is_empty());
    let (_, _, reference, _) = application.deliveries(&job)[0].clone();
    let report = |linked: &str| {
        let report = json!({
            "mailbox_id": OURS, "code": "14", "status": "error", "workflow_id": workflow_id, "subject": "NDR",
            "description": "Message not collected by recipient after 5 days", "local_id": "l", "linked_message_id": linked,
        });
        let headers = [("Content-Type", "application/json")];
        mesh.send_raw(OURS, "admin/report", &headers, report.to_string().as_bytes())
    };
    let (ours, somebody_elses) = (report(&reference), report("20200101000000_NOBODY"));
    application.wait_until("it is told", |application| {
        application.deliveries(&job).iter().any(|(_, state, linked, detail)| {
            state == "UNDELIVERABLE" && *linked == reference && detail.starts_with("14 Message not collected")
        })
    });
    application.wait_until("the other report is refused", |application| {
        let refused = application.refused(&somebody_elses);
        refused.values().any(|code| code == "CONCORD-CN-0012")
    });
    application.wait_until("both reports are acknowledged", |_| {
        let inbox = mesh.client(OURS).inbox().unwrap();
        !inbox.contains(&ours) && !inbox.contains(&somebody_elses)
    });
    application.stop();
}

#[test]
fn a_result_that_mesh_refuses_is_told_and_the_next_one_goes_on() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let (job, workflow_id) = (job('c'), format!("RESULTS-{}", jiff::Timestamp::now().as_nanosecond()));
    let Some(mut application) = application(&mesh, &workflow_id, false) else { return };
    // What has no content, MESH does not accept; pieces that are missing make no file.
    let empty = concord_schemas::list_reconciliation::FileChunk {
        job_id: &job,
        file_name: "Y12345-CDD-1.csv",
        sequence: 0,
        last: true,
        text: "",
    };
    let torn = concord_schemas::list_reconciliation::FileChunk {
        file_name: "Y12345-CDD-2.csv",
        sequence: 4,
        text: "x",
        ..empty.clone()
    };
    let records = [(format!("{job}/Y12345-CDD-1.csv"), empty), (format!("{job}/Y12345-CDD-2.csv"), torn)];
    application.publish(&concord_schemas::codec::FILE, &records);
    application.publish_file(&job, "Y12345-CDD-3.csv", "nhsNumber\n");
    application.start();
    application.wait_until("each has its delivery", |application| application.deliveries(&job).len() == 3);
    let told: BTreeMap<String, (String, String)> = application
        .deliveries(&job)
        .into_iter()
        .map(|(name, state, _, detail)| (name, (state, detail.chars().take(15).collect())))
        .collect();
    let expected = |state: &str, code: &str| (state.to_owned(), code.to_owned());
    assert_eq!(told["Y12345-CDD-1.csv"], expected("REFUSED", "CONCORD-MS-0012"));
    assert_eq!(told["Y12345-CDD-2.csv"], expected("REFUSED", "CONCORD-CN-0013"));
    assert_eq!(told["Y12345-CDD-3.csv"], expected("SENT", ""));
    application.stop();
}
