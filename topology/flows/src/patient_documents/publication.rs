//! Publishes what a patient's documents say, and what they contradict each other about; what is as it was is not published again.

use std::collections::BTreeSet;

use concord_engine::lineage::Because;
use concord_engine::topology::{SinkHandle, StoreHandle};
use concord_engine::{Context, ProcessError};
use concord_schemas::patient_documents::{ConflictingValue, OpenConflict, PatientConflict, PatientConsolidation};

use super::consolidating::key_of;
use super::values::{Conflicts, Consolidations};

/// What is published, and what of it is known.
#[derive(Clone, Copy)]
pub(super) struct Published {
    /// `patient id`: the last record.
    pub consolidations: StoreHandle<Consolidations>,
    /// `patient id/field`: conflicts that stand.
    pub conflicts: StoreHandle<Conflicts>,
    pub consolidation_sink: SinkHandle<Consolidations>,
    pub conflict_sink: SinkHandle<Conflicts>,
}

/// The cause under which a conflict is published for the first time.
const FOUND: &str = "found";
/// The cause under which a conflict is published again.
const CHANGED: &str = "changed";
/// The cause under which a conflict is taken back.
const SOLVED: &str = "solved";
/// The cause under which a record, or a conflict of it, is taken back: the patient has no document.
const NO_DOCUMENT: &str = "no document is left";

/// Publishes the record of a patient, as far as it differs from the last one.
pub(super) fn publish(
    ctx: &mut Context<'_>,
    published: &Published,
    record: &PatientConsolidation<'_>,
) -> Result<(), ProcessError> {
    let patient_id = &record.patient_id;
    let mut open = BTreeSet::new();
    for conflict in &record.conflicts {
        let conflict = conflict_of(record, conflict);
        publish_conflict(ctx, published, &conflict)?;
        open.insert(conflict.conflict_id.into_owned());
    }
    retract(ctx, published, patient_id, &open, SOLVED)?;
    let last = ctx.get(published.consolidations, patient_id.as_bytes())?;
    let last = last.as_ref().map(|bytes| ctx.read(published.consolidations, bytes)).transpose()?;
    if last.is_some_and(|last| last == *record) {
        ctx.count_filtered("consolidations that change nothing");
        return Ok(());
    }
    ctx.put(published.consolidations, patient_id.as_bytes(), record)?;
    ctx.send(published.consolidation_sink, patient_id, record)
}

/// Takes back all that was published of a patient without documents.
pub(super) fn withdraw(ctx: &mut Context<'_>, published: &Published, patient_id: &str) -> Result<(), ProcessError> {
    retract(ctx, published, patient_id, &BTreeSet::new(), NO_DOCUMENT)?;
    if ctx.get(published.consolidations, patient_id.as_bytes())?.is_none() {
        ctx.count_filtered("consolidations that change nothing");
        return Ok(());
    }
    ctx.delete(published.consolidations, patient_id.as_bytes())?;
    let because = Because { rule: None, cause: Some(NO_DOCUMENT) };
    ctx.send_tombstone_because(published.consolidation_sink, patient_id, &because)
}

fn publish_conflict(
    ctx: &mut Context<'_>,
    published: &Published,
    conflict: &PatientConflict<'_>,
) -> Result<(), ProcessError> {
    let id = &*conflict.conflict_id;
    let last = ctx.get(published.conflicts, id.as_bytes())?;
    let last = last.as_ref().map(|bytes| ctx.read(published.conflicts, bytes)).transpose()?;
    if last.as_ref() == Some(conflict) {
        return Ok(());
    }
    let cause = if last.is_some() { CHANGED } else { FOUND };
    ctx.put(published.conflicts, id.as_bytes(), conflict)?;
    ctx.send_because(published.conflict_sink, id, conflict, &because(&conflict.field, cause))
}

/// Takes back the conflicts of a patient that are not open any more.
fn retract(
    ctx: &mut Context<'_>,
    published: &Published,
    patient_id: &str,
    open: &BTreeSet<String>,
    cause: &str,
) -> Result<(), ProcessError> {
    let mut solved = Vec::new();
    ctx.scan_prefix(published.conflicts, key_of(patient_id, "").as_bytes(), &mut |key, _| {
        let id = String::from_utf8_lossy(key).into_owned();
        if !open.contains(&id) {
            solved.push(id);
        }
        true
    })?;
    for id in solved {
        ctx.delete(published.conflicts, id.as_bytes())?;
        let field = id.get(patient_id.len() + 1..).unwrap_or_default();
        ctx.send_tombstone_because(published.conflict_sink, &id, &because(field, cause))?;
    }
    Ok(())
}

/// The rule that a conflict breaks is that of its field: of a medicine, which may tell of the patient, only that it is one.
fn because<'t>(field: &'t str, cause: &'t str) -> Because<'t> {
    let rule = match field.split_once('/') {
        Some((list, _)) => list,
        None => field,
    };
    Because { rule: Some(rule), cause: Some(cause) }
}

/// A conflict of a record, as it is published on its own.
fn conflict_of<'r>(record: &'r PatientConsolidation<'_>, conflict: &'r OpenConflict<'_>) -> PatientConflict<'r> {
    let id_of = |place: &i32| {
        let document = usize::try_from(*place).ok().and_then(|place| record.documents.get(place));
        document.map_or("", |document| &document.document_id).into()
    };
    let values = conflict.values.iter().map(|observed| ConflictingValue {
        value: (&*observed.value).into(),
        documents: observed.documents.iter().map(id_of).collect(),
    });
    PatientConflict {
        conflict_id: key_of(&record.patient_id, &conflict.field).into(),
        patient_id: (&*record.patient_id).into(),
        field: (&*conflict.field).into(),
        chosen: conflict.chosen.as_deref().map(Into::into),
        values: values.collect(),
        since_ms: conflict.since_ms,
    }
}
