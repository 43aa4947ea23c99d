//! What a configuration that cannot be is answered with; no server is asked for it.

use std::fs;
use std::process::Command;

/// What `concord connect` says of these sections, and its exit code.
fn refused(connector: &str, sections: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("concord.toml");
    let text = format!(
        "[instance]\nname = \"one\"\nstate_dir = \"state\"\n[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n\
         [flows.list_reconciliation]\n{sections}"
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let output = command.args(["connect", connector, "--config"]).arg(&config).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const MESH: &str = "[mesh]\nurl = \"https://mesh.example\"\nshared_key_file = \"k\"\n\
     [[mesh.mailboxes]]\nid = \"X26ABC1\"\npassword_file = \"p\"\n";

#[test]
fn a_configuration_that_cannot_be_is_refused_with_what_to_write_instead() {
    let results = |from: &str, files: &str| {
        format!(
            "{MESH}[[mesh.results]]\nname = \"pcse\"\nfiles = [\"{files}\"]\nfrom = \"{from}\"\nto = \"X26ABC2\"\n\
             workflow_id = \"W\"\n"
        )
    };
    let s3 = |more: &str| format!("[s3]\n{more}");
    let folder = |more: &str| format!("[[folders.intake]]\npath = \"in\"\n{more}");
    for (connector, sections, said) in [
        ("mesh", results("X26ABC9", "cdd"), "is none of mesh.mailboxes"),
        ("mesh", results("X26ABC1", "csv"), "`csv` is no kind of file: write one of cdd"),
        (
            "mesh",
            format!("{MESH}[[folders.results]]\nname = \"mail\"\nfiles = []\npath = \"o\"\n"),
            "two routes `mail`",
        ),
        ("mesh", MESH.replace("[mesh]\n", "[mesh]\nca = \"ca.pem\"\n"), "ca, certificate and key belong together"),
        ("mesh", MESH.replace("password_file", "password"), "unknown field"),
        ("files", s3("access_key_file = \"k\"\n"), "access_key_file and secret_key_file belong together"),
        (
            "files",
            s3("[[s3.intake]]\nbucket = \"b\"\nprefix = \"in\"\ntaken_prefix = \"in/taken\"\n"),
            "taken_prefix is below prefix",
        ),
        ("files", folder("holds = \"interchanges\"\n"), "for [flows.sequence_audit], which is not there"),
        ("files", folder("workflow_id = \"NHAIS_REG\"\n"), "write holds = \"interchanges\" with it"),
        (
            "files",
            folder("holds = \"interchanges\"\nworkflow_id = \"GPEXTRACT\"\n[flows.sequence_audit]\n"),
            "write NHAIS_REG or NHAIS_RECEP",
        ),
        ("files", folder("holds = \"mails\"\n"), "unknown variant"),
        ("files", folder("holds = \"documents\"\n"), "for [flows.patient_documents], which is not there"),
        (
            "files",
            folder("holds = \"documents\"\ntaken = \"in/taken\"\n[flows.patient_documents]\n"),
            "taken is below path, where each folder is a patient's",
        ),
        (
            "files",
            "[flows.patient_documents.reading.limits]\nmemory_mib = 1\n".into(),
            "flows.patient_documents.reading.limits.memory_mib: write 256 or more",
        ),
        (
            "mesh",
            MESH.replace("password_file = \"p\"\n", "password_file = \"p\"\nholds = \"documents\"\n"),
            "documents come through folders.intake or s3.intake",
        ),
        ("files", "dps = \"answers\"\nlookups = \"unknown\"\n".into(), "must be `never` with dps"),
        (
            "mail",
            "[mail]\nhost = \"h\"\nport = 25\ntls = \"none\"\nsender = \"a@b\"\nuser = \"u\"\n".into(),
            "password_file",
        ),
    ] {
        let (code, told) = refused(connector, &sections);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(said), "{said}: {told}");
    }
}
