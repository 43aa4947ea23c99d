//! Values from the log.

use std::sync::Arc;

use concord_engine::log::read_whole_topic;
use concord_schemas::Schemas;
use concord_schemas::codec::{self, CodecError, Decoder, TopicSchema};
use concord_schemas::list_reconciliation::Delivery;
use concord_schemas::registry::RegistryError;
use serde::Deserialize;

use super::error::{ConnectProblem, Trouble};
use super::surroundings::Surroundings;

/// Reads values, and learns schemas of other writers as they come.
pub(super) struct ValueReader {
    schemas: Arc<Schemas>,
    decoder: Decoder,
}

impl ValueReader {
    pub(super) fn new(schemas: &Arc<Schemas>) -> Self {
        Self { schemas: Arc::clone(schemas), decoder: schemas.decoder() }
    }

    /// The value, or why it cannot be one.
    ///
    /// # Errors
    /// The registry does not answer.
    pub(super) fn read<'a, T: Deserialize<'a>>(
        &mut self,
        schema: &'static TopicSchema,
        bytes: Option<&'a [u8]>,
    ) -> Result<Result<T, String>, Trouble> {
        let Some(bytes) = bytes else { return Ok(Err("it is a tombstone".to_owned())) };
        match self.decoder.decode(schema, bytes) {
            Err(CodecError::UnknownWriterSchema { id, .. }) => match self.schemas.writer_schema(schema, id) {
                Ok(writer) => self.decoder.learn(id, writer),
                Err(error @ RegistryError::Unavailable { .. }) => {
                    return Err(Trouble::new(ConnectProblem::Registry, "asking for a schema", error));
                }
                Err(error) => return Ok(Err(error.to_string())),
            },
            other => return Ok(other.map_err(|error| error.to_string())),
        }
        Ok(self.decoder.decode(schema, bytes).map_err(|error| error.to_string()))
    }
}

/// Hands every delivery that the log tells of to `visit`, those of one job in their order.
pub(super) fn read_deliveries(
    surroundings: &Surroundings,
    visit: &mut dyn FnMut(&Delivery<'_>),
) -> Result<(), Trouble> {
    let mut values = ValueReader::new(&surroundings.schemas);
    let mut trouble = None;
    read_whole_topic(surroundings.log.as_ref(), codec::DELIVERY.name(), &mut |_, record| {
        if trouble.is_some() {
            return;
        }
        match values.read::<Delivery<'_>>(&codec::DELIVERY, record.value.as_deref()) {
            Ok(Ok(delivery)) => visit(&delivery),
            // Written by nobody of this program: it tells of no delivery.
            Ok(Err(cause)) => tracing::warn!(offset = record.offset, cause, "A delivery is not readable."),
            Err(found) => trouble = Some(found),
        }
    })?;
    trouble.map_or(Ok(()), Err)
}
