//! Whoever performs calls, and how long.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::CallFailure;

/// Performs the calls of one name. It is called on several threads at once.
pub trait Perform: Send + Sync {
    /// Performs one attempt. It must be fit to be performed again with the same request: an answer that does not reach the log
    /// is asked for anew.
    ///
    /// `until` says when the answer is of no use any more. It must be heeded: a thread that does not come back is lost to
    /// other calls.
    ///
    /// # Errors
    /// Why there is no answer.
    fn perform(&self, key: &[u8], request: &[u8], until: &Until) -> Result<Bytes, CallFailure>;
}

impl<F> Perform for F
where
    F: Fn(&[u8], &[u8], &Until) -> Result<Bytes, CallFailure> + Send + Sync,
{
    fn perform(&self, key: &[u8], request: &[u8], until: &Until) -> Result<Bytes, CallFailure> {
        self(key, request, until)
    }
}

/// How long an attempt may go on: until its time limit, or until nobody wants its answer any more.
#[derive(Debug, Clone)]
pub struct Until(Arc<Ending>);

#[derive(Debug)]
struct Ending {
    began: Instant,
    deadline: Instant,
    is_called_off: Mutex<bool>,
    changed: Condvar,
}

impl Until {
    /// From now on for so long.
    pub fn after(time_limit: Duration) -> Self {
        // A limit beyond what the machine's clock can say is as good as a century.
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let now = Instant::now();
        let deadline = now.checked_add(time_limit).unwrap_or(now + CENTURY);
        Self(Arc::new(Ending { began: now, deadline, is_called_off: Mutex::new(false), changed: Condvar::new() }))
    }

    /// Whether the attempt must end.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// What is left of the time; nothing once the answer is not wanted any more.
    pub fn left(&self) -> Duration {
        if *self.0.is_called_off.lock().unwrap_or_else(PoisonError::into_inner) {
            return Duration::ZERO;
        }
        self.0.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits at most so long for the end; true when it is there. For whoever watches over a child process.
    pub fn wait(&self, longest: Duration) -> bool {
        let guard = self.0.is_called_off.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = longest.min(self.0.deadline.saturating_duration_since(Instant::now()));
        let waited = self.0.changed.wait_timeout_while(guard, wait, |is_called_off| !*is_called_off);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.is_over()
    }

    /// How long the attempt has gone on.
    pub fn since_begun(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Nobody wants the answer any more.
    pub fn call_off(&self) {
        *self.0.is_called_off.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_up_at_the_limit_or_when_the_call_is_called_off() {
        let short = Until::after(Duration::ZERO);
        assert!(short.is_over() && short.wait(Duration::MAX));
        let long = Until::after(Duration::MAX);
        assert!(!long.is_over() && !long.wait(Duration::from_millis(1)));
        let elsewhere = long.clone();
        let waiting = std::thread::spawn(move || elsewhere.wait(Duration::MAX));
        long.call_off();
        assert!(waiting.join().expect("the thread ends") && long.is_over());
        assert_eq!(long.left(), Duration::ZERO);
    }
}
