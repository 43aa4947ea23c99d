//! What came of late on a line: contents of its last numbers, in small rows. The row of the last number is part of the line's state,
//! the others lie beside it: what comes in order touches none of them, and what comes late one, however many are remembered.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::counter::Circle;
use super::finding::LineKey;
use super::line::Sighting;
use super::run::Run;
use super::settings::LineSettings;

/// Numbers of a row.
const NUMBERS: u64 = 16;

/// What is remembered of a number that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Hash of the content; of several contents the smallest, so that their order does not matter.
    pub content: Option<u64>,
    /// How often it came.
    pub copies: u32,
    /// Whether two contents differed.
    pub differs: bool,
}

impl Seen {
    /// What is remembered of a number that came for the first time.
    pub(super) fn first(sighting: &Sighting) -> Self {
        Self { content: sighting.content, copies: 1, differs: false }
    }
}

/// Which row of a line: numbers next to each other that came in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// The epoch in which they came.
    pub epoch: u32,
    /// Which numbers: 0 for 1 to 16, 1 for 17 to 32.
    pub numbers: u64,
}

/// What came of the numbers of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecentRow(Vec<(u8, Seen)>);

/// Where rows are kept, each under its line and its id.
pub trait RecentRows {
    /// Why a row cannot be had.
    type Error;

    /// A row; an empty one when none is kept.
    ///
    /// # Errors
    /// When it cannot be read.
    fn row(&self, line: &LineKey, id: RowId) -> Result<RecentRow, Self::Error>;

    /// Keeps a row.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&mut self, line: &LineKey, id: RowId, row: RecentRow) -> Result<(), Self::Error>;

    /// Gives a row up, if it is kept.
    ///
    /// # Errors
    /// When that cannot be written.
    fn forget(&mut self, line: &LineKey, id: RowId) -> Result<(), Self::Error>;
}

/// Rows in memory.
impl RecentRows for BTreeMap<(LineKey, RowId), RecentRow> {
    type Error = Infallible;

    fn row(&self, line: &LineKey, id: RowId) -> Result<RecentRow, Infallible> {
        Ok(self.get(&(line.clone(), id)).cloned().unwrap_or_default())
    }

    fn keep(&mut self, line: &LineKey, id: RowId, row: RecentRow) -> Result<(), Infallible> {
        self.insert((line.clone(), id), row);
        Ok(())
    }

    fn forget(&mut self, line: &LineKey, id: RowId) -> Result<(), Infallible> {
        self.remove(&(line.clone(), id));
        Ok(())
    }
}

/// The rows of one line.
pub(super) struct Recent<'all, R> {
    rows: &'all mut R,
    line: &'all LineKey,
    numbers: Circle,
    window: i64,
}

/// A number that is remembered, and the row it stands in.
pub(super) struct Remembered {
    id: RowId,
    row: RecentRow,
    index: usize,
}

impl Remembered {
    pub fn seen(&mut self) -> &mut Seen {
        &mut self.row.0[self.index].1
    }
}

impl<'all, R: RecentRows> Recent<'all, R> {
    pub fn of(rows: &'all mut R, line: &'all LineKey, settings: &LineSettings) -> Self {
        // Within the window a number stands at one place only.
        let window = u64::from(settings.window).min(settings.numbers.largest() / 4).cast_signed();
        Self { rows, line, numbers: settings.numbers, window }
    }

    /// Whether a place lies so far behind the last of a run that nothing is remembered of it.
    pub fn is_forgotten(&self, run: &Run, place: i64) -> bool {
        place <= run.last - self.window
    }

    /// What is remembered of the number at a place of a run.
    pub fn find(&self, run: &Run, place: i64) -> Result<Option<Remembered>, R::Error> {
        if self.is_forgotten(run, place) {
            return Ok(None);
        }
        let (numbers, offset) = self.cell(place);
        for epoch in run.epochs() {
            let id = RowId { epoch, numbers };
            let row = self.row(run, id)?;
            if let Some(index) = row.0.iter().position(|&(of, _)| of == offset) {
                return Ok(Some(Remembered { id, row, index }));
            }
        }
        Ok(None)
    }

    /// Keeps what was changed of it.
    pub fn keep(&mut self, run: &mut Run, remembered: Remembered) -> Result<(), R::Error> {
        self.keep_row(run, remembered.id, remembered.row)
    }

