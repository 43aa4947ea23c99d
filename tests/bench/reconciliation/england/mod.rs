//! England in a night: practices at growing sizes, whole lists and then the day after, on one machine.

mod needs;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use concord_schemas::list_reconciliation::JobCounts;
use serde_json::json;

use super::jobs;
use super::practices::Practices;
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::figures::chart::{Chart, Form, Panel, Series};
use crate::figures::table::Table;
use crate::process::{bytes_in, cpu_seconds, peak_memory_mib};
use crate::program::{PDS_TOPIC, Program, ProgramSettings, Running};
use crate::stage::{Stage, StageOptions};
use needs::Needs;

const LONGEST: Duration = Duration::from_secs(4 * 3_600);
const MIB: f64 = (1 << 20) as f64;

/// List reconciliation at growing sizes, and what the whole country needs
///
/// For each size, on a state and topics of its own: PDS is loaded, then every practice's extract is reconciled, from the
/// first published to the last file written. Then the day after on the same state: 1 % of the PDS records changed, and the
/// extract of every practice again with 1 % of its records changed. What the jobs counted is held against what the generator
/// knows. Files: england.csv and england.svg.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Numbers of practices, separated by commas [default: 65,195,650]
    #[arg(long, value_delimiter = ',')]
    practices: Vec<u64>,
    /// Patients of a practice [default: 10000]
    #[arg(long)]
    patients: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Memory budget
    #[arg(long, default_value_t = 1024)]
    memory_mib: usize,
    /// Folder of the table and the picture
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// A night: what it took to load what PDS says, and to reconcile every practice.
#[derive(Debug, Clone, Copy)]
struct Night {
    pds_records: u64,
    gp_records: u64,
    publish_pds_s: f64,
    load_s: f64,
    reconcile_s: f64,
    /// Of the program, in both.
    cpu_s: f64,
    broker_cpu_s: f64,
    peak_mib: f64,
    /// State on the disk at the end, and the most there was.
    state_mib: f64,
    state_peak_mib: f64,
    /// All topics on the broker's disk at the end.
    topics_mib: f64,
}

/// One size: all lists at first, then the day after.
struct Measured {
    practices: u64,
    first: Night,
    daily: Night,
}

pub fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.out)?;
    let mut sizes = options.practices.clone();
    if sizes.is_empty() {
        sizes = options.stage.size(None, vec![65, 195, 650], vec![2, 4, 8]);
    }
    let patients = options.stage.size(options.patients, 10_000, 1_000);
    if patients == 0 || sizes.contains(&0) {
        return Err("--practices and --patients must leave somebody to be reconciled".into());
    }
    let stage = Stage::new(&options.stage)?;
    let mut measured = Vec::new();
    for practices in sizes {
        let practices = Practices { count: practices, patients, now: jiff::Timestamp::now() };
        measured.push(measure(&stage, options, practices)?);
    }
    report(options, &measured)
}

fn measure(stage: &Stage, options: &Options, practices: Practices) -> Result<Measured> {
    eprintln!("{} practices of {} patients: making them", practices.count, practices.patients);
    let folder = stage.folder.join(format!("england-{}", practices.count));
    let extracts = folder.join("extracts");
    fs::create_dir_all(&extracts)?;
    // The topics of the flow have fixed names: each size begins without what the one before has left.
    for prefix in ["pds.", "gp.", "list-reconciliation.", "england-"] {
        stage.topics.delete(prefix)?;
    }
    let settings = ProgramSettings {
        bootstrap: stage.broker.bootstrap.clone(),
        flow: "list_reconciliation",
        section: "",
        application: format!("england-{}", practices.count),
        workers: options.workers,
        partitions: PARTITIONS,
        memory_mib: options.memory_mib,
        commit_interval_ms: None,
    };
    let program = Program::new(settings, &folder)?;
    let truth = practices.truth()?;

    let publishing = Instant::now();
    practices.publish_pds(&program, &folder)?;
    let published = publishing.elapsed();
    let files = practices.write_extracts(&extracts)?;
    let mut scene = Scene { stage, program: &program, pds_before: 0, jobs_before: JobCounts::default(), jobs: 0 };
    let first = scene.night(&files, published, &truth)?;
    eprintln!("    first: loaded in {:.1} s, reconciled in {:.1} s", first.load_s, first.reconcile_s);

    let publishing = Instant::now();
    practices.publish_pds_changes(&program, &folder)?;
    let published = publishing.elapsed();
    let files = practices.write_changed_extracts(&extracts)?;
    let daily = scene.night(&files, published, &practices.truth_of_changes(&truth)?)?;
    eprintln!("    daily: loaded in {:.1} s, reconciled in {:.1} s", daily.load_s, daily.reconcile_s);
    fs::remove_dir_all(&folder)?;
    Ok(Measured { practices: practices.count, first, daily })
}

/// A size as the nights go on.
struct Scene<'a> {
    stage: &'a Stage,
    program: &'a Program,
    pds_before: u64,
    jobs_before: JobCounts,
    jobs: usize,
}

