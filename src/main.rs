//! The `concord` program: it wires the parts together and owns no logic.

mod cli;
mod demo;
mod failure;
mod progress;
mod publish;
mod reconcile;
mod summary;

use std::process::ExitCode;

use clap::Parser;
use concord_flows::list_reconciliation::{OnInvalid, Profile, Settings, topology};
use jiff::Timestamp;

use cli::{Cli, Command, Format, OnInvalidName, ProfileName, ReconcileArgs, TopologyCommand};
use failure::Failure;
use progress::Progress;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        Command::Demo(args) => demo::demo(args.patients, args.seed, &args.out),
        Command::Reconcile(args) => reconcile_files(args),
        Command::Topology(TopologyCommand::Describe { format }) => describe(format),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Usage(message) | Failure::Other(message) = &failure {
                eprintln!("concord: {message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn reconcile_files(args: ReconcileArgs) -> Result<(), Failure> {
    let profile = match args.profile {
        ProfileName::Fixed => Profile::Fixed,
        ProfileName::Compatible => Profile::Compatible,
    };
    let on_invalid = match args.on_invalid {
        OnInvalidName::Reject => OnInvalid::Reject,
        OnInvalidName::Quarantine => OnInvalid::Quarantine,
    };
    let request = reconcile::Request {
        extracts: args.extract,
        pds: args.pds,
        registrations: args.registrations,
        out: args.out,
        at: args.at.unwrap_or_else(Timestamp::now),
        flow: reconcile::flow_settings(profile, on_invalid),
    };
    let mut progress = Progress::new();
    let outcome = reconcile::reconcile(&request, &mut |doing, done, waiting| progress.show(doing, done, waiting));
    progress.end();
    let outcome = outcome?;
    if args.json {
        println!("{}", reconcile::jobs_as_json(&outcome.jobs));
    } else {
        print!("{}", summary::of(&outcome, &request.out));
    }
    let mut rejected = false;
    for job in outcome.jobs.iter().filter(|job| job.status != "RECONCILED") {
        rejected = true;
        eprintln!("{} was not reconciled ({}):", job.file, job.status.to_lowercase());
        for reason in &job.reasons {
            eprintln!("  {reason}");
        }
        if job.invalid_records > 0 {
            let report = request.out.join(&job.job_id).join("validation.json");
            eprintln!("  {} invalid records; the reasons by line are in {}", job.invalid_records, report.display());
        }
    }
    if rejected { Err(Failure::Rejected) } else { Ok(()) }
}

fn describe(format: Format) -> Result<(), Failure> {
    let topology = topology(&Settings::default()).map_err(|e| Failure::other("building the topology", e))?;
    match format {
        Format::Text => print!("{}", topology.describe_as_text()),
        Format::Mermaid => print!("{}", topology.describe_as_mermaid()),
        Format::Json => println!("{:#}", topology.describe_as_json()),
    }
    Ok(())
}
