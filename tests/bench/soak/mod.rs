//! Half an hour of the same: whether anything grows that should not.

mod samples;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use concord_schemas::Schemas;
use rdkafka::Message as _;
use serde_json::json;

use crate::Result;
use crate::arms::{ArmSettings, Running, Workload};
use crate::broker::topics::{Ends, Progress};
use crate::inputs::feed::{Input, Paced};
use crate::inputs::values::{Finding, FindingKind, Findings};
use crate::inputs::{Content, Senders};
use crate::process::{bytes_in, open_files, resident_memory_mib};
use crate::stage::{Stage, StageOptions, await_progress, changelog_bytes};
use concord_engine::value::Value;
use samples::{Sample, Samples};

const MIB: f64 = (1 << 20) as f64;

/// W1 with Zipf keys and a time to live, a rebalance every two minutes: what grows?
///
/// 100,000 senders (Zipf 0.99) at a steady rate; the missing numbers are remembered for a time only. A second instance
/// joins, and leaves again, in turns. Every few seconds: resident memory, open files and state on the disk of the first
/// instance, changelogs on the broker, the 99th percentile of its commits, and how far it is behind. At the end every gap
/// must have been found once. Slopes leave the warm-up out, and are of means over a whole turn of joining and leaving, lest
/// the turns be taken for noise. Files: soak.csv and soak.svg.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// How long [default: 30]
    #[arg(long)]
    minutes: Option<f64>,
    /// Records a second
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    /// Between a join and a leave [default: 120]
    #[arg(long)]
    rebalance_s: Option<u64>,
    /// Between two samples [default: 5]
    #[arg(long)]
    sample_s: Option<u64>,
    /// Time to live of missing numbers [default: 240]
    #[arg(long)]
    time_to_live_s: Option<u64>,
    /// Memory budget; half of it is for RocksDB
    #[arg(long, default_value_t = 256)]
    memory_mib: usize,
    /// Folder of the table and the picture
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.out)?;
    let size = |asked, usual: u64, quick: u64| Duration::from_secs(options.stage.size(asked, usual, quick));
    let lasts = Duration::from_secs_f64(60.0 * options.stage.size(options.minutes, 30.0, 1.5));
    let turn = size(options.rebalance_s, 120, 6);
    let every = size(options.sample_s, 5, 1);
    let time_to_live = size(options.time_to_live_s, 240, 15);
    let mut stage = Stage::new(&options.stage)?;
    let input = stage.fresh_name("messages");
    stage.topics.create(&input)?;
    let first = ArmSettings {
        store_memory_mib: options.memory_mib / 2,
        time_to_live_ms: time_to_live.as_millis() as i64,
        pauses_over_s: turn.as_secs() / 2,
        instance: "first".to_owned(),
        ..stage.arm(Workload::W1, &input, "")?
    };
    let second = ArmSettings {
        instance: "second".to_owned(),
        state: stage.folder.join("second"),
        leaves: true,
        ..first.clone()
    };
    let mut scene = Scene {
        ends: stage.topics.ends()?,
        progress: stage.topics.progress(&first.application)?,
        running: stage.start_concord(&first)?,
        joined: None,
        stage: &stage,
        first,
        second,
    };
    eprintln!(
        "{:.1} minutes at {:.0} records/s; a rebalance every {} s",
        lasts.as_secs_f64() / 60.0,
        options.rate,
        turn.as_secs()
    );
    let paced = Paced::messages(stage.topics.publish_beside(&input)?, Senders::Zipf);
    let rate = options.rate;
    let publisher = thread::spawn(move || paced.run(rate, |due| due < lasts).map_err(|e| e.to_string()));
    let mut samples = Samples::new(lasts, turn);
    scene.watch(&mut samples, every)?;
    let (published, late) = publisher.join().map_err(|_| "the publisher panicked")??;
    let published = Input { topic: input.clone(), ..published };
    scene.end(&published)?;
    stage.topics.delete(&input)?;

    println!(
        "{} messages; {} gaps, each found once; the publisher was late by {} ms at most",
        published.records(),
        published.gaps.records,
        late.as_millis()
    );
    samples.print();
    samples.write_csv(&options.out.join("soak.csv"))?;
    samples.picture(options.memory_mib).write_svg(&options.out.join("soak.svg"))?;
    println!("written: {0}/soak.csv, {0}/soak.svg", options.out.display());
    if options.stage.json {
        println!(
            "{}",
            json!({"messages": published.records(), "gaps": published.gaps.records, "figures": samples.to_json()})
        );
    }
    Ok(())
}

