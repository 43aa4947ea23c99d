//! The side that asks: starts the process that reads, watches the clock, and ends it.

use std::ffi::OsString;
use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::protocol::{Answer, LONGEST_ANSWER, read_frame, write_frame};
use super::workplace::Workplace;
use crate::reading::in_size;
use crate::{Limits, Problem, ReadFailure, Reading, classify, tools};

/// What was read of a document in a process of its own.
pub type Extracted = Reading;

/// Variables that the process and its tools may need; it gets no other.
const PASSED_ON: [&str; 4] = ["PATH", "TESSDATA_PREFIX", "FONTCONFIG_FILE", "LD_LIBRARY_PATH"];

/// How to start a process that reads.
#[derive(Debug, Clone)]
pub struct ReaderCommand {
    /// The program.
    pub program: PathBuf,
    /// What makes it call [`serve`](crate::serve). The limits follow behind.
    pub arguments: Vec<OsString>,
    /// What a document may cost.
    pub limits: Limits,
}

/// Reads one document in a process of its own, which ends with it.
///
/// # Errors
/// [`ReadFailure`]; [`Problem::may_pass`] says whether trying again may help.
pub fn read_in_child(
    program: &Path,
    arguments: &[OsString],
    document: &[u8],
    limits: &Limits,
) -> Result<Extracted, ReadFailure> {
    let command = ReaderCommand { program: program.to_owned(), arguments: arguments.to_owned(), limits: *limits };
    in_size(document, limits).map_err(|failure| failure.of(classify(document)))?;
    ReaderProcess::start(&command)?.read(document)
}

/// A process that reads one document after the other. It works in a temporary folder of its own, which goes with it.
#[derive(Debug)]
pub struct ReaderProcess {
    child: Child,
    /// The process and the tools that it starts.
    group: Option<Pid>,
    input: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
    limits: Limits,
    is_usable: bool,
    documents: u32,
    _workplace: Workplace,
}

impl ReaderProcess {
    /// Starts it.
    ///
    /// # Errors
    /// [`Problem::NoProcess`].
    pub fn start(command: &ReaderCommand) -> Result<Self, ReadFailure> {
        let ReaderCommand { program, arguments, limits } = command;
        let no_process = |what: &str| ReadFailure::new(Problem::NoProcess, what.to_owned());
        let workplace = Workplace::make().map_err(|_| no_process("there is no temporary folder"))?;
        let passed = PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
        let encoded = serde_json::to_string(limits).map_err(|_| no_process("the limits cannot be written"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .arg(encoded)
            .env_clear()
            .envs(passed)
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", workplace.path())
            .current_dir(workplace.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a library complains of may repeat what is in the document.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| no_process("the program cannot be started"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Self { child, group, input, output, limits: *limits, is_usable: true, documents: 0, _workplace: workplace })
    }

    /// Reads a document. When it cannot be read for a reason that lies in the process, the process is at its end.
    ///
    /// # Errors
    /// [`ReadFailure`]; [`Problem::may_pass`] says whether trying again may help.
    pub fn read(&mut self, document: &[u8]) -> Result<Extracted, ReadFailure> {
        in_size(document, &self.limits).map_err(|failure| failure.of(classify(document)))?;
        self.documents += 1;
        let (group, time) = (self.group, self.limits.time);
        let is_late = AtomicBool::new(false);
        let answer = std::thread::scope(|scope| {
            let (done, waiting) = channel::<()>();
            let is_late = &is_late;
            scope.spawn(move || {
                if waiting.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                    is_late.store(true, Ordering::Relaxed);
                    end(group);
                }
            });
            let answer = self.exchange(document);
            drop(done);
            answer
        });
        match answer {
            Some(outcome) if !is_late.load(Ordering::Relaxed) => outcome,
            _ => Err(self.failed(is_late.into_inner()).of(classify(document))),
        }
    }

    /// Whether it may be given another document.
    pub fn is_usable(&mut self) -> bool {
        self.is_usable && matches!(self.child.try_wait(), Ok(None))
    }

    /// How many documents it was given.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// `None` when a pipe broke, or what came is no answer.
    fn exchange(&mut self, document: &[u8]) -> Option<Result<Extracted, ReadFailure>> {
        write_frame(self.input.as_mut()?, document).ok()?;
        let answer = read_frame(self.output.as_mut()?, LONGEST_ANSWER).ok()??;
        serde_json::from_slice::<Answer<'_>>(&answer).ok()?.outcome()
    }

    /// Ends it, and says why it did not answer.
    fn failed(&mut self, is_late: bool) -> ReadFailure {
        self.is_usable = false;
        // It may be on its way out by itself: how it ended is worth a moment.
        self.input = None;
        let by_itself = if is_late { None } else { self.ended_within(Duration::from_millis(500)) };
        self.output = None;
        end(self.group);
        let status = self.child.wait().ok();
        if is_late {
            return ReadFailure::new(Problem::OutOfTime, format!("{} s", self.limits.time.as_secs()));
        }
        match by_itself {
            Some(status) if status.success() => ReadFailure::new(Problem::NoAnswer, ""),
            Some(status) => {
                let problem = tools::problem_of(status).unwrap_or(Problem::Crashed);
                ReadFailure::new(problem, format!("the reader {}", tools::in_words(status)))
            }
            None if status.is_some() => ReadFailure::new(Problem::NoAnswer, ""),
            None => ReadFailure::new(Problem::Crashed, ""),
        }
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let step = Duration::from_millis(5);
        for _ in 0..patience.as_millis() / step.as_millis() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(step);
        }
        None
    }
}

impl Drop for ReaderProcess {
    fn drop(&mut self) {
        end(self.group);
        // So that nothing of it is left to the system.
        let _ = self.child.wait();
    }
}

/// Ends a process and its tools. They may have ended already.
fn end(group: Option<Pid>) {
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
