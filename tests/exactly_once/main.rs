//! Exactly once on a real broker, shown by ending processes at the worst moments.
//!
//! Each scenario starts a Kafka of its own (`scripts/parts`), two instances of `concord run`, and feeds them synthetic
//! practices, the traffic of GP links, or documents of patients, while instances are killed or frozen, or the broker is killed.
//! Then everything on the topics and on the instances' disks is held against what a separate computation expects ([`verifier`]).
//!
//! It wants real servers, so it runs where `KAFKA_BOOTSTRAP` is set, though it never touches that cluster. Sizes:
//! `CONCORD_RECORDS` (20,000), `CONCORD_KILLS` (60; the audit and the documents have a fifth of them each), `CONCORD_SEED`, `CONCORD_PROTOCOL` (`auto`,
//! `consumer`, `classic`).
//! A word on the command line runs only the scenarios whose name has it.

mod audit;
mod broker;
mod clock;
mod damages;
#[cfg(debug_assertions)]
mod deaths;
mod documents;
mod expected;
mod findings;
mod flow;
mod instance;
mod practices;
#[path = "../../src/verify/replayed.rs"]
mod replayed;
mod small_disk;
mod stage;
#[allow(dead_code, reason = "the program's own reading of topics, of which a part is needed here")]
#[path = "../../src/verify/topics.rs"]
mod topics;
mod verifier;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use findings::Findings;
use flow::{Flow, LIST_RECONCILIATION, PATIENT_DOCUMENTS, SEQUENCE_AUDIT};
use instance::{ALL_TASKS, Instance};
use stage::Stage;

/// What went wrong, in words.
pub type Outcome<T> = Result<T, String>;

/// Partitions of every topic.
pub const PARTITIONS: i32 = 4;

/// Numbers from a seed, so that a failure can be repeated as far as processes allow it.
pub struct Dice(u64);

impl Dice {
    /// A number from `low` to `high` - 1.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (mixed ^ (mixed >> 31)) % (high - low)
    }
}

/// Waits for a condition.
pub fn poll_until(patience: Duration, pause: Duration, mut holds: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
    let deadline = Instant::now() + patience;
    while !holds()? {
        if Instant::now() > deadline {
            return Err(format!("it did not happen within {patience:?}"));
        }
        std::thread::sleep(pause);
    }
    Ok(())
}

/// How large the scenarios are.
struct Size {
    records: u64,
    kills: u64,
}

struct Scenario {
    name: &'static str,
    flow: &'static Flow,
    /// Why it cannot be played on this machine.
    is_possible: fn() -> Result<(), String>,
    /// How the instances join their group, unless `CONCORD_PROTOCOL` says otherwise.
    protocol: &'static str,
    play: fn(&mut Stage, &Size) -> Outcome<String>,
    /// Behind the verification.
    afterwards: fn(&Stage) -> Outcome<()>,
}

fn anywhere() -> Result<(), String> {
    Ok(())
}

fn nothing(_: &Stage) -> Outcome<()> {
    Ok(())
}

/// The longest first, so that at the end none is waited for alone.
const SCENARIOS: &[Scenario] = &[
    #[cfg(debug_assertions)]
    Scenario {
        name: "failpoints_each_of_which_ends_an_instance_lose_nothing_and_repeat_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "classic",
        play: |stage, _| deaths::at_every_point(stage),
        afterwards: nothing,
    },
    #[cfg(debug_assertions)]
    Scenario {
        name: "a_worker_that_hangs_ends_its_process_and_loses_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "classic",
        play: |stage, _| deaths::by_hanging(stage),
        afterwards: nothing,
    },
    Scenario {
        name: "killed_instances_lose_nothing_and_repeat_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        // By the newer protocol a killed member may come back under its name only when its session has ended, so that
        // each kill would take ten seconds.
        protocol: "classic",
        play: kill_instances,
        afterwards: nothing,
    },
    Scenario {
        name: "killed_instances_of_the_audit_find_what_was_planted_and_say_nothing_twice",
        flow: &SEQUENCE_AUDIT,
        is_possible: clock::is_possible,
        protocol: "classic",
        play: audit::kill_instances,
        afterwards: nothing,
    },
    Scenario {
        name: "killed_instances_read_each_document_once_and_consolidate_what_stands",
        flow: &PATIENT_DOCUMENTS,
        is_possible: anywhere,
        protocol: "classic",
        play: documents::kill_instances,
        afterwards: documents::are_noticed,
    },
    Scenario {
        name: "a_frozen_instance_that_wakes_up_writes_nothing_and_a_lost_disk_is_rebuilt",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "auto",
        play: freeze_instances,
        afterwards: nothing,
    },
    Scenario {
        name: "a_killed_broker_loses_nothing_and_repeats_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "auto",
        play: kill_broker,
        afterwards: nothing,
    },
    Scenario {
        name: "a_frozen_broker_keeps_nobody_in_an_abort_and_loses_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "auto",
        play: freeze_broker,
        afterwards: nothing,
    },
    Scenario {
        name: "a_full_disk_ends_its_instance_with_a_remedy_and_loses_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: small_disk::is_possible,
        protocol: "classic",
        play: |stage, size| small_disk::becomes_full(stage, 5 * size.records.min(20_000)),
        afterwards: nothing,
    },
    Scenario {
        name: "a_clock_that_jumps_loses_nothing_and_repeats_nothing",
        flow: &LIST_RECONCILIATION,
        is_possible: clock::is_possible,
        protocol: "classic",
        play: |stage, size| clock::jumps(stage, size.records / 4),
        afterwards: nothing,
    },
    Scenario {
        name: "every_damage_is_found_by_concord_verify",
        flow: &LIST_RECONCILIATION,
        is_possible: anywhere,
        protocol: "classic",
        play: disturb_nothing,
        afterwards: damages::are_found,
    },
];