/// The instances while they run.
struct Scene<'a> {
    stage: &'a Stage,
    first: ArmSettings,
    second: ArmSettings,
    running: Running,
    /// The second instance, while it is there.
    joined: Option<Running>,
    ends: Ends,
    progress: Progress,
}

impl Scene<'_> {
    /// Samples, and has the second instance join and leave, until the time is over.
    fn watch(&mut self, samples: &mut Samples, every: Duration) -> Result<()> {
        let began = Instant::now();
        let mut turns = 0;
        for number in 1.. {
            let due = every * number;
            if due > samples.lasts {
                break;
            }
            thread::sleep(due.saturating_sub(began.elapsed()));
            samples.add(self.sample(began.elapsed())?);
            // The first turn is the first instance's alone.
            let turns_due = (began.elapsed().as_secs_f64() / samples.turn.as_secs_f64()) as u32;
            if turns_due > turns {
                turns = turns_due;
                match self.joined.take() {
                    None => self.joined = Some(self.stage.start_concord(&self.second)?),
                    Some(second) => second.stop()?,
                }
            }
        }
        Ok(())
    }

    fn sample(&mut self, at: Duration) -> Result<Sample> {
        self.running.check()?;
        if let Some(second) = &mut self.joined {
            second.check()?;
        }
        let pid = self.running.pid();
        let page = self.running.metrics()?;
        let behind = self.ends.of(&self.first.input)?.iter().sum::<i64>()
            - self.progress.of(&self.first.input)?.iter().sum::<i64>();
        Ok(Sample {
            minutes: at.as_secs_f64() / 60.0,
            members: if self.joined.is_some() { 2.0 } else { 1.0 },
            resident_mib: resident_memory_mib(pid)?,
            open_files: open_files(pid)? as f64,
            state_mib: bytes_in(&self.first.state, &|_| true) as f64 / MIB,
            changelog_mib: changelog_bytes(&self.stage.broker, &self.first)? as f64 / MIB,
            commit_p99_ms: page.greatest(metric_names::COMMIT_SECONDS, "quantile=\"0.99\"").unwrap_or_default() * 1e3,
            // Records that came between the two questions are not behind.
            behind: behind.max(0) as f64,
        })
    }

    /// Waits for the last record, stops the instances, and looks whether every gap was found once.
    fn end(mut self, published: &Input) -> Result<()> {
        await_progress(&mut self.running, &self.progress, published)?;
        if let Some(second) = self.joined.take() {
            second.stop()?;
        }
        self.running.stop()?;
        let found = gaps(self.stage, &self.first.output)?;
        if found != published.gaps {
            return Err(format!("the gaps found are {found:?} instead of {:?}", published.gaps).into());
        }
        std::fs::remove_dir_all(&self.second.state).or_else(|error| match error.kind() {
            // So short a run that the second never came.
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        self.stage.clean_up(&self.first)
    }
}

/// The gaps among the findings. Whether a missing number that came after all was still remembered depends on the time to
/// live; whether a gap was seen does not.
fn gaps(stage: &Stage, output: &str) -> Result<Content> {
    let decoder = Schemas::bundled().decoder();
    let mut gaps = Content::default();
    let mut unreadable = None;
    let mut reading = stage.topics.follow_all(output)?;
    while !reading.at_end() {
        reading.poll(Duration::from_millis(200), |message| {
            let value = message.payload().unwrap_or_default();
            match decoder.decode::<Finding<'_>>(Findings::schema(), value) {
                Ok(finding) if finding.kind == FindingKind::Gap => gaps.add(message.key().unwrap_or_default(), value),
                Ok(_) => {}
                Err(error) => unreadable = Some(error.to_string()),
            }
        })?;
    }
    unreadable.map_or(Ok(gaps), |error| Err(error.into()))
}
