//! What a store holds, and what following its changelog makes: two ways to the same entries.

use std::collections::BTreeMap;

use concord_state::{CommittedReader, StoreSpec};

use super::Outcome;
use super::topics::Record;

/// Values by key.
pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Of the time in front of each value in the changelog of a store with a time to live.
const STAMP_BYTES: usize = 8;

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

/// What following a store's changelog up to a position makes.
pub fn replayed<'r>(store: &StoreSpec, history: impl Iterator<Item = &'r Record>, position: i64) -> Entries {
    let stamp = if store.time_to_live_ms.is_some() { STAMP_BYTES } else { 0 };
    let mut entries = Entries::new();
    for record in history.filter(|record| record.offset < position) {
        match &record.value {
            Some(value) => entries.insert(record.key.clone(), value.get(stamp..).unwrap_or_default().to_vec()),
            None => entries.remove(&record.key),
        };
    }
    entries
}
