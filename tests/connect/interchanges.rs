//! Interchanges of GP Links on each way in.

use std::fs;

use concord_edifact::{InterchangeHeader, InterchangeWriter, RegistrationText, TransactionText};
use concord_state::failpoints::Failpoint;

use crate::application::{Application, part};
use crate::files::{Store, files_below};
use crate::mesh_part::{Mesh, message};

const SENDER: &str = "X26ABC1";
/// A mailbox of which no other test takes anything in under these workflows.
const OURS: &str = "X26ABC3";
const AUDIT: &str = "[flows.sequence_audit]\napplication = \"audit-ROUTE\"\n";

/// An interchange with one acceptance, which no other test has.
fn registration(application: &Application) -> String {
    let prepared_at = "2020-06-10T13:38:00Z".parse().unwrap();
    let mut writer = InterchangeWriter::begin(&InterchangeHeader {
        sender: "TES5".to_owned(),
        recipient: "XX11".to_owned(),
        prepared_at: Some(prepared_at),
        number: Some(1),
        application: None,
    });
    let text = format!("FTX+RGI+++{}", application.unique.to_uppercase());
    let transactions = vec![TransactionText { number: 1, segments: vec![&text] }];
    let message = RegistrationText { authority_cipher: "XX1", prepared_at, transaction_type: "G1", transactions };
    writer.registration(1, &message);
    writer.finish()
}

fn of_mailbox(mesh: &Mesh, workflow_ids: &str, flows: &str) -> Option<Application> {
    let sections = format!(
        "{flows}{}[[mesh.mailboxes]]\nid = \"{OURS}\"\npassword_file = \"FOLDER/password\"\nworkflow_ids = {workflow_ids}\n\
         poll_seconds = 1\n",
        mesh.section(),
    );
    let application = Application::new("mesh", &sections)?;
    application.write("shared-key", mesh.shared_key());
    application.write("password", mesh.password());
    Some(application)
}

#[test]
fn one_mailbox_carries_interchanges_and_extracts_and_each_is_acknowledged_when_it_is_in_the_log() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let extracts = format!("GPEXTRACT-{}", jiff::Timestamp::now().as_nanosecond());
    let Some(mut application) = of_mailbox(&mesh, &format!("[\"NHAIS_REG\", \"{extracts}\"]"), AUDIT) else { return };
    let content = registration(&application);
    let send = |workflow_id: &str, local_id: &str, name: &str, content: &[u8]| {
        let outgoing = message(OURS, workflow_id, local_id, name);
        mesh.client(SENDER).send(&outgoing, &mut &content[..], content.len() as u64).unwrap().message_id
    };
    let id = send("NHAIS_REG", &format!("i-{extracts}"), "a.dat", content.as_bytes());
    let source = format!("mesh:{OURS}/{id}");
    let is_in_the_inbox = |id: &String| mesh.client(OURS).inbox().unwrap().contains(id);

    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(application.interchanges_from(&source), None);
    // In the log, and not acknowledged: it will be there twice, under one id.
    application.dies_at(Failpoint::InputInLog, 1);
    let whole = application.interchanges_from(&source).unwrap();
    assert_eq!((whole.1.as_str(), &whole.2), ("NHAIS_REG", &content.clone().into_bytes()));
    assert!(is_in_the_inbox(&id));

    let name = format!("A82023_{extracts}.B1A");
    let extract = send(&extracts, &extracts, &name, b"503\\*\n");
    application.start();
    application.wait_until("both are acknowledged", |_| !is_in_the_inbox(&id) && !is_in_the_inbox(&extract));
    let again = application.interchanges_from(&source).unwrap();
    assert_eq!(again, whole, "the second life published the same");
    assert_eq!(again.0.len(), 1);
    let extract_source = format!("mesh:{OURS}/{extract}");
    assert_eq!(application.extract_from(&extract_source), Some((name, b"503\\*\n".to_vec())));
    assert_eq!(application.extract_from(&source), None, "interchanges are no extract");
    assert_eq!(application.interchanges_from(&extract_source), None, "an extract is no interchange");
    application.stop();
}

