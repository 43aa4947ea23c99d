//! From a change of PDS to the difference that a consumer sees, with everybody's list standing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use concord_engine::log::kafka::KafkaLog;
use concord_engine::log::read_whole_topic;
use concord_schemas::Schemas;
use concord_schemas::codec::{DIFFERENCE as DIFFERENCE_SCHEMA, Decoder, Encoder, PDS_RECORD};
use concord_schemas::list_reconciliation::{Difference, PdsRecord};
use rdkafka::Message;
use serde_json::json;

use super::jobs;
use super::practices::Practices;
use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::broker::topics::{Publishing, Reading};
use crate::process::{bytes_in, peak_memory_mib};
use crate::program::{PDS_TOPIC, Program, ProgramSettings};
use crate::stage::{Stage, StageOptions};

const DIFFERENCE: &str = "list-reconciliation.difference";
const LONGEST: Duration = Duration::from_secs(4 * 3_600);
/// Behind the last change: what is not seen then is lost.
const LAST_WAIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);
/// Version of the PDS record of a change, with its number behind it.
const VERSION: &str = "change-";
const MIB: f64 = (1 << 20) as f64;

/// From a change of PDS to the difference that a consumer sees
///
/// `concord run` loads PDS and reconciles everybody's list. Then people change their surname on PDS, at a steady rate, each one
/// once. Measured is the time from the timestamp of the PDS record to the moment at which a consumer of committed records has
/// the difference in its hands, on the clock of this machine.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// People on the lists [default: 1000000]
    #[arg(long)]
    people: Option<u64>,
    /// Patients of a practice [default: 10000]
    #[arg(long)]
    patients: Option<u64>,
    /// Changes a second
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// How long changes are published, seconds [default: 120]
    #[arg(long)]
    seconds: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Memory budget
    #[arg(long, default_value_t = 1024)]
    memory_mib: usize,
}

pub fn run(options: &Options) -> Result<()> {
    let stage = Stage::new(&options.stage)?;
    let people = options.stage.size(options.people, 1_000_000, 10_000);
    let patients = options.stage.size(options.patients, 10_000, 1_000);
    let seconds = options.stage.size(options.seconds, 120, 10);
    if people == 0 || patients == 0 || options.rate == 0 || seconds == 0 {
        return Err("--people, --patients, --rate and --seconds must be 1 or more".into());
    }
    let practices = Practices { count: people.div_ceil(patients), patients, now: jiff::Timestamp::now() };
    let program = Program::new(
        ProgramSettings {
            bootstrap: stage.broker.bootstrap.clone(),
            flow: "list_reconciliation",
            section: "",
            application: "changes".to_owned(),
            workers: options.workers,
            partitions: PARTITIONS,
            memory_mib: options.memory_mib,
            commit_interval_ms: None,
        },
        &stage.folder,
    )?;
    let log = program.log()?;
    eprintln!("making {} practices of {patients} patients", practices.count);
    practices.publish_pds(&program, &stage.folder)?;
    let extracts = practices.write_extracts(&stage.folder)?;
    let to_change = people_to_change(&log, (options.rate * seconds) as usize)?;
    let pds_records = stage.topics.ends()?.of(PDS_TOPIC)?.iter().sum::<i64>() as u64;

    let mut running = program.start()?;
    running.wait(LONGEST, |running| Ok(running.processed(PDS_TOPIC) >= pds_records))?;
    let reconciling = Instant::now();
    program.produce("extract", &extracts)?;
    running.wait(LONGEST, |_| Ok(jobs::reconciled(&log)?.len() == extracts.len()))?;
    let reconciled_s = reconciling.elapsed().as_secs_f64();
    eprintln!("{} lists stand after {reconciled_s:.1} s; publishing {} changes", extracts.len(), to_change.len());

    let mut scene = Scene {
        publishing: stage.topics.publish(PDS_TOPIC, None, 0)?,
        reading: stage.topics.follow(DIFFERENCE, &stage.topics.ends()?.of(DIFFERENCE)?)?,
        encoder: Schemas::bundled().encoder(),
        decoder: Schemas::bundled().decoder(),
        on_their_way: HashMap::new(),
        latencies_ms: Vec::new(),
    };
    scene.play(&to_change, options.rate)?;
    let lost = scene.on_their_way.len();
    let mut latencies = scene.latencies_ms;
    let (peak_mib, state_mib) = (peak_memory_mib(running.pid())?, bytes_in(&program.state, &|_| true) as f64 / MIB);
    running.stop()?;
    if lost > 0 {
        return Err(format!("of {} changes {lost} led to no difference", to_change.len()).into());
    }

    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share).round() as usize];
    let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
    let people = practices.count * patients;
    println!("people: {people} on {} lists; workers: {}", practices.count, options.workers);
    println!("changes: {} at {} a second", latencies.len(), options.rate);
    println!("from the PDS record's timestamp to the difference in a consumer's hands, milliseconds:");
    println!("  p50 {p50}   p99 {p99}   max {max}");
    println!("lists reconciled in {reconciled_s:.1} s; peak memory {peak_mib:.0} MiB, state {state_mib:.0} MiB");
    if options.stage.json {
        let figures = json!({
            "people": people, "pds_records": pds_records, "changes": latencies.len(), "rate_s": options.rate,
            "p50_ms": p50, "p99_ms": p99, "max_ms": max, "reconcile_s": reconciled_s, "peak_mib": peak_mib,
            "state_mib": state_mib, "budget_mib": options.memory_mib,
        });
        println!("{figures}");
    }
    Ok(())
}

