//! Numbers as their sender gives them, and which of them arrive.

use super::{Planted, PlantedFault};

/// What becomes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    Late,
    Lost,
}

/// One line: gives numbers, and remembers what becomes of them.
pub(super) struct Numbering {
    counter: &'static str,
    sender: String,
    recipient: String,
    largest: u64,
    next: u64,
    given: Vec<(u64, Fate)>,
}

impl Numbering {
    pub(super) fn new(counter: &'static str, sender: &str, recipient: &str, largest: u64, first: u64) -> Self {
        let (sender, recipient) = (sender.to_owned(), recipient.to_owned());
        Self { counter, sender, recipient, largest, next: first, given: Vec::new() }
    }

    pub(super) fn give(&mut self, fate: Fate) -> u64 {
        let number = self.next;
        self.next = number % self.largest + 1;
        self.given.push((number, fate));
        number
    }

    /// A number that will not be given for long.
    pub(super) fn far_ahead(&self) -> u64 {
        (self.next + 5_000) % self.largest + 1
    }

    /// Goes on elsewhere: what was given so far is an epoch of its own.
    pub(super) fn begin_elsewhere(&mut self, planted: &mut impl Extend<PlantedFault>) {
        self.end_epoch(planted);
        planted.extend([self.fault(Planted::EpochChange, 0, 0)]);
        self.next = (self.next + self.largest / 3) % self.largest + 1;
    }

    /// Says which of the numbers given are missing, and which come late.
    pub(super) fn end_epoch(&mut self, planted: &mut impl Extend<PlantedFault>) {
        let given = std::mem::take(&mut self.given);
        let mut lost: Option<(u64, u64)> = None;
        for (number, fate) in given {
            if fate == Fate::Lost {
                lost = Some((lost.map_or(number, |(from, _)| from), number));
                continue;
            }
            planted.extend(lost.take().map(|(from, to)| self.fault(Planted::Lost, from, to)));
            if fate == Fate::Late {
                planted.extend([self.fault(Planted::Late, number, number)]);
            }
        }
    }

    pub(super) fn fault(&self, kind: Planted, from: u64, to: u64) -> PlantedFault {
        let (sender, recipient) = (self.sender.clone(), self.recipient.clone());
        PlantedFault { kind, sender, recipient, counter: self.counter, from, to }
    }
}
