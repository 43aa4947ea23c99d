//! `concord documents consolidate`: the topology of patient documents over folders, on the embedded log.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use concord_connectors::connect::LogWriter;
use concord_engine::calls::CallService;
use concord_engine::clock::SystemClock;
use concord_engine::dead_letters::read_dead_letters;
use concord_engine::local::LocalRun;
use concord_engine::log::{Log, read_whole_topic};
use concord_engine::topology::Topology;
use concord_flows::patient_documents::topology::CONSOLIDATION;
use concord_flows::patient_documents::{Debounce, Settings, codes, topology};
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::patient_documents::{Document, PatientConsolidation, UpdateRequest};
use concord_state::MemoryDirectory;
use jiff::Timestamp;
use serde_json::Value;

use super::files::{DocumentFile, documents};
use super::readers::{LocalReaders, file_url};
use super::record_json::as_json;
use super::topics::not_written;
use crate::cli::ConsolidateArgs;
use crate::config::{Config, PatientDocuments};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::reconcile::DeadLetters;

/// Longer than reading documents ever takes: patients are consolidated when all of theirs are read, and asked for.
const UNTIL_ASKED_MS: i64 = 365 * 24 * 60 * 60 * 1000;

/// What a run over folders came to.
pub struct Outcome {
    /// The record of each patient, as it is written.
    pub patients: BTreeMap<String, Value>,
    /// Documents that could not be read: patient, name and reason.
    pub failed: Vec<[String; 3]>,
    /// Documents in all.
    pub documents: usize,
    /// What came to nothing beside these.
    pub dead_letters: DeadLetters,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::Findings`] when a document could not be read; files that cannot be read or written.
pub fn command(args: &ConsolidateArgs) -> Result<(), Failure> {
    let section = match &args.config {
        Some(path) => section_of(&Config::read(path)?)?,
        None => PatientDocuments::default(),
    };
    let (found, left_alone) = documents(&args.dir)?;
    for told in left_alone {
        eprintln!("{told}: it is left alone");
    }
    if found.is_empty() {
        eprintln!("no document is in {}: nothing is consolidated", args.dir.display());
    }
    let outcome = consolidate(&found, &section)?;
    outcome.write(&args.out)?;
    outcome.tell(&args.out);
    if outcome.dead_letters.count > 0 {
        crate::tell_dead_letters(&outcome.dead_letters);
        return Err(Failure::Other("what was read of some documents is in none of the results".to_owned()));
    }
    if outcome.failed.is_empty() { Ok(()) } else { Err(Failure::Findings) }
}

/// The section of a configuration: its policies, trust and limits hold.
fn section_of(config: &Config) -> Result<PatientDocuments, Failure> {
    let section = config.flows.patient_documents.clone();
    section.ok_or_else(|| Failure::Usage("the configuration needs a section [flows.patient_documents]".to_owned()))
}

impl Outcome {
    /// Writes `<patient id>.json` for each patient.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write(&self, out: &Path) -> Result<(), Failure> {
        fs::create_dir_all(out).map_err(|e| Failure::Usage(format!("cannot create {}: {e}", out.display())))?;
        for (patient_id, record) in &self.patients {
            let path = out.join(format!("{patient_id}.json"));
            fs::write(&path, format!("{record:#}\n"))
                .map_err(|e| Failure::other(format!("writing {}", path.display()), e))?;
        }
        Ok(())
    }

    fn tell(&self, out: &Path) {
        let conflicts: usize =
            self.patients.values().map(|record| record["conflicts"].as_array().map_or(0, Vec::len)).sum();
        println!(
            "{} documents of {} patients: {} read, {} not read; {conflicts} conflicts. The records are in {}.",
            self.documents,
            self.patients.len(),
            self.documents - self.failed.len(),
            self.failed.len(),
            out.display(),
        );
        for [patient_id, name, reason] in &self.failed {
            eprintln!("{patient_id}/{name}: {reason}");
        }
    }
}

/// Reads documents and consolidates their patients.
///
/// # Errors
/// The readers cannot be started, or the run must not go on.
pub fn consolidate(files: &[DocumentFile], section: &PatientDocuments) -> Result<Outcome, Failure> {
    let failed = |e| Failure::other("consolidating", e);
    let debounce = Debounce { quiet_ms: UNTIL_ASKED_MS, longest_wait_ms: UNTIL_ASKED_MS };
    let mut settings = Settings { debounce, ..section.settings(2) };
    // Nobody waits for a document that cannot be read now.
    settings.reading.first_pause = settings.reading.first_pause.min(std::time::Duration::from_secs(1));
    let readers = LocalReaders::new(&mut settings, section.limits());
    let topology = Arc::new(topology(&settings).map_err(|e| Failure::other("building the topology", e))?);
    let calls: Arc<dyn CallService> = Arc::new(readers.pool()?);
    let directory = Arc::new(MemoryDirectory::new());
    let mut run =
        LocalRun::start_with_calls(topology.clone(), directory, Arc::new(SystemClock), calls).map_err(failed)?;
    let mut progress = Progress::new();

    let at_ms = Timestamp::now().as_millisecond();
    let mut writer =
        LogWriter::open(run.log(), &Schemas::bundled()).map_err(|e| Failure::other("opening a producer", e))?;
    for file in files {
        let (document_id, url) = (file.document_id(), file_url(&file.path)?);
        let document = Document {
            document_id: &document_id,
            patient_id: &file.patient_id,
            name: &file.name,
            contents_last_updated_ms: file.changed_at_ms,
            url: &url,
            ..Document::default()
        };
        writer.send(&codec::DOCUMENT, &document_id, Some(&document), at_ms).map_err(not_written)?;
    }
    writer.flush().map_err(not_written)?;
    run.run_until_idle(&mut |_, _| progress.tell(format!("reading: {} of {} documents", readers.ended(), files.len())))
        .map_err(failed)?;

    let mut patients: Vec<&str> = files.iter().map(|file| &*file.patient_id).collect();
    patients.dedup();
    for patient_id in patients {
        let request = UpdateRequest { patient_id, delay_ms: Some(0), by: "" };
        writer.send(&codec::UPDATE_REQUEST, patient_id, Some(&request), at_ms).map_err(not_written)?;
    }
    writer.flush().map_err(not_written)?;
    run.run_until_idle(&mut |done, waiting| progress.show("consolidating", done, waiting)).map_err(failed)?;
    progress.end();

    let mut outcome = read_outcome(run.log(), files.len())?;
    outcome.dead_letters = letters(run.log(), &topology)?;
    run.stop().map_err(failed)?;
    Ok(outcome)
}

fn read_outcome(log: &dyn Log, documents: usize) -> Result<Outcome, Failure> {
    let decoder = Schemas::bundled().decoder();
    let mut patients = BTreeMap::new();
    let mut unread = BTreeMap::new();
    let mut failure = None;
    let read = read_whole_topic(log, CONSOLIDATION, &mut |_, record| {
        let Some(value) = &record.value else { return };
        match decoder.decode::<PatientConsolidation<'_>>(&codec::CONSOLIDATION, value) {
            Ok(record) => {
                let patient_id = record.patient_id.to_string();
                let failed = record.documents.iter().filter(|document| document.status != "Complete");
                let told = failed.map(|document| {
                    let reason = format!("{} {}", document.reason_code, document.reason);
                    [patient_id.clone(), document.name.to_string(), reason]
                });
                unread.insert(patient_id.clone(), told.collect::<Vec<_>>());
                patients.insert(patient_id, as_json(&record));
            }
            Err(error) => failure = Some(Failure::other("reading the consolidated patients", error)),
        }
    });
    read.map_err(|e| Failure::other("reading the consolidated patients", e))?;
    match failure {
        Some(failure) => Err(failure),
        None => {
            let failed = unread.into_values().flatten().collect();
            Ok(Outcome { patients, failed, documents, dead_letters: DeadLetters::default() })
        }
    }
}

/// The dead letters of a run but for those of documents that were not read, which the records tell.
fn letters(log: &dyn Log, topology: &Topology) -> Result<DeadLetters, Failure> {
    let mut letters = DeadLetters::default();
    let read = read_dead_letters(log, topology, &mut |letter| {
        if letter.code != codes::NOT_READ {
            letters.add(&letter);
        }
    });
    read.map_err(|e| Failure::other("reading the dead letters", e))?;
    Ok(letters)
}
