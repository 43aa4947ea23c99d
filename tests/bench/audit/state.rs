//! What the stores hold, entry by entry, and what the program needs for it.

use std::collections::BTreeMap;

use concord_state::RocksDirectory;

use super::flow::Passed;
use crate::Result;
use crate::figures::table::Table;
use crate::process::bytes_in;
use crate::program::Program;

const KIB: f64 = 1024.0;
const MIB: f64 = KIB * KIB;

pub const COLUMNS: &[&str] = &[
    "interchanges",
    "links",
    "KiB of links",
    "open messages",
    "KiB of transactions",
    "timers",
    "MiB in all",
    "MiB of file ids",
    "MiB on disk",
    "peak MiB",
];

/// Entries, and bytes of keys and values.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    entries: u64,
    bytes: u64,
}

/// Adds a row about the folder of the stopped program.
pub fn measure(program: &Program, interchanges: u64, passed: &Passed, table: &mut Table) -> Result<()> {
    let directory = RocksDirectory::open_read_only(&program.state)?;
    let mut stores: BTreeMap<String, Held> = BTreeMap::new();
    for (sub_topology, partition) in directory.tasks()? {
        let task = directory.open_task(&sub_topology, partition)?;
        for store in task.stores()? {
            let held = stores.entry(store.clone()).or_default();
            task.scan(&store, &[], None, &mut |key, value| {
                held.entries += 1;
                held.bytes += (key.len() + value.len()) as u64;
                true
            })?;
        }
    }
    let of = |store: &str| stores.get(store).copied().unwrap_or_default();
    let timers = of("links-timers").entries + of("transactions-timers").entries;
    // File ids are kept for a day: they cost by interchanges of a day.
    let file_ids = of("reading-ids").bytes;
    let all = stores.values().map(|held| held.bytes).sum::<u64>() - file_ids;
    table.add(&[
        interchanges as f64,
        of("links").entries as f64,
        of("links").bytes as f64 / KIB,
        of("link-messages").entries as f64,
        of("transaction-lines").bytes as f64 / KIB,
        timers as f64,
        all as f64 / MIB,
        file_ids as f64 / MIB,
        bytes_in(&program.state, &|_| true) as f64 / MIB,
        passed.peak_mib,
    ]);
    Ok(())
}