/// PDS records, as bytes, of people who are shown and registered at one of the practices, spread over all of them: whoever
/// of these changes is on a practice's list, or ought to be.
fn people_to_change(log: &KafkaLog, count: usize) -> Result<Vec<Vec<u8>>> {
    let decoder = Schemas::bundled().decoder();
    let mut shown = Vec::new();
    read_whole_topic(log, PDS_TOPIC, &mut |_, record| {
        let Some(value) = record.value else { return };
        let Ok(pds) = decoder.decode::<PdsRecord<'_>>(&PDS_RECORD, &value) else { return };
        if pds.sensitivity == "U" && pds.gp_practice.starts_with('Y') {
            shown.push(value);
        }
    })?;
    if shown.len() < count {
        return Err(
            format!("{count} changes want as many people, and only {} can change: take more", shown.len()).into()
        );
    }
    let every = shown.len() / count;
    Ok(shown.into_iter().step_by(every).take(count).map(|value| value.to_vec()).collect())
}

/// Changes on their way, and how long those took that have arrived.
struct Scene {
    publishing: Publishing,
    reading: Reading,
    encoder: Encoder,
    decoder: Decoder,
    /// When they were published, by their numbers.
    on_their_way: HashMap<usize, i64>,
    latencies_ms: Vec<i64>,
}

impl Scene {
    fn play(&mut self, to_change: &[Vec<u8>], rate: u64) -> Result<()> {
        let began = Instant::now();
        let mut sent = 0;
        let mut last_sent = began;
        while sent < to_change.len() || (!self.on_their_way.is_empty() && last_sent.elapsed() < LAST_WAIT) {
            let due = (began.elapsed().as_secs_f64() * rate as f64) as usize + 1;
            while sent < due.min(to_change.len()) {
                self.change(sent, &to_change[sent])?;
                sent += 1;
                last_sent = Instant::now();
            }
            self.publishing.serve();
            self.look()?;
        }
        Ok(())
    }

    /// Publishes the record again, with another surname.
    fn change(&mut self, number: usize, value: &[u8]) -> Result<()> {
        let before: PdsRecord<'_> = self.decoder.decode(&PDS_RECORD, value)?;
        let (surname, version) = (format!("{}-{number}", before.surname), format!("{VERSION}{number}"));
        let after = PdsRecord { surname: &surname, version: &version, ..before };
        let mut bytes = Vec::new();
        self.encoder.encode(&PDS_RECORD, &after, &mut bytes)?;
        let now = now_ms();
        self.on_their_way.insert(number, now);
        self.publishing.send(after.nhs_number, &bytes, now)
    }

    /// Takes in the differences that are there.
    fn look(&mut self) -> Result<()> {
        let Self { reading, decoder, on_their_way, latencies_ms, .. } = self;
        let mut unreadable = None;
        reading.poll(POLL, |message| {
            let Some(value) = message.payload() else { return };
            match decoder.decode::<Difference<'_>>(&DIFFERENCE_SCHEMA, value) {
                Ok(difference) => {
                    let number = difference.pds_version.strip_prefix(VERSION).and_then(|number| number.parse().ok());
                    // A person may have several differences; the first one counts.
                    if let Some(published) = number.and_then(|number: usize| on_their_way.remove(&number)) {
                        latencies_ms.push(now_ms() - published);
                    }
                }
                Err(error) => unreadable = Some(error),
            }
        })?;
        unreadable.map_or(Ok(()), |error| Err(error.into()))
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
