//! kill -9 with the state on the disk, under load: how long until output is committed again, and what that time went into.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_engine::metric_names;
use serde_json::{Value, json};

use super::Options;
use crate::Result;
use crate::arms::{ArmSettings, Running, Workload};
use crate::broker::topics::PARTITIONS;
use crate::figures::spread::Spread;
use crate::figures::table::Table;
use crate::inputs::feed::{EPOCH_MS, Input, Paced, SEED};
use crate::inputs::{Made, PersonSource};
use crate::process::bytes_in;
use crate::stage::{PATIENCE, Stage, await_progress};

const MIB: f64 = (1 << 20) as f64;
/// Persons published between two looks at the disk.
const SLICE: u64 = 50_000;
/// Tables that are the same for so long are merged as far as they will be.
const SETTLED: Duration = Duration::from_secs(5);
/// Before each kill the arm works undisturbed for so long.
const UNDISTURBED: Duration = Duration::from_secs(3);
const PHASES: [&str; 5] = ["join", "open", "fence", "positions", "replay"];

/// One kill and what followed, in seconds from the kill.
struct Kill {
    first_output: f64,
    all_partitions: f64,
    /// Until the process was seen to be dead and another one was started. The bench does so at once, as a supervisor would; the group
    /// need not notice, since the new one takes the place of the dead member.
    detect: f64,
    /// The slowest worker's.
    phases: [f64; PHASES.len()],
    replayed_records: f64,
}

/// See the module.
pub struct Kills {
    state_mib: f64,
    persons: u64,
    rate: f64,
    kills: Vec<Kill>,
}

pub fn measure(stage: &mut Stage, options: &Options, state_mib: u64, kills: usize) -> Result<Kills> {
    eprintln!("restart: loading until {state_mib} MiB of merged state are on the disk");
    let reference = stage.fresh_name("reference");
    let extract = stage.fresh_name("extract");
    stage.topics.create(&reference)?;
    stage.topics.create(&extract)?;
    let settings = ArmSettings {
        threads: options.threads,
        store_memory_mib: options.memory_mib / 2,
        ..stage.arm(Workload::W2, &extract, &reference)?
    };
    let mut running = stage.start_concord(&settings)?;
    let persons = load(stage, &settings, &mut running, state_mib)?;

    let stop = Arc::new(AtomicBool::new(false));
    let paced = Paced::extract(stage.topics.publish_beside(&extract)?, persons);
    let (rate, told) = (options.rate, Arc::clone(&stop));
    let publisher =
        thread::spawn(move || paced.run(rate, |_| !told.load(Ordering::Relaxed)).map_err(|e| e.to_string()));
    let mut measured = Kills { state_mib: 0.0, persons, rate, kills: Vec::new() };
    let outcome = (1..=kills).try_for_each(|number| {
        thread::sleep(UNDISTURBED);
        running.check()?;
        measured.state_mib = tables(&settings) as f64 / MIB;
        let kill = kill(stage, &settings, &mut running)?;
        eprintln!("    kill {number} of {kills}: first output after {:.2} s", kill.first_output);
        measured.kills.push(kill);
        Ok(())
    });
    stop.store(true, Ordering::Relaxed);
    let published = publisher.join().map_err(|_| "the publisher panicked")?;
    outcome.map_err(|e: Box<dyn std::error::Error>| e)?;
    let (input, _) = published?;
    let progress = stage.topics.progress(&settings.application)?;
    await_progress(&mut running, &progress, &Input { topic: extract.clone(), ..input })?;
    stage.topics.await_content(&settings.output, input.findings)?;
    running.stop()?;
    stage.clean_up(&settings)?;
    for topic in [&reference, &extract] {
        stage.topics.delete(topic)?;
    }
    Ok(measured)
}

/// Publishes persons until their state is large enough, and still is when it has been merged; answers how many.
fn load(stage: &Stage, settings: &ArmSettings, running: &mut Running, state_mib: u64) -> Result<u64> {
    let progress = stage.topics.progress(&settings.application)?;
    let mut publishing = stage.topics.publish(&settings.reference, None, 20)?;
    // The number of persons matters to extracts only.
    let mut source = PersonSource::new(0, SEED);
    let mut made = Made::default();
    let mut persons = 0;
    while settled_tables(settings, state_mib << 20) < state_mib << 20 {
        for i in persons..persons + SLICE {
            source.reference(i, &mut made)?;
            publishing.send(&made.key, &made.value, EPOCH_MS + i as i64)?;
        }
        persons += SLICE;
        publishing.flush()?;
        let input = Input { topic: settings.reference.clone(), ends: publishing.sent().to_vec(), ..Input::default() };
        await_progress(running, &progress, &input)?;
    }
    publishing.finish()?;
    Ok(persons)
}

