//! Values of the list reconciliation topics. The contract is `avro/*.avsc`; a test holds these types against it.
//!
//! Types on the hot path borrow their text from the bytes they were read from.
//! Dates are text as the source system writes them, since outputs repeat them letter by letter.

use serde::{Deserialize, Serialize};

/// What producers publish of a GP extract, in order, all on one partition: opened, its chunks, closed.
///
/// Topic `gp.extract`, key: job id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExtractEvent<'a> {
    /// The first event of a file.
    #[serde(borrow, alias = "concord.gp.ExtractOpened")]
    ExtractOpened(ExtractOpened<'a>),
    /// A piece of the file's bytes.
    #[serde(borrow, alias = "concord.gp.ExtractChunk")]
    ExtractChunk(ExtractChunk<'a>),
    /// The end marker: without it a file is an upload cut in the middle.
    #[serde(borrow, alias = "concord.gp.ExtractClosed")]
    ExtractClosed(ExtractClosed<'a>),
}

/// A GP extract has begun to arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractOpened<'a> {
    /// Derived from the file's name and content, so that the same file has the same job.
    pub job_id: &'a str,
    /// As the sender named it.
    pub file_name: &'a str,
    /// Processing time: milliseconds since the epoch, UTC. All rules about age use it.
    pub received_at_ms: i64,
    /// Size of the whole file in bytes.
    pub bytes: i64,
    /// Where it came from, such as `mesh:X26OT181/20210810134000123456_AB12CD`; empty when published by hand.
    #[serde(default)]
    pub source: &'a str,
}

/// A piece of an extract's bytes; may cut lines and characters anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractChunk<'a> {
    /// The job it belongs to.
    pub job_id: &'a str,
    /// 0, 1, 2, ... within the file.
    pub sequence: i32,
    /// The bytes as sent.
    #[serde(with = "serde_bytes")]
    pub content: &'a [u8],
}

/// The whole extract has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractClosed<'a> {
    /// The job it belongs to.
    pub job_id: &'a str,
    /// How many chunks the file has.
    pub chunks: i32,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: &'a str,
}

/// A record of an accepted extract on its way to the comparison, or the end of its file.
///
/// Internal repartition topic, key: NHS number (or job and record number when there is none).
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every event is the large one, and a box would cost an allocation per record"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GpEvent<'a> {
    /// One patient.
    #[serde(borrow, alias = "concord.list_reconciliation.JobRecord")]
    JobRecord(JobRecord<'a>),
    /// Broadcast to every partition behind the last record.
    #[serde(borrow, alias = "concord.list_reconciliation.EndOfFile")]
    EndOfFile(EndOfFile<'a>),
}

/// One patient of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Processing time of the job, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// 1-based number of the record in its file.
    pub number: i64,
    /// The patient.
    #[serde(borrow)]
    pub record: GpRecord<'a>,
}

/// Broadcast marker behind the last record of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOfFile<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Processing time of the job, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// Records sent to all partitions together.
    pub records: i64,
    /// To how many partitions this marker was broadcast.
    pub partitions: i32,
}

/// A parsed and valid patient record of a GP extract (two rows of the file). `None` is an empty field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GpRecord<'a> {
    /// `1234567,123ABC`: GMC number, comma, local code.
    pub registered_gp: &'a str,
    /// Health Authority cipher, three characters.
    pub cipher: &'a str,
    /// `YYYYMMDD`.
    pub download_date: &'a str,
    /// `HHMM`.
    pub download_time: &'a str,
    /// Transaction number: unique in the file, digits without leading zero, kept as text since its length is not bounded.
    pub trans_id: &'a str,
    /// As given: 10 digits, or an older form with letters, `?` and `/`.
    pub nhs_number: Option<&'a str>,
    /// Upper case as given.
    pub surname: Option<&'a str>,
    /// All forenames in one text.
    pub forenames: Option<&'a str>,
    /// Previous surname.
    pub previous_surname: Option<&'a str>,
    /// Title.
    pub title: Option<&'a str>,
    /// 1 male, 2 female, 0 indeterminate or not known, 9 not specified.
    pub sex: Option<i32>,
    /// `CCYYMMDD`.
    pub date_of_birth: Option<&'a str>,
    /// House name.
    pub address_line_1: Option<&'a str>,
    /// Number and road.
    pub address_line_2: Option<&'a str>,
    /// Locality.
    pub address_line_3: Option<&'a str>,
    /// Post town.
    pub address_line_4: Option<&'a str>,
    /// County.
    pub address_line_5: Option<&'a str>,
    /// Eight characters, padded between its two parts.
    pub postcode: Option<&'a str>,
    /// `Y` or empty.
    pub drugs_dispensed_marker: Option<&'a str>,
    /// Rural practice payment mileage, 3 to 50.
    pub rpp_mileage: Option<i32>,
    /// `B` blocked route, `S` special district.
    pub blocked_route_special_district_marker: Option<&'a str>,
    /// 3 to 99, divisible by 3.
    pub walking_units: Option<i32>,
    /// Two characters.
    pub residential_institute_code: Option<&'a str>,
}

