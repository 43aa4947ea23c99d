//! All practices of the country in one night: thousands of small files, a few broken and a few huge ones among them.

use std::collections::HashMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_schemas::Schemas;
use concord_schemas::codec::{Decoder, JOB};
use concord_schemas::list_reconciliation::{Job, JobCounts};
use rdkafka::Message;
use serde_json::{Value, json};

use super::practices::add;
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::inputs::feed::now_ms;
use crate::process::{cpu_seconds, peak_memory_mib};
use crate::program::{PDS_TOPIC, Program, ProgramSettings};
use crate::stage::{Stage, StageOptions};

const JOB_TOPIC: &str = "list-reconciliation.job";
const LONGEST: Duration = Duration::from_secs(3_600);
/// Files that one command publishes.
const BATCH: usize = 50;
/// People whose PDS records are in one file on their way to the broker.
const PEOPLE_OF_A_PIECE: u64 = 250_000;
const POLL: Duration = Duration::from_millis(20);
const SEED: u64 = 1;

/// Thousands of small files in one night, a few broken and a few huge ones among them
///
/// `concord run` loads PDS; then every practice's extract is published, 50 files by a command, as fast as that goes: of 50 to 100 patients
/// each, those that are cut off in the middle, and the huge ones, spread over all. Every job must come to its end, and what the jobs
/// counted is held against what the generator knows. A file has waited from the beginning of the command that published it to the
/// end of its job, by the clock of this machine.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Files, all kinds together [default: 6500]
    #[arg(long)]
    files: Option<u64>,
    /// Files that are huge [default: 6]
    #[arg(long)]
    huge: Option<u64>,
    /// Patients of a huge one [default: 100000]
    #[arg(long)]
    huge_patients: Option<u64>,
    /// Files that are cut off in the middle [default: 65]
    #[arg(long)]
    broken: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Memory budget
    #[arg(long, default_value_t = 512)]
    memory_mib: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Small,
    /// Published by the command that published a huge one, or by one of those right behind it.
    BehindHuge,
    Broken,
    Huge,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::Small, "small"),
    (Kind::BehindHuge, "small, with or behind a huge one"),
    (Kind::Broken, "broken"),
    (Kind::Huge, "huge"),
];
/// Commands behind a huge file whose files are told apart.
const COMMANDS_BEHIND: usize = 4;

/// One file.
struct Sent {
    kind: Kind,
    path: PathBuf,
    published_ms: i64,
}

/// How a job ended.
struct End {
    status: String,
    at_ms: i64,
    counts: JobCounts,
}

