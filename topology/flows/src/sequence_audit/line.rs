//! A line of numbers: what came, what is missing, what came again. Small whatever came: ranges, and rows of what came of late.

use serde::{Deserialize, Serialize};

use super::counter::{Circle, NumberRange};
use super::finding::{Change, Finding, FindingKind, FindingState, LineKey, id_on_line};
use super::gap::{Gap, GapState};
use super::recent::{Recent, RecentRows, Remembered, Seen};
use super::run::{JoinedEpoch, Place, Run};
use super::settings::LineSettings;

/// Runs that a line keeps. Another one takes the place of the one that has been quiet for longest.
const MOST_RUNS: usize = 4;

/// One number that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The number.
    pub number: u64,
    /// Hash of what came under it; `None` where only the number is known.
    pub content: Option<u64>,
    /// When it came here, milliseconds since the epoch.
    pub at_ms: i64,
    /// When it was prepared, as its sender says.
    pub prepared_at_ms: Option<i64>,
    /// It came within something larger that was sent again: as a duplicate it is counted, and no finding of its own.
    pub within_resend: bool,
}

/// What a sighting was to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The first of the line, or of an epoch.
    First,
    /// It follows the last, or begins the line earlier.
    New,
    /// It closes a gap, or a part of one.
    Closes,
    /// It came before; `differs` when its content is known to be other.
    Again {
        /// Whether the content differs.
        differs: bool,
    },
    /// A history told of the number, or tells of one that is known: nothing says that it was sent twice.
    Known,
    /// It is older than the settled beginning of the line.
    Late,
    /// It is none of the numbers.
    Unusable,
}

/// The state of one line. See [`Self::observe`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SequenceLine {
    /// Epochs, in the order in which they were opened.
    runs: Vec<Run>,
    epochs: u32,
    sightings: u64,
    duplicates: u64,
    last_at_ms: Option<i64>,
    is_silent: bool,
}

/// What a line says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSummary {
    /// The first number that came.
    pub first: Option<u64>,
    /// The last number that came.
    pub last: Option<u64>,
    /// From the first number to the last, of each epoch in which one came.
    #[serde(skip)]
    pub seen: Vec<NumberRange>,
    /// The number that is to come, of a line of which no more is known.
    #[serde(skip)]
    pub next: Option<u64>,
    /// What is missing and not explained, suspected or confirmed, in the order of the line.
    pub missing: Vec<NumberRange>,
    /// How often a number came again.
    pub duplicates: u64,
}

impl SequenceLine {
    /// Takes in a number. `key` names the line in findings; `rows` hold what came on it of late.
    ///
    /// Deadlines up to the time of the sighting are kept first, as [`Self::on_time`] would.
    ///
    /// # Errors
    /// When rows cannot be had. The line has then taken in a part, and is not to be kept.
    pub fn observe<R: RecentRows>(
        &mut self,
        key: &LineKey,
        sighting: &Sighting,
        settings: &LineSettings,
        rows: &mut R,
        changes: &mut Vec<Change>,
    ) -> Result<Arrival, R::Error> {
        self.on_time(key, sighting.at_ms, settings, changes);
        if !settings.numbers.contains(sighting.number) {
            return Ok(Arrival::Unusable);
        }
        self.hear(key, sighting.at_ms, changes);
        self.sightings += 1;
        let mut recent = Recent::of(rows, key, settings);
        let added = match self.run_of(sighting, settings) {
            Some(index) => self.add_to_run(index, key, sighting, settings, &mut recent, changes)?,
            None => None,
        };
        let arrival = match added {
            Some(arrival) => arrival,
            None => {
                self.open_run(key, sighting, settings, &mut recent, changes)?;
                Arrival::First
            }
        };
        self.join_runs(key, sighting.at_ms, settings, &mut recent, changes)?;
        Ok(arrival)
    }

    /// Acts on deadlines that have passed: gaps are confirmed, beginnings settle, the line may fall silent.
    pub fn on_time(&mut self, key: &LineKey, now_ms: i64, settings: &LineSettings, changes: &mut Vec<Change>) {
        for run in &mut self.runs {
            run.confirm(key, now_ms, now_ms, settings.numbers, changes);
        }
        if !self.is_silent && self.silent_from(settings).is_some_and(|from| from <= now_ms) {
            self.is_silent = true;
            let (kind, state) = (FindingKind::LinkSilent, FindingState::Confirmed);
            changes.push(Change::Upsert(Finding::on_line(key, kind, state, "line", now_ms)));
        }
    }

