//! One line, number by number: the vectors of the domain's definition of a gap.

use std::collections::BTreeMap;

use super::super::*;
use super::audit::described;

const GRACE: i64 = 1000;

fn settings() -> LineSettings {
    LineSettings { grace_ms: GRACE, plausible: 1000, ..LineSettings::of(Circle::REFERENCES) }
}

struct Scene {
    key: LineKey,
    line: SequenceLine,
    rows: BTreeMap<(LineKey, RowId), RecentRow>,
    settings: LineSettings,
    changes: Vec<Change>,
    now: i64,
}

impl Scene {
    fn new() -> Self {
        let key = LineKey::interchanges("TES5", "XX11");
        let (line, rows) = (SequenceLine::default(), BTreeMap::new());
        Self { key, line, rows, settings: settings(), changes: Vec::new(), now: 0 }
    }

    fn see(&mut self, number: u64) -> Arrival {
        self.see_content(number, number)
    }

    fn see_content(&mut self, number: u64, content: u64) -> Arrival {
        self.see_prepared(number, Some(content), self.now + 1)
    }

    fn see_prepared(&mut self, number: u64, content: Option<u64>, prepared_at_ms: i64) -> Arrival {
        self.now += 1;
        let (at_ms, prepared_at_ms) = (self.now, Some(prepared_at_ms));
        let sighting = Sighting { number, content, at_ms, prepared_at_ms, within_resend: false };
        let Ok(arrival) = self.line.observe(&self.key, &sighting, &self.settings, &mut self.rows, &mut self.changes);
        arrival
    }

    fn take_over(&mut self, last_used: u64, at_ms: i64) {
        let Ok(()) =
            self.line.take_over(&self.key, last_used, at_ms, &self.settings, &mut self.rows, &mut self.changes);
    }

    fn see_all(&mut self, numbers: &[u64]) {
        for &number in numbers {
            self.see(number);
        }
    }

    fn wait(&mut self, ms: i64) {
        self.now += ms;
        self.line.on_time(&self.key, self.now, &self.settings, &mut self.changes);
    }

    fn missing(&self) -> Vec<(u64, u64)> {
        self.summary().missing.into_iter().map(Into::into).collect()
    }

    fn summary(&self) -> LineSummary {
        self.line.summary(&self.settings)
    }

    /// What is published now.
    fn findings(&self) -> Vec<String> {
        let mut published = BTreeMap::new();
        for change in &self.changes {
            match change {
                Change::Upsert(finding) => {
                    published.insert(finding.id.clone(), described(finding));
                }
                Change::Retract(id) => {
                    assert!(published.remove(id).is_some(), "{id} was never published");
                }
            }
        }
        published.into_values().collect()
    }
}

#[test]
fn a_number_left_out_is_suspected_then_confirmed_and_closed_when_it_comes_late() {
    let mut scene = Scene::new();
    scene.see_all(&[1, 2, 5]);
    assert_eq!(scene.findings(), ["Gap Suspected sis TES5>XX11 3-4"]);
    assert_eq!(scene.line.next_deadline(&scene.settings), Some(1 + GRACE), "the beginning settles first");
    scene.wait(GRACE);
    assert_eq!(scene.findings(), ["Gap Confirmed sis TES5>XX11 3-4"]);
    assert_eq!(scene.line.next_deadline(&scene.settings), None);
    assert_eq!(scene.see(3), Arrival::Closes);
    assert_eq!(scene.findings(), ["Gap ClosedLate sis TES5>XX11 3-3", "Gap Confirmed sis TES5>XX11 4-4"]);
    assert_eq!(scene.missing(), [(4, 4)]);
}

#[test]
fn disorder_within_the_grace_period_leaves_nothing() {
    let mut scene = Scene::new();
    scene.see_all(&[10, 13, 12, 11]);
    assert!(scene.findings().is_empty(), "{:?}", scene.findings());
    scene.wait(2 * GRACE);
    assert!(scene.findings().is_empty());
    assert_eq!((scene.summary().first, scene.summary().last), (Some(10), Some(13)));
}

#[test]
fn numbers_go_on_at_one_behind_the_largest() {
    let mut scene = Scene::new();
    scene.see_all(&[99_999_998, 99_999_999, 1, 2]);
    assert!(scene.findings().is_empty(), "zero is no missing number");
    let mut scene = Scene::new();
    scene.see_all(&[99_999_999, 2]);
    assert_eq!(scene.missing(), [(1, 1)]);
    let mut scene = Scene::new();
    scene.see_all(&[99_999_997, 3]);
    assert_eq!(scene.missing(), [(99_999_998, 2)], "a range goes over the end");
    let mut scene = Scene::new();
    scene.settings = LineSettings { grace_ms: GRACE, ..LineSettings::of(Circle::GP_TRANSACTIONS) };
    scene.see_all(&[9_999_999, 1]);
    assert!(scene.missing().is_empty());
    assert_eq!(scene.see(10_000_000), Arrival::Unusable);
    assert_eq!(scene.see(0), Arrival::Unusable);
}

