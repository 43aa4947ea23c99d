//! Whether the memory budget holds where it is hardest: while everything is restored, when the broker is slow, and with records
//! of very different sizes.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Result;
use crate::arms::{ArmSettings, Running, Workload};
use crate::broker::slow::{self, Slowness};
use crate::inputs::feed::{self, EPOCH_MS, Input, SEED};
use crate::inputs::random::Random;
use crate::inputs::{Made, PersonSource, Senders};
use crate::process::{peak_memory_mib, resident_memory_mib};
use crate::stage::{Stage, StageOptions, await_progress, await_started};

const SMALLEST_BYTES: f64 = 1_000.0;
const LARGEST_BYTES: f64 = 1_000_000.0;
/// Of the budget: what OPERATIONS advises as the limit of a container.
const HOLDS: f64 = 1.2;

/// Peak resident memory against the budget: full restore, slow broker, large records
///
/// Each case is of a process of its own. Restore: W2 gets its whole state from the changelog. Slow broker: W2 and W1 work off
/// a backlog through a proxy that delays and limits both ways. Large records: W2 with records of 1 KB to 1 MB, evenly spread
/// by the logarithm of their size; nearly each is stored, compared, and written out again.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Memory budget; half of it is for RocksDB
    #[arg(long, default_value_t = 512)]
    memory_mib: usize,
    /// Keys of the restore, and records of W2 on the slow broker [default: 1000000]
    #[arg(long)]
    keys: Option<u64>,
    /// Messages of W1 on the slow broker [default: 2000000]
    #[arg(long)]
    messages: Option<u64>,
    /// Large records [default: 4000]
    #[arg(long)]
    large: Option<u64>,
    /// Delay of the slow broker, each way
    #[arg(long, default_value_t = 50)]
    delay_ms: u64,
    /// What the slow broker lets through, each way, MiB a second
    #[arg(long, default_value_t = 8.0)]
    mib_a_second: f64,
    /// How long the slow broker is tried, at most, for each workload [default: 60]
    #[arg(long)]
    slow_s: Option<u64>,
}

struct Measured {
    case: &'static str,
    peak_mib: f64,
    seconds: f64,
}

pub fn run(options: &Options) -> Result<()> {
    let mut stage = Stage::new(&options.stage)?;
    let keys = options.stage.size(options.keys, 1_000_000, 30_000);
    let messages = options.stage.size(options.messages, 2_000_000, 60_000);
    let large = options.stage.size(options.large, 4_000, 200);
    let slow_for = Duration::from_secs(options.stage.size(options.slow_s, 60, 8));
    let slow = slow::open(Slowness {
        delay: Duration::from_millis(options.delay_ms),
        bytes_a_second: options.mib_a_second * f64::from(1 << 20),
    })?;
    let mut measured = idle_load_restore(&mut stage, options, keys)?;
    measured.push(slow_lists(&mut stage, options, keys, &slow, slow_for)?);
    measured.push(slow_messages(&mut stage, options, messages, &slow, slow_for)?);
    measured.extend(large_records(&mut stage, options, large)?);

    println!("budget {} MiB; peak resident memory", options.memory_mib);
    for Measured { case, peak_mib, seconds } in &measured {
        let share = peak_mib / options.memory_mib as f64;
        let verdict = if share <= HOLDS { "the budget holds" } else { "BEYOND the budget and a fifth" };
        println!("  {case:<34} {peak_mib:>7.0} MiB  {share:>5.2} of the budget, {verdict}  ({seconds:.1} s)");
    }
    println!("  The slow broker: {} ms and {} MiB/s each way.", options.delay_ms, options.mib_a_second);
    if options.stage.json {
        let cases: serde_json::Map<_, _> = measured
            .iter()
            .map(|m| (m.case.to_owned(), json!({"peak_mib": m.peak_mib, "seconds": m.seconds})))
            .collect();
        println!("{}", json!({"budget_mib": options.memory_mib, "cases": cases}));
    }
    Ok(())
}

fn settings(
    stage: &mut Stage,
    options: &Options,
    workload: Workload,
    input: &str,
    reference: &str,
) -> Result<ArmSettings> {
    Ok(ArmSettings { store_memory_mib: options.memory_mib / 2, ..stage.arm(workload, input, reference)? })
}

/// Takes the peak of a process that has done what it should, and ends it.
fn ended(case: &'static str, running: Running) -> Result<Measured> {
    let measured =
        Measured { case, peak_mib: peak_memory_mib(running.pid())?, seconds: running.started.elapsed().as_secs_f64() };
    eprintln!("    {case}: {:.0} MiB", measured.peak_mib);
    running.stop()?;
    Ok(measured)
}

