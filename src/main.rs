//! The `concord` program: it wires the parts together and owns no logic.

mod audit;
mod cli;
mod cluster;
mod config;
mod connect;
mod connect_pds;
mod dead_letters_command;
mod demo;
mod documents;
mod explain_command;
mod failure;
mod health;
mod http;
mod jobs_command;
mod operator;
mod output;
mod patients;
mod post_office_command;
mod progress;
mod publish;
mod reconcile;
mod rejected_rows;
mod rules_command;
mod run;
mod store_command;
mod stores;
mod summary;
mod topics_command;
mod validate;
mod verify;
mod watchdog;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use concord_engine::topology::{Compatibility, Fingerprint};
use concord_flows::list_reconciliation::{self, OnInvalid};
use concord_flows::{patient_documents, sequence_audit};
use jiff::Timestamp;

use cli::{
    Cli, Command, ConnectCommand, DeadLettersCommand, FlowName, Format, OnInvalidName, ProduceArgs, ProduceCommand,
    ReconcileArgs, TopicsCommand, TopologyCommand, ValidateArgs,
};
use config::Config;
use connect::Connector;
use failure::Failure;
use progress::Progress;
use reconcile::{DeadLetters, JobResult};
use rejected_rows::RejectedRows;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the log tells unless `CONCORD_LOG` says otherwise: warnings, and what is removed for its age.
const TOLD: &str = "warn,concord_connectors::connect::retention=info";

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Before there is a thread beside this one, and with nothing to tell: what is read is in documents of patients.
    if let Command::ReadDocuments { limits } = &cli.command {
        return match concord_documents::serve(limits) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(TOLD)),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        Command::ReadDocuments { .. } => Ok(()),
        Command::Demo(args) => demo::demo(args.patients, args.seed, &args.out),
        Command::Reconcile(args) => reconcile_files(args),
        Command::Validate(args) => validate_extract(args),
        Command::Audit(args) => audit::audit(args),
        Command::Documents(command) => documents::documents(command),
        Command::Patients(command) => patients::patients(command),
        Command::Rules(command) => rules_command::rules(command),
        Command::Run(args) => run::run(&args.config, args.accept_migration),
        Command::Topics(TopicsCommand::Plan(args)) => topics_command::plan(&args.config),
        Command::Topics(TopicsCommand::Apply(args)) => topics_command::apply(&args.config),
        Command::Topics(TopicsCommand::List(args)) => topics_command::list(&args.config),
        Command::Produce(command) => produce(&command),
        Command::Topology(TopologyCommand::Describe { format, flow }) => describe(format, flow),
        Command::Topology(TopologyCommand::Check(args)) => check(&args.config),
        Command::Store(command) => store_command::store(command),
        Command::DeadLetters(DeadLettersCommand::List { config, flow, code }) => {
            dead_letters_command::list(&config, flow, code.as_deref())
        }
        Command::DeadLetters(DeadLettersCommand::Show { letter, config, flow }) => {
            dead_letters_command::show(&config, flow, letter)
        }
        Command::DeadLetters(DeadLettersCommand::Replay(args)) => dead_letters_command::replay(args),
        Command::Explain(args) => explain_command::explain(&args),
        Command::Verify(args) => verify::verify(&args.config, args.json),
        Command::Jobs(command) => jobs_command::jobs(command),
        Command::PostOffice(command) => post_office_command::post_office(command),
        Command::Connect(ConnectCommand::Mesh(args)) => connect::connect(Connector::Mesh, &args.config),
        Command::Connect(ConnectCommand::Files(args)) => connect::connect(Connector::Files, &args.config),
        Command::Connect(ConnectCommand::Mail(args)) => connect::connect(Connector::Mail, &args.config),
        Command::Connect(ConnectCommand::Pds(args)) => connect_pds::run(&args.config),
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
        flow: reconcile::flow_settings(args.profile.into(), on_invalid, args.mail_to),
    };
    let mut progress = Progress::new();
    let outcome = reconcile::reconcile(&request, &mut |doing, done, waiting| progress.show(doing, done, waiting));
    progress.end();
    let outcome = outcome?;
    if args.json {
        println!("{}", reconcile::as_json(&outcome));
    } else {
        print!("{}", summary::of(&outcome, &request.out));
    }
    for job in &outcome.jobs {
        tell_reasons(job, &request.out);
    }
    tell_dead_letters(&outcome.dead_letters);
    let has_ended = |job: &JobResult| job.status == "RECONCILED" || job.status == "REJECTED";
    if let Some(job) = outcome.jobs.iter().find(|job| !has_ended(job)) {
        return Err(Failure::Other(format!("the job of {} ended as {}", job.file, job.status)));
    }
    if outcome.jobs.iter().any(|job| job.status == "REJECTED") { Err(Failure::Rejected) } else { Ok(()) }
}

