//! `concord explain`: which inputs made a record.

use concord_engine::explain::{self, Explanation, Found, Place};
use concord_engine::log::LogErrorKind;
use concord_engine::readable::{ReadableValues, key_from_text, key_text};
use concord_engine::topology::Topology;
use serde_json::{Value, json};

use crate::cli::ExplainArgs;
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;
use crate::stores::time_text;

/// Prints the tree of inputs of the last record with a key.
///
/// # Errors
/// The cluster cannot be reached, or the topic has no record with that key.
pub fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    // The flow that has the topic knows its part in it; any other follows the headers just as well.
    let mut topologies = config.topologies()?;
    let has_it = |topology: &Topology| topology.topics.iter().any(|topic| *topic.name == *args.topic);
    let topology = topologies.swap_remove(topologies.iter().position(has_it).unwrap_or_default());
    let key = key_from_text(&args.key)
        .ok_or_else(|| Failure::Usage("a key that begins with 0x must be pairs of hexadecimal digits".to_string()))?;
    let log = cluster::connect(&config)?;
    let explanation = explain::explain(&log, &topology, &args.topic, &key).map_err(|e| match e.kind {
        LogErrorKind::UnknownTopic => Failure::Usage(e.to_string()),
        _ => Failure::other("following the lineage", e),
    })?;
    let Some(explanation) = explanation else {
        return Err(Failure::Other(format!("the topic {} has no record with that key", args.topic)));
    };
    let mut payloads = args.payload.then(|| cluster::readable_values(&config));
    if args.json {
        output::line(format_args!("{:#}", as_json(&explanation, &topology, &mut payloads)));
    } else {
        print_tree(&explanation, &topology, &mut payloads, "", "");
    }
    Ok(())
}

fn as_json(explanation: &Explanation, topology: &Topology, payloads: &mut Option<ReadableValues>) -> Value {
    let at = &explanation.at;
    let mut shown = json!({
        "topic": &*at.topic,
        "partition": at.partition,
        "offset": at.offset,
        "role": explanation.role.map(|role| role.as_str()),
        "found": match explanation.found {
            Found::Record(_) => "here",
            Found::Gone => "gone",
            Found::Above => "above",
        },
        "rule": explanation.rule,
        "cause": explanation.cause,
        "version": explanation.version,
        "written_by": places(&explanation.written_by),
        "read_by": places(&explanation.read_by),
    });
    if let Found::Record(record) = &explanation.found {
        shown["time"] = time_text(record.timestamp_ms).into();
    }
    if let Some((key, payload)) = payload(explanation, topology, payloads) {
        shown["key"] = key;
        shown["payload"] = payload;
    }
    let inputs: Vec<Value> = explanation.inputs.iter().map(|input| as_json(input, topology, payloads)).collect();
    shown["inputs"] = inputs.into();
    shown
}

/// `lead` stands before the record itself, `indent` before what belongs to it.
fn print_tree(
    explanation: &Explanation,
    topology: &Topology,
    payloads: &mut Option<ReadableValues>,
    lead: &str,
    indent: &str,
) {
    let has_inputs = !explanation.inputs.is_empty();
    output::line(format_args!("{lead}{}{}", explanation.at, record_text(explanation)));
    let below = if has_inputs { format!("{indent}│  ") } else { format!("{indent}   ") };
    if !explanation.written_by.is_empty() {
        output::line(format_args!("{below}written by {}", places(&explanation.written_by).join(", ")));
    }
    if !explanation.read_by.is_empty() {
        output::line(format_args!("{below}read by {}", places(&explanation.read_by).join(", ")));
    }
    if let Some((key, payload)) = payload(explanation, topology, payloads) {
        output::line(format_args!("{below}key {key}"));
        output::line(format_args!("{below}payload {payload}"));
    }
    for (number, input) in explanation.inputs.iter().enumerate() {
        let last = number + 1 == explanation.inputs.len();
        let (branch, rest) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        print_tree(input, topology, payloads, &format!("{indent}{branch}"), &format!("{indent}{rest}"));
    }
}

fn record_text(explanation: &Explanation) -> String {
    let record = match &explanation.found {
        Found::Record(record) => record,
        Found::Gone => return "  no longer there".to_string(),
        Found::Above => return "  see above".to_string(),
    };
    let mut text = format!("  {}", time_text(record.timestamp_ms));
    if record.value.is_none() {
        text.push_str("  tombstone");
    }
    if let Some(rule) = &explanation.rule {
        text.push_str(&format!("  rule {rule}"));
    }
    if let Some(cause) = &explanation.cause {
        text.push_str(&format!("  cause {cause}"));
    }
    if let Some(version) = &explanation.version {
        text.push_str(&format!("  version {version}"));
    }
    if explanation.inputs.is_empty() {
        text.push_str("  from outside");
    }
    text
}

fn payload(
    explanation: &Explanation,
    topology: &Topology,
    payloads: &mut Option<ReadableValues>,
) -> Option<(Value, Value)> {
    let readable = payloads.as_mut()?;
    let Found::Record(record) = &explanation.found else { return None };
    let expected = topology.topic(&explanation.at.topic).and_then(|topic| topology.topics[topic].schema);
    let key = record.key.as_deref().map(key_text).into();
    let value = record.value.as_deref().map_or(Value::Null, |value| readable.value(value, expected));
    Some((key, value))
}

fn places(places: &[Place]) -> Vec<String> {
    places.iter().map(|place| format!("{}/{}", place.sub_topology, place.processor)).collect()
}
