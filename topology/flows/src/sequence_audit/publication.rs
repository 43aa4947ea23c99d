//! Changes become records of `sequence-audit.finding`.

use std::collections::BTreeMap;

use concord_engine::lineage::Because;
use concord_engine::topology::SinkHandle;
use concord_engine::{Context, ProcessError};
use concord_schemas::sequence_audit::AuditFinding;

use super::finding::{Change, Finding};
use super::values::AuditFindings;

/// The cause under which a finding is taken back.
const SOLVED: &str = "solved";

/// Publishes what one record or timer has changed: of each finding the last.
pub(super) fn publish(
    ctx: &mut Context<'_>,
    sink: SinkHandle<AuditFindings>,
    changes: &[Change],
) -> Result<(), ProcessError> {
    let mut last: BTreeMap<&str, &Change> = BTreeMap::new();
    for change in changes {
        last.insert(change.id(), change);
    }
    for (id, change) in last {
        match change {
            Change::Upsert(finding) => {
                let because = Because { rule: Some(finding.kind.name()), cause: Some(finding.state.as_str()) };
                ctx.send_because(sink, id, &published(finding), &because)?;
            }
            Change::Retract(_) => {
                let rule = id.split('/').next();
                ctx.send_tombstone_because(sink, id, &Because { rule, cause: Some(SOLVED) })?;
            }
        }
    }
    Ok(())
}

fn published(finding: &Finding) -> AuditFinding<'_> {
    AuditFinding {
        finding_id: &finding.id,
        kind: finding.kind.name(),
        state: finding.state.as_str(),
        sender: &finding.sender,
        recipient: &finding.recipient,
        counter: finding.counter.as_str(),
        from: finding.numbers.map(|numbers| numbers.from.cast_signed()),
        to: finding.numbers.map(|numbers| numbers.to.cast_signed()),
        interchange: finding.interchange.map(u64::cast_signed),
        copies: finding.copies.map(i64::from),
        note: &finding.note,
        at_ms: finding.at_ms,
    }
}
