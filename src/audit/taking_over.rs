//! `concord produce history` and `concord produce baseline`: what is known of links before their interchanges are received here.

use std::time::Duration;

use concord_engine::log::{Isolation, Log, LogError, TopicPartition};
use concord_flows::sequence_audit::topology::GP_LINKS_INTERCHANGE;
use jiff::Timestamp;

use super::{baseline, sources};
use crate::cli::{ProduceArgs, ProduceHistoryArgs};
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::publish::Producer;

/// How long the brokers may take to tell how long a topic is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Publishes documents of the earlier adaptor to a running audit.
///
/// # Errors
/// Files that cannot be read, a cluster that does not take them, or traffic that has come already.
pub fn history(args: &ProduceHistoryArgs) -> Result<(), Failure> {
    let mut documents = Vec::new();
    for path in &args.files {
        documents.extend(sources::documents(path)?);
    }
    let config = Config::read(&args.config)?;
    let log = cluster::connect(&config)?;
    if !args.behind_traffic && has_records(&log, GP_LINKS_INTERCHANGE)? {
        return Err(Failure::Usage(format!(
            "{GP_LINKS_INTERCHANGE} holds interchanges already: on a link whose numbers are settled each older number of the \
             history would be a finding `late`. Load the history before the connectors start; where these interchanges \
             are of other links, give --behind-traffic"
        )));
    }
    let mut producer = Producer::new(&log, &cluster::schemas(&config)?, Timestamp::now())?;
    println!("{} documents published", producer.history(&mut documents)?);
    Ok(())
}

/// Publishes the numbers that links used last to a running audit.
///
/// # Errors
/// As [`history`], without the last.
pub fn baseline(args: &ProduceArgs) -> Result<(), Failure> {
    let mut last_used = Vec::new();
    for path in &args.files {
        last_used.extend(baseline::read(path)?);
    }
    let config = Config::read(&args.config)?;
    let log = cluster::connect(&config)?;
    let at = args.at.unwrap_or_else(Timestamp::now);
    let mut producer = Producer::new(&log, &cluster::schemas(&config)?, at)?;
    println!("{} counters published", producer.baseline(&last_used)?);
    Ok(())
}

fn has_records(log: &dyn Log, topic: &str) -> Result<bool, Failure> {
    let failed = |e: LogError| Failure::other(format!("reading the topic {topic}"), e);
    let topics = log.topics().map_err(failed)?;
    let Some(described) = topics.iter().find(|found| *found.name == *topic) else {
        return Err(Failure::Usage(format!("the topic {topic} does not exist: run `concord topics apply` first")));
    };
    let partitions: Vec<TopicPartition> =
        (0..described.partitions).map(|partition| TopicPartition::new(described.name.clone(), partition)).collect();
    let mut reader = log.reader(Isolation::ReadCommitted).map_err(failed)?;
    let marks = reader.watermarks_of_all(&partitions, PATIENCE).map_err(failed)?;
    Ok(marks.iter().any(|(low, high)| high > low))
}