impl Scene<'_> {
    /// Starts the program on what was published to PDS, publishes the extracts when it has loaded that, and stops it when all
    /// are reconciled. `truth` is what they must count.
    fn night(&mut self, extracts: &[PathBuf], published: Duration, truth: &JobCounts) -> Result<Night> {
        let log = self.program.log()?;
        // PDS is published without transactions, so ends count records, those that compaction has removed included.
        let pds = self.stage.topics.ends()?.of(PDS_TOPIC)?.iter().sum::<i64>() as u64;
        let pds_records = pds - self.pds_before;
        let broker_before = cpu_seconds(self.stage.broker.pid)?;
        let state = &self.program.state;
        let mut state_peak = 0;
        let mut look = |running: &Running| {
            state_peak = state_peak.max(bytes_in(state, &|_| true));
            no_rejections(running)
        };
        let began = Instant::now();
        let mut running = self.program.start()?;
        running.wait(LONGEST, |running| {
            look(running)?;
            Ok(running.processed(PDS_TOPIC) >= pds_records)
        })?;
        let loaded = began.elapsed();
        let reconciling = Instant::now();
        self.program.produce("extract", extracts)?;
        running.wait(LONGEST, |running| {
            look(running)?;
            Ok(jobs::reconciled(&log)?.len() == self.jobs + extracts.len())
        })?;
        let reconciled = reconciling.elapsed();
        let cpu_s = cpu_seconds(running.pid())?;
        let broker_cpu_s = cpu_seconds(self.stage.broker.pid)? - broker_before;
        let peak_mib = peak_memory_mib(running.pid())?;
        running.stop()?;

        let counted = jobs::sum(jobs::reconciled(&log)?.values());
        let mut expected = self.jobs_before;
        super::practices::add(&mut expected, truth, 1);
        if counted != expected {
            return Err(format!("the jobs counted {counted:?} instead of {expected:?}").into());
        }
        (self.pds_before, self.jobs_before) = (pds, counted);
        self.jobs += extracts.len();
        Ok(Night {
            pds_records,
            gp_records: truth.records as u64,
            publish_pds_s: published.as_secs_f64(),
            load_s: loaded.as_secs_f64(),
            reconcile_s: reconciled.as_secs_f64(),
            cpu_s,
            broker_cpu_s,
            peak_mib,
            state_mib: bytes_in(state, &|_| true) as f64 / MIB,
            state_peak_mib: state_peak as f64 / MIB,
            topics_mib: self.stage.broker.bytes_on_disk(|topic| !topic.starts_with("__"))? as f64 / MIB,
        })
    }
}

fn no_rejections(running: &Running) -> Result<()> {
    let rejected = running.metrics().map_or(0.0, |page| page.sum(metric_names::RECORDS_REJECTED));
    if rejected > 0.0 {
        return Err(format!("{rejected} records were rejected").into());
    }
    Ok(())
}

fn report(options: &Options, measured: &[Measured]) -> Result<()> {
    let mut table = Table::of(&[
        "practices",
        "daily",
        "PDS records",
        "GP records",
        "make and publish PDS s",
        "load s",
        "reconcile s",
        "CPU s",
        "broker CPU s",
        "peak MiB",
        "state MiB",
        "state peak MiB",
        "topics MiB",
    ]);
    for size in measured {
        for (daily, night) in [(0.0, &size.first), (1.0, &size.daily)] {
            table.add(&[
                size.practices as f64,
                daily,
                night.pds_records as f64,
                night.gp_records as f64,
                night.publish_pds_s,
                night.load_s,
                night.reconcile_s,
                night.cpu_s,
                night.broker_cpu_s,
                night.peak_mib,
                night.state_mib,
                night.state_peak_mib,
                night.topics_mib,
            ]);
        }
    }
    println!(
        "measured, {} workers, budget {} MiB (daily 1: on the same state with 1 % changed)",
        options.workers, options.memory_mib
    );
    table.print();
    table.write_csv(&options.out.join("england.csv"))?;
    let needs = Needs::from(measured);
    needs.print(options.memory_mib);
    picture(options, measured, &options.out.join("england.svg"))?;
    println!("written: {0}/england.csv, {0}/england.svg", options.out.display());
    if options.stage.json {
        let night = |night: &Night| {
            json!({
                "pds_records": night.pds_records, "gp_records": night.gp_records, "load_s": night.load_s,
                "reconcile_s": night.reconcile_s, "cpu_s": night.cpu_s, "broker_cpu_s": night.broker_cpu_s,
                "peak_mib": night.peak_mib, "state_mib": night.state_mib, "state_peak_mib": night.state_peak_mib,
                "topics_mib": night.topics_mib,
            })
        };
        let sizes: Vec<_> = measured
            .iter()
            .map(|size| json!({"practices": size.practices, "first": night(&size.first), "daily": night(&size.daily)}))
            .collect();
        println!("{}", json!({"sizes": sizes, "extrapolated": needs.to_json()}));
    }
    Ok(())
}

fn picture(options: &Options, measured: &[Measured], path: &Path) -> Result<()> {
    type Quantity = (&'static str, fn(&Measured) -> f64);
    let panel = |title: &str, quantities: &[Quantity]| {
        let mut series = Vec::new();
        for (name, of) in quantities {
            let points: Vec<(f64, f64)> = measured.iter().map(|m| (m.first.gp_records as f64 / 1e6, of(m))).collect();
            series.push(Series { name: (*name).to_owned(), points, form: Form::Points });
        }
        Panel { title: title.to_owned(), series }
    };
    Chart {
        title: format!(
            "List reconciliation at growing sizes, {} workers, budget {} MiB",
            options.workers, options.memory_mib
        ),
        x_title: "million patients".to_owned(),
        panels: vec![
            panel("seconds, all lists", &[("load PDS", |m| m.first.load_s), ("reconcile", |m| m.first.reconcile_s)]),
            panel("seconds, 1 % changed", &[("load PDS", |m| m.daily.load_s), ("reconcile", |m| m.daily.reconcile_s)]),
            panel(
                "GiB on disks",
                &[("state", |m| m.first.state_mib / 1024.0), ("topics", |m| m.first.topics_mib / 1024.0)],
            ),
            panel("peak resident memory, MiB", &[("memory", |m| m.first.peak_mib.max(m.daily.peak_mib))]),
        ],
        bands: Vec::new(),
    }
    .write_svg(path)
}
