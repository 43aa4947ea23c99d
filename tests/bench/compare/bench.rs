//! One run of one arm.

use std::ops::Range;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use concord_engine::partitioner::partition_of;
use rdkafka::message::Message;

use super::case::{Case, Sizes};
use super::report::Latency;
use crate::Result;
use crate::arms::{ArmSettings, Running, Workload};
use crate::broker::topics::{PARTITIONS, Progress, Reading};
use crate::inputs::feed::{self, Input, Paced, SEED, now_ms};
use crate::inputs::{Content, Made, PersonSource};
use crate::process::{busy_seconds, cpu_seconds, peak_memory_mib};
use crate::stage::{PATIENCE, Stage, await_progress};

const SAMPLE_EVERY: Duration = Duration::from_millis(50);
/// Share of the records that warm an arm up.
const WARM_UP: f64 = 0.4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    PassThrough,
    Concord,
    KafkaStreamsG1,
    KafkaStreamsParallel,
}

impl Arm {
    pub fn name(self) -> &'static str {
        match self {
            Self::PassThrough => "P pass-through",
            Self::Concord => "S Concord",
            Self::KafkaStreamsG1 => "K Kafka Streams, G1",
            Self::KafkaStreamsParallel => "K Kafka Streams, ParallelGC",
        }
    }
}

/// What a throughput run gave.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub records_a_second: f64,
    /// W2 only.
    pub load_records_a_second: f64,
    /// W2 only.
    pub extract_records_a_second: f64,
    pub cpu_us: f64,
    pub broker_cpu_us: f64,
    /// Processors that others than arm and broker kept busy; the harness is among them.
    pub others: f64,
    pub peak_mib: f64,
    pub changelog_mib: f64,
    /// Seconds; Concord only.
    pub commit_pauses: Option<(f64, f64)>,
    /// Seconds from the start of the process, after kill -9, until every partition gives output again. W2 only.
    pub ready: Option<f64>,
    /// The same after the state was deleted.
    pub restored: Option<f64>,
}

/// Where and with what is measured.
pub struct Bench {
    pub stage: Stage,
    pub sizes: Sizes,
    pub threads: usize,
    /// Class path of the Kafka Streams arm.
    pub kafka_streams: Option<String>,
}

/// Reads what an arm writes.
struct Listener {
    output: Reading,
    content: Content,
    /// When something was read.
    last: Instant,
    /// The times of records whose latency counts.
    counted: Range<i64>,
    /// In milliseconds.
    latencies: Vec<i64>,
}

impl Listener {
    fn of(output: Reading) -> Self {
        Self { output, content: Content::default(), last: Instant::now(), counted: 0..0, latencies: Vec::new() }
    }

    /// Waits for one record at most.
    fn listen(&mut self) -> Result<()> {
        self.output.poll(SAMPLE_EVERY / 10, |message| {
            self.last = Instant::now();
            self.content.add(message.key().unwrap_or_default(), message.payload().unwrap_or_default());
            let due_ms = message.timestamp().to_millis().unwrap_or_default();
            if self.counted.contains(&due_ms) {
                self.latencies.push(now_ms() - due_ms);
            }
        })
    }

    /// The median and the 99th percentile.
    fn percentiles(&mut self) -> Option<(f64, f64)> {
        self.latencies.sort_unstable();
        let latencies = &self.latencies;
        let at = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).map(|ms| *ms as f64);
        Some((at(0.50)?, at(0.99)?))
    }
}

/// The readings of one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    /// Records of the reference, and of the other input.
    done: [i64; 2],
    /// Whether a partition of it has been read to its end.
    dry: [bool; 2],
    arm: f64,
    broker: f64,
    busy: f64,
}

/// What a window between two samples says.
struct Window {
    records_a_second: f64,
    cpu_us: f64,
    broker_cpu_us: f64,
    others: f64,
}

impl Bench {
    pub fn settings(&mut self, case: &Case, input: &str, reference: &str) -> Result<ArmSettings> {
        Ok(ArmSettings {
            threads: self.threads,
            store_memory_mib: case.store_memory_mib(&self.sizes),
            ..self.stage.arm(case.workload, input, reference)?
        })
    }

