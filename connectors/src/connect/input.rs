//! What a file that arrives is, and so where it goes.

use concord_schemas::gp_links;

/// What a file is taken in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// A GP extract, for list reconciliation.
    Extract,
    /// An answer of DPS about an extract that was sent to it, for list reconciliation.
    DpsAnswer,
    /// EDIFACT interchanges of GP Links, for the sequence audit.
    Interchanges {
        /// As MESH has it, or as the configuration says; empty when it is not known.
        workflow_id: String,
    },
    /// Documents of patients, each in the folder of its patient.
    Document,
}

impl InputKind {
    /// What a message of MESH is, if its workflow is one of GP Links: a mailbox may carry other things beside them.
    ///
    /// ```
    /// use concord_connectors::connect::InputKind;
    ///
    /// assert_eq!(InputKind::of_workflow("GPEXTRACT"), None);
    /// assert_eq!(
    ///     InputKind::of_workflow("NHAIS_REG"),
    ///     Some(InputKind::Interchanges { workflow_id: "NHAIS_REG".to_owned() })
    /// );
    /// ```
    #[must_use]
    pub fn of_workflow(id: &str) -> Option<Self> {
        gp_links::is_workflow(id).then(|| Self::Interchanges { workflow_id: id.to_owned() })
    }
}

/// An id by the flow's own function, from a text and the SHA-256 of the content.
pub type IdOf = fn(&str, &[u8; 32]) -> String;

/// How the flows derive the ids of what arrives. A flow that does not run here takes nothing in.
#[derive(Debug, Clone, Copy, Default)]
pub struct InputIds {
    /// Of an extract, from the name under which it arrived: the id of its job. Of an answer that names no job, an id of its own.
    pub extract: Option<IdOf>,
    /// Of interchanges, from the source that they came from: their file id.
    pub interchanges: Option<IdOf>,
    /// Of documents of patients.
    pub documents: Option<DocumentIds>,
}

/// How the flow of patient documents derives ids.
#[derive(Debug, Clone, Copy)]
pub struct DocumentIds {
    /// Of a document, from its patient and its name.
    pub document: fn(&str, &str) -> String,
    /// Of the contents that it has, from its id; in the form of a UUID.
    pub version: IdOf,
}

impl InputIds {
    /// The function for a kind of input, if its flow runs here.
    #[must_use]
    pub fn of(&self, kind: &InputKind) -> Option<IdOf> {
        match kind {
            InputKind::Extract | InputKind::DpsAnswer => self.extract,
            InputKind::Interchanges { .. } => self.interchanges,
            InputKind::Document => self.documents.map(|ids| ids.version),
        }
    }
}
