//! `concord dead-letters`: rejected records, and giving them back to their topics.

use std::path::Path;

use concord_engine::dead_letters::{self, DeadLetter, KeptBecause, ReplayChoice};
use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::{LogError, LogErrorKind};
use concord_engine::readable::key_text;
use concord_engine::topology::Topology;
use serde_json::{Value, json};

use crate::cli::{FlowName, ReplayArgs};
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::stores::time_text;

/// Prints where each rejected record came from and why it was rejected.
///
/// # Errors
/// The cluster cannot be reached.
pub fn list(config_file: &Path, flow: Option<FlowName>, code: Option<&str>) -> Result<(), Failure> {
    let (config, topology) = declared(config_file, flow)?;
    let log = cluster::connect(&config)?;
    output::line(format_args!(
        "{:<12} {:<26} {:<44} {:<10} {:<16} message",
        "letter", "time of record", "source", "stage", "code"
    ));
    let mut listed = 0;
    dead_letters::read_dead_letters(&log, &topology, &mut |letter| {
        if code.is_some_and(|code| code != letter.code) {
            return;
        }
        listed += 1;
        output::line(format_args!(
            "{:<12} {:<26} {:<44} {:<10} {:<16} {}{}",
            format!("{}/{}", letter.at.partition, letter.at.offset),
            time_text(letter.record.timestamp_ms),
            source_text(&letter),
            letter.stage,
            letter.code,
            letter.message,
            if letter.truncated { " (payload at the source only)" } else { "" },
        ));
    })
    .map_err(failed)?;
    eprintln!("{listed} dead letters in {}.", topology.topics[topology.dead_letters].name);
    Ok(())
}

/// Prints one rejected record whole.
///
/// # Errors
/// The cluster cannot be reached, or the letter is not there.
pub fn show(config_file: &Path, flow: Option<FlowName>, (partition, offset): (i32, i64)) -> Result<(), Failure> {
    let (config, topology) = declared(config_file, flow)?;
    let log = cluster::connect(&config)?;
    let Some(letter) = dead_letters::dead_letter_at(&log, &topology, partition, offset).map_err(failed)? else {
        return Err(not_found(&topology, &[(partition, offset)]));
    };
    let expected = letter
        .source
        .as_ref()
        .and_then(|source| topology.topic(&source.topic))
        .and_then(|topic| topology.topics[topic].schema);
    let mut readable = cluster::readable_values(&config);
    let headers: Vec<Value> = letter
        .record
        .headers
        .iter()
        .map(|header| json!({ "name": &*header.name, "value": key_text(&header.value) }))
        .collect();
    let shown = json!({
        "letter": letter.at.to_string(),
        "source": letter.source.as_ref().map(ToString::to_string),
        "time": time_text(letter.record.timestamp_ms),
        "stage": letter.stage,
        "code": letter.code,
        "message": letter.message,
        "call": letter.call,
        "truncated": letter.truncated,
        "headers": headers,
        "key": letter.record.key.as_deref().map(key_text),
        "payload": letter.record.value.as_deref().map(|value| readable.value(value, expected)),
    });
    output::line(format_args!("{shown:#}"));
    Ok(())
}

/// Publishes rejected records again.
///
/// # Errors
/// The cluster cannot be reached or refuses a record, or a letter asked for is not there.
pub fn replay(args: ReplayArgs) -> Result<(), Failure> {
    let (config, topology) = declared(&args.config, args.flow)?;
    let log: KafkaLog = cluster::connect(&config)?;
    let choice =
        ReplayChoice { letters: (!args.all).then_some(args.letters), code: args.code, superseded_too: args.superseded };
    let replayed = dead_letters::replay(&log, &topology, &choice).map_err(failed)?;
    output::line(format_args!("{} records replayed, {} left alone", replayed.published, replayed.kept.len()));
    for (letter, reason) in &replayed.kept {
        // Those of earlier replays pile up, and are as they should be.
        if *reason != KeptBecause::ReplayedBefore || !args.all {
            output::line(format_args!("  {}/{}: {reason}", letter.partition, letter.offset));
        }
    }
    if replayed.not_found.is_empty() { Ok(()) } else { Err(not_found(&topology, &replayed.not_found)) }
}

/// The flow that is named; where none is, the only one, or list reconciliation.
fn declared(config_file: &Path, flow: Option<FlowName>) -> Result<(Config, Topology), Failure> {
    let config = Config::read(config_file)?;
    let topology = config.topology_of(flow)?;
    Ok((config, topology))
}

fn source_text(letter: &DeadLetter) -> String {
    letter.source.as_ref().map_or_else(|| "a timer".to_string(), ToString::to_string)
}

fn not_found(topology: &Topology, letters: &[(i32, i64)]) -> Failure {
    let letters: Vec<String> = letters.iter().map(|(partition, offset)| format!("{partition}/{offset}")).collect();
    Failure::Other(format!(
        "{} has no such letter: {} (`concord dead-letters list` shows those there are)",
        topology.topics[topology.dead_letters].name,
        letters.join(", ")
    ))
}

fn failed(error: LogError) -> Failure {
    match error.kind {
        LogErrorKind::UnknownTopic => Failure::Usage(format!("{error}: run `concord topics apply` first")),
        _ => Failure::other("reading the dead letters", error),
    }
}
