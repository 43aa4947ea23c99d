//! Where a worker is in its loop, for whoever watches that it comes back: a client of Kafka may keep a call for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

macro_rules! doings {
    ($($doing:ident $text:literal)*) => {
        /// What a worker does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Doing {
            $(#[doc = $text] $doing,)*
        }

        impl Doing {
            const ALL: &[Self] = &[$(Self::$doing,)*];
        }

        impl std::fmt::Display for Doing {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$doing => $text,)*
                })
            }
        }
    };
}

doings! {
    Reading "reading its inputs"
    Processing "processing records, or tasks that come and go"
    Restoring "restoring stores"
    FiringTimers "firing timers"
    TakingResults "taking the results of calls"
    Sending "sending changelogs"
    Draining "waiting until all is acknowledged"
    SendingPositions "sending positions"
    Ending "ending a transaction"
    WritingState "writing state"
    Aborting "aborting a transaction"
    GoingBack "going back to committed positions"
    Recovering "building its producer anew"
}

/// Of one worker; clones are of the same.
#[derive(Debug, Clone, Default)]
pub struct Whereabouts(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    steps: AtomicU64,
    doing: AtomicU8,
}

impl Whereabouts {
    /// Steps begun since the worker was started.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.steps.load(Ordering::Relaxed)
    }

    /// What it does now.
    #[must_use]
    pub fn doing(&self) -> Doing {
        let number = usize::from(self.0.doing.load(Ordering::Relaxed));
        Doing::ALL.get(number).copied().unwrap_or(Doing::Reading)
    }

    pub(super) fn steps_on(&self) {
        self.0.steps.fetch_add(1, Ordering::Relaxed);
        self.is(Doing::Reading);
    }

    pub(super) fn is(&self, doing: Doing) {
        self.0.doing.store(doing as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_told() {
        let whereabouts = Whereabouts::default();
        let watcher = whereabouts.clone();
        for doing in Doing::ALL {
            whereabouts.is(*doing);
            assert_eq!(watcher.doing(), *doing);
        }
        whereabouts.steps_on();
        assert_eq!((watcher.steps(), watcher.doing()), (1, Doing::Reading));
    }
}
