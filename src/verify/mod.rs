//! `concord verify`: holds what an application wrote against what it read, by code of its own. It shares the topology's
//! declaration and the schemas with the engine, and neither its log nor its commit. It only reads.

mod answers;
mod jobs;
mod questions;
mod replayed;
mod report;
mod sequence_audit;
mod standing;
mod stores;
mod topics;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::thread;
use std::time::Duration;

use concord_engine::topology::Topology;
use concord_flows::list_reconciliation::{DpsExchange, Lookups};
use concord_schemas::codec::Decoder;

use self::answers::Answers;
use self::report::Report;
use self::topics::Topics;
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// An answer, or why there is none.
type Outcome<T> = Result<T, String>;

/// Verifies and reports on standard output.
///
/// # Errors
/// Something was found, the cluster cannot be read, or the configuration is wrong.
pub fn verify(config_file: &Path, json: bool) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topologies = config.topologies()?;
    let schemas = cluster::schemas(&config)?;
    let report = report_on(&config, &topologies, &schemas.decoder()).map_err(Failure::Other)?;
    if json {
        output::line(format_args!("{:#}", report.as_json()));
    } else {
        output::line(report.as_text().trim_end());
    }
    match report.findings() {
        0 => Ok(()),
        count => Err(Failure::Other(format!("{count} findings"))),
    }
}

fn report_on(config: &Config, topologies: &[Topology], decoder: &Decoder) -> Outcome<Report> {
    let topics = Topics::of(&config.kafka.bootstrap_servers, &config.kafka.client)?;
    let mut report = Report::default();
    for topology in topologies {
        nothing_is_undecided(config, topology, &topics, &mut report)?;
        let lag = everything_is_read(topology, &topics, &mut report)?;
        let letters = &topology.topics[topology.dead_letters].name;
        topics.each(letters, &mut |_| {
            report.checked("dead letters (see `concord dead-letters list`)", 1);
            Ok(())
        })?;
        let flows = &config.flows;
        if let Some(audit) = flows.sequence_audit.as_ref().filter(|flow| flow.application == topology.application) {
            let audit = audit.settings(config.topics.partitions).audit;
            sequence_audit::is_accounted_for(topology, &topics, decoder, &audit, lag == 0, &mut report)?;
        } else if flows.list_reconciliation.as_ref().is_some_and(|flow| flow.application == topology.application) {
            lists_are_accounted_for(config, topology, &topics, decoder, lag == 0, &mut report)?;
        }
        stores::are_what_the_changelogs_say(&config.instance.state_dir, topology, &topics, &mut report)?;
    }
    Ok(report)
}

fn lists_are_accounted_for(
    config: &Config,
    topology: &Topology,
    topics: &Topics,
    decoder: &Decoder,
    at_rest: bool,
    report: &mut Report,
) -> Outcome<()> {
    let flow = config.flow();
    let waits_for_pds = flow.lookups != Lookups::Never && questions::are_open(topics, report)?;
    let answers = match flow.dps {
        DpsExchange::Asks => Some(Answers::read(topics, decoder, report)?),
        DpsExchange::Off | DpsExchange::Answers => None,
    };
    jobs::are_accounted_for(topics, decoder, at_rest && !waits_for_pds, flow.standing, answers.as_ref(), report)?;
    if flow.standing {
        standing::is_what_is_published(topology, topics, decoder, at_rest, report)?;
    }
    Ok(())
}

/// A transaction of a running application is open for a moment. One that is still the same when its time-out has passed is stuck.
fn nothing_is_undecided(config: &Config, topology: &Topology, topics: &Topics, report: &mut Report) -> Outcome<()> {
    let undecided = || -> Outcome<Vec<(String, i32, i64)>> {
        let mut all = Vec::new();
        for topic in &topology.topics {
            let open = topics.undecided(&topic.name)?;
            all.extend(open.into_iter().map(|(partition, from)| (topic.name.to_string(), partition, from)));
        }
        Ok(all)
    };
    let mut stuck = undecided()?;
    if !stuck.is_empty() {
        thread::sleep(Duration::from_millis(config.processing.transaction_timeout_ms + 1_000));
        let still = undecided()?;
        stuck.retain(|open| still.contains(open));
    }
    report.checked("topics without a stuck transaction", (topology.topics.len()) as u64);
    for (topic, partition, offset) in stuck {
        report.find(
            format!("{topic}[{partition}]"),
            format!("a transaction is open from offset {offset} on, longer than its time-out"),
            "readers of committed records wait there; look for it with kafka-transactions.sh find-hanging, and abort it",
        );
    }
    Ok(())
}

/// Answers how many records wait.
fn everything_is_read(topology: &Topology, topics: &Topics, report: &mut Report) -> Outcome<u64> {
    let mut waiting = 0;
    for source in topology.source_topics() {
        let lag = topics.lag(&topology.application, &source)?;
        report.checked("topics read to their ends", 1);
        waiting += lag;
        if lag > 0 {
            report.find(
                &*source,
                format!("{lag} records are not processed"),
                "let the application run until it has caught up, then verify again",
            );
        }
    }
    Ok(waiting)
}
