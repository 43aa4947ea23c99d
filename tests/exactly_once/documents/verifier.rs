//! Each document is asked to be read once, read once, and known once; what stands of each patient is what the documents say together;
//! no consolidation is published twice for one cause, none goes back to an earlier state, and nothing is left to be done.

use std::collections::{BTreeMap, BTreeSet};

use concord_engine::topology::Topology;
use concord_flows::patient_documents::topology::{
    CONFLICT, CONSOLIDATION, DOCUMENTS, EXTRACTION, PATIENTS_NEEDING_UPDATE,
};

use super::expected::{Expected, Happened, Said, Together};
use super::planned::{Planned, Says};
use super::states::{Histories, histories, is_the_same, nothing_is_said_twice_and_nothing_goes_back};
use super::written::{Consolidated, Event, Publication, Status, Written, says};
use crate::Outcome;
use crate::findings::Findings;
use crate::replayed::replayed;
use crate::stage::Stage;
use crate::topics::{Record, Topics};
use crate::verifier::{disks, nothing_is_undecided_or_unread};

/// The store of calls that are pending, and how a row of one begins.
pub const CALLS: &str = "document-reading-calls";
const PENDING: &str = "p/";
/// What a store of timers holds without any.
const WITHOUT_TIMERS: [&str; 2] = ["stream-time", "generation"];
/// The status of a document that was given to the readers.
pub const ASKED: &str = "Pending";
/// The status of a document that a reader has had for a while.
pub const BEING_READ: &str = "InProgress";
/// What the reader was given, of documents that failed.
const UNREAD: &str = "documents-unread";
/// Stores in which nothing is left when all is done.
const EMPTY_AT_REST: [&str; 4] =
    [CALLS, PATIENTS_NEEDING_UPDATE, "document-reading-timers", "patient-consolidating-timers"];

/// Verifies what a scenario left. Both instances must be stopped.
pub fn verify(stage: &Stage) -> Outcome<Findings> {
    let topology = (stage.flow.topology)()?;
    let (expected, written) = (expected(stage)?, written(stage)?);
    let mut findings = check(&stage.documents, &expected, &written);
    findings.records += expected.uploads;
    findings.same("records on the topic of documents", stage.documents.changes as u64, expected.uploads);
    nothing_is_undecided_or_unread(&stage.topics, &topology, expected.letters.len(), &mut findings)?;
    disks::state_is_what_the_changelogs_say(stage, &topology, &mut findings)?;
    Ok(findings)
}

pub fn expected(stage: &Stage) -> Outcome<Expected> {
    Expected::read(&stage.topics, &stage.documents)
}

pub fn written(stage: &Stage) -> Outcome<Written> {
    let topology = (stage.flow.topology)()?;
    let names = EMPTY_AT_REST.into_iter().chain([DOCUMENTS, UNREAD]);
    let stores = names.map(|name| Ok((name.to_owned(), keys_of(&stage.topics, &topology, name)?)));
    Written::read(&stage.topics, &topology, stores.collect::<Outcome<_>>()?)
}

