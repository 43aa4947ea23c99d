//! The disk of a stopped process: each store is what its changelog made it.

use std::path::Path;

use concord_engine::topology::Topology;
use concord_state::{RocksDirectory, StateError};

use super::Outcome;
use super::replayed::{content, replayed};
use super::report::Report;
use super::topics::Topics;

/// Compares every store on this machine with its changelog, entry by entry, up to the position stored with it.
pub(super) fn are_what_the_changelogs_say(
    folder: &Path,
    topology: &Topology,
    topics: &Topics,
    report: &mut Report,
) -> Outcome<()> {
    let failed = |e: StateError| format!("reading the state in {}: {e}", folder.display());
    let disk = match RocksDirectory::open_read_only(folder) {
        Ok(disk) => disk,
        // Nothing to compare: no state here, or its process runs and changes it.
        Err(StateError::NoState { .. } | StateError::FolderInUse { .. }) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let tasks = disk.tasks().map_err(failed)?;
    for sub in &topology.sub_topologies {
        for (store, changelog) in sub.stores.iter().zip(&sub.changelogs) {
            let Some(changelog) = changelog else { continue };
            let topic = &topology.topics[*changelog].name;
            let history = topics.read(topic)?;
            for (_, partition) in tasks.iter().filter(|(name, _)| name == sub.name) {
                let task = match disk.open_task(sub.name, *partition) {
                    Ok(task) => task,
                    Err(StateError::TaskNotFound { .. }) => continue,
                    Err(error) => return Err(failed(error)),
                };
                let Some((position, entries)) = content(&task, &store.name)? else { continue };
                report.checked("stores compared with their changelogs", 1);
                report.checked("entries of stores", entries.len() as u64);
                let expected =
                    replayed(store, history.iter().filter(|record| record.partition == *partition), position);
                let missing = expected.keys().filter(|key| !entries.contains_key(*key)).count();
                let surplus = entries.keys().filter(|key| !expected.contains_key(*key)).count();
                let other = entries.iter().filter(|(key, v)| expected.get(*key).is_some_and(|e| e != *v)).count();
                if missing + surplus + other > 0 {
                    report.find(
                        format!("store {} of task {}/{partition}", store.name, sub.name),
                        format!("{missing} entries are missing, {surplus} are too many, {other} have another value"),
                        "stop the process, delete the folder of this task and start: it is rebuilt from the changelog",
                    );
                }
            }
        }
    }
    Ok(())
}
