//! Interchanges that wait in the log, and how fast the flow gets through them; the same copied without a flow.

use std::time::{Duration, Instant};

use concord_engine::metric_names;

use super::LONGEST;
use super::traffic::Traffic;
use crate::Result;
use crate::pass_through::copy;
use crate::process::{busy_seconds, cpu_seconds, peak_memory_mib};
use crate::program::{Program, Running};
use crate::stage::Stage;

pub const INTERCHANGE: &str = "gp-links.interchange";
pub const FINDING: &str = "sequence-audit.finding";
const LINK_EVENTS: &str = "bench.link-events.repartition";
const TRANSACTION_EVENTS: &str = "bench.transaction-events.repartition";
/// Passes before the measured one: a broker that has just been started compiles itself first.
const WARM_UPS: usize = 2;

/// What the flow took for some interchanges.
#[derive(Debug, Clone, Copy)]
pub struct Passed {
    pub interchanges: u64,
    pub took: Duration,
    /// Of the process, an interchange.
    pub cpu_us: f64,
    pub broker_cpu_us: f64,
    /// Processors that others kept busy.
    pub others: f64,
    pub peak_mib: f64,
    /// Records of repartition topics, an interchange.
    pub internal_records: f64,
    /// Bytes that changelogs have grown by, an interchange.
    pub changelog_bytes: f64,
}

impl Passed {
    pub fn interchanges_a_second(&self) -> f64 {
        self.interchanges as f64 / self.took.as_secs_f64()
    }
}

/// Publishes so many interchanges while the program is stopped, then runs it until they are processed.
pub fn pass(stage: &Stage, program: &Program, traffic: &mut Traffic, interchanges: u64) -> Result<Passed> {
    eprintln!("publishing {interchanges} interchanges");
    let mut publishing = stage.topics.publish(INTERCHANGE, None, 20)?;
    for _ in 0..interchanges {
        traffic.publish(&mut publishing)?;
    }
    publishing.finish()?;
    let changelogs = || -> Result<f64> {
        let is_changelog = |topic: &str| topic.starts_with("bench.") && topic.ends_with(".changelog");
        Ok(stage.broker.bytes_on_disk(is_changelog)? as f64)
    };
    let changelogs_before = changelogs()?;
    let (broker_before, busy_before) = (cpu_seconds(stage.broker.pid)?, busy_seconds()?);
    let own_before = cpu_seconds(std::process::id())?;
    let began = Instant::now();
    let mut running = program.start()?;
    running.wait(LONGEST, |running| Ok(is_done(running, interchanges)))?;
    let took = began.elapsed();
    let cpu_s = cpu_seconds(running.pid())?;
    let broker_s = cpu_seconds(stage.broker.pid)? - broker_before;
    let own_s = cpu_seconds(std::process::id())? - own_before;
    let busy_s = busy_seconds()? - busy_before;
    let peak_mib = peak_memory_mib(running.pid())?;
    let internal = running.processed(LINK_EVENTS) + running.processed(TRANSACTION_EVENTS);
    no_rejections(&running)?;
    running.stop()?;
    let an_interchange = |amount: f64| amount / interchanges as f64;
    Ok(Passed {
        interchanges,
        took,
        cpu_us: an_interchange(cpu_s * 1e6),
        broker_cpu_us: an_interchange(broker_s * 1e6),
        others: (busy_s - cpu_s - broker_s - own_s).max(0.0) / took.as_secs_f64(),
        peak_mib,
        internal_records: an_interchange(internal as f64),
        changelog_bytes: an_interchange(changelogs()? - changelogs_before),
    })
}

/// Every second interchange is a receipt: of each there are two events on links, of a registration one of transactions.
fn is_done(running: &Running, interchanges: u64) -> bool {
    let (receipts, registrations) = (interchanges / 2, interchanges.div_ceil(2));
    running.processed(INTERCHANGE) >= interchanges
        && running.processed(LINK_EVENTS) >= interchanges + receipts
        && running.processed(TRANSACTION_EVENTS) >= registrations
}

pub fn no_rejections(running: &Running) -> Result<()> {
    let rejected = running.metrics().map_or(0.0, |page| page.sum(metric_names::RECORDS_REJECTED));
    if rejected > 0.0 {
        return Err(format!("{rejected} records were rejected").into());
    }
    Ok(())
}

/// How many interchanges a second a bare copy gets through.
pub fn bare(program: &Program, interchanges: u64) -> Result<f64> {
    let log = program.log()?;
    for _ in 0..WARM_UPS {
        copy(&log, INTERCHANGE, interchanges)?;
    }
    Ok(interchanges as f64 / copy(&log, INTERCHANGE, interchanges)?.as_secs_f64())
}
