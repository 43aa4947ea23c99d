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
    /// What earlier releases wrote, in topics and stores that are still there.
    earlier: &'static [&'static str],
    compiled_earlier: OnceLock<Vec<(u64, serde_avro_fast::Schema)>>,
}

/// What producers publish of a GP extract: `ExtractEvent`.
pub static GP_EXTRACT: TopicSchema = TopicSchema::with_earlier(
    "gp.extract",
    include_str!("../../avro/gp.extract.avsc"),
    &[include_str!("../../avro/earlier/gp.extract.1.avsc")],
);
/// Records of accepted extracts, repartitioned by patient: `GpEvent`.
pub static GP_RECORD: TopicSchema = TopicSchema::with_earlier(
    "gp.record",
    include_str!("../../avro/gp.record.avsc"),
    &[include_str!("../../avro/earlier/gp.record.1.avsc")],
);
/// What PDS holds of a person: `PdsRecord`.
pub static PDS_RECORD: TopicSchema = TopicSchema::with_earlier(
    "pds.record",
    include_str!("../../avro/pds.record.avsc"),
    &[include_str!("../../avro/earlier/pds.record.1.avsc")],
);
/// Who is registered where: `Registration`.
pub static PDS_REGISTRATION: TopicSchema =
    TopicSchema::new("pds.registration", include_str!("../../avro/pds.registration.avsc"));
/// What happened to each record of a file: `Outcome`.
pub static OUTCOME: TopicSchema = TopicSchema::with_earlier(
    "list-reconciliation.outcome",
    include_str!("../../avro/list-reconciliation.outcome.avsc"),
    &[include_str!("../../avro/earlier/list-reconciliation.outcome.1.avsc")],
);
/// Demographic differences: `Difference`.
pub static DIFFERENCE: TopicSchema = TopicSchema::with_earlier(
    "list-reconciliation.difference",
    include_str!("../../avro/list-reconciliation.difference.avsc"),
    &[include_str!("../../avro/earlier/list-reconciliation.difference.1.avsc")],
);
/// What the report of a job is made of, repartitioned by job: `JobEvent`.
pub static JOB_EVENT: TopicSchema = TopicSchema::with_earlier(
    "list-reconciliation.job-event",
    include_str!("../../avro/list-reconciliation.job-event.avsc"),
    &[
        include_str!("../../avro/earlier/list-reconciliation.job-event.1.avsc"),
        include_str!("../../avro/earlier/list-reconciliation.job-event.2.avsc"),
    ],
);
/// Jobs as users see them: `Job`.
pub static JOB: TopicSchema = TopicSchema::with_earlier(
    "list-reconciliation.job",
    include_str!("../../avro/list-reconciliation.job.avsc"),
    &[include_str!("../../avro/earlier/list-reconciliation.job.1.avsc")],
);
/// Pieces of output files: `FileChunk`.
pub static FILE: TopicSchema =
    TopicSchema::new("list-reconciliation.file", include_str!("../../avro/list-reconciliation.file.avsc"));
/// Mails in the outbox: `Mail`.
pub static MAIL: TopicSchema =
    TopicSchema::new("list-reconciliation.mail", include_str!("../../avro/list-reconciliation.mail.avsc"));
/// What became of files and mails: `Delivery`.
pub static DELIVERY: TopicSchema =
    TopicSchema::new("list-reconciliation.delivery", include_str!("../../avro/list-reconciliation.delivery.avsc"));
/// What business rules decided: `Decision`.
pub static DECISION: TopicSchema =
    TopicSchema::new("list-reconciliation.decision", include_str!("../../avro/list-reconciliation.decision.avsc"));
/// What operators want done: `Command`.
pub static COMMAND: TopicSchema =
    TopicSchema::new("list-reconciliation.command", include_str!("../../avro/list-reconciliation.command.avsc"));
