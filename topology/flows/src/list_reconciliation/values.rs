//! The kinds of values on the flow's topics and in its stores.

use concord_engine::value::Value;
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::list_reconciliation as types;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $value:ident, $schema:ident;)*) => {$(
        $(#[$doc])*
        pub struct $kind;

        impl Value for $kind {
            type Of<'a> = types::$value<'a>;

            fn schema() -> &'static TopicSchema {
                &codec::$schema
            }
        }
    )*};
}

kinds! {
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
}
