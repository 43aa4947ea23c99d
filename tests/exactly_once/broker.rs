//! A Kafka of the test's own, which it may kill.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

const PARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/parts");

/// A running broker; stopped when dropped.
pub struct Broker {
    run: PathBuf,
    /// `host:port`.
    pub bootstrap: String,
}

impl Broker {
    /// Starts a broker whose data stay in `run`.
    pub fn start(run: &Path) -> Outcome<Self> {
        let mut broker = Self { run: run.to_path_buf(), bootstrap: String::new() };
        broker.parts("start")?;
        let settings = std::fs::read_to_string(run.join("kafka.env")).map_err(|e| format!("reading kafka.env: {e}"))?;
        let bootstrap = settings.lines().find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="));
        broker.bootstrap = bootstrap.ok_or("kafka.env names no KAFKA_BOOTSTRAP")?.to_owned();
        Ok(broker)
    }

    /// Ends it as a crash would.
    pub fn kill(&self) -> Outcome<()> {
        self.parts("kill9")
    }

    /// Stops it where it is: it answers nobody, and its connections stay.
    pub fn freeze(&self) -> Outcome<()> {
        self.parts("freeze")
    }

    /// Lets it go on as if no time had passed.
    pub fn thaw(&self) -> Outcome<()> {
        self.parts("thaw")
    }

    /// Starts it again on its ports and data.
    pub fn restart(&self) -> Outcome<()> {
        self.parts("restart")
    }

    fn parts(&self, command: &str) -> Outcome<()> {
        let output = Command::new(PARTS)
            .args(["kafka", command, "--run"])
            .arg(&self.run)
            .output()
            .map_err(|e| format!("running scripts/parts: {e}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("scripts/parts kafka {command} failed: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // A frozen one would not hear that it is to stop.
        let _ = self.thaw();
        if let Err(problem) = self.parts("stop") {
            eprintln!("{problem}");
        }
    }
}