/// What PDS (the national demographics register) holds of one person. Empty text is "absent".
///
/// Topic `pds.record`, compacted, key: NHS number; a tombstone is "no record".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PdsRecord<'a> {
    /// Ten digits.
    pub nhs_number: &'a str,
    /// Serial change number (FHIR `meta.versionId`).
    pub version: &'a str,
    /// `U` unrestricted, `R` restricted, `V` very restricted, `REDACTED` invalidated; other text as PDS sent it.
    pub sensitivity: &'a str,
    /// Family name.
    pub surname: &'a str,
    /// Given names in order.
    #[serde(borrow)]
    pub forenames: Vec<&'a str>,
    /// Titles (FHIR `prefix`) in order.
    #[serde(borrow)]
    pub titles: Vec<&'a str>,
    /// FHIR word: `male`, `female`, `other`, `unknown`.
    pub gender: &'a str,
    /// ISO date, perhaps only a year or a year and month.
    pub date_of_birth: &'a str,
    /// Address lines in order, without the postcode.
    #[serde(borrow)]
    pub address: Vec<&'a str>,
    /// Postcode.
    pub postcode: &'a str,
    /// ODS code of the practice of registration; empty when deducted or withheld.
    pub gp_practice: &'a str,
    /// Start of that registration, ISO date.
    pub gp_registered_date: &'a str,
}

/// One line of the list of who is registered where.
///
/// Topic `pds.registration`, compacted, key: NHS number; a tombstone is "registered nowhere".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration<'a> {
    /// Ten digits.
    pub nhs_number: &'a str,
    /// ODS code.
    pub gp_practice: &'a str,
    /// Carried as given, not used by any rule.
    pub dispensing_flag: &'a str,
}

/// What happened to one record of a file.
///
/// Topic `list-reconciliation.outcome`, key: `<job id>/<record number>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name.
    pub practice: &'a str,
    /// 1-based number of the record in its file.
    pub number: i64,
    /// As the practice gave it.
    pub nhs_number: Option<&'a str>,
    /// `Matched`, `Partnership Mismatch`, `Deducted Patient Match` or `Unmatched`.
    pub status: &'a str,
    /// Whether PDS marks the person `R`, `V` or `REDACTED`.
    pub sensitive: bool,
    /// Ids of the rules that found a difference, in the order of evaluation.
    #[serde(borrow)]
    pub rules: Vec<&'a str>,
}

/// A demographic difference between a practice's record and PDS.
///
/// Topic `list-reconciliation.difference`, compacted, key: `<practice>/<NHS number>/<rule id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference<'a> {
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Ten digits.
    pub nhs_number: &'a str,
    /// Such as `MN-BR-SN-01`.
    pub rule_id: &'a str,
    /// What to do about it.
    pub guidance: &'a str,
    /// The job that found it last.
    pub job_id: &'a str,
    /// Serial change number of the PDS record it was found against.
    pub pds_version: &'a str,
}

/// What the report of a job is made of.
///
/// Internal repartition topic, key: job id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobEvent<'a> {
    /// A file has begun to arrive.
    #[serde(borrow, alias = "concord.list_reconciliation.JobReceived")]
    JobReceived(JobReceived<'a>),
    /// The file was accepted or refused.
    #[serde(borrow, alias = "concord.list_reconciliation.JobValidated")]
    JobValidated(JobValidated<'a>),
    /// Lines of output files.
    #[serde(borrow, alias = "concord.list_reconciliation.ReportRows")]
    ReportRows(ReportRows<'a>),
    /// A partition has compared all its records of the job.
    #[serde(borrow, alias = "concord.list_reconciliation.PartitionCompleted")]
    PartitionCompleted(PartitionCompleted<'a>),
}

/// A file has begun to arrive; the job exists from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReceived<'a> {
    /// The job.
    pub job_id: &'a str,
    /// As the sender named it.
    pub file_name: &'a str,
    /// Processing time, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}

/// The verdict on a whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobValidated<'a> {
    /// The job.
    pub job_id: &'a str,
    /// Practice code of the file name; empty when the name could not be read.
    pub practice: &'a str,
    /// The name in upper case without `.DAT`; as given when it could not be read.
    pub file_name: &'a str,
    /// Processing time, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// Why the file was refused: `INVALID_FILENAME`, `INVALID_STRUCTURE`, `INVALID_RECORDS` or `TIMED_OUT`; empty when accepted.
    pub refused: &'a str,
    /// The reasons, for a refusal of the file as a whole.
    #[serde(borrow)]
    pub reasons: Vec<&'a str>,
    /// Records read.
    pub records: i64,
    /// Records found invalid.
    pub invalid_records: i64,
}

/// The output files of a job, and the order of their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReportFile {
    /// The validation report of a refused (or partly quarantined) file.
    Validation,
    /// Consolidated demographic differences.
    Cdd,
    /// Records of the file that are not registered here on PDS.
    OnlyOnGp,
    /// Registered here on PDS, absent from the file.
    OnlyOnPds,
    /// A work item: a file of its own.
    WorkItem,
}

/// Lines of output files that one partition found, many to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRows<'a> {
    /// The job.
    pub job_id: &'a str,
    /// In the order in which they were found.
    #[serde(borrow)]
    pub rows: Vec<ReportRow<'a>>,
}

