//! One line under any order of arrival within the grace period.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::*;
use super::audit::described;

const NOW: i64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    TwiceDifferent,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Arrives), 2 => Just(Fate::Lost), 1 => Just(Fate::Twice), 1 => Just(Fate::TwiceDifferent)]
}

/// The number of the first of a line, near the end of the numbers as often as not, and what becomes of each.
fn traffic() -> impl Strategy<Value = (u64, Vec<Fate>)> {
    let first = prop_oneof![1..=99_999_999_u64, 99_999_950..=99_999_999_u64];
    (first, proptest::collection::vec(fate(), 1..60))
}

fn arrivals(first: u64, fates: &[Fate]) -> Vec<(u64, u64)> {
    let mut arrivals = Vec::new();
    let mut number = first;
    for fate in fates {
        match fate {
            Fate::Arrives => arrivals.push((number, 1)),
            Fate::Lost => {}
            Fate::Twice => arrivals.extend([(number, 1), (number, 1)]),
            Fate::TwiceDifferent => arrivals.extend([(number, 1), (number, 2)]),
        }
        number = Circle::REFERENCES.successor(number);
    }
    arrivals
}

fn expected(first: u64, fates: &[Fate]) -> BTreeSet<String> {
    let mut expected = BTreeSet::new();
    let mut lost: Option<(u64, u64)> = None;
    let mut any = false;
    let mut number = first;
    for fate in fates {
        if *fate == Fate::Lost {
            lost = Some((lost.map_or(number, |(from, _)| from), number));
        } else {
            if let Some((from, to)) = lost.take()
                && any
            {
                expected.insert(format!("Gap Confirmed sis TES5>XX11 {from}-{to}"));
            }
            any = true;
        }
        match fate {
            Fate::Twice => drop(expected.insert(format!("Duplicate Confirmed sis TES5>XX11 {number}-{number}"))),
            Fate::TwiceDifferent => {
                expected.insert(format!("DuplicateDiffers Confirmed sis TES5>XX11 {number}-{number}"));
            }
            Fate::Arrives | Fate::Lost => {}
        }
        number = Circle::REFERENCES.successor(number);
    }
    expected
}

/// The state of a line, and what came of late on it.
type Kept = (SequenceLine, BTreeMap<(LineKey, RowId), RecentRow>);

