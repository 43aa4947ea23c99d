//! `concord run` as a process of its own, and the ways it may end.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::clock::JumpingClock;
use crate::{Outcome, PARTITIONS, poll_until};

/// The consumer group, and the beginning of internal topic names.
pub const APPLICATION: &str = "exactly-once";
/// Sub-topologies times partitions, of either flow.
pub const ALL_TASKS: usize = 3 * PARTITIONS as usize;

/// The signal that `abort` raises.
pub const ABORTED: i32 = 6;
/// What a process says that ends since one of its workers hung.
const HUNG: &str = "A worker does not come back from a step.";

/// One instance with its configuration and state.
pub struct Instance {
    pub name: &'static str,
    pub config: PathBuf,
    pub state: PathBuf,
    /// Where its readers work: killed ones leave their folders.
    temporary: PathBuf,
    /// The clock that it is started with; the machine's when there is none.
    pub clock: Option<JumpingClock>,
    log: PathBuf,
    port: u16,
    child: Option<Child>,
    /// Length of the log when it was started last.
    told_before: u64,
}

impl Instance {
    /// Writes the configuration, with the section of its flow; nothing runs yet.
    pub fn prepare(folder: &Path, name: &'static str, bootstrap: &str, protocol: &str, section: &str) -> Outcome<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|e| format!("looking for a free port: {e}"))?
            .port();
        let instance = Self {
            name,
            config: folder.join(format!("{name}.toml")),
            state: folder.join(format!("state-{name}")),
            temporary: folder.join(format!("tmp-{name}")),
            clock: None,
            log: folder.join(format!("{name}.log")),
            port,
            child: None,
            told_before: 0,
        };
        let config = format!(
            r#"[instance]
name = "{name}"
state_dir = "{state}"
memory_mib = 128

[kafka]
bootstrap_servers = "{bootstrap}"
protocol = "{protocol}"

[topics]
partitions = {PARTITIONS}
replication = 1

[processing]
session_timeout_ms = 6000
transaction_timeout_ms = 5000
longest_step_ms = 45000

[http]
listen = "127.0.0.1:{port}"

{section}
application = "{APPLICATION}"
"#,
            state = instance.state.display(),
        );
        fs::write(&instance.config, config).map_err(|e| format!("writing {}: {e}", instance.config.display()))?;
        fs::create_dir(&instance.temporary).map_err(|e| format!("making {}: {e}", instance.temporary.display()))?;
        Ok(instance)
    }

    /// Starts the process; its log is appended to. It is in a process group of its own: when a shell dies, the system hangs
    /// up every process of a group in which one is frozen.
    pub fn start(&mut self) -> Outcome<()> {
        self.start_by(self.command())
    }

    /// What starts it.
    pub fn command(&self) -> Command {
        let mut command = concord(&["run", "--config"]);
        command.arg(&self.config).env("TMPDIR", &self.temporary);
        if let Some(clock) = &self.clock {
            clock.give_to(&mut command);
        }
        command
    }