/// Loads state the usual way, restores it from the changelog, and starts once with the state at hand.
fn idle_load_restore(stage: &mut Stage, options: &Options, keys: u64) -> Result<Vec<Measured>> {
    eprintln!("restore: loading {keys} keys");
    let reference = stage.fresh_name("reference");
    let reference = feed::reference(&stage.topics, &reference, keys)?;
    let extract = stage.fresh_name("extract");
    stage.topics.create(&extract)?;
    let settings = settings(stage, options, Workload::W2, &extract, &reference.topic)?;
    let progress = stage.topics.progress(&settings.application)?;
    let mut measured = Vec::new();
    let mut running = stage.start_concord(&settings)?;
    await_progress(&mut running, &progress, &reference)?;
    measured.push(ended("loading, for comparison", running)?);
    std::fs::remove_dir_all(&settings.state)?;
    let mut running = stage.start_concord(&settings)?;
    await_started(&mut running, &settings)?;
    measured.push(ended("full restore", running)?);
    let mut running = stage.start_concord(&settings)?;
    await_started(&mut running, &settings)?;
    let idle_mib = resident_memory_mib(running.pid())?;
    eprintln!("    with its state at hand and nothing to do: {idle_mib:.0} MiB");
    running.stop()?;
    stage.clean_up(&settings)?;
    stage.topics.delete(&reference.topic)?;
    stage.topics.delete(&extract)?;
    Ok(measured)
}

fn slow_lists(stage: &mut Stage, options: &Options, keys: u64, slow: &str, longest: Duration) -> Result<Measured> {
    let reference = stage.fresh_name("reference");
    let reference = feed::reference(&stage.topics, &reference, keys)?;
    let extract = stage.fresh_name("extract");
    stage.topics.create(&extract)?;
    let settings = settings(stage, options, Workload::W2, &extract, &reference.topic)?;
    let measured = on_slow_broker("slow broker, W2 loading", stage, &settings, &reference, slow, longest)?;
    stage.topics.delete(&extract)?;
    Ok(measured)
}

fn slow_messages(
    stage: &mut Stage,
    options: &Options,
    messages: u64,
    slow: &str,
    longest: Duration,
) -> Result<Measured> {
    let input = stage.fresh_name("messages");
    let input = feed::messages(&stage.topics, &input, Senders::Zipf, messages)?;
    let settings = settings(stage, options, Workload::W1, &input.topic, "")?;
    on_slow_broker("slow broker, W1 Zipf", stage, &settings, &input, slow, longest)
}

/// Has the arm work off `input`, which is there already, through the slow way: to its end, or as long as it is tried.
fn on_slow_broker(
    case: &'static str,
    stage: &Stage,
    settings: &ArmSettings,
    input: &Input,
    slow: &str,
    longest: Duration,
) -> Result<Measured> {
    let progress = stage.topics.progress(&settings.application)?;
    let mut running = stage.start_concord(&ArmSettings { bootstrap: slow.to_owned(), ..settings.clone() })?;
    let began = Instant::now();
    let mut positions = vec![0; input.ends.len()];
    while began.elapsed() < longest && positions.iter().zip(&input.ends).any(|(position, end)| position < end) {
        running.check()?;
        std::thread::sleep(Duration::from_millis(100));
        positions = progress.of(&input.topic)?;
    }
    let done: i64 = positions.iter().sum();
    if done == 0 {
        return Err(format!("{case}: nothing was committed in {} s", longest.as_secs()).into());
    }
    eprintln!("    {done} of {} records in {:.0} s", input.records(), began.elapsed().as_secs_f64());
    let measured = ended(case, running)?;
    stage.clean_up(settings)?;
    stage.topics.delete(&input.topic)?;
    Ok(measured)
}

/// Loads large persons, then compares small extracts with them, so that each outcome names what is large; then restores it all.
fn large_records(stage: &mut Stage, options: &Options, count: u64) -> Result<Vec<Measured>> {
    eprintln!("large records: {count}");
    let (reference, extract) = (stage.fresh_name("reference"), stage.fresh_name("extract"));
    let settings = settings(stage, options, Workload::W2, &extract, &reference)?;
    let mut inputs = Vec::new();
    for (topic, is_large) in [(&reference, true), (&extract, false)] {
        stage.topics.create(topic)?;
        let mut publishing = stage.topics.publish(topic, None, 20)?;
        let mut source = PersonSource::new(count, SEED);
        let mut random = Random::seeded(SEED);
        let mut made = Made::default();
        for i in 0..count {
            let bytes = SMALLEST_BYTES * (LARGEST_BYTES / SMALLEST_BYTES).powf(random.share());
            source.reference_of_size(i, if is_large { bytes as usize } else { 0 }, &mut made)?;
            publishing.send(&made.key, &made.value, EPOCH_MS + i as i64)?;
        }
        let ends = publishing.sent().to_vec();
        publishing.finish()?;
        inputs.push(Input { topic: topic.clone(), ends, ..Input::default() });
    }
    let progress = stage.topics.progress(&settings.application)?;
    let mut running = stage.start_concord(&settings)?;
    for input in &inputs {
        await_progress(&mut running, &progress, input)?;
    }
    let mut measured = vec![ended("records of 1 KB to 1 MB", running)?];
    std::fs::remove_dir_all(&settings.state)?;
    let mut running = stage.start_concord(&settings)?;
    await_started(&mut running, &settings)?;
    measured.push(ended("full restore of these", running)?);
    stage.clean_up(&settings)?;
    for topic in [&reference, &extract] {
        stage.topics.delete(topic)?;
    }
    Ok(measured)
}
