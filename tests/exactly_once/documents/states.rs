//! The states that the documents of each patient go through, and which of them records are of: none is said twice, none goes back.

use std::collections::BTreeMap;

use concord_flows::patient_documents::topology::{CONFLICT, CONSOLIDATION, PATIENT_CONSOLIDATING};

use super::expected::{Said, Together};
use super::planned::Planned;
use super::written::{Consolidated, Publication, Written};
use crate::findings::Findings;

/// Of each patient what the documents said together, before the first event and behind each: a consolidation sees one of these.
pub type Histories = BTreeMap<String, Vec<Together>>;

pub fn histories(planned: &Planned, written: &Written) -> Histories {
    let mut documents: BTreeMap<String, BTreeMap<String, Said>> = BTreeMap::new();
    let mut histories = Histories::new();
    for event in &written.events {
        let of_patient = documents.entry(event.patient_id.clone()).or_default();
        match &event.status {
            None => drop(of_patient.remove(&event.document_id)),
            Some(status) => {
                // What was read last stands until something else is read.
                let is_read = status.status == "Complete";
                let before = of_patient.get(&event.document_id).and_then(|said| said.says.clone());
                let says = planned.says.get(&status.sha256).filter(|_| is_read).cloned();
                let says = says.map(|says| (says, status.at_ms)).or(before);
                let shown = [&status.name, &status.content_type, &status.status, &status.reason_code].map(Clone::clone);
                of_patient.insert(event.document_id.clone(), Said { shown, says });
            }
        }
        let history = histories.entry(event.patient_id.clone()).or_insert_with(|| vec![Together::default()]);
        history.push(Together::of(of_patient));
    }
    histories
}

/// Where a scan alone says something, it may be what counts.
pub fn is_the_same(together: &Together, found: &Consolidated) -> bool {
    let mut together = together.clone();
    for field in &found.misread {
        let value = found.together.fields.get(field).map(|(value, _)| value.clone());
        if let (Some(value), Some((counting, _))) = (value, together.fields.get_mut(field)) {
            *counting = value;
        }
    }
    together == found.together
}

/// A cause has one consolidation at most, which differs from the one before, and is of the same or a later state of the documents.
pub fn nothing_is_said_twice_and_nothing_goes_back(written: &Written, histories: &Histories, findings: &mut Findings) {
    let consolidated = written.consolidations.iter().map(|of| (&*of.key, &*of.by, &of.bytes));
    said_once(CONSOLIDATION, consolidated, findings);
    said_once(CONFLICT, written.conflicts.iter().map(|of| (&*of.key, &*of.by, &of.bytes)), findings);
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_no_state = 0;
    for Publication { key, value, .. } in &written.consolidations {
        let history = histories.get(key).map_or(&[][..], Vec::as_slice);
        let from = reached.entry(key).or_default();
        let matches = |state: &Together| match value {
            Some(value) => is_the_same(state, value),
            None => state.documents.is_empty(),
        };
        match history[*from..].iter().position(matches) {
            Some(further) => *from += further,
            None => of_no_state += 1,
        }
    }
    let what = format!(
        "records of {PATIENT_CONSOLIDATING} that are of no state of the documents, or go back to an earlier one"
    );
    findings.same(&what, 0, of_no_state);
}

fn said_once<'w>(
    topic: &str,
    records: impl Iterator<Item = (&'w str, &'w str, &'w Option<Vec<u8>>)>,
    findings: &mut Findings,
) {
    let mut causes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut last, mut as_before) = (BTreeMap::new(), 0);
    for (key, by, bytes) in records {
        *causes.entry((key, by)).or_default() += 1;
        as_before += usize::from(last.insert(key, bytes) == Some(bytes));
    }
    let again = causes.values().filter(|times| **times > 1).count();
    findings.same(&format!("causes with more than one record on {topic}"), 0, again);
    findings.same(&format!("records on {topic} that say what the one before said"), 0, as_before);
}