    /// When [`Self::on_time`] has something to do next, milliseconds since the epoch.
    #[must_use]
    pub fn next_deadline(&self, settings: &LineSettings) -> Option<i64> {
        let of_runs = self.runs.iter().flat_map(|run| {
            let of_gaps = run.gaps.iter().filter_map(|gap| match gap.state {
                GapState::Suspected { until_ms } => Some(until_ms),
                GapState::Confirmed | GapState::Explained(_) => None,
            });
            of_gaps.chain(run.beginning_open_until_ms).chain(run.suspected_until_ms)
        });
        let silence = if self.is_silent { None } else { self.silent_from(settings) };
        of_runs.chain(silence).min()
    }

    /// Says which number was used last before the line is watched: 0 for a line that is known to begin.
    ///
    /// Numbers from the next one on that did not come are suspected from `at_ms` on. Gaps before it are explained.
    ///
    /// # Errors
    /// When rows cannot be had, as in [`Self::observe`].
    pub fn take_over<R: RecentRows>(
        &mut self,
        key: &LineKey,
        last_used: u64,
        at_ms: i64,
        settings: &LineSettings,
        rows: &mut R,
        changes: &mut Vec<Change>,
    ) -> Result<(), R::Error> {
        let numbers = settings.numbers;
        let next = numbers.successor(last_used);
        let mut recent = Recent::of(rows, key, settings);
        let Some(index) = self.fitting_run(next, settings) else {
            let run = Run::behind(self.next_epoch(), last_used, at_ms, numbers);
            return self.add_run(run, key, at_ms, settings, &mut recent, changes);
        };
        let run = &mut self.runs[index];
        run.beginning_open_until_ms = None;
        let place = run.place_of(next, numbers);
        if run.last < run.first && run.gaps.is_empty() {
            // Nothing has come yet: what was said before is said anew.
            (run.first, run.last) = (place, place - 1);
        } else if place < run.first {
            // As if the one before the beginning had come: it is no number of the line.
            run.move_beginning(place - 1, at_ms.saturating_add(settings.grace_ms), None);
            run.first = place;
            changes.push(Change::Upsert(gap_finding(key, run.epoch, &run.gaps[0], numbers, at_ms)));
        } else {
            let earlier = run.last;
            run.first = place;
            run.last = earlier.max(place - 1);
            recent.slide(run, earlier)?;
            let below: Vec<Gap> = run.gaps.extract_if(.., |gap| gap.from < place).collect();
            for gap in below {
                changes.push(Change::Retract(gap_id(key, run.epoch, gap.from, numbers)));
                let left: Vec<Gap> = gap.without(gap.from, place - 1, None).collect();
                for gap in left {
                    changes.push(Change::Upsert(gap_finding(key, run.epoch, &gap, numbers, at_ms)));
                    run.gaps.insert(0, gap);
                }
            }
        }
        run.normalise(numbers);
        Ok(())
    }

    /// Explains missing numbers, ends included: they are known to be burnt, or given up. Others in the range are let be.
    pub fn explain(
        &mut self,
        key: &LineKey,
        range: NumberRange,
        why: &str,
        at_ms: i64,
        settings: &LineSettings,
        changes: &mut Vec<Change>,
    ) {
        let numbers = settings.numbers;
        for run in &mut self.runs {
            let from = run.place_of(range.from, numbers);
            let to = from + numbers.steps(range.from, range.to).cast_signed();
            let mut gaps = Vec::with_capacity(run.gaps.len());
            for gap in run.gaps.drain(..) {
                let (first, last) = (gap.from.max(from), gap.to.min(to));
                if first > last {
                    gaps.push(gap);
                    continue;
                }
                let mut pieces: Vec<Gap> = gap.without(first, last, None).collect();
                pieces.push(Gap { from: first, to: last, state: GapState::Explained(why.to_owned()), ..gap });
                pieces.sort_by_key(|piece| piece.from);
                for piece in pieces {
                    changes.push(Change::Upsert(gap_finding(key, run.epoch, &piece, numbers, at_ms)));
                    gaps.push(piece);
                }
            }
            run.gaps = gaps;
        }
    }

