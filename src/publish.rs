//! The producers: extracts, PDS records and registrations, read from files and published to a log.
//!
//! Publishing the same file twice changes nothing: an extract's job id is derived from its name and content, and PDS
//! records are upserts.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use concord_connectors::pds::{FhirReader, FhirSettings, PdsChange, PdsEntry, Selection, TestPackReader};
use concord_connectors::registrations::RegistrationReader;
use concord_connectors::rejected::ReadError;
use concord_engine::log::{Log, OutgoingRecord, Publisher};
use concord_engine::partitioner::partition_of;
use concord_flows::list_reconciliation::topology::{GP_EXTRACT, PDS_RECORD, PDS_REGISTRATION};
use concord_flows::list_reconciliation::{Profile, ids};
use concord_schemas::Schemas;
use concord_schemas::codec::{self, Encoder, TopicSchema};
use concord_schemas::list_reconciliation::{ExtractChunk, ExtractClosed, ExtractEvent, ExtractOpened};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::rejected_rows::RejectedRows;

/// Bytes of one piece of an extract.
const PIECE_BYTES: usize = 256 << 10;
/// How long the log may take to acknowledge what was sent.
const FLUSH: Duration = Duration::from_secs(60);

/// Publishes to one log.
pub struct Producer {
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
    partitions: Vec<(Arc<str>, i32)>,
    at_ms: i64,
    value: Vec<u8>,
}

impl Producer {
    /// A producer whose records carry the time `at`.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub fn new(log: &dyn Log, schemas: &Schemas, at: Timestamp) -> Result<Self, Failure> {
        let topics = log.topics().map_err(|e| Failure::other("reading the topics", e))?;
        Ok(Self {
            publisher: log.publisher().map_err(|e| Failure::other("opening a producer", e))?,
            encoder: schemas.encoder(),
            partitions: topics.into_iter().map(|t| (t.name, t.partitions)).collect(),
            at_ms: at.as_millisecond(),
            value: Vec::new(),
        })
    }

    /// Publishes an extract; answers its job id.
    ///
    /// # Errors
    /// The file cannot be read, or the log refuses.
    pub fn extract(&mut self, path: &Path) -> Result<String, Failure> {
        let reading = |error| Failure::other(format!("reading {}", path.display()), error);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut digest = Sha256::new();
        let mut bytes = 0;
        for piece in Pieces(File::open(path).map_err(|e| cannot_open(path, &e))?) {
            let piece = piece.map_err(reading)?;
            bytes += piece.len() as i64;
            digest.update(&piece);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let job_id = ids::job_id(&name, &digest);

        let opened = ExtractOpened { job_id: &job_id, file_name: &name, received_at_ms: self.at_ms, bytes, source: "" };
        self.send(GP_EXTRACT, &codec::GP_EXTRACT, &job_id, Some(&ExtractEvent::ExtractOpened(opened)))?;
        let mut sequence = 0;
        for piece in Pieces(File::open(path).map_err(reading)?) {
            let piece = piece.map_err(reading)?;
            let chunk = ExtractChunk { job_id: &job_id, sequence, content: &piece };
            self.send(GP_EXTRACT, &codec::GP_EXTRACT, &job_id, Some(&ExtractEvent::ExtractChunk(chunk)))?;
            sequence += 1;
        }
        let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let closed = ExtractClosed { job_id: &job_id, chunks: sequence, sha256: &sha256 };
        self.send(GP_EXTRACT, &codec::GP_EXTRACT, &job_id, Some(&ExtractEvent::ExtractClosed(closed)))?;
        self.flush()?;
        Ok(job_id)
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
                    self.send(PDS_RECORD, &codec::PDS_RECORD, &entry.nhs_number, Some(&record.as_record()))?;
                }
                PdsChange::NotFound => self.send::<()>(PDS_RECORD, &codec::PDS_RECORD, &entry.nhs_number, None)?,
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
            self.send(PDS_REGISTRATION, &codec::PDS_REGISTRATION, &entry.nhs_number, Some(&value))?;
        }
        self.flush()?;
        Ok(published)
    }

    fn send<T: Serialize>(
        &mut self,
        topic: &str,
        schema: &'static TopicSchema,
        key: &str,
        value: Option<&T>,
    ) -> Result<(), Failure> {
        let Some((topic, partitions)) = self.partitions.iter().find(|(name, _)| **name == *topic) else {
            return Err(Failure::Usage(format!("the topic {topic} does not exist: run `concord topics apply` first")));
        };
        self.value.clear();
        if let Some(value) = value {
            self.encoder.encode(schema, value, &mut self.value).map_err(|e| Failure::other("writing a record", e))?;
        }
        self.publisher
            .send(&OutgoingRecord {
                topic,
                partition: partition_of(key.as_bytes(), *partitions),
                timestamp_ms: self.at_ms,
                key: Some(key.as_bytes()),
                value: value.is_some().then_some(&self.value[..]),
                headers: &[],
            })
            .map_err(|e| Failure::other(format!("publishing to {topic}"), e))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.publisher.flush(FLUSH).map_err(|e| Failure::other("publishing", e))
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

/// A file in pieces of at most [`PIECE_BYTES`].
pub struct Pieces(pub File);

impl Iterator for Pieces {
    type Item = std::io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        match (&mut self.0).take(PIECE_BYTES as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece)),
            Err(error) => Some(Err(error)),
        }
    }
}
