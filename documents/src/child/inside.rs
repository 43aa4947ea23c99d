//! The side of the process that reads. It takes every right from itself that reading does not need, and sets its limits, before it
//! looks at the first byte; the tools that it starts inherit both.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::protocol::{Answer, read_frame, write_frame};
use crate::{Limits, Problem, ReadFailure, read};

/// Where programs, their libraries, fonts and languages are: all that may be read beside the folder of the document.
const READABLE: [&str; 11] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/etc",
    "/opt",
    "/dev",
    "/var/cache/fontconfig",
    "/sys/devices/system/cpu",
    "/proc/cpuinfo",
];
/// Files a process may have open: pipes, libraries, and some that tools write.
const OPEN_FILES: u64 = 256;

/// The whole life of the process: takes limits as [`ReaderProcess`](crate::ReaderProcess) gives them (JSON), reads documents from standard input
/// until it ends, and answers on standard output. Works in the current folder. Call it from the main thread, with no other running
/// that was started before.
///
/// # Errors
/// Words for an operator, when it is called with something else than limits, or its pipes break.
pub fn serve(limits: &str) -> Result<(), String> {
    let limits: Limits = serde_json::from_str(limits).map_err(|error| format!("these are no limits: {error}"))?;
    let workplace = std::env::current_dir().map_err(|error| format!("the current folder: {error}"))?;
    restrict(&limits, &workplace).map_err(|error| format!("limits cannot be set: {error}"))?;
    read_all(&limits, &workplace, io::stdin().lock(), io::stdout().lock())
        .map_err(|error| format!("a pipe broke: {error}"))
}

fn read_all(limits: &Limits, workplace: &Path, mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    while let Some(document) = read_frame(&mut input, limits.document_bytes)? {
        limit_cpu(limits)?;
        let outcome = match tempfile::tempdir_in(workplace) {
            Ok(folder) => read(&document, limits, folder.path()),
            Err(_) => Err(ReadFailure::new(Problem::NoProcess, "the temporary folder cannot be written to")),
        };
        write_frame(&mut output, &serde_json::to_vec(&Answer::of(outcome))?)?;
    }
    Ok(())
}

/// For good: neither this process nor its tools can take it back.
fn restrict(limits: &Limits, workplace: &Path) -> io::Result<()> {
    // Whoever asks may be killed; nobody is there then to end this.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    for (resource, most) in [
        (Resource::As, limits.memory_bytes),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Core, 0),
        (Resource::Nofile, OPEN_FILES),
    ] {
        let allowed = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        setrlimit(resource, Rlimit { current: Some(allowed), maximum: Some(allowed) })?;
    }
    limit_cpu(limits)?;
    confine(workplace).map_err(io::Error::other)?;
    Ok(())
}

/// A limit of processor time counts from the beginning of a process, and this one reads several documents.
fn limit_cpu(limits: &Limits) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let maximum = getrlimit(Resource::Cpu).maximum;
    let allowed = used.saturating_add(1).saturating_add(limits.cpu_seconds);
    let current = Some(maximum.map_or(allowed, |maximum| maximum.min(allowed)));
    setrlimit(Resource::Cpu, Rlimit { current, maximum })?;
    Ok(())
}

/// Landlock: reads programs and their data, writes in the folder alone, has no TCP. Where the kernel is too old for a part of it
/// that part is missing; the limits above hold anyway.
fn confine(workplace: &Path) -> Result<RulesetStatus, RulesetError> {
    let abi = ABI::V5;
    let mut readable: Vec<PathBuf> = READABLE.iter().map(PathBuf::from).collect();
    readable.extend(std::env::var_os("TESSDATA_PREFIX").map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    readable.extend(std::env::split_paths(&path));
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))?
        .add_rules(path_beneath_rules([workplace], AccessFs::from_all(abi)))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_file(abi)))?
        .restrict_self()?;
    Ok(status.ruleset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::fs;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_confined_thread_writes_in_its_folder_alone_and_has_no_tcp() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        fs::write(other.path().join("there"), "secret").unwrap();
        // Landlock confines the thread that asks for it, and what that starts.
        let confined = std::thread::spawn(move || {
            let status = confine(own.path()).unwrap();
            if status == RulesetStatus::NotEnforced {
                eprintln!("SKIPPED: this kernel has no Landlock, so nothing of it is tested");
                return;
            }
            fs::write(own.path().join("file"), "text").unwrap();
            assert_eq!(fs::read(own.path().join("file")).unwrap(), b"text");
            let denied = |outcome: io::Result<()>| assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
            denied(fs::write(other.path().join("file"), "text"));
            denied(fs::read(other.path().join("there")).map(|_| ()));
            denied(fs::remove_file(other.path().join("there")));
            assert!(fs::read("/etc/passwd").is_ok());
            if status == RulesetStatus::FullyEnforced {
                denied(TcpStream::connect(address).map(|_| ()));
            }
        });
        confined.join().unwrap();
    }

    #[test]
    fn documents_are_answered_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut input = Vec::new();
        for document in [b"NHS Number: 999 054 8609\n".as_slice(), b"PK\x03\x04"] {
            write_frame(&mut input, document).unwrap();
        }
        let mut output = Vec::new();
        read_all(&Limits::default(), folder.path(), input.as_slice(), &mut output).unwrap();
        let mut output = output.as_slice();
        let mut answer = || {
            let frame = read_frame(&mut output, u64::MAX).unwrap().unwrap();
            serde_json::from_slice::<Answer<'_>>(&frame).unwrap().outcome().unwrap()
        };
        assert_eq!(answer().unwrap().features.demographics[0].value, "9990548609");
        assert_eq!(answer().unwrap_err().problem, Problem::UnknownKind);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
