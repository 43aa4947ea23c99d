//! Bytes to values.

use std::io::BufRead;
use std::sync::Arc;

use apache_avro::schema_compatibility::SchemaCompatibility;
use serde::Deserialize;
use serde_avro_fast::de::DeserializerState;

use super::error::without_value;
use super::{ALL, CodecError, Framing, TopicSchema, WriterId};

/// Reads values of every topic, by whichever known schema they were written with. One per worker.
pub struct Decoder {
    /// By ordinal of the topic schema. Those of other programs need an entry only once another version of theirs is learned.
    topics: Vec<Option<TopicDecoder>>,
}

struct TopicDecoder {
    schema: &'static TopicSchema,
    ours: &'static serde_avro_fast::Schema,
    our_fingerprint: WriterId,
    our_registry_id: Option<WriterId>,
    /// A handful at most: older and newer versions of the same subject.
    learned: Vec<(WriterId, Arc<WriterSchema>)>,
}

/// Another version of a topic's schema, proven to be readable as ours.
pub struct WriterSchema {
    topic: &'static TopicSchema,
    compiled: serde_avro_fast::Schema,
}

impl Decoder {
    pub(crate) fn new(framings: &[Framing]) -> Self {
        let topics =
            ALL.iter().zip(framings).map(|(schema, framing)| Some(TopicDecoder::new(schema, *framing))).collect();
        Self { topics }
    }

    /// Reads one value. Its text borrows from `bytes`. Fields that the writer knew and we do not are skipped;
    /// fields that the writer did not know take their serde default.
    ///
    /// # Errors
    /// [`CodecError::Unframed`], [`CodecError::UnknownWriterSchema`] (fetch it and try again) and [`CodecError::Malformed`].
    pub fn decode<'a, T: Deserialize<'a>>(
        &self,
        schema: &'static TopicSchema,
        bytes: &'a [u8],
    ) -> Result<T, CodecError> {
        let topic = schema.name();
        let Some((id, datum)) = WriterId::split(bytes) else {
            return Err(CodecError::Unframed { topic, length: bytes.len() });
        };
        let writer = match self.topics.get(schema.ordinal()) {
            Some(Some(known)) => known.writer(id),
            _ if id == WriterId::Fingerprint(schema.fingerprint()) => Some(schema.compiled()),
            _ => earlier(schema, id),
        };
        let Some(writer) = writer else {
            return Err(CodecError::UnknownWriterSchema { topic, id });
        };
        let malformed = |cause: String| CodecError::Malformed { topic, id, length: bytes.len(), cause };
        let mut state = DeserializerState::from_slice(datum, writer);
        let value =
            T::deserialize(state.deserializer()).map_err(|error| malformed(without_value(&error.to_string())))?;
        // A datum names no length: bytes left over mean that it was written with another schema than its header says.
        if !state.into_reader().fill_buf().is_ok_and(<[u8]>::is_empty) {
            return Err(malformed("bytes are left over behind the value".to_owned()));
        }
        Ok(value)
    }

    /// From here on, records with this id are read with this schema.
    pub fn learn(&mut self, id: WriterId, writer: Arc<WriterSchema>) {
        let ordinal = writer.topic.ordinal();
        if ordinal >= self.topics.len() {
            self.topics.resize_with(ordinal + 1, || None);
        }
        let topic = self.topics[ordinal].get_or_insert_with(|| TopicDecoder::new(writer.topic, Framing::SingleObject));
        topic.learned.retain(|(known, _)| *known != id);
        topic.learned.push((id, writer));
    }
}

impl TopicDecoder {
    fn new(schema: &'static TopicSchema, framing: Framing) -> Self {
        Self {
            schema,
            ours: schema.compiled(),
            our_fingerprint: WriterId::Fingerprint(schema.fingerprint()),
            our_registry_id: match framing {
                Framing::SingleObject => None,
                Framing::Confluent { schema_id } => Some(WriterId::Registry(schema_id)),
            },
            learned: Vec::new(),
        }
    }

    fn writer(&self, id: WriterId) -> Option<&serde_avro_fast::Schema> {
        if id == self.our_fingerprint || Some(id) == self.our_registry_id {
            return Some(self.ours);
        }
        let learned = self.learned.iter().find(|(known, _)| *known == id).map(|(_, writer)| &writer.compiled);
        learned.or_else(|| earlier(self.schema, id))
    }
}

/// What an earlier release of this program wrote.
fn earlier(schema: &'static TopicSchema, id: WriterId) -> Option<&'static serde_avro_fast::Schema> {
    match id {
        WriterId::Fingerprint(fingerprint) => schema.compiled_earlier(fingerprint),
        WriterId::Registry(_) => None,
    }
}

impl WriterSchema {
    /// Compiles another version of a topic's schema, after checking that its records can be read as ours.
    ///
    /// # Errors
    /// [`CodecError::IncompatibleWriterSchema`] with what does not fit.
    pub fn new(topic: &'static TopicSchema, json: &str) -> Result<Self, CodecError> {
        let incompatible = |reason: String| CodecError::IncompatibleWriterSchema { topic: topic.name(), reason };
        let theirs = apache_avro::Schema::parse_str(json).map_err(|error| incompatible(error.to_string()))?;
        let ours = apache_avro::Schema::parse_str(topic.avsc()).map_err(|error| incompatible(error.to_string()))?;
        SchemaCompatibility::can_read(&theirs, &ours).map_err(|error| incompatible(error.to_string()))?;
        let compiled = json.parse::<serde_avro_fast::Schema>().map_err(|error| incompatible(error.to_string()))?;
        Ok(Self { topic, compiled })
    }

    /// CRC-64-AVRO of the schema's canonical form.
    pub fn fingerprint(&self) -> u64 {
        u64::from_le_bytes(*self.compiled.rabin_fingerprint())
    }
}

impl std::fmt::Debug for WriterSchema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "WriterSchema({}, {:016x})", self.topic.name(), self.fingerprint())
    }
}
