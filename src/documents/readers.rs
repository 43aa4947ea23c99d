//! Who performs the call `read-document`: processes of this program that read one document after the other, with limits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use concord_connectors::connect::{NotFetched, Objects};
use concord_documents::{Extracted, Limits, Problem, ReaderCommand, ReaderPool, classify};
use concord_engine::calls::{CallFailure, CallPool, Perform, Until};
use concord_flows::patient_documents::{
    Answered, Asked, FoundOut, Outcome, READ_DOCUMENT, Settings, UnreadableForm, codes,
};
use sha2::{Digest, Sha256};

use crate::cli::READER_COMMAND;
use crate::config::PatientDocuments;
use crate::config::connectors::S3;
use crate::failure::Failure;

/// The engine ends an attempt so much later than the reading process is ended, which says better why.
const BEHIND_THE_READER: Duration = Duration::from_secs(10);

/// The readers of a process that runs the flow.
///
/// # Errors
/// This program cannot be found, or no thread can be started.
pub fn calls(section: &PatientDocuments, s3: Option<&S3>) -> Result<CallPool, Failure> {
    let limits = section.limits();
    let objects = s3.cloned().map(|s3| {
        let time = Duration::from_secs(section.reading.fetch_seconds);
        Objects::new(move |bucket| s3.access(bucket), limits.document_bytes, time)
    });
    pool(Readers::new(limits, Places::Objects(objects))?, section.reading.at_once)
}

/// The readers of a run over folders.
pub struct LocalReaders {
    limits: Limits,
    at_once: usize,
    read: Arc<AtomicU64>,
}

impl LocalReaders {
    /// As many as there are cores, within these limits, for which the settings leave room.
    pub fn new(settings: &mut Settings, limits: Limits) -> Self {
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        settings.reading.time_limit = limits.time + BEHIND_THE_READER;
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

/// Where the bytes of documents may be, beside their records.
enum Places {
    /// In an object store, if one is configured.
    Objects(Option<Objects>),
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

    fn read(&self, asked: &Asked<'_>, until: &Until) -> Result<Answered<'static>, CallFailure> {
        let fetched = match asked.content {
            Some(_) => Vec::new(),
            None => self.fetch(asked.url, until)?,
        };
        let content = asked.content.unwrap_or(&fetched);
        let content_sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        if asked.content.is_none() && !asked.content_sha256.is_empty() && content_sha256 != asked.content_sha256 {
            return Err(not_fetched("what is at its place is not what was uploaded: upload it anew"));
        }
        let began = Instant::now();
        let outcome = self.processes.read(content);
        let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (content_type, outcome) = match outcome {
            Ok(Extracted { content_type, features }) => (content_type, Outcome::Read(features)),
            Err(failure) if failure.problem.may_pass() => {
                let found = FoundOut {
                    content_type: classify(content).name().into(),
                    content_sha256: content_sha256.into(),
                    duration_ms,
                };
                let for_now = CallFailure::for_now(failure.problem.code(), failure.to_string());
                return Err(for_now.but_found(found.to_bytes().map_err(unreadable)?));
            }
            Err(failure) => {
                let (code, reason) = (failure.problem.code().into(), failure.to_string().into());
                (failure.content_type, Outcome::NotRead { code, reason })
            }
        };
        Ok(Answered {
            content_type: content_type.name().into(),
            content_sha256: content_sha256.into(),
            duration_ms,
            outcome,
        })
    }

    fn fetch(&self, url: &str, until: &Until) -> Result<Vec<u8>, CallFailure> {
        match &self.places {
            Places::Files(_) => match url.strip_prefix(FILE) {
                Some(path) => fs::read(path).map_err(|error| not_fetched(format!("the file cannot be read: {error}"))),
                None => Err(not_fetched("its bytes are at a place that is not known here")),
            },
            Places::Objects(Some(objects)) => objects.fetch(url, until).map_err(|error| match &error {
                NotFetched::TooLarge { .. } => {
                    let (code, text) = (Problem::TooLarge.code(), Problem::TooLarge.text());
                    CallFailure::for_good(code, format!("{text}: {error}"))
                }
                _ if error.may_pass() => CallFailure::for_now(codes::STORE_AWAY, error.to_string()),
                _ => not_fetched(error.to_string()),
            }),
            Places::Objects(None) => Err(not_fetched(
                "its bytes are not in its record, and the configuration has no section [s3] to fetch them",
            )),
        }
    }
}

impl Perform for Readers {
    fn perform(&self, _key: &[u8], request: &[u8], until: &Until) -> Result<Bytes, CallFailure> {
        let answered = self.read(&Asked::from_bytes(request).map_err(unreadable)?, until);
        if let Places::Files(ended) = &self.places {
            ended.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Bytes::from(answered?.to_bytes().map_err(unreadable)?))
    }
}

fn not_fetched(why: impl Into<std::borrow::Cow<'static, str>>) -> CallFailure {
    CallFailure::for_good(codes::NOT_FETCHED, why)
}

fn unreadable(error: UnreadableForm) -> CallFailure {
    CallFailure::for_good(codes::FORM_UNREADABLE, error.to_string())
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
