//! What a verification has found.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::Outcome;

/// Counts and complaints.
#[derive(Default)]
pub struct Findings {
    /// Records of extracts that were held against the expectation.
    pub records: u64,
    /// Expected and not there, on any topic.
    lost: u64,
    /// There more often than expected.
    repeated: u64,
    /// Files and stores of which a part is there.
    torn: u64,
    complaints: Vec<String>,
}

impl Findings {
    /// Notes that something is wrong. No record's content: numbers and names of topics.
    pub fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    /// Notes that so many files or stores are there in part.
    pub fn tear(&mut self, count: u64) {
        self.torn += count;
    }

    /// For programs: one line.
    pub fn figures(&self, kills: u64, deaths_at_failpoints: u64) -> String {
        let Self { records, lost, repeated, torn, .. } = self;
        format!(
            "FIGURES {{\"kills\":{kills},\"failpoints\":{deaths_at_failpoints},\"records\":{records},\"lost\":{lost},\
             \"repeated\":{repeated},\"torn\":{torn}}}"
        )
    }

    /// Complains unless two things are equal.
    pub fn same<T: PartialEq + Debug>(&mut self, what: &str, expected: T, found: T) {
        if expected != found {
            self.complain(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    /// Holds the things of a topic against those expected, each of which must be there exactly once.
    pub fn each_once<K: Ord>(
        &mut self,
        what: &str,
        expected: impl IntoIterator<Item = K>,
        found: impl IntoIterator<Item = K>,
    ) {
        let mut times: BTreeMap<K, (u64, u64)> = BTreeMap::new();
        for key in expected {
            times.entry(key).or_default().0 += 1;
        }
        for key in found {
            times.entry(key).or_default().1 += 1;
        }
        let (mut lost, mut repeated, mut unexpected) = (0, 0, 0);
        for (expected, found) in times.into_values() {
            lost += expected.saturating_sub(found);
            if expected == 0 {
                unexpected += found;
            } else {
                repeated += found.saturating_sub(expected);
            }
        }
        self.lost += lost;
        self.repeated += repeated;
        if lost + repeated + unexpected > 0 {
            self.complain(format!("{what}: {lost} lost, {repeated} repeated, {unexpected} that nothing explains"));
        }
    }

    /// The counts, or the complaints.
    pub fn judge(self) -> Outcome<String> {
        let counts = format!("{} records, {} lost, {} repeated", self.records, self.lost, self.repeated);
        if self.complaints.is_empty() {
            return Ok(counts);
        }
        Err(format!("{counts}\n    {}", self.complaints.join("\n    ")))
    }
}
