//! The disks of the stopped instances: what is on them must be what the changelogs say, entry by entry.

use concord_engine::topology::Topology;
use concord_state::RocksDirectory;

use crate::findings::Findings;
use crate::replayed::{content, replayed};
use crate::stage::Stage;
use crate::topics::Record;
use crate::{Outcome, PARTITIONS};

/// Each store of each task holds what its changelog held up to the store's position: committed data and nothing else. And
/// of the instances that have a task on disk, the last owner has followed its changelogs to their ends.
pub fn state_is_what_the_changelogs_say(stage: &Stage, topology: &Topology, findings: &mut Findings) -> Outcome<()> {
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
                    if entries != replayed(store, history.iter().copied(), position) {
                        findings.tear(1);
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
