//! The `concord` program: it wires the parts together and owns no logic.

mod cli;
mod cluster;
mod config;
mod demo;
mod failure;
mod health;
mod http;
mod progress;
mod publish;
mod reconcile;
mod run;
mod summary;
mod topics_command;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use concord_engine::topology::{Compatibility, Fingerprint};
use concord_flows::list_reconciliation::{OnInvalid, Profile, Settings, topology};
use jiff::Timestamp;

use cli::{
    Cli, Command, Format, OnInvalidName, ProduceArgs, ProduceCommand, ProfileName, ReconcileArgs, TopicsCommand,
    TopologyCommand,
};
use config::Config;
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
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        Command::Demo(args) => demo::demo(args.patients, args.seed, &args.out),
        Command::Reconcile(args) => reconcile_files(args),
        Command::Run(args) => run::run(&args.config, args.accept_migration),
        Command::Topics(TopicsCommand::Plan(args)) => topics_command::plan(&args.config),
        Command::Topics(TopicsCommand::Apply(args)) => topics_command::apply(&args.config),
        Command::Topics(TopicsCommand::List(args)) => topics_command::list(&args.config),
        Command::Produce(command) => produce(&command),
        Command::Topology(TopologyCommand::Describe { format }) => describe(format),
        Command::Topology(TopologyCommand::Check(args)) => check(&args.config),
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

fn produce(command: &ProduceCommand) -> Result<(), Failure> {
    let (ProduceCommand::Extract(args) | ProduceCommand::Pds(args) | ProduceCommand::Registrations(args)) = command;
    let mut producer = producer(args)?;
    let published = match command {
        ProduceCommand::Extract(_) => {
            println!("job {}", producer.extract(&args.file)?);
            return Ok(());
        }
        ProduceCommand::Pds(_) => producer.pds(&args.file, Config::read(&args.config)?.flow().profile)?,
        ProduceCommand::Registrations(_) => producer.registrations(&args.file)?,
    };
    println!("{} records published, {} rows rejected", published.records, published.rejected);
    Ok(())
}

fn producer(args: &ProduceArgs) -> Result<publish::Producer, Failure> {
    let config = Config::read(&args.config)?;
    let log = cluster::connect(&config)?;
    let schemas = cluster::schemas(&config)?;
    publish::Producer::new(&log, &schemas, args.at.unwrap_or_else(Timestamp::now))
}

fn check(config_file: &Path) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topology = topology(&config.flow()).map_err(|e| Failure::Usage(e.to_string()))?;
    let (verdict, reasons, fits) = match cluster::verdict_on_state(&config.instance.state_dir, &topology)? {
        Compatibility::Same => ("same", Vec::new(), true),
        Compatibility::Compatible(reasons) => ("compatible", reasons, true),
        Compatibility::NeedsMigration(reasons) => ("needs migration", reasons, false),
        Compatibility::Refused(reasons) => ("refused", reasons, false),
    };
    println!("{verdict} (topology {})", Fingerprint::of(&topology).short());
    for reason in reasons {
        println!("  {reason}");
    }
    if fits { Ok(()) } else { Err(Failure::Other("the state does not fit this topology".to_string())) }
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
