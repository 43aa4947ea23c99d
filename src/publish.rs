//! The producers: extracts, answers of DPS, PDS records, registrations and interchanges, read from files and published to a log.
//!
//! Publishing the same file twice changes nothing: the ids of extracts and of files of interchanges are derived from name and
//! content, and PDS records are upserts.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use concord_connectors::connect::{
    Described, DescribedAnswer, DescribedInterchanges, ExtractError, LogWriter, WriteError, job_of_answer, measure,
    publish_answer, publish_extract, publish_interchanges,
};
use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsEntry, Selection, TestPackReader};
use concord_connectors::registrations::RegistrationReader;
use concord_connectors::rejected::ReadError;
use concord_engine::log::Log;
use concord_flows::list_reconciliation::{Profile, ids};
use concord_flows::sequence_audit::{file_id, link_key};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::gp_links::{HistoryDocument, StateDocument};
use concord_schemas::sequence_audit::AuditCommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::LastUsed;
use crate::failure::Failure;
use crate::rejected_rows::RejectedRows;

/// Publishes to one log.
pub struct Producer {
    writer: LogWriter,
    at_ms: i64,
}

impl Producer {
    /// A producer whose records carry the time `at`.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub fn new(log: &dyn Log, schemas: &Schemas, at: Timestamp) -> Result<Self, Failure> {
        let writer = LogWriter::open(log, schemas).map_err(|e| Failure::other("opening a producer", e))?;
        Ok(Self { writer, at_ms: at.as_millisecond() })
    }

    /// Publishes an extract; answers its job id.
    ///
    /// # Errors
    /// The file cannot be read, or the log refuses.
    pub fn extract(&mut self, path: &Path) -> Result<String, Failure> {
        let reading = |error| Failure::other(format!("reading {}", path.display()), error);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let open = || File::open(path).map_err(|e| cannot_open(path, &e));
        let (bytes, sha256) = measure(open()?).map_err(reading)?;
        let job_id = ids::job_id(&name, &sha256);
        let described =
            Described { job_id: &job_id, file_name: &name, source: "", received_at_ms: self.at_ms, bytes, sha256 };
        publish_extract(&mut self.writer, &described, open()?).map_err(|error| match error {
            ExtractError::Content(error) => reading(error),
            ExtractError::Write(error) => not_written(error),
        })?;
        Ok(job_id)
    }

    /// Publishes an answer of DPS; answers the job that its header names, if it names one.
    ///
    /// # Errors
    /// The file cannot be read, or the log refuses.
    pub fn dps_answer(&mut self, path: &Path) -> Result<Option<String>, Failure> {
        let reading = |error| Failure::other(format!("reading {}", path.display()), error);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let open = || File::open(path).map_err(|e| cannot_open(path, &e));
        let (bytes, sha256) = measure(open()?).map_err(reading)?;
        let named = job_of_answer(open()?).map_err(reading)?;
        let of_its_own = ids::job_id(&name, &sha256);
        let described = DescribedAnswer {
            job_id: named.as_deref().unwrap_or(&of_its_own),
            source: &format!("file:{name}"),
            received_at_ms: self.at_ms,
            bytes,
            sha256,
        };
        publish_answer(&mut self.writer, &described, open()?).map_err(|error| match error {
            ExtractError::Content(error) => reading(error),
            ExtractError::Write(error) => not_written(error),
        })?;
        Ok(named)
    }

    /// Publishes what PDS holds: FHIR NDJSON, or the CSV of the PDS test pack by its ending. Answers how many
    /// rows became records.
    ///
    /// # Errors
    /// The file cannot be read, or the log refuses. Rows that cannot be used are rejected, not errors.
    pub fn pds(&mut self, path: &Path, profile: Profile, rejected: &mut RejectedRows) -> Result<u64, Failure> {
        let (name, file) = open(path)?;
        let failed = |error| Failure::other("reading PDS records", error);
        if is_csv(path) {
            return self.pds_entries(TestPackReader::open(&name, file).map_err(failed)?, rejected);
        }
        let selection = selection(profile);
        let now = Timestamp::from_millisecond(self.at_ms).map_err(|e| Failure::other("the processing time", e))?;
        let settings = FhirSettings { selection, today: now.to_zoned(TimeZone::UTC).date() };
        self.pds_entries(FhirReader::open(&name, file, settings).map_err(failed)?, rejected)
    }

    fn pds_entries(
        &mut self,
        entries: impl Iterator<Item = Result<PdsEntry, ReadError>>,
        rejected: &mut RejectedRows,
    ) -> Result<u64, Failure> {
        let mut published = 0;
        for entry in entries {
            let Some(entry) = usable(entry, rejected)? else { continue };
            published += 1;
            match &entry.change {
                PdsChange::Upsert(record) => {
                    self.send(&codec::PDS_RECORD, &entry.nhs_number, Some(&record.as_record()))?;
                }
                PdsChange::NotFound => self.send::<()>(&codec::PDS_RECORD, &entry.nhs_number, None)?,
            }
        }
        self.flush()?;
        Ok(published)
    }

    /// Publishes a list of registrations; answers how many rows became records.
    ///
    /// # Errors
    /// As [`Self::pds`].
    pub fn registrations(&mut self, path: &Path, rejected: &mut RejectedRows) -> Result<u64, Failure> {
        let (name, file) = open(path)?;
        let reader = RegistrationReader::open(&name, file).map_err(|e| Failure::other("reading registrations", e))?;
        let mut published = 0;
        for entry in reader {
            let Some(entry) = usable(entry, rejected)? else { continue };
            published += 1;
            let value = entry.as_registration();
            self.send(&codec::PDS_REGISTRATION, &entry.nhs_number, Some(&value))?;
        }
        self.flush()?;
        Ok(published)
    }

    /// Publishes a file of GP Links interchanges; answers its file id.
    ///
    /// # Errors
    /// The file cannot be read, or the log refuses.
    pub fn interchange(&mut self, path: &Path) -> Result<String, Failure> {
        let content = fs::read(path).map_err(|e| cannot_open(path, &e))?;
        let source = format!("file:{}", path.file_name().unwrap_or_default().to_string_lossy());
        let file_id = file_id(&source, &Sha256::digest(&content).into());
        let described = DescribedInterchanges {
            file_id: &file_id,
            source: &source,
            workflow_id: "",
            received_at_ms: self.at_ms,
            bytes: content.len() as u64,
        };
        publish_interchanges(&mut self.writer, &described, &content[..]).map_err(|error| match error {
            ExtractError::Content(error) => Failure::other(format!("reading {}", path.display()), error),
            ExtractError::Write(error) => not_written(error),
        })?;
        Ok(file_id)
    }

    /// Publishes what the earlier adaptor remembered, in the order in which it was prepared; answers how many documents.
    ///
    /// # Errors
    /// The log refuses.
    pub fn history(&mut self, documents: &mut [StateDocument]) -> Result<u64, Failure> {
        documents.sort_by_key(|document| document.translated_at);
        for document in &*documents {
            let key = link_key(&document.sender, &document.recipient);
            self.send(&codec::GP_LINKS_HISTORY, &key, Some(&HistoryDocument::of(document, self.at_ms)))?;
        }
        self.flush()?;
        Ok(documents.len() as u64)
    }

    /// Publishes the numbers that links used last; answers how many.
    ///
    /// # Errors
    /// The log refuses.
    pub fn baseline(&mut self, last_used: &[LastUsed]) -> Result<u64, Failure> {
        for last in last_used {
            let command = AuditCommand { at_ms: self.at_ms, ..last.command() };
            let key = match command.recipient {
                "" => command.sender.to_owned(),
                recipient => link_key(command.sender, recipient),
            };
            self.send(&codec::AUDIT_COMMAND, &key, Some(&command))?;
        }
        self.flush()?;
        Ok(last_used.len() as u64)
    }

    fn send<T: Serialize>(
        &mut self,
        schema: &'static TopicSchema,
        key: &str,
        value: Option<&T>,
    ) -> Result<(), Failure> {
        self.writer.send(schema, key, value, self.at_ms).map_err(not_written)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(not_written)
    }
}

fn not_written(error: WriteError) -> Failure {
    match error {
        WriteError::NoTopic(_) => Failure::Usage(error.to_string()),
        WriteError::Codec(_) | WriteError::Log(_) => Failure::Other(error.to_string()),
    }
}

/// A row that can be used; `Err` when the file cannot be read on.
fn usable<T>(entry: Result<T, ReadError>, rejected: &mut RejectedRows) -> Result<Option<T>, Failure> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(ReadError::Row(row)) => {
            rejected.take(&row)?;
            Ok(None)
        }
        Err(error) => Err(Failure::Other(error.to_string())),
    }
}

fn open(path: &Path) -> Result<(String, BufReader<File>), Failure> {
    let file = File::open(path).map_err(|e| cannot_open(path, &e))?;
    Ok((path.display().to_string(), BufReader::with_capacity(256 << 10, file)))
}

fn cannot_open(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("cannot open {}: {error}", path.display()))
}

/// Which of several names and addresses of a resource is taken.
pub fn selection(profile: Profile) -> Selection {
    match profile {
        Profile::Fixed => Selection::OneElement,
        Profile::Compatible => Selection::FirstOfEachPart,
    }
}

/// Whether a PDS file is the CSV of the test pack: by its ending.
fn is_csv(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}
