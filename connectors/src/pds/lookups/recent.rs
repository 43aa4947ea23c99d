//! What PDS has said of late.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::pds::PdsChange;

/// Answers of late, at most so many, and none older than so long.
pub(super) struct RecentAnswers {
    most: usize,
    kept_for: Duration,
    answers: HashMap<String, (PdsChange, Duration)>,
    /// In the order in which they came.
    order: VecDeque<(String, Duration)>,
}

impl RecentAnswers {
    pub(super) fn new(most: usize, kept_for: Duration) -> Self {
        Self { most, kept_for, answers: HashMap::new(), order: VecDeque::new() }
    }

    /// The answer about a number, unless it is too old. Times are those of [`ApiTime::elapsed`](crate::pds::api::ApiTime).
    pub(super) fn get(&self, nhs_number: &str, now: Duration) -> Option<&PdsChange> {
        let (answer, at) = self.answers.get(nhs_number)?;
        (now.saturating_sub(*at) < self.kept_for).then_some(answer)
    }

    pub(super) fn keep(&mut self, nhs_number: &str, answer: PdsChange, now: Duration) {
        if self.most == 0 || self.kept_for.is_zero() {
            return;
        }
        self.answers.insert(nhs_number.to_owned(), (answer, now));
        self.order.push_back((nhs_number.to_owned(), now));
        while self.order.front().is_some_and(|(_, at)| self.order.len() > self.most || self.is_old(*at, now)) {
            if let Some((number, at)) = self.order.pop_front() {
                // A newer answer about the number has an entry of its own further behind.
                if self.answers.get(&number).is_some_and(|(_, kept_at)| *kept_at == at) {
                    self.answers.remove(&number);
                }
            }
        }
    }

    fn is_old(&self, at: Duration, now: Duration) -> bool {
        now.saturating_sub(at) >= self.kept_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_answer_is_remembered_until_it_is_too_old() {
        let mut recent = RecentAnswers::new(10, MINUTE);
        recent.keep("1", PdsChange::NotFound, Duration::ZERO);
        assert_eq!(recent.get("1", MINUTE - Duration::from_millis(1)), Some(&PdsChange::NotFound));
        assert_eq!(recent.get("1", MINUTE), None);
        assert_eq!(recent.get("2", Duration::ZERO), None);
    }

    #[test]
    fn a_newer_answer_takes_the_place_of_an_older_one_and_outlives_it() {
        let mut recent = RecentAnswers::new(10, MINUTE);
        recent.keep("1", PdsChange::NotFound, Duration::ZERO);
        recent.keep("1", PdsChange::NotFound, MINUTE / 2);
        recent.keep("2", PdsChange::NotFound, MINUTE);
        assert!(recent.get("1", MINUTE).is_some());
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_are_too_many() {
        let mut recent = RecentAnswers::new(2, MINUTE);
        for (second, number) in ["1", "2", "3"].into_iter().enumerate() {
            recent.keep(number, PdsChange::NotFound, Duration::from_secs(second as u64));
        }
        let known: Vec<_> = ["1", "2", "3"].into_iter().filter(|n| recent.get(n, MINUTE / 2).is_some()).collect();
        assert_eq!(known, ["2", "3"]);
        assert_eq!((recent.answers.len(), recent.order.len()), (2, 2));
    }

    #[test]
    fn nothing_is_remembered_when_nothing_is_to_be() {
        let mut recent = RecentAnswers::new(2, Duration::ZERO);
        recent.keep("1", PdsChange::NotFound, Duration::ZERO);
        assert!(recent.order.is_empty() && recent.answers.is_empty());
    }
}