/// Whether all stores are empty that must come to be: nothing is left to be read, to be consolidated, or to be told.
pub fn nothing_is_left(topics: &Topics, topology: &Topology) -> Outcome<bool> {
    for name in EMPTY_AT_REST {
        if !keys_of(topics, topology, name)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The keys that the changelog of a store leaves; but for counters and the like, which stay.
fn keys_of(topics: &Topics, topology: &Topology, name: &str) -> Outcome<BTreeSet<String>> {
    let specs = topology.sub_topologies.iter().flat_map(|sub| &sub.stores);
    let spec = specs.into_iter().find(|spec| spec.name == name).ok_or_else(|| format!("there is no store {name}"))?;
    let changelog = topics.read(&format!("{}.{name}.changelog", topology.application))?;
    let mut by_partition: BTreeMap<i32, Vec<&Record>> = BTreeMap::new();
    for record in &changelog {
        by_partition.entry(record.partition).or_default().push(record);
    }
    let entries = by_partition.into_values().map(|history| replayed(spec, history.into_iter(), i64::MAX));
    let keys = entries.flat_map(BTreeMap::into_keys).map(|key| String::from_utf8_lossy(&key).into_owned());
    let stays =
        |key: &String| if name == CALLS { !key.starts_with(PENDING) } else { WITHOUT_TIMERS.contains(&key.as_str()) };
    Ok(keys.filter(|key| !stays(key)).collect())
}

/// Holds what came out against what was to come out.
pub fn check(planned: &Planned, expected: &Expected, written: &Written) -> Findings {
    let mut findings = Findings::default();
    every_change_reaches_its_patient_once(expected, written, &mut findings);
    no_reading_begins_twice(written, &mut findings);
    every_document_is_read_once(planned, expected, written, &mut findings);
    every_event_is_published_once(written, &mut findings);
    let histories = histories(planned, written);
    what_stands_is_what_the_documents_say(planned, expected, written, &histories, &mut findings);
    nothing_is_said_twice_and_nothing_goes_back(written, &histories, &mut findings);
    findings.each_once("dead letters", expected.letters.clone(), written.letters.clone());
    for (name, keys) in &written.stores {
        if EMPTY_AT_REST.contains(&name.as_str()) {
            findings.same(&format!("entries of {name} that are left"), 0, keys.len());
        }
    }
    findings
}

fn every_change_reaches_its_patient_once(expected: &Expected, written: &Written, findings: &mut Findings) {
    let happened = written.events.iter().filter_map(|event| {
        let Event { by, patient_id, document_id, .. } = event.clone();
        match &event.status {
            None => Some(Happened::Gone { by, patient_id, document_id }),
            Some(status) if status.status == ASKED => Some(Happened::Asked { by, patient_id, document_id }),
            Some(_) => None,
        }
    });
    findings.each_once("uploads and deletions that reach their patients", expected.happened.clone(), happened);
}

/// Of an attempt that is over soon nobody says that it has begun.
fn no_reading_begins_twice(written: &Written, findings: &mut Findings) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &written.events {
        if event.status.as_ref().is_some_and(|status| status.status == BEING_READ) {
            *times.entry(&event.by).or_default() += 1;
        }
    }
    let again = times.values().filter(|times| **times > 1).count();
    findings.same("documents whose reading begins twice", 0, again);
}

/// What was edited or deleted before it was read may have been read, once; all that stands was read, once.
fn every_document_is_read_once(planned: &Planned, expected: &Expected, written: &Written, findings: &mut Findings) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let last: BTreeSet<&str> = expected.standing.values().map(|standing| &*standing.by).collect();
    let asked: BTreeSet<&str> = expected.happened.iter().filter_map(asked_by).collect();
    for event in &written.events {
        let Some(status) = event.status.as_ref().filter(|of| ![ASKED, BEING_READ].contains(&&*of.status)) else {
            continue;
        };
        *times.entry(&event.by).or_default() += 1;
        if last.contains(&*event.by) {
            found.push(status.clone());
        }
    }
    let again = times.values().filter(|times| **times > 1).count();
    findings.same("documents that are read twice", 0, again);
    let unasked = times.keys().filter(|by| !asked.contains(*by)).count();
    findings.same("documents that are read and nobody asked for", 0, unasked);
    findings.each_once("documents that are read", statuses(planned, expected), found);

    // What is known in the end.
    let mut standing = BTreeMap::new();
    for Publication { key, value, .. } in &written.extractions {
        match value {
            Some(status) => standing.insert(key.clone(), status.clone()),
            None => standing.remove(key),
        };
    }
    findings.each_once(&format!("states on {EXTRACTION}"), statuses(planned, expected), standing.into_values());
    let known = written.stores.get(DOCUMENTS).into_iter().flatten().cloned();
    findings.each_once("documents that are known", expected.standing.keys().cloned(), known);
    let is_unread = |sha256: &str| matches!(planned.says.get(sha256), Some(Says::Nothing(..)));
    let unread = expected.standing.iter().filter(|(_, standing)| is_unread(&standing.sha256));
    let kept = written.stores.get(UNREAD).into_iter().flatten().cloned();
    findings.each_once("documents kept for another attempt", unread.map(|(id, _)| id.clone()), kept);
}

fn asked_by(happened: &Happened) -> Option<&str> {
    match happened {
        Happened::Asked { by, .. } => Some(by),
        Happened::Gone { .. } => None,
    }
}

