//! Who may open which folder, and what is refused.

use bytes::Bytes;
use concord_state::{CommitMeta, RocksDirectory, StateDirectory, StateError, StoreKind, StoreSpec};
use tempfile::TempDir;

use crate::disks::{both, open, small};

fn stores() -> Vec<StoreSpec> {
    vec![
        StoreSpec::new("patients", StoreKind::Ordered),
        StoreSpec::new("expiring", StoreKind::KeyValue).with_time_to_live_ms(1_000),
    ]
}

/// A folder with one committed entry in each store.
fn written_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let directory = RocksDirectory::open(folder.path(), small()).unwrap();
    let mut state = open(&directory, &stores());
    for store in [0, 1] {
        state.put(store, b"k", Bytes::from_static(b"v"), 0);
    }
    let changelog_positions = vec![Some(1), Some(2)];
    let commit = CommitMeta { changelog_positions, ..CommitMeta::default() };
    state.commit(commit).unwrap();
    folder
}

#[test]
fn a_task_is_open_once_at_a_time() {
    for disk in both() {
        let first = disk.open(&stores());
        let second = disk.directory.open_task("compare", 0, &stores());
        let refused = second.err().unwrap();
        assert!(matches!(refused, StateError::TaskAlreadyOpen { .. }));
        let refused = disk.directory.delete_task("compare", 0).unwrap_err();
        assert!(matches!(refused, StateError::TaskAlreadyOpen { .. }));
        drop(first);
        drop(disk.open(&stores()));
    }
}

#[test]
fn a_task_whose_process_died_while_its_database_was_made_counts_as_not_there_and_can_be_opened() {
    let folder = TempDir::new().unwrap();
    let directory = RocksDirectory::open(folder.path(), small()).unwrap();
    let task_folder = folder.path().join("compare").join("0");
    std::fs::create_dir_all(&task_folder).unwrap();
    // What the first moment of the making leaves: a database without any of the task's columns.
    drop(rocksdb::DB::open_default(&task_folder).unwrap());
    drop(directory);

    let reader = RocksDirectory::open_read_only(folder.path()).unwrap();
    assert!(matches!(reader.open_task("compare", 0).err().unwrap(), StateError::TaskNotFound { .. }));
    drop(reader);
    let directory = RocksDirectory::open(folder.path(), small()).unwrap();
    assert_eq!(open(&directory, &stores()).get(0, b"k").unwrap(), None);
}

#[test]
fn a_deleted_task_is_empty_when_it_is_opened_again() {
    for disk in both() {
        let mut state = disk.open(&stores());
        state.put(0, b"k", Bytes::from_static(b"v"), 0);
        state.commit(CommitMeta::default()).unwrap();
        state.flush().unwrap();
        drop(state);
        drop(disk.directory.open_task("compare", 12, &stores()).unwrap());
        drop(disk.directory.open_task("audit", 3, &stores()).unwrap());
        let tasks = [("audit", 3), ("compare", 0), ("compare", 12)];
        let tasks = tasks.map(|(name, partition)| (name.to_owned(), partition));
        assert_eq!(disk.directory.tasks().unwrap(), tasks);

        disk.directory.delete_task("compare", 0).unwrap();
        disk.directory.delete_task("compare", 0).unwrap();
        assert_eq!(disk.directory.tasks().unwrap(), [&tasks[0..1], &tasks[2..]].concat());
        assert_eq!(disk.open(&stores()).get(0, b"k").unwrap(), None);
    }
}

#[test]
fn names_that_would_leave_the_folder_are_refused() {
    for disk in both() {
        for name in ["", "..", "a/b", "__meta", "default"] {
            let refused = disk.directory.open_task(name, 0, &stores()).err().unwrap();
            assert!(matches!(refused, StateError::InvalidName { .. }));
            let store = [StoreSpec::new(name, StoreKind::KeyValue)];
            let refused = disk.directory.open_task("compare", 0, &store).err();
            assert!(matches!(refused, Some(StateError::InvalidName { .. })));
        }
        let twice = [stores(), stores()].concat();
        let refused = disk.directory.open_task("compare", 0, &twice).err();
        assert!(matches!(refused, Some(StateError::InvalidName { .. })));
    }
}

