//! `concord reconcile`: the list reconciliation topology over files, on the embedded log.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use concord_engine::clock::SystemClock;
use concord_engine::dead_letters::{DeadLetter, read_dead_letters};
use concord_engine::local::LocalRun;
use concord_engine::log::{LogRecord, read_whole_topic};
use concord_engine::topology::Topology;
use concord_flows::list_reconciliation::outputs::mail::write_outbox_mail;
use concord_flows::list_reconciliation::topology::{DIFFERENCE, FILE, JOB, MAIL};
use concord_flows::list_reconciliation::{MailSettings, OnInvalid, Profile, RegistrationSource, Settings, topology};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Decoder};
use concord_schemas::list_reconciliation::{Difference, FileChunk, Job, JobCounts, Mail};
use concord_state::{RocksDirectory, RocksOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::publish::Producer;
use crate::rejected_rows::RejectedRows;

/// In the output folder: rows of the PDS and registration files that could not be used.
pub const REJECTED_ROWS: &str = "rejected-rows.ndjson";
/// In a job's folder: why its file, or some of its records, were refused.
pub const VALIDATION: &str = "validation.json";

/// Memory of the stores of a run over files, whose records are in memory already.
const STATE_BYTES: usize = 48 << 20;

/// What to reconcile.
pub struct Request {
    /// GP extracts; each is a job.
    pub extracts: Vec<PathBuf>,
    /// PDS records: FHIR NDJSON or the CSV of the test pack.
    pub pds: Vec<PathBuf>,
    /// Who is registered where; without it PDS records say.
    pub registrations: Option<PathBuf>,
    /// Where the output goes.
    pub out: PathBuf,
    /// Processing time.
    pub at: Timestamp,
    /// Earlier behaviour or corrected, and what happens to invalid records.
    pub flow: Settings,
}

/// A job as it ended.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// Derived from the file.
    pub job_id: String,
    /// Practice code.
    pub practice: String,
    /// File name, normalised.
    pub file: String,
    /// `RECONCILED`, `REJECTED`, ...
    pub status: String,
    /// Why it was refused.
    pub reasons: Vec<String>,
    /// Records found invalid.
    pub invalid_records: i64,
    /// What was counted.
    pub counts: JobCounts,
    /// Files written, relative to the job's folder, in order of name.
    pub files: Vec<String>,
}

/// What a run did.
pub struct Outcome {
    /// In the order of the extracts; the same file twice is one job.
    pub jobs: Vec<JobResult>,
    /// A few differences, as `practice, rule` (who is meant stands in the files).
    pub first_differences: Vec<(String, String)>,
    /// Rows of the PDS and registration files that could not be used.
    pub rejected_rows: u64,
    /// Records that a processor could not process.
    pub dead_letters: DeadLetters,
    /// PDS records loaded.
    pub pds_records: u64,
    /// Seconds from the first record to the last file.
    pub seconds: f64,
}

/// The dead letters of a run. Its log goes with it, so whoever is to know of them must be told.
#[derive(Default)]
pub struct DeadLetters {
    /// All of them.
    pub count: u64,
    /// The first ones: where the record stood, code and cause, without the record's content.
    pub first: Vec<String>,
}

impl DeadLetters {
    /// Adds one.
    pub fn add(&mut self, letter: &DeadLetter) {
        const NAMED: usize = 100;
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(told(letter));
        }
    }
}

