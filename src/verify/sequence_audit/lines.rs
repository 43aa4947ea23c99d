//! Lines of numbers as plain sets: what is missing are the holes in them, and what came twice came twice.

use std::collections::{BTreeMap, BTreeSet};

use concord_flows::sequence_audit::Circle;
use concord_flows::sequence_audit::topology::FINDING;

use super::super::report::Report;
use super::inputs::Inputs;
use super::published::{Published, Standing};
use super::{REPORT_IT, Reading, transactions_on_line};

/// Epochs that the flow keeps of a line. What was published of one that it had to forget stays as it is.
const KEPT_EPOCHS: usize = 4;

/// Counter, sender, recipient (empty for transactions).
type Name = (String, String, String);
/// Ranges of numbers, ends included, in ascending order; one over the end of the numbers is two.
type Ranges = Vec<(u64, u64)>;

/// What came under one number.
#[derive(Default)]
struct Came {
    /// How often, those times left out of which only a history tells.
    times: u64,
    is_in_history: bool,
    contents: BTreeSet<Option<u64>>,
    /// The interchanges it came in, by sender, recipient and number; as often as it came.
    within: Vec<(String, String, Option<u64>)>,
}

/// One line.
struct Line {
    numbers: Circle,
    came: BTreeMap<u64, Came>,
}

/// Holds gaps, duplicates and epochs that are published against what came.
pub fn are_what_is_published(reading: &Reading<'_>, inputs: &Inputs, published: &Published, report: &mut Report) {
    let lines = lines(reading, inputs);
    let mut found = Found::default();
    for (name, line) in &lines {
        found.check(name, line, inputs, published, reading);
    }
    let of_lines = ["gap", "duplicate", "duplicate-differs", "late", "epoch-change", "link-silent"];
    let mut unfounded = 0;
    for standing in of_lines.iter().flat_map(|kind| published.of_kind(kind)) {
        unfounded += u64::from(inputs.are_complete && !lines.contains_key(&name_of(standing)));
    }
    report.checked("lines of numbers", lines.len() as u64);
    report.checked("lines that are not settled, or have many epochs: not counted again", found.not_counted);
    for (what, count) in [
        ("numbers are missing and no gap tells of them", found.untold),
        ("numbers came and a gap calls them missing", found.came),
        ("numbers are called missing that are not between any that came", found.beyond),
        ("numbers are told to have come late or behind their time, and did not come", found.not_late),
        ("numbers came twice and no duplicate tells of it", found.duplicates_untold),
        ("numbers are told to have come twice or with other content, and did not", found.not_duplicate),
        ("lines go on far from where they were, and no change of epoch tells of it", found.epochs_untold),
        ("findings are about lines on which nothing came", unfounded),
    ] {
        if count > 0 {
            report.find(FINDING, format!("{count} {what}"), REPORT_IT);
        }
    }
}

fn name_of(standing: &Standing) -> Name {
    (standing.counter.clone(), standing.sender.clone(), standing.recipient.clone())
}

