//! Numbers missing between two that came.

use serde::{Deserialize, Serialize};

/// Missing numbers next to each other, by their places on the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Place of the first.
    pub from: i64,
    /// Place of the last.
    pub to: i64,
    /// Whether they may yet come.
    pub state: GapState,
    /// When the one before was prepared, milliseconds since the epoch.
    pub prepared_before: Option<i64>,
    /// When the one behind was.
    pub prepared_after: Option<i64>,
}

/// Where a gap stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GapState {
    /// The grace period runs until then.
    Suspected {
        /// Milliseconds since the epoch.
        until_ms: i64,
    },
    /// The numbers are missing.
    Confirmed,
    /// The numbers are missing, and an operator knows why.
    Explained(String),
}

impl Gap {
    pub(super) fn contains(&self, place: i64) -> bool {
        (self.from..=self.to).contains(&place)
    }

    /// What is left before and behind places that are taken out. `prepared` is the time of what came there.
    pub(super) fn without(&self, from: i64, to: i64, prepared: Option<i64>) -> impl Iterator<Item = Self> {
        let before = Self { to: from - 1, prepared_after: prepared.or(self.prepared_after), ..self.clone() };
        let behind = Self { from: to + 1, prepared_before: prepared.or(self.prepared_before), ..self.clone() };
        [before, behind].into_iter().filter(|gap| gap.from <= gap.to)
    }
}