/// Runs it. `on_progress` is told what is being done, and of records processed and waiting.
///
/// # Errors
/// Files that cannot be read or written, or an output folder in which another run is at work.
pub fn reconcile(request: &Request, on_progress: &mut dyn FnMut(&str, u64, u64)) -> Result<Outcome, Failure> {
    let began = Instant::now();
    for path in request.extracts.iter().chain(&request.pds).chain(&request.registrations) {
        check_is_there(path)?;
    }
    fs::create_dir_all(&request.out)
        .map_err(|e| Failure::Usage(format!("cannot create {}: {e}", request.out.display())))?;
    let _lock = lock(&request.out)?;
    let registrations = match request.registrations {
        Some(_) => RegistrationSource::RegistrationList,
        None => RegistrationSource::PdsRecords,
    };
    // Behind the run there is nobody to whom a list could stand.
    let settings = Settings { registrations, partitions: 2, standing: false, ..request.flow.clone() };
    let topology = Arc::new(topology(&settings).map_err(|e| Failure::other("building the topology", e))?);

    // State is of use only while the run lasts: its folder goes with it.
    let state = request.out.join(".concord-state");
    let _remove = RemoveOnDrop(state.clone());
    let _ = fs::remove_dir_all(&state);
    let directory =
        RocksDirectory::open(&state, RocksOptions { memory_budget_bytes: STATE_BYTES, ..RocksOptions::default() })
            .map_err(|e| Failure::other(format!("opening the state in {}", state.display()), e))?;

    let failed = |e| Failure::other("reconciling", e);
    let mut run = LocalRun::start(topology.clone(), Arc::new(directory), Arc::new(SystemClock)).map_err(failed)?;
    let mut producer = Producer::new(run.log(), &Schemas::bundled(), request.at)?;
    let mut rejected = RejectedRows::kept_in(request.out.join(REJECTED_ROWS))?;
    let mut pds_records = 0;
    for path in &request.pds {
        pds_records += producer.pds(path, request.flow.profile, &mut rejected)?;
        run.run_until_idle(&mut |done, waiting| on_progress("loading PDS records", done, waiting)).map_err(failed)?;
    }
    if let Some(path) = &request.registrations {
        producer.registrations(path, &mut rejected)?;
        run.run_until_idle(&mut |done, waiting| on_progress("loading registrations", done, waiting)).map_err(failed)?;
    }
    let rejected_rows = rejected.end()?;
    let mut job_ids = Vec::new();
    for path in &request.extracts {
        let job_id = producer.extract(path)?;
        if job_ids.contains(&job_id) {
            eprintln!("{}: this file was already received as job {job_id}; it is not reconciled again", path.display());
            continue;
        }
        job_ids.push(job_id);
    }
    run.run_until_idle(&mut |done, waiting| on_progress("reconciling", done, waiting)).map_err(failed)?;

    on_progress("writing files", run.processed(), 0);
    let written = write_files(&run, &request.out)?;
    write_mails(&run, &job_ids, &request.out)?;
    let jobs = read_jobs(&run, &job_ids, &written)?;
    remove_old_reasons(&jobs, &request.out)?;
    let first_differences = read_first_differences(&run)?;
    let dead_letters = read_letters(&run, &topology)?;
    run.stop().map_err(failed)?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Outcome { jobs, first_differences, rejected_rows, dead_letters, pds_records, seconds })
}

/// Two runs in one folder would clear each other's state and write the same files. The lock ends with the process, and
/// leaves no file.
fn lock(out: &Path) -> Result<File, Failure> {
    let folder = File::open(out).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", out.display())))?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let out = out.display();
            let message =
                format!("another run is writing to {out}: wait for its end, or give another folder with --out");
            return Err(Failure::Usage(message));
        }
        // Not every network file system locks folders.
        Err(TryLockError::Error(error)) => {
            tracing::warn!(folder = %out.display(), %error, "The folder cannot be locked: let no other run write to it.");
        }
    }
    Ok(folder)
}

/// A path that is missing is told before anything is done.
pub fn check_is_there(path: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(path).map_err(|e| Failure::Usage(format!("cannot open {}: {e}", path.display())))?;
    if metadata.is_dir() {
        return Err(Failure::Usage(format!("{} is a folder: name a file in it", path.display())));
    }
    Ok(())
}

