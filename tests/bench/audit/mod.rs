//! The sequence audit: its rate on a broker, how soon a gap shows, what its state costs, and what a question to it costs.

mod flow;
mod latency;
mod question;
mod rules;
mod state;
mod traffic;

use std::time::Duration;

use serde_json::json;

use crate::Result;
use crate::figures::table::Table;
use crate::program::{Program, ProgramSettings};
use crate::stage::{Stage, StageOptions};
use flow::Passed;
use traffic::Traffic;

const LONGEST: Duration = Duration::from_secs(3_600);
/// Interchanges of each link before the first look at the state.
const FEW: u64 = 10;
/// Half load: the share of its rate at which the flow is fed while latency is measured.
const HALF: f64 = 0.5;

/// The sequence audit beside a bare transactional pass-through of the same bytes, its state, and questions to it
///
/// Practices and Health Authorities in pairs, two links each: a registration with one message and one transaction, then its
/// receipt, pair by pair and round by round, so that all links are always in use.
///
/// First, `concord run` (S) reads ten interchanges of each link, then all the others, from its start to the last commit of all
/// that they lead to; P copies the topic of interchanges. The state is looked at behind each.
///
/// Then it reads half as many again, with the states that it has by then, each of which costs more than at first. Then they are
/// published as fast as it takes them, for half a minute; and then half as many a second, of which one in 101 registrations
/// never comes. Measured is the time from the moment
/// at which the interchange was due that reveals it, to the moment at which a reader of committed records has the finding,
/// for the gap of the interchange, of its message, and of its transaction.
///
/// Then the rules alone, without log and disk, take in more interchanges on as many links, and the states are measured as
/// they would be stored.
///
/// Last, the numbers missing on a link are asked for, on the state that the flow has left.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Links, two to a pair [default: 10000]
    #[arg(long)]
    links: Option<u64>,
    /// Interchanges for S and P [default: 1000000]
    #[arg(long)]
    interchanges: Option<u64>,
    /// How long interchanges come while latency is measured, seconds; of these the first two fifths are not measured [default: 240]
    #[arg(long)]
    seconds: Option<u64>,
    /// What comes meanwhile, as a share of what the program takes while it comes
    #[arg(long, default_value_t = HALF)]
    load: f64,
    /// Between two commits while latency is measured, milliseconds: each is measured for so long
    #[arg(long, value_delimiter = ',', default_values_t = [100])]
    commit_intervals_ms: Vec<u64>,
    /// Interchanges for the rules alone [default: 10000000]
    #[arg(long)]
    by_rules: Option<u64>,
    /// Documents among which the earlier query looked for numbers [default: 1000000]
    #[arg(long)]
    documents: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Of every topic
    #[arg(long, default_value_t = 2)]
    partitions: i32,
    /// Memory budget
    #[arg(long, default_value_t = 512)]
    memory_mib: usize,
}

pub fn run(options: &Options) -> Result<()> {
    let size = &options.stage;
    let pairs = size.size(options.links, 10_000, 200) / 2;
    let interchanges = size.size(options.interchanges, 1_000_000, 20_000);
    let seconds = size.size(options.seconds, 240, 10);
    let by_rules = size.size(options.by_rules, 10_000_000, 100_000);
    let documents = size.size(options.documents, 1_000_000, 10_000);
    let few = 2 * pairs * FEW;
    if pairs == 0 || seconds == 0 || interchanges <= few || documents < 2 * pairs {
        return Err(format!(
            "--links must be 2 or more, --seconds 1 or more, --interchanges more than {FEW} a link, --documents one a link"
        )
        .into());
    }
    let mut stage = Stage::new(size)?;
    stage.topics.partitions = options.partitions;
    let settings = ProgramSettings {
        bootstrap: stage.broker.bootstrap.clone(),
        flow: "sequence_audit",
        section: "",
        application: "bench".to_owned(),
        workers: options.workers,
        partitions: options.partitions,
        memory_mib: options.memory_mib,
        commit_interval_ms: None,
    };
    let program = Program::new(settings.clone(), &stage.folder)?;
    let mut traffic = Traffic::between(pairs);
    let mut states = Table::of(state::COLUMNS);

    let first = flow::pass(&stage, &program, &mut traffic, few)?;
    state::measure(&program, traffic.sent(), &first, &mut states)?;
    let passed = flow::pass(&stage, &program, &mut traffic, interchanges - few)?;
    let p = flow::bare(&program, traffic.sent())?;
    state::measure(&program, traffic.sent(), &passed, &mut states)?;
    let s = passed.interchanges_a_second();
    println!(
        "{} links, {} workers, {} partitions, budget {} MiB",
        2 * pairs,
        options.workers,
        options.partitions,
        options.memory_mib
    );
    println!("P pass-through      {p:>9.0} interchanges/s");
    println!("S concord run       {s:>9.0} interchanges/s  ({:.1} s, start included)", passed.took.as_secs_f64());
    println!("S/P                 {:>9.3}", s / p);
    println!("CPU of S            {:>9.1} microseconds an interchange", passed.cpu_us);
    println!("  of the broker     {:>9.1}", passed.broker_cpu_us);
    println!("other programs      {:>9.2} processors", passed.others);
    println!("records between the parts of S, an interchange: {:.2}", passed.internal_records);
    println!("changelogs          {:>9.0} bytes an interchange", passed.changelog_bytes);

    let then = flow::pass(&stage, &program, &mut traffic, interchanges / 2)?.interchanges_a_second();
    println!("S with these states {then:>9.0} interchanges/s");
    let mut latencies = Vec::new();
    for &interval in &options.commit_intervals_ms {
        let settings = ProgramSettings { commit_interval_ms: Some(interval), ..settings.clone() };
        let program = Program::new(settings, &stage.folder)?;
        let lasts = Duration::from_secs(seconds);
        let latency = latency::measure(&stage, &program, &mut traffic, options.load, lasts)?;
        println!("\na commit every {interval} ms");
        latency.print();
        latencies.push(json!({ "commit_interval_ms": interval, "found": latency.to_json() }));
    }

    println!("\nstate as the flow has left it, then by the rules alone (nothing is open about any message)");
    let asked = question::ask(&program.state, pairs, documents)?;
    states.print();
    let by_rules = rules::run(pairs, by_rules)?;
    by_rules.print();
    println!();
    asked.print();
    if size.json {
        let Passed { cpu_us, broker_cpu_us, peak_mib, .. } = passed;
        let figures = json!({
            "links": 2 * pairs, "interchanges": interchanges, "p_records_s": p, "s_records_s": s, "s_over_p": s / p,
            "s_then_records_s": then,
            "cpu_us": cpu_us, "broker_cpu_us": broker_cpu_us, "others": passed.others, "peak_mib": peak_mib,
            "changelog_bytes": passed.changelog_bytes, "latencies": latencies, "states": states.to_json(),
            "by_rules": by_rules.to_json(), "question": asked.to_json(), "budget_mib": options.memory_mib,
            "partitions": options.partitions,
        });
        println!("{figures}");
    }
    Ok(())
}
