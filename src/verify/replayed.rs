//! What a store holds, and what following its changelog makes: two ways to the same entries.

use std::collections::BTreeMap;

use concord_state::CommittedReader;

use super::Outcome;
use super::topics::Record;

/// Values by key.
pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Where a store stands in its changelog and what it holds; `None` when it was never written.
pub fn content(task: &CommittedReader, store: &str) -> Outcome<Option<(i64, Entries)>> {
    let failed = |e: concord_state::StateError| format!("reading store {store}: {e}");
    let Some(meta) = task.meta().map_err(failed)? else { return Ok(None) };
    let Some(place) = task.stores().map_err(failed)?.iter().position(|name| name == store) else { return Ok(None) };
    let mut entries = Entries::new();
    task.scan(store, &[], None, &mut |key, value| {
        entries.insert(key.to_vec(), value.to_vec());
        true
    })
    .map_err(failed)?;
    Ok(Some((meta.changelog_positions.get(place).copied().flatten().unwrap_or(0), entries)))
}

/// What following a changelog up to a position makes.
pub fn replayed<'r>(history: impl Iterator<Item = &'r Record>, position: i64) -> Entries {
    let mut entries = Entries::new();
    for record in history.filter(|record| record.offset < position) {
        match &record.value {
            Some(value) => entries.insert(record.key.clone(), value.clone()),
            None => entries.remove(&record.key),
        };
    }
    entries
}
