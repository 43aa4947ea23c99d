//! Where a bench takes place: a broker, a folder, and names that no run had before.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use concord_engine::metric_names;

use crate::Result;
use crate::arms::{ArmSettings, Running, Workload};
use crate::broker::Broker;
use crate::broker::topics::{Progress, Topics};
use crate::inputs::feed::Input;
use crate::metrics_page::MetricsPage;

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Without progress for so long, a run has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What every bench is told.
#[derive(Debug, clap::Args)]
pub struct StageOptions {
    /// Run folder of `scripts/parts kafka`; the script gives it.
    #[arg(long, hide = true)]
    broker: Option<PathBuf>,
    /// The last line is one JSON object with all figures
    #[arg(long)]
    pub json: bool,
    /// Small sizes: shows that all works, its figures mean little
    #[arg(long)]
    pub quick: bool,
}

impl StageOptions {
    /// The size that was asked for, or the usual one.
    pub fn size<T>(&self, asked: Option<T>, usual: T, quick: T) -> T {
        asked.unwrap_or(if self.quick { quick } else { usual })
    }
}

/// See the module.
pub struct Stage {
    pub broker: Broker,
    pub topics: Topics,
    /// Of this bench alone; it goes with the stage.
    pub folder: PathBuf,
    /// Beginning of the names of all topics and groups.
    prefix: String,
    names: u32,
}

impl Stage {
    pub fn new(options: &StageOptions) -> Result<Self> {
        let run = options.broker.as_deref().ok_or("there is no broker: scripts/bench.sh starts one")?;
        let broker = Broker::of_run(run)?;
        let prefix = format!("bench-{}", std::process::id());
        let folder = std::env::temp_dir().join(&prefix);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { topics: Topics::of(&broker.bootstrap)?, broker, folder, prefix, names: 0 })
    }

    /// A name that no run had before.
    pub fn fresh_name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{}-{}-{what}", self.prefix, self.names)
    }

    /// Settings of an application that did not exist before; its output topic is made.
    pub fn arm(&mut self, workload: Workload, input: &str, reference: &str) -> Result<ArmSettings> {
        let application = self.fresh_name("app");
        let output = format!("{application}-out");
        self.topics.create(&output)?;
        Ok(ArmSettings {
            workload,
            bootstrap: self.broker.bootstrap.clone(),
            input: input.to_owned(),
            reference: reference.to_owned(),
            output,
            state: self.folder.join(&application),
            application,
            instance: "bench".to_owned(),
            threads: 2,
            store_memory_mib: 256,
            time_to_live_ms: 0,
            pauses_over_s: 3_600,
            leaves: false,
        })
    }

    /// Starts this program as arm S.
    pub fn start_concord(&self, settings: &ArmSettings) -> Result<Running> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("arm-s").args(settings.to_arguments());
        Running::start(command)
    }

    /// Deletes what an application has written.
    pub fn clean_up(&self, settings: &ArmSettings) -> Result<()> {
        self.topics.delete(&settings.application)?;
        if settings.state.exists() {
            std::fs::remove_dir_all(&settings.state)?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What is left of it goes with the run folder, in which it is.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Bytes of an application's changelogs on the broker's disk.
pub fn changelog_bytes(broker: &Broker, settings: &ArmSettings) -> Result<u64> {
    broker.bytes_on_disk(|topic| topic.starts_with(&settings.application) && topic.ends_with("changelog"))
}

/// Waits until every worker of an arm has said how long its start took: all its tasks process. Answers what it tells then.
pub fn await_started(running: &mut Running, settings: &ArmSettings) -> Result<MetricsPage> {
    const LONGEST: Duration = Duration::from_secs(600);
    loop {
        running.check()?;
        let page = running.metrics()?;
        let started = page.series(metric_names::START_SECONDS).filter(|(labels, _)| labels.contains("\"replay\""));
        if started.count() == settings.threads {
            return Ok(page);
        }
        if running.started.elapsed() > LONGEST {
            return Err("the restore comes to no end".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until an arm has committed a whole input.
pub fn await_progress(running: &mut Running, progress: &Progress, input: &Input) -> Result<()> {
    let mut last = progress.of(&input.topic)?;
    let mut moved = std::time::Instant::now();
    loop {
        let positions = progress.of(&input.topic)?;
        if positions.iter().zip(&input.ends).all(|(position, end)| position >= end) {
            return Ok(());
        }
        running.check()?;
        if positions != last {
            (last, moved) = (positions, std::time::Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            return Err(format!("the arm stays at {last:?} of {:?}", input.ends).into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
