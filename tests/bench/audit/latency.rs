//! From the interchange that reveals a gap to the finding in a subscriber's hands.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use rdkafka::Message;
use serde_json::{Value, json};

use super::LONGEST;
use super::flow::{FINDING, INTERCHANGE, no_rejections};
use super::traffic::{Revealed, Traffic};
use crate::Result;
use crate::broker::topics::{Publishing, Reading};
use crate::inputs::feed::now_ms;
use crate::process::{busy_seconds, cpu_seconds};
use crate::program::{Program, Running};
use crate::stage::Stage;

const SUB_TOPOLOGIES: i32 = 3;
const POLL: Duration = Duration::from_millis(5);
/// Behind the last interchange: a finding that is not seen then is lost.
const LAST_WAIT: Duration = Duration::from_secs(60);
/// How long interchanges come as fast as the program takes them; the first two fifths are not measured.
const FED: Duration = Duration::from_secs(30);
/// Meanwhile that many wait at most: enough that the program always has some, and no more than those of a second or two.
const MOST_AHEAD: u64 = 20_000;
const SAMPLE_EVERY: Duration = Duration::from_millis(200);

/// Findings, and how long each was on its way.
pub struct Latency {
    /// Interchanges a second that the program takes while they are published as fast as it takes them.
    fed: f64,
    /// Those of the measurement.
    rate: f64,
    /// Of interchanges and messages in each second, also those that are not measured: the longest, milliseconds.
    longest: Vec<i64>,
    /// In order, milliseconds.
    of_links: Vec<i64>,
    of_transactions: Vec<i64>,
    publisher_late: Duration,
    /// Processors that the program, its broker, and this one kept busy.
    busy: [f64; 3],
    /// Processors that others kept busy.
    others: f64,
}

/// Feeds the program as fast as it takes interchanges, then a share of that for so long. The first two fifths are not measured: the broker
/// compiles itself for the new load then, with half a processor.
pub fn measure(stage: &Stage, program: &Program, traffic: &mut Traffic, load: f64, lasts: Duration) -> Result<Latency> {
    let mut reading = stage.topics.follow(FINDING, &stage.topics.ends()?.of(FINDING)?)?;
    let mut running = program.start()?;
    running.wait(LONGEST, |running| {
        let tasks = running.metrics().map_or(0.0, |page| page.sum(metric_names::TASKS_RUNNING));
        Ok(tasks as i32 == SUB_TOPOLOGIES * stage.topics.partitions)
    })?;
    eprintln!("publishing as fast as interchanges are taken for {} s", FED.as_secs());
    let fed = fed(stage, &mut running, &mut reading, traffic)?;
    let rate = load * fed;
    eprintln!("publishing {rate:.0} interchanges a second for {} s", lasts.as_secs());
    let publishing = stage.topics.publish(INTERCHANGE, None, 10)?;
    let began_ms = now_ms();
    let mut seen: HashMap<String, i64> = HashMap::new();
    let pids = [running.pid(), stage.broker.pid, std::process::id()];
    let cpu = || -> Result<[f64; 3]> { Ok([cpu_seconds(pids[0])?, cpu_seconds(pids[1])?, cpu_seconds(pids[2])?]) };
    let (busy_before, cpu_before, began) = (busy_seconds()?, cpu()?, Instant::now());
    let (revealed, publisher_late) = thread::scope(|scope| {
        let publisher = scope.spawn(|| publish(traffic, publishing, rate, lasts).map_err(|e| e.to_string()));
        while !publisher.is_finished() {
            look(&mut reading, &mut seen)?;
        }
        let published = publisher.join().map_err(|_| "the publisher panicked")?;
        Ok::<_, Box<dyn std::error::Error>>(published?)
    })?;
    let mut missing: HashSet<&str> = revealed.iter().map(|gap| gap.finding.as_str()).collect();
    missing.retain(|finding| !seen.contains_key(*finding));
    let deadline = Instant::now() + LAST_WAIT;
    while !missing.is_empty() && Instant::now() < deadline {
        if let Some(finding) = look(&mut reading, &mut seen)? {
            missing.remove(finding.as_str());
        }
    }
    let (cpu_after, took_s) = (cpu()?, began.elapsed().as_secs_f64());
    let busy: [f64; 3] = std::array::from_fn(|process| (cpu_after[process] - cpu_before[process]) / took_s);
    let others = ((busy_seconds()? - busy_before) / took_s - busy.iter().sum::<f64>()).max(0.0);
    no_rejections(&running)?;
    running.stop()?;

    let from_ms = began_ms + (lasts * 2 / 5).as_millis() as i64;
    let (mut of_links, mut of_transactions, mut lost) = (Vec::new(), Vec::new(), 0);
    let mut longest = vec![0; lasts.as_secs() as usize + 1];
    for Revealed { finding, due_ms } in &revealed {
        if let (Some(at_ms), false) = (seen.get(finding), finding.starts_with("gap/tn/")) {
            let second = &mut longest[((due_ms - began_ms) / 1000) as usize];
            *second = (*second).max(at_ms - due_ms);
        }
        match seen.get(finding) {
            None => lost += 1,
            Some(_) if *due_ms < from_ms => {}
            Some(at_ms) if finding.starts_with("gap/tn/") => of_transactions.push(at_ms - due_ms),
            Some(at_ms) => of_links.push(at_ms - due_ms),
        }
    }
    if lost > 0 || of_links.is_empty() || of_transactions.is_empty() {
        return Err(format!("of {} gaps {lost} were not found", revealed.len()).into());
    }
    of_links.sort_unstable();
    of_transactions.sort_unstable();
    Ok(Latency { fed, rate, longest, of_links, of_transactions, publisher_late, busy, others })
}

