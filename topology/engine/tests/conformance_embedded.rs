//! The embedded log behaves as the seam demands, on a clock that stands still until moved and on the machine's own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use concord_engine::clock::{SystemClock, VirtualClock};
use concord_engine::log::Log;
use concord_engine::log::conformance::ConformanceHarness;
use concord_engine::log::embedded::{EmbeddedLog, EmbeddedSettings};

struct Embedded {
    log: EmbeddedLog,
    clock: VirtualClock,
    poll_wait: Duration,
    named: AtomicU64,
}

impl ConformanceHarness for Embedded {
    fn log(&self) -> &dyn Log {
        &self.log
    }

    fn unique(&self, stem: &str) -> String {
        format!("{}.{stem}", self.named.fetch_add(1, Ordering::Relaxed))
    }

    fn pass_time(&self, duration: Duration) {
        self.clock.advance(i64::try_from(duration.as_millis()).unwrap());
    }

    fn poll_wait(&self) -> Duration {
        self.poll_wait
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn embedded(&self) -> Option<&EmbeddedLog> {
        Some(&self.log)
    }
}

/// The machine's time, and hours ahead of it when moved, so that a wait is a real one and a time-out need not be.
struct HastenedClock(VirtualClock);

impl concord_engine::clock::Clock for HastenedClock {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + concord_engine::clock::Clock::now_ms(&self.0)
    }

    fn passes_by_itself(&self) -> bool {
        true
    }
}

mod on_a_clock_that_stands_still {
    use super::*;

    fn harness() -> Option<Embedded> {
        let clock = VirtualClock::at(1_700_000_000_000);
        let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(clock.clone())));
        Some(Embedded { log, clock, poll_wait: Duration::from_secs(1), named: AtomicU64::new(0) })
    }

    concord_engine::log_conformance_tests!(harness());
}

mod on_a_clock_that_passes {
    use super::*;

    fn harness() -> Option<Embedded> {
        let ahead = VirtualClock::at(0);
        let log = EmbeddedLog::new(EmbeddedSettings::new(Arc::new(HastenedClock(ahead.clone()))));
        Some(Embedded { log, clock: ahead, poll_wait: Duration::from_millis(1), named: AtomicU64::new(0) })
    }

    concord_engine::log_conformance_tests!(harness());
}