    /// Whether a number came, as far as ranges tell.
    #[must_use]
    pub fn has_seen(&self, number: u64, settings: &LineSettings) -> bool {
        settings.numbers.contains(number)
            && self.runs.iter().any(|run| {
                let nearest = run.place_of(number, settings.numbers);
                // A long line goes around: the same number stands at several of its places.
                let largest = settings.numbers.largest().cast_signed();
                [nearest, nearest - largest].iter().any(|&place| run.locate(place) == Place::Taken)
            })
    }

    /// When the beginning of an epoch before which a number lies is settled, milliseconds since the epoch; whether the number was used is
    /// then known to nobody here. `None` when it lies before none.
    #[must_use]
    pub fn before_beginning_from(&self, number: u64, settings: &LineSettings) -> Option<i64> {
        let before = self.runs.iter().filter(|run| {
            let place = run.place_of(number, settings.numbers);
            place < run.first && place.abs_diff(run.first) <= settings.plausible
        });
        let settled = before.map(|run| run.beginning_open_until_ms.unwrap_or(i64::MIN));
        settled.min().filter(|_| settings.numbers.contains(number))
    }

    /// What came and what is missing.
    #[must_use]
    pub fn summary(&self, settings: &LineSettings) -> LineSummary {
        let numbers = settings.numbers;
        let missing = self.runs.iter().flat_map(Run::missing).map(|gap| Run::numbers(gap.from, gap.to, numbers));
        let seen = || self.runs.iter().filter_map(|run| Some((run, run.first_seen()?)));
        let newest = seen().max_by_key(|(run, _)| run.last_at_ms);
        LineSummary {
            first: seen().next().map(|(_, first)| numbers.number_at(first)),
            last: newest.map(|(run, _)| numbers.number_at(run.last)),
            seen: seen().map(|(run, first)| Run::numbers(first, run.last, numbers)).collect(),
            next: self.runs.first().filter(|run| run.last < run.first).map(|run| numbers.number_at(run.first)),
            missing: missing.collect(),
            duplicates: self.duplicates,
        }
    }

    /// The epochs of the line.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// How many numbers came, those that came again included.
    #[must_use]
    pub fn sightings(&self) -> u64 {
        self.sightings
    }

    fn silent_from(&self, settings: &LineSettings) -> Option<i64> {
        Some(self.last_at_ms?.saturating_add(settings.silence_ms?))
    }

    fn hear(&mut self, key: &LineKey, at_ms: i64, changes: &mut Vec<Change>) {
        self.last_at_ms = self.last_at_ms.max(Some(at_ms));
        if std::mem::take(&mut self.is_silent) {
            changes.push(Change::Retract(id_on_line(key, FindingKind::LinkSilent, "line")));
        }
    }

    /// The run to which a number can belong: of several the one whose last number is nearest, then the one opened last.
    fn fitting_run(&self, number: u64, settings: &LineSettings) -> Option<usize> {
        let fitting = self.runs.iter().enumerate().filter_map(|(index, run)| {
            let distance = run.distance_if_plausible(number, settings)?;
            Some((distance, std::cmp::Reverse(index)))
        });
        fitting.min().map(|(_, std::cmp::Reverse(index))| index)
    }

    /// The run to which what came belongs. One that has its number already, and is older, comes behind all others: numbers that began
    /// again go on through those of before.
    fn run_of(&self, sighting: &Sighting, settings: &LineSettings) -> Option<usize> {
        let fitting = self.runs.iter().enumerate().filter_map(|(index, run)| {
            let distance = run.distance_if_plausible(sighting.number, settings)?;
            let is_taken = run.locate(run.place_of(sighting.number, settings.numbers)) == Place::Taken;
            Some((is_taken && run.is_older_than(sighting), distance, std::cmp::Reverse(index)))
        });
        fitting.min().map(|(_, _, std::cmp::Reverse(index))| index)
    }