/// A line of an output file, rendered where it was found, ordered and written by the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow<'a> {
    /// Which file it belongs to.
    pub file: ReportFile,
    /// Rows of a file are ordered by this text (NHS number, then rule).
    pub sort_key: &'a str,
    /// The row without its line end; a work item's whole content.
    pub text: &'a str,
}

/// A partition has compared all its records of a job: the answer to the end-of-file marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCompleted<'a> {
    /// The job.
    pub job_id: &'a str,
    /// The partition that answers.
    pub partition: i32,
    /// How many partitions were asked.
    pub partitions: i32,
    /// Records of the whole file, as the marker said.
    pub records_of_file: i64,
    /// What this partition counted.
    pub counts: JobCounts,
}

/// The counts of a job. `records = matched + partnership_mismatch + deducted + unmatched` always holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Records compared.
    pub records: i64,
    /// Registered here on PDS.
    pub matched: i64,
    /// Registered elsewhere on PDS.
    pub partnership_mismatch: i64,
    /// On PDS without a practice.
    pub deducted: i64,
    /// Not on PDS.
    pub unmatched: i64,
    /// Of the above, those PDS marks `R`, `V` or `REDACTED`.
    pub sensitive: i64,
    /// Rows of the OnlyOnGP file.
    pub only_on_gp: i64,
    /// Rows of the OnlyOnPDS file.
    pub only_on_pds: i64,
    /// Differences, without the sensitive.
    pub differences: i64,
    /// Patients with at least one difference, without the sensitive.
    pub patients_with_differences: i64,
    /// Work items, the sensitive included.
    pub work_items: i64,
    /// Records whose NHS number stood earlier in the same file.
    pub duplicates: i64,
}

/// A job as users see it.
///
/// Topic `list-reconciliation.job`, compacted, key: job id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job<'a> {
    /// Derived from the file's name and content.
    pub job_id: &'a str,
    /// Practice code; empty when the file name could not be read.
    pub practice: &'a str,
    /// File name, normalised when it could be read.
    pub file: &'a str,
    /// `RECEIVED`, `VALIDATED`, `RECONCILED`, `REJECTED`, `TIMED_OUT`, or `INCONSISTENT` when the counts do not add up.
    pub status: &'a str,
    /// Processing time, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// Why it was refused; empty otherwise.
    #[serde(borrow)]
    pub reasons: Vec<&'a str>,
    /// Records found invalid.
    pub invalid_records: i64,
    /// What was counted; zero until reconciled.
    pub counts: JobCounts,
    /// Names of the files written.
    #[serde(borrow)]
    pub files: Vec<&'a str>,
}

/// A piece of an output file.
///
/// Topic `list-reconciliation.file`, key: `<job id>/<file name>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChunk<'a> {
    /// The job.
    pub job_id: &'a str,
    /// File name; work items are `work-items/<name>`.
    pub file_name: &'a str,
    /// 0, 1, 2, ... within the file.
    pub sequence: i32,
    /// Whether the file ends here.
    pub last: bool,
    /// The text.
    pub text: &'a str,
}

/// A mail that waits in the outbox.
///
/// Topic `list-reconciliation.mail`, key: mail id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail<'a> {
    /// Derived from the job and the service: the same mail has the same id.
    pub mail_id: &'a str,
    /// The job it is about.
    pub job_id: &'a str,
    /// In whose name it is sent: `LR-14` of a reconciled file, `LR-04` of a refused one.
    pub service: &'a str,
    /// Processing time of the job, `YYYYMMDDHHMMSS` in UTC.
    pub timestamp: &'a str,
    /// Who receives it.
    #[serde(borrow)]
    pub to: Vec<&'a str>,
    /// One line.
    pub subject: &'a str,
    /// Plain text; lines end with a line feed.
    pub body: &'a str,
}

/// What became of a file or a mail that left the log.
///
/// Topic `list-reconciliation.delivery`, key: job id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery<'a> {
    /// The job it belongs to.
    pub job_id: &'a str,
    /// Name of the file as on `list-reconciliation.file`, or id of the mail.
    pub name: &'a str,
    /// Which way it went, as configured, such as `mesh`, `folder`, `s3` or `mail`.
    pub route: &'a str,
    /// `SENT` handed over, `DELIVERED` taken by its recipient, `REFUSED` by the service, `UNDELIVERABLE` given back.
    pub state: &'a str,
    /// Id of the message, or address of the object; empty when there is none.
    pub reference: &'a str,
    /// Code and cause of a refusal; empty otherwise.
    pub detail: &'a str,
    /// When it happened, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}
