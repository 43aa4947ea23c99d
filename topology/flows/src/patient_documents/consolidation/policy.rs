//! Which of several values counts: a policy is a list of steps, each of which leaves fewer candidates.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use super::weighed::Weighed;

/// One step of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All values must be one: otherwise none counts.
    MustAgree,
    /// The greatest sum of the trust in the documents that say so.
    Majority,
    /// The document whose contents changed last.
    MostRecent,
    /// The document that is trusted most.
    MostTrusted,
    /// The smallest value in the order of its characters.
    Smallest,
}

/// Every step with its name in configurations.
const STEPS: [(Step, &str); 5] = [
    (Step::MustAgree, "must-agree"),
    (Step::Majority, "majority"),
    (Step::MostRecent, "most-recent"),
    (Step::MostTrusted, "most-trusted"),
    (Step::Smallest, "smallest"),
];

impl Step {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STEPS.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }
}

/// A name that is none of a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no step of a policy: write must-agree, majority, most-recent, most-trusted or smallest")]
pub struct UnknownStep(String);

impl FromStr for Step {
    type Err = UnknownStep;

    fn from_str(text: &str) -> Result<Self, UnknownStep> {
        let known = STEPS.iter().find(|(_, name)| *name == text);
        known.map(|(step, _)| *step).ok_or_else(|| UnknownStep(text.to_owned()))
    }
}

/// The steps by which the value of a field is chosen. Where they leave several, the smallest is taken, so that the order in
/// which documents came decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    steps: Vec<Step>,
}

/// How a policy chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Place of the chosen candidate; `None` where none counts.
    pub chosen: Option<usize>,
    /// The step that left one candidate, or none; `None` where there was no choice.
    pub decided_by: Option<Step>,
}

impl Policy {
    /// A policy of these steps.
    #[must_use]
    pub fn of(steps: &[Step]) -> Self {
        Self { steps: steps.to_vec() }
    }

    /// Chooses among candidates with different values.
    pub(super) fn choose(&self, candidates: &[(&str, &Weighed)]) -> Choice {
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        if left.len() < 2 {
            return Choice { chosen: left.pop(), decided_by: None };
        }
        for step in self.steps.iter().chain(&[Step::Smallest]) {
            let weighed = |place: &usize| candidates[*place].1;
            match step {
                Step::MustAgree => return Choice { chosen: None, decided_by: Some(*step) },
                Step::Majority => keep_best(&mut left, |place| weighed(place).weight),
                Step::MostRecent => keep_best(&mut left, |place| weighed(place).latest_ms),
                Step::MostTrusted => keep_best(&mut left, |place| weighed(place).trust),
                Step::Smallest => keep_best(&mut left, |place| Reverse(candidates[*place].0)),
            }
            if let [chosen] = left[..] {
                return Choice { chosen: Some(chosen), decided_by: Some(*step) };
            }
        }
        Choice { chosen: left.first().copied(), decided_by: Some(Step::Smallest) }
    }
}

fn keep_best<T: Ord>(left: &mut Vec<usize>, mut worth: impl FnMut(&usize) -> T) {
    if let Some(best) = left.iter().map(&mut worth).max() {
        left.retain(|place| worth(place) == best);
    }
}

impl fmt::Display for Policy {
    /// `majority, most-recent, smallest`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.steps.iter().map(|step| step.as_str()).collect();
        formatter.write_str(&names.join(", "))
    }
}
