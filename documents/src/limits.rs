//! How much one document may cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much reading one document may cost. Whatever would cost more is refused or stopped, and costs that document alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Size of the document in bytes.
    pub document_bytes: u64,
    /// Address space of the reading process, and of each tool that it starts, in bytes.
    pub memory_bytes: u64,
    /// Processor time of one document, in whole seconds; each tool may take as much again.
    pub cpu_seconds: u64,
    /// Time of one document on the clock.
    pub time: Duration,
    /// Size of any file that is written on the way (pages of a PDF as images), in bytes.
    pub file_bytes: u64,
    /// How deep JSON and XML may be nested.
    pub depth: usize,
    /// How many values JSON may have, elements and attributes XML, segments HL7 v2, words a page of text.
    pub elements: usize,
    /// How many observations a document may make.
    pub observations: usize,
    /// Pages of a document.
    pub pages: u32,
    /// Pages of a PDF that are read by OCR, since they have no text.
    pub ocr_pages: u32,
    /// Pixels of a page.
    pub pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 32 << 20,
            memory_bytes: 2 << 30,
            cpu_seconds: 120,
            time: Duration::from_secs(180),
            file_bytes: 256 << 20,
            depth: 64,
            elements: 500_000,
            observations: 10_000,
            pages: 500,
            ocr_pages: 50,
            pixels: 64_000_000,
        }
    }
}
