//! The header in front of a datum, which names the schema it was written with.

/// How the values of a topic are framed when written. When read, both forms are understood:
/// a topic keeps its old records when a registry is introduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `C3 01`, then the schema's 8-byte little-endian CRC-64-AVRO fingerprint (Avro specification, Single object encoding).
    SingleObject,
    /// `00`, then the 4-byte big-endian id of the schema in the registry.
    Confluent {
        /// Id that the registry gave to our schema.
        schema_id: u32,
    },
}

/// Names the schema that a record was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriterId {
    /// CRC-64-AVRO fingerprint.
    Fingerprint(u64),
    /// Id in the schema registry.
    Registry(u32),
}

const SINGLE_OBJECT_MARKER: [u8; 2] = [0xC3, 0x01];
const CONFLUENT_MARKER: u8 = 0;

impl WriterId {
    /// Appends the header that names this schema.
    pub(crate) fn write_header(self, out: &mut Vec<u8>) {
        match self {
            Self::Fingerprint(fingerprint) => {
                out.extend_from_slice(&SINGLE_OBJECT_MARKER);
                out.extend_from_slice(&fingerprint.to_le_bytes());
            }
            Self::Registry(id) => {
                out.push(CONFLUENT_MARKER);
                out.extend_from_slice(&id.to_be_bytes());
            }
        }
    }

    /// Splits bytes into the id of the writer's schema and the datum; `None` when they have neither header.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        if let Some((&CONFLUENT_MARKER, rest)) = bytes.split_first() {
            let (id, datum) = rest.split_first_chunk()?;
            return Some((Self::Registry(u32::from_be_bytes(*id)), datum));
        }
        let rest = bytes.strip_prefix(&SINGLE_OBJECT_MARKER)?;
        let (fingerprint, datum) = rest.split_first_chunk()?;
        Some((Self::Fingerprint(u64::from_le_bytes(*fingerprint)), datum))
    }
}

impl std::fmt::Display for WriterId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fingerprint(fingerprint) => write!(formatter, "fingerprint {fingerprint:016x}"),
            Self::Registry(id) => write!(formatter, "registry id {id}"),
        }
    }
}
