//! The arms as processes: each reads its input as a group, and leaves when its standard input ends.

pub mod concord;
pub mod pass_through;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::metrics_page::MetricsPage;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// Decode, encode, write.
    W0,
    /// Gaps in the numbers of senders.
    W1,
    /// A list held against another.
    W2,
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "W0" => Ok(Self::W0),
            "W1" => Ok(Self::W1),
            "W2" => Ok(Self::W2),
            _ => Err(format!("{text} is no workload: W0, W1 or W2")),
        }
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What every arm is told.
#[derive(Debug, Clone)]
pub struct ArmSettings {
    pub workload: Workload,
    pub bootstrap: String,
    /// Group, and beginning of the names of its own topics.
    pub application: String,
    /// Messages, or the extract.
    pub input: String,
    /// W2 only.
    pub reference: String,
    pub output: String,
    pub state: PathBuf,
    pub threads: usize,
    /// For blocks and memtables of RocksDB. The whole budget is twice that.
    pub store_memory_mib: usize,
    /// Of this process among those of the application; Concord only.
    pub instance: String,
    /// How long the missing numbers of W1 are remembered; 0 for ever. Concord only.
    pub time_to_live_ms: i64,
    /// The commit pauses told are of the last so many seconds. Concord only.
    pub pauses_over_s: u64,
    /// Whether it leaves the group when it ends, so that others have its partitions at once. Concord only.
    pub leaves: bool,
}

const NAMES: [&str; 13] = [
    "workload",
    "bootstrap",
    "application",
    "input",
    "reference",
    "output",
    "state",
    "threads",
    "store-memory-mib",
    "instance",
    "time-to-live-ms",
    "pauses-over-s",
    "leaves",
];

impl ArmSettings {
    /// `--name value` for each.
    pub fn to_arguments(&self) -> Vec<String> {
        let values = [
            self.workload.to_string(),
            self.bootstrap.clone(),
            self.application.clone(),
            self.input.clone(),
            self.reference.clone(),
            self.output.clone(),
            self.state.display().to_string(),
            self.threads.to_string(),
            self.store_memory_mib.to_string(),
            self.instance.clone(),
            self.time_to_live_ms.to_string(),
            self.pauses_over_s.to_string(),
            self.leaves.to_string(),
        ];
        NAMES.iter().zip(values).flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }

    pub fn from_arguments(arguments: &[String]) -> Result<Self> {
        let value = |name: &str| -> Result<String> {
            let place = arguments.iter().position(|a| a.strip_prefix("--") == Some(name));
            let value = place.and_then(|place| arguments.get(place + 1));
            Ok(value.ok_or_else(|| format!("--{name} is missing"))?.clone())
        };
        Ok(Self {
            workload: value("workload")?.parse()?,
            bootstrap: value("bootstrap")?,
            application: value("application")?,
            input: value("input")?,
            reference: value("reference")?,
            output: value("output")?,
            state: value("state")?.into(),
            threads: value("threads")?.parse()?,
            store_memory_mib: value("store-memory-mib")?.parse()?,
            instance: value("instance")?,
            time_to_live_ms: value("time-to-live-ms")?.parse()?,
            pauses_over_s: value("pauses-over-s")?.parse()?,
            leaves: value("leaves")?.parse()?,
        })
    }
}

/// The line behind the metrics of an arm.
pub const END_OF_METRICS: &str = "END OF METRICS";

/// Waits, in an arm, for the harness to end it; each line from there is a question.
pub fn await_end(mut answer: impl FnMut()) {
    for _ in std::io::stdin().lines().map_while(std::io::Result::ok) {
        answer();
    }
}

/// An arm that runs.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
    listening: Option<thread::JoinHandle<()>>,
    pub started: Instant,
}

impl Running {
    pub fn start(mut command: Command) -> Result<Self> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the arm has no output")?;
        let (hears, said) = channel();
        let listening = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                // Nobody listens any more: the output is read all the same, lest the arm stand still.
                let _ = hears.send(line);
            }
        });
        Ok(Self { child, input, said, listening: Some(listening), started })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error when it has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the arm has ended by itself: {status}").into()),
        }
    }

    /// Asks for its metrics; Concord only.
    pub fn metrics(&mut self) -> Result<MetricsPage> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let Some(input) = &mut self.input else { return Err("the arm listens no more".into()) };
        input.write_all(b"\n")?;
        let deadline = Instant::now() + PATIENCE;
        let mut page = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).map_err(|_| "the arm does not answer")?;
            if line == END_OF_METRICS {
                return Ok(MetricsPage::new(page));
            }
            page.push_str(&line);
            page.push('\n');
        }
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > deadline {
                return Err("the arm does not end".into());
            }
            thread::sleep(Duration::from_millis(5));
        };
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
        if !status.success() {
            return Err(format!("the arm ended with {status}").into());
        }
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    /// Nothing is left behind when the harness fails.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
