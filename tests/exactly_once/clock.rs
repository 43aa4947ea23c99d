//! A clock that jumps: the time of day of one instance, and no other clock of it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stage::Stage;
use crate::{Outcome, poll_until};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exactly_once/clock.c");
const JUMPING: usize = 0;
const OTHER: usize = 1;
const MINUTE_S: i64 = 60;
/// Minutes off the truth, one after the other: behind, right again, ahead by less than what brokers refuse.
const JUMPS: [i64; 3] = [-180, 0, 30];
/// Ahead by more than brokers take.
const TOO_FAR: i64 = 180;
/// What must be said of it.
const REMEDY: &str = "the clock of this machine is ahead of the brokers'";

/// Why the scenario cannot be played here.
pub fn is_possible() -> Result<(), String> {
    let compiler = Command::new("cc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    compiler.map(drop).map_err(|_| "there is no C compiler (cc)".to_owned())
}

/// The time of day of the processes that are given it.
#[derive(Clone)]
pub struct JumpingClock {
    library: PathBuf,
    seconds_ahead: PathBuf,
}

impl JumpingClock {
    pub fn build(folder: &Path) -> Outcome<Self> {
        let clock = Self { library: folder.join("clock.so"), seconds_ahead: folder.join("seconds-ahead") };
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&clock.library).arg(SOURCE);
        let output = compiler.output().map_err(|e| format!("running cc: {e}"))?;
        if !output.status.success() {
            return Err(format!("compiling the clock: {}", String::from_utf8_lossy(&output.stderr)));
        }
        fs::write(&clock.seconds_ahead, 0_i64.to_ne_bytes()).map_err(|e| format!("setting the clock: {e}"))?;
        Ok(clock)
    }

    /// In place, since the processes have mapped the file.
    pub fn set_seconds(&self, ahead: i64) -> Outcome<()> {
        let file = File::options().write(true).open(&self.seconds_ahead);
        file.and_then(|file| file.write_all_at(&ahead.to_ne_bytes(), 0)).map_err(|e| format!("setting the clock: {e}"))
    }

    fn set(&self, minutes_ahead: i64) -> Outcome<()> {
        self.set_seconds(minutes_ahead * MINUTE_S)
    }

    pub fn give_to(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("TEST_CLOCK", &self.seconds_ahead);
    }
}

/// The clock of one instance jumps while both work. When it is further ahead than brokers take, the instance ends and says so,
/// the other one has its tasks, and it works again when the clock is right.
pub fn jumps(stage: &mut Stage, records: u64) -> Outcome<String> {
    stage.generate(3 * JUMPS.len() as u64 + 8, records)?;
    let clock = JumpingClock::build(stage.folder())?;
    stage.instances[JUMPING].clock = Some(clock.clone());
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    stage.instances[JUMPING].await_tasks(Duration::from_secs(60))?;
    for minutes in JUMPS {
        stage.send_next_extract()?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
        clock.set(minutes)?;
        stage.send_next_extract()?;
        stage.send_next_extract()?;
        commits_at(stage, minutes).map_err(|e| format!("with a clock {minutes} minutes ahead: {e}"))?;
    }
    // A timer that is set for a time waits for it, also where the clock that named the time was wrong.
    stage.await_jobs(Duration::from_secs(120))?;

    clock.set(TOO_FAR)?;
    stage.ends_with(JUMPING, &[REMEDY], || Ok(()))?;
    poll_until(Duration::from_secs(90), Duration::from_millis(50), || Ok(stage.instances[OTHER].has_all_tasks()))
        .map_err(|e| format!("the tasks of the instance with a wrong clock were not taken over: {e}"))?;
    stage.send_next_extract()?;
    clock.set(0)?;
    stage.instances[JUMPING].start()?;
    stage.instances[JUMPING].await_tasks(Duration::from_secs(60))?;
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(120))?;
    Ok(format!("{} jumps of a clock", JUMPS.len() + 2))
}

/// The instance commits by its new time.
fn commits_at(stage: &mut Stage, minutes_ahead: i64) -> Outcome<()> {
    poll_until(Duration::from_secs(60), Duration::from_millis(50), || {
        stage.instances[JUMPING].check_alive()?;
        let now_s = jiff::Timestamp::now().as_second();
        let committed = stage.instances[JUMPING].committed_at_ms();
        Ok(committed.iter().any(|at_ms| (at_ms / 1000 - now_s - minutes_ahead * MINUTE_S).abs() < 10 * MINUTE_S))
    })
}
