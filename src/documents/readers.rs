//! Who performs the call `read-document`: processes of this program that read one document after the other, with limits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use concord_documents::{Extracted, Limits, ReadFailure, ReaderCommand, ReaderPool, classify};
use concord_engine::calls::{CallFailure, CallPool, Perform, Until};
use concord_flows::patient_documents::{Answered, Asked, Outcome, READ_DOCUMENT, Settings, UnreadableForm, codes};
use sha2::{Digest, Sha256};

use crate::cli::READER_COMMAND;
use crate::config::PatientDocuments;
use crate::failure::Failure;

/// The engine ends an attempt so much later than the reading process is ended, which says better why.
const BEHIND_THE_READER: Duration = Duration::from_secs(10);

/// The readers of a process that runs the flow.
///
/// # Errors
/// This program cannot be found, or no thread can be started.
pub fn calls(section: &PatientDocuments) -> Result<CallPool, Failure> {
    let limits = Limits { time: Duration::from_secs(section.reading.time_limit_seconds), ..Limits::default() };
    pool(Readers::new(limits, Places::Inline)?, section.reading.at_once)
}

/// The readers of a run over folders.
pub struct LocalReaders {
    limits: Limits,
    at_once: usize,
    read: Arc<AtomicU64>,
}

impl LocalReaders {
    /// As many as there are cores, within the time limit of these settings, which leave room for it.
    pub fn new(settings: &mut Settings) -> Self {
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        let limits = Limits { time: settings.reading.time_limit, ..Limits::default() };
        settings.reading.time_limit += BEHIND_THE_READER;
        settings.reading.in_flight = 2 * at_once;
        Self { limits, at_once, read: Arc::default() }
    }

    /// Starts their threads.
    ///
    /// # Errors
    /// This program cannot be found, or no thread can be started.
    pub fn pool(&self) -> Result<CallPool, Failure> {
        pool(Readers::new(self.limits, Places::Files(self.read.clone()))?, self.at_once)
    }

    /// How many attempts have ended.
    pub fn ended(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

fn pool(readers: Readers, at_once: usize) -> Result<CallPool, Failure> {
    let started = CallPool::new(at_once).perform(READ_DOCUMENT, readers).start();
    started.map_err(|e| Failure::other("starting the readers", e))
}

/// Where the bytes of documents may be.
enum Places {
    /// In their records only.
    Inline,
    /// In files of this machine; counts the attempts that have ended.
    Files(Arc<AtomicU64>),
}

struct Readers {
    processes: ReaderPool,
    places: Places,
}

impl Readers {
    fn new(limits: Limits, places: Places) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|e| Failure::other("finding this program", e))?;
        let command = ReaderCommand { program, arguments: vec![READER_COMMAND.into()], limits };
        Ok(Self { processes: ReaderPool::new(command), places })
    }

    fn read(&self, asked: &Asked<'_>) -> Result<Answered<'static>, CallFailure> {
        let fetched = match asked.content {
            Some(_) => Vec::new(),
            None => self.fetch(asked.url)?,
        };
        let content = asked.content.unwrap_or(&fetched);
        let began = std::time::Instant::now();
        let outcome = self.processes.read(content);
        let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (content_type, outcome) = match outcome {
            Ok(Extracted { content_type, features }) => (content_type, Outcome::Read(features)),
            Err(failure) if failure.problem.may_pass() => return Err(for_now(&failure)),
            Err(failure) => {
                let (code, reason) = (failure.problem.code().into(), failure.to_string().into());
                (failure.content_type, Outcome::NotRead { code, reason })
            }
        };
        let content_sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Answered {
            content_type: content_type.name().into(),
            content_sha256: content_sha256.into(),
            duration_ms,
            outcome,
        })
    }

    fn fetch(&self, url: &str) -> Result<Vec<u8>, CallFailure> {
        let path = url.strip_prefix(FILE);
        match (&self.places, path) {
            (Places::Files(_), Some(path)) => fs::read(path).map_err(|error| {
                CallFailure::for_good(codes::NOT_FETCHED, format!("the file cannot be read: {error}"))
            }),
            _ => Err(CallFailure::for_good(codes::NOT_FETCHED, "its bytes are at a place that is not known here")),
        }
    }
}

impl Perform for Readers {
    fn perform(&self, _key: &[u8], request: &[u8], _until: &Until) -> Result<Bytes, CallFailure> {
        let form = |error: UnreadableForm| CallFailure::for_good(codes::FORM_UNREADABLE, error.to_string());
        let answered = self.read(&Asked::from_bytes(request).map_err(form)?);
        if let Places::Files(ended) = &self.places {
            ended.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Bytes::from(answered?.to_bytes().map_err(form)?))
    }
}

fn for_now(failure: &ReadFailure) -> CallFailure {
    CallFailure::for_now(failure.problem.code(), failure.to_string())
}

/// Beginning of the places of files of this machine, in a run over folders.
const FILE: &str = "file://";

/// The place of a file.
///
/// # Errors
/// It has no absolute path that is text.
pub fn file_url(path: &Path) -> Result<String, Failure> {
    let absolute: PathBuf = std::path::absolute(path).map_err(|e| Failure::other(path.display(), e))?;
    let Some(text) = absolute.to_str() else {
        return Err(Failure::Usage(format!("{}: the path is not text in UTF-8: rename it", path.display())));
    };
    Ok(format!("{FILE}{text}"))
}

/// The type of a file by its content; empty when it cannot be read.
pub fn content_type_of(path: &Path) -> &'static str {
    fs::read(path).map_or("", |content| classify(&content).name())
}
