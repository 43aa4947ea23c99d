//! Values of the list reconciliation topics. The contract is `avro/*.avsc`; a test holds these types against it.
//!
//! Types on the hot path borrow their text from the bytes they were read from.
//! Dates are text as the source system writes them, since outputs repeat them letter by letter.

use serde::{Deserialize, Serialize};

mod standing;

pub use standing::{Decision, StandingFinding, StandingList, StandingOnList, StandingPerson};

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

/// A record of an accepted extract on its way to the comparison, or the end of its file or job.
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
    /// Broadcast to every partition when a job ends while records of it may wait for PDS.
    #[serde(borrow, alias = "concord.list_reconciliation.JobGivenUp")]
    JobGivenUp(JobGivenUp<'a>),
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
    /// The file does not go on: what is remembered of it is to be forgotten, and nobody waits for an answer.
    #[serde(default)]
    pub abandoned: bool,
}

/// A job has ended while records of it wait for an answer of PDS: they need wait no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobGivenUp<'a> {
    /// The job.
    pub job_id: &'a str,
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
    /// ISO date, perhaps with a time; empty while PDS knows of no death.
    #[serde(default)]
    pub date_of_death: &'a str,
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
    /// `Matched`, `Partnership Mismatch`, `Deducted Patient Match`, `Unmatched`, or `Lookup Failed` when PDS was asked about the
    /// person and could not tell.
    pub status: &'a str,
    /// Whether PDS marks the person `R`, `V` or `REDACTED`.
    pub sensitive: bool,
    /// Ids of the rules that found a difference, in the order of evaluation.
    #[serde(borrow)]
    pub rules: Vec<&'a str>,
    /// Why the look-up failed; empty otherwise.
    #[serde(default)]
    pub code: &'a str,
}

/// A difference between a practice's list and PDS.
///
/// Topic `list-reconciliation.difference`, compacted, key: `<practice>/<NHS number>/<rule id>`; a tombstone takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference<'a> {
    /// Practice code of the file name.
    pub practice: &'a str,
    /// Ten digits; of a person who is only on the practice's list, as the practice gave it.
    pub nhs_number: &'a str,
    /// Such as `MN-BR-SN-01`; `ONLY-ON-GP`, `ONLY-ON-PDS` or `sensitive` where the records are not compared.
    pub rule_id: &'a str,
    /// What to do about it.
    pub guidance: &'a str,
    /// The job whose list it stands on.
    pub job_id: &'a str,
    /// Serial change number of the PDS record it was found against; empty without a record.
    pub pds_version: &'a str,
    /// Where PDS has the person: `Matched`, `Partnership Mismatch`, `Deducted Patient Match` or `Unmatched`.
    #[serde(default)]
    pub status: &'a str,
    /// Since when it stands without a break, milliseconds since the epoch, UTC.
    #[serde(default)]
    pub first_seen_ms: i64,
    /// When it was last found, milliseconds since the epoch, UTC.
    #[serde(default)]
    pub last_confirmed_ms: i64,
    /// What this record was published for: `LIST`, `PDS_CHANGED`, `PDS_MOVED`, `PDS_SENSITIVE`, `PDS_DIED` or `PDS_REMOVED`.
    #[serde(default)]
    pub cause: &'a str,
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
    /// Something happened to the job on its way.
    #[serde(borrow, alias = "concord.list_reconciliation.JobNoted")]
    JobNoted(JobNoted<'a>),
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
    /// Where the file came from; empty when it was published by hand.
    #[serde(default)]
    pub source: &'a str,
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
    /// The answer to whoever asked, in place of the lists and work items.
    DpsAnswer,
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

/// Something happened to a job on its way, or was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobNoted<'a> {
    /// The job.
    pub job_id: &'a str,
    /// What it was.
    pub note: JobNote,
    /// Waiting: the route. Copied: the other source. CleanedUp: the operator. DpsAnswered, DpsRefused: where the answer came
    /// from. Empty otherwise.
    pub subject: &'a str,
    /// CleanedUp: the operator's reason. DpsAnswered: which fields of the answer are not known. DpsRefused: code and cause. Empty
    /// otherwise.
    pub detail: &'a str,
}

/// What can happen to a job on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobNote {
    /// Its file is here whole, and waits for the post office.
    Waiting,
    /// The same file came again from another source.
    Copied,
    /// An operator has had it cleaned up.
    CleanedUp,
    /// Its file was accepted, and goes to DPS to be compared.
    SentToDps,
    /// DPS has answered, and the answer is accepted.
    DpsAnswered,
    /// An answer of DPS is refused.
    DpsRefused,
}

