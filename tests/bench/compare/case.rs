//! What is measured: a workload on keys of a kind and with stores of a size.

use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::arms::Workload;
use crate::bench::now_ms;
use crate::inputs::{Content, Made, MessageSource, PersonSource, Senders};
use crate::topics::{PARTITIONS, Publishing, Topics};

/// The first record's time. Fixed, so that inputs are the same in every run.
const EPOCH_MS: i64 = 1_770_000_000_000;
const DAY_MS: i64 = 86_400_000;
pub const SEED: u64 = 20_260_101;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub messages: u64,
    pub persons: u64,
    /// RocksDB's memory when the state of W2 fits into it, MiB.
    pub roomy_mib: usize,
    /// The same when that state is four times as large.
    pub narrow_mib: usize,
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
        latency: Duration::from_secs(30),
        latency_skipped: Duration::from_secs(12),
    };
    /// Shows that everything works; its figures mean little.
    pub const QUICK: Self = Self {
        messages: 400_000,
        persons: 50_000,
        roomy_mib: 64,
        narrow_mib: 16,
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

/// An input topic that is complete, or will be when its transaction ends.
#[derive(Default)]
pub struct Input {
    pub topic: String,
    /// Records of each partition.
    pub ends: [i64; PARTITIONS as usize],
    pub copies: Content,
    pub findings: Content,
}

impl Input {
    pub fn records(&self) -> i64 {
        self.ends.iter().sum()
    }
}

/// Writes the messages of W0 and W1.
pub fn messages(topics: &Topics, topic: &str, senders: Senders, count: u64) -> Result<Input> {
    topics.create(topic)?;
    let mut publishing = topics.publish(topic, None, 20)?;
    let mut source = MessageSource::new(senders, SEED);
    let mut made = Made::default();
    for i in 0..count {
        let at = EPOCH_MS + i as i64;
        source.next(at, &mut made)?;
        publishing.send(&made.key, &made.value, at)?;
    }
    let ends = publishing.sent();
    publishing.finish()?;
    Ok(Input { topic: topic.to_owned(), ends, copies: source.copies, findings: source.findings })
}

/// Writes the reference of W2.
pub fn reference(topics: &Topics, topic: &str, count: u64) -> Result<Input> {
    topics.create(topic)?;
    let mut publishing = topics.publish(topic, None, 20)?;
    let mut source = PersonSource::new(count, SEED);
    let mut made = Made::default();
    for i in 0..count {
        source.reference(i, &mut made)?;
        publishing.send(&made.key, &made.value, EPOCH_MS + i as i64)?;
    }
    let ends = publishing.sent();
    publishing.finish()?;
    Ok(Input { topic: topic.to_owned(), ends, copies: source.copies, findings: Content::default() })
}

/// Writes the extract of W2, which nobody sees before [`Publishing::finish`]: every arm has the whole reference when the
/// first record of the extract appears.
pub fn hidden_extract(topics: &Topics, topic: &str, count: u64) -> Result<(Input, Publishing)> {
    topics.create(topic)?;
    let mut publishing = topics.publish(topic, Some(topic), 20)?;
    let mut source = PersonSource::new(count, SEED);
    let mut made = Made::default();
    for j in 0..count {
        let at = EPOCH_MS + DAY_MS + j as i64;
        source.extract(j, at, &mut made)?;
        publishing.send(&made.key, &made.value, at)?;
    }
    publishing.flush()?;
    let ends = publishing.sent();
    Ok((Input { topic: topic.to_owned(), ends, copies: source.copies, findings: source.findings }, publishing))
}

/// Records for a latency run: first some at once, which show that the arm works, then the others when they are due.
pub struct Paced {
    publishing: Publishing,
    messages: MessageSource,
    /// In place of the messages: the extract of W2.
    extract: Option<PersonSource>,
    persons: u64,
    made: Made,
    made_so_far: u64,
}

impl Paced {
    const AT_FIRST: u64 = 1_000;

    pub fn new(publishing: Publishing, case: &Case, sizes: &Sizes) -> Self {
        Self {
            publishing,
            messages: MessageSource::new(case.senders, SEED),
            extract: (case.workload == Workload::W2).then(|| PersonSource::new(sizes.persons, SEED)),
            persons: sizes.persons,
            made: Made::default(),
            made_so_far: 0,
        }
    }

    /// Publishes the first records; answers how many each partition has.
    pub fn begin(&mut self) -> Result<[i64; PARTITIONS as usize]> {
        for _ in 0..Self::AT_FIRST {
            self.publish(now_ms())?;
        }
        self.publishing.flush()?;
        Ok(self.publishing.sent())
    }

    /// Publishes `rate` records a second for `time`, none before it is due. A record's time is the moment at which it was
    /// due: a publisher that is late makes the latency longer, not shorter. Answers what was published, and how late the
    /// latest record was.
    pub fn run(mut self, rate: f64, time: Duration) -> Result<(Input, Duration)> {
        let (began, began_ms) = (Instant::now(), now_ms());
        let mut latest = Duration::ZERO;
        for i in 0..(rate * time.as_secs_f64()) as u64 {
            let due = Duration::from_secs_f64(i as f64 / rate);
            let early = due.saturating_sub(began.elapsed());
            if early.is_zero() {
                latest = latest.max(began.elapsed().saturating_sub(due));
            } else {
                self.publishing.serve();
                thread::sleep(early.max(Duration::from_micros(500)));
            }
            self.publish(began_ms + due.as_millis() as i64)?;
        }
        let ends = self.publishing.sent();
        self.publishing.finish()?;
        let (copies, findings) = match self.extract {
            Some(extract) => (extract.copies, extract.findings),
            None => (self.messages.copies, self.messages.findings),
        };
        Ok((Input { topic: String::new(), ends, copies, findings }, latest))
    }

    fn publish(&mut self, at: i64) -> Result<()> {
        match &mut self.extract {
            // A list that is at its end begins anew.
            Some(extract) => extract.extract(self.made_so_far % self.persons, at, &mut self.made)?,
            None => self.messages.next(at, &mut self.made)?,
        }
        self.made_so_far += 1;
        self.publishing.send(&self.made.key, &self.made.value, at)
    }
}
