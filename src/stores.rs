//! Committed state as JSON: the same answers from a running process over HTTP and from a stopped one's folder.

use std::time::Duration;

use concord_engine::readable::{ReadableValues, key_text};
use concord_engine::store_reads::{KeyRange, StoreAnswer, StorePosition, StoreReads};
use concord_schemas::Schemas;
use concord_state::StateError;
use jiff::Timestamp;
use reqwest::Url;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::run::now_ms;

/// Most entries of one scan: they are held in memory.
pub const MOST_ENTRIES: usize = 10_000;
/// How long a running process may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked of the stores.
#[derive(Debug)]
pub enum Question {
    /// Which stores are here.
    List,
    /// A key's entries.
    Get {
        /// Name of the store.
        store: String,
        /// Key.
        key: Vec<u8>,
    },
    /// Entries in order.
    Scan {
        /// Name of the store.
        store: String,
        /// Which keys.
        range: KeyRange,
        /// Most entries.
        limit: usize,
    },
}

/// Answers from these tasks.
///
/// # Errors
/// No task here has the store, or the state cannot be read.
pub fn answer(reads: &StoreReads, question: &Question) -> Result<Value, StateError> {
    match question {
        Question::List => Ok(json!({ "stores": positions_as_json(&reads.list()?) })),
        Question::Get { store, key } => Ok(answer_as_json(store, &reads.get(store, key)?)),
        Question::Scan { store, range, limit } => Ok(answer_as_json(store, &reads.scan(store, range, *limit)?)),
    }
}

/// Asks a running process.
///
/// # Errors
/// It cannot be reached, or answers with an error. No message holds the key.
pub fn ask(url: &str, question: &Question) -> Result<Value, Failure> {
    let address =
        address(url, question).ok_or_else(|| Failure::Usage(format!("--url {url}: write it as http://host:port")))?;
    let failed = |e: reqwest::Error| Failure::other(format!("asking {url}"), e.without_url());
    let client = Client::builder().timeout(PATIENCE).build().map_err(failed)?;
    let response = client.get(address).send().map_err(failed)?;
    let status = response.status();
    let body: Value = response.json().map_err(failed)?;
    if let Some(error) = body.get("error").and_then(Value::as_str) {
        return Err(Failure::Other(format!("{url} answers {}: {error}", status.as_u16())));
    }
    Ok(body)
}

/// Where the HTTP service answers a question.
fn address(url: &str, question: &Question) -> Option<Url> {
    let mut address = Url::parse(url).ok()?;
    let mut path = address.path_segments_mut().ok()?;
    path.pop_if_empty().push("stores");
    match question {
        Question::List => {}
        Question::Get { store, key } => {
            path.push(store).push(&key_text(key));
        }
        Question::Scan { store, .. } => {
            path.push(store);
        }
    }
    drop(path);
    if let Question::Scan { range, limit, .. } = question {
        let mut query = address.query_pairs_mut();
        query.append_pair("limit", &limit.to_string());
        query.append_pair("prefix", &key_text(&range.prefix));
        if let Some(from) = &range.from {
            query.append_pair("from", &key_text(from));
        }
        if let Some(to) = &range.to {
            query.append_pair("to", &key_text(to));
        }
    }
    Some(address)
}

fn answer_as_json(store: &str, answer: &StoreAnswer) -> Value {
    // Stored values always name bundled schemas, so no registry is needed.
    let mut readable = ReadableValues::new(Schemas::bundled());
    let mut entries = Vec::with_capacity(answer.entries.len());
    for entry in &answer.entries {
        let mut shown = json!({ "partition": entry.partition, "key": key_text(&entry.key) });
        let value = readable.value(&entry.value, None);
        shown["format"] = value["format"].clone();
        shown["value"] = value["value"].clone();
        entries.push(shown);
    }
    json!({
        "store": store,
        "entries": entries,
        "more": answer.more,
        "tasks": positions_as_json(&answer.positions),
    })
}

fn positions_as_json(positions: &[StorePosition]) -> Vec<Value> {
    let now_ms = now_ms();
    let mut shown = Vec::with_capacity(positions.len());
    for position in positions {
        let committed = position.committed_at_ms > 0;
        let inputs: Vec<Value> = position
            .input_positions
            .iter()
            .map(|(topic, partition, offset)| json!({ "topic": topic, "partition": partition, "offset": offset }))
            .collect();
        shown.push(json!({
            "sub_topology": position.sub_topology,
            "partition": position.partition,
            "store": position.store,
            "changelog_position": position.changelog_position,
            "inputs": inputs,
            "committed_at": committed.then(|| time_text(position.committed_at_ms)),
            "age_ms": committed.then(|| now_ms - position.committed_at_ms),
        }));
    }
    shown
}

/// Milliseconds since the epoch as RFC 3339, or as they are when no calendar has them.
pub fn time_text(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_key_with_slashes_and_question_marks_is_one_segment_of_the_path() {
        let question = Question::Get { store: "practice-lists".into(), key: b"A82023/9000000009?".to_vec() };
        let address = address("http://127.0.0.1:8080/", &question).unwrap();
        assert_eq!(address.path(), "/stores/practice-lists/A82023%2F9000000009%3F");
    }

    #[test]
    fn a_service_behind_a_path_is_asked_below_that_path() {
        assert_eq!(address("http://host/concord", &Question::List).unwrap().as_str(), "http://host/concord/stores");
        assert!(address("host:8080", &Question::List).is_none());
    }
}
