//! What can go wrong between a value and its bytes. No message repeats a part of the value.

use super::WriterId;

/// A value could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The value does not fit the topic's schema: a programmer's error.
    #[error("topic {topic}: the value does not fit its schema: {cause}")]
    Unwritable {
        /// Name of the topic schema.
        topic: &'static str,
        /// Which expectation failed, without the value.
        cause: String,
    },
    /// The bytes begin with neither header, so that their schema is not known.
    #[error(
        "topic {topic}: {length} bytes begin with neither the single-object header (C3 01) nor the registry's (00); \
         the producer must write Avro with one of them"
    )]
    Unframed {
        /// Name of the topic schema.
        topic: &'static str,
        /// How many bytes the value has.
        length: usize,
    },
    /// The writer's schema is not known yet: fetch it with [`Schemas::writer_schema`](crate::Schemas::writer_schema),
    /// give it to [`Decoder::learn`](super::Decoder::learn), decode again.
    #[error("topic {topic}: the writer's schema ({id}) is not known here")]
    UnknownWriterSchema {
        /// Name of the topic schema.
        topic: &'static str,
        /// Which schema to fetch.
        id: WriterId,
    },
    /// Records of the writer's schema cannot be read as ours.
    #[error("topic {topic}: the writer's schema cannot be read with this program's schema: {reason}")]
    IncompatibleWriterSchema {
        /// Name of the topic schema.
        topic: &'static str,
        /// What does not fit, in terms of the schemas.
        reason: String,
    },
    /// The datum does not follow the schema that its header names.
    #[error("topic {topic}: {length} bytes do not follow their schema ({id}): {cause}")]
    Malformed {
        /// Name of the topic schema.
        topic: &'static str,
        /// The schema named by the header.
        id: WriterId,
        /// How many bytes the value has, header included.
        length: usize,
        /// Which expectation failed, without the value.
        cause: String,
    },
}

/// The part of a serialiser's message that cannot repeat the value: serde quotes values (`string "Smith"`, `` integer `7` ``)
/// and only behind the kind of mistake, so the text ends at the first quote. Names of our own fields stay.
pub(super) fn without_value(message: &str) -> String {
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        return message.to_owned();
    }
    let kind = message.split(['"', '`', '\'']).next().unwrap_or_default();
    kind.trim_end().to_owned()
}