/// So many are played at a time: most of their time is waiting, for sessions to end and members to join.
const AT_A_TIME: usize = 2;

fn main() -> ExitCode {
    if std::env::var_os("KAFKA_BOOTSTRAP").is_none() {
        eprintln!("SKIPPED: exactly_once wants real servers; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return ExitCode::SUCCESS;
    }
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let size = Size { records: number_from("CONCORD_RECORDS", 20_000), kills: number_from("CONCORD_KILLS", 60) };
    let seed = number_from("CONCORD_SEED", std::process::id().into());
    let to_play = Mutex::new(SCENARIOS.iter().filter(|scenario| scenario.name.contains(&wanted)));
    let next = || to_play.lock().unwrap_or_else(PoisonError::into_inner).next();
    let has_failed = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..AT_A_TIME {
            threads.spawn(|| {
                while let Some(scenario) = next() {
                    let (told, is_well) = tell(scenario, &size, seed);
                    println!("{told}");
                    has_failed.fetch_or(!is_well, Ordering::SeqCst);
                }
            });
        }
    });
    if has_failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Plays a scenario and says what came of it.
fn tell(scenario: &Scenario, size: &Size, seed: u64) -> (String, bool) {
    let name = scenario.name;
    if let Err(reason) = (scenario.is_possible)() {
        return (format!("SKIPPED: {name}: {reason}"), true);
    }
    let begun = Instant::now();
    let mut figures = String::new();
    let played = play(scenario, size, seed, &mut figures);
    let took = begun.elapsed().as_secs_f64();
    match played {
        Ok(summary) => (format!("{name} (seed {seed})\n{figures}  ok in {took:.0} s: {summary}"), true),
        Err(problem) => {
            (format!("{name} (seed {seed})\n{figures}  FAILED after {took:.0} s (seed {seed}): {problem}"), false)
        }
    }
}

fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(default)
}

/// Plays a scenario and verifies what it left; the logs stay when something is wrong.
fn play(scenario: &Scenario, size: &Size, seed: u64, figures: &mut String) -> Outcome<String> {
    let mut folder = tempfile::Builder::new()
        .prefix("concord-exactly-once-")
        .tempdir()
        .map_err(|e| format!("making a folder: {e}"))?;
    let protocol = std::env::var("CONCORD_PROTOCOL").unwrap_or_else(|_| scenario.protocol.to_owned());
    let mut stage = Stage::set(folder.path(), scenario.flow, &protocol, seed)?;
    let played = (scenario.play)(&mut stage, size).and_then(|summary| {
        stage.stop()?;
        let findings: Findings = (scenario.flow.verify)(&stage)?;
        *figures = format!("  {}\n", findings.figures(stage.kills, stage.deaths));
        let counted = findings.judge()?;
        (scenario.flow.verify_by_command)(&stage)?;
        (scenario.afterwards)(&stage)?;
        Ok(format!("{summary}, {counted}"))
    });
    if played.is_err() {
        folder.disable_cleanup(true);
        eprintln!("  logs and data are in {}", folder.path().display());
    }
    played
}