/// How the reading of every document that stands must have ended.
fn statuses(planned: &Planned, expected: &Expected) -> Vec<Status> {
    let status = |(document_id, standing): (&String, &super::expected::Standing)| {
        let what = planned.says.get(&standing.sha256);
        let (status, content_type, reason_code, says) = match what {
            Some(Says::Record(record, kind)) => ("Complete", content_type_of(kind.extension()), "", Some(says(record))),
            Some(Says::Scan) => {
                ("Complete", content_type_of(extension(&standing.name)), "", Some("read by OCR".into()))
            }
            Some(Says::Nothing(reason, content_type)) => ("Failed", *content_type, *reason, None),
            None => ("planned by nobody", "", "", None),
        };
        Status {
            patient_id: standing.patient_id.clone(),
            document_id: document_id.clone(),
            name: standing.name.clone(),
            status: status.to_owned(),
            content_type: content_type.to_owned(),
            sha256: standing.sha256.clone(),
            at_ms: standing.at_ms,
            reason_code: reason_code.to_owned(),
            as_of_ms: says.as_ref().map(|_| standing.at_ms),
            says,
        }
    };
    expected.standing.iter().map(status).collect()
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn content_type_of(extension: &str) -> &'static str {
    match extension {
        "json" => "application/fhir+json",
        "xml" => "text/xml",
        "hl7" => "x-application/hl7-v2+er7",
        "txt" => "text/plain",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        _ => "",
    }
}

/// Each event makes one record on the topic of extractions, which names it.
fn every_event_is_published_once(written: &Written, findings: &mut Findings) {
    let events = written.events.iter().map(|event| {
        let key = format!("{}/{}", event.patient_id, event.document_id);
        (event.at.clone(), key, event.status.as_ref().map(|status| status.status.clone()))
    });
    let published = written.extractions.iter().map(|published| {
        let status = published.value.as_ref().map(|status| status.status.clone());
        (published.by.clone(), published.key.clone(), status)
    });
    findings.each_once(EXTRACTION, events, published);
}

/// The last record of each patient is that of the documents that stand, by the plan, and so are the conflicts.
fn what_stands_is_what_the_documents_say(
    planned: &Planned,
    expected: &Expected,
    written: &Written,
    histories: &Histories,
    findings: &mut Findings,
) {
    let mut documents: BTreeMap<&str, BTreeMap<String, Said>> = BTreeMap::new();
    for status in statuses(planned, expected) {
        let standing = &expected.standing[&status.document_id];
        let says = planned.says.get(&standing.sha256).cloned().map(|says| (says, standing.at_ms));
        let shown = [status.name, status.content_type, status.status, status.reason_code];
        documents.entry(&standing.patient_id).or_default().insert(status.document_id, Said { shown, says });
    }
    let mut last: BTreeMap<&str, &Consolidated> = BTreeMap::new();
    for Publication { key, value, .. } in &written.consolidations {
        match value {
            Some(value) => last.insert(key, value),
            None => last.remove(&**key),
        };
    }
    findings.each_once(&format!("patients on {CONSOLIDATION}"), documents.keys().copied(), last.keys().copied());
    let (mut wrong, mut open) = (0, BTreeSet::new());
    for (patient_id, documents) in &documents {
        let together = Together::of(documents);
        wrong += usize::from(!last.get(patient_id).is_some_and(|last| is_the_same(&together, last)));
        wrong += usize::from(histories.get(*patient_id).and_then(|history| history.last()) != Some(&together));
        open.extend(together.conflicts.iter().map(|field| format!("{patient_id}/{field}")));
    }
    findings.same("patients whose record is not what their documents say", 0, wrong);
    let mut standing = BTreeMap::new();
    for Publication { key, value, .. } in &written.conflicts {
        match value {
            Some(is_of_others) => standing.insert(key.clone(), *is_of_others),
            None => standing.remove(key),
        };
    }
    // What contradicts a scan alone was not planned.
    let standing = standing.into_iter().filter(|(_, is_of_others)| *is_of_others).map(|(key, _)| key);
    findings.each_once(&format!("conflicts that stand on {CONFLICT}"), open, standing);
}