/// Interchanges a second that the program takes while they are published as fast as it takes them, on the same processors.
fn fed(stage: &Stage, running: &mut Running, reading: &mut Reading, traffic: &mut Traffic) -> Result<f64> {
    let publishing = stage.topics.publish(INTERCHANGE, None, 10)?;
    let before = running.processed(INTERCHANGE);
    let taken = AtomicU64::new(0);
    let mut samples = Vec::new();
    let sent = thread::scope(|scope| {
        let publisher = scope.spawn(|| flood(traffic, publishing, &taken).map_err(|e| e.to_string()));
        let began = Instant::now();
        while !publisher.is_finished() {
            let (at, processed) = (began.elapsed(), running.processed(INTERCHANGE).saturating_sub(before));
            taken.store(processed, Ordering::Relaxed);
            samples.push((at, processed));
            while began.elapsed() < at + SAMPLE_EVERY {
                look(reading, &mut HashMap::new())?;
            }
        }
        Ok::<_, Box<dyn std::error::Error>>(publisher.join().map_err(|_| "the publisher panicked")??)
    })?;
    running.wait(LONGEST, |running| Ok(running.processed(INTERCHANGE).saturating_sub(before) >= sent))?;
    let first = samples.iter().find(|(at, _)| *at >= FED * 2 / 5);
    let last = samples.iter().rfind(|(at, _)| *at < FED);
    match (first, last) {
        (Some((from, less)), Some((to, more))) if to > from => Ok((more - less) as f64 / (*to - *from).as_secs_f64()),
        _ => Err("no rate could be taken while interchanges came".into()),
    }
}

/// Publishes as fast as interchanges are taken; answers how many.
fn flood(traffic: &mut Traffic, mut publishing: Publishing, taken: &AtomicU64) -> Result<u64> {
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < FED {
        if sent >= taken.load(Ordering::Relaxed) + MOST_AHEAD {
            publishing.serve();
            thread::sleep(Duration::from_millis(1));
            continue;
        }
        traffic.publish(&mut publishing)?;
        sent += 1;
    }
    publishing.finish()?;
    Ok(sent)
}

/// Publishes interchanges when they are due; answers the gaps that they reveal, and how late the latest was. Its time is that at
/// which it was due: a publisher that is late makes latencies longer, not shorter.
fn publish(
    traffic: &mut Traffic,
    mut publishing: Publishing,
    rate: f64,
    lasts: Duration,
) -> Result<(Vec<Revealed>, Duration)> {
    let (began, began_ms) = (Instant::now(), now_ms());
    let (mut revealed, mut latest) = (Vec::new(), Duration::ZERO);
    for number in 0_u64.. {
        let due = Duration::from_secs_f64(number as f64 / rate);
        if due >= lasts {
            break;
        }
        let early = due.saturating_sub(began.elapsed());
        if early.is_zero() {
            latest = latest.max(began.elapsed().saturating_sub(due));
        } else {
            publishing.serve();
            thread::sleep(early.max(Duration::from_micros(500)));
        }
        revealed.extend(traffic.publish_losing(&mut publishing, began_ms + due.as_millis() as i64)?);
    }
    publishing.finish()?;
    Ok((revealed, latest))
}

/// Notes when each finding was seen first. Answers the one that was seen now.
fn look(reading: &mut Reading, seen: &mut HashMap<String, i64>) -> Result<Option<String>> {
    let mut found = None;
    reading.poll(POLL, |message| {
        let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
        seen.entry(key.clone()).or_insert_with(now_ms);
        found = Some(key);
    })?;
    Ok(found)
}

impl Latency {
    pub fn print(&self) {
        println!("published as fast as it takes them, S takes {:.0} interchanges/s", self.fed);
        println!("from what reveals a gap to the finding in a subscriber's hands, at {:.0} a second", self.rate);
        for (what, latencies) in self.each() {
            let (p50, p99, max) = (at(latencies, 0.5), at(latencies, 0.99), at(latencies, 1.0));
            println!("  {what:<28} p50 {p50} ms   p99 {p99} ms   max {max} ms   ({} gaps)", latencies.len());
        }
        let longest: Vec<String> = self.longest.iter().map(ToString::to_string).collect();
        println!("  longest of interchanges and messages, second by second: {}", longest.join(" "));
        let [program, broker, bench] = self.busy;
        println!(
            "  publisher late by {} ms at most; processors: program {program:.2}, broker {broker:.2}, publisher and subscriber {bench:.2}, \
             others {:.2}",
            self.publisher_late.as_millis(),
            self.others
        );
    }

    pub fn to_json(&self) -> Value {
        let mut figures = json!({
            "fed_records_s": self.fed, "rate_s": self.rate, "publisher_late_ms": self.publisher_late.as_millis() as u64, "others": self.others,
            "busy_program": self.busy[0], "busy_broker": self.busy[1], "busy_bench": self.busy[2],
        });
        for (what, latencies) in self.each() {
            figures[what] = json!({
                "gaps": latencies.len(), "p50_ms": at(latencies, 0.5), "p99_ms": at(latencies, 0.99),
                "max_ms": at(latencies, 1.0),
            });
        }
        figures
    }

    fn each(&self) -> [(&'static str, &[i64]); 2] {
        [("interchanges and messages", &self.of_links), ("transactions", &self.of_transactions)]
    }
}

/// Of latencies in order.
fn at(latencies: &[i64], share: f64) -> i64 {
    latencies[((latencies.len() - 1) as f64 * share).round() as usize]
}