    /// Starts it by another command: the usual one with more around it.
    pub fn start_by(&mut self, mut command: Command) -> Outcome<()> {
        let log = self.open_log()?;
        self.told_before = log.metadata().map_err(|e| format!("reading {}: {e}", self.log.display()))?.len();
        command.env("CONCORD_LOG", "info").stdout(Stdio::null()).stderr(log).process_group(0);
        self.child = Some(command.spawn().map_err(|e| format!("starting instance {}: {e}", self.name))?);
        Ok(())
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// How it has ended by itself; `None` while it runs.
    pub fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { return Err(format!("instance {} does not run", self.name)) };
        let status = child.try_wait().map_err(|e| format!("watching instance {}: {e}", self.name))?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    /// What it has logged since it was started last.
    pub fn told(&self) -> Outcome<String> {
        let failed = |e: std::io::Error| format!("reading {}: {e}", self.log.display());
        let mut log = File::open(&self.log).map_err(failed)?;
        log.seek(SeekFrom::Start(self.told_before)).map_err(failed)?;
        let mut told = String::new();
        log.read_to_string(&mut told).map_err(failed)?;
        Ok(told)
    }

    /// Ends it as a crash would. An error when it had ended before by itself.
    pub fn kill(&mut self) -> Outcome<()> {
        self.check_alive()?;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill().and_then(|()| child.wait()).map_err(|e| format!("killing instance {}: {e}", self.name))?;
        self.note("killed")
    }

    /// Asks it to end, and expects that it leaves cleanly.
    pub fn stop(&mut self) -> Outcome<()> {
        self.signal("TERM")?;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let name = self.name;
        let mut status = None;
        let ended = poll_until(Duration::from_secs(30), Duration::from_millis(20), || {
            status = child.try_wait().map_err(|e| format!("waiting for instance {name}: {e}"))?;
            Ok(status.is_some())
        });
        if ended.is_err() {
            child.kill().map_err(|e| format!("killing instance {name}: {e}"))?;
            return Err(format!("instance {name} had not ended 30 s after SIGTERM"));
        }
        match status.and_then(|s| s.code()) {
            Some(0) => Ok(()),
            _ => Err(format!(
                "instance {name} did not leave cleanly: {}",
                status.map_or_else(String::new, |s| s.to_string())
            )),
        }
    }

    /// Freezes it: it neither works nor answers the group, and does not know it.
    pub fn freeze(&mut self) -> Outcome<()> {
        self.signal("STOP")?;
        self.note("frozen")
    }

    /// Lets it go on as if no time had passed.
    pub fn thaw(&mut self) -> Outcome<()> {
        self.signal("CONT")?;
        self.note("thawed")
    }

    fn signal(&mut self, name: &str) -> Outcome<()> {
        self.check_alive()?;
        let Some(child) = &self.child else { return Err(format!("instance {} does not run", self.name)) };
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("sending SIG{name} to instance {}: {other:?}", self.name)),
        }
    }

    /// Starts it again, as a supervisor would, when brokers under load took it for its killed predecessor, or when it ended since one
    /// of its workers hung. An error when the process has ended otherwise though nobody ended it.
    pub fn check_alive(&mut self) -> Outcome<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        match child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) if self.was_taken_for_its_predecessor(status)? => self.start(),
            Ok(Some(status)) if self.hung(status)? => {
                // It may pass all the same: what the worker was doing must not go unseen.
                let told = self.told()?;
                let word = told.lines().find(|line| line.contains(HUNG)).unwrap_or_default();
                println!("  instance {} is started again: {word}", self.name);
                self.start()
            }
            Ok(Some(status)) => {
                Err(format!("instance {} ended by itself: {status}; see {}", self.name, self.log.display()))
            }
            Err(e) => Err(format!("watching instance {}: {e}", self.name)),
        }
    }

    /// Whether it ended since the brokers took up what its predecessor had asked of the group before it was killed.
    pub fn was_taken_for_its_predecessor(&self, status: ExitStatus) -> Outcome<bool> {
        Ok(status.code() == Some(1) && self.told()?.contains("FencedInstanceId"))
    }

    /// Whether it ended since a worker did not come back from a step.
    pub fn hung(&self, status: ExitStatus) -> Outcome<bool> {
        Ok(status.signal() == Some(ABORTED) && self.told()?.contains(HUNG))
    }

    /// How often that has happened.
    pub fn hung_so_far(&self) -> Outcome<usize> {
        let log = fs::read_to_string(&self.log).map_err(|e| format!("reading {}: {e}", self.log.display()))?;
        Ok(log.matches(HUNG).count())
    }

    /// Transactions committed since it started; 0 while it does not answer.
    pub fn commits(&self) -> u64 {
        let page = self.page("/metrics").unwrap_or_default();
        let commits = page.lines().find_map(|line| line.strip_prefix("concord_commits_total "));
        commits.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    }

    /// Calls that it has begun and not finished; 0 while it does not answer.
    pub fn calls_in_flight(&self) -> u64 {
        let page = self.page("/metrics").unwrap_or_default();
        let series = page.lines().filter(|line| line.starts_with("concord_calls_in_flight{"));
        series.filter_map(|line| line.rsplit(' ').next()?.trim().parse::<u64>().ok()).sum()
    }

    /// By task, when it committed last, by the clock of the instance.
    pub fn committed_at_ms(&self) -> Vec<i64> {
        let page = self.page("/topology").unwrap_or_default();
        let body = page.split("\r\n\r\n").nth(1).unwrap_or_default();
        let described: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let tasks = described["tasks_here"].as_array().map_or(&[][..], Vec::as_slice);
        tasks.iter().filter_map(|task| task["committed_at_ms"].as_i64()).collect()
    }

    /// How many tasks process here, none being restored.
    pub fn tasks(&self) -> usize {
        let page = self.page("/health/ready").unwrap_or_default();
        let body = page.split("\r\n\r\n").nth(1).unwrap_or_default();
        body.strip_suffix(" tasks process").and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// Whether every task of the application is here.
    pub fn has_all_tasks(&self) -> bool {
        self.tasks() == ALL_TASKS
    }

    /// Waits until it processes.
    pub fn await_tasks(&mut self, patience: Duration) -> Outcome<()> {
        let name = self.name;
        let waited = poll_until(patience, Duration::from_millis(5), || {
            self.check_alive()?;
            Ok(self.tasks() > 0)
        });
        waited.map_err(|e| format!("waiting for tasks of instance {name}: {e}"))
    }

    fn page(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn open_log(&self) -> Outcome<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(|e| format!("opening {}: {e}", self.log.display()))
    }

    fn note(&self, what: &str) -> Outcome<()> {
        writeln!(self.open_log()?, "--- {what} by the test").map_err(|e| format!("writing {}: {e}", self.log.display()))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Only after a failure: what became of it was told before.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program, without the settings of this test in its environment.
pub fn concord(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        // A bug that is planted in this test is planted in the program.
        if name_text.starts_with("CONCORD_") && name_text != "CONCORD_PLANTED_BUG" {
            command.env_remove(&name);
        }
    }
    command
}