#[test]
fn an_older_number_moves_the_beginning_within_the_grace_period_and_is_late_behind_it() {
    let mut scene = Scene::new();
    scene.see_all(&[7, 5]);
    assert_eq!((scene.summary().first, scene.missing()), (Some(5), vec![(6, 6)]));
    scene.wait(GRACE);
    assert_eq!(scene.see(3), Arrival::Late);
    assert_eq!(scene.summary().first, Some(5));
    assert_eq!(scene.findings(), ["Gap Confirmed sis TES5>XX11 6-6", "Late Confirmed sis TES5>XX11 3-3"]);
}

#[test]
fn the_beginning_may_lie_before_the_end_of_the_numbers() {
    let mut one_way = Scene::new();
    one_way.see_all(&[99_999_999, 1, 2]);
    let mut other_way = Scene::new();
    other_way.see_all(&[1, 2, 99_999_999]);
    assert_eq!(one_way.summary(), other_way.summary());
    assert_eq!(one_way.line.runs()[0].first, other_way.line.runs()[0].first);
    assert_eq!(one_way.rows, other_way.rows);
}

#[test]
fn a_line_that_is_taken_over_misses_what_did_not_come_since() {
    let mut scene = Scene::new();
    scene.take_over(99_999_998, 0);
    assert_eq!((scene.summary().first, scene.summary().next), (None, Some(99_999_999)));
    scene.see(2);
    assert_eq!(scene.missing(), [(99_999_999, 1)]);
    assert_eq!(
        (scene.summary().first, scene.summary().last),
        (Some(2), Some(2)),
        "what was seen, not what was to come"
    );

    let mut scene = Scene::new();
    scene.take_over(0, 0);
    scene.see(1);
    assert!(scene.missing().is_empty(), "a line known to begin expects 1");
}

#[test]
fn a_line_can_be_taken_over_behind_its_first_number() {
    let mut scene = Scene::new();
    scene.see_all(&[10, 12, 20, 25]);
    scene.take_over(14, 100);
    assert_eq!(scene.missing(), [(15, 19), (21, 24)]);
    assert_eq!(scene.see(13), Arrival::Late);
    let mut scene = Scene::new();
    scene.see_all(&[10, 11]);
    scene.take_over(7, 100);
    assert_eq!((scene.summary().first, scene.missing()), (Some(10), vec![(8, 9)]));
    let mut scene = Scene::new();
    scene.see_all(&[10, 11]);
    scene.take_over(15, 100);
    scene.see(16);
    assert!(scene.missing().is_empty());
}

#[test]
fn the_same_again_is_counted_and_other_content_is_told_apart() {
    let mut scene = Scene::new();
    scene.see_all(&[1, 2, 3]);
    assert_eq!(scene.see(2), Arrival::Again { differs: false });
    assert_eq!(scene.findings(), ["Duplicate Confirmed sis TES5>XX11 2-2"]);
    assert_eq!(scene.see_content(2, 77), Arrival::Again { differs: true });
    assert_eq!(scene.findings(), ["DuplicateDiffers Confirmed sis TES5>XX11 2-2"]);
    assert_eq!(scene.summary().duplicates, 2);
    assert_eq!(scene.line.sightings(), 5);
}

#[test]
fn what_came_before_the_window_is_a_duplicate_of_unknown_content() {
    let mut scene = Scene::new();
    scene.settings.window = 4;
    for number in 1..=20 {
        scene.see(number);
    }
    assert_eq!(scene.rows.len(), 0, "17 to 20 are in the row of the last number");
    assert_eq!(scene.see_prepared(3, Some(77), 3), Arrival::Again { differs: false });
    assert_eq!(scene.see_content(17, 77), Arrival::Again { differs: true });
}

