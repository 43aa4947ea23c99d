//! Stores that follow from another one.

use std::sync::Arc;

use bytes::Bytes;
use concord_state::{CommitMeta, Derivation, StoreKind, StoreSpec, TaskState};

use crate::disks::{Disk, both, entries};

const SOURCE: usize = 0;
const FOLLOWER: usize = 1;

fn stores() -> Vec<StoreSpec> {
    vec![StoreSpec::new("source", StoreKind::KeyValue), StoreSpec::new("follower", StoreKind::Ordered).derived()]
}

/// Opens the task; each letter of a value gives an entry `letter/key`.
fn open(disk: &Disk) -> TaskState {
    let entries = |key: &[u8], value: &[u8], emit: &mut concord_state::EmitDerived<'_>| {
        for letter in value {
            emit(&[&[*letter], &b"/"[..], key].concat(), b"");
        }
        Ok(())
    };
    let derivation = Derivation { source: SOURCE, into: FOLLOWER, entries: Arc::new(entries) };
    disk.open(&stores()).with_derivations(vec![derivation]).unwrap()
}

fn keys(state: &TaskState) -> Vec<String> {
    entries(state, FOLLOWER).into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

fn restore(state: &mut TaskState, entries: &[(&'static str, Option<&'static str>)], next: i64) {
    let entries = entries.iter().map(|(key, value)| (key.as_bytes(), value.map(str::as_bytes)));
    state.apply_restored(SOURCE, entries, next).unwrap();
}

#[test]
fn restoring_the_source_makes_what_follows_from_it() {
    for disk in both() {
        let mut state = open(&disk);
        restore(&mut state, &[("1", Some("ab")), ("2", Some("a")), ("1", Some("bc"))], 3);
        assert_eq!(keys(&state), ["a/2", "b/1", "c/1"], "of the last value of each key");
        restore(&mut state, &[("1", Some("c")), ("2", None), ("3", Some("z"))], 6);
        assert_eq!(keys(&state), ["c/1", "z/3"], "what followed from the former values is gone");
        restore(&mut state, &[("1", Some("c")), ("2", None), ("3", Some("z"))], 6);
        assert_eq!(keys(&state), ["c/1", "z/3"], "again");
    }
}

#[test]
fn a_follower_that_is_new_is_made_from_the_whole_source() {
    for disk in both() {
        let mut plain = disk.open(&stores());
        for number in 0..25_000 {
            plain.put(SOURCE, format!("{number:05}").as_bytes(), Bytes::from_static(b"x"), 0);
        }
        plain.commit(CommitMeta { changelog_positions: vec![Some(25_000), None], ..CommitMeta::default() }).unwrap();
        drop(plain);

        let state = open(&disk);
        let made = keys(&state);
        assert_eq!((made.len(), made[0].as_str(), made[24_999].as_str()), (25_000, "x/00000", "x/24999"));
        drop(state);

        // Later it is as it was left, and not made again.
        let mut state = open(&disk);
        state.delete(FOLLOWER, b"x/00000");
        state.commit(CommitMeta::default()).unwrap();
        drop(state);
        assert_eq!(keys(&open(&disk)).len(), 24_999);
    }
}

#[test]
fn clearing_the_source_clears_what_follows_from_it() {
    for disk in both() {
        let mut state = open(&disk);
        restore(&mut state, &[("1", Some("ab"))], 1);
        state.clear_store(SOURCE).unwrap();
        assert!(keys(&state).is_empty());
        drop(state);
        let mut state = open(&disk);
        restore(&mut state, &[("2", Some("b"))], 1);
        assert_eq!(keys(&state), ["b/2"]);
    }
}

#[test]
fn a_follower_that_does_not_stand_where_its_source_does_is_made_anew() {
    for disk in both() {
        let mut state = open(&disk);
        restore(&mut state, &[("1", Some("ab"))], 1);
        drop(state);
        // A program that knows of no follower goes on with the source, or a process dies while it clears it.
        let mut plain = disk.open(&stores());
        plain.apply_restored(SOURCE, [(b"1".as_slice(), Some(b"b".as_slice()))], 2).unwrap();
        drop(plain);
        assert_eq!(keys(&open(&disk)), ["b/1"]);
        let mut plain = disk.open(&stores());
        plain.clear_store(SOURCE).unwrap();
        drop(plain);
        assert!(keys(&open(&disk)).is_empty());
    }
}

#[test]
fn writes_to_a_follower_are_committed_and_not_changelogged() {
    for disk in both() {
        let mut state = open(&disk);
        state.put(SOURCE, b"1", Bytes::from_static(b"a"), 0);
        state.put(FOLLOWER, b"a/1", Bytes::new(), 0);
        let mut changed = Vec::new();
        state
            .changes(|store, key, _| {
                changed.push((store, key.to_vec()));
                Ok::<(), ()>(())
            })
            .unwrap();
        assert_eq!(changed, [(SOURCE, b"1".to_vec())]);
        state.commit(CommitMeta::default()).unwrap();
        drop(state);
        assert_eq!(keys(&open(&disk)), ["a/1"]);
    }
}