/// Everything arrives within one grace period, in this order; then all deadlines pass.
fn observed(first: u64, arrivals: &[(u64, u64)], settings: &LineSettings) -> (Kept, BTreeSet<String>) {
    let key = LineKey::interchanges("TES5", "XX11");
    let (mut line, mut rows) = (SequenceLine::default(), BTreeMap::new());
    let mut changes = Vec::new();
    for &(number, content) in arrivals {
        // In the order of the line, also over the end of the numbers.
        let prepared_at_ms = Some(Circle::REFERENCES.steps(first, number).cast_signed());
        let sighting = Sighting { number, content: Some(content), at_ms: NOW, prepared_at_ms, within_resend: false };
        let Ok(_) = line.observe(&key, &sighting, settings, &mut rows, &mut changes);
    }
    line.on_time(&key, NOW + settings.grace_ms, settings, &mut changes);
    let mut published = BTreeMap::new();
    for change in changes {
        match change {
            Change::Upsert(finding) => drop(published.insert(finding.id.clone(), finding)),
            Change::Retract(id) => assert!(published.remove(&id).is_some(), "{id} was never published"),
        }
    }
    ((line, rows), published.values().map(described).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn findings_are_what_was_planted_and_the_order_of_arrival_does_not_matter(
        (first, fates, arrivals, other_order) in traffic().prop_flat_map(|(first, fates)| {
            let arrivals = arrivals(first, &fates);
            (Just(first), Just(fates), Just(arrivals.clone()).prop_shuffle(), Just(arrivals).prop_shuffle())
        })
    ) {
        for window in [256, 8, 0] {
            let settings = LineSettings { window, ..LineSettings::of(Circle::REFERENCES) };
            let (kept, findings) = observed(first, &arrivals, &settings);
            if window == 256 {
                prop_assert_eq!(&findings, &expected(first, &fates));
            }
            let (other_kept, other_findings) = observed(first, &other_order, &settings);
            if window == 256 {
                prop_assert_eq!(&kept, &other_kept);
                prop_assert_eq!(findings, other_findings);
            }
            let ((line, _), (other_line, _)) = (kept, other_kept);
            prop_assert_eq!(line.summary(&settings), other_line.summary(&settings));
            prop_assert_eq!(from_stored::<SequenceLine>(&stored(&line).unwrap()).unwrap(), line);
        }
    }

    #[test]
    fn disorder_over_more_than_is_plausible_is_one_line_in_the_end(
        arrivals in Just((1..=60_u64).map(|step| (step * 50, 1)).collect::<Vec<_>>()).prop_shuffle()
    ) {
        // Four neighbouring runs are all that a line keeps apart, so numbers are spread over no more than that.
        let settings = LineSettings { plausible: 1000, ..LineSettings::of(Circle::REFERENCES) };
        let ((line, rows), findings) = observed(50, &arrivals, &settings);
        // What is remembered of the last 256 numbers, whichever epoch they came in.
        prop_assert!((2..=60).contains(&rows.len()), "{} rows", rows.len());
        prop_assert_eq!(line.runs().len(), 1);
        prop_assert_eq!(findings.len(), 59);
        prop_assert_eq!(line.summary(&settings).first, Some(50));
    }

    #[test]
    fn any_numbers_in_any_order_leave_a_sound_state(
        steps in proptest::collection::vec((prop_oneof![0..40_u64, 99_999_980..100_000_001_u64, 40..900_u64, any::<u64>()], 0..2_000_i64), 0..200)
    ) {
        let settings = LineSettings { grace_ms: 1000, plausible: 100, window: 16, ..LineSettings::of(Circle::REFERENCES) };
        let key = LineKey::interchanges("TES5", "XX11");
        let (mut line, mut rows, mut changes, mut now) = (SequenceLine::default(), BTreeMap::new(), Vec::new(), 0);
        for (number, wait) in steps {
            now += wait;
            let sighting = Sighting { number, content: Some(number), at_ms: now, prepared_at_ms: None, within_resend: false };
            let Ok(_) = line.observe(&key, &sighting, &settings, &mut rows, &mut changes);
            prop_assert!(line.next_deadline(&settings).is_none_or(|deadline| deadline > now));
            for run in line.runs() {
                prop_assert!(run.first <= run.last);
                prop_assert!((0..99_999_999).contains(&run.first));
                let mut behind = run.first;
                for gap in &run.gaps {
                    prop_assert!(behind < gap.from && gap.from <= gap.to, "{:?}", run);
                    behind = gap.to + 1;
                }
                prop_assert!(behind <= run.last);
            }
            // No row stays of what fell out of its window, or of an epoch that was given up.
            for (_, id) in rows.keys() {
                let is_within = |last: i64| (last - 15..=last).any(|place| place.rem_euclid(99_999_999) / 16 == id.numbers as i64);
                let is_of = |run: &Run| {
                    let mut joined = run.joined.iter();
                    (id.epoch == run.epoch && is_within(run.last))
                        || joined.any(|joined| id.epoch == joined.epoch && is_within(joined.last) && joined.last > run.last - 16)
                };
                prop_assert!(line.runs().iter().any(is_of), "{id:?} of {:?}", line.runs());
            }
        }
        // And what lies within it is remembered, whichever epoch it came in.
        for run in line.runs() {
            for place in run.first.max(run.last - 15)..=run.last {
                if !run.gaps.iter().any(|gap| (gap.from..=gap.to).contains(&place)) {
                    let number = place.rem_euclid(99_999_999).cast_unsigned() + 1;
                    let other = Sighting { number, content: Some(number + 1), at_ms: now, prepared_at_ms: None, within_resend: false };
                    let (mut line, mut rows) = (line.clone(), rows.clone());
                    let Ok(arrival) = line.observe(&key, &other, &settings, &mut rows, &mut changes);
                    prop_assert_eq!(arrival, Arrival::Again { differs: true }, "{} of {:?}", number, run);
                }
            }
        }
    }
}
