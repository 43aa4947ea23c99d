//! A client, the PDS it asks, and the key that one signs with and the other knows.

use std::fs;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use concord_connectors::patience::Patience;
use concord_connectors::pds::api::{ApiTime, Credentials, PdsApiSettings, PdsClient};
use concord_connectors::secret::Secret;
use tempfile::TempDir;

use crate::people::People;
use crate::server::PdsServer;
use crate::time::VirtualTime;

pub const APP_KEY: &str = "the key of the application";
pub const KEY_ID: &str = "test-1";

/// Made once: it takes a while.
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// The public half: modulus and exponent.
pub fn public_key() -> (Vec<u8>, Vec<u8>) {
    let public = KEY.public_key();
    (
        public.modulus().big_endian_without_leading_zero().to_vec(),
        public.exponent().big_endian_without_leading_zero().to_vec(),
    )
}

pub struct Stand {
    pub server: PdsServer,
    pub client: Arc<PdsClient>,
    pub time: Arc<VirtualTime>,
    _folder: TempDir,
}

/// What most tests start with: tokens hold for ten minutes.
pub fn stand(people: &People) -> Stand {
    stand_with(people, 600, |_| {})
}

pub fn stand_with(people: &People, token_seconds: u64, change: impl FnOnce(&mut PdsApiSettings)) -> Stand {
    let time = Arc::new(VirtualTime::default());
    let server = PdsServer::start(people.answers.clone(), token_seconds, Arc::clone(&time));
    let folder = tempfile::tempdir().unwrap();
    let private_key_file = folder.path().join("private-key.pem");
    fs::write(&private_key_file, private_key()).unwrap();
    let mut settings = PdsApiSettings::new(&server.url());
    if token_seconds > 0 {
        settings.credentials =
            Some(Credentials { key_id: KEY_ID.to_owned(), app_key: Secret::new(APP_KEY), private_key_file });
    }
    settings.patience = patience();
    change(&mut settings);
    let client = PdsClient::new(settings, Arc::clone(&time) as Arc<dyn ApiTime>).unwrap();
    Stand { server, client: Arc::new(client), time, _folder: folder }
}

pub fn patience() -> Patience {
    Patience { attempts: 4, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(100) }
}

fn private_key() -> String {
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&*KEY).unwrap();
    let text = BASE64_STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}
