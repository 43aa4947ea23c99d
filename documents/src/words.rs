//! Lines of text, and where each of their words stands: of plain text by line, of pages by box.

use std::collections::BTreeMap;
use std::ops::Range;

use concord_schemas::patient_documents::{Place, Region};

use crate::found::Spot;
use crate::{Limits, Problem, ReadFailure};
use upright::Direction;

mod pages;
mod upright;

pub(crate) use pages::behind_each_other;

/// A line of text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// Words with as many blanks between them, and before them, as there is room for on the page.
    pub text: String,
    /// 1-based, in the document or on its page.
    pub number: usize,
    /// 1-based; `None` of plain text.
    pub page: Option<i32>,
    /// The line before was broken for want of room: what stands here belongs to it.
    pub goes_on: bool,
    /// Of pages alone.
    words: Vec<Word>,
}

/// A word in a line.
#[derive(Debug, Clone)]
struct Word {
    /// Its bytes in the line.
    range: Range<usize>,
    region: Region,
    confidence: i32,
}

impl Line {
    /// Where a part of the line stands, and how sure it is: at most `confidence`, and at most that of its least sure word.
    pub fn spot(&self, part: Range<usize>, confidence: i32) -> Spot {
        let Some(page) = self.page else {
            return Spot { place: Place::at_path(format!("line {}", self.number)), confidence };
        };
        let words = self.words.iter().filter(|word| word.range.start < part.end && part.start < word.range.end);
        let mut spot = Spot { place: Place::on_page(page, None), confidence };
        for word in words {
            spot.confidence = spot.confidence.min(word.confidence);
            spot.place.region = Some(spot.place.region.map_or(word.region, |region| around(region, word.region)));
        }
        spot
    }
}

/// Two spots as one: of a value that goes on in the next line. It stands on the page of the first.
pub(crate) fn together(first: &Spot, second: &Spot) -> Spot {
    let mut both = first.at_most(second.confidence);
    if first.place.page == second.place.page
        && let (Some(first), Some(second)) = (first.place.region, second.place.region)
    {
        both.place.region = Some(around(first, second));
    }
    both
}

/// The mean confidence of the words; 0 when there is none.
pub(crate) fn confidence_of(lines: &[Line]) -> i32 {
    let words = lines.iter().flat_map(|line| &line.words);
    let (count, sum) = words.fold((0, 0), |(count, sum), word| (count + 1, sum + i64::from(word.confidence)));
    i32::try_from(sum / std::cmp::max(count, 1)).unwrap_or_default()
}

fn around(first: Region, second: Region) -> Region {
    let (left, top) = (first.left.min(second.left), first.top.min(second.top));
    let right = right_of(first).max(right_of(second));
    let bottom = bottom_of(first).max(bottom_of(second));
    Region { left, top, width: right - left, height: bottom - top }
}

fn right_of(region: Region) -> i32 {
    region.left.saturating_add(region.width)
}

fn bottom_of(region: Region) -> i32 {
    region.top.saturating_add(region.height)
}

/// Programs break lines of text at some width between these, if they break any; what is longer is broken by nobody.
const BROKEN_AT: std::ops::RangeInclusive<usize> = 60..=132;

/// The lines of plain text.
pub(crate) fn lines_of_text(text: &str) -> Vec<Line> {
    let lines = text.split('\n').enumerate();
    let lines = lines.map(|(at, line)| {
        let text = line.trim_end_matches(['\r', '\u{c}']).replace(['\t', '\u{a0}'], "    ");
        Line { text, number: at + 1, ..Line::default() }
    });
    let mut lines: Vec<Line> = lines.collect();
    let length = |text: &str| text.trim_end().chars().count();
    let widest = lines.iter().map(|line| length(&line.text)).max().unwrap_or_default();
    if BROKEN_AT.contains(&widest) {
        for at in 1..lines.len() {
            let first_word = lines[at].text.split_whitespace().next().map_or(0, length);
            lines[at].goes_on = first_word > 0 && length(&lines[at - 1].text) + 1 + first_word > widest;
        }
    }
    lines
}

/// A word as a tool found it.
#[derive(Debug, Clone)]
struct FoundWord {
    text: String,
    /// Where it stands when the lines of its page run to the right.
    region: Region,
    /// Where it stands in the image or on the page as it is stored.
    stored: Region,
    confidence: i32,
}

