//! The commit cycle as a model: two workers and two tasks on one log, every order of their steps, of late markers and late
//! commits, and every fault at every step, explored exhaustively. What it covers is in `docs/ARCHITECTURE.md`, section 13.
//!
//! `CONCORD_MODEL_MORE_FAULTS=1` adds a fault to every scenario.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actions;
mod cluster;
mod cycle;
mod log;
mod mistakes;
mod search;
mod turn;
mod values;
mod worker;

use actions::Action;
use cluster::{LatePositions, Problem, Scenario};
use mistakes::Mistake;
use search::{Explored, explore, kind};
use worker::Step;

const WORKERS: usize = 2;
const TASKS: usize = 2;

const PLAIN: Scenario = Scenario {
    name: "",
    inputs: [0, 0],
    sets_timer: [false, false],
    sends_end_marker: [false, false],
    faults: 0,
    tombstones_expire: false,
    late_positions: LatePositions::Never,
    mistake: Mistake::None,
    asks_invariants: true,
};

/// Work and bad luck, small first. With two members task 0 is worker 0's and task 1 worker 1's; a single one has both.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "one task, three faults", inputs: [1, 0], faults: 3, ..PLAIN },
    Scenario {
        name: "a task that moves to whoever comes",
        inputs: [0, 2],
        sends_end_marker: [false, true],
        faults: 2,
        ..PLAIN
    },
    Scenario { name: "a timer", inputs: [1, 0], sets_timer: [true, false], faults: 2, ..PLAIN },
    Scenario { name: "three inputs", inputs: [3, 0], faults: 2, ..PLAIN },
    Scenario { name: "two tasks", inputs: [1, 1], faults: 2, ..PLAIN },
    Scenario { name: "two tasks with two inputs", inputs: [2, 2], sends_end_marker: [false, true], faults: 1, ..PLAIN },
    Scenario {
        name: "two tasks, a timer, an end marker",
        inputs: [2, 1],
        sets_timer: [true, false],
        sends_end_marker: [false, true],
        faults: 1,
        ..PLAIN
    },
];

/// The scenarios, with as many more faults as `CONCORD_MODEL_MORE_FAULTS` says.
fn scenarios() -> Vec<Scenario> {
    let more = std::env::var("CONCORD_MODEL_MORE_FAULTS").map_or(0, |text| text.parse().expect("a number of faults"));
    SCENARIOS.iter().map(|scenario| Scenario { faults: scenario.faults + more, ..*scenario }).collect()
}

fn figures(explored: &Explored) -> String {
    let Explored { states, transitions, depth, took, .. } = explored;
    format!("{states} states, {transitions} transitions, depth {depth}, {:.1} s", took.as_secs_f64())
}

fn trace(explored: &Explored) -> String {
    let Some(found) = &explored.counterexample else { return String::new() };
    let mut text = String::new();
    for (number, step) in found.steps.iter().enumerate() {
        text += &format!("  {:>3} {step}\n", number + 1);
    }
    let problem = match &found.problem {
        Problem::Invariant(broken) => broken.to_string(),
        Problem::Effect(what) => what.clone(),
    };
    text + &format!("      => {problem}\n")
}

/// What the scenarios must bring about, so that nothing is proven of what never happens.
const MUST_HAPPEN: &[(Action, Step)] = &[
    (Action::Start { w: 0 }, Step::Idle),
    (Action::TakeAssigned { w: 0, t: 0 }, Step::Idle),
    (Action::TakeRevoked { w: 0, t: 0 }, Step::Idle),
    (Action::TakeLost { w: 0 }, Step::Idle),
    (Action::Init { w: 0 }, Step::Idle),
    (Action::FetchPositions { w: 0, t: 0 }, Step::Idle),
    (Action::FetchEnd { w: 0, t: 0 }, Step::Idle),
    (Action::Replay { w: 0, t: 0 }, Step::Idle),
    (Action::Process { w: 0, t: 0 }, Step::Idle),
    (Action::FireTimer { w: 0, t: 0 }, Step::Idle),
    (Action::BeginCommit { w: 0 }, Step::Idle),
    (Action::Advance { w: 0 }, Step::WriteChangelog(0)),
    (Action::Advance { w: 0 }, Step::SendPositions),
    (Action::Advance { w: 0 }, Step::Commit),
    (Action::Advance { w: 0 }, Step::KeepState(0)),
    (Action::Advance { w: 0 }, Step::HandOver),
    (Action::MarkChangelog { w: 0, t: 0 }, Step::Idle),
    (Action::MarkGroup { w: 0 }, Step::Idle),
    (Action::LateCommitArrives { w: 0 }, Step::Idle),
    (Action::DeadSessionEnds { w: 0 }, Step::Idle),
    (Action::Crash { w: 0 }, Step::Idle),
    (Action::Crash { w: 0 }, Step::WriteChangelog(0)),
    (Action::Crash { w: 0 }, Step::SendPositions),
    (Action::Crash { w: 0 }, Step::Commit),
    (Action::Crash { w: 0 }, Step::KeepState(0)),
    (Action::Crash { w: 0 }, Step::HandOver),
    (Action::CrashAndDiskLost { w: 0 }, Step::Idle),
    (Action::CrashWhileCommitting { w: 0 }, Step::Idle),
    (Action::SessionEnds { w: 0 }, Step::Idle),
    (Action::TransactionTimesOut { w: 0 }, Step::Idle),
    (Action::DeliveryFails { w: 0 }, Step::Idle),
    (Action::ProducerBreaks { w: 0 }, Step::Idle),
    (Action::CommitAnswerLost { w: 0 }, Step::Idle),
    (Action::ChangelogTrimmed { t: 0 }, Step::Idle),
];

