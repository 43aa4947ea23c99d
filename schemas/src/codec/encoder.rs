//! Values to bytes.

use serde::Serialize;
use serde_avro_fast::ser::SerializerConfig;

use super::error::without_value;
use super::{ALL, CodecError, Framing, TopicSchema, WriterId};

/// Writes values of every topic with the bundled schema. One per worker: it keeps the serialiser's buffers.
pub struct Encoder {
    /// By ordinal of the topic schema; schemas of other programs are added when they are first used.
    topics: Vec<Option<TopicEncoder>>,
}

struct TopicEncoder {
    header: Vec<u8>,
    config: SerializerConfig<'static>,
}

impl Encoder {
    pub(crate) fn new(framings: &[Framing]) -> Self {
        let topics =
            ALL.iter().zip(framings).map(|(schema, framing)| Some(TopicEncoder::new(schema, *framing))).collect();
        Self { topics }
    }

    /// Appends the header and the value to `out`. On an error `out` is as it was.
    ///
    /// # Errors
    /// [`CodecError::Unwritable`] when the value is not of the topic's schema.
    pub fn encode<T: Serialize + ?Sized>(
        &mut self,
        schema: &'static TopicSchema,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let ordinal = schema.ordinal();
        if ordinal >= self.topics.len() {
            self.topics.resize_with(ordinal + 1, || None);
        }
        let TopicEncoder { header, config } =
            self.topics[ordinal].get_or_insert_with(|| TopicEncoder::new(schema, Framing::SingleObject));
        let start = out.len();
        out.extend_from_slice(header);
        if let Err(error) = serde_avro_fast::to_datum(value, &mut *out, config) {
            out.truncate(start);
            return Err(CodecError::Unwritable { topic: schema.name(), cause: without_value(&error.to_string()) });
        }
        Ok(())
    }
}

impl TopicEncoder {
    fn new(schema: &'static TopicSchema, framing: Framing) -> Self {
        let id = match framing {
            Framing::SingleObject => WriterId::Fingerprint(schema.fingerprint()),
            Framing::Confluent { schema_id } => WriterId::Registry(schema_id),
        };
        let mut header = Vec::new();
        id.write_header(&mut header);
        Self { header, config: SerializerConfig::new(schema.compiled()) }
    }
}
