//! Ids that are derived from what they name.

use sha2::{Digest, Sha256};

/// A UUID of version 8 (RFC 9562, section 5.8) over the parts.
pub(crate) fn uuid_of(parts: &[&[u8]]) -> String {
    let mut bytes = bytes_of(parts);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The beginning of a SHA-256 over the parts.
pub(crate) fn bytes_of(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    std::array::from_fn(|place| digest[place])
}
