//! The `Authorization` header of MESH: proof of knowing the mailbox's password and the shared key, without sending either.

use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

use crate::secret::Secret;

/// The header's value: `NHSMESH mailbox:nonce:count:yyyymmddHHMM:hash`, the time in UTC, and the hash an HMAC-SHA256 with the
/// shared key over `mailbox:nonce:count:password:yyyymmddHHMM` in lower-case hexadecimal.
///
/// ```
/// use concord_connectors::mesh::authorization;
/// use concord_connectors::secret::Secret;
///
/// let at = jiff::Timestamp::from_second(1_628_602_859).unwrap();
/// let header = authorization("X26ABC1", &Secret::new("password"), &Secret::new("TestKey"), "nonce", 1, at);
/// assert!(header.starts_with("NHSMESH X26ABC1:nonce:1:202108101340:"));
/// ```
#[must_use]
pub fn authorization(
    mailbox: &str,
    password: &Secret,
    shared_key: &Secret,
    nonce: &str,
    nonce_count: u64,
    at: Timestamp,
) -> String {
    let time = at.strftime("%Y%m%d%H%M");
    let signed = format!("{mailbox}:{nonce}:{nonce_count}:{}:{time}", password.reveal());
    // A key of any length is accepted, so there is no error to give on.
    let hash = Hmac::<Sha256>::new_from_slice(shared_key.reveal().as_bytes())
        .map(|mac| mac.chain_update(signed.as_bytes()).finalize().into_bytes())
        .unwrap_or_default();
    format!("NHSMESH {mailbox}:{nonce}:{nonce_count}:{time}:{hash:x}")
}

/// Signs each request of one client anew: MESH refuses a header that it has seen before.
pub(super) struct Signer {
    mailbox: String,
    password: Secret,
    shared_key: Secret,
    clock: fn() -> Timestamp,
    nonce: String,
    requests: AtomicU64,
}

impl Signer {
    pub(super) fn new(mailbox: String, password: Secret, shared_key: Secret, clock: fn() -> Timestamp) -> Self {
        let nonce = Uuid::new_v4().to_string();
        Self { mailbox, password, shared_key, clock, nonce, requests: AtomicU64::new(0) }
    }

    pub(super) fn header(&self) -> String {
        let request = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        authorization(&self.mailbox, &self.password, &self.shared_key, &self.nonce, request, (self.clock)())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    /// Hashes computed with another implementation of HMAC (`openssl dgst -sha256 -hmac`).
    #[test]
    fn the_header_is_the_one_that_another_implementation_computes() {
        let vectors = [
            (
                ("X26ABC1", "password", "TestKey", "2c001608-5f09-4840-9611-bea43e666a30", 0),
                1_628_602_859,
                "NHSMESH X26ABC1:2c001608-5f09-4840-9611-bea43e666a30:0:202108101340:af8463ed9349da41786a1de7f3767de470f891cbcec69210e33437a0b7e8789b",
            ),
            (
                (
                    "X26OT181",
                    "pass:wörd",
                    "a key longer than one block of the hash, which is sixty-four bytes, by far",
                    "n",
                    17,
                ),
                1_798_761_599,
                "NHSMESH X26OT181:n:17:202612312359:8aef6e20d3220d9d8f94a225107f62fe5aa112fc25cf9d77e0d7747dbca7a390",
            ),
        ];
        for ((mailbox, password, key, nonce, count), second, expected) in vectors {
            let at = Timestamp::from_second(second).unwrap();
            let header = authorization(mailbox, &Secret::new(password), &Secret::new(key), nonce, count, at);
            assert_eq!(header, expected);
        }
    }

    #[test]
    fn no_two_requests_have_the_same_header() {
        let signer =
            || Signer::new("X".to_owned(), Secret::new("p"), Secret::new("k"), || Timestamp::from_second(0).unwrap());
        let (one, other) = (signer(), signer());
        let headers = [one.header(), one.header(), other.header(), other.header()];
        let different: std::collections::BTreeSet<_> = headers.iter().collect();
        assert_eq!(different.len(), headers.len());
    }
}
