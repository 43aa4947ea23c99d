//! One epoch of a line: from its first number to its last, and what is missing between.

use serde::{Deserialize, Serialize};

use super::counter::{Circle, NumberRange};
use super::gap::{Gap, GapState};
use super::line::Sighting;
use super::recent::RecentRow;
use super::settings::LineSettings;

/// Numbers that follow from one another.
///
/// Places are those of an endless line on which place 0 has number 1: so a gap over the end of the numbers is a range like
/// any other. The first place is always one of the first circle, so that the same numbers have the same places whatever the
/// order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which run of its line it is, from 0.
    pub epoch: u32,
    /// Place of the first number. Behind `last` until a number comes, where only the beginning is known.
    pub first: i64,
    /// Place of the last number.
    pub last: i64,
    /// In order.
    pub gaps: Vec<Gap>,
    /// What came of the numbers in one row with the last; the rows before it lie beside the line.
    pub newest: RecentRow,
    /// Epochs that turned out to be parts of this one, while something that came in them is remembered.
    pub joined: Vec<JoinedEpoch>,
    /// Until when an older number moves the beginning down, milliseconds since the epoch; `None` when it is settled.
    pub beginning_open_until_ms: Option<i64>,
    /// Until when it may turn out to be part of another run; `None` when it stands.
    pub suspected_until_ms: Option<i64>,
    /// When its last number came.
    pub last_at_ms: i64,
    /// When what has the last number was prepared.
    pub prepared_last: Option<i64>,
    /// When what has the first number was prepared.
    pub prepared_first: Option<i64>,
    /// Up to this place there may be numbers of which no content was ever known: a history told of them.
    pub numbers_alone_to: Option<i64>,
}

/// An epoch that is a part of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedEpoch {
    /// Which it was.
    pub epoch: u32,
    /// The last place of what came in it.
    pub last: i64,
}

/// Where a number lies in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the last.
    Ahead,
    /// In a gap, by its index.
    InGap(usize),
    /// Where one came already.
    Taken,
    /// Before the first.
    Before,
}

impl Run {
    /// A run that begins with a number that came.
    pub(super) fn beginning_with(epoch: u32, sighting: &Sighting, settings: &LineSettings) -> Self {
        let Sighting { number, at_ms, prepared_at_ms: prepared, .. } = *sighting;
        let place = first_circle(number);
        let until_ms = at_ms.saturating_add(settings.grace_ms);
        Self {
            epoch,
            first: place,
            last: place,
            gaps: Vec::new(),
            newest: RecentRow::default(),
            joined: Vec::new(),
            beginning_open_until_ms: Some(until_ms),
            suspected_until_ms: (epoch > 0).then_some(until_ms),
            last_at_ms: at_ms,
            prepared_last: prepared,
            prepared_first: prepared,
            numbers_alone_to: None,
        }
    }

    /// A run of which the number before its first is known.
    pub(super) fn behind(epoch: u32, last_used: u64, at_ms: i64, numbers: Circle) -> Self {
        let first = first_circle(numbers.successor(last_used));
        Self {
            epoch,
            first,
            last: first - 1,
            gaps: Vec::new(),
            newest: RecentRow::default(),
            joined: Vec::new(),
            beginning_open_until_ms: None,
            suspected_until_ms: None,
            last_at_ms: at_ms,
            prepared_last: None,
            prepared_first: None,
            numbers_alone_to: None,
        }
    }

    /// The place of a number that is nearest to the last.
    pub(super) fn place_of(&self, number: u64, numbers: Circle) -> i64 {
        self.last + numbers.way(numbers.number_at(self.last), number)
    }

    /// How far a number is from the last, if it can be one of this run.
    pub(super) fn distance_if_plausible(&self, number: u64, settings: &LineSettings) -> Option<u64> {
        let place = self.place_of(number, settings.numbers);
        let distance = place.abs_diff(self.last);
        let before_open_beginning = self.beginning_open_until_ms.is_some()
            && place < self.first
            && place.abs_diff(self.first) <= settings.plausible;
        let fits =
            distance <= settings.plausible || before_open_beginning || self.gaps.iter().any(|gap| gap.contains(place));
        fits.then_some(distance)
    }