/// A job whose file was rejected in an earlier run, perhaps for its date alone, has the same folder.
fn remove_old_reasons(jobs: &[JobResult], out: &Path) -> Result<(), Failure> {
    for job in jobs.iter().filter(|job| !job.files.iter().any(|file| file == VALIDATION)) {
        let path = out.join(&job.job_id).join(VALIDATION);
        if path.exists() {
            fs::remove_file(&path).map_err(|e| Failure::other(format!("removing {}", path.display()), e))?;
        }
    }
    Ok(())
}

/// Writes the pieces of all output files; answers the names by job.
fn write_files(run: &LocalRun, out: &Path) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let decoder = Schemas::bundled().decoder();
    let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut failure = None;
    let mut open: HashMap<PathBuf, File> = HashMap::new();
    let read = read_whole_topic(run.log(), FILE, &mut |_, record| {
        if failure.is_none() {
            failure = write_piece(&decoder, &record, out, &mut open, &mut written).err();
        }
    });
    read.map_err(|e| Failure::other("reading the output files", e))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    for names in written.values_mut() {
        names.sort();
    }
    Ok(written)
}

fn write_piece(
    decoder: &Decoder,
    record: &LogRecord,
    out: &Path,
    open: &mut HashMap<PathBuf, File>,
    written: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), Failure> {
    let Some(value) = &record.value else { return Ok(()) };
    let piece: FileChunk<'_> =
        decoder.decode(&codec::FILE, value).map_err(|e| Failure::other("reading an output file", e))?;
    let path = out.join(piece.job_id).join(piece.file_name);
    let failed = |e| Failure::other(format!("writing {}", path.display()), e);
    if piece.sequence == 0 {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        open.insert(path.clone(), File::create(&path).map_err(failed)?);
        written.entry(piece.job_id.to_string()).or_default().push(piece.file_name.to_string());
    }
    if let Some(file) = open.get_mut(&path) {
        file.write_all(piece.text.as_bytes()).map_err(failed)?;
    }
    if piece.last {
        open.remove(&path);
    }
    Ok(())
}

/// Writes the mails as the outbox holds them: `<job id>/mail/<mail id>.json`.
fn write_mails(run: &LocalRun, job_ids: &[String], out: &Path) -> Result<(), Failure> {
    // A job that ended otherwise in an earlier run has the same folder.
    for folder in job_ids.iter().map(|job_id| out.join(job_id).join("mail")).filter(|folder| folder.exists()) {
        fs::remove_dir_all(&folder).map_err(|e| Failure::other(format!("removing {}", folder.display()), e))?;
    }
    let decoder = Schemas::bundled().decoder();
    let mut failure = None;
    let read = read_whole_topic(run.log(), MAIL, &mut |_, record| {
        if let (None, Some(value)) = (&failure, &record.value) {
            failure = write_mail(&decoder, value, out).err();
        }
    });
    read.map_err(|e| Failure::other("reading the mails", e))?;
    failure.map_or(Ok(()), Err)
}

fn write_mail(decoder: &Decoder, value: &[u8], out: &Path) -> Result<(), Failure> {
    let mail: Mail<'_> = decoder.decode(&codec::MAIL, value).map_err(|e| Failure::other("reading a mail", e))?;
    let folder = out.join(mail.job_id).join("mail");
    let path = folder.join(format!("{}.json", mail.mail_id));
    let mut object = String::new();
    write_outbox_mail(&mut object, &mail);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, object))
        .map_err(|e| Failure::other(format!("writing {}", path.display()), e))
}

