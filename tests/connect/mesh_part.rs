//! The real MESH, and what stands in its mailboxes.

use std::path::PathBuf;

use concord_connectors::mesh::{MeshClient, MeshSettings, Outgoing, Received, TlsFiles, authorization};
use concord_connectors::secret::Secret;
use jiff::Timestamp;
use reqwest::blocking::Client;
use reqwest::{Certificate, Identity};

use crate::application::part;

pub struct Mesh {
    url: String,
    shared_key: String,
    password: String,
    certificates: PathBuf,
}

impl Mesh {
    pub fn at_hand() -> Option<Self> {
        let url = part("MESH_URL", "concord connect mesh")?;
        let variable = |name: &str| std::env::var(name).unwrap();
        Some(Self {
            url,
            shared_key: variable("MESH_SHARED_KEY"),
            password: variable("MESH_PASSWORD"),
            certificates: variable("MESH_CERTIFICATES").into(),
        })
    }

    /// The section `[mesh]`, without mailboxes and results.
    pub fn section(&self) -> String {
        let file = |name: &str| self.certificates.join(name);
        format!(
            "[mesh]\nurl = \"{}\"\nca = {:?}\ncertificate = {:?}\nkey = {:?}\nshared_key_file = \"FOLDER/shared-key\"\n",
            self.url,
            file("ca.pem"),
            file("client.pem"),
            file("client.key"),
        )
    }

    pub fn shared_key(&self) -> &str {
        &self.shared_key
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    pub fn client(&self, mailbox: &str) -> MeshClient {
        let (password, key) = (Secret::new(self.password.clone()), Secret::new(self.shared_key.clone()));
        let mut settings = MeshSettings::new(&self.url, mailbox, password, key);
        settings.tls = Some(TlsFiles {
            ca: self.certificates.join("ca.pem"),
            certificate: self.certificates.join("client.pem"),
            key: self.certificates.join("client.key"),
        });
        MeshClient::new(settings, Timestamp::now).unwrap()
    }

    /// Sends a message as its headers say; answers its id.
    pub fn send_raw(&self, from: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let read = |name| std::fs::read(self.certificates.join(name)).unwrap();
        let http = Client::builder()
            .tls_certs_only([Certificate::from_pem(&read("ca.pem")).unwrap()])
            .identity(Identity::from_pem(&[read("client.pem"), read("client.key")].concat()).unwrap())
            .build()
            .unwrap();
        let (password, key) = (Secret::new(self.password.clone()), Secret::new(self.shared_key.clone()));
        let nonce = Timestamp::now().as_nanosecond().to_string();
        let signed = authorization(from, &password, &key, &nonce, 1, Timestamp::now());
        let mut request = http
            .post(format!("{}/messageexchange/{path}", self.url))
            .header("Authorization", signed)
            .header("Mex-From", from);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_vec()).send().unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let answer: serde_json::Value = response.json().unwrap();
        let id = answer.get("messageID").or_else(|| answer.get("message_id"));
        id.unwrap().as_str().unwrap().to_owned()
    }

    /// The messages of an inbox that came under this workflow: id, file name, content.
    pub fn messages(&self, mailbox: &str, workflow_id: &str) -> Vec<(String, String, Vec<u8>)> {
        let client = self.client(mailbox);
        let mut found = Vec::new();
        for id in client.inbox().unwrap() {
            let mut content = Vec::new();
            // Messages of other tests may be damaged.
            if let Ok(Received::Message(message)) = client.download(&id, &mut content)
                && message.headers.workflow_id == workflow_id
            {
                found.push((id, message.headers.file_name, content));
            }
        }
        found
    }
}

/// A message from one mailbox to another.
pub fn message<'a>(to: &'a str, workflow_id: &'a str, local_id: &'a str, file_name: &'a str) -> Outgoing<'a> {
    Outgoing { to, workflow_id, local_id, file_name, subject: "", content_type: "", compress: false, sha256: None }
}