fn lines(reading: &Reading<'_>, inputs: &Inputs) -> BTreeMap<Name, Line> {
    let mut lines = BTreeMap::new();
    let all = inputs.history.iter().map(|seen| (seen, 0)).chain(inputs.interchanges.iter().map(|seen| (seen, 1)));
    for (seen, times) in all {
        let mut add = |name: Name, numbers: Circle, number: u64, content| {
            let line = lines.entry(name).or_insert_with(|| Line { numbers, came: BTreeMap::new() });
            if !line.numbers.contains(number) {
                return;
            }
            let came = line.came.entry(number).or_default();
            came.times += times;
            came.is_in_history |= times == 0;
            if times > 0 {
                came.contents.insert(content);
                came.within.push((seen.sender.clone(), seen.recipient.clone(), seen.number));
            }
        };
        let of_link = |counter: &str| (counter.to_owned(), seen.sender.clone(), seen.recipient.clone());
        if let Some(number) = seen.number {
            add(of_link("sis"), reading.audit.interchanges.numbers, number, seen.content);
        }
        for message in &seen.messages {
            if let Some(number) = message.number {
                add(of_link("sms"), reading.audit.messages.numbers, number, message.content);
            }
        }
        let Some(settings) = reading.audit.of_transactions(seen.sender_side()) else { continue };
        for (number, content) in transactions_on_line(seen, &settings) {
            add(("tn".to_owned(), seen.sender.clone(), String::new()), settings.numbers, number, content);
        }
    }
    for (counter, sender, recipient, _) in &inputs.taken_over {
        let numbers = match counter.as_str() {
            "tn" => reading.audit.gp_transactions.numbers,
            _ => reading.audit.interchanges.numbers,
        };
        let name = (counter.clone(), sender.clone(), recipient.clone());
        lines.entry(name).or_insert_with(|| Line { numbers, came: BTreeMap::new() });
    }
    lines
}

/// What does not agree, over all lines.
#[derive(Default)]
struct Found {
    not_counted: u64,
    untold: u64,
    came: u64,
    beyond: u64,
    not_late: u64,
    duplicates_untold: u64,
    not_duplicate: u64,
    epochs_untold: u64,
}

impl Found {
    fn check(&mut self, name: &Name, line: &Line, inputs: &Inputs, published: &Published, reading: &Reading<'_>) {
        let on_line = |kind| published.of_kind(kind).filter(|standing| name_of(standing) == *name);
        let epochs: Vec<&Standing> = on_line("epoch-change").collect();
        let first = |standing: &Standing| standing.numbers.map(|(from, _)| from);
        // Numbers that began again near where they were stand for two things each, and which of them is meant the numbers do not say.
        let began_again = |number: u64, came: &Came| {
            let is_behind = |from: u64| line.numbers.steps(from, number) < line.numbers.largest() / 4;
            let has_two = |from: &u64| line.came.get(from).is_some_and(|came| came.contents.len() > 1);
            came.contents.len() > 1 && epochs.iter().copied().filter_map(first).filter(has_two).any(is_behind)
        };
        let late: BTreeSet<u64> = on_line("late").filter_map(first).collect();
        let closed = on_line("gap").filter(|gap| gap.state == "closed-late").filter_map(first);
        if inputs.are_complete {
            self.not_late += late.iter().copied().chain(closed).filter(|n| !line.came.contains_key(n)).count() as u64;
            self.duplicates(name, line, &late, published, began_again);
        }
        if line.came.iter().any(|(number, came)| began_again(*number, came)) {
            self.not_counted += 1;
            return;
        }
        let open = on_line("gap").filter(|gap| gap.state != "closed-late");
        let told = merged(open.filter_map(|gap| gap.numbers).flat_map(|range| unrolled(range, line.numbers)).collect());
        let settled: BTreeSet<u64> = line.came.keys().filter(|number| !late.contains(number)).copied().collect();
        self.came += told.iter().map(|&(from, to)| settled.range(from..=to).count() as u64).sum::<u64>();

        let baselines: Vec<u64> = inputs
            .taken_over
            .iter()
            .filter(|(counter, sender, recipient, _)| (counter, sender, recipient) == (&name.0, &name.1, &name.2))
            .map(|(.., number)| *number)
            .collect();
        let is_settled = epochs.iter().all(|epoch| epoch.state == "confirmed");
        if !inputs.are_complete || !is_settled || epochs.len() + 1 >= KEPT_EPOCHS || baselines.len() > 1 {
            self.not_counted += 1;
            return;
        }
        let beginnings: BTreeSet<u64> = epochs.into_iter().filter_map(first).collect();
        let plausible = reading.audit.interchanges.plausible;
        let mut segments = segments(&settled, &beginnings, line.numbers, plausible);
        if let Some(last_used) = baselines.first() {
            begin_behind(&mut segments, *last_used, line.numbers, plausible);
        }
        // One epoch is the first.
        let untold_epochs = segments.iter().filter(|segment| !beginnings.contains(&segment[0])).count();
        self.epochs_untold += (untold_epochs as u64).saturating_sub(1);
        let holes = segments.iter().flat_map(|segment| holes(segment, line.numbers));
        let missing = merged(holes.flat_map(|range| unrolled(range, line.numbers)).collect());
        self.untold += without(&missing, &told);
        self.beyond +=
            without(&told, &missing) - told.iter().map(|&(a, b)| settled.range(a..=b).count() as u64).sum::<u64>();
    }

