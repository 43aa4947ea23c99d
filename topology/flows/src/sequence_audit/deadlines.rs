//! Durable timers for the deadlines of states.

use bytes::Bytes;
use concord_engine::{Context, ProcessError, Timer, TimerClock};

/// A timer that fires so much later than it was due finds a process that stood still: what came meanwhile goes first, lest
/// numbers that wait in the log are called missing.
const STOOD_STILL_MS: i64 = 60_000;

/// Sets timers for deadlines, which are points on the time of what arrives, on a clock that may be another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// The wall clock where the process runs on; the time of records in a run over files.
    pub clock: TimerClock,
}

impl Deadlines {
    /// Has the timer of this key fire when the deadline of something that came at `at_ms` has passed.
    pub fn set(&self, ctx: &mut Context<'_>, key: &[u8], deadline_ms: i64, at_ms: i64) -> Result<(), ProcessError> {
        let due_ms = match self.clock {
            // A grace period is as long for what is read late out of the log as for what is read at once.
            TimerClock::WallClock => ctx.wall_clock_ms().saturating_add(deadline_ms.saturating_sub(at_ms).max(0)),
            TimerClock::StreamTime => deadline_ms,
        };
        ctx.set_timer(self.clock, key, due_ms, Bytes::copy_from_slice(&deadline_ms.to_be_bytes()))
    }

    /// Whether a timer that waits for one deadline is to be set for another, when something came at `at_ms`: for an earlier one,
    /// and for any when the one it waits for is past. In a backlog what comes is soon ahead of its timer, which would go on
    /// from there by the time of what came: it would fire as much too late as the backlog is long.
    pub fn moves(waits_for_ms: Option<i64>, deadline_ms: i64, at_ms: i64) -> bool {
        waits_for_ms.is_none_or(|waits_for| deadline_ms < waits_for || waits_for <= at_ms)
    }

    /// Takes a timer back.
    pub fn cancel(&self, ctx: &mut Context<'_>, key: &[u8]) -> Result<(), ProcessError> {
        ctx.cancel_timer(self.clock, key)
    }

    /// The deadline that a timer fired for; `None` when it is put off, since the process stood still.
    pub fn passed(&self, ctx: &mut Context<'_>, timer: &Timer) -> Result<Option<i64>, ProcessError> {
        let Ok(deadline) = <[u8; 8]>::try_from(&timer.payload[..]) else {
            return Err(ProcessError::Programming("a timer of the audit without its deadline".to_owned()));
        };
        let now_ms = ctx.wall_clock_ms();
        if self.clock == TimerClock::WallClock && now_ms - timer.due_ms > STOOD_STILL_MS {
            ctx.set_timer(self.clock, &timer.key, now_ms + STOOD_STILL_MS, timer.payload.clone())?;
            return Ok(None);
        }
        Ok(Some(i64::from_be_bytes(deadline)))
    }
}
