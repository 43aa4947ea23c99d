//! What a verification has checked and found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Something that is wrong, without patient data.
pub struct Finding {
    /// Topic, job or store.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Counts of what was checked, and findings.
#[derive(Default)]
pub struct Report {
    checked: BTreeMap<&'static str, u64>,
    findings: Vec<Finding>,
}

impl Report {
    /// Adds to the count of what was checked.
    pub fn checked(&mut self, what: &'static str, count: u64) {
        *self.checked.entry(what).or_default() += count;
    }

    /// Notes that something is wrong.
    pub fn find(&mut self, place: impl Into<String>, what: impl Into<String>, remedy: &'static str) {
        self.findings.push(Finding { place: place.into(), what: what.into(), remedy });
    }

    /// How many findings there are.
    pub fn findings(&self) -> usize {
        self.findings.len()
    }

    /// For people.
    pub fn as_text(&self) -> String {
        let mut text = String::new();
        for (what, count) in &self.checked {
            text.push_str(&format!("{count:>12}  {what}\n"));
        }
        for finding in &self.findings {
            text.push_str(&format!("FOUND {}: {}\n      {}\n", finding.place, finding.what, finding.remedy));
        }
        text.push_str(&format!("{} findings.\n", self.findings.len()));
        text
    }

    /// For programs.
    pub fn as_json(&self) -> Value {
        let finding = |f: &Finding| json!({"place": f.place, "what": f.what, "remedy": f.remedy});
        json!({
            "checked": self.checked,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}
