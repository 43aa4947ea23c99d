//! Restoring from a changelog.

use bytes::Bytes;
use concord_state::{CommitMeta, StateError, StoreKind, StoreSpec};

use crate::disks::{both, entries};

type Entry = (&'static [u8], Option<&'static [u8]>);

const CHANGELOG: [Entry; 6] =
    [(b"a", Some(b"1")), (b"b", Some(b"1")), (b"a", Some(b"2")), (b"b", None), (b"c", Some(b"3")), (b"a", None)];

fn stores() -> Vec<StoreSpec> {
    vec![StoreSpec::new("restored", StoreKind::Ordered), StoreSpec::new("other", StoreKind::Ordered)]
}

#[test]
fn replaying_any_suffix_again_gives_the_same_store() {
    for disk in both() {
        for suffix in 0..CHANGELOG.len() {
            let mut state = disk.open(&stores());
            state.clear_store(0).unwrap();
            state.apply_restored(0, CHANGELOG, 6).unwrap();
            let restored = entries(&state, 0);
            state.apply_restored(0, CHANGELOG[suffix..].to_vec(), 6).unwrap();
            assert_eq!(entries(&state, 0), restored);
            assert_eq!(restored, [(b"c".to_vec(), b"3".to_vec())]);
        }
    }
}

#[test]
fn the_position_is_stored_with_the_values() {
    for disk in both() {
        let mut state = disk.open(&stores());
        assert_eq!(state.changelog_position(0), None);
        state.apply_restored(0, CHANGELOG[..2].to_vec(), 2).unwrap();
        drop(state);

        let state = disk.open(&stores());
        assert_eq!(state.changelog_position(0), Some(2));
        assert_eq!(state.changelog_position(1), None);
        assert_eq!(entries(&state, 0).len(), 2);
    }
}

#[test]
fn restoring_over_uncommitted_writes_is_refused() {
    for disk in both() {
        let mut state = disk.open(&stores());
        state.put(1, b"k", Bytes::from_static(b"v"), 0);
        let refused = state.apply_restored(0, CHANGELOG, 6);
        assert!(matches!(refused, Err(StateError::UncommittedWrites)));
        let refused = state.clear_store(0);
        assert!(matches!(refused, Err(StateError::UncommittedWrites)));
    }
}

#[test]
fn clearing_a_store_leaves_the_others_alone() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for store in [0, 1] {
            state.put(store, b"", Bytes::from_static(b"empty key"), 0);
            state.put(store, &[255; 40], Bytes::from_static(b"last key"), 0);
        }
        let changelog_positions = vec![Some(2), Some(3)];
        let commit = CommitMeta { changelog_positions, ..CommitMeta::default() };
        state.commit(commit).unwrap();
        state.clear_store(0).unwrap();
        assert_eq!(state.changelog_position(0), None);
        drop(state);

        let state = disk.open(&stores());
        assert_eq!(entries(&state, 0), []);
        assert_eq!(entries(&state, 1).len(), 2);
        assert_eq!(state.changelog_position(0), None);
        assert_eq!(state.changelog_position(1), Some(3));
    }
}

#[test]
fn positions_follow_the_names_of_stores_not_their_order() {
    for disk in both() {
        let mut state = disk.open(&stores());
        state.apply_restored(0, CHANGELOG, 6).unwrap();
        drop(state);

        // A version of the topology without the store, then one that has it again, in another place.
        let without = vec![StoreSpec::new("other", StoreKind::Ordered)];
        let mut state = disk.open(&without);
        state.put(0, b"k", Bytes::from_static(b"v"), 0);
        state.commit(CommitMeta { changelog_positions: vec![Some(9)], ..CommitMeta::default() }).unwrap();
        drop(state);

        let reversed: Vec<StoreSpec> = stores().into_iter().rev().collect();
        let state = disk.open(&reversed);
        assert_eq!(state.changelog_position(0), Some(9));
        assert_eq!(state.changelog_position(1), Some(6));
        assert_eq!(entries(&state, 1), [(b"c".to_vec(), b"3".to_vec())]);
    }
}

#[test]
fn the_identity_of_a_changelog_is_kept_by_store_and_outlasts_commits_and_clearing() {
    for disk in both() {
        let mut state = disk.open(&stores());
        assert_eq!(state.changelog_id(0).unwrap(), None, "state that never kept one is readable");
        state.keep_changelog_id(0, "first").unwrap();
        state.put(0, b"k", Bytes::from_static(b"v"), 0);
        state.commit(CommitMeta::default()).unwrap();
        state.clear_store(0).unwrap();
        drop(state);

        let reversed: Vec<StoreSpec> = stores().into_iter().rev().collect();
        let mut state = disk.open(&reversed);
        assert_eq!(state.changelog_id(1).unwrap().as_deref(), Some("first"));
        assert_eq!(state.changelog_id(0).unwrap(), None);
        state.keep_changelog_id(1, "second").unwrap();
        assert_eq!(state.changelog_id(1).unwrap().as_deref(), Some("second"));
    }
}

#[test]
fn what_was_committed_before_does_not_hide_what_is_restored() {
    let by_key = [StoreSpec::new("by-key", StoreKind::KeyValue)];
    for disk in both() {
        let mut state = disk.open(&by_key);
        state.put(0, b"k", Bytes::from_static(b"committed"), 0);
        state.commit(CommitMeta::default()).unwrap();
        assert_eq!(state.get(0, b"k").unwrap(), Some(Bytes::from_static(b"committed")));
        state.apply_restored(0, [(b"k".as_slice(), Some(b"restored".as_slice()))], 1).unwrap();
        assert_eq!(state.get(0, b"k").unwrap(), Some(Bytes::from_static(b"restored")));
        state.delete(0, b"k");
        state.roll_back();
        assert_eq!(state.get(0, b"k").unwrap(), Some(Bytes::from_static(b"restored")));
        state.clear_store(0).unwrap();
        assert_eq!(state.get(0, b"k").unwrap(), None);
    }
}
