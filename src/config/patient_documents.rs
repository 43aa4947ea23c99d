//! The settings of patient documents, as the configuration has them and as the flow takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use concord_documents::Limits;
use concord_engine::calls::CallLimits;
use concord_flows::patient_documents::consolidation::{Field, Policy, Rules, Step, TRUST};
use concord_flows::patient_documents::{Debounce, Settings};
use serde::Deserialize;

use super::reading_limits::ReadingLimits;

/// Settings of patient documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatientDocuments {
    /// Consumer group, and beginning of internal topic names.
    pub application: String,
    /// So long nothing more of a patient must change before the patient is consolidated, seconds.
    pub quiet_seconds: i64,
    /// So long after the first change a patient is consolidated in any case, seconds.
    pub longest_wait_seconds: i64,
    /// How documents are read.
    pub reading: DocumentReading,
    /// Policies in place of those of the program, by field: lists of steps, such as `birth_date = ["most-recent", "majority"]`.
    pub policies: BTreeMap<String, Vec<String>>,
    /// Trust in place of that of the program, by reader, such as `ocr = 20`.
    pub trust: BTreeMap<String, u32>,
}

/// How documents are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentReading {
    /// Documents that this process reads at the same time.
    pub at_once: usize,
    /// How long one attempt may take, seconds.
    pub time_limit_seconds: u64,
    /// After so many failed attempts a document has failed.
    pub attempts: u32,
    /// Pause behind the first failed attempt, seconds; behind each further one it is twice as long.
    pub first_pause_seconds: u64,
    /// A pause is never longer, seconds.
    pub longest_pause_seconds: u64,
    /// With so many documents waiting a task takes no more in until some are read.
    pub most_waiting: u64,
    /// How long fetching a document from an object store may take, seconds.
    pub fetch_seconds: u64,
    /// What one document may cost.
    pub limits: ReadingLimits,
}

impl Default for PatientDocuments {
    fn default() -> Self {
        Self {
            application: "patient-documents".to_string(),
            quiet_seconds: 5,
            longest_wait_seconds: 60,
            reading: DocumentReading::default(),
            policies: BTreeMap::new(),
            trust: BTreeMap::new(),
        }
    }
}

impl Default for DocumentReading {
    fn default() -> Self {
        Self {
            at_once: 2,
            time_limit_seconds: 120,
            attempts: 3,
            first_pause_seconds: 10,
            longest_pause_seconds: 300,
            most_waiting: 1_000,
            fetch_seconds: 60,
            limits: ReadingLimits::default(),
        }
    }
}

/// A day: no wait in the configuration is longer.
const MOST_SECONDS: i64 = 24 * 60 * 60;

/// The engine ends an attempt so much later than the reading process is ended, which says better why.
const BEHIND_THE_READER_SECONDS: u64 = 10;
/// Documents at hand in memory for each that is read, so that readers have the next one while a worker commits.
const AT_HAND: usize = 16;

impl PatientDocuments {
    /// What is wrong with the section, if anything.
    pub fn check(&self) -> Result<(), String> {
        let seconds = [("quiet_seconds", self.quiet_seconds), ("longest_wait_seconds", self.longest_wait_seconds)];
        for (key, value) in seconds {
            if !(1..=MOST_SECONDS).contains(&value) {
                return Err(format!("flows.patient_documents.{key} must be between 1 and {MOST_SECONDS}"));
            }
        }
        if self.longest_wait_seconds < self.quiet_seconds {
            return Err("flows.patient_documents.longest_wait_seconds must not be below quiet_seconds".to_string());
        }
        let reading = &self.reading;
        let counts = [
            ("at_once", reading.at_once as u64),
            ("time_limit_seconds", reading.time_limit_seconds),
            ("attempts", u64::from(reading.attempts)),
            ("most_waiting", reading.most_waiting),
            ("fetch_seconds", reading.fetch_seconds),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(format!("flows.patient_documents.reading.{key} must be 1 or more"));
        }
        reading.limits.check()?;
        self.rules().map(drop)
    }

