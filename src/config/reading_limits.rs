//! What reading one document may cost, as the configuration has it and as readers take it.

use std::time::Duration;

use concord_documents::Limits;
use serde::Deserialize;

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
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), String> {
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

    /// As readers take them, with the time that one attempt may take.
    pub fn limits(&self, time: Duration) -> Limits {
        Limits {
            document_bytes: self.document_mib << 20,
            memory_bytes: self.memory_mib << 20,
            cpu_seconds: self.processor_seconds,
            time,
            file_bytes: self.file_mib << 20,
            depth: self.depth,
            elements: self.elements,
            observations: self.observations,
            pages: self.pages,
            ocr_pages: self.ocr_pages,
            pixels: self.page_pixels,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_limit_that_lets_nothing_be_read_is_refused_with_its_key() {
        assert_eq!(ReadingLimits::default().check(), Ok(()));
        let refusal = |change: fn(&mut ReadingLimits)| {
            let mut limits = ReadingLimits::default();
            change(&mut limits);
            limits.check().unwrap_err()
        };
        assert!(refusal(|limits| limits.document_mib = 0).contains("reading.limits.document_mib: it is 0"));
        assert!(refusal(|limits| limits.document_mib = 2048).contains("limits.document_mib: write 1024 or less"));
        assert!(refusal(|limits| limits.memory_mib = 100).contains("limits.memory_mib: write 256 or more"));
        assert!(refusal(|limits| limits.document_mib = 600).contains("limits.memory_mib: write 2400 or more"));
        assert!(refusal(|limits| limits.depth = 10_000).contains("limits.depth: write 120 or less"));
        assert!(refusal(|limits| limits.ocr_pages = 501).contains("limits.ocr_pages: it is above `pages`"));
    }
}
