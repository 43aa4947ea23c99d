//! `concord topics`: topics as declared and as they are.

use std::path::Path;

use concord_connectors::connect;
use concord_connectors::pds::lookups;
use concord_engine::topics::{self, TopicState};
use concord_engine::topology::Topology;
use concord_flows::list_reconciliation::topology::{INTAKE_REFUSED, PDS_LOOKUP};
use concord_schemas::registry::RegistryClient;

use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;

/// What the configuration declares, flow by flow; the topics of connectors that no flow declares are with the first.
fn declared(config: &Config) -> Result<Vec<Topology>, Failure> {
    let mut topologies = config.topologies()?;
    let is_declared = topologies.iter().flat_map(|topology| &topology.topics).any(|topic| &*topic.name == PDS_LOOKUP);
    if let (true, false, Some(first)) = (config.pds.is_some(), is_declared, topologies.first_mut()) {
        first.topics.extend(lookups::topics(config.topics.partitions));
    }
    let is_declared =
        topologies.iter().flat_map(|topology| &topology.topics).any(|topic| &*topic.name == INTAKE_REFUSED);
    if let (false, Some(first)) = (is_declared, topologies.first_mut()) {
        first.topics.push(connect::refused_inputs(config.topics.partitions));
    }
    Ok(topologies)
}

/// Prints what `apply` would do.
///
/// # Errors
/// The cluster cannot be reached, or a topic is not as declared.
pub fn plan(config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topologies = declared(&config)?;
    let log = cluster::connect(&config)?;
    let mut compared = Vec::new();
    for topology in &topologies {
        compared.extend(topics::compare(&log, topology).map_err(|e| Failure::other("reading the topics", e))?);
    }
    let mut wrong = 0;
    for (topic, state) in compared {
        let (sign, note) = match state {
            TopicState::Missing => ("create", String::new()),
            TopicState::AsDeclared => ("keep", String::new()),
            TopicState::WrongPartitions { found } => {
                wrong += 1;
                ("WRONG", format!(": it has {found} partitions, and must be created anew or topics.partitions changed"))
            }
        };
        println!("{sign:7} {} ({} partitions, {}){note}", topic.name, topic.partitions, topic.cleanup);
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Other(format!("{wrong} topics are not as declared"))) }
}

/// Creates missing topics and registers the schemas.
///
/// # Errors
/// The cluster or the registry cannot be reached or refuses; a refused schema comes with the registry's reason.
pub fn apply(config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topologies = declared(&config)?;
    let log = cluster::connect(&config)?;
    for topology in &topologies {
        topics::create(&log, topology, config.topics.replication).map_err(|e| Failure::other("creating topics", e))?;
    }
    println!("{} topics are there.", topologies.iter().map(|topology| topology.topics.len()).sum::<usize>());
    let Some(registry) = &config.schema_registry else {
        println!("No schema registry is configured: values carry the fingerprints of the bundled schemas.");
        return Ok(());
    };
    let client = RegistryClient::new(&registry.url).map_err(|e| Failure::Usage(e.to_string()))?;
    for topic in topologies.iter().flat_map(|topology| &topology.topics).filter(|topic| topic.schema.is_some()) {
        let Some(schema) = topic.schema else { continue };
        let subject = schema.subject();
        let id = client.register(&subject, schema.avsc()).map_err(|e| Failure::other("registering schemas", e))?;
        client.require_backward_compatibility(&subject).map_err(|e| Failure::other("setting compatibility", e))?;
        println!("schema {id:>6}  {subject}");
    }
    Ok(())
}

/// Prints every declared topic.
///
/// # Errors
/// The configuration is wrong.
pub fn list(config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topologies = declared(&config)?;
    println!("{:<50} {:<12} {:>4}  {:<22} {:<36} schema", "topic", "role", "part", "cleanup", "key");
    for topic in topologies.iter().flat_map(|topology| &topology.topics) {
        println!(
            "{:<50} {:<12} {:>4}  {:<22} {:<36} {}",
            topic.name,
            topic.role.as_str(),
            topic.partitions,
            topic.cleanup.to_string(),
            topic.key,
            topic.schema.map_or("-", |s| s.name())
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::fs;

    use concord_schemas::pds::PDS_ANSWER;

    use super::*;

    #[test]
    fn the_topics_of_questions_to_pds_are_declared_once_when_somebody_asks_or_answers() {
        let folder = tempfile::tempdir().unwrap();
        for (asks, answers) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut text =
                "[kafka]\nbootstrap_servers = \"127.0.0.1:9092\"\n[instance]\nname = \"one\"\nstate_dir = \"state\"\n\
                [flows.list_reconciliation]\n"
                    .to_owned();
            if asks {
                text.push_str("lookups = \"unknown\"\n");
            }
            if answers {
                text.push_str("[pds]\nurl = \"https://pds.example\"\n");
            }
            let file = folder.path().join("concord.toml");
            fs::write(&file, text).unwrap();
            let topologies = declared(&Config::read(&file).unwrap()).unwrap();
            let declared: Vec<_> = topologies.iter().flat_map(|topology| &topology.topics).collect();
            for name in [PDS_LOOKUP, PDS_ANSWER] {
                let topics: Vec<_> = declared.iter().filter(|topic| &*topic.name == name).collect();
                assert_eq!(topics.len(), usize::from(asks || answers), "{name}");
                assert!(topics.iter().all(|topic| topic.partitions == declared[0].partitions));
            }
        }
    }
}
