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
