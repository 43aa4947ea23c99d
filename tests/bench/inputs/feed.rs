//! Inputs written to topics: at once, hidden until they are wanted, or each record when it is due.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Content, Made, MessageSource, PersonSource, Senders};
use crate::Result;
use crate::broker::topics::{Publishing, Topics};

/// The first record's time. Fixed, so that inputs are the same in every run.
pub const EPOCH_MS: i64 = 1_770_000_000_000;
const DAY_MS: i64 = 86_400_000;
pub const SEED: u64 = 20_260_101;

/// An input topic that is complete, or will be when its transaction ends.
#[derive(Default)]
pub struct Input {
    pub topic: String,
    /// Records of each partition.
    pub ends: Vec<i64>,
    pub copies: Content,
    pub findings: Content,
    /// The gaps among the findings of W1.
    pub gaps: Content,
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
    let ends = publishing.sent().to_vec();
    publishing.finish()?;
    Ok(Input { topic: topic.to_owned(), ends, copies: source.copies, findings: source.findings, gaps: source.gaps })
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
    let ends = publishing.sent().to_vec();
    publishing.finish()?;
    Ok(Input { topic: topic.to_owned(), ends, copies: source.copies, ..Input::default() })
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
    let ends = publishing.sent().to_vec();
    Ok((
        Input { topic: topic.to_owned(), ends, copies: source.copies, findings: source.findings, ..Input::default() },
        publishing,
    ))
}

/// Records that come as fast as they are taken, or when they are due.
pub struct Paced {
    publishing: Publishing,
    source: Source,
    made: Made,
    made_so_far: u64,
}

enum Source {
    Messages(Box<MessageSource>),
    /// The extract of W2; a list that is at its end begins anew.
    Extract {
        source: Box<PersonSource>,
        persons: u64,
    },
}

impl Paced {
    const AT_FIRST: u64 = 1_000;

    pub fn messages(publishing: Publishing, senders: Senders) -> Self {
        Self::of(publishing, Source::Messages(Box::new(MessageSource::new(senders, SEED))))
    }

    pub fn extract(publishing: Publishing, persons: u64) -> Self {
        Self::of(publishing, Source::Extract { source: Box::new(PersonSource::new(persons, SEED)), persons })
    }

    fn of(publishing: Publishing, source: Source) -> Self {
        Self { publishing, source, made: Made::default(), made_so_far: 0 }
    }

    /// Publishes some records at once, which show that the arm works; answers how many each partition has.
    pub fn begin(&mut self) -> Result<Vec<i64>> {
        for _ in 0..Self::AT_FIRST {
            self.publish(now_ms())?;
        }
        self.publishing.flush()?;
        Ok(self.publishing.sent().to_vec())
    }

    /// Publishes as fast as it goes for `time`, but never more than `most_ahead` records beyond those that `done` counts.
    /// Answers how many each partition has.
    pub fn flood(&mut self, time: Duration, most_ahead: i64, done: &AtomicI64) -> Result<Vec<i64>> {
        /// Between two looks at clock and count.
        const AT_ONCE: u32 = 200;
        let began = Instant::now();
        let mut sent: i64 = self.publishing.sent().iter().sum();
        while began.elapsed() < time {
            self.publishing.serve();
            if sent - done.load(Ordering::Relaxed) >= most_ahead {
                thread::sleep(Duration::from_millis(1));
                continue;
            }
            for _ in 0..AT_ONCE {
                self.publish(now_ms())?;
            }
            sent += i64::from(AT_ONCE);
        }
        self.publishing.flush()?;
        Ok(self.publishing.sent().to_vec())
    }

    /// Publishes `rate` records a second, none before it is due, as long as `goes_on` says so of the time since the
    /// beginning. A record's time is the moment at which it was due: a publisher that is late makes the latency longer, not
    /// shorter. Answers what was published, and how late the latest record was.
    pub fn run(mut self, rate: f64, goes_on: impl Fn(Duration) -> bool) -> Result<(Input, Duration)> {
        let (began, began_ms) = (Instant::now(), now_ms());
        let mut latest = Duration::ZERO;
        for i in 0_u64.. {
            let due = Duration::from_secs_f64(i as f64 / rate);
            if !goes_on(due) {
                break;
            }
            let early = due.saturating_sub(began.elapsed());
            if early.is_zero() {
                latest = latest.max(began.elapsed().saturating_sub(due));
            } else {
                self.publishing.serve();
                thread::sleep(early.max(Duration::from_micros(500)));
            }
            self.publish(began_ms + due.as_millis() as i64)?;
        }
        let ends = self.publishing.sent().to_vec();
        self.publishing.finish()?;
        let input = Input { ends, ..Input::default() };
        let input = match self.source {
            Source::Messages(source) => {
                Input { copies: source.copies, findings: source.findings, gaps: source.gaps, ..input }
            }
            Source::Extract { source, .. } => Input { copies: source.copies, findings: source.findings, ..input },
        };
        Ok((input, latest))
    }

    fn publish(&mut self, at: i64) -> Result<()> {
        match &mut self.source {
            Source::Messages(source) => source.next(at, &mut self.made)?,
            Source::Extract { source, persons } => source.extract(self.made_so_far % *persons, at, &mut self.made)?,
        }
        self.made_so_far += 1;
        self.publishing.send(&self.made.key, &self.made.value, at)
    }
}

/// Now, in milliseconds since the epoch.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
