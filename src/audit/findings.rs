//! What stands on the topic of findings.

use std::collections::BTreeMap;

use concord_engine::log::{Log, read_whole_topic};
use concord_flows::sequence_audit::topology::FINDING;
use concord_schemas::Schemas;
use concord_schemas::codec;
use concord_schemas::sequence_audit::AuditFinding;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stores::time_text;

/// One finding, as it is told.
pub struct FindingLine {
    /// Such as `gap`.
    pub kind: String,
    /// Such as `confirmed`.
    pub state: String,
    object: Value,
}

impl FindingLine {
    /// As an object of JSON.
    pub fn as_json(&self) -> &Value {
        &self.object
    }

    fn of(finding: &AuditFinding<'_>) -> Self {
        let object = json!({
            "id": finding.finding_id,
            "kind": finding.kind,
            "state": finding.state,
            "sender": finding.sender,
            "recipient": finding.recipient,
            "counter": finding.counter,
            "from": finding.from,
            "to": finding.to,
            "interchange": finding.interchange,
            "copies": finding.copies,
            "note": finding.note,
            "at": time_text(finding.at_ms),
        });
        Self { kind: finding.kind.to_owned(), state: finding.state.to_owned(), object }
    }
}

/// The findings that stand, by id.
pub fn read_findings(log: &dyn Log) -> Result<Vec<FindingLine>, Failure> {
    let decoder = Schemas::bundled().decoder();
    let mut standing: BTreeMap<Vec<u8>, FindingLine> = BTreeMap::new();
    let mut failure = None;
    let read = read_whole_topic(log, FINDING, &mut |_, record| {
        let key = record.key.as_deref().unwrap_or_default().to_vec();
        let Some(value) = &record.value else {
            standing.remove(&key);
            return;
        };
        match decoder.decode::<AuditFinding<'_>>(&codec::AUDIT_FINDING, value) {
            Ok(finding) => drop(standing.insert(key, FindingLine::of(&finding))),
            Err(error) => failure = Some(Failure::other("reading the findings", error)),
        }
    });
    read.map_err(|e| Failure::other("reading the findings", e))?;
    failure.map_or_else(|| Ok(standing.into_values().collect()), Err)
}
