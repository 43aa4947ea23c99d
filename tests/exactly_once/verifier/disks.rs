//! The disks of the stopped instances: what is on them must be what the changelogs say, entry by entry.

use std::collections::BTreeMap;

use concord_flows::list_reconciliation::{Settings, topology};
use concord_state::{CommittedReader, RocksDirectory};

use crate::findings::Findings;
use crate::instance::APPLICATION;
use crate::stage::Stage;
use crate::topics::Record;
use crate::{Outcome, PARTITIONS};

/// Each store of each task holds what its changelog held up to the store's position: committed data and nothing else. And
/// of the instances that have a task on disk, the last owner has followed its changelogs to their ends.
pub(super) fn state_is_what_the_changelogs_say(stage: &Stage, findings: &mut Findings) -> Outcome<()> {
    let settings = Settings { application: APPLICATION.to_owned(), partitions: PARTITIONS, ..Settings::default() };
    let topology = topology(&settings).map_err(|e| e.to_string())?;
    let mut disks = Vec::new();
    for instance in &stage.instances {
        disks.push((instance.name, RocksDirectory::open_read_only(&instance.state).map_err(|e| e.to_string())?));
    }
    for sub in &topology.sub_topologies {
        for (store, changelog) in sub.stores.iter().zip(&sub.changelogs) {
            let Some(changelog) = changelog else { continue };
            let changelog = stage.topics.read(&topology.topics[*changelog].name)?;
            for partition in 0..PARTITIONS {
                let history: Vec<&Record> = changelog.iter().filter(|r| r.partition == partition).collect();
                let mut furthest = 0;
                for (name, disk) in &disks {
                    let tasks = disk.tasks().map_err(|e| e.to_string())?;
                    if !tasks.iter().any(|task| *task == (sub.name.to_owned(), partition)) {
                        continue;
                    }
                    let task = disk.open_task(sub.name, partition).map_err(|e| e.to_string())?;
                    let Some((position, entries)) = content(&task, &store.name)? else { continue };
                    furthest = furthest.max(position);
                    if entries != replayed(&history, position) {
                        findings.complain(format!(
                            "store {} of {}-{partition} on instance {name} differs from its changelog up to {position}",
                            store.name, sub.name
                        ));
                    }
                }
                let behind = history.iter().filter(|record| record.offset >= furthest).count();
                findings.same(
                    &format!("changelog records of {} partition {partition} on no disk", store.name),
                    0,
                    behind,
                );
            }
        }
    }
    Ok(())
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Where a store stands in its changelog and what it holds; `None` when it was never written.
fn content(task: &CommittedReader, store: &str) -> Outcome<Option<(i64, Entries)>> {
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
fn replayed(history: &[&Record], position: i64) -> Entries {
    let mut entries = Entries::new();
    for record in history.iter().filter(|record| record.offset < position) {
        match &record.value {
            Some(value) => entries.insert(record.key.clone(), value.clone()),
            None => entries.remove(&record.key),
        };
    }
    entries
}