fn read_jobs(
    run: &LocalRun,
    job_ids: &[String],
    written: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<JobResult>, Failure> {
    let decoder = Schemas::bundled().decoder();
    let mut last: HashMap<String, JobResult> = HashMap::new();
    let mut failure = None;
    let read = read_whole_topic(run.log(), JOB, &mut |_, record| {
        let Some(value) = &record.value else { return };
        match decoder.decode::<Job<'_>>(&codec::JOB, value) {
            Ok(job) => {
                let result = JobResult {
                    job_id: job.job_id.to_string(),
                    practice: job.practice.to_string(),
                    file: job.file.to_string(),
                    status: job.status.to_string(),
                    reasons: job.reasons.iter().map(ToString::to_string).collect(),
                    invalid_records: job.invalid_records,
                    counts: job.counts,
                    files: written.get(job.job_id).cloned().unwrap_or_default(),
                };
                last.insert(result.job_id.clone(), result);
            }
            Err(error) => failure = Some(Failure::other("reading the jobs", error)),
        }
    });
    read.map_err(|e| Failure::other("reading the jobs", e))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let mut jobs = Vec::new();
    for job_id in job_ids {
        let Some(job) = last.remove(job_id) else {
            return Err(Failure::Other(format!("the job {job_id} came to no end: this is a fault of the program")));
        };
        jobs.push(job);
    }
    Ok(jobs)
}

fn read_first_differences(run: &LocalRun) -> Result<Vec<(String, String)>, Failure> {
    const SHOWN: usize = 5;
    let decoder = Schemas::bundled().decoder();
    let mut first = Vec::new();
    let read = read_whole_topic(run.log(), DIFFERENCE, &mut |_, record| {
        if first.len() < SHOWN
            && let Some(value) = &record.value
            && let Ok(difference) = decoder.decode::<Difference<'_>>(&codec::DIFFERENCE, value)
        {
            first.push((masked(difference.nhs_number), difference.rule_id.to_string()));
        }
    });
    read.map_err(|e| Failure::other("reading the differences", e))?;
    Ok(first)
}

/// The dead letters of a run over files.
pub fn read_letters(run: &LocalRun, topology: &Topology) -> Result<DeadLetters, Failure> {
    let mut letters = DeadLetters::default();
    let read = read_dead_letters(run.log(), topology, &mut |letter| letters.add(&letter));
    read.map_err(|e| Failure::other("reading the dead letters", e))?;
    Ok(letters)
}

fn told(letter: &DeadLetter) -> String {
    let source = letter.source.as_ref().map_or_else(|| "a timer".to_string(), ToString::to_string);
    format!("{} {source}: {}", letter.code, letter.message)
}

/// An identifier as it may be shown to whoever looks: its last three digits.
fn masked(nhs_number: &str) -> String {
    let shown = nhs_number.len().saturating_sub(3);
    format!("{}{}", "*".repeat(shown), nhs_number.get(shown..).unwrap_or_default())
}

/// The jobs, and how many dead letters there were, as one JSON object.
pub fn as_json(outcome: &Outcome) -> Value {
    let jobs: Vec<Value> = outcome
        .jobs
        .iter()
        .map(|job| {
            json!({
                "job_id": job.job_id,
                "practice": job.practice,
                "file": job.file,
                "status": job.status,
                "records": job.counts.records,
                "matched": job.counts.matched,
                "partnership_mismatch": job.counts.partnership_mismatch,
                "deducted": job.counts.deducted,
                "unmatched": job.counts.unmatched,
                "sensitive": job.counts.sensitive,
                "only_on_gp": job.counts.only_on_gp,
                "only_on_pds": job.counts.only_on_pds,
                "differences": job.counts.differences,
                "patients_with_differences": job.counts.patients_with_differences,
                "work_items": job.counts.work_items,
                "duplicates": job.counts.duplicates,
                "invalid_records": job.invalid_records,
                "files": job.files,
            })
        })
        .collect();
    json!({ "jobs": jobs, "dead_letters": outcome.dead_letters.count })
}

/// Settings of the flow for a run over files.
pub fn flow_settings(profile: Profile, on_invalid: OnInvalid, recipients: Vec<String>) -> Settings {
    Settings { profile, on_invalid, mails: MailSettings { recipients, success: true }, ..Settings::default() }
}

struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // Left-over state is harmless: the next run clears it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