    /// The settings of the flow. What [`Self::check`] would refuse is left as the program has it.
    pub fn settings(&self, partitions: i32) -> Settings {
        let reading = &self.reading;
        Settings {
            application: self.application.clone(),
            partitions,
            reading: CallLimits {
                time_limit: Duration::from_secs(
                    reading
                        .time_limit_seconds
                        .saturating_add(reading.fetch_seconds)
                        .saturating_add(BEHIND_THE_READER_SECONDS),
                ),
                attempts: reading.attempts,
                first_pause: Duration::from_secs(reading.first_pause_seconds),
                longest_pause: Duration::from_secs(reading.longest_pause_seconds),
                in_flight: AT_HAND * reading.at_once,
                most_pending: reading.most_waiting,
            },
            debounce: Debounce {
                quiet_ms: self.quiet_seconds * 1000,
                longest_wait_ms: self.longest_wait_seconds * 1000,
            },
            rules: self.rules().unwrap_or_default(),
        }
    }

    /// What one document may cost.
    pub fn limits(&self) -> Limits {
        self.reading.limits.limits(Duration::from_secs(self.reading.time_limit_seconds))
    }

    fn rules(&self) -> Result<Rules, String> {
        let mut rules = Rules::default();
        for (name, steps) in &self.policies {
            let place = format!("flows.patient_documents.policies.{name}");
            let field = Field::of_name(name).ok_or_else(|| {
                let known: Vec<&str> = Field::all().map(Field::name).collect();
                format!("{place}: there is no such field: write one of {}", known.join(", "))
            })?;
            let steps: Result<Vec<Step>, _> = steps.iter().map(|step| step.parse()).collect();
            let steps = steps.map_err(|error| format!("{place}: {error}"))?;
            if steps.is_empty() {
                return Err(format!("{place} is empty: write at least one step, such as \"majority\""));
            }
            rules.set_policy(field, Policy::of(&steps));
        }
        for (reader, trust) in &self.trust {
            if !TRUST.iter().any(|(known, _)| known == reader) {
                let known: Vec<&str> = TRUST.iter().map(|(known, _)| *known).collect();
                return Err(format!(
                    "flows.patient_documents.trust.{reader}: there is no such reader: write one of {}",
                    known.join(", ")
                ));
            }
            rules.set_trust(reader, *trust);
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn refusal(change: impl FnOnce(&mut PatientDocuments)) -> String {
        let mut section = PatientDocuments::default();
        change(&mut section);
        section.check().unwrap_err()
    }

    #[test]
    fn a_section_without_keys_is_good() {
        assert_eq!(PatientDocuments::default().check(), Ok(()));
        let limits = Limits { time: Duration::from_secs(120), ..Limits::default() };
        assert_eq!(PatientDocuments::default().limits(), limits, "and reads within the limits of the readers");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_remedy() {
        let policy = |name: &str, step: &str| {
            let entry = (name.to_owned(), vec![step.to_owned()]);
            refusal(|section| section.policies.extend([entry]))
        };
        assert!(policy("birth", "majority").contains("write one of nhs_number, family_name"));
        assert!(policy("sex", "largest").contains("policies.sex: `largest` is no step"));
        let no_steps = refusal(|section| section.policies.extend([("sex".to_owned(), Vec::new())]));
        assert!(no_steps.contains("at least one step"));
        let no_reader = refusal(|section| section.trust.extend([("scanner".to_owned(), 1)]));
        assert!(no_reader.contains("write one of fhir-r4"));
        assert!(refusal(|section| section.quiet_seconds = 0).contains("quiet_seconds must be between 1"));
        assert!(refusal(|section| section.longest_wait_seconds = 1).contains("must not be below"));
        assert!(refusal(|section| section.reading.attempts = 0).contains("reading.attempts must be 1"));
        assert!(refusal(|section| section.reading.fetch_seconds = 0).contains("reading.fetch_seconds must be 1"));
        assert!(refusal(|section| section.reading.limits.pages = 0).contains("reading.limits.pages: it is 0"));
    }
}
