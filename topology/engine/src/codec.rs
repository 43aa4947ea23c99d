//! Values to bytes and back, and what it means when that fails.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use concord_schemas::Schemas;
use concord_schemas::codec::{CodecError, Decoder, Encoder, TopicSchema, WriterId, WriterSchema};
use concord_schemas::registry::RegistryError;

use crate::rejection::{ProcessError, Rejection, Stage, codes};
use crate::value::Value;

/// How long a worker waits for an answer of the registry. Most come sooner; a longer wait could cost it its transaction.
const ANSWER_WAIT: Duration = Duration::from_millis(100);

type Question = (&'static str, WriterId);
type Answer = Result<Arc<WriterSchema>, RegistryError>;

/// The codecs of one worker.
pub(crate) struct Codec {
    schemas: Arc<Schemas>,
    encoder: Encoder,
    decoder: Decoder,
    /// Stored values name their schema by fingerprint, whatever the topics do: state is read without a registry.
    stored: Encoder,
    /// Ids that the registry does not know: their records are rejected.
    unknown: HashSet<Question>,
    /// Questions to the registry that are under way.
    asked: HashMap<Question, Receiver<Answer>>,
}

impl Codec {
    pub fn new(schemas: Arc<Schemas>) -> Self {
        Self {
            encoder: schemas.encoder(),
            decoder: schemas.decoder(),
            stored: Schemas::bundled().encoder(),
            unknown: HashSet::new(),
            asked: HashMap::new(),
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

    /// Asks the registry for a schema that a record named. True when the record can be tried again; false when the
    /// registry has no answer, or none yet: then call again.
    pub fn fetch(&mut self, topic: &'static TopicSchema, id: WriterId) -> bool {
        let question = (topic.name(), id);
        let under_way = self.asked.remove(&question).or_else(|| self.ask(topic, id));
        let Some(answer) = under_way else { return false };
        match answer.recv_timeout(ANSWER_WAIT) {
            Ok(Ok(writer)) => {
                self.decoder.learn(id, writer);
                true
            }
            Ok(Err(error @ RegistryError::Unavailable { .. })) => {
                tracing::warn!(topic = topic.name(), %id, %error, "A schema is not at hand; its partition waits.");
                false
            }
            Ok(Err(error)) => {
                tracing::error!(topic = topic.name(), %id, %error, "Records of a schema are rejected.");
                self.unknown.insert(question);
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                self.asked.insert(question, answer);
                false
            }
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// On a thread of its own, since a registry in trouble keeps whoever asks waiting.
    fn ask(&self, topic: &'static TopicSchema, id: WriterId) -> Option<Receiver<Answer>> {
        let (answer, receiver) = mpsc::channel();
        let schemas = self.schemas.clone();
        let asking = move || {
            // An error says that the worker is gone.
            let _ = answer.send(schemas.writer_schema(topic, id));
        };
        match thread::Builder::new().name("ask-registry".to_string()).spawn(asking) {
            Ok(_) => Some(receiver),
            Err(error) => {
                tracing::warn!(%error, "No thread to ask the registry on; it is asked again.");
                None
            }
        }
    }
}

fn unwritable(error: CodecError) -> Rejection {
    Rejection { stage: Stage::Encode, code: codes::UNWRITABLE_VALUE, message: error.to_string().into() }
}
