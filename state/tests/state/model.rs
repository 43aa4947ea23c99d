//! Any sequence of operations gives what three plain maps give: one for what is committed, one for what the task sees, one for
//! what it saw at the savepoint.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord_state::{CommitMeta, StoreKind, StoreSpec, TaskState};
use proptest::prelude::*;

use crate::disks::{self, Disk};

const KEY_VALUE: usize = 0;
const ORDERED: usize = 1;
const EXPIRING: usize = 2;

fn stores() -> Vec<StoreSpec> {
    vec![
        StoreSpec::new("by-key", StoreKind::KeyValue),
        StoreSpec::new("ordered", StoreKind::Ordered),
        StoreSpec::new("expiring", StoreKind::Ordered).with_time_to_live_ms(1_000),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Put(usize, Vec<u8>, Vec<u8>),
    Delete(usize, Vec<u8>),
    Scan(usize, Vec<u8>, Option<Vec<u8>>, usize),
    ScanPrefix(usize, Vec<u8>),
    Savepoint,
    RollBackToSavepoint,
    Commit,
    RollBack,
    Reopen,
}

/// Few short keys, so that steps meet each other; the bytes are those at which orders and prefixes go wrong.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0_u8, 1, 254, 255]), 0..3)
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop::collection::vec(any::<u8>(), 0..10);
    let scanned = || prop::sample::select(vec![ORDERED, EXPIRING]);
    prop_oneof![
        10 => (0..3_usize, key(), value()).prop_map(|(store, k, v)| Step::Put(store, k, v)),
        5 => (0..3_usize, key()).prop_map(|(store, k)| Step::Delete(store, k)),
        3 => (scanned(), key(), prop::option::of(key()), 1..20_usize)
            .prop_map(|(store, start, end, limit)| Step::Scan(store, start, end, limit)),
        2 => (scanned(), key()).prop_map(|(store, prefix)| Step::ScanPrefix(store, prefix)),
        3 => Just(Step::Savepoint),
        2 => Just(Step::RollBackToSavepoint),
        2 => Just(Step::Commit),
        1 => Just(Step::RollBack),
        1 => Just(Step::Reopen),
    ]
}

type Maps = [BTreeMap<Vec<u8>, Vec<u8>>; 3];

#[derive(Default)]
struct Model {
    committed: Maps,
    seen: Maps,
    at_savepoint: Maps,
    commits: i64,
}

fn run(disk: &Disk, steps: &[Step]) {
    let mut state = disk.open(&stores());
    let mut model = Model::default();
    for step in steps {
        state = take(disk, state, &mut model, step);
        check(&state, &model);
    }
}

fn take(disk: &Disk, mut state: TaskState, model: &mut Model, step: &Step) -> TaskState {
    match step {
        Step::Put(store, key, value) => {
            state.put(*store, key, Bytes::copy_from_slice(value), 5_000);
            model.seen[*store].insert(key.clone(), value.clone());
        }
        Step::Delete(store, key) => {
            state.delete(*store, key);
            model.seen[*store].remove(key);
        }
        Step::Scan(store, start, end, limit) => {
            let mut found = Vec::new();
            let visit = &mut |key: &[u8], value: &[u8]| {
                found.push((key.to_vec(), value.to_vec()));
                found.len() < *limit
            };
            state.scan(*store, start, end.as_deref(), visit).unwrap();
            let within = |key: &Vec<u8>| key >= start && end.as_ref().is_none_or(|end| key < end);
            assert_eq!(found, expected(&model.seen[*store], within, *limit));
        }
        Step::ScanPrefix(store, prefix) => {
            let mut found = Vec::new();
            let visit = &mut |key: &[u8], value: &[u8]| {
                found.push((key.to_vec(), value.to_vec()));
                true
            };
            state.scan_prefix(*store, prefix, visit).unwrap();
            let within = |key: &Vec<u8>| key.starts_with(prefix);
            assert_eq!(found, expected(&model.seen[*store], within, usize::MAX));
        }
        Step::Savepoint => {
            state.savepoint();
            model.at_savepoint = model.seen.clone();
        }
        Step::RollBackToSavepoint => {
            state.roll_back_to_savepoint();
            model.seen = model.at_savepoint.clone();
        }
        Step::Commit => {
            model.commits += 1;
            let meta = CommitMeta {
                changelog_positions: vec![Some(model.commits), None, Some(-model.commits)],
                stream_time_ms: model.commits,
                ..CommitMeta::default()
            };
            assert_changes_lead_from_committed_to_seen(&state, model);
            state.commit(meta).unwrap();
            model.committed = model.seen.clone();
            model.at_savepoint = model.seen.clone();
        }
        Step::RollBack => {
            state.roll_back();
            model.seen = model.committed.clone();
            model.at_savepoint = model.seen.clone();
        }
        Step::Reopen => {
            drop(state);
            state = disk.open(&stores());
            model.seen = model.committed.clone();
            model.at_savepoint = model.seen.clone();
        }
    }
    state
}

fn expected(
    map: &BTreeMap<Vec<u8>, Vec<u8>>,
    within: impl Fn(&Vec<u8>) -> bool,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = map.iter().filter(|(key, _)| within(key)).take(limit);
    entries.map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The changelog, applied to what was committed, gives what the task sees.
fn assert_changes_lead_from_committed_to_seen(state: &TaskState, model: &Model) {
    let mut rebuilt = model.committed.clone();
    let mut emitted: Vec<(usize, Vec<u8>)> = Vec::new();
    state
        .changes(|store, key, value| {
            emitted.push((store, key.to_vec()));
            match value {
                Some(stored) if store == EXPIRING => {
                    assert_eq!(stored[..8], 5_000_i64.to_be_bytes());
                    rebuilt[store].insert(key.to_vec(), stored[8..].to_vec());
                }
                Some(stored) => {
                    rebuilt[store].insert(key.to_vec(), stored.to_vec());
                }
                None => {
                    rebuilt[store].remove(key);
                }
            }
            Ok::<(), ()>(())
        })
        .unwrap();
    assert!(emitted.is_sorted_by_key(|(store, _)| *store));
    let keys = emitted.len();
    emitted.sort();
    emitted.dedup();
    assert_eq!(emitted.len(), keys, "a key is emitted once");
    assert_eq!(rebuilt, model.seen);
}

fn check(state: &TaskState, model: &Model) {
    for store in [ORDERED, EXPIRING] {
        let seen: Vec<_> = model.seen[store].clone().into_iter().collect();
        assert_eq!(disks::entries(state, store), seen);
    }
    for bytes in [&[][..], &[0], &[1], &[255], &[0, 0], &[1, 255], &[255, 255]] {
        for store in [KEY_VALUE, ORDERED, EXPIRING] {
            let value = state.get(store, bytes).unwrap().map(|value| value.to_vec());
            assert_eq!(value, model.seen[store].get(bytes).cloned());
        }
    }
    if !state.has_uncommitted() {
        assert_eq!(state.uncommitted_bytes(), 0);
        assert_eq!(model.seen, model.committed);
    }
    let commits = (model.commits > 0).then_some(model.commits);
    assert_eq!(state.changelog_position(KEY_VALUE), commits);
    assert_eq!(state.changelog_position(ORDERED), None);
    assert_eq!(state.meta().stream_time_ms, commits.unwrap_or(-1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn state_in_memory_equals_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(&disks::memory(), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn state_on_disk_equals_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(&disks::rocks(), &steps);
    }
}