fn validate_extract(args: ValidateArgs) -> Result<(), Failure> {
    validate::validate(&validate::Request {
        file: args.file,
        out: args.out,
        at: args.at.unwrap_or_else(Timestamp::now),
        profile: args.profile.into(),
        invalid_threshold: args.invalid_threshold,
        include_reason: args.include_reason,
    })
}

/// Why a file, or some of its records, were refused; on stderr, without what they say of anybody.
fn tell_reasons(job: &JobResult, out: &Path) {
    if job.status == "RECONCILED" && job.invalid_records == 0 {
        return;
    }
    eprintln!("{} {}:", job.file, job.status.to_lowercase());
    for reason in &job.reasons {
        eprintln!("  {reason}");
    }
    if job.invalid_records > 0 {
        let report = out.join(&job.job_id).join(reconcile::VALIDATION);
        eprintln!("  {} invalid records; the reasons by line are in {}", job.invalid_records, report.display());
    }
}

/// Records that came to nothing; on stderr, without what they say of anybody.
fn tell_dead_letters(letters: &DeadLetters) {
    if letters.count == 0 {
        return;
    }
    eprintln!("{} records could not be processed, and are in none of the results:", letters.count);
    for letter in &letters.first {
        eprintln!("  {letter}");
    }
    let left = letters.count - letters.first.len() as u64;
    if left > 0 {
        eprintln!("  and {left} more");
    }
}

fn produce(command: &ProduceCommand) -> Result<(), Failure> {
    let args = match command {
        ProduceCommand::History(args) => return audit::produce_history(args),
        ProduceCommand::Baseline(args) => return audit::produce_baseline(args),
        ProduceCommand::Extract(args)
        | ProduceCommand::Pds(args)
        | ProduceCommand::Registrations(args)
        | ProduceCommand::DpsAnswer(args)
        | ProduceCommand::Interchange(args) => args,
    };
    let mut producer = producer(args)?;
    let mut rejected = RejectedRows::told();
    let mut published = 0;
    for file in &args.files {
        match command {
            ProduceCommand::Extract(_) => println!("job {}", producer.extract(file)?),
            ProduceCommand::Pds(_) => {
                published += producer.pds(file, Config::read(&args.config)?.flow().profile, &mut rejected)?;
            }
            ProduceCommand::Registrations(_) => published += producer.registrations(file, &mut rejected)?,
            ProduceCommand::DpsAnswer(_) => match producer.dps_answer(file)? {
                Some(job_id) => println!("answer about job {job_id}"),
                None => println!("answer about no job: its header cannot be read"),
            },
            ProduceCommand::Interchange(_) => println!("interchanges {}", producer.interchange(file)?),
            ProduceCommand::History(_) | ProduceCommand::Baseline(_) => {}
        }
    }
    if matches!(command, ProduceCommand::Pds(_) | ProduceCommand::Registrations(_)) {
        println!("{published} records published, {} rows rejected", rejected.end()?);
    }
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
    let topologies = config.topologies()?;
    let (verdict, reasons, fits) = match cluster::verdict_on_state(&config.instance.state_dir, &topologies)? {
        Compatibility::Same => ("same", Vec::new(), true),
        Compatibility::Compatible(reasons) => ("compatible", reasons, true),
        Compatibility::NeedsMigration(reasons) => ("needs migration", reasons, false),
        Compatibility::Refused(reasons) => ("refused", reasons, false),
    };
    let fingerprints: Vec<String> = topologies.iter().map(|topology| Fingerprint::of(topology).short()).collect();
    println!("{verdict} (topology {})", fingerprints.join(", "));
    for reason in reasons {
        println!("  {reason}");
    }
    if fits { Ok(()) } else { Err(Failure::Other("the state does not fit this topology".to_string())) }
}

fn describe(format: Format, flow: FlowName) -> Result<(), Failure> {
    let topology = match flow {
        FlowName::ListReconciliation => list_reconciliation::topology(&list_reconciliation::Settings::default()),
        FlowName::SequenceAudit => sequence_audit::topology(&sequence_audit::Settings::default()),
        FlowName::PatientDocuments => patient_documents::topology(&patient_documents::Settings::default()),
    };
    let topology = topology.map_err(|e| Failure::other("building the topology", e))?;
    match format {
        Format::Text => print!("{}", topology.describe_as_text()),
        Format::Mermaid => print!("{}", topology.describe_as_mermaid()),
        Format::Json => println!("{:#}", topology.describe_as_json()),
    }
    Ok(())
}
