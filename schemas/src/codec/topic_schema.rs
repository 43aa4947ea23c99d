//! The schema of every topic, as bundled with the program.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The value schema of one topic: the contract in `avro/<name>.avsc`, compiled once per process.
pub struct TopicSchema {
    name: &'static str,
    avsc: &'static str,
    /// Position in [`ALL`]; of a schema of another program, a position behind them, given when it is first used.
    ordinal: OnceLock<usize>,
    compiled: OnceLock<serde_avro_fast::Schema>,
}

/// What producers publish of a GP extract: `ExtractEvent`.
pub static GP_EXTRACT: TopicSchema = TopicSchema::new("gp.extract", include_str!("../../avro/gp.extract.avsc"));
/// Records of accepted extracts, repartitioned by patient: `GpEvent`.
pub static GP_RECORD: TopicSchema = TopicSchema::new("gp.record", include_str!("../../avro/gp.record.avsc"));
/// What PDS holds of a person: `PdsRecord`.
pub static PDS_RECORD: TopicSchema = TopicSchema::new("pds.record", include_str!("../../avro/pds.record.avsc"));
/// Who is registered where: `Registration`.
pub static PDS_REGISTRATION: TopicSchema =
    TopicSchema::new("pds.registration", include_str!("../../avro/pds.registration.avsc"));
/// What happened to each record of a file: `Outcome`.
pub static OUTCOME: TopicSchema =
    TopicSchema::new("list-reconciliation.outcome", include_str!("../../avro/list-reconciliation.outcome.avsc"));
/// Demographic differences: `Difference`.
pub static DIFFERENCE: TopicSchema =
    TopicSchema::new("list-reconciliation.difference", include_str!("../../avro/list-reconciliation.difference.avsc"));
/// What the report of a job is made of, repartitioned by job: `JobEvent`.
pub static JOB_EVENT: TopicSchema =
    TopicSchema::new("list-reconciliation.job-event", include_str!("../../avro/list-reconciliation.job-event.avsc"));
/// Jobs as users see them: `Job`.
pub static JOB: TopicSchema =
    TopicSchema::new("list-reconciliation.job", include_str!("../../avro/list-reconciliation.job.avsc"));
/// Pieces of output files: `FileChunk`.
pub static FILE: TopicSchema =
    TopicSchema::new("list-reconciliation.file", include_str!("../../avro/list-reconciliation.file.avsc"));
/// Mails in the outbox: `Mail`.
pub static MAIL: TopicSchema =
    TopicSchema::new("list-reconciliation.mail", include_str!("../../avro/list-reconciliation.mail.avsc"));
/// What became of files and mails: `Delivery`.
pub static DELIVERY: TopicSchema =
    TopicSchema::new("list-reconciliation.delivery", include_str!("../../avro/list-reconciliation.delivery.avsc"));

/// Every topic schema, in the order of their ordinals.
pub static ALL: [&TopicSchema; 11] = [
    &GP_EXTRACT,
    &GP_RECORD,
    &PDS_RECORD,
    &PDS_REGISTRATION,
    &OUTCOME,
    &DIFFERENCE,
    &JOB_EVENT,
    &JOB,
    &FILE,
    &MAIL,
    &DELIVERY,
];

/// The ordinal that the next schema of another program gets.
static NEXT_ORDINAL: AtomicUsize = AtomicUsize::new(ALL.len());

impl TopicSchema {
    /// A value schema. One that is not among [`ALL`] belongs to the program that declares it: its values are always
    /// framed as single objects, and no registry is asked about it.
    ///
    /// Text that is no Avro schema is a mistake in the program, and panics at the first use: hold it with a test.
    pub const fn new(name: &'static str, avsc: &'static str) -> Self {
        Self { name, avsc, ordinal: OnceLock::new(), compiled: OnceLock::new() }
    }

    /// Name of the topic, such as `pds.record`; for a repartition topic its name inside the application.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The schema as JSON text.
    pub fn avsc(&self) -> &'static str {
        self.avsc
    }

    /// Registry subject, `<name>-value`.
    pub fn subject(&self) -> String {
        format!("{}-value", self.name)
    }

    /// CRC-64-AVRO of the schema's canonical form: equal when documentation alone changed.
    pub fn fingerprint(&'static self) -> u64 {
        u64::from_le_bytes(*self.compiled().rabin_fingerprint())
    }

    pub(crate) fn ordinal(&'static self) -> usize {
        *self.ordinal.get_or_init(|| {
            let bundled = ALL.iter().position(|schema| std::ptr::eq(*schema, self));
            bundled.unwrap_or_else(|| NEXT_ORDINAL.fetch_add(1, Ordering::Relaxed))
        })
    }

    #[allow(
        clippy::panic,
        reason = "the text is part of a program; a test compiles every one of ALL, and `new` says so to others"
    )]
    pub(crate) fn compiled(&'static self) -> &'static serde_avro_fast::Schema {
        self.compiled.get_or_init(|| match self.avsc.parse() {
            Ok(schema) => schema,
            Err(error) => panic!("the schema of {} is not valid Avro: {error}", self.name),
        })
    }
}

impl std::fmt::Debug for TopicSchema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TopicSchema({})", self.name)
    }
}
