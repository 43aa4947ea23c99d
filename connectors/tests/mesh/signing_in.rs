//! Who is let in.

use concord_connectors::mesh::{MeshClient, MeshProblem, MeshSettings, TlsFiles};
use concord_connectors::next_step::NextStep;
use concord_connectors::secret::Secret;
use jiff::Timestamp;

use crate::at_hand::{Mesh, SENDER, client};

#[test]
fn a_client_with_the_right_secrets_and_certificate_is_let_in() {
    let Some(mesh) = Mesh::at_hand() else { return };
    mesh.client(SENDER).handshake().unwrap();
}

#[test]
fn a_wrong_password_or_shared_key_is_the_operators_to_mend() {
    let Some(mesh) = Mesh::at_hand() else { return };
    let wrong = [
        MeshSettings { password: Secret::new("not the password"), ..mesh.settings(SENDER) },
        MeshSettings { shared_key: Secret::new("not the key"), ..mesh.settings(SENDER) },
        MeshSettings { mailbox: "X26NOBODY".to_owned(), ..mesh.settings(SENDER) },
    ];
    for settings in wrong {
        let error = client(settings).handshake().unwrap_err();
        assert_eq!(error.problem, MeshProblem::NotAllowed, "{error}");
        assert_eq!(error.next_step(), NextStep::WaitForOperator);
        assert!(!error.to_string().contains("not the"), "{error}");
    }
}

#[test]
fn nobody_is_trusted_whom_the_given_authority_does_not_vouch_for() {
    let Some(mesh) = Mesh::at_hand() else { return };
    // The client's own certificate is no authority, so the service's is not by one that is known.
    let tls = TlsFiles {
        ca: mesh.certificate("client.pem"),
        certificate: mesh.certificate("client.pem"),
        key: mesh.certificate("client.key"),
    };
    let error = client(MeshSettings { tls: Some(tls), ..mesh.settings(SENDER) }).handshake().unwrap_err();
    assert_eq!(error.problem, MeshProblem::Unreachable, "{error}");
    assert!(error.detail.contains("certificate"), "{error}");
}

#[test]
fn files_that_are_no_certificates_are_told_by_name_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (empty, missing) = (file("empty.pem", "no certificate\n"), folder.path().join("missing.pem"));
    for ca in [empty, missing] {
        let name = ca.file_name().unwrap().to_str().unwrap().to_owned();
        let mut settings = MeshSettings::new("https://mesh.example", SENDER, Secret::new("p"), Secret::new("k"));
        settings.tls = Some(TlsFiles { ca: ca.clone(), certificate: ca.clone(), key: ca });
        let Err(error) = MeshClient::new(settings, Timestamp::now) else { panic!("{name} was accepted") };
        assert_eq!((error.problem, error.code()), (MeshProblem::Settings, "CONCORD-MS-0001"));
        assert!(error.to_string().contains(&name), "{error}");
    }
}

#[test]
fn an_address_that_is_none_is_a_matter_of_settings() {
    for url in ["mesh.example", "ftp://mesh.example", ""] {
        let settings = MeshSettings::new(url, SENDER, Secret::new("p"), Secret::new("k"));
        let Err(error) = MeshClient::new(settings, Timestamp::now) else { panic!("{url} was accepted") };
        assert_eq!(error.problem, MeshProblem::Settings);
    }
}
