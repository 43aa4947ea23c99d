//! Entries of a store with a time to live leave it, through the changelog, and only when they are due.

use bytes::Bytes;
use concord_state::{CommitMeta, StateError, StoreKind, StoreSpec, TaskState};
use proptest::prelude::*;

use crate::disks::{self, both, entries};

const TIME_TO_LIVE_MS: i64 = 6_400;
/// Entries leave late by at most this.
const BUCKET_MS: i64 = 100;

fn stores() -> Vec<StoreSpec> {
    vec![
        StoreSpec::new("kept", StoreKind::Ordered),
        StoreSpec::new("expiring", StoreKind::Ordered).with_time_to_live_ms(TIME_TO_LIVE_MS),
    ]
}

fn put(state: &mut TaskState, key: &[u8], now_ms: i64) {
    state.put(1, key, Bytes::from_static(b"v"), now_ms);
}

fn commit(state: &mut TaskState) {
    state.commit(CommitMeta::default()).unwrap();
}

fn changes(state: &TaskState) -> Vec<(usize, Vec<u8>, Option<Vec<u8>>)> {
    let mut changes = Vec::new();
    state
        .changes(|store, key, value| {
            changes.push((store, key.to_vec(), value.map(|value| value.to_vec())));
            Ok::<(), ()>(())
        })
        .unwrap();
    changes
}

#[test]
fn the_stamp_is_changelogged_and_never_shown() {
    for disk in both() {
        let mut state = disk.open(&stores());
        put(&mut state, b"k", 77);
        let mut stamped = 77_i64.to_be_bytes().to_vec();
        stamped.push(b'v');
        assert_eq!(changes(&state), [(1, b"k".to_vec(), Some(stamped))]);
        assert_eq!(state.get(1, b"k").unwrap().unwrap(), "v");
        assert_eq!(entries(&state, 1), [(b"k".to_vec(), b"v".to_vec())]);
        commit(&mut state);
        assert_eq!(state.get(1, b"k").unwrap().unwrap(), "v");
        assert_eq!(entries(&state, 1), [(b"k".to_vec(), b"v".to_vec())]);
    }
}

#[test]
fn an_expired_entry_becomes_a_tombstone_of_the_changelog() {
    for disk in both() {
        let mut state = disk.open(&stores());
        put(&mut state, b"old", 1_000);
        put(&mut state, b"young", 5_000);
        state.put(0, b"kept", Bytes::from_static(b"v"), 1_000);
        commit(&mut state);

        let young_is_due = 5_000 + TIME_TO_LIVE_MS;
        assert_eq!(state.expire(1_000 + TIME_TO_LIVE_MS, 10).unwrap(), 0);
        assert_eq!(state.expire(young_is_due, 10).unwrap(), 1);
        assert_eq!(changes(&state), [(1, b"old".to_vec(), None)]);
        commit(&mut state);
        assert_eq!(entries(&state, 1).len(), 1);
        assert_eq!(state.expire(young_is_due, 10).unwrap(), 0);
        assert_eq!(state.expire(young_is_due + BUCKET_MS, 10).unwrap(), 1);
        commit(&mut state);
        assert_eq!(entries(&state, 1), []);
        assert_eq!(entries(&state, 0).len(), 1);
    }
}

#[test]
fn an_entry_put_again_lives_from_then_on() {
    for disk in both() {
        let mut state = disk.open(&stores());
        put(&mut state, b"k", 0);
        commit(&mut state);
        put(&mut state, b"k", 4_000);
        commit(&mut state);
        assert_eq!(state.expire(TIME_TO_LIVE_MS + 1_000, 10).unwrap(), 0);
        commit(&mut state);
        let due = 4_000 + TIME_TO_LIVE_MS + BUCKET_MS;
        assert_eq!(state.expire(due, 10).unwrap(), 1);
    }
}

#[test]
fn a_sweep_goes_on_where_its_limit_stopped_it() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for key in 0..10_u8 {
            put(&mut state, &[key], i64::from(key));
        }
        commit(&mut state);
        let swept: Vec<usize> = (0..5).map(|_| state.expire(100_000, 3).unwrap()).collect();
        assert_eq!(swept, [3, 3, 3, 1, 0]);
        assert_eq!(entries(&state, 1), []);
    }
}

