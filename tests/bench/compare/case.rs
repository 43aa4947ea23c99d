//! What is measured: a workload on keys of a kind and with stores of a size.

use std::time::Duration;

use crate::arms::Workload;
use crate::inputs::Senders;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub messages: u64,
    pub persons: u64,
    /// RocksDB's memory when the state of W2 fits into it, MiB.
    pub roomy_mib: usize,
    /// The same when that state is four times as large.
    pub narrow_mib: usize,
    /// How long an arm gets records as fast as it takes them, which tells its half load.
    pub live: Duration,
    pub latency: Duration,
    /// The beginning of a latency run that does not count: the programs warm up.
    pub latency_skipped: Duration,
}

impl Sizes {
    pub const FULL: Self = Self {
        messages: 8_000_000,
        persons: 1_000_000,
        roomy_mib: 384,
        narrow_mib: 64,
        live: Duration::from_secs(20),
        latency: Duration::from_secs(30),
        latency_skipped: Duration::from_secs(12),
    };
    /// Shows that everything works; its figures mean little.
    pub const QUICK: Self = Self {
        messages: 400_000,
        persons: 50_000,
        roomy_mib: 64,
        narrow_mib: 16,
        live: Duration::from_secs(4),
        latency: Duration::from_secs(6),
        latency_skipped: Duration::from_secs(2),
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    pub name: &'static str,
    pub workload: Workload,
    pub senders: Senders,
    /// Whether the state fits the memory of RocksDB.
    pub roomy: bool,
    /// Whether latency is measured, and in W2 what follows a crash.
    pub whole: bool,
}

pub const CASES: [Case; 5] = [
    Case { name: "W0", workload: Workload::W0, senders: Senders::Uniform, roomy: true, whole: true },
    Case { name: "W1", workload: Workload::W1, senders: Senders::Uniform, roomy: true, whole: true },
    Case { name: "W1-zipf", workload: Workload::W1, senders: Senders::Zipf, roomy: true, whole: true },
    Case { name: "W2", workload: Workload::W2, senders: Senders::Uniform, roomy: true, whole: true },
    Case { name: "W2-narrow", workload: Workload::W2, senders: Senders::Uniform, roomy: false, whole: false },
];

impl Case {
    pub fn store_memory_mib(&self, sizes: &Sizes) -> usize {
        if self.roomy { sizes.roomy_mib } else { sizes.narrow_mib }
    }
}
