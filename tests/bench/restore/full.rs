//! All of a state from its changelog, beside a bare read of the same changelog.

use concord_engine::metric_names;
use serde_json::{Value, json};

use super::{Options, bare};
use crate::Result;
use crate::arms::concord::connect;
use crate::arms::{ArmSettings, Running, Workload};
use crate::figures::spread::Spread;
use crate::inputs::feed;
use crate::process::peak_memory_mib;
use crate::stage::{Stage, await_progress, await_started};

const MIB: f64 = (1 << 20) as f64;

/// One restore.
#[derive(Debug, Clone, Copy)]
struct Restored {
    replay_s: f64,
    /// From the start of the process until all tasks processed.
    start_s: f64,
    peak_mib: f64,
}

/// See the module.
pub struct FullRestore {
    records: u64,
    mib: f64,
    budget_mib: usize,
    restored: Vec<Restored>,
    in_batches: Vec<bare::Read>,
    one_by_one: Vec<bare::Read>,
}

pub fn measure(stage: &mut Stage, options: &Options, keys: u64, repeats: usize) -> Result<FullRestore> {
    eprintln!("full restore: loading {keys} keys");
    let reference = stage.fresh_name("reference");
    let reference = feed::reference(&stage.topics, &reference, keys)?;
    let extract = stage.fresh_name("extract");
    stage.topics.create(&extract)?;
    let settings = ArmSettings {
        threads: options.threads,
        store_memory_mib: options.memory_mib / 2,
        ..stage.arm(Workload::W2, &extract, &reference.topic)?
    };
    let changelog = format!("{}.reference.changelog", settings.application);
    let mut running = stage.start_concord(&settings)?;
    await_progress(&mut running, &stage.topics.progress(&settings.application)?, &reference)?;

    // Read once before: neither side should find the files of the topic on the disk, and the other in memory.
    let log = connect(&settings)?;
    let warm = bare::in_batches(&log, &changelog, options.threads)?;
    let mut full = FullRestore {
        records: warm.records,
        mib: warm.bytes as f64 / MIB,
        budget_mib: options.memory_mib,
        restored: Vec::new(),
        in_batches: Vec::new(),
        one_by_one: Vec::new(),
    };
    for repeat in 1..=repeats {
        full.in_batches.push(bare::in_batches(&log, &changelog, options.threads)?);
        full.one_by_one.push(bare::one_by_one(&settings.bootstrap, &changelog, options.threads)?);
        // Stopped no longer than it takes to delete the state: its workers find their places in the group.
        running.stop()?;
        std::fs::remove_dir_all(&settings.state)?;
        running = stage.start_concord(&settings)?;
        let restored = await_restored(&mut running, &settings, full.records)?;
        eprintln!("    repeat {repeat} of {repeats}: replayed in {:.2} s", restored.replay_s);
        full.restored.push(restored);
    }
    running.stop()?;
    stage.clean_up(&settings)?;
    for topic in [&reference.topic, &extract] {
        stage.topics.delete(topic)?;
    }
    Ok(full)
}

/// Waits until all is restored.
fn await_restored(running: &mut Running, settings: &ArmSettings, records: u64) -> Result<Restored> {
    let page = await_started(running, settings)?;
    let start_s = running.started.elapsed().as_secs_f64();
    let found = page.sum(metric_names::RESTORED_RECORDS);
    // The timers' changelog has some more.
    if found < records as f64 {
        return Err(format!("{found} records were restored instead of {records}").into());
    }
    let replay_s = page.greatest(metric_names::START_SECONDS, "\"replay\"").unwrap_or_default();
    Ok(Restored { replay_s, start_s, peak_mib: peak_memory_mib(running.pid())? })
}

impl FullRestore {
    fn restore_rate(&self) -> Option<Spread> {
        Spread::of(self.restored.iter().map(|r| self.records as f64 / r.replay_s))
    }

    fn bare_rate(reads: &[bare::Read]) -> Option<Spread> {
        Spread::of(reads.iter().map(bare::Read::records_a_second))
    }

    /// Beside the faster of the bare readers.
    fn ratio(&self) -> Option<f64> {
        let batches = Self::bare_rate(&self.in_batches)?.median;
        let singly = Self::bare_rate(&self.one_by_one)?.median;
        Some(self.restore_rate()?.median / batches.max(singly))
    }

    pub fn print(&self) {
        let row = |name: &str, spread: Option<Spread>| {
            if let Some(spread) = spread {
                println!("  {name:<40} {spread}");
            }
        };
        println!("full restore of {} records, {:.0} MiB: median (least to greatest)", self.records, self.mib);
        row("bare, in batches, records/s", Self::bare_rate(&self.in_batches));
        row("bare, record by record, records/s", Self::bare_rate(&self.one_by_one));
        row("restore, records/s", self.restore_rate());
        row("restore, MiB/s", Spread::of(self.restored.iter().map(|r| self.mib / r.replay_s)));
        row("process start to all tasks processing, s", Spread::of(self.restored.iter().map(|r| r.start_s)));
        row("peak resident memory, MiB", Spread::of(self.restored.iter().map(|r| r.peak_mib)));
        println!("  {:<40} {}", "budget, MiB", self.budget_mib);
        println!("  {:<40} {:.2} (aim: 0.5)", "restore / faster bare reader", self.ratio().unwrap_or_default());
    }

    pub fn to_json(&self) -> Value {
        let median = |spread: Option<Spread>| spread.map(|s| s.median);
        json!({
            "records": self.records,
            "mib": self.mib,
            "bare_batches_records_s": median(Self::bare_rate(&self.in_batches)),
            "bare_singly_records_s": median(Self::bare_rate(&self.one_by_one)),
            "restore_records_s": median(self.restore_rate()),
            "ratio": self.ratio(),
            "peak_mib": self.restored.iter().map(|r| r.peak_mib).fold(0.0, f64::max),
            "budget_mib": self.budget_mib,
        })
    }
}
