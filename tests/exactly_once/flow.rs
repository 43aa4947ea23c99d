//! The flow that a scenario plays with: how its instances are set, and how what it left is verified.

use concord_engine::topology::Topology;
use concord_flows::{list_reconciliation, patient_documents, sequence_audit};

use crate::findings::Findings;
use crate::instance::APPLICATION;
use crate::stage::Stage;
use crate::{Outcome, PARTITIONS, audit, documents, verifier};

/// See the module.
pub struct Flow {
    /// Its section of the configuration, without the application's name.
    pub section: &'static str,
    /// What its instances run.
    pub topology: fn() -> Outcome<Topology>,
    /// Holds topics and disks against the expectation. Both instances are stopped.
    pub verify: fn(&Stage) -> Outcome<Findings>,
    /// What the program says of itself.
    pub verify_by_command: fn(&Stage) -> Outcome<()>,
}

pub const LIST_RECONCILIATION: Flow = Flow {
    section: "[flows.list_reconciliation]",
    topology: || {
        let application = APPLICATION.to_owned();
        let settings = list_reconciliation::Settings { application, partitions: PARTITIONS, ..Default::default() };
        list_reconciliation::topology(&settings).map_err(|e| e.to_string())
    },
    verify: verifier::verify,
    verify_by_command: Stage::verify_finds_nothing,
};

pub const SEQUENCE_AUDIT: Flow = Flow {
    section: "[flows.sequence_audit]\ngrace_minutes = 5\nreceipt_overdue_minutes = 5\norphan_minutes = 5",
    topology: || {
        let application = APPLICATION.to_owned();
        let settings = sequence_audit::Settings { application, partitions: PARTITIONS, ..Default::default() };
        sequence_audit::topology(&settings).map_err(|e| e.to_string())
    },
    verify: audit::verify,
    verify_by_command: Stage::verify_finds_nothing,
};

pub const PATIENT_DOCUMENTS: Flow = Flow {
    section: "[flows.patient_documents]\nquiet_seconds = 1\nlongest_wait_seconds = 3\nreading.at_once = 1\n\
              reading.first_pause_seconds = 1",
    topology: || {
        let application = APPLICATION.to_owned();
        let settings = patient_documents::Settings { application, partitions: PARTITIONS, ..Default::default() };
        patient_documents::topology(&settings).map_err(|e| e.to_string())
    },
    verify: documents::verify,
    verify_by_command: Stage::verify_finds_nothing,
};
