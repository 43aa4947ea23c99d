//! Concord beside a bare pass-through and beside Kafka Streams: the same input, broker and machine, in turns.
//!
//! Three arms:
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

mod bench;
mod case;
mod report;

use std::str::FromStr;

use crate::Result;
use crate::arms::Workload;
use crate::inputs::feed;
use crate::stage::{Stage, StageOptions};
use bench::{Arm, Bench};
use case::{CASES, Case, Sizes};
use report::Results;

/// Concord (S) beside a bare transactional pass-through (P) and Kafka Streams (K)
///
/// The same input, broker and machine, in turns. Fails when an arm writes anything else than what the generator expects.
/// A whole run takes about an hour. Close other programs first: the report says how busy they kept the machine.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Runs of each arm; the report has the median, the least and the greatest [default: 3]
    #[arg(long)]
    repeats: Option<usize>,
    /// Threads of each arm
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Of W0, W1, W1-zipf, W2, W2-narrow, separated by commas; all without it
    #[arg(long, value_delimiter = ',')]
    cases: Vec<CaseName>,
    /// Some of the arms only
    #[arg(long, default_value = "PSK")]
    arms: String,
    /// Without the runs at half load
    #[arg(long)]
    only_throughput: bool,
    /// Class path of the Kafka Streams arm; the script gives it.
    #[arg(long, hide = true)]
    kafka_streams: Option<String>,
}

#[derive(Debug, Clone)]
struct CaseName(Case);

impl FromStr for CaseName {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let case = CASES.iter().find(|case| case.name == name);
        let case = case.ok_or_else(|| format!("there is no case {name}: {}", CASES.map(|c| c.name).join(", ")))?;
        Ok(Self(*case))
    }
}

/// What is to be run.
struct Plan {
    repeats: usize,
    cases: Vec<Case>,
    arms: Vec<Arm>,
    only_throughput: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let mut arms = vec![Arm::PassThrough, Arm::Concord, Arm::KafkaStreamsG1, Arm::KafkaStreamsParallel];
    arms.retain(|arm| options.arms.contains(&arm.name()[..1]));
    let mut cases: Vec<Case> = options.cases.iter().map(|name| name.0).collect();
    if cases.is_empty() {
        cases = CASES.to_vec();
    }
    let repeats = options.stage.size(options.repeats, 3, 1);
    if repeats == 0 || options.threads == 0 || arms.is_empty() {
        return Err("--repeats, --threads and --arms must leave something to be measured".into());
    }
    let mut bench = Bench {
        stage: Stage::new(&options.stage)?,
        sizes: options.stage.size(None, Sizes::FULL, Sizes::QUICK),
        threads: options.threads,
        kafka_streams: options.kafka_streams.clone(),
    };
    let mut results = Results::default();
    let plan = Plan { repeats, cases, arms, only_throughput: options.only_throughput };
    let outcome = measure(&mut bench, &plan, &mut results);
    // What was measured before an arm failed is shown all the same.
    results.print();
    outcome?;
    if options.stage.json {
        println!("{}", results.to_json());
    }
    Ok(())
}

fn measure(bench: &mut Bench, plan: &Plan, results: &mut Results) -> Result<()> {
    for case in &plan.cases {
        eprintln!("{}: writing the input", case.name);
        let name = bench.stage.fresh_name("input");
        let prepared = match case.workload {
            Workload::W2 => feed::reference(&bench.stage.topics, &name, bench.sizes.persons)?,
            Workload::W0 | Workload::W1 => {
                feed::messages(&bench.stage.topics, &name, case.senders, bench.sizes.messages)?
            }
        };
        let case_results = results.0.entry(case.name).or_default();
        for repeat in 1..=plan.repeats {
            for arm in &plan.arms {
                eprintln!("{}: repeat {repeat} of {}", case.name, plan.repeats);
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
        if case.whole && !plan.only_throughput {
            let reference = (case.workload == Workload::W2).then_some(&prepared);
            let s = plan.arms.contains(&Arm::Concord).then_some(Arm::Concord);
            for _ in 1..=plan.repeats {
                for arm in s.into_iter().chain(case_results.better_kafka_streams()) {
                    eprintln!("{}: latency of {}", case.name, arm.name());
                    let latency = bench.latency(arm, case, reference)?;
                    eprintln!(
                        "    {:.0} records/s live; at {:.0} p50 {} ms, p99 {} ms; the publisher was late by {} ms at most",
                        latency.live, latency.rate, latency.p50, latency.p99, latency.publisher_late
                    );
                    case_results.latencies.entry(arm).or_default().push(latency);
                }
            }
        }
        bench.stage.topics.delete(&name)?;
    }
    Ok(())
}
