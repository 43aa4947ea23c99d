//! The part of the command line for operators of jobs and of the post office.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use concord_flows::list_reconciliation::JobStatus;
use concord_flows::list_reconciliation::post_office::DEFAULT_ROUTE;
use jiff::Timestamp;

/// `concord jobs`
#[derive(Subcommand)]
pub enum JobsCommand {
    /// Every job with its status, oldest first.
    #[command(after_help = "Example:\n  concord jobs list --status waiting --config concord.toml")]
    List(JobsListArgs),
    /// One job: its history, counts, files, mails and deliveries.
    Show(JobsShowArgs),
    /// Reconcile a job's file again, from what gp.extract still has of it. The re-run is a job of its own.
    #[command(
        after_help = "Files are kept for 30 days. The re-run has the processing time of the first job, so that its age \
        is judged alike. Asked for twice before the first re-run has begun, it is one re-run.\n\n\
        Example:\n  concord jobs rerun 142ab507-2cb6-83c5-af32-891d83af0e53 --config concord.toml"
    )]
    Rerun(JobsRerunArgs),
    /// End a job, and drop what is kept of it: pieces, rows, timers. What has left already stays where it went.
    #[command(
        after_help = "Example:\n  concord jobs cleanup 142ab507-2cb6-83c5-af32-891d83af0e53 --by \"A. Person\" --reason \"sent by mistake\" \
        --config concord.toml"
    )]
    Cleanup(JobsCleanupArgs),
}

/// `concord jobs list`
#[derive(Args)]
pub struct JobsListArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Only those with this status, such as RECONCILED or waiting.
    #[arg(long, value_parser = status)]
    pub status: Option<JobStatus>,
    /// Only those of this practice.
    #[arg(long)]
    pub practice: Option<String>,
    /// Print the whole jobs as JSON, one a line.
    #[arg(long)]
    pub json: bool,
}

/// `concord jobs show`
#[derive(Args)]
pub struct JobsShowArgs {
    /// The job's id.
    pub id: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `concord jobs rerun`
#[derive(Args)]
pub struct JobsRerunArgs {
    /// The job's id, or that of one of its re-runs.
    pub id: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Processing time, such as 2021-08-10T13:40:00Z; that of the first job, if not given.
    #[arg(long)]
    pub at: Option<Timestamp>,
}

/// `concord jobs cleanup`
#[derive(Args)]
pub struct JobsCleanupArgs {
    /// The job's id.
    pub id: String,
    /// Who wants it.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord post-office`
#[derive(Subcommand)]
pub enum PostOfficeCommand {
    /// Let files of a route go on, whatever its hours; those that wait go on too.
    #[command(after_help = "Example:\n  concord post-office open --by \"A. Person\" --config concord.toml")]
    Open(SwitchArgs),
    /// Let files of a route wait, whatever its hours. They are received and kept.
    #[command(
        after_help = "Example:\n  concord post-office close --by \"A. Person\" --reason \"PDS is down\" --config concord.toml"
    )]
    Close(SwitchArgs),
    /// Give a route back to its hours. Also after its hours were changed.
    Auto(SwitchArgs),
    /// Every route: open or closed, since when, by whom, and how many files wait.
    Status(PostOfficeStatusArgs),
}

/// `concord post-office open`, `close` and `auto`
#[derive(Args)]
pub struct SwitchArgs {
    /// The route.
    #[arg(long, default_value = DEFAULT_ROUTE)]
    pub route: String,
    /// Who wants it.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

/// `concord post-office status`
#[derive(Args)]
pub struct PostOfficeStatusArgs {
    /// Configuration file (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn status(name: &str) -> Result<JobStatus, String> {
    JobStatus::of(name).ok_or_else(|| {
        let known: Vec<&str> = JobStatus::all().map(JobStatus::as_str).collect();
        format!("there is no such status: write one of {}", known.join(", "))
    })
}