#[test]
fn interchanges_for_an_audit_that_does_not_run_stay_in_the_mailbox_with_a_code() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let Some(mut application) = of_mailbox(&mesh, "[\"NHAIS_RECEP\"]", "") else { return };
    let (unique, content) = (application.unique.clone(), b"UNB");
    let outgoing = message(OURS, "NHAIS_RECEP", &unique, "a.dat");
    let id = mesh.client(SENDER).send(&outgoing, &mut &content[..], content.len() as u64).unwrap().message_id;
    let source = format!("mesh:{OURS}/{id}");
    application.start();
    application.wait_until("it is refused", |application| {
        application.refused(&source).get(&source).is_some_and(|code| code == "CONCORD-CN-0018")
    });
    assert!(mesh.client(OURS).inbox().unwrap().contains(&id));
    assert_eq!(application.extract_from(&source), None);
    application.stop();
    mesh.client(OURS).acknowledge(&id).unwrap();
}

#[test]
fn a_folder_of_interchanges_is_taken_in_under_its_workflow_and_the_same_file_again_has_the_same_id() {
    let sections = format!(
        "{AUDIT}[[folders.intake]]\npath = \"FOLDER/in\"\nholds = \"interchanges\"\nworkflow_id = \"NHAIS_REG\"\n\
         taken = \"FOLDER/taken\"\npoll_seconds = 1\n"
    );
    let Some(mut application) = Application::new("files", &sections) else { return };
    let (inbound, taken) = (application.folder.path().join("in"), application.folder.path().join("taken"));
    fs::create_dir(&inbound).unwrap();
    let source = |name: &str| format!("folder:{}", inbound.join(name).display());
    let content = registration(&application);
    application.write("in/a.dat", &content);
    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(application.interchanges_from(&source("a.dat")), None);
    application.dies_at(Failpoint::InputInLog, 1);
    application.start();
    application.wait_until("the file is taken", |_| files_below(&taken).len() == 1);
    let whole = application.interchanges_from(&source("a.dat")).unwrap();
    assert_eq!((whole.1.as_str(), &whole.2), ("NHAIS_REG", &content.clone().into_bytes()));
    let id = whole.0.first().unwrap();
    assert_eq!(files_below(&taken), [format!("{id}/a.dat")]);

    // Many pieces; no piece at all; the same again.
    let large = vec![content.as_str(); 1500].join("\n");
    application.write("in/large.dat", &large);
    application.write("in/empty.dat", "");
    application.write("in/a.dat", &content);
    application.wait_until("the folder is empty", |_| files_below(&inbound).is_empty());
    application.wait_until("all are kept", |_| files_below(&taken).len() == 3);
    assert!(large.len() > 256 << 10, "{} bytes are one piece", large.len());
    assert_eq!(application.interchanges_from(&source("large.dat")).unwrap().2, large.into_bytes());
    assert_eq!(application.interchanges_from(&source("empty.dat")).unwrap().2, b"");
    assert_eq!(application.interchanges_from(&source("a.dat")).unwrap(), whole);
    application.stop();
}

#[test]
fn a_bucket_of_interchanges_is_taken_in_once() {
    let Some(url) = part("S3_URL", "concord connect files with a bucket of interchanges") else { return };
    let bucket = format!("concord-links-{}", jiff::Timestamp::now().as_nanosecond());
    let sections = format!(
        "{AUDIT}[s3]\nendpoint = \"{url}\"\naccess_key_file = \"FOLDER/id\"\nsecret_key_file = \"FOLDER/key\"\n\
         [[s3.intake]]\nbucket = \"{bucket}\"\nprefix = \"inbound\"\nholds = \"interchanges\"\ntaken_prefix = \"pass\"\n\
         poll_seconds = 1\n",
    );
    let Some(mut application) = Application::new("files", &sections) else { return };
    application.write("id", "test");
    application.write("key", "testtest");
    let store = Store::make(&url, &bucket);
    let content = registration(&application);
    store.put("inbound/a.dat", &content);
    application.dies_at(Failpoint::InputInLog, 1);
    assert_eq!(store.get("inbound/a.dat"), Some(content.clone()));
    application.start();
    application.wait_until("the object is taken", |_| store.get("inbound/a.dat").is_none());
    let (ids, workflow_id, taken) = application.interchanges_from(&format!("s3:{bucket}/inbound/a.dat")).unwrap();
    assert_eq!((ids.len(), workflow_id.as_str(), taken), (1, "", content.clone().into_bytes()));
    let id = ids.first().unwrap();
    assert_eq!(store.get(&format!("pass/{id}/a.dat")), Some(content));
    application.stop();
}
