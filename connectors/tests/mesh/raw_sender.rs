//! Sends messages in forms that the client of this project does not, but others do.

use concord_connectors::mesh::authorization;
use concord_connectors::secret::Secret;
use jiff::Timestamp;
use reqwest::blocking::{Client, Response};
use reqwest::{Certificate, Identity};
use serde_json::Value;

use crate::at_hand::{Mesh, RECIPIENT, SENDER, new_local_id};

pub struct RawSender<'m> {
    mesh: &'m Mesh,
    http: Client,
}

impl<'m> RawSender<'m> {
    pub fn new(mesh: &'m Mesh) -> Self {
        let read = |name| std::fs::read(mesh.certificate(name)).unwrap();
        let identity = [read("client.pem"), read("client.key")].concat();
        let http = Client::builder()
            .tls_certs_only([Certificate::from_pem(&read("ca.pem")).unwrap()])
            .identity(Identity::from_pem(&identity).unwrap())
            .build()
            .unwrap();
        Self { mesh, http }
    }

    /// `path` is below the service's, such as `X26ABC1/outbox`.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let secret = |text: &String| Secret::new(text.clone());
        let nonce = new_local_id("nonce");
        let (password, shared_key) = (secret(&self.mesh.password), secret(&self.mesh.shared_key));
        let signed = authorization(SENDER, &password, &shared_key, &nonce, 1, Timestamp::now());
        let mut request = self
            .http
            .post(format!("{}/messageexchange/{path}", self.mesh.url))
            .header("Authorization", signed)
            .header("Mex-From", SENDER)
            .header("Mex-WorkflowID", "RAW");
        if headers.iter().all(|(name, _)| *name != "Mex-To") {
            request = request.header("Mex-To", RECIPIENT);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response
    }

    /// Sends the chunks, all or the numbered ones of `all`; returns the message's id.
    pub fn send(&self, headers: &[(&str, &str)], chunks: &[(u32, &[u8])], all: u32) -> String {
        let mut id = String::new();
        for (number, chunk) in chunks {
            let range = format!("{number}:{all}");
            let path = if *number == 1 { format!("{SENDER}/outbox") } else { format!("{SENDER}/outbox/{id}/{number}") };
            let mut headers = headers.to_vec();
            if all > 1 {
                headers.push(("Mex-Chunk-Range", &range));
            }
            let response = self.post(&path, &headers, chunk.to_vec());
            if *number == 1 {
                let answer: Value = response.json().unwrap();
                id = answer["messageID"].as_str().unwrap().to_owned();
            }
        }
        id
    }
}
