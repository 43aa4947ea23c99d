//! Ends the process when a worker does not come back from a step: a call into the client of Kafka, or into the system, that
//! never returns. What a crash leaves is sound, and whoever supervises the process starts it again; a process that hangs would
//! keep a name in its group and do nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use concord_engine::worker::Whereabouts;

/// Time is counted in these and not read from a clock: a process that was stopped for an hour, or whose clock was set, has not
/// been hanging meanwhile.
const TICK: Duration = Duration::from_secs(1);

/// Watches workers; clones are the same.
#[derive(Clone, Default)]
pub struct Watchdog(Arc<Mutex<Vec<Watched>>>);

struct Watched {
    worker: usize,
    whereabouts: Whereabouts,
    steps: u64,
    silent_ticks: u32,
}

/// A worker that has made no step for as long as is allowed.
#[derive(Debug, PartialEq, Eq)]
struct Stuck {
    worker: usize,
    doing: String,
}

/// Watches one worker until it is dropped.
pub struct Watch {
    watchdog: Watchdog,
    worker: usize,
}

impl Watchdog {
    /// Begins to watch. `limit` is the longest step.
    ///
    /// # Errors
    /// No thread.
    pub fn start(limit: Duration) -> std::io::Result<Self> {
        let watchdog = Self::default();
        let watching = watchdog.clone();
        let most_ticks = u32::try_from(limit.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX);
        // It lives as long as the process.
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            loop {
                thread::sleep(TICK);
                if let Some(stuck) = watching.tick(most_ticks) {
                    end(&stuck, limit);
                }
            }
        })?;
        Ok(watchdog)
    }

    /// Watches a worker from now on.
    pub fn watch(&self, worker: usize, whereabouts: Whereabouts) -> Watch {
        let steps = whereabouts.steps();
        self.edit(|watched| watched.push(Watched { worker, whereabouts, steps, silent_ticks: 0 }));
        Watch { watchdog: self.clone(), worker }
    }

    fn tick(&self, most_ticks: u32) -> Option<Stuck> {
        self.edit(|watched| {
            for one in &mut *watched {
                let steps = one.whereabouts.steps();
                one.silent_ticks = if steps == one.steps { one.silent_ticks + 1 } else { 0 };
                one.steps = steps;
            }
            let stuck = watched.iter().find(|one| one.silent_ticks > most_ticks)?;
            Some(Stuck { worker: stuck.worker, doing: stuck.whereabouts.doing().to_string() })
        })
    }

    fn edit<T>(&self, edit: impl FnOnce(&mut Vec<Watched>) -> T) -> T {
        edit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watchdog.edit(|watched| watched.retain(|one| one.worker != self.worker));
    }
}

/// As a crash would, which may leave a core that says where the thread is. Leaving in order would wait for the thread that hangs.
fn end(stuck: &Stuck, limit: Duration) -> ! {
    let Stuck { worker, doing } = stuck;
    tracing::error!(
        worker,
        doing,
        ?limit,
        "A worker does not come back from a step. The process ends as in a crash, which loses nothing: start it again."
    );
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_silent_for_longer_than_allowed_is_found() {
        let watchdog = Watchdog::default();
        let _first = watchdog.watch(0, Whereabouts::default());
        let second = watchdog.watch(1, Whereabouts::default());
        assert_eq!((watchdog.tick(2), watchdog.tick(2)), (None, None));
        drop(second);
        assert_eq!(watchdog.tick(2), Some(Stuck { worker: 0, doing: "reading its inputs".to_owned() }));
    }

    #[test]
    fn a_worker_that_has_left_is_not_missed() {
        let watchdog = Watchdog::default();
        drop(watchdog.watch(0, Whereabouts::default()));
        assert_eq!([watchdog.tick(0), watchdog.tick(0)], [None, None]);
    }
}