pub fn run(options: &Options) -> Result<()> {
    let size = &options.stage;
    let count = size.size(options.files, 6_500, 200);
    let huge = size.size(options.huge, 6, 2);
    let huge_patients = size.size(options.huge_patients, 100_000, 5_000);
    let broken = size.size(options.broken, 65, 4);
    if count == 0 || huge + broken > count / 2 {
        return Err("--files must be more than twice --huge and --broken together".into());
    }
    let stage = Stage::new(size)?;
    let settings = ProgramSettings {
        bootstrap: stage.broker.bootstrap.clone(),
        flow: "list_reconciliation",
        section: "",
        application: "night".to_owned(),
        workers: options.workers,
        partitions: PARTITIONS,
        memory_mib: options.memory_mib,
        commit_interval_ms: None,
    };
    let program = Program::new(settings, &stage.folder)?;
    eprintln!("making {count} files");
    let night = Night { count, huge, huge_patients, broken, now: jiff::Timestamp::now() };
    let (mut files, truth) = night.write(&program, &stage.folder)?;
    let pds_records = stage.topics.ends()?.of(PDS_TOPIC)?.iter().sum::<i64>() as u64;

    let mut running = program.start()?;
    running.wait(LONGEST, |running| Ok(running.processed(PDS_TOPIC) >= pds_records))?;
    let mut reading = stage.topics.follow_all(JOB_TOPIC)?;
    let mut ends: HashMap<String, End> = HashMap::new();
    let decoder = Schemas::bundled().decoder();
    let mut unreadable = None;
    let mut look = |ends: &mut HashMap<String, End>| -> Result<()> {
        reading.poll(POLL, |message| {
            let value = message.payload().unwrap_or_default();
            if let Err(error) = note(&decoder, value, ends) {
                unreadable = Some(error.to_string());
            }
        })?;
        unreadable.take().map_or(Ok(()), |error| Err(error.into()))
    };
    let began = Instant::now();
    publish(&program, &mut files)?;
    let published = began.elapsed();
    eprintln!("published in {:.1} s", published.as_secs_f64());
    while ends.len() < files.len() {
        look(&mut ends)?;
        if began.elapsed() > LONGEST {
            return Err(format!("of {} jobs {} have ended", files.len(), ends.len()).into());
        }
    }
    let took = began.elapsed();
    let (cpu_s, peak_mib) = (cpu_seconds(running.pid())?, peak_memory_mib(running.pid())?);
    running.stop()?;

    let mut counted = JobCounts::default();
    for end in ends.values() {
        add(&mut counted, &end.counts, 1);
    }
    let rejected = ends.values().filter(|end| end.status == "REJECTED").count();
    let broken = files.iter().filter(|file| file.kind == Kind::Broken).count();
    if counted != truth || rejected != broken {
        return Err(format!("{rejected} jobs of {broken} rejected; counted {counted:?} instead of {truth:?}").into());
    }
    let waits = Waits::of(&files, &ends)?;
    println!(
        "{count} files, {broken} of them cut off, {huge} of {huge_patients} patients; {} patients compared; {} workers",
        truth.records, options.workers
    );
    println!(
        "published in {:.1} s, all jobs ended {:.1} s after the first",
        published.as_secs_f64(),
        took.as_secs_f64()
    );
    waits.print();
    println!("CPU {cpu_s:.0} s; peak memory {peak_mib:.0} MiB, budget {} MiB", options.memory_mib);
    if size.json {
        let figures = json!({
            "files": count, "broken": broken, "huge": huge, "huge_patients": huge_patients, "records": truth.records,
            "publish_s": published.as_secs_f64(), "ended_s": took.as_secs_f64(), "waits": waits.to_json(), "cpu_s": cpu_s,
            "peak_mib": peak_mib, "budget_mib": options.memory_mib,
        });
        println!("{figures}");
    }
    Ok(())
}

/// Which files there are.
struct Night {
    count: u64,
    huge: u64,
    huge_patients: u64,
    broken: u64,
    now: jiff::Timestamp,
}

impl Night {
    /// Writes the files and publishes what PDS knows of everyone. Answers what the jobs must count together.
    fn write(&self, program: &Program, folder: &Path) -> Result<(Vec<Sent>, JobCounts)> {
        let extracts = folder.join("extracts");
        fs::create_dir_all(&extracts)?;
        let pds = folder.join("pds.ndjson");
        let mut feed = BufWriter::new(fs::File::create(&pds)?);
        let (mut files, mut truth) = (Vec::new(), JobCounts::default());
        let (mut people, mut of_piece) = (0, 0);
        for number in 0..self.count {
            let kind = self.kind(number);
            let practice = SyntheticPractice::generate(SyntheticSettings {
                practice: practice_code(number),
                patients: if kind == Kind::Huge { self.huge_patients } else { 50 + number * 37 % 51 },
                seed: SEED,
                first_person: people,
                now: self.now,
            })?;
            let path = extracts.join(practice.extract_file_name());
            let text: String = practice.extract().collect();
            if kind == Kind::Broken {
                fs::write(&path, cut_off(&text))?;
            } else {
                fs::write(&path, text)?;
                add(&mut truth, &practice.truth().counts, 1);
            }
            files.push(Sent { kind, path, published_ms: 0 });
            for line in practice.pds() {
                feed.write_all(line.as_bytes())?;
            }
            people += practice.people();
            of_piece += practice.people();
            if of_piece >= PEOPLE_OF_A_PIECE || number + 1 == self.count {
                feed.flush()?;
                program.produce("pds", std::slice::from_ref(&pds))?;
                (feed, of_piece) = (BufWriter::new(fs::File::create(&pds)?), 0);
            }
        }
        Ok((files, truth))
    }

