//! Pending calls: in order, found when they are due, and gone without a trace.

use bytes::Bytes;
use concord_state::{
    CommitMeta, PendingCall, StateError, StoreKind, StoreSpec, TaskState, add_call, cancel_calls, count_calls,
    due_calls, first_call, next_call_due, pending_call, postpone_call, remove_call, repair_calls,
};

use crate::disks::both;

const READ: &str = "read";

fn stores() -> Vec<StoreSpec> {
    vec![StoreSpec::new("calls", StoreKind::Ordered)]
}

fn asked(key: &'static str, due_ms: i64) -> PendingCall {
    PendingCall {
        key: Bytes::from_static(key.as_bytes()),
        sequence: 0,
        failed_attempts: 0,
        due_ms,
        timestamp_ms: 7,
        lineage: Bytes::from_static(b"topic/0/5"),
        last_failure: Bytes::new(),
        request: Bytes::from(format!("read {key}")),
    }
}

fn add(state: &mut TaskState, key: &'static str, due_ms: i64) -> u64 {
    add_call(state, 0, READ, &asked(key, due_ms)).unwrap()
}

fn take(state: &mut TaskState, key: &str) {
    let first = first_call(state, 0, READ, key.as_bytes()).unwrap().unwrap();
    remove_call(state, 0, READ, &first).unwrap();
}

/// The sequences that are due, committed or not.
fn due(state: &TaskState, now_ms: i64) -> Vec<u64> {
    let due = due_calls(state, 0, READ, (i64::MIN, now_ms), 100, &mut |_, _| true).unwrap();
    due.calls.iter().map(|call| call.sequence).collect()
}

#[test]
fn a_call_comes_back_as_it_was_asked() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for key in ["9990548609", "", "a/b", "\0", "a/"] {
            let sequence = add(&mut state, key, 40);
            let expected = PendingCall { sequence, ..asked(key, 40) };
            let key = Bytes::from_static(key.as_bytes());
            assert_eq!(pending_call(&state, 0, READ, &key, sequence).unwrap(), Some(expected));
            assert_eq!(pending_call(&state, 0, READ, &key, sequence + 1).unwrap(), None);
        }
    }
}

#[test]
fn of_each_key_the_first_call_only_may_begin() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let sequences = [("a", 10), ("a", 5), ("b", 20), ("a/b", 7)].map(|(key, due_ms)| add(&mut state, key, due_ms));
        assert_eq!(sequences, [1, 2, 3, 4]);
        for _ in 0..2 {
            assert_eq!(due(&state, 100), [4, 1, 3]);
            assert_eq!(due(&state, 10), [4, 1]);
            assert_eq!((due(&state, 6), next_call_due(&state, 0, READ, 6).unwrap()), (vec![], Some(7)));
            assert_eq!(next_call_due(&state, 0, READ, 20).unwrap(), None);
            assert_eq!(count_calls(&state, 0, READ).unwrap(), 4);
            state.commit(CommitMeta::default()).unwrap();
        }
        take(&mut state, "a");
        assert_eq!(due(&state, 100), [2, 4, 3]);
        take(&mut state, "a");
        assert_eq!((due(&state, 100), count_calls(&state, 0, READ).unwrap()), (vec![4, 3], 2));
    }
}

#[test]
fn calls_of_another_name_are_no_business_of_this_one() {
    for disk in both() {
        let mut state = disk.open(&stores());
        add(&mut state, "a", 1);
        add_call(&mut state, 0, "read-again", &asked("a", 1)).unwrap();
        assert_eq!(due(&state, 100), [1]);
        assert_eq!(cancel_calls(&mut state, 0, READ, b"a").unwrap(), 1);
        assert_eq!((count_calls(&state, 0, READ).unwrap(), count_calls(&state, 0, "read-again").unwrap()), (0, 1));
    }
}

#[test]
fn whether_a_call_is_committed_as_it_is_can_be_told() {
    for disk in both() {
        let mut state = disk.open(&stores());
        add(&mut state, "committed", 1);
        add(&mut state, "postponed", 2);
        state.commit(CommitMeta::default()).unwrap();
        add(&mut state, "new", 3);
        let postponed = first_call(&state, 0, READ, b"postponed").unwrap().unwrap();
        postpone_call(&mut state, 0, READ, &postponed, 4, "CODE");
        let mut seen = Vec::new();
        due_calls(&state, 0, READ, (i64::MIN, 10), 10, &mut |sequence, is_committed| {
            seen.push((sequence, is_committed));
            true
        })
        .unwrap();
        assert_eq!(seen, [(1, true), (3, false), (2, false)]);
        state.roll_back();
        assert_eq!(due(&state, 10), [1, 2]);
    }
}

