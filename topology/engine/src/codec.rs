//! Values to bytes and back, and what it means when that fails.

use std::collections::HashSet;
use std::sync::Arc;

use concord_schemas::Schemas;
use concord_schemas::codec::{CodecError, Decoder, Encoder, TopicSchema, WriterId};
use concord_schemas::registry::RegistryError;

use crate::rejection::{ProcessError, Rejection, Stage, codes};
use crate::value::Value;

/// The codecs of one worker.
pub(crate) struct Codec {
    schemas: Arc<Schemas>,
    encoder: Encoder,
    decoder: Decoder,
    /// Stored values name their schema by fingerprint, whatever the topics do: state is read without a registry.
    stored: Encoder,
    /// Ids that the registry does not know: their records are rejected.
    unknown: HashSet<(&'static str, WriterId)>,
}

impl Codec {
    pub fn new(schemas: Arc<Schemas>) -> Self {
        Self {
            encoder: schemas.encoder(),
            decoder: schemas.decoder(),
            stored: Schemas::bundled().encoder(),
            unknown: HashSet::new(),
            schemas,
        }
    }

    /// Appends the wire form of `value`.
    pub fn encode<V: Value>(&mut self, value: &V::Of<'_>, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.encoder.encode(V::schema(), value, out).map_err(unwritable)
    }

    /// Appends the stored form of `value`.
    pub fn encode_stored<V: Value>(&mut self, value: &V::Of<'_>, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.stored.encode(V::schema(), value, out).map_err(unwritable)
    }

    /// Reads a value, wire form or stored.
    pub fn decode<'a, V: Value>(&self, bytes: &'a [u8]) -> Result<V::Of<'a>, ProcessError> {
        self.decoder.decode(V::schema(), bytes).map_err(|error| match error {
            CodecError::UnknownWriterSchema { id, .. } => {
                if self.unknown.contains(&(V::schema().name(), id)) {
                    return Rejection {
                        stage: Stage::Decode,
                        code: codes::UNKNOWN_SCHEMA,
                        message: format!("the value was written with a schema that nobody knows here ({id})").into(),
                    }
                    .into();
                }
                ProcessError::Parked { topic: V::schema(), id }
            }
            error => {
                Rejection { stage: Stage::Decode, code: codes::UNREADABLE_VALUE, message: error.to_string().into() }
                    .into()
            }
        })
    }

    /// Asks the registry for a schema that a record named. True when the record can be tried again.
    pub fn fetch(&mut self, topic: &'static TopicSchema, id: WriterId) -> bool {
        match self.schemas.writer_schema(topic, id) {
            Ok(writer) => {
                self.decoder.learn(id, writer);
                true
            }
            Err(error @ RegistryError::Unavailable { .. }) => {
                tracing::warn!(topic = topic.name(), %id, %error, "A schema is not at hand; its partition waits.");
                false
            }
            Err(error) => {
                tracing::error!(topic = topic.name(), %id, %error, "Records of a schema are rejected.");
                self.unknown.insert((topic.name(), id));
                true
            }
        }
    }
}

fn unwritable(error: CodecError) -> Rejection {
    Rejection { stage: Stage::Encode, code: codes::UNWRITABLE_VALUE, message: error.to_string().into() }
}
