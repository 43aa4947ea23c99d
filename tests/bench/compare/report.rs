//! Medians, the table, and the line for programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bench::{Arm, Measured};
use super::case::{CASES, Case};
use crate::figures::spread::Spread;

/// Latencies of one run, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Records a second that the arm took while they were published as fast as it took them: on one machine a publisher and a
    /// reader of the output leave an arm less than a log that was written before.
    pub live: f64,
    /// Records a second while latency was taken: half of that.
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
    /// How late the publisher was at worst. What is above a few milliseconds is not the arm's, though it counts.
    pub publisher_late: f64,
    /// Seconds; Concord only.
    pub commit_pauses: Option<(f64, f64)>,
}

/// Everything measured of one case.
#[derive(Default)]
pub struct CaseResults {
    pub runs: BTreeMap<Arm, Vec<Measured>>,
    pub latencies: BTreeMap<Arm, Vec<Latency>>,
}

impl CaseResults {
    fn spread(&self, arm: Arm, of: impl Fn(&Measured) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.runs.get(&arm)?.iter().filter_map(of))
    }

    fn median(&self, arm: Arm, of: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        self.spread(arm, of).map(|s| s.median)
    }

    /// Records a second, the median.
    pub fn rate(&self, arm: Arm) -> Option<f64> {
        self.median(arm, |m| Some(m.records_a_second))
    }

    /// The collector with which Kafka Streams was faster.
    pub fn better_kafka_streams(&self) -> Option<Arm> {
        let arms = [Arm::KafkaStreamsG1, Arm::KafkaStreamsParallel];
        arms.into_iter()
            .filter(|arm| self.rate(*arm).is_some())
            .max_by(|a, b| self.rate(*a).unwrap_or_default().total_cmp(&self.rate(*b).unwrap_or_default()))
    }

    fn print(&self, case: &Case) {
        println!("\n{}", case.name);
        let row = |name: &str, spread: Option<Spread>| {
            if let Some(spread) = spread {
                println!("    {name:<34} {spread}");
            }
        };
        for arm in self.runs.keys().copied() {
            let runs = self.runs.get(&arm).map_or(0, Vec::len);
            println!("  {}: {runs} runs", arm.name());
            row("records/s", self.spread(arm, |m| Some(m.records_a_second)));
            row("  while loading the reference", self.spread(arm, |m| above_zero(m.load_records_a_second)));
            row("  while reading the extract", self.spread(arm, |m| above_zero(m.extract_records_a_second)));
            row("CPU of the program, us a record", self.spread(arm, |m| Some(m.cpu_us)));
            row("CPU of the broker, us a record", self.spread(arm, |m| Some(m.broker_cpu_us)));
            row("CPU of others, processors", self.spread(arm, |m| Some(m.others)));
            row("peak resident memory, MiB", self.spread(arm, |m| Some(m.peak_mib)));
            row("changelogs on the broker, MiB", self.spread(arm, |m| above_zero(m.changelog_mib)));
            row("commit pause p50, ms", self.spread(arm, |m| m.commit_pauses.map(|p| p.0 * 1e3)));
            row("commit pause p99, ms", self.spread(arm, |m| m.commit_pauses.map(|p| p.1 * 1e3)));
            row("kill -9 to all partitions, s", self.spread(arm, |m| m.ready));
            row("without state to all partitions, s", self.spread(arm, |m| m.restored));
            if let Some(latencies) = self.latencies.get(&arm) {
                row("records/s while they are published", Spread::of(latencies.iter().map(|l| l.live)));
                row("latency run, records/s", Spread::of(latencies.iter().map(|l| l.rate)));
                row("publisher late by at most, ms", Spread::of(latencies.iter().map(|l| l.publisher_late)));
                row("latency p50, ms", Spread::of(latencies.iter().map(|l| l.p50)));
                row("latency p99, ms", Spread::of(latencies.iter().map(|l| l.p99)));
                let pauses = || latencies.iter().filter_map(|l| l.commit_pauses);
                row("commit pause meanwhile p50, ms", Spread::of(pauses().map(|p| p.0 * 1e3)));
                row("commit pause meanwhile p99, ms", Spread::of(pauses().map(|p| p.1 * 1e3)));
            }
        }
    }

    /// What the line for programs says of a case.
    fn figures(&self) -> Map<String, Value> {
        let s = Arm::Concord;
        let k = self.better_kafka_streams();
        let ratio = |above: Option<f64>, below: Option<f64>| Some(above? / below?);
        let of_k = |of: fn(&Measured) -> Option<f64>| self.median(k?, of);
        let latency = |of: fn(&Latency) -> Option<f64>| {
            Spread::of(self.latencies.get(&s).into_iter().flatten().filter_map(of)).map(|spread| spread.median)
        };
        let cpu: fn(&Measured) -> Option<f64> = |m| Some(m.cpu_us);
        let memory: fn(&Measured) -> Option<f64> = |m| Some(m.peak_mib);
        let ready: fn(&Measured) -> Option<f64> = |m| m.ready;
        let restored: fn(&Measured) -> Option<f64> = |m| m.restored;
        let mut figures = Map::new();
        let mut put = |name: &str, value: Option<f64>| {
            let rounded = value.map(|v| (v * 1e3).round() / 1e3);
            figures.insert(name.to_owned(), json!(rounded));
        };
        put("s_over_p", ratio(self.rate(s), self.rate(Arm::PassThrough)));
        put("s_over_k", ratio(self.rate(s), k.and_then(|k| self.rate(k))));
        put("cpu_k_over_s", ratio(of_k(cpu), self.median(s, cpu)));
        put("memory_k_over_s", ratio(of_k(memory), self.median(s, memory)));
        put("commit_pause_p50_ms", self.median(s, |m| m.commit_pauses.map(|p| p.0 * 1e3)));
        put("commit_pause_p99_ms", self.median(s, |m| m.commit_pauses.map(|p| p.1 * 1e3)));
        put("latency_load", latency(|l| Some(l.rate)));
        put("latency_p50_ms", latency(|l| Some(l.p50)));
        put("latency_p99_ms", latency(|l| Some(l.p99)));
        // Behind a backlog, as above, the interval between commits grows.
        put("paced_commit_pause_p50_ms", latency(|l| l.commit_pauses.map(|p| p.0 * 1e3)));
        put("paced_commit_pause_p99_ms", latency(|l| l.commit_pauses.map(|p| p.1 * 1e3)));
        if of_k(ready).is_some() || self.median(s, ready).is_some() {
            put("restore_s_over_k", ratio(of_k(restored), self.median(s, restored)));
            put("ready_k_over_s", ratio(of_k(ready), self.median(s, ready)));
        }
        figures
    }
}

fn above_zero(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

/// Everything measured, by the name of the case.
#[derive(Default)]
pub struct Results(pub BTreeMap<&'static str, CaseResults>);

impl Results {
    pub fn print(&self) {
        println!("median (least to greatest)");
        for case in &CASES {
            if let Some(results) = self.0.get(case.name) {
                results.print(case);
                for (name, value) in results.figures() {
                    println!("  {name} = {value}");
                }
            }
        }
    }

    /// `{"W0":{...},"W1":{...},"W2":{...}}`; further cases of a workload are within it, under what tells them apart.
    pub fn to_json(&self) -> Value {
        let mut by_workload = Map::new();
        for case in &CASES {
            let Some(results) = self.0.get(case.name) else { continue };
            let figures = Value::Object(results.figures());
            match case.name.split_once('-') {
                None => {
                    by_workload.insert(case.name.to_owned(), figures);
                }
                Some((workload, kind)) => {
                    let whole = by_workload.entry(workload).or_insert_with(|| json!({}));
                    whole[kind] = figures;
                }
            }
        }
        Value::Object(by_workload)
    }
}