    /// Notes that a number came at a place; of a history nothing but the number.
    pub(super) fn note_number_alone(&mut self, place: i64, sighting: &Sighting) {
        if sighting.content.is_none() {
            self.numbers_alone_to = self.numbers_alone_to.max(Some(place));
        }
    }

    /// Whether what comes is newer than the run: it was prepared behind its last number. Under a number behind which the run is already,
    /// it is then not what came before, sent again.
    pub(super) fn is_older_than(&self, sighting: &Sighting) -> bool {
        let newer = |(now, last)| now > last;
        sighting.content.is_some()
            && !sighting.within_resend
            && sighting.prepared_at_ms.zip(self.prepared_last).is_some_and(newer)
    }

    pub(super) fn locate(&self, place: i64) -> Place {
        if place > self.last {
            Place::Ahead
        } else if place < self.first {
            Place::Before
        } else {
            let behind = self.gaps.partition_point(|gap| gap.to < place);
            match self.gaps.get(behind) {
                Some(gap) if gap.contains(place) => Place::InGap(behind),
                _ => Place::Taken,
            }
        }
    }

    /// Goes on to a place behind the last. Returns the index of the gap that this reveals.
    pub(super) fn advance(&mut self, place: i64, until_ms: i64, prepared: Option<i64>) -> Option<usize> {
        let revealed = (place > self.last + 1).then(|| {
            self.gaps.push(Gap {
                from: self.last + 1,
                to: place - 1,
                state: GapState::Suspected { until_ms },
                prepared_before: self.prepared_last,
                prepared_after: prepared,
            });
            self.gaps.len() - 1
        });
        if self.first > self.last {
            self.prepared_first = prepared;
        }
        self.last = place;
        self.prepared_last = prepared;
        revealed
    }

    /// Moves the beginning down to a place before the first. Returns whether this reveals a gap, which is then the first.
    pub(super) fn move_beginning(&mut self, place: i64, until_ms: i64, prepared: Option<i64>) -> bool {
        let reveals = place < self.first - 1;
        if reveals {
            let gap = Gap {
                from: place + 1,
                to: self.first - 1,
                state: GapState::Suspected { until_ms },
                prepared_before: prepared,
                prepared_after: self.prepared_first,
            };
            self.gaps.insert(0, gap);
        }
        self.first = place;
        self.prepared_first = prepared;
        reveals
    }

    /// The place of the first number that came: behind a beginning that is only known, numbers may be missing.
    pub(super) fn first_seen(&self) -> Option<i64> {
        let mut place = self.first;
        for gap in &self.gaps {
            if gap.from != place {
                break;
            }
            place = gap.to + 1;
        }
        (place <= self.last).then_some(place)
    }

    /// Epochs in which its numbers came: its own, and those that are parts of it.
    pub(super) fn epochs(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.epoch).chain(self.joined.iter().map(|joined| joined.epoch))
    }

    /// Shifts all places so that the first is one of the first circle.
    pub(super) fn normalise(&mut self, numbers: Circle) {
        let largest = numbers.largest().cast_signed();
        let shift = -self.first.div_euclid(largest) * largest;
        if shift != 0 {
            self.shift(shift);
        }
    }

    pub(super) fn shift(&mut self, by: i64) {
        self.first += by;
        self.last += by;
        for gap in &mut self.gaps {
            gap.from += by;
            gap.to += by;
        }
        for joined in &mut self.joined {
            joined.last += by;
        }
        if let Some(place) = &mut self.numbers_alone_to {
            *place += by;
        }
    }

    /// The numbers of places.
    pub(super) fn numbers(from: i64, to: i64, numbers: Circle) -> NumberRange {
        NumberRange { from: numbers.number_at(from), to: numbers.number_at(to) }
    }
}

fn first_circle(number: u64) -> i64 {
    number.cast_signed() - 1
}