    fn duplicates(
        &mut self,
        name: &Name,
        line: &Line,
        late: &BTreeSet<u64>,
        published: &Published,
        began_again: impl Fn(u64, &Came) -> bool,
    ) {
        let told = |kind| {
            let of_kind = published.of_kind(kind).filter(|standing| name_of(standing) == *name);
            of_kind.filter_map(|standing| standing.numbers.map(|(from, _)| from)).collect::<BTreeSet<u64>>()
        };
        let (same, differing) = (told("duplicate"), told("duplicate-differs"));
        for number in same.union(&differing) {
            let came = line.came.get(number);
            // What a history tells of may be the first of the two.
            let is_well = came.is_some_and(|came| {
                let times = came.times + u64::from(came.is_in_history);
                times > 1 && (!differing.contains(number) || came.contents.len() > 1)
            });
            self.not_duplicate += u64::from(!is_well);
        }
        for (number, came) in &line.came {
            // A number within an interchange that was sent again is counted there, and told only when its content differs.
            let by_itself = name.0 == "sis" || came.within.iter().collect::<BTreeSet<_>>().len() == came.within.len();
            let is_told = same.contains(number) || differing.contains(number);
            // Of what a history tells of it may be forgotten that it came since.
            let may_be_let_be = came.is_in_history || late.contains(number) || began_again(*number, came);
            let is_untold = came.times > 1 && by_itself && !is_told && !may_be_let_be;
            self.duplicates_untold += u64::from(is_untold);
        }
    }
}

/// The numbers that came in the order of the line, cut where they go on further away than is plausible, and where an epoch begins.
fn segments(came: &BTreeSet<u64>, beginnings: &BTreeSet<u64>, numbers: Circle, plausible: u64) -> Vec<Vec<u64>> {
    let all: Vec<u64> = came.iter().copied().collect();
    let behind = |place: usize| all[(place + 1) % all.len()];
    // The largest hole is where the line does not go on.
    let widest = (0..all.len()).max_by_key(|&place| match numbers.steps(all[place], behind(place)) {
        0 => u64::MAX,
        steps => steps,
    });
    let Some(widest) = widest else { return Vec::new() };
    let mut segments: Vec<Vec<u64>> = Vec::new();
    for place in 1..=all.len() {
        let number = all[(widest + place) % all.len()];
        match segments.last_mut() {
            Some(segment)
                if !beginnings.contains(&number)
                    && segment.last().is_some_and(|last| numbers.steps(*last, number) <= plausible) =>
            {
                segment.push(number);
            }
            _ => segments.push(vec![number]),
        }
    }
    segments
}

/// An operator said which number was used last: numbers before the next one are not of the line, and from it on none may be missing.
fn begin_behind(segments: &mut Vec<Vec<u64>>, last_used: u64, numbers: Circle, plausible: u64) {
    // 0 is the number of a line that begins.
    let next = if last_used == 0 { 1 } else { numbers.successor(last_used) };
    for segment in segments.iter_mut() {
        let (first, last) = (segment[0], segment[segment.len() - 1]);
        let is_near = numbers.steps(next, first) <= plausible
            || numbers.steps(first, next) <= numbers.steps(first, last) + plausible;
        if !is_near {
            continue;
        }
        segment.retain(|number| numbers.way(next, *number) >= 0);
        if segment.first() != Some(&next) {
            // As if the last used had come, which is no hole.
            segment.insert(0, if last_used == 0 { numbers.largest() } else { last_used });
        }
        break;
    }
    segments.retain(|segment| !segment.is_empty());
}