/// The counts of a job. `records = matched + partnership_mismatch + deducted + unmatched + lookup_failed` always holds.
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
    /// Decisions of business rules that PDS can be updated.
    #[serde(default)]
    pub pds_updates: i64,
    /// Decisions of business rules that the practice's system can be updated.
    #[serde(default)]
    pub gp_updates: i64,
    /// Decisions of business rules that a person has to look.
    #[serde(default)]
    pub validations: i64,
    /// Records of which PDS could not tell, when it was asked, whether it knows the person. They are in none of the counts above
    /// but `records` and `duplicates`.
    #[serde(default)]
    pub lookup_failed: i64,
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
    /// `RECEIVED`, `WAITING` (the post office is closed), `VALIDATED`, `RECONCILED`, `COMPLETE` (delivered and told), `REJECTED`,
    /// `TIMED_OUT`, `CLEANED_UP`, or `INCONSISTENT` when the counts do not add up.
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
    /// Where the file came from, as its first event says; empty when it was published by hand.
    #[serde(default)]
    pub source: &'a str,
    /// The job that this one is a re-run of; empty otherwise.
    #[serde(default)]
    pub rerun_of: &'a str,
    /// How often the same file came again from another source.
    #[serde(default)]
    pub copies: i64,
    /// Where it came from the last time; empty when it never did.
    #[serde(default)]
    pub last_copy: &'a str,
    /// What became of it, oldest first. Of a long history the middle is left out.
    #[serde(borrow, default)]
    pub history: Vec<JobStep<'a>>,
    /// The mails about it, oldest first.
    #[serde(borrow, default)]
    pub mails: Vec<JobMail<'a>>,
    /// How many of its files have left.
    #[serde(default)]
    pub deliveries: JobDeliveries,
}

/// A step in the life of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStep<'a> {
    /// The status from here on.
    pub status: &'a str,
    /// When the step was taken, by the clock of the program, milliseconds since the epoch, UTC.
    pub at_ms: i64,
    /// Why, or what came of it; may be empty.
    pub detail: &'a str,
}

/// A mail about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMail<'a> {
    /// Its id in the outbox.
    pub mail_id: &'a str,
    /// In whose name it is sent.
    pub service: &'a str,
    /// `OUTBOX`, then as its delivery says.
    pub state: &'a str,
}

/// Counts of files of a job, whatever number of ways each goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDeliveries {
    /// Files that must be sent before the job is complete; zero until it is reconciled.
    pub expected: i64,
    /// Files handed over on at least one way.
    pub sent: i64,
    /// Of these, those that a recipient has taken.
    pub delivered: i64,
    /// Files that a service refused or gave back on at least one way.
    pub refused: i64,
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

/// What an operator wants done. The topic is the record of who wanted what.
///
/// Topic `list-reconciliation.command`, key: job id; or the route, on every partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command<'a> {
    /// What is to be done.
    pub action: CommandAction,
    /// The job's id, or the route's name.
    pub subject: &'a str,
    /// Who wants it.
    pub by: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
    /// When it was asked for, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}

/// What operators can have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandAction {
    /// A job ends, and what is kept of it is dropped.
    CleanUpJob,
    /// Files of a route go on, whatever its hours.
    OpenRoute,
    /// Files of a route wait, whatever its hours.
    CloseRoute,
    /// The hours of a route decide again.
    ScheduleRoute,
}

/// Whether files of a route go on, as one partition of the intake has it.
///
/// Topic `list-reconciliation.post-office`, compacted, key: `<route>/<partition>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStatus<'a> {
    /// Name of the route.
    pub route: &'a str,
    /// The partition of the intake that says so.
    pub partition: i32,
    /// Whether files go on.
    pub open: bool,
    /// `OPEN` or `CLOSED` by an operator; empty when the hours of the route decide.
    pub switched: &'a str,
    /// Who switched it last; empty when nobody ever did.
    pub by: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
    /// Since when it is so, milliseconds since the epoch, UTC.
    pub since_ms: i64,
    /// When its hours change that; 0 when nothing but an operator does.
    pub until_ms: i64,
    /// Files that wait.
    pub waiting: i64,
}

/// Something that arrived and was not taken in. Nothing of its content is here; it is still where it arrived.
///
/// Topic `intake.refused`, key: source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedInput<'a> {
    /// Where it is, such as `mesh:X26OT181/20210810134000123456_AB12CD`.
    pub source: &'a str,
    /// Stable code of the cause.
    pub code: &'a str,
    /// The cause in words, without anything of the content.
    pub cause: &'a str,
    /// What to do about it.
    pub remedy: &'a str,
    /// Size of the content, unpacked; `None` when it is not known.
    pub bytes: Option<i64>,
    /// Mailbox that it came from; empty when it came by no mailbox, or when that is not known.
    pub sender: &'a str,
    /// MESH's workflow id; empty as above.
    pub workflow_id: &'a str,
    /// When it was refused, milliseconds since the epoch, UTC.
    pub at_ms: i64,
}
