//! A disk that becomes full: a file system in memory, in a mount namespace of its own, under the state of an instance.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::stage::Stage;
use crate::{Outcome, poll_until};

/// More than the databases of all tasks want for this many records.
const SIZE: &str = "512m";
const FULL: usize = 0;
const OTHER: usize = 1;
/// What a full disk must be called, and what must be said of it.
const CAUSE: &str = "is full";
const REMEDY: &str = "make room";

/// How a namespace is made and entered: root may, and others may as root of a user namespace, where the kernel lets them.
struct Namespace {
    unshare: &'static [&'static str],
    nsenter: &'static [&'static str],
}

const NAMESPACES: [Namespace; 2] = [
    Namespace { unshare: &["--mount"], nsenter: &["--mount"] },
    Namespace {
        unshare: &["--user", "--map-root-user", "--mount"],
        nsenter: &["--user", "--preserve-credentials", "--mount"],
    },
];

/// Why the scenario cannot be played here.
pub fn is_possible() -> Result<(), String> {
    namespace().map(drop).ok_or_else(|| "the machine allows no mount namespace (unshare --mount)".to_owned())
}

fn namespace() -> Option<&'static Namespace> {
    NAMESPACES.iter().find(|namespace| {
        let mut mount = Command::new("unshare");
        mount.args(namespace.unshare).args(["mount", "-t", "tmpfs", "concord", "/mnt"]);
        mount.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

/// The file system; it is gone when this is dropped.
struct SmallDisk {
    /// Whose namespace it is.
    keeper: Child,
    namespace: &'static Namespace,
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: &Path) -> Outcome<Self> {
        let namespace = namespace().ok_or("the machine allows no mount namespace")?;
        std::fs::create_dir_all(folder).map_err(|e| format!("making {}: {e}", folder.display()))?;
        let script = format!(r#"mount -t tmpfs -o size={SIZE} concord "$1" && echo mounted && exec cat"#);
        let mut keeper = Command::new("unshare")
            .args(namespace.unshare)
            .args(["sh", "-c", &script, "sh"])
            .arg(folder)
            // It ends with the test, whose end of the pipe closes then.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("running unshare: {e}"))?;
        let mut said = String::new();
        if let Some(out) = keeper.stdout.take() {
            BufReader::new(out).read_line(&mut said).map_err(|e| format!("waiting for the mount: {e}"))?;
        }
        if said.trim() != "mounted" {
            return Err(format!("the small disk was not mounted: {said}"));
        }
        Ok(Self { keeper, namespace, folder: folder.to_path_buf() })
    }

    /// The same command, which sees the small disk.
    fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--target", &self.keeper.id().to_string()]).args(self.namespace.nsenter).arg("--");
        inside.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    fn shell(&self, script: &str, argument: &Path) -> Outcome<()> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(&self.folder).arg(argument);
        let output = self.inside(&shell).output().map_err(|e| format!("running {script}: {e}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{script}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Takes all room that is left. Files that a program has made larger than it has written keep their room.
    fn fill(&self) -> Outcome<()> {
        self.shell(r#"! cat /dev/zero >>"$1/ballast" 2>"$2""#, Path::new("/dev/null"))
    }

    fn make_room(&self) -> Outcome<()> {
        self.shell(r#"rm "$1/ballast""#, Path::new(""))
    }

    /// The state moves to the disk below.
    fn move_out(self) -> Outcome<()> {
        let beside = self.folder.with_extension("moved");
        self.shell(r#"cp -a "$1" "$2""#, &beside)?;
        let folder = self.folder.clone();
        drop(self);
        std::fs::remove_dir(&folder)
            .and_then(|()| std::fs::rename(&beside, &folder))
            .map_err(|e| format!("moving the state: {e}"))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It may have ended already, with an error that was told.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// The disk of one instance becomes full while both work: not at once, since the databases have room for some megabytes of log set
/// aside, which each extract uses up a part of. It ends and says why, ends again as long as the disk is full, and
/// works again when there is room; meanwhile the other one has its tasks.
pub fn becomes_full(stage: &mut Stage, records: u64) -> Outcome<String> {
    const EXTRACTS: u64 = 20;
    stage.generate(EXTRACTS, records)?;
    let disk = SmallDisk::mount(&stage.instances[FULL].state)?;
    start_on(stage, &disk)?;
    stage.instances[OTHER].start()?;
    stage.send_pds(|_| Ok(()))?;
    stage.send_next_extract()?;
    stage.instances[FULL].await_tasks(Duration::from_secs(60))?;

    ends_for_want_of_room(stage, &disk)?;
    start_on(stage, &disk)?;
    ends_for_want_of_room(stage, &disk)?;
    poll_until(Duration::from_secs(90), Duration::from_millis(50), || Ok(stage.instances[OTHER].has_all_tasks()))
        .map_err(|e| format!("the tasks of the instance without a disk were not taken over: {e}"))?;
    stage.send_next_extract()?;

    disk.make_room()?;
    start_on(stage, &disk)?;
    stage.instances[FULL].await_tasks(Duration::from_secs(60))?;
    stage.send_next_extract()?;
    stage.await_jobs(Duration::from_secs(120))?;
    stage.instances[FULL].stop()?;
    // Where the verifier can see it.
    disk.move_out()?;
    stage.instances[FULL].start()?;
    stage.instances[FULL].await_tasks(Duration::from_secs(60))?;
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(120))?;
    Ok("a disk full twice".to_owned())
}

fn start_on(stage: &mut Stage, disk: &SmallDisk) -> Outcome<()> {
    let command = disk.inside(&stage.instances[FULL].command());
    stage.instances[FULL].start_by(command)
}

/// The disk is filled, also with what the instance gives back while it starts.
fn ends_for_want_of_room(stage: &mut Stage, disk: &SmallDisk) -> Outcome<()> {
    stage.ends_with(FULL, &[CAUSE, REMEDY], || disk.fill())
}