    /// Remembers what came at a place, if it lies within the window.
    pub fn remember(&mut self, run: &mut Run, place: i64, seen: Seen) -> Result<(), R::Error> {
        if self.is_forgotten(run, place) {
            return Ok(());
        }
        let (numbers, offset) = self.cell(place);
        let id = RowId { epoch: run.epoch, numbers };
        let mut row = self.row(run, id)?;
        let behind = row.0.partition_point(|&(of, _)| of < offset);
        match row.0.get_mut(behind) {
            Some(known) if known.0 == offset => known.1 = seen,
            _ => row.0.insert(behind, (offset, seen)),
        }
        self.keep_row(run, id, row)
    }

    /// Follows a run whose last place has moved on from an earlier one: what fell out of its window is given up.
    pub fn slide(&mut self, run: &mut Run, earlier: i64) -> Result<(), R::Error> {
        let begins_at = run.last - self.window + 1;
        let (first, last) = (earlier - self.window + 1, earlier.min(begins_at - 1));
        self.forget(run.epoch, first, last, earlier < begins_at)?;
        if self.cell(earlier).0 != self.cell(run.last).0 {
            let row = std::mem::take(&mut run.newest);
            if earlier >= begins_at {
                self.lay_down(run.epoch, earlier, row)?;
            }
        }
        let gone: Vec<_> = run.joined.extract_if(.., |joined| joined.last < begins_at).collect();
        for joined in gone {
            self.forget(joined.epoch, joined.last - self.window + 1, joined.last, true)?;
        }
        Ok(())
    }

    /// Lays down what a run has at hand, which goes on as a part of another one.
    pub fn part_with(&mut self, run: &mut Run) -> Result<(), R::Error> {
        let row = std::mem::take(&mut run.newest);
        self.lay_down(run.epoch, run.last, row)
    }

    /// Gives up all that is remembered of a run.
    pub fn forget_run(&mut self, run: &Run) -> Result<(), R::Error> {
        self.forget(run.epoch, run.last - self.window + 1, run.last, true)?;
        for joined in &run.joined {
            self.forget(joined.epoch, joined.last - self.window + 1, joined.last, true)?;
        }
        Ok(())
    }

    /// A row, from the run itself when it is that of its last number.
    fn row(&self, run: &Run, id: RowId) -> Result<RecentRow, R::Error> {
        if self.is_newest(run, id) { Ok(run.newest.clone()) } else { self.rows.row(self.line, id) }
    }

    fn keep_row(&mut self, run: &mut Run, id: RowId, row: RecentRow) -> Result<(), R::Error> {
        if self.is_newest(run, id) {
            run.newest = row;
            return Ok(());
        }
        self.rows.keep(self.line, id, row)
    }

    fn is_newest(&self, run: &Run, id: RowId) -> bool {
        id == RowId { epoch: run.epoch, numbers: self.cell(run.last).0 }
    }

    fn lay_down(&mut self, epoch: u32, place: i64, row: RecentRow) -> Result<(), R::Error> {
        if row.0.is_empty() {
            return Ok(());
        }
        self.rows.keep(self.line, RowId { epoch, numbers: self.cell(place).0 }, row)
    }

    /// Gives up the rows of these places, ends included. Unless nothing behind them is remembered, the row of the last one stays when
    /// it goes on behind it.
    fn forget(&mut self, epoch: u32, from: i64, to: i64, to_the_end: bool) -> Result<(), R::Error> {
        let mut place = from;
        while place <= to {
            let number = self.numbers.number_at(place);
            let (numbers, offset) = self.cell(place);
            let left = (NUMBERS - 1 - u64::from(offset)).min(self.numbers.largest() - number).cast_signed();
            if to_the_end || place + left <= to {
                self.rows.forget(self.line, RowId { epoch, numbers })?;
            }
            place += left + 1;
        }
        Ok(())
    }

    /// The row of the number at a place, and where in it the number stands.
    fn cell(&self, place: i64) -> (u64, u8) {
        let before = self.numbers.number_at(place) - 1;
        // Less than NUMBERS, so it fits.
        (before / NUMBERS, (before % NUMBERS) as u8)
    }
}
