//! Without transactions a worker that has lost its tasks can still append to their changelogs. Each changelog record of an
//! at-least-once worker therefore names the generation it was written in, and a restore leaves out what is older than what
//! stands before it.
//!
//! A worker writes the generation of its membership, or the newest one it found in the changelogs of the task if that is
//! newer: a group that was deleted counts from 1 again, and what its members write must not look old.
//!
//! What this covers: a former owner's records that stand behind the new owner's first ones.
//!
//! What it does not cover:
//! - A former owner's records that arrive after the new owner has read the changelog to its end and before it writes. A
//!   later restore applies them. Their input was not committed, so the new owner processes it too and writes the keys again.
//! - Compaction, which keeps the last record of a key and knows no generations: a key whose last record is a former
//!   owner's is missing from later restores, until it is written again.
//! - Two processes of one static member, which share a generation, and a record of a worker's own earlier producer that
//!   arrives after the changelog was read again.
//! - Outputs: a former owner's stand beside those of the new one, as at-least-once allows.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use crate::log::{Header, LogRecord};
use crate::planted::{self, PlantedBug};

/// Header of a changelog record that names the generation it was written in, as decimal text.
pub const GENERATION: &str = "concord-generation";

/// No generation is known; real ones are above.
pub(crate) const NO_GENERATION: i32 = 0;

static NAME: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(GENERATION));

/// The header of records written in `generation`.
pub(super) fn header(generation: i32) -> Header {
    Header { name: NAME.clone(), value: Bytes::from(generation.to_string()) }
}

/// Whether a changelog record is older than one before it; `newest` is the newest generation before it, and kept so.
/// Records without the header were written in transactions, and are never old.
pub(super) fn is_stale(record: &LogRecord, newest: &mut i32) -> bool {
    let Some(generation) = generation_of(record) else { return false };
    if generation < *newest && !planted::is(PlantedBug::LateWritesApplied) {
        return true;
    }
    *newest = generation;
    false
}

fn generation_of(record: &LogRecord) -> Option<i32> {
    let header = record.headers.iter().find(|header| &*header.name == GENERATION)?;
    std::str::from_utf8(&header.value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(headers: Vec<Header>) -> LogRecord {
        LogRecord { offset: 0, timestamp_ms: 0, key: None, value: None, headers }
    }

    #[test]
    fn a_record_is_stale_behind_a_newer_generation_only() {
        let mut newest = NO_GENERATION;
        let written = [3, 3, 5, 4, 5, 3, 6].map(|generation| record(vec![header(generation)]));
        let stale = written.each_ref().map(|record| is_stale(record, &mut newest));
        assert_eq!(stale, [false, false, false, true, false, true, false]);
        assert_eq!(newest, 6);
    }

    #[test]
    fn a_record_without_a_generation_is_never_stale() {
        let mut newest = 9;
        assert!(!is_stale(&record(Vec::new()), &mut newest));
        assert_eq!(newest, 9);
    }
}