/// The lines of pages, from the table of words that Tesseract and pdftotext write: level, page, block, paragraph, line, word, left,
/// top, width, height, confidence, text. `scale` is what a length is multiplied with. `page` replaces the table's own number.
pub(crate) fn lines_of_table(
    table: &str,
    scale: f64,
    page: Option<i32>,
    limits: &Limits,
) -> Result<Vec<Line>, ReadFailure> {
    // By page: runs of words that the tool took for one line of one block.
    let mut pages: BTreeMap<i32, BTreeMap<[i32; 3], Vec<FoundWord>>> = BTreeMap::new();
    let mut sizes: BTreeMap<i32, Region> = BTreeMap::new();
    let mut words = 0_usize;
    for row in table.lines() {
        let columns: Vec<&str> = row.splitn(12, '\t').collect();
        let [level, own_page, block, paragraph, line, _, left, top, width, height, confidence, text] = columns[..]
        else {
            continue;
        };
        if !matches!(level, "1" | "5") || (level == "5" && is_noise(text)) {
            continue;
        }
        let whole = |text: &str| text.parse::<i32>().unwrap_or_default();
        // No page is wider than this; what is further out would only make sums overflow.
        let on_page = |length: f64| length.round().clamp(0.0, 1_000_000.0) as i32;
        let length = |text: &str| on_page(text.parse::<f64>().unwrap_or_default() * scale);
        let region = Region { left: length(left), top: length(top), width: length(width), height: length(height) };
        let page = page.unwrap_or_else(|| whole(own_page));
        if level == "1" {
            sizes.insert(page, region);
            continue;
        }
        words += 1;
        if words > limits.elements {
            return Err(ReadFailure::new(Problem::TooMany, format!("more than {} words", limits.elements)));
        }
        let confidence = confidence.parse::<f64>().unwrap_or_default().clamp(0.0, 100.0) as i32;
        let runs = pages.entry(page).or_default();
        let run = runs.entry([whole(block), whole(paragraph), whole(line)]).or_default();
        run.push(FoundWord { text: text.trim().to_owned(), region, stored: region, confidence });
    }
    let lines = pages
        .into_iter()
        .flat_map(|(page, runs)| lines_of_page(page, sizes.get(&page).copied(), runs.into_values().collect()));
    Ok(lines.collect())
}

/// Rules and specks that OCR takes for text.
fn is_noise(text: &str) -> bool {
    text.trim().chars().all(|one| matches!(one, '_' | '|' | '~' | '`' | '\'' | '.' | '‘' | '’' | '"' | '—' | '=' | '¢'))
}

/// Beyond so many runs a page is no form, and is left in the tool's own lines.
const MOST_RUNS: usize = 2_000;

/// Runs that stand beside each other are one line: tools take the columns of a form for blocks of their own.
fn lines_of_page(page: i32, size: Option<Region>, mut runs: Vec<Vec<FoundWord>>) -> Vec<Line> {
    let direction = Direction::of(&runs);
    for word in runs.iter_mut().flatten() {
        word.region = direction.upright(word.stored);
    }
    if runs.len() <= MOST_RUNS {
        runs = side_by_side(runs);
    }
    let margin = runs.iter().flatten().map(|word| word.region.left).min().unwrap_or_default();
    // Where text ends on the right: as far from the edge as it begins on the left.
    let end = size.map(|size| direction.upright(size)).map(|size| right_of(size) - (margin - size.left));
    let mut lines: Vec<Line> = Vec::new();
    let mut above: Option<(Region, Region)> = None;
    for run in &runs {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let (first, last) = (first.region, last.region);
        // Room for a line and more is an empty line, as people leave it between paragraphs.
        let is_apart = above.is_some_and(|(above, _)| (first.top - bottom_of(above)) * 2 > first.height * 3);
        if is_apart {
            lines.push(Line { number: lines.len() + 1, page: Some(page), ..Line::default() });
        }
        let had_no_room = |(_, last): (Region, Region), end: i32| right_of(last) + first.width > end;
        let goes_on = !is_apart && above.zip(end).is_some_and(|(above, end)| had_no_room(above, end));
        above = Some((first, last));
        lines.push(Line { goes_on, ..line_of(page, lines.len() + 1, run, margin) });
    }
    lines
}

fn side_by_side(mut runs: Vec<Vec<FoundWord>>) -> Vec<Vec<FoundWord>> {
    runs.sort_by_key(|run| run.first().map_or(0, |word| word.region.left));
    let mut rows: Vec<Vec<FoundWord>> = Vec::new();
    for run in runs {
        let Some(first) = run.first().map(|word| word.region) else { continue };
        let row = rows.iter_mut().filter(|row| row.last().is_some_and(|last| is_beside(last.region, first)));
        match row.min_by_key(|row| row.last().map_or(0, |last| first.left - right_of(last.region))) {
            Some(row) => row.extend(run),
            None => rows.push(run),
        }
    }
    rows.sort_by_key(|row| {
        row.first().map_or((0, 0), |word| (word.region.top + word.region.height / 2, word.region.left))
    });
    rows
}

/// Whether a word stands behind another in the same line: more than half of the lower one beside the other.
fn is_beside(before: Region, behind: Region) -> bool {
    let overlap = bottom_of(before).min(bottom_of(behind)) - before.top.max(behind.top);
    right_of(before) <= behind.left && overlap * 2 > before.height.min(behind.height)
}

/// A wide gap is as many blanks as there is room for. Labels are found behind two.
fn line_of(page: i32, number: usize, run: &[FoundWord], margin: i32) -> Line {
    let mut widths: Vec<i32> = run
        .iter()
        .map(|word| word.region.width / i32::try_from(word.text.chars().count().max(1)).unwrap_or(1))
        .collect();
    widths.sort_unstable();
    let width = widths.get(widths.len() / 2).copied().unwrap_or(1).max(1);
    let mut line = Line { number, page: Some(page), ..Line::default() };
    let mut right = None;
    for word in run {
        let blanks = match right {
            None => (word.region.left - margin) / width,
            Some(right) => match (word.region.left - right) / width {
                gap if gap < 2 => 1,
                gap => gap,
            },
        };
        // A line is never longer than a page is wide.
        line.text.extend(std::iter::repeat_n(' ', usize::try_from(blanks.clamp(0, 200)).unwrap_or_default()));
        let start = line.text.len();
        line.text.push_str(&word.text);
        line.words.push(Word { range: start..line.text.len(), region: word.stored, confidence: word.confidence });
        right = Some(right_of(word.region));
    }
    line
}

#[cfg(test)]
mod tests;
