//! The arms as processes: each reads its input as a group, and leaves when its standard input ends.

pub mod concord;
pub mod pass_through;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

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
    /// For blocks and memtables of RocksDB.
    pub store_memory_mib: usize,
}

const NAMES: [&str; 9] =
    ["workload", "bootstrap", "application", "input", "reference", "output", "state", "threads", "store-memory-mib"];

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
        })
    }
}

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
    said: Arc<Mutex<Vec<String>>>,
    listening: Option<thread::JoinHandle<()>>,
    pub started: Instant,
}

impl Running {
    pub fn start(mut command: Command) -> Result<Self> {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the arm has no output")?;
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&said);
        let listening = thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(line);
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

    /// Puts the question, and waits for the line that begins with `answer`: the rest of it.
    pub fn ask(&mut self, answer: &str) -> Result<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let Some(input) = &mut self.input else { return Err("the arm listens no more".into()) };
        input.write_all(b"\n")?;
        while Instant::now() < deadline {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(rest) = said.iter().find_map(|line| line.strip_prefix(answer)) {
                return Ok(rest.to_owned());
            }
            drop(said);
            thread::sleep(Duration::from_millis(5));
        }
        Err("the arm does not answer".into())
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
    pub fn kill(mut self) -> Result<()> {
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
