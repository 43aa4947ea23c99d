//! When memtables are written to files: by what is in them, not by how many there are.

use std::path::Path;

use bytes::Bytes;
use concord_state::{CommitMeta, RocksDirectory, RocksOptions, StateDirectory, StoreKind, StoreSpec, TaskState};
use tempfile::TempDir;

const TASKS: i32 = 24;
const COMMITS: i64 = 100;

fn stores() -> Vec<StoreSpec> {
    vec![
        StoreSpec::new("links", StoreKind::Ordered),
        StoreSpec::new("messages", StoreKind::Ordered),
        StoreSpec::new("timers", StoreKind::Ordered),
        StoreSpec::new("recent", StoreKind::KeyValue),
        StoreSpec::new("read", StoreKind::KeyValue).with_time_to_live_ms(86_400_000),
    ]
}

fn files_of_entries(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                files_of_entries(&path)
            } else {
                usize::from(path.extension().is_some_and(|e| e == "sst"))
            }
        })
        .sum()
}

#[test]
fn small_commits_of_many_tasks_are_not_written_to_files_over_and_over() {
    let folder = TempDir::new().unwrap();
    // A quarter of the program's own default.
    let options = RocksOptions { memory_budget_bytes: 64 << 20, ..RocksOptions::default() };
    let directory = RocksDirectory::open(folder.path(), options).unwrap();
    let mut tasks: Vec<TaskState> = (0..TASKS)
        .map(|partition| {
            let backend = directory.open_task("links", partition, &stores()).unwrap();
            TaskState::new(backend, stores(), "fingerprint".to_owned()).unwrap()
        })
        .collect();
    for commit in 0..COMMITS {
        for task in &mut tasks {
            for store in 0..stores().len() {
                task.put(store, &commit.to_be_bytes(), Bytes::from_static(&[7; 100]), commit);
            }
            let changelog_positions = vec![Some(commit); stores().len()];
            task.commit(CommitMeta { changelog_positions, ..CommitMeta::default() }).unwrap();
        }
    }
    // All of it is two megabytes.
    assert_eq!(files_of_entries(folder.path()), 0);
}
