//! What stands on the topics of patient documents, on a cluster.

use std::collections::BTreeMap;

use concord_connectors::connect::{LogWriter, WriteError};
use concord_engine::log::{LogErrorKind, read_whole_topic};
use concord_schemas::codec::TopicSchema;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;

/// The last value of each key of a topic, which has the name of its schema; of those only whose key `is_wanted`.
///
/// # Errors
/// The cluster cannot be reached, or does not have the topic.
pub fn standing(
    config: &Config,
    schema: &'static TopicSchema,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Value>, Failure> {
    let log = cluster::connect(config)?;
    let mut readable = cluster::readable_values(config);
    let mut standing = BTreeMap::new();
    let mut unreadable = 0;
    let read = read_whole_topic(&log, schema.name(), &mut |_, record| {
        let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()) else { return };
        if !is_wanted(key) {
            return;
        }
        let Some(bytes) = record.value else {
            standing.remove(key);
            return;
        };
        let value = readable.value(&bytes, Some(schema))["value"].take();
        if value.is_object() {
            standing.insert(key.to_owned(), value);
        } else {
            unreadable += 1;
        }
    });
    read.map_err(|error| match error.kind {
        LogErrorKind::UnknownTopic => Failure::Usage(format!("{error}: run `concord topics apply` first")),
        _ => Failure::other(format!("reading {}", schema.name()), error),
    })?;
    if unreadable > 0 {
        eprintln!("{unreadable} records of {} are of a version that cannot be read here", schema.name());
    }
    Ok(standing)
}

/// Publishes one value, or a tombstone, to the topic of a schema, with the time of now.
///
/// # Errors
/// The cluster cannot be reached, or refuses.
pub fn publish<T: Serialize>(
    config: &Config,
    schema: &'static TopicSchema,
    values: &[(&str, Option<&T>)],
) -> Result<(), Failure> {
    let mut writer = writer(config)?;
    let at_ms = Timestamp::now().as_millisecond();
    for (key, value) in values {
        writer.send(schema, key, *value, at_ms).map_err(not_written)?;
    }
    writer.flush().map_err(not_written)
}

/// A writer to the cluster.
///
/// # Errors
/// The cluster cannot be reached.
pub fn writer(config: &Config) -> Result<LogWriter, Failure> {
    let log = cluster::connect(config)?;
    let schemas = cluster::schemas(config)?;
    LogWriter::open(&log, &schemas).map_err(|e| Failure::other("opening a producer", e))
}

/// What a value that was not written means for the command.
pub fn not_written(error: WriteError) -> Failure {
    match error {
        WriteError::NoTopic(_) => Failure::Usage(error.to_string()),
        WriteError::Codec(_) | WriteError::Log(_) => Failure::Other(error.to_string()),
    }
}