    /// The huge and the broken ones are spread evenly; where both would stand the huge one does.
    fn kind(&self, number: u64) -> Kind {
        let is_one_of = |many: u64, shift: u64| {
            let number = (number + shift) % self.count;
            many > 0 && number * many / self.count != (number + 1) * many / self.count
        };
        if is_one_of(self.huge, self.count / 2 / self.huge.max(1)) {
            return Kind::Huge;
        }
        if is_one_of(self.broken, 1) { Kind::Broken } else { Kind::Small }
    }
}

/// Two thirds of a list, to the middle of a row: one that ends behind a record is a shorter list, and as good as any.
fn cut_off(text: &str) -> &[u8] {
    let some = &text.as_bytes()[..text.len() * 2 / 3];
    let row = some.windows(6).rposition(|bytes| bytes == b"DOW~2~");
    &some[..row.map_or(some.len(), |begin| begin + 3)]
}

fn practice_code(number: u64) -> String {
    format!("Y{:05}", number + 1)
}

/// Publishes all files, as fast as it goes; those with or right behind a huge one are of a kind of their own from then on.
fn publish(program: &Program, files: &mut [Sent]) -> Result<()> {
    let mut behind_huge = 0;
    for batch in files.chunks_mut(BATCH) {
        let published_ms = now_ms();
        let paths: Vec<PathBuf> = batch.iter().map(|file| file.path.clone()).collect();
        let has_huge = batch.iter().any(|file| file.kind == Kind::Huge);
        for file in batch {
            file.published_ms = published_ms;
            if file.kind == Kind::Small && (has_huge || behind_huge > 0) {
                file.kind = Kind::BehindHuge;
            }
        }
        program.produce("extract", &paths)?;
        behind_huge = if has_huge { COMMANDS_BEHIND } else { behind_huge.saturating_sub(1) };
    }
    Ok(())
}

/// Notes the end of a job, under its practice.
fn note(decoder: &Decoder, value: &[u8], ends: &mut HashMap<String, End>) -> Result<()> {
    let job: Job<'_> = decoder.decode(&JOB, value)?;
    match job.status {
        "RECONCILED" | "REJECTED" => {
            let at_ms = job.history.last().map_or(job.at_ms, |step| step.at_ms);
            let end = End { status: job.status.to_owned(), at_ms, counts: job.counts };
            if ends.insert(job.practice.to_owned(), end).is_some() {
                return Err(format!("the job of {} ended twice", job.practice).into());
            }
            Ok(())
        }
        "RECEIVED" | "VALIDATED" => Ok(()),
        other => Err(format!("a job ended {other}: {:?}", job.reasons).into()),
    }
}

/// How long files of each kind have waited, seconds, in order.
struct Waits(Vec<(&'static str, Vec<f64>)>);

impl Waits {
    fn of(files: &[Sent], ends: &HashMap<String, End>) -> Result<Self> {
        let mut waits = Vec::new();
        for (kind, name) in KINDS {
            let mut of_kind = Vec::new();
            for (number, file) in files.iter().enumerate().filter(|(_, file)| file.kind == kind) {
                let end = ends.get(&practice_code(number as u64)).ok_or("a job has no end")?;
                of_kind.push((end.at_ms - file.published_ms) as f64 / 1_000.0);
            }
            of_kind.sort_unstable_by(f64::total_cmp);
            if !of_kind.is_empty() {
                waits.push((name, of_kind));
            }
        }
        Ok(Self(waits))
    }

    fn print(&self) {
        println!("from the beginning of the command that published a file to the end of its job, seconds:");
        for (name, waits) in &self.0 {
            let (p50, p99, max) = (at(waits, 0.5), at(waits, 0.99), at(waits, 1.0));
            println!("  {name:<32} {:>5} files   p50 {p50:>6.2}   p99 {p99:>6.2}   max {max:>6.2}", waits.len());
        }
    }

    fn to_json(&self) -> Value {
        let of_kind = |(name, waits): &(&str, Vec<f64>)| {
            json!({
                "kind": name, "files": waits.len(), "p50_s": at(waits, 0.5), "p99_s": at(waits, 0.99), "max_s": at(waits, 1.0),
            })
        };
        self.0.iter().map(of_kind).collect()
    }
}

/// Of figures in order.
fn at(figures: &[f64], share: f64) -> f64 {
    figures[((figures.len() - 1) as f64 * share).round() as usize]
}
