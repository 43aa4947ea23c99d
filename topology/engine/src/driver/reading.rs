//! What a test reads of a driven topology: outputs, dead letters and committed state.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use concord_schemas::codec::{CodecError, Decoder};

use super::{DriverError, TopologyTestDriver};
use crate::lineage::{self, Coordinates};
use crate::log::{Header, Isolation, LogRecord};
use crate::value::Value;
use crate::worker::{
    DEAD_LETTER_CODE, DEAD_LETTER_MESSAGE, DEAD_LETTER_OFFSET, DEAD_LETTER_PARTITION, DEAD_LETTER_STAGE,
    DEAD_LETTER_TOPIC,
};

/// A committed record of a topic.
pub struct Output<V> {
    /// Its partition.
    pub partition: i32,
    /// The record as it stands there.
    pub record: LogRecord,
    decoder: Arc<Decoder>,
    kind: PhantomData<fn() -> V>,
}

impl<V: Value> Output<V> {
    /// Its key as text; empty when there is none, or when it is no text.
    pub fn key(&self) -> &str {
        self.record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default()
    }

    /// Its value; `None` is a tombstone.
    ///
    /// # Errors
    /// The bytes are not a value of this kind.
    pub fn value(&self) -> Result<Option<V::Of<'_>>, CodecError> {
        match &self.record.value {
            Some(bytes) => Ok(Some(self.decoder.decode(V::schema(), bytes)?)),
            None => Ok(None),
        }
    }

    /// The inputs that it names as its origin.
    pub fn lineage(&self) -> Vec<Coordinates> {
        header(&self.record.headers, lineage::LINEAGE).map_or_else(Vec::new, lineage::parse)
    }
}

/// A rejected record with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Topic it was read from; empty for a timer.
    pub topic: String,
    /// Its partition there.
    pub partition: String,
    /// Its offset there.
    pub offset: String,
    /// The stage at which it was rejected.
    pub stage: String,
    /// The stable code of the cause.
    pub code: String,
    /// The cause, for people.
    pub message: String,
    /// The letter as it stands in the dead-letter topic: key and value of the rejected record, and all headers.
    pub record: LogRecord,
}

impl TopologyTestDriver {
    /// The committed records of a topic, by partition and offset.
    ///
    /// # Errors
    /// The topic does not exist.
    pub fn outputs<V: Value>(&self, topic: &str) -> Result<Vec<Output<V>>, DriverError> {
        let records = self.log.records(topic, Isolation::ReadCommitted)?;
        let output =
            |(partition, record)| Output { partition, record, decoder: self.decoder.clone(), kind: PhantomData };
        Ok(records.into_iter().map(output).collect())
    }

    /// The dead letters, by partition and offset.
    ///
    /// # Errors
    /// None while the log is whole.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, DriverError> {
        let topic = &self.topology.topics[self.topology.dead_letters].name;
        let records = self.log.records(topic, Isolation::ReadCommitted)?;
        Ok(records.into_iter().map(|(_, record)| letter(record)).collect())
    }

    /// The committed values of a store, of all its tasks that are open on any worker.
    ///
    /// # Errors
    /// There is no such store, or it cannot be read.
    pub fn state(&self, sub_topology: &str, store: &str) -> Result<BTreeMap<Vec<u8>, Bytes>, DriverError> {
        let mut values = BTreeMap::new();
        for (_, partition_values) in self.state_by_partition(sub_topology, store)? {
            values.extend(partition_values);
        }
        Ok(values)
    }

    pub(super) fn state_by_partition(
        &self,
        sub_topology: &str,
        store: &str,
    ) -> Result<BTreeMap<i32, BTreeMap<Vec<u8>, Bytes>>, DriverError> {
        let parts = &self.topology.sub_topologies;
        let declared =
            parts.iter().any(|part| part.name == sub_topology && part.stores.iter().any(|s| s.name == store));
        if !declared {
            let stores = parts.iter().flat_map(|part| part.stores.iter().map(|s| format!("{}/{}", part.name, s.name)));
            return Err(DriverError::Unknown {
                what: format!("store `{sub_topology}/{store}`"),
                known: stores.collect::<Vec<_>>().join(", "),
            });
        }
        let mut by_partition: BTreeMap<i32, BTreeMap<Vec<u8>, Bytes>> = BTreeMap::new();
        for life in self.lives() {
            for ((name, partition), view) in life.views.tasks() {
                if name != sub_topology {
                    continue;
                }
                let values = by_partition.entry(partition).or_default();
                view.reader.scan(store, b"", None, &mut |key, value| {
                    values.insert(key.to_vec(), Bytes::copy_from_slice(value));
                    true
                })?;
            }
        }
        Ok(by_partition)
    }
}

fn letter(record: LogRecord) -> DeadLetter {
    let text =
        |name| header(&record.headers, name).map_or_else(String::new, |v| String::from_utf8_lossy(v).into_owned());
    DeadLetter {
        topic: text(DEAD_LETTER_TOPIC),
        partition: text(DEAD_LETTER_PARTITION),
        offset: text(DEAD_LETTER_OFFSET),
        stage: text(DEAD_LETTER_STAGE),
        code: text(DEAD_LETTER_CODE),
        message: text(DEAD_LETTER_MESSAGE),
        record,
    }
}

fn header<'h>(headers: &'h [Header], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|header| &*header.name == name).map(|header| &header.value[..])
}
