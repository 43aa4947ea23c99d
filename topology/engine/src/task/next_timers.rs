//! When a task must look at its timers: looking means reading the store of timers from the front, past all that were taken back.

use concord_state::{Clock, StateError, StoreIndex, TaskState, next_due};

/// No timer of a task is due before these times. The earliest may have been taken back since: who finds nothing due looks again for
/// the next, and knows it exactly then.
#[derive(Debug, Default)]
pub(crate) struct NextTimers {
    /// `None` when the store is to be read for them.
    known: Option<Earliest>,
}

/// Milliseconds since 1970; `None` without timers.
#[derive(Debug, Clone, Copy)]
struct Earliest {
    wall_clock_ms: Option<i64>,
    stream_time_ms: Option<i64>,
}

impl NextTimers {
    /// A timer was set.
    pub fn add(&mut self, clock: Clock, due_ms: i64) {
        if let Some(known) = &mut self.known {
            let earliest = match clock {
                Clock::WallClock => &mut known.wall_clock_ms,
                Clock::StreamTime => &mut known.stream_time_ms,
            };
            *earliest = Some(earliest.map_or(due_ms, |known_ms| known_ms.min(due_ms)));
        }
    }

    /// The store was changed by something else than setting and taking back timers, or what was due is to be fired.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// No timer of this clock is due earlier; `None` when there is none at all.
    pub fn earliest(&mut self, state: &TaskState, store: StoreIndex, clock: Clock) -> Result<Option<i64>, StateError> {
        let known = match self.known {
            Some(known) => known,
            None => Earliest {
                wall_clock_ms: next_due(state, store, Clock::WallClock)?,
                stream_time_ms: next_due(state, store, Clock::StreamTime)?,
            },
        };
        self.known = Some(known);
        Ok(match clock {
            Clock::WallClock => known.wall_clock_ms,
            Clock::StreamTime => known.stream_time_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use bytes::Bytes;
    use concord_state::{MemoryDirectory, StateDirectory, StoreKind, StoreSpec, Timer, cancel_timer, set_timer};

    use super::*;

    fn timer(key: &'static str, due_ms: i64) -> Timer {
        let (key, payload) = (Bytes::from(key), Bytes::new());
        Timer { clock: Clock::WallClock, due_ms, owner: "owner".to_owned(), key, payload }
    }

    #[test]
    fn what_was_taken_back_is_looked_for_once_and_no_more() {
        let stores = [StoreSpec::new("timers", StoreKind::Ordered)];
        let backend = MemoryDirectory::new().open_task("part", 0, &stores).unwrap();
        let mut state = TaskState::new(backend, stores.to_vec(), String::new()).unwrap();
        let mut next = NextTimers::default();
        let set = |state: &mut TaskState, next: &mut NextTimers, key, due_ms| {
            set_timer(state, 0, &timer(key, due_ms), 0).unwrap();
            next.add(Clock::WallClock, due_ms);
        };
        set(&mut state, &mut next, "late", 500);
        assert_eq!(next.earliest(&state, 0, Clock::WallClock).unwrap(), Some(500));
        assert_eq!(next.earliest(&state, 0, Clock::StreamTime).unwrap(), None);
        set(&mut state, &mut next, "early", 100);
        set(&mut state, &mut next, "later", 900);
        assert_eq!(next.earliest(&state, 0, Clock::WallClock).unwrap(), Some(100), "one that was set is known");

        cancel_timer(&mut state, 0, Clock::WallClock, "owner", b"early").unwrap();
        assert_eq!(next.earliest(&state, 0, Clock::WallClock).unwrap(), Some(100), "never later than the next");
        next.forget();
        assert_eq!(next.earliest(&state, 0, Clock::WallClock).unwrap(), Some(500), "exact when looked for");
        assert_eq!(next.earliest(&state, 0, Clock::StreamTime).unwrap(), None, "the other clock has none");
    }
}
