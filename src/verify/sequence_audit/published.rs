//! The findings that stand.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::sequence_audit::topology::FINDING;
use concord_flows::sequence_audit::{SeenInterchange, Workflow, link_key};
use concord_schemas::codec;
use concord_schemas::sequence_audit::AuditFinding;

use super::super::Outcome;
use super::super::report::Report;
use super::super::topics::Record;
use super::inputs::Inputs;
use super::{REPORT_IT, Reading};

/// One finding, as far as it can be held against something.
pub struct Standing {
    pub kind: String,
    pub state: String,
    pub counter: String,
    pub sender: String,
    pub recipient: String,
    pub numbers: Option<(u64, u64)>,
    pub interchange: Option<u64>,
}

/// The last finding under each id that was not taken back.
#[derive(Default)]
pub struct Published(BTreeMap<String, Standing>);

impl Published {
    /// Reads them; one that stands there twice is found on the way.
    pub fn read(reading: &Reading<'_>, report: &mut Report) -> Outcome<Self> {
        let mut last: BTreeMap<Vec<u8>, Record> = BTreeMap::new();
        let (mut repeated, mut without_origin) = (0_u64, 0_u64);
        reading.topics.each(FINDING, &mut |record| {
            let former = last.get(&record.key);
            repeated += u64::from(
                former.is_some_and(|former| former.lineage == record.lineage && former.value == record.value),
            );
            without_origin += u64::from(record.lineage.is_empty());
            last.insert(record.key.clone(), record);
            Ok(())
        })?;
        if repeated > 0 {
            report.find(FINDING, format!("{repeated} repeated: the same again from the same input"), REPORT_IT);
        }
        if without_origin > 0 {
            let what = format!("{without_origin} name no origin: they were written by nobody of this application");
            report.find(FINDING, what, REPORT_IT);
        }
        let mut published = Self::default();
        for record in last.into_values() {
            let Some(value) = &record.value else { continue };
            let finding: AuditFinding<'_> = reading.decoder.decode(&codec::AUDIT_FINDING, value).map_err(|e| {
                format!("{FINDING}[{}] offset {} does not decode: {e}", record.partition, record.offset)
            })?;
            let number = |number: Option<i64>| number.map(i64::cast_unsigned);
            let standing = Standing {
                kind: finding.kind.to_owned(),
                state: finding.state.to_owned(),
                counter: finding.counter.to_owned(),
                sender: finding.sender.to_owned(),
                recipient: finding.recipient.to_owned(),
                numbers: number(finding.from).zip(number(finding.to)),
                interchange: number(finding.interchange),
            };
            published.0.insert(record.text_key(), standing);
        }
        report.checked("findings that stand", published.0.len() as u64);
        Ok(published)
    }

    /// Those of a kind.
    pub fn of_kind<'p>(&'p self, kind: &'static str) -> impl Iterator<Item = &'p Standing> {
        self.0.values().filter(move |standing| standing.kind == kind)
    }

    /// Whatever is wrong with an envelope is told, and nothing else is.
    pub fn tells_of_every_envelope(&self, inputs: &Inputs, report: &mut Report) {
        let mismatch = |seen: &SeenInterchange| id_of("envelope-mismatch", seen);
        // What came whole as well takes it back.
        let whole = inputs.interchanges.iter().filter(|seen| seen.defects.is_empty());
        let whole: BTreeSet<String> = whole.map(mismatch).collect();
        let is_not_whole = |seen: &&SeenInterchange| !seen.defects.is_empty() && !whole.contains(&mismatch(seen));
        let with_defects = inputs.interchanges.iter().filter(is_not_whole);
        let expected = with_defects.map(mismatch).chain(inputs.refused.iter().cloned());
        let untold = expected.filter(|id| !self.0.contains_key(id)).count();
        let of_known: BTreeSet<String> = inputs.interchanges.iter().map(mismatch).collect();
        let is_unfounded = |id: &&String| {
            id.starts_with("envelope-mismatch/") && !of_known.contains(*id) && !inputs.refused.contains(*id)
        };
        let unfounded = if inputs.are_complete { self.0.keys().filter(is_unfounded).count() } else { 0 };
        if untold + unfounded > 0 {
            let what = format!("{untold} defects of envelopes are not told, {unfounded} are told of none");
            report.find(FINDING, what, REPORT_IT);
        }
        self.tells_of_every_workflow(inputs, report);
    }

    /// An interchange that came under the workflow of another content alone is told; one that came under its own is not.
    fn tells_of_every_workflow(&self, inputs: &Inputs, report: &mut Report) {
        let id = |seen| id_of("workflow-mismatch", seen);
        let (mut right, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        // What was told of when its number came first in another way, or behind its time, the numbers do not say.
        let mut unclear: BTreeSet<String> = inputs.history.iter().map(id).collect();
        let late = self.of_kind("late").filter(|late| late.counter == "sis");
        let of_late = |late: &Standing| {
            let link = link_key(&late.sender, &late.recipient);
            late.numbers.map(|(number, _)| format!("workflow-mismatch/{link}/{number}"))
        };
        unclear.extend(late.filter_map(of_late));
        for seen in inputs.interchanges.iter().filter(|seen| seen.number.is_some() && !seen.messages.is_empty()) {
            let has_receipts = seen.messages.iter().any(|message| message.receipts.is_some());
            let of_these = match seen.workflow {
                None => &mut unclear,
                Some(workflow) if (workflow == Workflow::Recep) == has_receipts => &mut right,
                Some(_) => &mut wrong,
            };
            of_these.insert(id(seen));
        }
        let untold =
            wrong.iter().filter(|id| !right.contains(*id) && !unclear.contains(*id) && !self.0.contains_key(*id));
        let unfounded = right.iter().filter(|id| !unclear.contains(*id) && self.0.contains_key(*id));
        let (untold, unfounded) = (untold.count(), unfounded.count());
        if inputs.are_complete && untold + unfounded > 0 {
            let what = format!("{untold} wrong workflows are not told, {unfounded} are told and right");
            report.find(FINDING, what, REPORT_IT);
        }
    }
}

/// The id of a finding about an interchange; one without a number is told from others by its content.
fn id_of(kind: &str, seen: &SeenInterchange) -> String {
    let subject = match (seen.number, seen.content) {
        (Some(number), _) => format!("{number}"),
        (None, content) => format!("{:016x}", content.unwrap_or_default()),
    };
    format!("{kind}/{}/{subject}", link_key(&seen.sender, &seen.recipient))
}
