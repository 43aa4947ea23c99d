//! The settings of patient documents, as the configuration has them and as the flow takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use concord_documents::Limits;
use concord_engine::calls::CallLimits;
use concord_flows::patient_documents::consolidation::{Field, Policy, Rules, Step, TRUST};
use concord_flows::patient_documents::{Debounce, Settings};
use serde::Deserialize;

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

/// What reading one document may cost; whatever would cost more is refused or ended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadingLimits {
    /// Size of a document, MiB.
    pub document_mib: u64,
    /// Address space of a reading process, and of each tool that it starts, MiB.
    pub memory_mib: u64,
    /// Processor time, seconds; each tool may take as much again.
    pub processor_seconds: u64,
    /// Size of any file that is written on the way, such as a page as image, MiB.
    pub file_mib: u64,
    /// How deep JSON and XML may be nested.
    pub depth: usize,
    /// Values of JSON, elements and attributes of XML, segments of HL7 v2, words of a page.
    pub elements: usize,
    /// Observations that a document may make.
    pub observations: usize,
    /// Pages of a document.
    pub pages: u32,
    /// Pages of a PDF that have no text and are read by OCR.
    pub ocr_pages: u32,
    /// Pixels of a page.
    pub page_pixels: u64,
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

impl Default for ReadingLimits {
    fn default() -> Self {
        let Limits { document_bytes, memory_bytes, cpu_seconds, file_bytes, .. } = Limits::default();
        let Limits { depth, elements, observations, pages, ocr_pages, pixels, .. } = Limits::default();
        Self {
            document_mib: document_bytes >> 20,
            memory_mib: memory_bytes >> 20,
            processor_seconds: cpu_seconds,
            file_mib: file_bytes >> 20,
            depth,
            elements,
            observations,
            pages,
            ocr_pages,
            page_pixels: pixels,
        }
    }
}

/// The least address space in which the readers and their tools start, MiB.
const LEAST_MEMORY_MIB: u64 = 256;
/// A document and what is made of it must fit in memory, MiB.
const LARGEST_DOCUMENT_MIB: u64 = 1024;
/// The parser of JSON goes little deeper, and would call the document damaged.
const GREATEST_DEPTH: usize = 120;

impl ReadingLimits {
    fn check(&self) -> Result<(), String> {
        let wrong = |key: &str, remedy: &str| Err(format!("flows.patient_documents.reading.limits.{key}: {remedy}"));
        let counts = [
            ("document_mib", self.document_mib),
            ("processor_seconds", self.processor_seconds),
            ("file_mib", self.file_mib),
            ("depth", self.depth as u64),
            ("elements", self.elements as u64),
            ("observations", self.observations as u64),
            ("pages", u64::from(self.pages)),
            ("page_pixels", self.page_pixels),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return wrong(key, "it is 0, and no document could be read: write 1 or more");
        }
        if self.document_mib > LARGEST_DOCUMENT_MIB {
            return wrong("document_mib", &format!("write {LARGEST_DOCUMENT_MIB} or less"));
        }
        if self.memory_mib < LEAST_MEMORY_MIB || self.memory_mib < 4 * self.document_mib {
            let least = LEAST_MEMORY_MIB.max(4 * self.document_mib);
            return wrong("memory_mib", &format!("write {least} or more, four times document_mib at the least"));
        }
        if self.depth > GREATEST_DEPTH {
            return wrong("depth", &format!("write {GREATEST_DEPTH} or less"));
        }
        if self.ocr_pages > self.pages {
            return wrong("ocr_pages", "it is above `pages`, which counts them too: lower it, or raise that");
        }
        Ok(())
    }
}

/// A day: no wait in the configuration is longer.
const MOST_SECONDS: i64 = 24 * 60 * 60;

/// The engine ends an attempt so much later than the reading process is ended, which says better why.
const BEHIND_THE_READER_SECONDS: u64 = 10;

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
                // As many again wait in memory, so that no reader has nothing to do.
                in_flight: 2 * reading.at_once,
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
        let limits = &self.reading.limits;
        Limits {
            document_bytes: limits.document_mib << 20,
            memory_bytes: limits.memory_mib << 20,
            cpu_seconds: limits.processor_seconds,
            time: Duration::from_secs(self.reading.time_limit_seconds),
            file_bytes: limits.file_mib << 20,
            depth: limits.depth,
            elements: limits.elements,
            observations: limits.observations,
            pages: limits.pages,
            ocr_pages: limits.ocr_pages,
            pixels: limits.page_pixels,
        }
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
    fn a_limit_that_lets_nothing_be_read_is_refused_with_its_key() {
        let limits = |change: fn(&mut ReadingLimits)| refusal(|section| change(&mut section.reading.limits));
        assert!(limits(|limits| limits.pages = 0).contains("reading.limits.pages: it is 0"));
        assert!(limits(|limits| limits.document_mib = 2048).contains("limits.document_mib: write 1024 or less"));
        assert!(limits(|limits| limits.memory_mib = 100).contains("limits.memory_mib: write 256 or more"));
        assert!(limits(|limits| limits.document_mib = 600).contains("limits.memory_mib: write 2400 or more"));
        assert!(limits(|limits| limits.depth = 10_000).contains("limits.depth: write 120 or less"));
        assert!(limits(|limits| limits.ocr_pages = 501).contains("limits.ocr_pages: it is above `pages`"));
        assert!(refusal(|section| section.reading.fetch_seconds = 0).contains("reading.fetch_seconds must be 1"));
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
    }
}