    /// `None` when it is not of that run after all: its numbers began again, below where the run is.
    fn add_to_run<R: RecentRows>(
        &mut self,
        index: usize,
        key: &LineKey,
        sighting: &Sighting,
        settings: &LineSettings,
        recent: &mut Recent<'_, R>,
        changes: &mut Vec<Change>,
    ) -> Result<Option<Arrival>, R::Error> {
        let numbers = settings.numbers;
        let (at_ms, prepared) = (sighting.at_ms, sighting.prepared_at_ms);
        let until_ms = at_ms.saturating_add(settings.grace_ms);
        let run = &mut self.runs[index];
        let place = run.place_of(sighting.number, numbers);
        match run.locate(place) {
            Place::Ahead => {
                run.last_at_ms = run.last_at_ms.max(at_ms);
                let earlier = run.last;
                if let Some(gap) = run.advance(place, until_ms, prepared) {
                    changes.push(Change::Upsert(gap_finding(key, run.epoch, &run.gaps[gap], numbers, at_ms)));
                }
                recent.slide(run, earlier)?;
            }
            Place::Before if run.beginning_open_until_ms.is_some() => {
                if run.move_beginning(place, until_ms, prepared) {
                    changes.push(Change::Upsert(gap_finding(key, run.epoch, &run.gaps[0], numbers, at_ms)));
                }
            }
            Place::Before if recent.is_forgotten(run, place) && run.is_older_than(sighting) => return Ok(None),
            Place::Before => {
                let state = FindingState::Confirmed;
                let mut finding = Finding::on_line(key, FindingKind::Late, state, sighting.number, at_ms);
                finding.numbers = Some(NumberRange { from: sighting.number, to: sighting.number });
                changes.push(Change::Upsert(finding));
                return Ok(Some(Arrival::Late));
            }
            Place::InGap(gap) => {
                close(run, gap, place, key, sighting, numbers, changes);
                run.note_number_alone(place, sighting);
                recent.remember(run, place, Seen::first(sighting))?;
                return Ok(Some(Arrival::Closes));
            }
            Place::Taken => {
                let mut known = recent.find(run, place)?;
                if known.is_none() && run.is_older_than(sighting) {
                    return Ok(None);
                }
                let is_of_history = known.is_none() && Some(place) <= run.numbers_alone_to;
                let arrival = if is_of_history || is_known_by_number_alone(known.as_mut(), sighting) {
                    Arrival::Known
                } else {
                    self.duplicates += 1;
                    Arrival::Again { differs: again(run.epoch, known.as_mut(), key, sighting, changes) }
                };
                known.map_or(Ok(()), |known| recent.keep(run, known))?;
                return Ok(Some(arrival));
            }
        }
        run.note_number_alone(place, sighting);
        recent.remember(run, place, Seen::first(sighting))?;
        run.normalise(numbers);
        Ok(Some(Arrival::New))
    }

    fn open_run<R: RecentRows>(
        &mut self,
        key: &LineKey,
        sighting: &Sighting,
        settings: &LineSettings,
        recent: &mut Recent<'_, R>,
        changes: &mut Vec<Change>,
    ) -> Result<(), R::Error> {
        let mut run = Run::beginning_with(self.next_epoch(), sighting, settings);
        if run.suspected_until_ms.is_some() {
            let state = FindingState::Suspected;
            changes.push(Change::Upsert(epoch_finding(key, &run, state, settings.numbers, sighting.at_ms)));
        }
        let place = run.last;
        run.note_number_alone(place, sighting);
        recent.remember(&mut run, place, Seen::first(sighting))?;
        self.add_run(run, key, sighting.at_ms, settings, recent, changes)
    }

    fn next_epoch(&mut self) -> u32 {
        let epoch = self.epochs;
        self.epochs = self.epochs.saturating_add(1);
        epoch
    }

