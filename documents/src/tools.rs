//! Runs the tools that read pages: Tesseract and Poppler, within the limits that this process has.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::Signal;

use crate::{Problem, ReadFailure};

/// What a tool may write to its output: the words of some hundred pages.
const MOST_OUTPUT: u64 = 64 << 20;
/// What is looked at of its messages.
const MOST_MESSAGES: u64 = 4_096;

/// What a tool wrote, and how it ended.
pub(crate) struct Ran {
    pub output: Vec<u8>,
    pub succeeded: bool,
    /// The beginning of its messages: to recognise some, never to repeat any.
    pub messages: String,
}

/// Runs a tool in the folder where this document is worked on.
///
/// # Errors
/// [`Problem::NoTool`], [`Problem::NoProcess`], [`Problem::TooMany`], and [`Problem::Crashed`] or [`Problem::OutOfCpu`] when it was
/// ended by a signal.
pub(crate) fn run(tool: &str, arguments: &[&OsStr], workplace: &Path) -> Result<Ran, ReadFailure> {
    let no_process = |_| ReadFailure::new(Problem::NoProcess, format!("{tool} cannot be started"));
    let messages_file = workplace.join("messages");
    let mut child = Command::new(tool)
        .args(arguments)
        .current_dir(workplace)
        // Two readers on two cores are faster than one that uses both.
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(File::create(&messages_file).map_err(no_process)?))
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => ReadFailure::new(Problem::NoTool, tool),
            _ => no_process(error),
        })?;
    let mut output = Vec::new();
    let mut read = Ok(0);
    if let Some(stdout) = child.stdout.take() {
        read = stdout.take(MOST_OUTPUT + 1).read_to_end(&mut output);
    }
    if read.is_err() || output.len() as u64 > MOST_OUTPUT {
        // It has ended when it cannot be killed any more.
        let _ = child.kill();
        let _ = child.wait();
        return Err(ReadFailure::new(Problem::TooMany, format!("{tool} finds more than {MOST_OUTPUT} bytes")));
    }
    let status = child.wait().map_err(no_process)?;
    if let Some(problem) = problem_of(status) {
        return Err(ReadFailure::new(problem, format!("{tool} {}", in_words(status))));
    }
    let mut messages = Vec::new();
    if let Ok(file) = File::open(&messages_file) {
        let _ = file.take(MOST_MESSAGES).read_to_end(&mut messages);
    }
    Ok(Ran { output, succeeded: status.success(), messages: String::from_utf8_lossy(&messages).into_owned() })
}

/// What it means that a process was ended by a signal; `None` when it ended by itself.
pub(crate) fn problem_of(status: ExitStatus) -> Option<Problem> {
    status.signal().map(|signal| if signal == Signal::XCPU.as_raw() { Problem::OutOfCpu } else { Problem::Crashed })
}

/// How a process ended.
pub(crate) fn in_words(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, Some(code)) => format!("ended with code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Writes the document where tools find it.
///
/// # Errors
/// [`Problem::NoProcess`] when there is no room.
pub(crate) fn kept(document: &[u8], name: &str, workplace: &Path) -> Result<std::path::PathBuf, ReadFailure> {
    let file = workplace.join(name);
    std::fs::write(&file, document)
        .map_err(|_| ReadFailure::new(Problem::NoProcess, "the temporary folder cannot be written to"))?;
    Ok(file)
}
