//! `concord jobs`: what became of files, and what operators do about it.

mod rerun;
mod shown;

use std::collections::BTreeMap;

use concord_engine::log::{LogErrorKind, read_whole_topic};
use concord_flows::list_reconciliation::topology::JOB;
use concord_schemas::codec;
use concord_schemas::list_reconciliation::CommandAction;
use serde_json::Value;

use crate::cli::{JobsCleanupArgs, JobsCommand, JobsListArgs, JobsShowArgs};
use crate::cluster;
use crate::config::Config;
use crate::failure::Failure;
use crate::operator::Desk;
use crate::output;

/// Runs one of them.
///
/// # Errors
/// The cluster cannot be reached, or there is no such job.
pub fn jobs(command: JobsCommand) -> Result<(), Failure> {
    match command {
        JobsCommand::List(args) => list(&args),
        JobsCommand::Show(args) => show(&args),
        JobsCommand::Rerun(args) => rerun::rerun(&args),
        JobsCommand::Cleanup(args) => clean_up(&args),
    }
}

fn list(args: &JobsListArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    let mut jobs: Vec<Value> = read(&config)?.into_values().collect();
    jobs.retain(|job| {
        args.status.is_none_or(|status| job["status"] == status.as_str())
            && args.practice.as_ref().is_none_or(|practice| job["practice"] == **practice)
    });
    jobs.sort_by_key(|job| (job["history"][0]["at_ms"].as_i64(), job["job_id"].as_str().map(str::to_owned)));
    if !args.json {
        output::line(shown::HEADING);
    }
    for job in &jobs {
        if args.json { output::line(job) } else { output::line(shown::row(job)) }
    }
    if !args.json {
        eprintln!("{} jobs.", jobs.len());
    }
    Ok(())
}

fn show(args: &JobsShowArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    let jobs = read(&config)?;
    let job = jobs.get(&args.id).ok_or_else(|| unknown(&args.id))?;
    if args.json {
        output::line(format_args!("{job:#}"));
    } else {
        output::line(shown::whole(job).trim_end());
    }
    Ok(())
}

fn clean_up(args: &JobsCleanupArgs) -> Result<(), Failure> {
    let config = Config::read_with_lists(&args.config)?;
    if !read(&config)?.contains_key(&args.id) {
        return Err(unknown(&args.id));
    }
    Desk::open(&config)?.command(CommandAction::CleanUpJob, &args.id, &args.by, &args.reason)?;
    output::line(format_args!("{} will be cleaned up; `concord jobs show` tells when it is", args.id));
    Ok(())
}

/// The last record of every job.
fn read(config: &Config) -> Result<BTreeMap<String, Value>, Failure> {
    let log = cluster::connect(config)?;
    let mut readable = cluster::readable_values(config);
    let mut jobs = BTreeMap::new();
    let mut unreadable = 0;
    let read = read_whole_topic(&log, JOB, &mut |_, record| {
        let (Some(key), Some(value)) = (record.key, record.value) else { return };
        let job = readable.value(&value, Some(&codec::JOB))["value"].take();
        if job.is_object() {
            jobs.insert(String::from_utf8_lossy(&key).into_owned(), job);
        } else {
            unreadable += 1;
        }
    });
    read.map_err(|error| match error.kind {
        LogErrorKind::UnknownTopic => Failure::Usage(format!("{error}: run `concord topics apply` first")),
        _ => Failure::other("reading the jobs", error),
    })?;
    if unreadable > 0 {
        eprintln!("{unreadable} records of {JOB} are of a version that cannot be read here");
    }
    Ok(jobs)
}

fn unknown(job_id: &str) -> Failure {
    Failure::Other(format!("there is no job {job_id}: `concord jobs list` shows those there are"))
}