/// Whether files of a route go on: `RouteStatus`.
pub static POST_OFFICE: TopicSchema = TopicSchema::new(
    "list-reconciliation.post-office",
    include_str!("../../avro/list-reconciliation.post-office.avsc"),
);
/// What arrived and was not taken in: `RefusedInput`.
pub static INTAKE_REFUSED: TopicSchema =
    TopicSchema::new("intake.refused", include_str!("../../avro/intake.refused.avsc"));
/// Questions to PDS: `PdsLookup`.
pub static PDS_LOOKUP: TopicSchema = TopicSchema::new("pds.lookup", include_str!("../../avro/pds.lookup.avsc"));
/// Answers to questions to PDS: `PdsAnswer`.
pub static PDS_ANSWER: TopicSchema = TopicSchema::new("pds.answer", include_str!("../../avro/pds.answer.avsc"));
/// Answers of DPS about extracts that were sent to it: `DpsAnswerEvent`.
pub static DPS_ANSWER: TopicSchema = TopicSchema::new("dps.answer", include_str!("../../avro/dps.answer.avsc"));
/// Interchanges of GP Links as they are received: `InterchangePiece`.
pub static GP_LINKS_INTERCHANGE: TopicSchema =
    TopicSchema::new("gp-links.interchange", include_str!("../../avro/gp-links.interchange.avsc"));
/// What the earlier adaptor remembered: `HistoryDocument`.
pub static GP_LINKS_HISTORY: TopicSchema =
    TopicSchema::new("gp-links.history", include_str!("../../avro/gp-links.history.avsc"));
/// What happened on a link, repartitioned by link: `LinkEvent`.
pub static LINK_EVENT: TopicSchema =
    TopicSchema::new("sequence-audit.link-event", include_str!("../../avro/sequence-audit.link-event.avsc"));
/// What happened on the line of a sender's transactions, repartitioned by sender: `TransactionEvent`.
pub static TRANSACTION_EVENT: TopicSchema = TopicSchema::new(
    "sequence-audit.transaction-event",
    include_str!("../../avro/sequence-audit.transaction-event.avsc"),
);
/// What operators know of lines and receipts: `AuditCommand`.
pub static AUDIT_COMMAND: TopicSchema =
    TopicSchema::new("sequence-audit.command", include_str!("../../avro/sequence-audit.command.avsc"));
/// Findings of the sequence audit: `AuditFinding`.
pub static AUDIT_FINDING: TopicSchema =
    TopicSchema::new("sequence-audit.finding", include_str!("../../avro/sequence-audit.finding.avsc"));
/// Documents of patients as they are uploaded: `Document`.
pub static DOCUMENT: TopicSchema =
    TopicSchema::new("documents.document", include_str!("../../avro/documents.document.avsc"));
/// How far the reading of documents has come, and what was read: `Extraction`.
pub static EXTRACTION: TopicSchema =
    TopicSchema::new("documents.extraction", include_str!("../../avro/documents.extraction.avsc"));
/// Documents that somebody wants to be read: `ReadRequest`.
pub static READ_REQUEST: TopicSchema =
    TopicSchema::new("documents.read-request", include_str!("../../avro/documents.read-request.avsc"));
/// Patients whom somebody wants to be consolidated: `UpdateRequest`.
pub static UPDATE_REQUEST: TopicSchema =
    TopicSchema::new("patients.update-request", include_str!("../../avro/patients.update-request.avsc"));
/// What happened to documents, repartitioned by patient: `DocumentEvent`.
pub static DOCUMENT_EVENT: TopicSchema = TopicSchema::new(
    "patient-documents.document-event",
    include_str!("../../avro/patient-documents.document-event.avsc"),
);
/// What all documents of a patient say together: `PatientConsolidation`.
pub static CONSOLIDATION: TopicSchema =
    TopicSchema::new("patients.consolidation", include_str!("../../avro/patients.consolidation.avsc"));
