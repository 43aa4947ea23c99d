//! The process a client belongs to: clients of one process die together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::{LogError, LogErrorKind, LogResult};
use super::faults::{Call, Fault, FaultPlan};

/// One life of a process.
#[derive(Debug, Clone)]
pub(super) struct Process(Arc<Life>);

#[derive(Debug)]
struct Life {
    /// `None` for clients made from the log itself, which no fault reaches.
    name: Option<String>,
    crashed: AtomicBool,
    faults: FaultPlan,
    freeze: Mutex<Option<Freeze>>,
}

/// A halt before one of the next calls.
#[derive(Debug)]
struct Freeze {
    calls_left: u64,
    frozen: Sender<()>,
    thaw: Receiver<()>,
}

impl Process {
    /// The test's own hands: nothing befalls their clients.
    pub(super) fn outside(faults: FaultPlan) -> Self {
        Self::life(None, faults)
    }

    /// A new life of the process `name`.
    pub(super) fn named(name: &str, faults: FaultPlan) -> Self {
        Self::life(Some(name.to_owned()), faults)
    }

    fn life(name: Option<String>, faults: FaultPlan) -> Self {
        Self(Arc::new(Life { name, crashed: AtomicBool::new(false), faults, freeze: Mutex::new(None) }))
    }

    /// The thread that makes the `nth` call from now stops before it, tells so, and goes on when it is told to, or when nobody
    /// is left to tell it.
    pub(super) fn freeze_before(&self, nth: u64) -> (Receiver<()>, Sender<()>) {
        let ((frozen, is_frozen), (thaw, may_go_on)) = (channel(), channel());
        *self.freeze() = Some(Freeze { calls_left: nth, frozen, thaw: may_go_on });
        (is_frozen, thaw)
    }

    /// From now on it does not freeze.
    pub(super) fn do_not_freeze(&self) {
        *self.freeze() = None;
    }

    fn freeze(&self) -> std::sync::MutexGuard<'_, Option<Freeze>> {
        self.0.freeze.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn freeze_when_due(&self) {
        let due = {
            let mut planned = self.freeze();
            if let Some(freeze) = planned.as_mut() {
                freeze.calls_left = freeze.calls_left.saturating_sub(1);
            }
            planned.take_if(|freeze| freeze.calls_left == 0)
        };
        if let Some(Freeze { frozen, thaw, .. }) = due
            && frozen.send(()).is_ok()
        {
            // An error is as good: whoever froze it has gone.
            let _ = thaw.recv();
        }
    }

    pub(super) fn crash(&self) {
        self.0.crashed.store(true, Ordering::SeqCst);
    }

    /// An error once the process is dead.
    pub(super) fn check_alive(&self) -> LogResult<()> {
        if self.0.crashed.load(Ordering::SeqCst) {
            let name = self.0.name.as_deref().unwrap_or_default();
            let message = format!("process {name} has crashed: make a new process and new clients");
            return Err(LogError::new(LogErrorKind::Crashed, message));
        }
        Ok(())
    }

    /// Makes one call under the plan of faults.
    pub(super) fn call<T>(&self, call: Call, act: impl FnOnce() -> LogResult<T>) -> LogResult<T> {
        let Some(name) = self.0.name.as_deref() else { return act() };
        self.freeze_when_due();
        self.check_alive()?;
        match self.0.faults.decide(name, call) {
            None => act(),
            Some(Fault::Retriable) => Err(planned(LogErrorKind::Retriable, call, "was not answered: repeat it")),
            Some(Fault::MustAbort) => Err(planned(LogErrorKind::MustAbort, call, "was refused: abort the transaction")),
            Some(Fault::UnknownOutcome { took_effect }) => {
                if took_effect {
                    act()?;
                }
                let kind = match call {
                    Call::Commit | Call::Abort => LogErrorKind::Rebuild,
                    _ => LogErrorKind::Retriable,
                };
                Err(planned(kind, call, "lost its answer: what became of it is unknown"))
            }
            Some(Fault::Crash { took_effect }) => {
                if took_effect {
                    // Nobody is left to hear whether it worked.
                    drop(act());
                }
                self.crash();
                Err(planned(LogErrorKind::Crashed, call, "is where the process crashed"))
            }
        }
    }

    pub(super) fn loses_delivery(&self) -> bool {
        self.0.name.is_some() && self.0.faults.loses_delivery()
    }

    pub(super) fn poll_limit(&self, asked: usize) -> usize {
        if self.0.name.is_none() { asked } else { self.0.faults.poll_limit(asked) }
    }
}

fn planned(kind: LogErrorKind, call: Call, what: &str) -> LogError {
    LogError::new(kind, format!("the call {call:?} {what} (planned fault)"))
}
