//! What follows from a failure at the edge.

/// Who can do something about a failure. Nothing is lost by any of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The peer is away or busy: the same call again, later.
    TryAgain,
    /// This message can never go through: it belongs on a dead-letter topic, and the next one is taken.
    SetAside,
    /// No message can go through until an operator has mended something: keep them all, and say so.
    WaitForOperator,
}

/// A kind of failure of one peer, as docs/OPERATIONS.md lists it.
pub trait Problem: Copy {
    /// The stable code, what follows from it, and what to do about it.
    fn entry(self) -> (&'static str, NextStep, &'static str);

    /// The stable code.
    fn code(self) -> &'static str {
        self.entry().0
    }

    /// What follows from it.
    fn next_step(self) -> NextStep {
        self.entry().1
    }

    /// What to do about it.
    fn remedy(self) -> &'static str {
        self.entry().2
    }
}
