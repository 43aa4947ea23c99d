//! Between a worker and those who perform: a worker begins calls on its line, and takes from it what has finished.

use std::time::Duration;

use bytes::Bytes;

use super::CallFailure;

/// Performs the calls of all workers of a process.
pub trait CallService: Send + Sync {
    /// Whether somebody here performs calls of this name.
    fn performs(&self, call: &str) -> bool;
    /// A line for one worker.
    fn line(&self) -> Box<dyn CallLine>;
}

/// One worker's line. When it is dropped, what was begun on it is called off.
pub trait CallLine: Send {
    /// Begins a call; it does not wait.
    fn begin(&mut self, call: BegunCall);
    /// Whether somebody has taken up what was begun by this number. Until then it waits for its turn.
    fn is_taken_up(&self, number: u64) -> bool;
    /// Calls off what was begun by this number: nothing of it will come.
    fn call_off(&mut self, number: u64);
    /// The next call that has finished, or whose time is over; `None` when there is none for now.
    fn finished(&mut self) -> Option<FinishedCall>;
    /// Waits at most so long for a call to finish. Where time does not pass by itself it does not wait.
    fn wait(&mut self, longest: Duration);
}

/// A call as it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunCall {
    /// By which the worker knows it; never the same twice on one line.
    pub number: u64,
    /// Its name.
    pub call: &'static str,
    /// Its key.
    pub key: Bytes,
    /// What is asked.
    pub request: Bytes,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How long it may take from when somebody takes it up.
    pub time_limit: Duration,
}

/// A call that has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedCall {
    /// The number it was begun by.
    pub number: u64,
    /// What came of it.
    pub outcome: Result<Bytes, CallFailure>,
    /// How long it was performed.
    pub took: Duration,
}

/// For topologies without calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCalls;

impl CallService for NoCalls {
    fn performs(&self, _: &str) -> bool {
        false
    }

    fn line(&self) -> Box<dyn CallLine> {
        Box::new(Self)
    }
}

impl CallLine for NoCalls {
    fn begin(&mut self, call: BegunCall) {
        debug_assert!(false, "nobody performs the call `{}`", call.call);
    }

    fn is_taken_up(&self, _: u64) -> bool {
        false
    }

    fn call_off(&mut self, _: u64) {}

    fn finished(&mut self) -> Option<FinishedCall> {
        None
    }

    fn wait(&mut self, _: Duration) {}
}
