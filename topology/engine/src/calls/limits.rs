//! How long, how often, and how many.

use std::time::Duration;

/// What a call may take. Declared with its name; none of it is part of the state, so it may be changed with any restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// An attempt that takes longer has failed.
    pub time_limit: Duration,
    /// After so many failed attempts the processor is given the failure; at least 1.
    pub attempts: u32,
    /// Pause behind the first failed attempt; behind each further one it is twice as long.
    pub first_pause: Duration,
    /// A pause is never longer.
    pub longest_pause: Duration,
    /// Calls that one worker has begun and has no answer to; at least 1. Their requests are in memory.
    pub in_flight: usize,
    /// With so many pending calls of this name a task reads no more input until a quarter of them is done; at least 1. It bounds the store of
    /// calls, and with it a restore. A record in hand may go beyond, and so may timers and results that ask for more.
    pub most_pending: u64,
}

impl Default for CallLimits {
    /// A minute for each of 5 attempts, with pauses from a second to five minutes; 64 calls in flight, 10,000 pending.
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(60),
            attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
            in_flight: 64,
            most_pending: 10_000,
        }
    }
}

impl CallLimits {
    /// In milliseconds.
    pub(crate) fn longest_pause_ms(&self) -> i64 {
        i64::try_from(self.longest_pause.as_millis()).unwrap_or(i64::MAX)
    }

    /// The pause behind so many failed attempts (from 1), in milliseconds. There is no chance in it: what is in flight is bounded, so
    /// callers do not come back in a crowd, and a run repeats exactly.
    pub(crate) fn pause_ms(&self, failed_attempts: u32) -> i64 {
        let doubled = 1_u32.checked_shl(failed_attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause_ms = i64::try_from(self.first_pause.saturating_mul(doubled).as_millis()).unwrap_or(i64::MAX);
        pause_ms.min(self.longest_pause_ms())
    }

    /// Why a call cannot be declared so.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        let needs_one = [
            (self.time_limit.is_zero(), "its time limit is 0"),
            (self.attempts == 0, "it has 0 attempts"),
            (self.in_flight == 0, "none of it may be in flight"),
            (self.most_pending == 0, "none of it may be pending"),
        ];
        needs_one.into_iter().find(|(is_zero, _)| *is_zero).map(|(_, defect)| defect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits = CallLimits { longest_pause: Duration::from_secs(10), ..CallLimits::default() };
        let pauses = [1, 2, 3, 4, 5, 6, 33, u32::MAX].map(|failed| limits.pause_ms(failed));
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    }
}
