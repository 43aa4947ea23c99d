//! Time as the client sees it, so that tests can make it pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How soon a wait notices that it is to stop.
const SLICE: Duration = Duration::from_millis(100);

/// The time of a client, and its waiting.
pub trait ApiTime: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Time since some moment; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits. False, perhaps before its time, when the program is to stop.
    fn wait(&self, pause: Duration) -> bool;
}

/// The machine's time.
#[derive(Debug, Clone)]
pub struct MachineTime {
    start: Instant,
    stop: Arc<AtomicBool>,
}

impl MachineTime {
    /// Waits end early once `stop` is set.
    #[must_use]
    pub fn until(stop: Arc<AtomicBool>) -> Self {
        Self { start: Instant::now(), stop }
    }
}

impl Default for MachineTime {
    fn default() -> Self {
        Self::until(Arc::default())
    }
}

impl ApiTime for MachineTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        while !self.stop.load(Ordering::SeqCst) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(SLICE));
        }
        false
    }
}