#[test]
fn a_postponed_call_remembers_its_failures_and_is_due_later() {
    for disk in both() {
        let mut state = disk.open(&stores());
        add(&mut state, "a", 1);
        let first = first_call(&state, 0, READ, b"a").unwrap().unwrap();
        postpone_call(&mut state, 0, READ, &first, 500, "CONCORD-EN-0008");
        assert_eq!((due(&state, 499), due(&state, 500)), (vec![], vec![1]));
        let later = first_call(&state, 0, READ, b"a").unwrap().unwrap();
        assert_eq!((later.failed_attempts, &later.last_failure[..]), (1, &b"CONCORD-EN-0008"[..]));
        assert_eq!(PendingCall { failed_attempts: 0, due_ms: 1, last_failure: Bytes::new(), ..later }, first);
        take(&mut state, "a");
        assert_eq!(due(&state, 1_000), Vec::<u64>::new());
    }
}

#[test]
fn what_is_done_or_taken_back_leaves_numbers_only() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for key in ["a", "a", "b", "c"] {
            add(&mut state, key, 1);
        }
        state.commit(CommitMeta::default()).unwrap();
        assert_eq!(cancel_calls(&mut state, 0, READ, b"a").unwrap(), 2);
        assert_eq!(cancel_calls(&mut state, 0, READ, b"a").unwrap(), 0);
        take(&mut state, "b");
        let last = first_call(&state, 0, READ, b"c").unwrap().unwrap();
        remove_call(&mut state, 0, READ, &last).unwrap();
        remove_call(&mut state, 0, READ, &last).unwrap();
        state.commit(CommitMeta::default()).unwrap();
        let mut rows = Vec::new();
        state
            .scan(0, b"", None, &mut |row, value| {
                rows.push((String::from_utf8(row.to_vec()).unwrap(), String::from_utf8(value.to_vec()).unwrap()));
                true
            })
            .unwrap();
        assert_eq!(rows, [("c/read".to_owned(), "0".to_owned()), ("s".to_owned(), "4".to_owned())]);
        assert_eq!(add(&mut state, "a", 1), 5, "no sequence is given out twice");
    }
}

#[test]
fn a_damaged_call_is_said_to_be_damaged() {
    for disk in both() {
        let mut state = disk.open(&stores());
        add(&mut state, "a", 1);
        state.put(0, b"p/read/1/a/0000000000000001", Bytes::from_static(b"\xca\x11\x01no call"), 0);
        let error = first_call(&state, 0, READ, b"a").unwrap_err();
        assert!(matches!(error, StateError::Corrupt { .. }), "{error}");
    }
}

#[test]
fn the_look_for_due_calls_begins_where_it_is_told_and_says_which_is_the_first() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for (key, due_ms) in [("a", 10), ("b", 20), ("c", 30)] {
            add(&mut state, key, due_ms);
        }
        let look = |state: &TaskState, from_ms, limit, wanted: &dyn Fn(u64) -> bool| {
            let due = due_calls(state, 0, READ, (from_ms, 25), limit, &mut |sequence, _| wanted(sequence)).unwrap();
            (due.calls.iter().map(|call| call.sequence).collect::<Vec<_>>(), due.first_due_ms)
        };
        assert_eq!(look(&state, i64::MIN, 9, &|_| true), (vec![1, 2], Some(10)));
        assert_eq!(look(&state, 11, 9, &|_| true), (vec![2], Some(20)));
        assert_eq!(look(&state, i64::MIN, 1, &|sequence| sequence == 2), (vec![2], Some(10)));
        assert_eq!(look(&state, 21, 9, &|_| true), (vec![], None));
        state.commit(CommitMeta::default()).unwrap();
        take(&mut state, "a");
        assert_eq!(look(&state, i64::MIN, 9, &|_| true), (vec![2], Some(20)));
    }
}

/// Any single row may be missing.
#[test]
fn whatever_row_of_a_call_is_lost_can_be_made_again_from_the_calls() {
    for disk in both() {
        let mut state = disk.open(&stores());
        for key in ["a", "a", "b"] {
            add(&mut state, key, 5);
        }
        state.commit(CommitMeta::default()).unwrap();
        assert!(!repair_calls(&mut state, 0, READ).unwrap());
        let mut rows = Vec::new();
        state
            .scan(0, b"", None, &mut |row, _| {
                rows.push(row.to_vec());
                true
            })
            .unwrap();
        assert_eq!(rows.len(), 3 + 2 + 2);
        for lost in rows {
            state.delete(0, &lost);
            assert!(repair_calls(&mut state, 0, READ).unwrap(), "{}", String::from_utf8_lossy(&lost));
            let (left, mut begun) = (count_calls(&state, 0, READ).unwrap(), 0);
            while let Some(first) = due_calls(&state, 0, READ, (0, 5), 1, &mut |_, _| true).unwrap().calls.pop() {
                remove_call(&mut state, 0, READ, &first).unwrap();
                begun += 1;
            }
            assert_eq!((begun, count_calls(&state, 0, READ).unwrap()), (left, 0));
            assert!(add(&mut state, "new", 1) > left, "a sequence is given out twice");
            state.roll_back();
        }
    }
}
