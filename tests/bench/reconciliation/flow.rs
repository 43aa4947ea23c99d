//! The flow on a real broker against a bare transactional pass-through of the same bytes, in one run.
//!
//! Arms: P copies the PDS records and the GP records as the flow's own topics hold them, consume to produce, in
//! transactions every 100 ms, one thread, through the same client and settings. S is `concord run` itself.

use std::time::{Duration, Instant};

use concord_engine::metric_names;
use serde_json::json;

use super::jobs;
use super::practices::Practices;
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::pass_through::copy;
use crate::process::{cpu_seconds, peak_memory_mib};
use crate::program::{PDS_TOPIC, Program, ProgramSettings, count};
use crate::stage::{Stage, StageOptions};

/// Passes before the first measured arm.
const WARM_UPS: usize = 2;
const LONGEST: Duration = Duration::from_secs(1_800);

/// List reconciliation (S) beside a bare transactional pass-through of the same bytes (P)
///
/// S is `concord run`: it loads the PDS records, then reconciles as many patients, from the first extract published to the
/// last file written. Time, CPU and peak memory are of its process alone.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// GP records, and about as many PDS records [default: 1000000]
    #[arg(long)]
    records: Option<u64>,
    /// Patients of a practice; the mean of England is near 10,000 [default: 10000]
    #[arg(long)]
    patients: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Memory budget
    #[arg(long, default_value_t = 512)]
    memory_mib: usize,
}

pub fn run(options: &Options) -> Result<()> {
    let stage = Stage::new(&options.stage)?;
    let patients = options.stage.size(options.patients, 10_000, 1_000).max(1);
    let records = options.stage.size(options.records, 1_000_000, 20_000);
    let practices = Practices { count: records.div_ceil(patients), patients, now: jiff::Timestamp::now() };
    let application = "bench".to_owned();
    let program = Program::new(
        ProgramSettings {
            bootstrap: stage.broker.bootstrap.clone(),
            flow: "list_reconciliation",
            section: "",
            application: application.clone(),
            workers: options.workers,
            partitions: PARTITIONS,
            memory_mib: options.memory_mib,
            commit_interval_ms: None,
        },
        &stage.folder,
    )?;
    let log = program.log()?;
    let extracts = practices.write_extracts(&stage.folder)?;
    practices.publish_pds(&program, &stage.folder)?;
    let pds_records = count(&log, PDS_TOPIC)?;
    // A broker that has just been started compiles itself first; neither arm should pay for that.
    for _ in 0..WARM_UPS {
        copy(&log, PDS_TOPIC, pds_records)?;
    }

    let began = Instant::now();
    let mut running = program.start()?;
    running.wait(LONGEST, |running| Ok(running.processed(PDS_TOPIC) >= pds_records))?;
    let loaded = began.elapsed();
    let reconciling = Instant::now();
    program.produce("extract", &extracts)?;
    running.wait(LONGEST, |_| Ok(jobs::reconciled(&log)?.len() == extracts.len()))?;
    let reconciled = reconciling.elapsed();
    let (cpu, peak_mib) = (cpu_seconds(running.pid())?, peak_memory_mib(running.pid())?);
    let page = running.metrics().ok_or("the program tells no metrics")?;
    running.stop()?;

    // P: the same bytes.
    let gp_topic = format!("{application}.gp-records.repartition");
    let gp_records = count(&log, &gp_topic)?;
    let bare = copy(&log, PDS_TOPIC, pds_records)? + copy(&log, &gp_topic, gp_records)?;

    let records = (pds_records + gp_records) as f64;
    let a_second = |records: f64, took: Duration| records / took.as_secs_f64();
    let flow = loaded + reconciled;
    let (p, s) = (a_second(records, bare), a_second(records, flow));
    let loading = a_second(pds_records as f64, loaded);
    let reconciling = a_second(gp_records as f64, reconciled);
    let cpu_us = cpu * 1e6 / records;
    println!(
        "records: {pds_records} PDS, {gp_records} GP in {} extracts; workers: {}; partitions: {PARTITIONS}",
        extracts.len(),
        options.workers
    );
    println!("P pass-through      {p:>9.0} records/s  ({:.1} s)", bare.as_secs_f64());
    println!("S concord run       {s:>9.0} records/s  ({:.1} s)", flow.as_secs_f64());
    println!("  loading PDS       {loading:>9.0} records/s  ({:.1} s, start included)", loaded.as_secs_f64());
    println!("  reconciling       {reconciling:>9.0} records/s  ({:.1} s, to the last file)", reconciled.as_secs_f64());
    println!("S/P                 {:>9.3}", s / p);
    println!("CPU of S            {cpu_us:>9.2} microseconds a record");
    println!("peak memory of S    {peak_mib:>9.0} MiB resident, budget {} MiB", options.memory_mib);
    println!("time of the workers, seconds (timers and records include commits that could not wait):");
    for (part, microseconds) in page.series(metric_names::WORKER_TIME) {
        println!("  {:<20} {:>6.2}", part.split('"').nth(1).unwrap_or_default(), microseconds / 1e6);
    }
    if options.stage.json {
        let figures = json!({
            "pds_records": pds_records, "gp_records": gp_records, "p_records_s": p, "s_records_s": s, "s_over_p": s / p,
            "load_records_s": loading, "reconcile_records_s": reconciling, "cpu_us": cpu_us, "peak_mib": peak_mib,
            "budget_mib": options.memory_mib,
        });
        println!("{figures}");
    }
    Ok(())
}
