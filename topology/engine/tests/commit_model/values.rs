//! What a task remembers, small enough to be counted: the events it has applied, in order, and whether its timer is set.

use std::fmt;

/// The event of the timer; inputs are events 1, 2, 3.
pub const TIMER: u8 = 15;

/// Events in order, four bits each. It is the fold of the input: whatever is lost, repeated or misplaced shows in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Applied(u64);

impl Applied {
    pub fn with(self, event: u8) -> Self {
        assert!(self.0 >> 60 == 0, "the model's state is full: {self:?}");
        Self(self.0 << 4 | u64::from(event))
    }

    pub fn and(self, later: Self) -> Self {
        later.events().fold(self, Self::with)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn events(self) -> impl Iterator<Item = u8> {
        (0..16).rev().map(move |place| (self.0 >> (4 * place)) as u8 & 15).filter(|event| *event != 0)
    }

    pub fn inputs(self) -> impl Iterator<Item = u8> {
        self.events().filter(|event| *event != TIMER)
    }

    pub fn times(self, event: u8) -> usize {
        self.events().filter(|e| *e == event).count()
    }
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<")?;
        for event in self.events() {
            if event == TIMER { f.write_str("T")? } else { write!(f, "{event}")? }
        }
        f.write_str(">")
    }
}

/// The state of a task: two keys, of which the timer's comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Value {
    pub applied: Applied,
    pub timer: bool,
}

impl Value {
    /// After a record of the changelog, which carries whole values of the keys it names.
    pub fn after(self, entry: &Entry) -> Self {
        Self { applied: entry.applied, timer: entry.timer.unwrap_or(self.timer) }
    }
}

/// What one transaction writes to one changelog: the last value of each changed key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Entry {
    pub applied: Applied,
    /// The timer's key: set, removed (a tombstone), or not named.
    pub timer: Option<bool>,
    /// The producer whose marker has not reached this partition yet; `None` once it is committed.
    pub undecided: Option<u8>,
}
