//! How much stands behind a value: which documents say it, and how far they are trusted.

/// Where a document stands among those of its patient, ordered by id.
pub type DocumentNumber = u32;

/// What a document adds to a value that it says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    pub document: DocumentNumber,
    /// Trust in documents of its kind.
    pub trust: u32,
    /// Of the contents, milliseconds since the epoch.
    pub at_ms: i64,
    /// In percent.
    pub confidence: u8,
}

/// What stands behind a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Sum of trust times confidence over the documents.
    pub weight: u64,
    /// The greatest trust among them.
    pub trust: u32,
    /// When the first of them was written, milliseconds since the epoch.
    pub earliest_ms: i64,
    /// When the last of them was written.
    pub latest_ms: i64,
    /// The documents, in order, each once.
    pub documents: Vec<DocumentNumber>,
    /// What the last document added to the weight.
    last_added: u64,
}

impl Weighed {
    /// Adds a voice; voices come in the order of their documents. A document that says the same twice counts once, with the
    /// greater confidence.
    pub(super) fn add(&mut self, voice: Voice) {
        let added = u64::from(voice.trust) * u64::from(voice.confidence);
        if self.documents.last() == Some(&voice.document) {
            if added > self.last_added {
                self.weight += added - self.last_added;
                self.last_added = added;
            }
            return;
        }
        if self.documents.is_empty() {
            (self.earliest_ms, self.latest_ms) = (voice.at_ms, voice.at_ms);
        }
        self.weight += added;
        self.last_added = added;
        self.trust = self.trust.max(voice.trust);
        self.earliest_ms = self.earliest_ms.min(voice.at_ms);
        self.latest_ms = self.latest_ms.max(voice.at_ms);
        self.documents.push(voice.document);
    }
}