    fn add_run<R: RecentRows>(
        &mut self,
        run: Run,
        key: &LineKey,
        at_ms: i64,
        settings: &LineSettings,
        recent: &mut Recent<'_, R>,
        changes: &mut Vec<Change>,
    ) -> Result<(), R::Error> {
        if self.runs.len() >= MOST_RUNS {
            let quiet = self.runs.iter().enumerate().min_by_key(|(_, run)| run.last_at_ms).map(|(index, _)| index);
            let mut quiet = self.runs.remove(quiet.unwrap_or_default());
            // Findings about it stay, and nothing will settle them any more.
            quiet.confirm(key, i64::MAX, at_ms, settings.numbers, changes);
            recent.forget_run(&quiet)?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// Joins two runs that disorder made of one: the later of their numbers still open to what comes before them.
    fn join_runs<R: RecentRows>(
        &mut self,
        key: &LineKey,
        at_ms: i64,
        settings: &LineSettings,
        recent: &mut Recent<'_, R>,
        changes: &mut Vec<Change>,
    ) -> Result<(), R::Error> {
        while let Some((lower, upper)) = self.runs_to_join(settings) {
            let (first, second) = (lower.min(upper), lower.max(upper));
            let mut younger = self.runs.remove(second);
            recent.part_with(&mut younger)?;
            let older = self.runs.remove(first);
            for gap in &younger.gaps {
                changes.push(Change::Retract(gap_id(key, younger.epoch, gap.from, settings.numbers)));
            }
            changes.push(Change::Retract(id_on_line(key, FindingKind::EpochChange, younger.epoch)));
            let (epoch, stands, newest) = (older.epoch, older.suspected_until_ms, older.newest.clone());
            let younger_epoch = younger.epoch;
            let (lower, upper) = if lower == first { (older, younger) } else { (younger, older) };
            let lower_last = lower.last;
            let mut joined = joined(lower, upper, at_ms, settings);
            let (part, earlier) = if joined.epoch == epoch {
                (JoinedEpoch { epoch: younger_epoch, last: joined.last }, lower_last)
            } else {
                joined.newest = newest;
                (JoinedEpoch { epoch: younger_epoch, last: lower_last }, joined.last)
            };
            (joined.epoch, joined.suspected_until_ms) = (epoch, stands);
            joined.joined.push(part);
            recent.slide(&mut joined, earlier)?;
            joined.normalise(settings.numbers);
            for gap in &joined.gaps {
                changes.push(Change::Upsert(gap_finding(key, epoch, gap, settings.numbers, at_ms)));
            }
            self.runs.insert(first, joined);
        }
        Ok(())
    }

    fn runs_to_join(&self, settings: &LineSettings) -> Option<(usize, usize)> {
        let numbers = settings.numbers;
        for (lower, below) in self.runs.iter().enumerate() {
            for (upper, above) in self.runs.iter().enumerate() {
                let steps = numbers.steps(numbers.number_at(below.last), numbers.number_at(above.first));
                let is_near = (1..=settings.plausible).contains(&steps);
                if lower != upper && is_near && above.beginning_open_until_ms.is_some() {
                    return Some((lower, upper));
                }
            }
        }
        None
    }
}

impl Run {
    /// Confirms what was suspected until a time; beginnings settle.
    fn confirm(&mut self, key: &LineKey, until_ms: i64, at_ms: i64, numbers: Circle, changes: &mut Vec<Change>) {
        for gap in &mut self.gaps {
            if matches!(gap.state, GapState::Suspected { until_ms: until } if until <= until_ms) {
                gap.state = GapState::Confirmed;
                changes.push(Change::Upsert(gap_finding(key, self.epoch, gap, numbers, at_ms)));
            }
        }
        if self.beginning_open_until_ms.is_some_and(|until| until <= until_ms) {
            self.beginning_open_until_ms = None;
        }
        if self.suspected_until_ms.is_some_and(|until| until <= until_ms) {
            self.suspected_until_ms = None;
            changes.push(Change::Upsert(epoch_finding(key, self, FindingState::Confirmed, numbers, at_ms)));
        }
    }

    /// Gaps that nobody has explained.
    fn missing(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| !matches!(gap.state, GapState::Explained(_)))
    }
}

/// One run of two, the numbers of `upper` behind those of `lower`.
fn joined(lower: Run, mut upper: Run, at_ms: i64, settings: &LineSettings) -> Run {
    let numbers = settings.numbers;
    let steps = numbers.steps(numbers.number_at(lower.last), numbers.number_at(upper.first));
    upper.shift(lower.last + steps.cast_signed() - upper.first);
    let mut run = lower;
    let _ = run.advance(upper.first, at_ms.saturating_add(settings.grace_ms), upper.prepared_first);
    run.last = upper.last;
    run.prepared_last = upper.prepared_last;
    run.gaps.extend(upper.gaps);
    run.last_at_ms = run.last_at_ms.max(upper.last_at_ms);
    run.joined.extend(upper.joined);
    run.numbers_alone_to = run.numbers_alone_to.max(upper.numbers_alone_to);
    run
}

/// Takes a number that came out of the gap it was missing in.
fn close(
    run: &mut Run,
    index: usize,
    place: i64,
    key: &LineKey,
    sighting: &Sighting,
    numbers: Circle,
    changes: &mut Vec<Change>,
) {
    let at_ms = sighting.at_ms;
    let gap = run.gaps.remove(index);
    let was_suspected = matches!(gap.state, GapState::Suspected { .. });
    if was_suspected {
        if gap.from == place {
            changes.push(Change::Retract(gap_id(key, run.epoch, gap.from, numbers)));
        }
    } else {
        let closed = Gap { from: place, to: place, ..gap.clone() };
        let mut finding = gap_finding(key, run.epoch, &closed, numbers, at_ms);
        finding.state = FindingState::ClosedLate;
        changes.push(Change::Upsert(finding));
    }
    let pieces: Vec<Gap> = gap.without(place, place, sighting.prepared_at_ms).collect();
    for piece in &pieces {
        changes.push(Change::Upsert(gap_finding(key, run.epoch, piece, numbers, at_ms)));
    }
    run.gaps.splice(index..index, pieces);
}

/// A history knows numbers and no contents: that a number is in it does not say that it was sent twice. One that is known by its
/// number alone gets its content from what comes.
fn is_known_by_number_alone(known: Option<&mut Remembered>, sighting: &Sighting) -> bool {
    match (known.map(Remembered::seen), sighting.content) {
        (_, None) => true,
        (Some(known), content) if known.content.is_none() => {
            known.content = content;
            true
        }
        _ => false,
    }
}

/// Takes in a number that came before. Answers whether its contents differ.
fn again(
    epoch: u32,
    known: Option<&mut Remembered>,
    key: &LineKey,
    sighting: &Sighting,
    changes: &mut Vec<Change>,
) -> bool {
    let mut copies = None;
    let mut differs = false;
    if let Some(seen) = known.map(Remembered::seen) {
        seen.copies = seen.copies.saturating_add(1);
        if let (Some(earlier), Some(now)) = (seen.content, sighting.content) {
            seen.differs |= earlier != now;
        }
        seen.content = match (seen.content, sighting.content) {
            (Some(earlier), Some(now)) => Some(earlier.min(now)),
            (earlier, now) => earlier.or(now),
        };
        copies = Some(seen.copies);
        differs = seen.differs;
    }
    if differs || !sighting.within_resend {
        let kind = if differs { FindingKind::DuplicateDiffers } else { FindingKind::Duplicate };
        let subject = format!("{epoch}/{}", sighting.number);
        let mut finding = Finding::on_line(key, kind, FindingState::Confirmed, subject, sighting.at_ms);
        finding.numbers = Some(NumberRange { from: sighting.number, to: sighting.number });
        finding.copies = copies;
        changes.push(Change::Upsert(finding));
    }
    differs
}

fn gap_id(key: &LineKey, epoch: u32, from: i64, numbers: Circle) -> String {
    id_on_line(key, FindingKind::Gap, format_args!("{epoch}/{}", numbers.number_at(from)))
}

fn gap_finding(key: &LineKey, epoch: u32, gap: &Gap, numbers: Circle, at_ms: i64) -> Finding {
    let (state, note) = match &gap.state {
        GapState::Suspected { .. } => (FindingState::Suspected, ""),
        GapState::Confirmed => (FindingState::Confirmed, ""),
        GapState::Explained(why) => (FindingState::Explained, why.as_str()),
    };
    let range = Run::numbers(gap.from, gap.to, numbers);
    let mut finding = Finding::on_line(key, FindingKind::Gap, state, format_args!("{epoch}/{}", range.from), at_ms);
    finding.numbers = Some(range);
    note.clone_into(&mut finding.note);
    finding
}

fn epoch_finding(key: &LineKey, run: &Run, state: FindingState, numbers: Circle, at_ms: i64) -> Finding {
    let mut finding = Finding::on_line(key, FindingKind::EpochChange, state, run.epoch, at_ms);
    finding.numbers = Some(Run::numbers(run.first, run.last, numbers));
    finding
}