/// What documents of a patient contradict each other about: `PatientConflict`.
pub static CONFLICT: TopicSchema =
    TopicSchema::new("patients.conflict", include_str!("../../avro/patients.conflict.avsc"));

/// Where a person stands on the lists of practices: `StandingPerson`.
pub static STANDING_PERSON: TopicSchema =
    TopicSchema::new("standing-person", include_str!("../../avro/stored/standing-person.avsc"));
/// The last accepted list of a practice: `StandingList`.
pub static STANDING_LIST: TopicSchema =
    TopicSchema::new("standing-list", include_str!("../../avro/stored/standing-list.avsc"));

/// Schemas of values that are in stores only. No registry hears of them.
pub static STORED: [&TopicSchema; 2] = [&STANDING_PERSON, &STANDING_LIST];

/// Every topic schema, in the order of their ordinals.
pub static ALL: [&TopicSchema; 31] = [
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
    &DECISION,
    &COMMAND,
    &POST_OFFICE,
    &INTAKE_REFUSED,
    &PDS_LOOKUP,
    &PDS_ANSWER,
    &DPS_ANSWER,
    &GP_LINKS_INTERCHANGE,
    &LINK_EVENT,
    &TRANSACTION_EVENT,
    &AUDIT_COMMAND,
    &AUDIT_FINDING,
    &DOCUMENT,
    &EXTRACTION,
    &GP_LINKS_HISTORY,
    &READ_REQUEST,
    &UPDATE_REQUEST,
    &DOCUMENT_EVENT,
    &CONSOLIDATION,
    &CONFLICT,
];

/// The ordinal that the next schema of another program gets.
static NEXT_ORDINAL: AtomicUsize = AtomicUsize::new(ALL.len());

impl TopicSchema {
    /// A value schema. One that is not among [`ALL`] belongs to the program that declares it: its values are always
    /// framed as single objects, and no registry is asked about it.
    ///
    /// Text that is no Avro schema is a mistake in the program, and panics at the first use: hold it with a test.
    pub const fn new(name: &'static str, avsc: &'static str) -> Self {
        Self::with_earlier(name, avsc, &[])
    }

    /// The same with what earlier releases wrote, which is then read without asking anybody. A test holds that all of it can be
    /// read as ours.
    const fn with_earlier(name: &'static str, avsc: &'static str, earlier: &'static [&'static str]) -> Self {
        Self {
            name,
            avsc,
            ordinal: OnceLock::new(),
            compiled: OnceLock::new(),
            earlier,
            compiled_earlier: OnceLock::new(),
        }
    }

    /// The schemas of earlier releases as JSON text.
    pub fn earlier(&self) -> &'static [&'static str] {
        self.earlier
    }

    /// What an earlier release wrote with this fingerprint.
    pub(crate) fn compiled_earlier(&'static self, fingerprint: u64) -> Option<&'static serde_avro_fast::Schema> {
        let compiled = self.compiled_earlier.get_or_init(|| {
            let schemas = self.earlier.iter().map(|avsc| self.compile(avsc));
            schemas.map(|schema| (u64::from_le_bytes(*schema.rabin_fingerprint()), schema)).collect()
        });
        compiled.iter().find(|(known, _)| *known == fingerprint).map(|(_, schema)| schema)
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

    pub(crate) fn compiled(&'static self) -> &'static serde_avro_fast::Schema {
        self.compiled.get_or_init(|| self.compile(self.avsc))
    }

    #[allow(
        clippy::panic,
        reason = "the text is part of a program; a test compiles every one of ALL, and `new` says so to others"
    )]
    fn compile(&self, avsc: &str) -> serde_avro_fast::Schema {
        match avsc.parse() {
            Ok(schema) => schema,
            Err(error) => panic!("the schema of {} is not valid Avro: {error}", self.name),
        }
    }
}

impl std::fmt::Debug for TopicSchema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "TopicSchema({})", self.name)
    }
}