/// Bytes of the tables of RocksDB; its logs would be state that is counted twice.
fn tables(settings: &ArmSettings) -> u64 {
    bytes_in(&settings.state, &|file| file.ends_with(".sst"))
}

/// The same once nothing is merged any more, which makes them smaller; not waited for when there is less than `enough`.
fn settled_tables(settings: &ArmSettings, enough: u64) -> u64 {
    let mut before = tables(settings);
    while before >= enough {
        thread::sleep(SETTLED);
        let now = tables(settings);
        if now == before {
            break;
        }
        before = now;
    }
    before
}

fn kill(stage: &Stage, settings: &ArmSettings, running: &mut Running) -> Result<Kill> {
    let ends = stage.topics.ends()?;
    ends.of(&settings.output)?;
    let killed = Instant::now();
    running.kill()?;
    // What the dead process has written stands before this, whatever becomes of its transaction.
    let from = ends.of(&settings.output)?;
    *running = stage.start_concord(settings)?;
    let detect = killed.elapsed().as_secs_f64();
    let mut output = stage.topics.follow(&settings.output, &from)?;
    let mut first = None;
    let mut answered = [false; PARTITIONS as usize];
    while answered.contains(&false) {
        output.poll(Duration::from_millis(20), |message| {
            first.get_or_insert_with(|| killed.elapsed());
            answered[rdkafka::Message::partition(message) as usize] = true;
        })?;
        running.check()?;
        if killed.elapsed() > PATIENCE {
            return Err("the arm gives no output after its restart".into());
        }
    }
    let all_partitions = killed.elapsed().as_secs_f64();
    let page = running.metrics()?;
    if page.sum(metric_names::STORES_REBUILT) > 0.0 {
        return Err("a store was wiped and built again".into());
    }
    let phases = PHASES.map(|phase| {
        let label = format!("phase=\"{phase}\"");
        page.greatest(metric_names::START_SECONDS, &label).unwrap_or_default()
    });
    Ok(Kill {
        first_output: first.unwrap_or_default().as_secs_f64(),
        all_partitions,
        detect,
        phases,
        replayed_records: page.sum(metric_names::RESTORED_RECORDS),
    })
}

impl Kills {
    fn first_output(&self) -> Option<Spread> {
        Spread::of(self.kills.iter().map(|kill| kill.first_output))
    }

    pub fn print(&self) {
        println!(
            "\nkill -9 with {:.0} MiB of state ({} persons), {:.0} records/s; seconds from the kill, phases of the slowest worker",
            self.state_mib, self.persons, self.rate
        );
        let mut names = vec!["first output", "all partitions", "detect"];
        names.extend(PHASES);
        names.push("replayed records");
        let mut table = Table::of(&names);
        for kill in &self.kills {
            let mut row = vec![kill.first_output, kill.all_partitions, kill.detect];
            row.extend(kill.phases);
            row.push(kill.replayed_records);
            table.add(&row);
        }
        table.print();
        println!(
            "  Detect is to see the end of the process and to start another. The rest of the time is that process's own beginning, \
             the connection to the broker, and the first transaction."
        );
        if let Some(first) = self.first_output() {
            println!("  first committed output: {first} s (aim: 2); no store was wiped; the output is as expected");
        }
    }

    pub fn to_json(&self) -> Value {
        let median = |of: &dyn Fn(&Kill) -> f64| Spread::of(self.kills.iter().map(of)).map(|s| s.median);
        let mut phases = serde_json::Map::new();
        for (place, phase) in PHASES.iter().enumerate() {
            phases.insert((*phase).to_owned(), json!(median(&|kill| kill.phases[place])));
        }
        json!({
            "state_mib": self.state_mib,
            "first_output_s": median(&|kill| kill.first_output),
            "first_output_worst_s": self.first_output().map(|s| s.greatest),
            "all_partitions_s": median(&|kill| kill.all_partitions),
            "detect_s": median(&|kill| kill.detect),
            "phases_s": phases,
            "replayed_records": median(&|kill| kill.replayed_records),
            "kills": self.kills.len(),
        })
    }
}