    pub fn start(&self, arm: Arm, settings: &ArmSettings) -> Result<Running> {
        let mut command = match arm {
            Arm::Concord => return self.stage.start_concord(settings),
            Arm::PassThrough => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("arm-p");
                command
            }
            Arm::KafkaStreamsG1 | Arm::KafkaStreamsParallel => {
                let java = std::env::var("JAVA_HOME").map_or("java".into(), |home| format!("{home}/bin/java"));
                let mut command = Command::new(java);
                let class_path = self.kafka_streams.as_deref().ok_or("--kafka-streams CLASSPATH is missing")?;
                let collector = if arm == Arm::KafkaStreamsG1 { "-XX:+UseG1GC" } else { "-XX:+UseParallelGC" };
                command
                    .args(["-Xms1g", "-Xmx1g", collector, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"])
                    .args(["-cp", class_path, "concord.bench.KafkaStreamsArm"])
                    // Many threads allocate natively: without this the allocator of the system keeps an arena for each.
                    .env("MALLOC_ARENA_MAX", "2");
                command
            }
        };
        command.args(settings.to_arguments());
        Running::start(command)
    }

    /// Runs `arm` over a whole input and checks what it wrote.
    pub fn throughput(&mut self, arm: Arm, case: &Case, prepared: &Input) -> Result<Measured> {
        let of_lists = case.workload == Workload::W2;
        let mut hidden = None;
        let settings = if of_lists {
            let topic = self.stage.fresh_name("extract");
            hidden = Some(feed::hidden_extract(&self.stage.topics, &topic, self.sizes.persons)?);
            self.settings(case, &topic, &prepared.topic)?
        } else {
            self.settings(case, &prepared.topic, "")?
        };
        let (extract, mut publishing) = hidden.map_or((None, None), |(input, p)| (Some(input), Some(p)));
        let (reference, input) = match &extract {
            Some(extract) => (Some(prepared), extract),
            None => (None, prepared),
        };
        let progress = self.stage.topics.progress(&settings.application)?;
        let mut running = self.start(arm, &settings)?;
        eprintln!("    {} runs as process {}", arm.name(), running.pid());
        let mut samples: Vec<Sample> = Vec::new();
        let mut moved = Instant::now();
        loop {
            thread::sleep(SAMPLE_EVERY);
            running.check()?;
            let sample = self.sample(&progress, reference, input, running.pid())?;
            if samples.last().is_none_or(|last| last.done != sample.done) {
                moved = Instant::now();
            } else if moved.elapsed() > PATIENCE {
                return Err(format!("{} makes no progress at {:?}", arm.name(), sample.done).into());
            }
            samples.push(sample);
            if reference.is_some_and(|r| sample.done[0] == r.records())
                && let Some(publishing) = publishing.take()
            {
                publishing.finish()?;
            }
            if sample.done[1] == input.records() {
                break;
            }
        }
        let mut measured = Measured { peak_mib: peak_memory_mib(running.pid())?, ..Measured::default() };
        let changelog = |topic: &str| topic.starts_with(&settings.application) && topic.ends_with("changelog");
        measured.changelog_mib = self.stage.broker.bytes_on_disk(changelog)? as f64 / f64::from(1 << 20);
        let main = window(&samples, 1, input.records());
        measured.records_a_second = main.records_a_second;
        measured.cpu_us = main.cpu_us;
        measured.broker_cpu_us = main.broker_cpu_us;
        measured.others = main.others;
        if let Some(reference) = reference {
            // Both halves have the same number of records.
            let load = window(&samples, 0, reference.records());
            measured.load_records_a_second = load.records_a_second;
            measured.extract_records_a_second = main.records_a_second;
            measured.records_a_second = 2.0 / (1.0 / load.records_a_second + 1.0 / main.records_a_second);
            measured.cpu_us = (load.cpu_us + main.cpu_us) / 2.0;
            measured.broker_cpu_us = (load.broker_cpu_us + main.broker_cpu_us) / 2.0;
            measured.others = (load.others + main.others) / 2.0;
        }
        let expected = match (arm, reference) {
            (Arm::PassThrough, Some(reference)) => reference.copies.plus(input.copies),
            (Arm::PassThrough, None) => input.copies,
            _ if case.workload == Workload::W0 => input.copies,
            _ => input.findings,
        };
        self.stage
            .topics
            .await_content(&settings.output, expected)
            .map_err(|e| format!("{} is wrong: {e}", arm.name()))?;

        if arm == Arm::Concord {
            measured.commit_pauses = Some(commit_pauses(&mut running)?);
        }
        if of_lists && case.whole && arm != Arm::PassThrough {
            running.kill()?;
            let (running, ready) = self.until_all_partitions_answer(arm, &settings)?;
            measured.ready = Some(ready);
            running.stop()?;
            std::fs::remove_dir_all(&settings.state)?;
            let (running, restored) = self.until_all_partitions_answer(arm, &settings)?;
            measured.restored = Some(restored);
            running.stop()?;
        } else {
            running.stop()?;
        }
        self.stage.clean_up(&settings)?;
        if extract.is_some() {
            self.stage.topics.delete(&settings.input)?;
        }
        Ok(measured)
    }

    /// Feeds `arm` as fast as it takes records, then with half as many a second. Latency is from the moment at which a record
    /// was due to be sent, to the moment at which a reader of committed records had the output that it caused.
    pub fn latency(&mut self, arm: Arm, case: &Case, reference: Option<&Input>) -> Result<Latency> {
        let topic = self.stage.fresh_name("paced");
        self.stage.topics.create(&topic)?;
        let settings = self.settings(case, &topic, reference.map_or("", |r| &r.topic))?;
        let mut listener = Listener::of(self.stage.topics.follow_all(&settings.output)?);
        let progress = self.stage.topics.progress(&settings.application)?;
        let mut running = self.start(arm, &settings)?;
        if let Some(reference) = reference {
            await_progress(&mut running, &progress, reference)?;
        }
        let publishing = self.stage.topics.publish_beside(&topic)?;
        let mut paced = match case.workload {
            Workload::W2 => Paced::extract(publishing, self.sizes.persons),
            Workload::W0 | Workload::W1 => Paced::messages(publishing, case.senders),
        };
        let first = Input { topic: topic.clone(), ends: paced.begin()?, ..Input::default() };
        await_progress(&mut running, &progress, &first)?;

        let (paced, live, ends) = self.live(paced, &mut running, &progress, &topic, &mut listener)?;
        await_progress(&mut running, &progress, &Input { topic: topic.clone(), ends, ..Input::default() })?;
        let rate = live / 2.0;

        let sizes = self.sizes;
        let began_ms = now_ms();
        let from_ms = began_ms + sizes.latency_skipped.as_millis() as i64;
        // What is under way when the feed ends would find an idle machine.
        listener.counted = from_ms..began_ms + sizes.latency.as_millis() as i64 - 1_000;
        let publisher = thread::spawn(move || paced.run(rate, |due| due < sizes.latency).map_err(|e| e.to_string()));
        while !publisher.is_finished() {
            listener.listen()?;
        }
        let (input, late) = publisher.join().map_err(|_| "the publisher panicked")??;
        let expected = if case.workload == Workload::W0 { input.copies } else { input.findings };
        while listener.content != expected {
            listener.listen()?;
            if listener.last.elapsed() > PATIENCE / 4 {
                return Err(format!("{}: wrote {:?} instead of {expected:?}", arm.name(), listener.content).into());
            }
        }
        let commit_pauses = if arm == Arm::Concord { Some(commit_pauses(&mut running)?) } else { None };
        running.stop()?;
        self.stage.clean_up(&settings)?;
        self.stage.topics.delete(&topic)?;
        let Some((p50, p99)) = listener.percentiles() else {
            return Err(format!("{} gave no output in its latency run", arm.name()).into());
        };
        Ok(Latency { live, rate, p50, p99, publisher_late: late.as_millis() as f64, commit_pauses })
    }

    /// Records a second that an arm takes while they are published as fast as it takes them, and the ends of what was
    /// published.
    fn live(
        &self,
        mut paced: Paced,
        running: &mut Running,
        progress: &Progress,
        topic: &str,
        listener: &mut Listener,
    ) -> Result<(Paced, f64, Vec<i64>)> {
        /// Enough for the broker and the arm to be busy all the time, and little beside a second's records.
        const MOST_AHEAD: i64 = 100_000;
        let time = self.sizes.live;
        let done = Arc::new(AtomicI64::new(0));
        let count = Arc::clone(&done);
        let publisher = thread::spawn(move || match paced.flood(time, MOST_AHEAD, &count) {
            Ok(ends) => Ok((paced, ends)),
            Err(error) => Err(error.to_string()),
        });
        let mut samples = Vec::new();
        while !publisher.is_finished() {
            running.check()?;
            let at = Instant::now();
            let sum: i64 = progress.of(topic)?.iter().sum();
            done.store(sum, Ordering::Relaxed);
            samples.push((at, sum));
            while at.elapsed() < SAMPLE_EVERY / 5 {
                listener.listen()?;
            }
        }
        let (paced, ends) = publisher.join().map_err(|_| "the publisher panicked")??;
        let first = samples.iter().find(|(at, _)| *at - samples[0].0 >= time.mul_f64(WARM_UP));
        let last = samples.iter().rfind(|(at, _)| *at - samples[0].0 < time);
        let (Some(first), Some(last)) = (first, last) else { return Err("the feed ended before it was seen".into()) };
        Ok((paced, (last.1 - first.1) as f64 / (last.0 - first.0).as_secs_f64(), ends))
    }

    /// Starts an arm that has work to do in every partition, and waits until each has given output.
    fn until_all_partitions_answer(&self, arm: Arm, settings: &ArmSettings) -> Result<(Running, f64)> {
        let mut output =
            self.stage.topics.follow(&settings.output, &self.stage.topics.ends()?.of(&settings.output)?)?;
        let mut publishing = self.stage.topics.publish(&settings.input, None, 0)?;
        let mut source = PersonSource::new(self.sizes.persons, SEED);
        let mut made = Made::default();
        for number in 0.. {
            source.probe(number, &mut made)?;
            let partition = partition_of(made.key.as_bytes(), PARTITIONS) as usize;
            if publishing.sent()[partition] == 0 {
                publishing.send(&made.key, &made.value, now_ms())?;
            }
            if publishing.sent().iter().all(|sent| *sent > 0) {
                break;
            }
        }
        publishing.finish()?;
        let mut running = self.start(arm, settings)?;
        let mut answered = [false; PARTITIONS as usize];
        while answered.contains(&false) {
            output.poll(Duration::from_millis(20), |message| answered[message.partition() as usize] = true)?;
            running.check()?;
            if running.started.elapsed() > PATIENCE {
                return Err(format!("{} gives no output after its restart", arm.name()).into());
            }
        }
        let took = running.started.elapsed().as_secs_f64();
        Ok((running, took))
    }

    fn sample(&self, progress: &Progress, reference: Option<&Input>, input: &Input, pid: u32) -> Result<Sample> {
        let (mut done, mut dry) = ([0; 2], [false; 2]);
        for (place, input) in [(0, reference), (1, Some(input))] {
            let Some(input) = input else { continue };
            for (position, end) in progress.of(&input.topic)?.into_iter().zip(&input.ends) {
                done[place] += position.min(*end);
                dry[place] |= position >= *end;
            }
        }
        let at = Instant::now();
        Ok(Sample {
            at,
            done,
            dry,
            arm: cpu_seconds(pid)?,
            broker: cpu_seconds(self.stage.broker.pid)?,
            busy: busy_seconds()?,
        })
    }
}

/// From the end of the warm-up to the first partition without further input. When that is too short to say anything, from
/// the first commit to the last.
fn window(samples: &[Sample], which: usize, total: i64) -> Window {
    const SHORTEST: Duration = Duration::from_millis(1_500);
    let warm = (total as f64 * WARM_UP) as i64;
    let first = samples.iter().position(|s| s.done[which] >= warm);
    let last = samples.iter().rposition(|s| !s.dry[which]);
    let (from, to) = match (first, last) {
        (Some(first), Some(last)) if first < last && samples[last].at - samples[first].at >= SHORTEST => {
            (samples[first], samples[last])
        }
        _ => {
            let first = samples.iter().rposition(|s| s.done[which] == 0).unwrap_or(0);
            let last = samples.iter().position(|s| s.done[which] == total).unwrap_or(samples.len() - 1);
            (samples[first], samples[last])
        }
    };
    let records = (to.done[which] - from.done[which]) as f64;
    let seconds = (to.at - from.at).as_secs_f64();
    Window {
        records_a_second: records / seconds,
        cpu_us: (to.arm - from.arm) * 1e6 / records,
        broker_cpu_us: (to.broker - from.broker) * 1e6 / records,
        others: (to.busy - from.busy - (to.arm - from.arm) - (to.broker - from.broker)) / seconds,
    }
}

/// The median and the 99th percentile, in seconds.
fn commit_pauses(running: &mut Running) -> Result<(f64, f64)> {
    let page = running.metrics()?;
    let pause = |quantile| page.greatest(metric_names::COMMIT_SECONDS, quantile);
    match (pause("quantile=\"0.5\""), pause("quantile=\"0.99\"")) {
        (Some(median), Some(worst)) => Ok((median, worst)),
        _ => Err("the arm tells no commit pauses".into()),
    }
}