#[test]
fn a_rolled_back_sweep_is_done_again() {
    for disk in both() {
        let mut state = disk.open(&stores());
        put(&mut state, b"k", 0);
        commit(&mut state);
        state.savepoint();
        assert_eq!(state.expire(100_000, 10).unwrap(), 1);
        state.roll_back_to_savepoint();
        assert_eq!(entries(&state, 1).len(), 1);
        assert_eq!(state.expire(100_000, 10).unwrap(), 1);
        state.roll_back();
        commit(&mut state);
        assert_eq!(state.expire(100_000, 10).unwrap(), 1);
    }
}

#[test]
fn a_restored_store_expires_like_the_original() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let mut stamped = 1_000_i64.to_be_bytes().to_vec();
        stamped.push(b'v');
        for _ in 0..2 {
            let entry = (&b"k"[..], Some(&stamped[..]));
            state.apply_restored(1, [entry], 1).unwrap();
        }
        assert_eq!(state.get(1, b"k").unwrap().unwrap(), "v");
        assert_eq!(state.expire(100_000, 10).unwrap(), 1);
    }
}

#[test]
fn a_restored_value_without_a_stamp_is_refused() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let refused = state.apply_restored(1, [(&b"k"[..], Some(&b"short"[..]))], 1);
        assert!(refused.unwrap_err().is_corruption());
    }
}

#[test]
fn a_store_must_not_gain_or_lose_its_time_to_live() {
    for disk in both() {
        drop(disk.open(&stores()));
        let changed = vec![StoreSpec::new("expiring", StoreKind::Ordered)];
        let refused = disk.directory.open_task("compare", 0, &changed);
        let refused = refused.err().unwrap();
        assert!(matches!(refused, StateError::StoreLayoutChanged { .. }));
        drop(disk.open(&stores()));
    }
}

#[test]
fn a_shorter_or_longer_time_to_live_takes_effect_on_stored_entries() {
    for (new_time_to_live_ms, due_ms) in [(640, 1_650), (640_000, 651_000)] {
        for disk in both() {
            let mut state = disk.open(&stores());
            put(&mut state, b"k", 1_000);
            commit(&mut state);
            drop(state);
            let changed =
                vec![StoreSpec::new("expiring", StoreKind::Ordered).with_time_to_live_ms(new_time_to_live_ms)];
            let mut state = disk.open(&changed);
            assert_eq!(state.expire(1_000 + new_time_to_live_ms, 10).unwrap(), 0);
            commit(&mut state);
            assert_eq!(state.expire(due_ms, 10).unwrap(), 1);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, i64),
    Delete(u8),
    Sweep(usize),
    Savepoint,
    RollBackToSavepoint,
    Commit,
    RollBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u8, 0..20_000_i64).prop_map(|(key, at)| Step::Put(key, at)),
        2 => (0..6_u8).prop_map(Step::Delete),
        4 => (1..5_usize).prop_map(Step::Sweep),
        1 => Just(Step::Savepoint),
        1 => Just(Step::RollBackToSavepoint),
        3 => Just(Step::Commit),
        1 => Just(Step::RollBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happened_before_everything_expires_in_the_end(steps in prop::collection::vec(step(), 1..60)) {
        let disk = disks::memory();
        let mut state = disk.open(&stores());
        for step in steps {
            match step {
                Step::Put(key, at_ms) => put(&mut state, &[key], at_ms),
                Step::Delete(key) => state.delete(1, &[key]),
                Step::Sweep(limit) => drop(state.expire(15_000, limit).unwrap()),
                Step::Savepoint => state.savepoint(),
                Step::RollBackToSavepoint => state.roll_back_to_savepoint(),
                Step::Commit => commit(&mut state),
                Step::RollBack => state.roll_back(),
            }
        }
        commit(&mut state);
        state.expire(100_000, 1_000).unwrap();
        prop_assert_eq!(entries(&state, 1), []);
    }
}
