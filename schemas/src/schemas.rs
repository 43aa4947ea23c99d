//! The schemas of one process: how each topic is framed, and which other versions have been met.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::{ALL, Decoder, Encoder, Framing, TopicSchema, WriterId, WriterSchema};
use crate::registry::{RegistryClient, RegistryError};

/// Decides the framing of every topic, makes codecs that agree on it, and finds the schemas of other writers.
/// One per process, shared by its workers.
pub struct Schemas {
    /// By ordinal of the topic schema.
    framings: Vec<Framing>,
    registry: Option<RegistryClient>,
    met: Mutex<HashMap<(&'static str, WriterId), Arc<WriterSchema>>>,
}

impl Schemas {
    /// The bundled schemas, without a registry: single-object encoding on every topic.
    pub fn bundled() -> Self {
        Self::framed(|_| Framing::SingleObject)
    }

    /// Registers the bundled schemas and writes every topic with the ids that the registry gave.
    ///
    /// # Errors
    /// [`RegistryError::Incompatible`] when records of this program would break older or newer readers,
    /// [`RegistryError::Unavailable`] when the registry does not answer.
    pub fn with_registry(client: RegistryClient) -> Result<Self, RegistryError> {
        let mut framings = Vec::with_capacity(ALL.len());
        for topic in ALL {
            framings.push(Framing::Confluent { schema_id: client.register(&topic.subject(), topic.avsc())? });
        }
        Ok(Self { framings, registry: Some(client), met: Mutex::default() })
    }

    /// The bundled schemas with a framing per topic, for ids that are known without asking a registry.
    pub fn framed(framing_of: impl Fn(&'static TopicSchema) -> Framing) -> Self {
        Self { framings: ALL.iter().map(|topic| framing_of(topic)).collect(), registry: None, met: Mutex::default() }
    }

    /// How values of this topic are written.
    pub fn framing(&self, topic: &'static TopicSchema) -> Framing {
        self.framings.get(topic.ordinal()).copied().unwrap_or(Framing::SingleObject)
    }

    /// An encoder for one worker.
    pub fn encoder(&self) -> Encoder {
        Encoder::new(&self.framings)
    }

    /// A decoder for one worker.
    pub fn decoder(&self) -> Decoder {
        Decoder::new(&self.framings)
    }

    /// The schema that a record was written with, from the registry, for [`Decoder::learn`]. Blocks the calling thread
    /// for the client's retries at most; not for threads of an asynchronous runtime.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`]: try again later. [`RegistryError::UnknownSchemaId`],
    /// [`RegistryError::UnknownFingerprint`] and [`RegistryError::Unreadable`]: the record cannot be read.
    pub fn writer_schema(&self, topic: &'static TopicSchema, id: WriterId) -> Result<Arc<WriterSchema>, RegistryError> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner).get(&(topic.name(), id)).cloned();
        if let Some(writer) = met {
            return Ok(writer);
        }
        let schema_id = match id {
            WriterId::Registry(schema_id) => schema_id,
            WriterId::Fingerprint(_) => {
                return Err(RegistryError::UnknownFingerprint { topic: topic.name(), id });
            }
        };
        let Some(registry) = &self.registry else {
            return Err(RegistryError::NotConfigured { topic: topic.name(), schema_id });
        };
        let writer = Arc::new(WriterSchema::new(topic, &registry.schema_by_id(schema_id)?)?);
        self.met.lock().unwrap_or_else(PoisonError::into_inner).insert((topic.name(), id), Arc::clone(&writer));
        Ok(writer)
    }
}
