//! The checksum that a sender may give: MESH hands it on as it is, and does not say of which kind it is.

use md5::Md5;
use sha2::{Digest, Sha256};

/// How content stands to the checksum of its headers. A checksum that does not fit is an error, not one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// The sender gave none.
    NotGiven,
    /// It is neither MD5 nor SHA-256 in hexadecimal.
    NotRecognised,
    /// It fits.
    Fits,
}

/// Digests of content while it passes.
pub(super) struct Digests {
    given: String,
    sha256: Sha256,
    md5: Option<Md5>,
}

impl Digests {
    /// `given` is the header's value.
    pub(super) fn new(given: &str) -> Self {
        let given = digits(given).to_ascii_lowercase();
        // MD5 proves nothing against a forger; against a damaged file it does, and many senders use it.
        let md5 = (given.len() == 32).then(Md5::new);
        Self { given, sha256: Sha256::new(), md5 }
    }

    pub(super) fn update(&mut self, content: &[u8]) {
        self.sha256.update(content);
        if let Some(md5) = &mut self.md5 {
            md5.update(content);
        }
    }

    /// SHA-256 of all that passed, and how it stands to the checksum; `None` when it does not fit.
    pub(super) fn finish(self) -> ([u8; 32], Option<Checksum>) {
        let sha256: [u8; 32] = self.sha256.finalize().into();
        let is_hexadecimal = self.given.bytes().all(|byte| byte.is_ascii_hexdigit());
        let computed = match (self.given.len(), self.md5) {
            (0, _) => return (sha256, Some(Checksum::NotGiven)),
            (32, Some(md5)) if is_hexadecimal => hexadecimal(&md5.finalize()),
            (64, _) if is_hexadecimal => hexadecimal(&sha256),
            _ => return (sha256, Some(Checksum::NotRecognised)),
        };
        (sha256, (computed == self.given).then_some(Checksum::Fits))
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Some senders write the algorithm before the digits: `SHA256:...`, `md5 ...`.
fn digits(given: &str) -> &str {
    given.trim().rsplit([':', ' ']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn of_abc(given: &str) -> Option<Checksum> {
        let mut digests = Digests::new(given);
        digests.update(b"a");
        digests.update(b"bc");
        digests.finish().1
    }

    #[test]
    fn md5_and_sha256_are_told_by_their_length_with_or_without_a_name() {
        let (md5, sha256) =
            ("900150983cd24fb0d6963f7d28e17f72", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for given in [md5.to_owned(), format!("MD5:{md5}"), sha256.to_uppercase(), format!("sha256 {sha256}")] {
            assert_eq!(of_abc(&given), Some(Checksum::Fits), "{given}");
        }
        for given in [md5.replace('9', "8"), sha256.replace('b', "c")] {
            assert_eq!(of_abc(&given), None, "{given}");
        }
        assert_eq!(of_abc(" "), Some(Checksum::NotGiven));
        for given in ["a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", "etag", &"g".repeat(64), &"g".repeat(32)] {
            assert_eq!(of_abc(given), Some(Checksum::NotRecognised), "{given}");
        }
    }
}
