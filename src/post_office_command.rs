//! `concord post-office`: opens and closes routes, and says how they stand.

use std::collections::BTreeMap;

use concord_engine::log::{LogErrorKind, read_whole_topic};
use concord_flows::list_reconciliation::post_office::{Route, opening};
use concord_flows::list_reconciliation::topology::POST_OFFICE;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::CommandAction;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{PostOfficeCommand, PostOfficeStatusArgs, SwitchArgs};
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::operator::Desk;
use crate::output;
use crate::stores::time_text;

/// What the partitions said last of each route.
type Said = BTreeMap<String, Vec<Value>>;

/// Runs one of them.
///
/// # Errors
/// The cluster cannot be reached, or there is no such route.
pub fn post_office(command: PostOfficeCommand) -> Result<(), Failure> {
    match command {
        PostOfficeCommand::Open(args) => switch(CommandAction::OpenRoute, &args),
        PostOfficeCommand::Close(args) => switch(CommandAction::CloseRoute, &args),
        PostOfficeCommand::Auto(args) => switch(CommandAction::ScheduleRoute, &args),
        PostOfficeCommand::Status(args) => status(&args),
    }
}

fn switch(action: CommandAction, args: &SwitchArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    let flow = config.flow();
    let route = &args.route;
    if flow.post_office.route(route).is_none() && !read(&config)?.contains_key(route) {
        let known: Vec<&str> = flow.post_office.routes().iter().map(|route| route.name.as_str()).collect();
        return Err(Failure::Usage(format!("there is no route {route}: there are {}", known.join(", "))));
    }
    Desk::open(&config)?.command(action, route, &args.by, &args.reason)?;
    let becomes = match action {
        CommandAction::OpenRoute => "opens",
        CommandAction::CloseRoute => "closes",
        _ => "follows its hours",
    };
    output::line(format_args!("{route} {becomes}; `concord post-office status` tells when every partition has it"));
    Ok(())
}

fn status(args: &PostOfficeStatusArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    let flow = config.flow();
    let said = read(&config)?;
    let now_ms = Timestamp::now().as_millisecond();
    let configured = flow.post_office.routes();
    let mut routes: Vec<Value> = configured
        .iter()
        .map(|route| together(&route.name, said.get(&route.name), flow.partitions, Some(route), now_ms))
        .collect();
    let forgotten = said.iter().filter(|(name, _)| flow.post_office.route(name).is_none());
    routes.extend(forgotten.map(|(name, said)| together(name, Some(said), flow.partitions, None, now_ms)));
    for route in &routes {
        if args.json { output::line(route) } else { output::line(as_text(route)) }
    }
    Ok(())
}

/// One route from what its partitions say. Those that have not said anything follow its hours.
fn together(name: &str, said: Option<&Vec<Value>>, partitions: i32, route: Option<&Route>, now_ms: i64) -> Value {
    let by_hours = route.map(|route| opening(&route.hours, now_ms));
    let said = said.map_or(&[][..], Vec::as_slice);
    let silent = (partitions as usize).saturating_sub(said.len());
    let mut opens: Vec<bool> = said.iter().map(|status| status["open"] == true).collect();
    if silent > 0 {
        opens.push(by_hours.is_none_or(|opening| opening.is_open));
    }
    let state = match (opens.iter().all(|open| *open), opens.iter().any(|open| *open)) {
        (true, _) => "open",
        (_, false) => "closed",
        // A command is on its way, or a partition waits for its timer.
        _ => "changing",
    };
    let latest = said.iter().max_by_key(|status| status["since_ms"].as_i64());
    let of_latest = |key: &str| latest.map_or(Value::Null, |status| status[key].clone());
    let until_ms = match of_latest("switched").as_str() {
        None | Some("") => by_hours.and_then(|opening| opening.until_ms),
        Some(_) => None,
    };
    json!({
        "route": name,
        "state": state,
        "switched": of_latest("switched"),
        "by": of_latest("by"),
        "reason": of_latest("reason"),
        "since": of_latest("since_ms").as_i64().map(time_text),
        "until": until_ms.map(time_text),
        "waiting": said.iter().filter_map(|status| status["waiting"].as_i64()).sum::<i64>(),
        "configured": route.is_some(),
    })
}

fn as_text(route: &Value) -> String {
    let text = |key: &str| route[key].as_str().unwrap_or_default();
    let mut line =
        format!("{:<16} {:<9} {:>6} waiting", text("route"), text("state"), route["waiting"].as_i64().unwrap_or(0));
    if !text("since").is_empty() {
        line.push_str(&format!("  since {}", text("since")));
    }
    match text("switched") {
        "" => line.push_str("  by its hours"),
        switched => line.push_str(&format!("  switched {} by {}", switched.to_lowercase(), text("by"))),
    }
    if !text("switched").is_empty() && !text("reason").is_empty() {
        line.push_str(&format!(" ({})", text("reason")));
    }
    if !text("until").is_empty() {
        line.push_str(&format!("  until {}", text("until")));
    }
    if route["configured"] == false {
        line.push_str("  not configured any more");
    }
    line
}

fn read(config: &Config) -> Result<Said, Failure> {
    let log = cluster::connect(config)?;
    let mut readable = cluster::readable_values(config);
    let mut by_key: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    let read = read_whole_topic(&log, POST_OFFICE, &mut |_, record| {
        let (Some(key), Some(value)) = (record.key, record.value) else { return };
        by_key.insert(key.to_vec(), readable.value(&value, Some(&codec::POST_OFFICE))["value"].take());
    });
    read.map_err(|error| match error.kind {
        LogErrorKind::UnknownTopic => Failure::Usage(format!("{error}: run `concord topics apply` first")),
        _ => Failure::other("reading the routes", error),
    })?;
    let mut said = Said::new();
    for status in by_key.into_values() {
        if let Some(route) = status["route"].as_str() {
            said.entry(route.to_string()).or_default().push(status.clone());
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Tuesday afternoon.
    const NOW_MS: i64 = 1_628_602_800_000;

    fn route() -> Route {
        Route { name: "mesh".to_string(), sources: vec!["*".to_string()], hours: Vec::new() }
    }

    fn said(open: bool, switched: &str, since_ms: i64, waiting: i64) -> Value {
        json!({
            "route": "mesh", "open": open, "switched": switched, "by": "A. Person", "reason": "PDS is down",
            "since_ms": since_ms, "until_ms": 0, "waiting": waiting,
        })
    }

    #[test]
    fn a_route_of_which_nothing_was_said_follows_its_hours() {
        let shown = together("mesh", None, 2, Some(&route()), NOW_MS);
        assert_eq!(as_text(&shown), "mesh             open           0 waiting  by its hours");
    }

    #[test]
    fn a_closed_route_names_who_closed_it_and_counts_those_who_wait_everywhere() {
        let statuses = vec![said(false, "CLOSED", NOW_MS, 2), said(false, "CLOSED", NOW_MS - 1, 3)];
        let shown = together("mesh", Some(&statuses), 2, Some(&route()), NOW_MS);
        assert_eq!(
            as_text(&shown),
            "mesh             closed         5 waiting  since 2021-08-10T13:40:00Z  switched closed by A. Person (PDS is down)"
        );
    }

    #[test]
    fn a_route_whose_partitions_disagree_is_changing() {
        let one = vec![said(false, "CLOSED", NOW_MS, 0)];
        assert_eq!(together("mesh", Some(&one), 2, Some(&route()), NOW_MS)["state"], "changing");
        assert_eq!(together("mesh", Some(&one), 1, None, NOW_MS)["configured"], false);
    }
}
