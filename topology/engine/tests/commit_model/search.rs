//! Breadth-first search over all situations, shortest executions first. A situation is remembered by a hash of 64 bits, with
//! another seed in each run: that two of ten million share one has a chance of 1 in 400,000, and not twice for the same two.

use std::hash::BuildHasher;
use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::actions::{Action, apply, enabled};
use crate::cluster::{Cluster, Problem, Scenario};
use crate::worker::Step;

/// What a search has seen.
pub struct Explored {
    pub states: usize,
    pub transitions: usize,
    /// Steps of the longest of the shortest ways to a state.
    pub depth: usize,
    pub took: Duration,
    /// Kinds of actions that were taken, and at which kinds of steps.
    pub taken: HashSet<Kind>,
    pub counterexample: Option<Counterexample>,
}

pub type Kind = (Discriminant<Action>, Discriminant<Step>);

pub fn kind(action: Action, step: Step) -> Kind {
    (discriminant(&action), discriminant(&step))
}

/// A wrong execution; among those that reach a wrong situation it is a shortest one.
pub struct Counterexample {
    pub steps: Vec<String>,
    pub problem: Problem,
}

struct Search<'s> {
    scenario: &'s Scenario,
    /// By number of the state: where it was first reached from, and by which of the actions there.
    reached_by: Vec<(u32, u8)>,
    /// Steps without a fault.
    edges: Vec<(u32, u32)>,
    transitions: usize,
    taken: HashSet<Kind>,
}

/// Explores everything, or up to the first problem.
pub fn explore(scenario: &Scenario) -> Explored {
    let began = Instant::now();
    let mut search =
        Search { scenario, reached_by: vec![(0, 0)], edges: Vec::new(), transitions: 0, taken: HashSet::new() };
    let (depth, wrong) = search.walk();
    let counterexample = wrong.or_else(|| search.find_endless());
    let (states, transitions) = (search.reached_by.len(), search.transitions);
    Explored { states, transitions, depth, took: began.elapsed(), taken: search.taken, counterexample }
}

impl Search<'_> {
    fn walk(&mut self) -> (usize, Option<Counterexample>) {
        let hasher = DefaultHashBuilder::default();
        let first = Cluster::at_first(self.scenario);
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        numbers.insert(hasher.hash_one(first), 0);
        let mut level = vec![(0, first)];
        let mut actions = Vec::new();
        let mut depth = 0;
        loop {
            let mut next = Vec::new();
            for (number, state) in &level {
                enabled(self.scenario, state, &mut actions);
                if actions.iter().all(|action| action.is_fault())
                    && let Err(problem) = state.check_end(self.scenario)
                {
                    return (depth, Some(Counterexample { steps: self.way_to(*number), problem }));
                }
                for (choice, action) in actions.iter().enumerate() {
                    self.transitions += 1;
                    self.taken.insert(kind(*action, action.step(state)));
                    let after = match apply(self.scenario, state, *action) {
                        Ok(after) => after,
                        Err(problem) => {
                            let mut steps = self.way_to(*number);
                            steps.push(action.describe(state));
                            return (depth + 1, Some(Counterexample { steps, problem }));
                        }
                    };
                    let new = self.reached_by.len() as u32;
                    let known = *numbers.entry(hasher.hash_one(after)).or_insert(new);
                    if known == new {
                        self.reached_by.push((*number, choice as u8));
                        next.push((new, after));
                    }
                    if !action.is_fault() {
                        self.edges.push((*number, known));
                    }
                }
            }
            if next.is_empty() {
                return (depth, None);
            }
            depth += 1;
            level = next;
        }
    }

    /// Replays the shortest way to a state.
    fn replay(&self, number: u32) -> (Cluster, Vec<String>) {
        let mut choices = Vec::new();
        let mut at = number;
        while at != 0 {
            let (from, choice) = self.reached_by[at as usize];
            choices.push(choice);
            at = from;
        }
        let mut state = Cluster::at_first(self.scenario);
        let (mut steps, mut actions) = (Vec::new(), Vec::new());
        for choice in choices.iter().rev() {
            enabled(self.scenario, &state, &mut actions);
            let action: Action = actions[*choice as usize];
            steps.push(action.describe(&state));
            state = apply(self.scenario, &state, action).expect("it was applied before");
        }
        (state, steps)
    }

    fn way_to(&self, number: u32) -> Vec<String> {
        self.replay(number).1
    }

    /// Without further faults every execution must come to its end. Takes away, from the ends backwards, states from which all
    /// steps lead to states that were taken away; what is left can go round for ever.
    fn find_endless(&self) -> Option<Counterexample> {
        let states = self.reached_by.len();
        let mut open_steps = vec![0_u32; states];
        let mut first_of = vec![0_u32; states + 1];
        for (from, to) in &self.edges {
            open_steps[*from as usize] += 1;
            first_of[*to as usize + 1] += 1;
        }
        for place in 0..states {
            first_of[place + 1] += first_of[place];
        }
        let mut into = vec![0_u32; self.edges.len()];
        let mut filled = first_of.clone();
        for (from, to) in &self.edges {
            into[filled[*to as usize] as usize] = *from;
            filled[*to as usize] += 1;
        }
        let mut ends: Vec<u32> = (0..states as u32).filter(|state| open_steps[*state as usize] == 0).collect();
        while let Some(end) = ends.pop() {
            for place in first_of[end as usize]..first_of[end as usize + 1] {
                let from = into[place as usize] as usize;
                open_steps[from] -= 1;
                if open_steps[from] == 0 {
                    ends.push(from as u32);
                }
            }
        }
        let endless = |state: u32| open_steps[state as usize] > 0;
        let mut at = (0..states as u32).find(|state| endless(*state))?;
        let mut visited = vec![at];
        loop {
            let (_, next) = *self.edges.iter().find(|(from, to)| *from == at && endless(*to))?;
            if let Some(begin) = visited.iter().position(|state| *state == next) {
                let round = visited.len() - begin;
                let mut steps = self.way_to(next);
                steps.push(format!("and from here round and round, {round} steps each"));
                let what = "without any further fault it never comes to an end".to_string();
                return Some(Counterexample { steps, problem: Problem::Effect(what) });
            }
            visited.push(next);
            at = next;
        }
    }
}