/// Both instances are killed again and again: at random moments of their work, and some while they still start.
fn kill_instances(stage: &mut Stage, size: &Size) -> Outcome<String> {
    const EARLY: u64 = 3;
    let kills = size.kills.max(EARLY + 1);
    // One is sent before each later kill; the last two meet peace.
    stage.generate(kills - EARLY + 2, size.records)?;
    stage.start_both()?;
    stage.send_pds(|stage| {
        // While its databases are made, or while it takes in the PDS records.
        for _ in 0..EARLY {
            std::thread::sleep(Duration::from_millis(stage.dice.between(0, 1_500)));
            stage.instances[0].kill()?;
            stage.kills += 1;
            stage.instances[0].start()?;
        }
        Ok(())
    })?;

    let mut to_processing = Vec::new();
    let mut killed_at = [None; 2];
    let mut guests = 0;
    let begun = Instant::now();
    for number in EARLY..kills {
        if number % GUEST_ONE_IN == GUEST_ONE_IN / 2 {
            guests += 1;
            kill_guest(stage)?;
            continue;
        }
        let victim = stage.dice.between(0, 2) as usize;
        let while_it_starts = stage.dice.between(0, 4) == 0;
        if !while_it_starts {
            stage.instances[victim].await_tasks(Duration::from_secs(60))?;
            if let Some(killed) = killed_at[victim].take() {
                to_processing.push(Instant::now().duration_since(killed).as_millis());
            }
        }
        stage.send_next_extract()?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
        killed_at[victim] = Some(Instant::now());
        stage.instances[victim].kill()?;
        stage.kills += 1;
        stage.instances[victim].start()?;
    }
    stage.send_all_extracts()?;
    // What was received already changes nothing.
    stage.send_first_extract_again()?;
    stage.await_jobs(Duration::from_secs(120))?;
    let seconds = begun.elapsed().as_secs_f64();
    // What the last guest had must have come back, and be brought to its end, before the disks are looked at.
    poll_until(Duration::from_secs(60), Duration::from_millis(100), || {
        Ok(stage.instances.iter().map(Instance::tasks).sum::<usize>() == ALL_TASKS)
    })
    .map_err(|e| format!("the tasks of the last guest did not come back: {e}"))?;
    // Only where nothing was between a kill and the next look at its victim is the time the victim's own.
    let fastest = to_processing.iter().min().copied().unwrap_or_default();
    Ok(format!(
        "{kills} kills in {seconds:.0} s, {guests} of them of a third instance that had come, from a kill to processing again \
         {fastest} ms at best"
    ))
}

/// Of so many kills one is of a guest.
const GUEST_ONE_IN: u64 = 20;

/// A third instance joins, which moves partitions to it, and is killed at a random moment of that or of its work. Its session
/// ends while the others are killed, which moves them back.
fn kill_guest(stage: &mut Stage) -> Outcome<()> {
    stage.send_next_extract()?;
    stage.guest.start()?;
    if stage.dice.between(0, 2) == 0 {
        stage.guest.await_tasks(Duration::from_secs(60))?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
    } else {
        std::thread::sleep(Duration::from_millis(stage.dice.between(500, 4_000)));
    }
    stage.guest.kill()?;
    stage.kills += 1;
    Ok(())
}

/// Each instance in turn is frozen past its session, replaced by the other, and let go on; then one loses its disk.
fn freeze_instances(stage: &mut Stage, size: &Size) -> Outcome<String> {
    stage.generate(10, size.records / 4)?;
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    let mut takeovers = Vec::new();
    for (frozen, other) in [(0, 1), (1, 0)] {
        stage.instances[frozen].await_tasks(Duration::from_secs(60))?;
        stage.send_next_extract()?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
        stage.instances[frozen].freeze()?;
        let begun = Instant::now();
        stage.send_next_extract()?;
        poll_until(Duration::from_secs(90), Duration::from_millis(50), || Ok(stage.instances[other].has_all_tasks()))
            .map_err(|e| format!("the tasks of a frozen instance were not taken over: {e}"))?;
        takeovers.push(begun.elapsed().as_millis());
        stage.send_next_extract()?;
        stage.instances[frozen].thaw()?;
        poll_until(Duration::from_secs(90), Duration::from_millis(50), || Ok(!stage.instances[other].has_all_tasks()))
            .map_err(|e| format!("an instance that woke up got no tasks again: {e}"))?;
        stage.instances[frozen].await_tasks(Duration::from_secs(60))?;
    }
    stage.send_next_extract()?;
    stage.instances[0].stop()?;
    std::fs::remove_dir_all(&stage.instances[0].state).map_err(|e| format!("deleting the state: {e}"))?;
    stage.instances[0].start()?;
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(120))?;
    Ok(format!("2 freezes with takeover after {takeovers:?} ms, 1 disk lost"))
}

