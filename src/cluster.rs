//! Reaching the cluster and the registry, waiting for them where that is meant.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{Log, LogErrorKind};
use concord_engine::readable::ReadableValues;
use concord_engine::topics::{self, TopicState};
use concord_engine::topology::{Compatibility, Fingerprint, TopicDeclaration, Topology};
use concord_schemas::Schemas;
use concord_schemas::registry::{RegistryClient, RegistryError};
use concord_state::{RocksDirectory, StateError};

use crate::config::Config;
use crate::failure::Failure;
use crate::health::Health;

/// Between two attempts to reach what is not there.
const PAUSE: Duration = Duration::from_secs(2);

/// Reaches the cluster.
///
/// # Errors
/// Wrong settings, or no broker answers.
pub fn connect(config: &Config) -> Result<KafkaLog, Failure> {
    KafkaLog::connect(config.kafka_settings()).map_err(|e| match e.kind {
        LogErrorKind::Fatal => Failure::Usage(e.to_string()),
        _ => Failure::other("reaching the cluster", e),
    })
}

/// Codecs as the configuration says: by the registry, or bundled.
///
/// # Errors
/// The registry refuses a schema, or does not answer.
pub fn schemas(config: &Config) -> Result<Schemas, Failure> {
    match &config.schema_registry {
        None => Ok(Schemas::bundled()),
        Some(registry) => {
            let client = RegistryClient::new(&registry.url).map_err(|e| Failure::Usage(e.to_string()))?;
            Schemas::with_registry(client).map_err(|e| Failure::other("registering schemas", e))
        }
    }
}

/// Shows values as the configuration says. Without an answer of the registry, values that name its ids are shown as bytes.
pub fn readable_values(config: &Config) -> ReadableValues {
    let schemas = schemas(config).unwrap_or_else(|failure| {
        tracing::warn!(?failure, "Values written with the registry's ids are shown as bytes.");
        Schemas::bundled()
    });
    ReadableValues::new(schemas)
}

/// [`connect`], waiting for brokers that are not there yet.
///
/// # Errors
/// Wrong settings.
pub fn wait_for_cluster(config: &Config, health: &Health) -> Result<Arc<dyn Log>, Failure> {
    health.waits_for("the Kafka cluster");
    loop {
        match KafkaLog::connect(config.kafka_settings()) {
            Ok(log) => return Ok(Arc::new(log)),
            Err(error) if error.kind == LogErrorKind::Fatal => return Err(Failure::Usage(error.to_string())),
            Err(error) => {
                tracing::warn!(%error, "The cluster is not reached; trying again.");
                thread::sleep(PAUSE);
            }
        }
    }
}

/// The topics as they are beside those declared, waiting for brokers that do not answer for now.
///
/// # Errors
/// The brokers refuse the question.
pub fn wait_for_topics<'t>(
    log: &dyn Log,
    topology: &'t Topology,
    health: &Health,
) -> Result<Vec<(&'t TopicDeclaration, TopicState)>, Failure> {
    health.waits_for("the list of topics");
    loop {
        match topics::compare(log, topology) {
            Ok(compared) => return Ok(compared),
            Err(error) if matches!(error.kind, LogErrorKind::Retriable | LogErrorKind::Unavailable) => {
                tracing::warn!(%error, "The brokers do not tell which topics there are; trying again.");
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(Failure::other("reading the topics", error)),
        }
    }
}

/// [`schemas`], waiting for a registry that is not there yet.
///
/// # Errors
/// The registry refuses a schema.
pub fn wait_for_schemas(config: &Config, health: &Health) -> Result<Schemas, Failure> {
    let Some(registry) = &config.schema_registry else { return Ok(Schemas::bundled()) };
    health.waits_for("the schema registry");
    loop {
        let client = RegistryClient::new(&registry.url).map_err(|e| Failure::Usage(e.to_string()))?;
        match Schemas::with_registry(client) {
            Ok(schemas) => return Ok(schemas),
            Err(error @ RegistryError::Unavailable { .. }) => {
                tracing::warn!(%error, "The schema registry does not answer; trying again.");
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(Failure::other("registering schemas", error)),
        }
    }
}

/// What the state on disk says to running these topologies on it; `Same` when there is no state. Each answers for its own tasks,
/// the first also for those of nobody.
///
/// # Errors
/// The state cannot be read.
pub fn verdict_on_state(state_dir: &Path, topologies: &[Topology]) -> Result<Compatibility, Failure> {
    let failed = |e| Failure::other(format!("reading the state in {}", state_dir.display()), e);
    let directory = match RocksDirectory::open_read_only(state_dir) {
        Ok(directory) => directory,
        // A first start; the folder may be there already, as a mounted volume is.
        Err(StateError::NoState { .. }) => return Ok(Compatibility::Same),
        Err(error) => return Err(failed(error)),
    };
    let mut additions = Vec::new();
    for (sub_topology, partition) in directory.tasks().map_err(failed)? {
        let task = match directory.open_task(&sub_topology, partition) {
            Ok(task) => task,
            // The process was killed while it made the task's database.
            Err(StateError::TaskNotFound { .. }) => continue,
            Err(error) => return Err(failed(error)),
        };
        let Some(meta) = task.meta().map_err(failed)? else { continue };
        let Some(stored) = Fingerprint::from_text(&meta.fingerprint) else {
            return Ok(Compatibility::Refused(vec![format!(
                "the fingerprint of task {sub_topology}-{partition} is unreadable"
            )]));
        };
        let has_it = |topology: &&Topology| topology.sub_topologies.iter().any(|sub| sub.name == sub_topology);
        let Some(topology) = topologies.iter().find(has_it).or_else(|| topologies.first()) else { continue };
        match Fingerprint::of(topology).verdict(&stored) {
            Compatibility::Same => {}
            Compatibility::Compatible(added) => additions = added,
            other => return Ok(other),
        }
    }
    Ok(if additions.is_empty() { Compatibility::Same } else { Compatibility::Compatible(additions) })
}
