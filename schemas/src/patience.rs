//! How a client waits for a peer that is away or busy.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::thread;
use std::time::Duration;

/// How often a call is tried before it reports the failure, and how long it pauses between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a call is tried in all, at least once.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles from there, less up to a quarter of jitter.
    pub first_pause: Duration,
    /// The longest pause. A peer that asks for a longer one gets no further attempt from this call.
    pub longest_pause: Duration,
}

impl Default for Patience {
    /// Five attempts within some ten seconds.
    fn default() -> Self {
        Self { attempts: 5, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(30) }
    }
}

impl Patience {
    /// Pauses behind attempt number `attempt`, from 1; at least as long as the peer wishes. False, without a pause, when
    /// there is no further attempt.
    pub fn pause_after(&self, attempt: u32, wished: Option<Duration>) -> bool {
        let Some(pause) = self.next_pause(attempt, wished) else { return false };
        thread::sleep(pause);
        true
    }

    /// The pause behind attempt number `attempt`, from 1, for those who wait in their own way; `None` when there is no
    /// further attempt.
    pub fn next_pause(&self, attempt: u32, wished: Option<Duration>) -> Option<Duration> {
        // Jitter spreads the instances of a fleet, so that they do not all ask at once when the peer comes back.
        let jitter = (RandomState::new().hash_one(attempt) % 256) as u32;
        self.pause(attempt, wished, jitter)
    }

    /// `jitter` is below 256.
    fn pause(&self, attempt: u32, wished: Option<Duration>, jitter: u32) -> Option<Duration> {
        let wished = wished.unwrap_or_default();
        if attempt >= self.attempts || wished > self.longest_pause {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << (attempt - 1).min(20)).min(self.longest_pause);
        Some((doubled - doubled * jitter / 1024).max(wished))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const PATIENCE: Patience =
        Patience { attempts: 5, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(5) };

    #[test]
    fn pauses_double_up_to_the_longest_until_the_attempts_are_used_up() {
        let pauses: Vec<_> = (1..=5).map(|attempt| PATIENCE.pause(attempt, None, 0)).collect();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pauses, [seconds(1), seconds(2), seconds(4), seconds(5), None]);
        assert_eq!(PATIENCE.pause(1, None, 255).unwrap(), Duration::from_secs(1) - Duration::from_secs(1) * 255 / 1024);
    }

    #[test]
    fn a_peer_that_asks_for_a_pause_gets_at_least_that_or_is_left_alone() {
        assert_eq!(PATIENCE.pause(1, Some(Duration::from_secs(4)), 200), Some(Duration::from_secs(4)));
        assert_eq!(PATIENCE.pause(3, Some(Duration::from_secs(1)), 0), Some(Duration::from_secs(4)));
        assert_eq!(PATIENCE.pause(1, Some(Duration::from_secs(6)), 0), None);
    }
}
