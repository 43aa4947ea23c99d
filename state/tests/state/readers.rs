//! Reading committed data beside a running task.

use bytes::Bytes;
use concord_state::{CommitMeta, StateError, StoreKind, StoreSpec};

use crate::disks::both;

fn stores() -> Vec<StoreSpec> {
    vec![
        StoreSpec::new("by-key", StoreKind::KeyValue),
        StoreSpec::new("expiring", StoreKind::KeyValue).with_time_to_live_ms(1_000),
    ]
}

#[test]
fn a_reader_sees_committed_values_only() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let reader = state.reader();
        assert_eq!(reader.stores().unwrap(), ["by-key", "expiring"]);
        assert_eq!(reader.meta().unwrap(), None);
        for store in [0, 1] {
            state.put(store, b"k", Bytes::from_static(b"v"), 5);
        }
        assert_eq!(reader.get("by-key", b"k").unwrap(), None);
        let commit = CommitMeta {
            changelog_positions: vec![Some(4), None],
            input_positions: vec![("gp.record".to_owned(), 3, 17)],
            stream_time_ms: 5,
            committed_at_ms: 6,
        };
        state.commit(commit).unwrap();

        let other_thread = reader.clone();
        let values =
            std::thread::spawn(move || ["by-key", "expiring"].map(|store| other_thread.get(store, b"k").unwrap()));
        let value = Some(Bytes::from_static(b"v"));
        assert_eq!(values.join().unwrap(), [value.clone(), value]);
        let mut found = Vec::new();
        let visit = &mut |key: &[u8], value: &[u8]| {
            found.push((key.to_vec(), value.to_vec()));
            true
        };
        reader.scan("expiring", b"", None, visit).unwrap();
        assert_eq!(found, [(b"k".to_vec(), b"v".to_vec())]);
        assert_eq!(reader.meta().unwrap().as_ref(), Some(state.meta()));
    }
}

#[test]
fn a_reader_of_an_unknown_store_is_told_which_there_are() {
    for disk in both() {
        let reader = disk.open(&stores()).reader();
        assert!(matches!(reader.stores(), Err(StateError::Closed)));

        let state = disk.open(&stores());
        let message = state.reader().get("patients", b"k").unwrap_err();
        assert!(message.to_string().contains("by-key, expiring"));
    }
}

#[test]
fn a_reader_that_was_kept_does_not_keep_the_task_open() {
    for disk in both() {
        let state = disk.open(&stores());
        let reader = state.reader();
        drop(state);
        assert!(matches!(reader.get("by-key", b"k"), Err(StateError::Closed)));
        let reopened = disk.open(&stores());
        assert_eq!(reopened.reader().get("by-key", b"k").unwrap(), None);
    }
}