#[test]
fn a_folder_in_use_is_refused_until_its_last_task_is_closed() {
    let folder = written_folder();
    let directory = RocksDirectory::open(folder.path(), small()).unwrap();
    let task = directory.open_task("compare", 0, &stores()).unwrap();
    drop(directory);
    for _ in 0..2 {
        let refused = RocksDirectory::open(folder.path(), small()).err().unwrap();
        assert!(matches!(refused, StateError::FolderInUse { .. }));
        let name = folder.path().display().to_string();
        assert!(refused.to_string().contains(&name));
        let refused = RocksDirectory::open_read_only(folder.path()).err().unwrap();
        assert!(matches!(refused, StateError::FolderInUse { .. }));
    }
    drop(task);
    RocksDirectory::open(folder.path(), small()).unwrap();
}

#[test]
fn a_stopped_instance_is_read_without_declarations() {
    let folder = written_folder();
    let first = RocksDirectory::open_read_only(folder.path()).unwrap();
    let second = RocksDirectory::open_read_only(folder.path()).unwrap();
    for directory in [first, second] {
        assert_eq!(directory.tasks().unwrap(), [("compare".to_owned(), 0)]);
        let task = directory.open_task("compare", 0).unwrap();
        assert_eq!(task.stores().unwrap(), ["expiring", "patients"]);
        for store in ["expiring", "patients"] {
            assert_eq!(task.get(store, b"k").unwrap().unwrap(), "v");
        }
        let meta = task.meta().unwrap().unwrap();
        assert_eq!(meta.changelog_positions, [Some(2), Some(1)]);
        assert_eq!(meta.fingerprint, "fingerprint");

        let refused = directory.open_task("compare", 1).err().unwrap();
        assert!(matches!(refused, StateError::TaskNotFound { .. }));
        drop(directory);
        let refused = RocksDirectory::open(folder.path(), small()).err().unwrap();
        assert!(matches!(refused, StateError::FolderInUse { .. }));
    }
    RocksDirectory::open(folder.path(), small()).unwrap();
}

#[test]
fn a_folder_without_state_is_named_when_it_is_to_be_read() {
    let folder = TempDir::new().unwrap();
    let refused = RocksDirectory::open_read_only(folder.path()).err().unwrap();
    assert!(matches!(refused, StateError::NoState { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn state_of_a_newer_format_is_refused() {
    let folder = written_folder();
    let task = folder.path().join("compare").join("0");
    let options = rocksdb::Options::default();
    let columns = rocksdb::DB::list_cf(&options, &task).unwrap();
    let database = rocksdb::DB::open_cf(&options, &task, columns).unwrap();
    let meta = database.cf_handle("__meta").unwrap();
    database.put_cf(meta, "format_version", "2").unwrap();
    drop(database);

    let reading = RocksDirectory::open_read_only(folder.path()).unwrap();
    let refused_to_read = reading.open_task("compare", 0).err().unwrap();
    drop(reading);
    let running = RocksDirectory::open(folder.path(), small()).unwrap();
    let refused_to_run = running.open_task("compare", 0, &stores()).err().unwrap();
    for refused in [refused_to_read, refused_to_run] {
        let message = refused.to_string();
        assert!(message.contains("format 2"), "{message}");
        assert!(message.contains("formats up to 1"), "{message}");
        assert!(message.contains(&task.display().to_string()), "{message}");
    }
}

#[test]
fn damaged_state_is_told_from_other_failures() {
    let folder = written_folder();
    let task = folder.path().join("compare").join("0");
    std::fs::write(task.join("CURRENT"), "no manifest").unwrap();
    let directory = RocksDirectory::open(folder.path(), small()).unwrap();
    let refused = directory.open_task("compare", 0, &stores()).err().unwrap();
    assert!(refused.is_corruption(), "{refused}");
    directory.delete_task("compare", 0).unwrap();
    assert_eq!(open(&directory, &stores()).get(0, b"k").unwrap(), None);
}
