//! `concord store`: a look into committed state.

use std::path::Path;

use concord_engine::readable::key_from_text;
use concord_engine::store_reads::{KeyRange, StoreReads};
use concord_state::{RocksDirectory, StateError};
use serde_json::Value;

use crate::cli::{StateSource, StoreCommand};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::stores::{self, MOST_ENTRIES, Question};

/// Answers on standard output.
///
/// # Errors
/// The state cannot be reached, the store is not there, or the key is not.
pub fn store(command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::List { whose, json } => list(&whose, json),
        StoreCommand::Get { whose, store, key } => get(&whose, store, &key),
        StoreCommand::Scan { whose, store, prefix, from, to, limit } => {
            if limit > MOST_ENTRIES {
                return Err(Failure::Usage(format!(
                    "--limit {limit}: at most {MOST_ENTRIES} entries at a time; go on with --from and the last key"
                )));
            }
            let range = KeyRange {
                prefix: key_bytes(&prefix)?,
                from: from.as_deref().map(key_bytes).transpose()?,
                to: to.as_deref().map(key_bytes).transpose()?,
            };
            scan(&whose, Question::Scan { store, range, limit })
        }
    }
}

fn list(whose: &StateSource, json: bool) -> Result<(), Failure> {
    let answer = answer(whose, &Question::List)?;
    if json {
        output::line(format_args!("{answer:#}"));
        return Ok(());
    }
    let mut task = String::new();
    for store in listed(&answer, "stores") {
        let its_task = format!("{}/{}", text(&store["sub_topology"]), store["partition"]);
        if its_task != task {
            let inputs: Vec<String> = listed(store, "inputs")
                .map(|input| format!("{}/{}/{}", text(&input["topic"]), input["partition"], input["offset"]))
                .collect();
            output::line(format_args!(
                "task {its_task}, committed at {}, has read up to {}",
                text(&store["committed_at"]),
                if inputs.is_empty() { "-".to_string() } else { inputs.join(" ") },
            ));
            task = its_task;
        }
        output::line(format_args!(
            "  {:<24} changelog position {}",
            text(&store["store"]),
            text(&store["changelog_position"])
        ));
    }
    Ok(())
}

fn get(whose: &StateSource, store: String, key: &str) -> Result<(), Failure> {
    let answer = answer(whose, &Question::Get { store, key: key_bytes(key)? })?;
    output::line(format_args!("{answer:#}"));
    if listed(&answer, "entries").next().is_none() {
        return Err(Failure::Other(format!("the key is not in the store of {}", tasks_asked(&answer))));
    }
    Ok(())
}

fn scan(whose: &StateSource, question: Question) -> Result<(), Failure> {
    let answer = answer(whose, &question)?;
    for entry in listed(&answer, "entries") {
        output::line(format_args!("{entry}"));
    }
    if answer["more"] == true {
        eprintln!("There are more entries: raise --limit, or go on with --from and the last key.");
    }
    eprintln!("Read from {}.", tasks_asked(&answer));
    Ok(())
}

fn answer(whose: &StateSource, question: &Question) -> Result<Value, Failure> {
    match (&whose.url, &whose.config) {
        (Some(url), _) => stores::ask(url, question),
        (None, Some(config)) => answer_from_folder(config, question),
        (None, None) => Err(Failure::Usage("give --config FILE or --url http://host:port".to_string())),
    }
}

fn answer_from_folder(config: &Path, question: &Question) -> Result<Value, Failure> {
    let config = Config::read(config)?;
    let folder = &config.instance.state_dir;
    let failed = |error| match error {
        StateError::FolderInUse { .. } => Failure::Usage(format!(
            "the state folder {} is in use: the process runs, so ask it with --url http://{}",
            folder.display(),
            config.http.listen
        )),
        StateError::NoState { .. } | StateError::UnknownStore { .. } => Failure::Usage(error.to_string()),
        error => Failure::other(format!("reading the state in {}", folder.display()), error),
    };
    let directory = RocksDirectory::open_read_only(folder).map_err(failed)?;
    let reads = StoreReads::of_folder(&directory).map_err(failed)?;
    stores::answer(&reads, question).map_err(failed)
}

/// The tasks of an answer, each with the time of its commit.
fn tasks_asked(answer: &Value) -> String {
    let mut tasks = Vec::new();
    for task in listed(answer, "tasks") {
        tasks.push(format!(
            "{}/{} as of {}",
            text(&task["sub_topology"]),
            task["partition"],
            text(&task["committed_at"])
        ));
    }
    format!("{} tasks here: {}", tasks.len(), tasks.join(", "))
}

fn key_bytes(text: &str) -> Result<Vec<u8>, Failure> {
    key_from_text(text)
        .ok_or_else(|| Failure::Usage("a key that begins with 0x must be pairs of hexadecimal digits".to_string()))
}

fn listed<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
