//! The flow as a topology: reading by document, consolidating by patient.

use concord_engine::topology::{Cleanup, ProcessorBuilder, Topology, TopologyBuilder, TopologyError};

use super::consolidating::{self, Consolidating};
use super::publication::Published;
use super::reading::{self, Reading};
use super::reading_call::READ_DOCUMENT;
use super::settings::Settings;
use super::values::{Conflicts, Consolidations, DocumentEvents, Documents, Extractions, ReadRequests, UpdateRequests};

/// Topic of documents as they are uploaded.
pub const DOCUMENT: &str = "documents.document";
/// Topic of documents that somebody wants to be read.
pub const READ_REQUEST: &str = "documents.read-request";
/// Topic of how far the reading of documents has come, and of what was read.
pub const EXTRACTION: &str = "documents.extraction";
/// Topic of patients whom somebody wants to be consolidated.
pub const UPDATE_REQUEST: &str = "patients.update-request";
/// Topic of patients as all their documents tell them.
pub const CONSOLIDATION: &str = "patients.consolidation";
/// Topic of what documents contradict each other about.
pub const CONFLICT: &str = "patients.conflict";

/// Name, within the application, of the topic of what happened to documents.
pub const DOCUMENT_EVENTS: &str = "document-events";

/// Name of the sub-topology that has documents read.
pub const DOCUMENT_READING: &str = "document-reading";
/// Name of the sub-topology that consolidates patients.
pub const PATIENT_CONSOLIDATING: &str = "patient-consolidating";

/// Name of the store of how far the reading of documents has come.
pub const DOCUMENTS: &str = "documents";
/// Name of the store of what was read.
pub const DOCUMENT_EXTRACTIONS: &str = "document-extractions";
/// Name of the store of patients whose documents have changed.
pub const PATIENTS_NEEDING_UPDATE: &str = "patients-needing-update";
/// Name of the store of consolidated patients.
pub const PATIENT_CONSOLIDATIONS: &str = "patient-consolidations";
/// Name of the store of conflicts.
pub const PATIENT_CONFLICTS: &str = "patient-conflicts";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Declares the flow. Whoever runs it performs the call [`READ_DOCUMENT`].
///
/// # Errors
/// Only when the settings make it impossible, such as an unusable application id or no partitions.
///
/// ```
/// use concord_flows::patient_documents::{Settings, topology};
///
/// let topology = topology(&Settings::default())?;
/// assert!(topology.describe_as_text().contains("sub-topology patient-consolidating"));
/// # Ok::<(), concord_engine::topology::TopologyError>(())
/// ```
pub fn topology(settings: &Settings) -> Result<Topology, TopologyError> {
    let partitions = settings.partitions;
    let for_a_month = Cleanup::DeleteAfter { retention_ms: 30 * DAY_MS };
    let mut t = TopologyBuilder::new(&settings.application);

    let documents = t.input::<Documents>(DOCUMENT, "document id", partitions, Cleanup::Compact);
    let read_requests = t.input::<ReadRequests>(READ_REQUEST, "document id", partitions, for_a_month);
    let update_requests = t.input::<UpdateRequests>(UPDATE_REQUEST, "patient id", partitions, for_a_month);
    let events = t.repartition::<DocumentEvents>(DOCUMENT_EVENTS, "patient id", partitions);
    let extractions = t.output::<Extractions>(EXTRACTION, "patient id/document id", partitions, Cleanup::Compact);
    let consolidations = t.output::<Consolidations>(CONSOLIDATION, "patient id", partitions, Cleanup::Compact);
    let conflicts = t.output::<Conflicts>(CONFLICT, "patient id/field", partitions, Cleanup::Compact);

    let limits = settings.reading;
    t.sub_topology(DOCUMENT_READING, |sub| {
        let uploaded = sub.source(documents);
        let asked = sub.source(read_requests);
        let known = sub.key_value_store(DOCUMENTS);
        let unread = sub.key_value_store("documents-unread");
        sub.processor("reading", |p: &mut ProcessorBuilder<'_, Reading>| {
            p.on_change(uploaded, Reading::on_document);
            p.on(asked, Reading::on_request);
            p.on_timer(Reading::on_timer);
            let read_document = p.call(READ_DOCUMENT, limits, Reading::on_result);
            p.on_begun(read_document, |reading: &mut Reading, ctx, _| reading.on_begun(ctx));
            let handles = reading::Handles {
                documents: p.store(known),
                unread: p.store(unread),
                events: p.sink(events),
                read_document,
            };
            move || Reading { handles }
        });
    });

    let (debounce, rules) = (settings.debounce, settings.rules.clone());
    t.sub_topology(PATIENT_CONSOLIDATING, |sub| {
        let happened = sub.source(events);
        let asked = sub.source(update_requests);
        let read = sub.ordered_store(DOCUMENT_EXTRACTIONS);
        let needs_update = sub.key_value_store(PATIENTS_NEEDING_UPDATE);
        let consolidated = sub.key_value_store(PATIENT_CONSOLIDATIONS);
        let contradictory = sub.ordered_store(PATIENT_CONFLICTS);
        sub.processor("consolidating", |p: &mut ProcessorBuilder<'_, Consolidating>| {
            p.on(happened, Consolidating::on_event);
            p.on(asked, Consolidating::on_request);
            p.on_timer(Consolidating::on_timer);
            let handles = consolidating::Handles {
                extractions: p.store(read),
                needs_update: p.store(needs_update),
                extraction_sink: p.sink(extractions),
                published: Published {
                    consolidations: p.store(consolidated),
                    conflicts: p.store(contradictory),
                    consolidation_sink: p.sink(consolidations),
                    conflict_sink: p.sink(conflicts),
                },
            };
            move || Consolidating { handles, debounce, rules: rules.clone() }
        });
    });
    t.build()
}
