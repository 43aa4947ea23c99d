//! What the service says of messages that did not arrive.

use concord_connectors::mesh::Received;
use serde_json::{Value, json};

use crate::at_hand::{Mesh, SENDER, new_local_id};
use crate::raw_sender::RawSender;

#[test]
fn a_report_comes_as_a_report_with_the_message_it_speaks_of() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let local_id = new_local_id("report");
    let put = json!({
        "mailbox_id": SENDER, "code": "14", "status": "error", "workflow_id": "RSLISTRECONCILIATIONPCSE",
        "description": "Message not collected by recipient after 5 days", "subject": "NDR",
        "local_id": local_id, "linked_message_id": "20210810134000_ABCDEF",
    });
    let response = RawSender::new(&mesh).post(
        "admin/report",
        &[("Content-Type", "application/json")],
        put.to_string().into_bytes(),
    );
    let answer: Value = response.json().unwrap();
    let id = answer["message_id"].as_str().unwrap().to_owned();

    let sender = mesh.client(SENDER);
    assert!(sender.inbox().unwrap().contains(&id));
    let mut sink = Vec::new();
    let Received::Report(report) = sender.download(&id, &mut sink).unwrap() else { panic!("a message") };
    assert!(sink.is_empty());
    assert_eq!(report.message_id, id);
    assert_eq!(report.linked_message_id, "20210810134000_ABCDEF");
    assert_eq!(report.local_id, local_id);
    assert_eq!(report.workflow_id, "RSLISTRECONCILIATIONPCSE");
    assert_eq!(report.code, "14");
    assert_eq!(report.description, "Message not collected by recipient after 5 days");
    assert!(report.was_not_collected());
    sender.acknowledge(&id).unwrap();
    assert!(!sender.inbox().unwrap().contains(&id));
}