/// What is missing between numbers in the order of the line.
fn holes(segment: &[u64], numbers: Circle) -> impl Iterator<Item = (u64, u64)> {
    segment.windows(2).filter_map(move |pair| {
        let is_hole = numbers.steps(pair[0], pair[1]) > 1;
        let before = |number: u64| if number == 1 { numbers.largest() } else { number - 1 };
        is_hole.then(|| (numbers.successor(pair[0]), before(pair[1])))
    })
}

/// A range of the line, as one or two in which the first number is not above the last.
fn unrolled((from, to): (u64, u64), numbers: Circle) -> Vec<(u64, u64)> {
    if from <= to { vec![(from, to)] } else { vec![(from, numbers.largest()), (1, to)] }
}

fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut merged: Ranges = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// How many numbers of `these` are not in `those`; both are merged.
fn without(these: &[(u64, u64)], those: &[(u64, u64)]) -> u64 {
    let length = |(from, to): (u64, u64)| (to + 1).saturating_sub(from);
    let common = |a: (u64, u64), b: (u64, u64)| length((a.0.max(b.0), a.1.min(b.1)));
    these.iter().map(|&a| length(a) - those.iter().map(|&b| common(a, b)).sum::<u64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAUSIBLE: u64 = 100;

    fn missing(came: &[u64], beginnings: &[u64], last_used: Option<u64>) -> Vec<(u64, u64)> {
        let (came, beginnings) = (came.iter().copied().collect(), beginnings.iter().copied().collect());
        let mut segments = segments(&came, &beginnings, Circle::REFERENCES, PLAUSIBLE);
        if let Some(last_used) = last_used {
            begin_behind(&mut segments, last_used, Circle::REFERENCES, PLAUSIBLE);
        }
        segments.iter().flat_map(|segment| holes(segment, Circle::REFERENCES)).collect()
    }

    #[test]
    fn what_is_missing_are_the_holes_in_the_order_of_the_line() {
        assert_eq!(missing(&[1, 2, 5, 6, 9], &[], None), [(3, 4), (7, 8)]);
        assert_eq!(missing(&[99_999_998, 99_999_999, 1, 2], &[], None), []);
        assert_eq!(missing(&[99_999_997, 2], &[], None), [(99_999_998, 1)]);
        assert_eq!(missing(&[7], &[], None), []);
        assert_eq!(missing(&[], &[], None), []);
    }

    #[test]
    fn what_lies_between_epochs_is_not_missing() {
        assert_eq!(missing(&[1, 2, 5000, 5002], &[5000], None), [(5001, 5001)]);
        assert_eq!(missing(&[1, 2, 50, 52], &[50], None), [(51, 51)], "where an epoch began all the same");
    }

    #[test]
    fn a_line_that_is_taken_over_misses_what_follows_its_last_number() {
        assert_eq!(missing(&[42, 44], &[], Some(40)), [(41, 41), (43, 43)]);
        assert_eq!(missing(&[42, 44], &[], Some(41)), [(43, 43)]);
        assert_eq!(missing(&[3], &[], Some(0)), [(1, 2)]);
        assert_eq!(missing(&[38, 42], &[], Some(40)), [(41, 41)], "what came before is not of it");
    }

    #[test]
    fn ranges_are_counted_where_they_differ() {
        let told = merged(vec![(5, 6), (1, 2), (3, 3)]);
        assert_eq!(told, [(1, 3), (5, 6)]);
        assert_eq!((without(&told, &[(2, 5)]), without(&[(2, 5)], &told)), (2, 1));
        assert_eq!(unrolled((99_999_999, 2), Circle::REFERENCES), [(99_999_999, 99_999_999), (1, 2)]);
    }
}