#[test]
fn a_number_far_away_is_a_change_of_epoch_and_not_millions_of_gaps() {
    let mut scene = Scene::new();
    scene.see_all(&[50_000_000, 50_000_001]);
    scene.wait(2 * GRACE);
    assert_eq!(scene.see(1), Arrival::First);
    assert_eq!(scene.findings(), ["EpochChange Suspected sis TES5>XX11 1-1"]);
    scene.see_all(&[2, 4]);
    // A straggler of the old epoch still closes nothing new and opens nothing.
    assert_eq!(scene.see(50_000_001), Arrival::Again { differs: false });
    scene.wait(2 * GRACE);
    assert_eq!(scene.missing(), [(3, 3)]);
    assert_eq!(
        scene.findings(),
        [
            "Duplicate Confirmed sis TES5>XX11 50000001-50000001",
            "EpochChange Confirmed sis TES5>XX11 1-4",
            "Gap Confirmed sis TES5>XX11 3-3"
        ]
    );
    assert_eq!((scene.summary().first, scene.summary().last), (Some(50_000_000), Some(4)));
    let seen: Vec<(u64, u64)> = scene.summary().seen.into_iter().map(Into::into).collect();
    assert_eq!(seen, [(50_000_000, 50_000_001), (1, 4)]);
}

#[test]
fn runs_that_disorder_made_are_joined() {
    let mut scene = Scene::new();
    scene.see_all(&[1, 1800]);
    assert_eq!(scene.line.runs().len(), 2);
    scene.see(900);
    assert_eq!(scene.line.runs().len(), 1);
    assert_eq!(scene.missing(), [(2, 899), (901, 1799)]);
    assert_eq!(scene.findings(), ["Gap Suspected sis TES5>XX11 2-899", "Gap Suspected sis TES5>XX11 901-1799"]);
}

#[test]
fn a_run_does_not_grow_into_one_whose_beginning_is_settled() {
    let mut scene = Scene::new();
    scene.see_all(&[5000, 5001]);
    scene.wait(2 * GRACE);
    scene.see_all(&[3900, 3999]);
    scene.see(4000);
    assert_eq!(scene.line.runs().len(), 2, "4001 to 4999 were never missing");
    assert_eq!(scene.see(4100), Arrival::New);
    assert_eq!(scene.missing(), [(3901, 3998), (4001, 4099)]);
}

#[test]
fn a_line_keeps_few_runs_whatever_comes() {
    let mut scene = Scene::new();
    for epoch in 1..50 {
        scene.see(epoch * 1_000_000);
    }
    assert!(scene.line.runs().len() <= 4);
    let suspected = scene.findings().iter().filter(|finding| finding.contains("Suspected")).count();
    assert!(suspected <= 4, "what was given up is confirmed: {suspected}");
}

#[test]
fn numbers_that_begin_again_near_where_they_were_are_another_epoch() {
    let mut scene = Scene::new();
    scene.see_all(&(1..=900).collect::<Vec<_>>());
    scene.wait(2 * GRACE);
    assert_eq!(scene.see_content(1, 11), Arrival::First);
    assert_eq!(scene.see_content(2, 12), Arrival::New);
    assert_eq!(scene.see_content(4, 14), Arrival::New);
    assert_eq!(
        scene.findings(),
        ["EpochChange Suspected sis TES5>XX11 1-1", "Gap Suspected sis TES5>XX11 3-3"],
        "nothing is called sent again"
    );
    scene.wait(2 * GRACE);
    assert_eq!(scene.findings(), ["EpochChange Confirmed sis TES5>XX11 1-4", "Gap Confirmed sis TES5>XX11 3-3"]);
    // They go on through those of before, and beyond.
    for number in (5..=897).chain([899, 898]).chain(900..=910) {
        assert!(matches!(scene.see_content(number, number + 10), Arrival::New | Arrival::Closes), "{number}");
    }
    assert_eq!(scene.summary().duplicates, 0);
    assert_eq!(scene.summary().last, Some(910));
}

#[test]
fn numbers_that_begin_again_below_the_beginning_are_another_epoch() {
    let mut scene = Scene::new();
    scene.see_all(&(500..=900).collect::<Vec<_>>());
    scene.wait(2 * GRACE);
    assert_eq!(scene.see_prepared(499, Some(1), 0), Arrival::Late, "it was prepared before");
    assert_eq!(scene.see(1), Arrival::First);
    assert_eq!(scene.see(2), Arrival::New);
    assert_eq!(scene.findings(), ["EpochChange Suspected sis TES5>XX11 1-1", "Late Confirmed sis TES5>XX11 499-499"]);
}

#[test]
fn numbers_of_a_history_that_begin_again_are_another_epoch() {
    let mut scene = Scene::new();
    for number in 1..=600_u64 {
        scene.see_prepared(number, None, number.cast_signed());
    }
    scene.wait(2 * GRACE);
    assert_eq!(scene.see_prepared(1, Some(1), 1), Arrival::Known);
    assert_eq!(scene.see(2), Arrival::First);
}

