//! An interchange that came under the workflow of another content: receipts under that of registrations, or the other way round.

use super::codes;
use super::finding::{Change, Finding, FindingKind, id_of_interchange};
use super::traffic::{SeenInterchange, Workflow};

impl SeenInterchange {
    /// The workflow that its content belongs under; `None` when it has none.
    fn workflow_of_content(&self) -> Option<Workflow> {
        let has_receipts = self.messages.iter().any(|message| message.receipts.is_some());
        let workflow = if has_receipts { Workflow::Recep } else { Workflow::Registration };
        (!self.messages.is_empty()).then_some(workflow)
    }
}

/// Tells of an interchange under another workflow than its content's, and takes that back when it comes under its own. Of the
/// two, whichever comes first, nothing stands in the end. `came_before`: its number was on its line already.
pub(super) fn judge(seen: &SeenInterchange, came_before: bool, at_ms: i64, changes: &mut Vec<Change>) {
    let (Some(under), Some(of_content)) = (seen.workflow, seen.workflow_of_content()) else { return };
    let kind = FindingKind::WorkflowMismatch;
    match (under == of_content, came_before) {
        (true, true) => changes.push(Change::Retract(id_of_interchange(seen, kind))),
        (false, false) => {
            let note = format!(
                "{}: it came under {} and belongs under {}: ask its sender to send it again there",
                codes::WORKFLOW_DIFFERS,
                under.id(),
                of_content.id(),
            );
            changes.push(Change::Upsert(Finding::of_interchange(seen, kind, note, at_ms)));
        }
        // It is as it should be; or it was here already, rightly or told of.
        (true, false) | (false, true) => {}
    }
}
