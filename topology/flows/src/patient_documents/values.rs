//! The kinds of values on the flow's topics and in its stores.

use concord_engine::value::Value;
use concord_schemas::codec::{self, TopicSchema};
use concord_schemas::patient_documents as types;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $value:ty, $schema:ident;)*) => {$(
        $(#[$doc])*
        pub struct $kind;

        impl Value for $kind {
            type Of<'a> = $value;

            fn schema() -> &'static TopicSchema {
                &codec::$schema
            }
        }
    )*};
}

kinds! {
    /// Documents as they are uploaded.
    Documents = types::Document<'a>, DOCUMENT;
    /// Documents that somebody wants to be read.
    ReadRequests = types::ReadRequest<'a>, READ_REQUEST;
    /// Patients whom somebody wants to be consolidated.
    UpdateRequests = types::UpdateRequest<'a>, UPDATE_REQUEST;
    /// How far the reading of documents has come, and what was read.
    Extractions = types::Extraction<'a>, EXTRACTION;
    /// What happened to documents, on its way to their patients.
    DocumentEvents = types::DocumentEvent<'a>, DOCUMENT_EVENT;
    /// Patients as all their documents tell them.
    Consolidations = types::PatientConsolidation<'a>, CONSOLIDATION;
    /// What documents contradict each other about.
    Conflicts = types::PatientConflict<'a>, CONFLICT;
}