#[test]
fn what_is_sent_again_as_it_was_is_no_epoch_however_old() {
    let mut scene = Scene::new();
    scene.see_all(&(1..=900).collect::<Vec<_>>());
    scene.wait(2 * GRACE);
    assert_eq!(scene.see_prepared(1, Some(1), 1), Arrival::Again { differs: false });
    assert_eq!(scene.findings(), ["Duplicate Confirmed sis TES5>XX11 1-1"]);
}

#[test]
fn what_a_history_told_of_is_known_however_much_of_it_there_is() {
    let mut scene = Scene::new();
    let mut see = |number: u64, content| scene.see_prepared(number, content, number.cast_signed());
    (1..=600).for_each(|number| assert_ne!(see(number, None), Arrival::Known));
    (1..=600).for_each(|number| assert_eq!(see(number, Some(number)), Arrival::Known));
    assert_eq!(see(600, Some(600)), Arrival::Again { differs: false });
    assert_eq!(scene.summary().duplicates, 1);
}

#[test]
fn a_baseline_is_corrected_while_nothing_has_come() {
    let mut scene = Scene::new();
    for last_used in [41, 39, 45] {
        scene.take_over(last_used, 0);
    }
    scene.wait(2 * GRACE);
    assert!(scene.findings().is_empty() && scene.missing().is_empty(), "{:?}", scene.findings());
    scene.see(47);
    assert_eq!(scene.missing(), [(46, 46)]);
}

#[test]
fn explained_numbers_are_not_missing_and_the_rest_of_their_range_is() {
    let mut scene = Scene::new();
    scene.see_all(&[1, 10]);
    scene.wait(2 * GRACE);
    let burnt = NumberRange { from: 4, to: 5 };
    scene.line.explain(&scene.key.clone(), burnt, "burnt: rendering failed", 9000, &settings(), &mut scene.changes);
    assert_eq!(scene.missing(), [(2, 3), (6, 9)]);
    assert_eq!(
        scene.findings(),
        ["Gap Confirmed sis TES5>XX11 2-3", "Gap Explained sis TES5>XX11 4-5", "Gap Confirmed sis TES5>XX11 6-9"]
    );
    // It comes after all.
    assert_eq!(scene.see(4), Arrival::Closes);
    assert!(scene.findings().contains(&"Gap ClosedLate sis TES5>XX11 4-4".to_owned()));
}

#[test]
fn a_silent_line_is_reported_and_taken_back_when_it_speaks() {
    let mut scene = Scene::new();
    scene.settings.silence_ms = Some(50_000);
    assert_eq!(scene.line.next_deadline(&scene.settings), None, "a line that nothing came on yet is not silent");
    scene.see(1);
    scene.wait(49_999);
    assert!(scene.findings().is_empty());
    assert_eq!(scene.line.next_deadline(&scene.settings), Some(50_001));
    scene.wait(1);
    assert_eq!(scene.findings(), ["LinkSilent Confirmed sis TES5>XX11"]);
    scene.see(2);
    assert!(scene.findings().is_empty());
}

#[test]
fn a_deadline_is_kept_before_what_comes_behind_it_even_without_a_timer() {
    let mut scene = Scene::new();
    scene.see_all(&[1, 3]);
    scene.now += 5 * GRACE;
    assert_eq!(scene.see(2), Arrival::Closes);
    assert_eq!(scene.findings(), ["Gap ClosedLate sis TES5>XX11 2-2"]);
}

#[test]
fn a_state_is_stored_small_and_reads_as_itself() {
    let mut scene = Scene::new();
    for number in (1..100_000).filter(|number| number % 1000 != 7) {
        scene.now -= 1;
        scene.see(number);
    }
    let bytes = stored(&scene.line).unwrap();
    assert_eq!(from_stored::<SequenceLine>(&bytes).unwrap(), scene.line);
    assert_eq!(scene.missing().len(), 100);
    assert!(bytes.len() < 8 * 1024, "{} bytes", bytes.len());
    assert_eq!(from_stored::<SequenceLine>(&[9]), Err(UnreadableState));
    assert_eq!(from_stored::<SequenceLine>(&[]), Err(UnreadableState));
    assert_eq!(from_stored::<SequenceLine>(&bytes[..bytes.len() - 1]), Err(UnreadableState));
}

#[test]
fn keys_of_lines_do_not_run_into_each_other_whatever_the_codes() {
    assert_eq!(LineKey::transactions("TES5").to_string(), "tn/TES5");
    assert_ne!(LineKey::interchanges("A/B", "C").to_string(), LineKey::interchanges("A", "B/C").to_string());
    assert_ne!(LineKey::interchanges("A%2FB", "C").to_string(), LineKey::interchanges("A/B", "C").to_string());
}
