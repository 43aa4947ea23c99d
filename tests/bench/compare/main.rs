//! Concord beside a bare pass-through and beside Kafka Streams: the same input, broker and machine, in turns.
//!
//! `scripts/bench.sh compare` builds what it needs, starts a broker and runs it. Three arms:
//! P copies records in transactions, S is Concord, K is Kafka Streams (`../kafka_streams`). Three workloads:
//!
//! - W0 decodes, encodes and writes each record.
//! - W1 finds gaps in the numbers that senders give their messages: a store has the highest number of each sender, another
//!   the numbers that are missing. Output are gaps found, and missing numbers that came after all.
//! - W2 loads a reference list into a store, then looks each record of another list up, compares 13 fields, remembers the
//!   outcome in a second store, and writes what differs or is missing.
//!
//! Each run is of a process of its own, of which time, CPU and memory are taken from outside; progress is what the group has
//! committed. An arm's output is compared with what the generator knows.

mod arms;
mod bench;
mod case;
mod inputs;
#[path = "../pass_through.rs"]
mod pass_through;
mod process;
mod random;
mod report;
mod topics;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arms::{ArmSettings, Workload, concord};
use bench::{Arm, Bench};
use case::{CASES, Case, Sizes};
use report::Results;
use topics::Topics;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the user asked for.
struct Arguments {
    repeats: usize,
    sizes: Sizes,
    json: bool,
    threads: usize,
    cases: Vec<Case>,
    arms: Vec<Arm>,
    only_throughput: bool,
    /// Run folder of `scripts/parts kafka`.
    broker: PathBuf,
    kafka_streams: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("arm-s") => ArmSettings::from_arguments(&arguments).and_then(|settings| concord::run(&settings)),
        Some("arm-p") => {
            ArmSettings::from_arguments(&arguments).and_then(|settings| arms::pass_through::run(&settings))
        }
        _ => compare(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(given: &[String]) -> Result<Option<Arguments>> {
    let mut arguments = Arguments {
        repeats: 3,
        sizes: Sizes::FULL,
        json: false,
        threads: 2,
        cases: CASES.to_vec(),
        arms: vec![Arm::PassThrough, Arm::Concord, Arm::KafkaStreamsG1, Arm::KafkaStreamsParallel],
        only_throughput: false,
        broker: PathBuf::new(),
        kafka_streams: None,
    };
    let mut given = given.iter();
    while let Some(name) = given.next() {
        match name.as_str() {
            "--json" => arguments.json = true,
            "--quick" => arguments.sizes = Sizes::QUICK,
            "--only-throughput" => arguments.only_throughput = true,
            _ => {
                let value = given.next().ok_or_else(|| format!("{name} needs a value, or is not known"))?;
                match name.as_str() {
                    "--repeats" => arguments.repeats = value.parse()?,
                    "--threads" => arguments.threads = value.parse()?,
                    "--cases" => {
                        arguments.cases = value.split(',').map(case_named).collect::<Result<_>>()?;
                    }
                    "--arms" => arguments.arms.retain(|arm| value.contains(&arm.name()[..1])),
                    "--broker" => arguments.broker = value.into(),
                    "--kafka-streams" => arguments.kafka_streams = Some(value.clone()),
                    _ => return Err(format!("{name} is not known").into()),
                }
            }
        }
    }
    if arguments.broker.as_os_str().is_empty() {
        return Ok(None);
    }
    if arguments.repeats == 0 || arguments.threads == 0 || arguments.cases.is_empty() || arguments.arms.is_empty() {
        return Err("--repeats, --threads, --cases and --arms must leave something to be measured".into());
    }
    Ok(Some(arguments))
}

fn case_named(name: &str) -> Result<Case> {
    let case = CASES.iter().find(|case| case.name == name);
    Ok(*case.ok_or_else(|| format!("there is no case {name}: {}", CASES.map(|c| c.name).join(", ")))?)
}

fn compare(given: &[String]) -> Result<()> {
    let Some(arguments) = parse(given)? else {
        println!("SKIPPED: the comparison needs a broker and its run folder: scripts/bench.sh compare starts one");
        return Ok(());
    };
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").map_err(|_| "KAFKA_BOOTSTRAP is not set")?;
    let prefix = format!("bench-{}", std::process::id());
    let mut bench = Bench {
        topics: Topics::of(&bootstrap)?,
        bootstrap,
        broker_pid: std::fs::read_to_string(arguments.broker.join("kafka/pid"))?.trim().parse()?,
        broker_data: arguments.broker.join("kafka/data"),
        folder: std::env::temp_dir().join(&prefix),
        prefix,
        sizes: arguments.sizes,
        threads: arguments.threads,
        kafka_streams: arguments.kafka_streams.clone(),
        runs: 0,
    };
    std::fs::create_dir_all(&bench.folder)?;
    let outcome = measure(&mut bench, &arguments);
    // What is left of a failed run goes with the broker's folder.
    remove(&bench.folder)?;
    let results = outcome?;
    results.print();
    if arguments.json {
        println!("{}", results.to_json());
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    Ok(std::fs::remove_dir_all(folder)?)
}

fn measure(bench: &mut Bench, arguments: &Arguments) -> Result<Results> {
    let mut results = Results::default();
    for case in &arguments.cases {
        eprintln!("{}: writing the input", case.name);
        let name = bench.fresh_name("input");
        let prepared = match case.workload {
            Workload::W2 => case::reference(&bench.topics, &name, bench.sizes.persons)?,
            Workload::W0 | Workload::W1 => case::messages(&bench.topics, &name, case.senders, bench.sizes.messages)?,
        };
        let case_results = results.0.entry(case.name).or_default();
        for repeat in 1..=arguments.repeats {
            for arm in &arguments.arms {
                eprintln!("{}: repeat {repeat} of {}", case.name, arguments.repeats);
                let measured = bench.throughput(*arm, case, &prepared)?;
                eprintln!(
                    "    {:.0} records/s, {:.2} us a record (broker {:.2}), {:.0} MiB; others {:.2} processors",
                    measured.records_a_second,
                    measured.cpu_us,
                    measured.broker_cpu_us,
                    measured.peak_mib,
                    measured.others
                );
                case_results.runs.entry(*arm).or_default().push(measured);
            }
        }
        if case.whole && !arguments.only_throughput {
            let reference = (case.workload == Workload::W2).then_some(&prepared);
            let s = arguments.arms.contains(&Arm::Concord).then_some(Arm::Concord);
            for _ in 1..=arguments.repeats {
                for arm in s.into_iter().chain(case_results.better_kafka_streams()) {
                    let Some(rate) = case_results.load_for_latency(arm, case.workload) else { continue };
                    eprintln!("{}: latency of {} at {rate:.0} records/s", case.name, arm.name());
                    let latency = bench.latency(arm, case, reference, rate)?;
                    eprintln!(
                        "    p50 {} ms, p99 {} ms; the publisher was late by {} ms at most",
                        latency.p50, latency.p99, latency.publisher_late
                    );
                    case_results.latencies.entry(arm).or_default().push(latency);
                }
            }
        }
        bench.topics.delete(&name)?;
    }
    Ok(results)
}