/// The broker is killed twice while extracts are being processed.
fn kill_broker(stage: &mut Stage, size: &Size) -> Outcome<String> {
    stage.generate(6, size.records / 4)?;
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    let mut to_commit = Vec::new();
    for _ in 0..2 {
        stage.send_next_extract()?;
        stage.send_next_extract()?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
        stage.broker.kill()?;
        stage.kills += 1;
        std::thread::sleep(Duration::from_millis(stage.dice.between(500, 3_000)));
        stage.broker.restart()?;
        let begun = Instant::now();
        let before: Vec<u64> = stage.instances.iter().map(|i| i.commits()).collect();
        stage.send_next_extract()?;
        let hung_before = hung_so_far(stage)?;
        poll_until(Duration::from_secs(120), Duration::from_millis(50), || {
            stage.instances.iter_mut().try_for_each(Instance::check_alive)?;
            let hung = hung_so_far(stage)?;
            // The counter of one that had to be started again has begun anew.
            let goes_on =
                |i: usize| stage.instances[i].commits() > if hung[i] > hung_before[i] { 0 } else { before[i] };
            Ok((0..stage.instances.len()).all(goes_on))
        })
        .map_err(|e| format!("the instances did not go on after the broker's restart: {e}"))?;
        to_commit.push(begun.elapsed().as_millis());
    }
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(180))?;
    // The new leader of a partition without records knows nothing of the time before. That is no loss.
    for instance in &stage.instances {
        for wrong in ["Records were deleted", "the store is rebuilt"] {
            if instance.told()?.contains(wrong) {
                return Err(format!("instance {} says that something is lost: {wrong}", instance.name));
            }
        }
    }
    let hung: usize = hung_so_far(stage)?.iter().sum();
    Ok(format!(
        "2 kills of the broker, both instances commit again {to_commit:?} ms after its start; {hung} of their workers hung"
    ))
}

/// How often a worker of each instance has hung.
fn hung_so_far(stage: &Stage) -> Outcome<Vec<usize>> {
    stage.instances.iter().map(Instance::hung_so_far).collect()
}

/// The broker answers nobody while extracts are being processed. An instance in the middle of a transaction gives it up while it
/// still waits, and takes a new producer: the client by itself would wait for an abort without end.
fn freeze_broker(stage: &mut Stage, size: &Size) -> Outcome<String> {
    const ATTEMPTS: u64 = 6;
    const GIVEN_UP: &str = "The producer is built anew";
    stage.generate(ATTEMPTS + 1, size.records / 4)?;
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    let mut given_up = 0;
    for _ in 0..ATTEMPTS {
        stage.send_next_extract()?;
        std::thread::sleep(Duration::from_millis(stage.dice.between(20, 500)));
        let before = told(stage, GIVEN_UP)?;
        stage.broker.freeze()?;
        // Long enough for a commit that is not answered, and for all attempts to abort.
        let while_frozen =
            poll_until(Duration::from_secs(30), Duration::from_millis(100), || Ok(told(stage, GIVEN_UP)? > before));
        stage.broker.thaw()?;
        // Between two transactions there was nothing to give up.
        given_up += u64::from(while_frozen.is_ok());
        for instance in &mut stage.instances {
            instance.await_tasks(Duration::from_secs(90))?;
        }
        if given_up == 2 {
            break;
        }
    }
    if given_up == 0 {
        return Err(format!("in {ATTEMPTS} freezes of the broker no instance gave its transaction up"));
    }
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(180))?;
    Ok(format!("{given_up} transactions given up while the broker was frozen"))
}

/// How often the instances have said so since they were started.
fn told(stage: &Stage, words: &str) -> Outcome<usize> {
    let mut times = 0;
    for instance in &stage.instances {
        times += instance.told()?.matches(words).count();
    }
    Ok(times)
}

/// Two extracts, in peace.
fn disturb_nothing(stage: &mut Stage, size: &Size) -> Outcome<String> {
    stage.generate(2, size.records.min(1_000))?;
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(120))?;
    Ok("2 extracts".to_owned())
}
