//! The rate of requests: steady, with a small burst, and at rest while PDS asks for it.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::time::ApiTime;

/// Gives leave for one request at a time, to any number of threads.
///
/// In a window of any length there are at most `burst + rate * length` requests: with 12 a second and a burst of 3, never more
/// than 15 in a second.
pub struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, Elapsed, NoOpMiddleware<Nanos>>,
    time: Arc<dyn ApiTime>,
    at_rest_until: Mutex<Duration>,
}

impl Pace {
    /// `None` when the rate is not a positive number or the burst is 0.
    #[must_use]
    pub fn new(rate_per_second: f64, burst: u32, time: Arc<dyn ApiTime>) -> Option<Self> {
        let period = Duration::try_from_secs_f64(rate_per_second.recip()).ok()?;
        let quota = Quota::with_period(period)?.allow_burst(NonZeroU32::new(burst)?);
        let limiter = RateLimiter::direct_with_clock(quota, Elapsed(Arc::clone(&time)));
        Some(Self { limiter, time, at_rest_until: Mutex::default() })
    }

    /// Waits until a request may be made. False when the program is to stop.
    #[must_use]
    pub fn take(&self) -> bool {
        loop {
            let now = self.time.elapsed();
            let rest = self.at_rest_until.lock().unwrap_or_else(PoisonError::into_inner).saturating_sub(now);
            let pause = if rest.is_zero() {
                match self.limiter.check() {
                    Ok(()) => return true,
                    Err(not_until) => not_until.wait_time_from(Nanos::from(now)),
                }
            } else {
                rest
            };
            if !self.time.wait(pause) {
                return false;
            }
        }
    }

    /// Nobody is given leave for this long.
    pub fn rest(&self, pause: Duration) {
        let until = self.time.elapsed() + pause;
        let mut at_rest_until = self.at_rest_until.lock().unwrap_or_else(PoisonError::into_inner);
        *at_rest_until = until.max(*at_rest_until);
    }
}

/// The client's time as the limiter reads it.
#[derive(Clone)]
struct Elapsed(Arc<dyn ApiTime>);

impl Clock for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}