#[test]
fn every_execution_keeps_the_invariants_and_ends_with_everything_committed_once() {
    let mut wrong = 0;
    let mut never: Vec<&(Action, Step)> = MUST_HAPPEN.iter().collect();
    for scenario in scenarios() {
        let explored = explore(&scenario);
        let Scenario { name, inputs, faults, .. } = scenario;
        println!("{name} (inputs {inputs:?}, {faults} faults): {}", figures(&explored));
        print!("{}", trace(&explored));
        wrong += usize::from(explored.counterexample.is_some());
        never.retain(|(action, step)| !explored.taken.contains(&kind(*action, *step)));
    }
    assert_eq!(wrong, 0, "wrong executions are above");
    assert!(never.is_empty(), "no scenario brings about {never:?}");
}

/// The first scenario in which a mistake shows, and what it shows: first with one fault, then with two. Two inputs are enough.
fn find(mistake: Mistake, asks_invariants: bool) -> Option<(&'static str, Explored)> {
    let small = |faults| {
        let scenarios = SCENARIOS.iter().filter(|scenario| scenario.inputs.iter().sum::<u8>() <= 2);
        scenarios.map(move |scenario| Scenario { faults, ..*scenario })
    };
    small(1).chain(small(2)).find_map(|scenario| {
        let explored = explore(&Scenario { mistake, asks_invariants, ..scenario });
        explored.counterexample.is_some().then_some((scenario.name, explored))
    })
}

#[test]
fn every_planted_mistake_breaks_an_invariant() {
    let mut survivors = Vec::new();
    for (mistake, words, _) in mistakes::TABLE {
        match find(*mistake, true) {
            Some((name, explored)) => println!("{words}: found in `{name}`\n{}", trace(&explored)),
            None => survivors.push(words),
        }
    }
    assert!(survivors.is_empty(), "survived: {survivors:#?}");
}

/// Without asking the invariants: the mistake does what nobody wants, or it is one that only an invariant can see.
#[test]
fn every_planted_mistake_does_the_harm_it_is_said_to_do() {
    let mut wrong = Vec::new();
    for (mistake, words, does_harm) in mistakes::TABLE {
        let found = find(*mistake, false);
        match &found {
            Some((name, explored)) => println!("{words}: does harm in `{name}`\n{}", trace(explored)),
            None => println!("{words}: does no harm by itself\n"),
        }
        if found.is_some() != *does_harm {
            wrong.push(words);
        }
    }
    assert!(wrong.is_empty(), "not as the table says: {wrong:#?}");
}

/// A known hole, of the real worker too (`tests/driver/time.rs`): a state directory that was away for longer than changelogs keep
/// tombstones brings deleted keys back. When the worker looks at the age of what it finds, `Turn::replay` can tell.
#[test]
fn a_state_directory_older_than_the_tombstones_is_not_safe_to_use() {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.sets_timer[0]).copied().unwrap();
    let explored = explore(&Scenario { tombstones_expire: true, asks_invariants: false, ..scenario });
    print!("{}", trace(&explored));
    assert!(explored.counterexample.is_some());
}

/// A known hole: positions that arrive after their transaction was given up can end up in the next one of the same producer. A
/// worker that builds its producer anew, as for a commit without an answer, has no such hole.
#[test]
fn after_positions_without_an_answer_only_a_new_producer_is_safe() {
    for (late_positions, is_safe) in [(LatePositions::LeadToAbort, false), (LatePositions::LeadToRecovery, true)] {
        let scenario = Scenario { inputs: [2, 0], faults: 2, late_positions, asks_invariants: false, ..PLAIN };
        let explored = explore(&scenario);
        println!("positions without an answer, {late_positions:?}: {}", figures(&explored));
        print!("{}", trace(&explored));
        assert_eq!(explored.counterexample.is_none(), is_safe);
    }
}
