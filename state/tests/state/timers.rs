//! Timers fire in order, once, and survive what the rest of the state survives.

use bytes::Bytes;
use concord_state::{
    Clock, CommitMeta, StateError, StoreKind, StoreSpec, Timer, cancel_timer, due_timers, next_due, set_timer,
};

use crate::disks::both;

fn stores() -> Vec<StoreSpec> {
    vec![StoreSpec::new("timers", StoreKind::Ordered)]
}

fn timer(clock: Clock, due_ms: i64, owner: &str, key: &str) -> Timer {
    Timer {
        clock,
        due_ms,
        owner: owner.to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        payload: Bytes::from(format!("{owner} {key} {due_ms}")),
    }
}

use Clock::{StreamTime, WallClock};

#[test]
fn due_timers_come_in_the_order_of_due_time_owner_and_key() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let in_order = [
            timer(StreamTime, i64::MIN, "b", "k"),
            timer(StreamTime, -1, "b", "k1"),
            timer(StreamTime, 0, "b", "k2"),
            timer(StreamTime, 300, "a", "z"),
            timer(StreamTime, 300, "ab", ""),
            timer(StreamTime, 300, "b", "\0"),
            timer(StreamTime, 300, "b", "a"),
            timer(StreamTime, i64::MAX, "a", "last"),
        ];
        for one in in_order.iter().rev() {
            set_timer(&mut state, 0, one, 0).unwrap();
        }
        set_timer(&mut state, 0, &timer(WallClock, 0, "a", "z"), 0).unwrap();

        for _ in 0..2 {
            let all = due_timers(&state, 0, StreamTime, i64::MAX, 100).unwrap();
            assert_eq!(all, in_order);
            let due = due_timers(&state, 0, StreamTime, 300, 100).unwrap();
            assert_eq!(due, in_order[..7]);
            let due = due_timers(&state, 0, StreamTime, 299, 100).unwrap();
            assert_eq!(due, in_order[..3]);
            let limited = due_timers(&state, 0, StreamTime, 300, 2).unwrap();
            assert_eq!(limited, in_order[..2]);
            assert_eq!(due_timers(&state, 0, StreamTime, 300, 0).unwrap(), []);
            assert_eq!(next_due(&state, 0, StreamTime).unwrap(), Some(i64::MIN));
            assert_eq!(next_due(&state, 0, WallClock).unwrap(), Some(0));
            state.commit(CommitMeta::default()).unwrap();
        }
    }
}

#[test]
fn a_timer_replaces_the_one_with_its_name() {
    for disk in both() {
        let mut state = disk.open(&stores());
        set_timer(&mut state, 0, &timer(StreamTime, 100, "p", "k"), 0).unwrap();
        state.commit(CommitMeta::default()).unwrap();
        for due_ms in [50, 200, 200] {
            let replacement = timer(StreamTime, due_ms, "p", "k");
            set_timer(&mut state, 0, &replacement, 0).unwrap();
            let all = due_timers(&state, 0, StreamTime, i64::MAX, 10).unwrap();
            assert_eq!(all, [replacement]);
            assert_eq!(next_due(&state, 0, StreamTime).unwrap(), Some(due_ms));
        }
    }
}

#[test]
fn a_cancelled_timer_is_gone_and_others_stay() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let others = [timer(StreamTime, 100, "p", "k2"), timer(StreamTime, 100, "q", "k")];
        for other in &others {
            set_timer(&mut state, 0, other, 0).unwrap();
        }
        set_timer(&mut state, 0, &timer(StreamTime, 100, "p", "k"), 0).unwrap();
        set_timer(&mut state, 0, &timer(WallClock, 100, "p", "k"), 0).unwrap();
        state.commit(CommitMeta::default()).unwrap();
        for _ in 0..2 {
            cancel_timer(&mut state, 0, StreamTime, "p", b"k").unwrap();
        }
        let left = due_timers(&state, 0, StreamTime, 100, 10).unwrap();
        assert_eq!(left, others);
        assert_eq!(next_due(&state, 0, WallClock).unwrap(), Some(100));
    }
}

#[test]
fn a_timer_of_a_rejected_record_is_never_set() {
    for disk in both() {
        let mut state = disk.open(&stores());
        set_timer(&mut state, 0, &timer(WallClock, 100, "p", "k"), 0).unwrap();
        state.savepoint();
        set_timer(&mut state, 0, &timer(WallClock, 7, "p", "k"), 0).unwrap();
        state.roll_back_to_savepoint();
        assert_eq!(next_due(&state, 0, WallClock).unwrap(), Some(100));
        cancel_timer(&mut state, 0, WallClock, "p", b"k").unwrap();
        assert_eq!(next_due(&state, 0, WallClock).unwrap(), None);
    }
}

#[test]
fn an_owner_that_would_break_the_order_is_refused() {
    for disk in both() {
        let mut state = disk.open(&stores());
        let refused = set_timer(&mut state, 0, &timer(WallClock, 1, "a\0b", "k"), 0);
        assert!(matches!(refused, Err(StateError::InvalidName { .. })));
        assert!(!state.has_uncommitted());
    }
}
