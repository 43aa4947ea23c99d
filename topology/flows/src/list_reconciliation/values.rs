//! The kinds of values on the flow's topics and in its stores.

use concord_engine::value::{Gathered, Value};
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::list_reconciliation as types;
use concord_schemas::{dps, pds};

macro_rules! kinds {
    (of $types:ident: $($(#[$doc:meta])* $kind:ident = $value:ident, $schema:ident;)*) => {$(
        $(#[$doc])*
        pub struct $kind;

        impl Value for $kind {
            type Of<'a> = $types::$value<'a>;

            fn schema() -> &'static TopicSchema {
                &codec::$schema
            }
        }
    )*};
}

kinds! {
    of types:
    /// Extracts as producers publish them.
    ExtractEvents = ExtractEvent, GP_EXTRACT;
    /// Records of accepted extracts on their way to the comparison.
    GpEvents = GpEvent, GP_RECORD;
    /// What PDS holds.
    PdsRecords = PdsRecord, PDS_RECORD;
    /// Who is registered where.
    Registrations = Registration, PDS_REGISTRATION;
    /// What happened to each record.
    Outcomes = Outcome, OUTCOME;
    /// Differences found.
    Differences = Difference, DIFFERENCE;
    /// What reports are made of.
    JobEvents = JobEvent, JOB_EVENT;
    /// Jobs as users see them.
    Jobs = Job, JOB;
    /// Output files.
    Files = FileChunk, FILE;
    /// Mails in the outbox.
    Mails = Mail, MAIL;
    /// What became of files and mails.
    Deliveries = Delivery, DELIVERY;
    /// What business rules decided.
    Decisions = Decision, DECISION;
    /// Where people stand on the lists of practices.
    StandingPeople = StandingPerson, STANDING_PERSON;
    /// The lists that stand.
    StandingLists = StandingList, STANDING_LIST;
    /// What operators want done.
    Commands = Command, COMMAND;
    /// Whether files of a route go on.
    RouteStatuses = RouteStatus, POST_OFFICE;
    /// What arrived and was not taken in.
    RefusedInputs = RefusedInput, INTAKE_REFUSED;
}

kinds! {
    of pds:
    /// Questions to PDS.
    PdsLookups = PdsLookup, PDS_LOOKUP;
    /// Its answers.
    PdsAnswers = PdsAnswer, PDS_ANSWER;
}

kinds! {
    of dps:
    /// Answers of DPS.
    DpsAnswers = DpsAnswerEvent, DPS_ANSWER;
}

/// A line of an output file on its own; see [`types::ReportRow`].
pub struct Row {
    /// Which file it belongs to.
    pub file: types::ReportFile,
    /// Rows of a file are ordered by this text.
    pub sort_key: String,
    /// The row without its line end; a work item's whole content.
    pub text: String,
}

/// What is sent in parts are the rows; the key is the job id.
impl Gathered for JobEvents {
    type Part = Row;

    fn weight(row: &Row) -> usize {
        row.sort_key.len() + row.text.len() + 8
    }

    fn together<'a>(job_id: &'a str, rows: &'a [Row]) -> types::JobEvent<'a> {
        let rows = rows.iter().map(|row| types::ReportRow { file: row.file, sort_key: &row.sort_key, text: &row.text });
        types::JobEvent::ReportRows(types::ReportRows { job_id, rows: rows.collect() })
    }
}
