//! An instance dies at every failpoint of the program, at the first passing and at a later one, and is started again.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use concord_flows::list_reconciliation::{Settings, topology};
use concord_state::failpoints::{Failpoint, Reached, VARIABLE, last_word};
use concord_state::{RocksDirectory, RocksOptions, StateDirectory, StateError, TaskState};

use crate::instance::{ABORTED, APPLICATION};
use crate::stage::Stage;
use crate::{Outcome, PARTITIONS, poll_until};

/// Which of the two instances dies; the other one lives, or comes and goes.
const MORTAL: usize = 0;
const OTHER: usize = 1;
/// A point that is not reached for so long is taken for one that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(60);
const SEVEN_DAYS_MS: i64 = 7 * 24 * 60 * 60 * 1000;
const RECORDS_OF_AN_EXTRACT: u64 = 60;

/// See the module.
pub fn at_every_point(stage: &mut Stage) -> Outcome<String> {
    // Those of connectors are died at in tests/connect.
    let points = Failpoint::ALL.iter().copied().filter(|point| point.reached() != Reached::ByConnector);
    let first = points.clone().map(|point| (point, 1));
    let later = points.clone().map(|point| (point, point.later_passing())).filter(|(_, passing)| *passing > 1);
    let deaths: Vec<(Failpoint, u64)> = first.chain(later).collect();

    let extracts = deaths.len() as u64;
    stage.generate(extracts, extracts * RECORDS_OF_AN_EXTRACT)?;
    stage.start_both()?;
    stage.send_pds(|_| Ok(()))?;
    stage.instances[MORTAL].await_tasks(PATIENCE)?;
    stage.instances[MORTAL].kill()?;
    stage.kills += 1;
    for (point, passing) in &deaths {
        die(stage, *point, *passing).map_err(|e| format!("{}:{passing}: {e}", point.name()))?;
        stage.deaths += 1;
    }
    stage.instances[MORTAL].start()?;
    if !stage.instances[OTHER].is_running() {
        stage.instances[OTHER].start()?;
    }
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(180))?;
    Ok(format!("{} failpoints, {} deaths", points.count(), deaths.len()))
}

/// A worker hangs in the middle of a commit, with records and changelogs in the log and without its positions. Its process ends, the
/// other takes over, and what the first comes back to is sound.
pub fn by_hanging(stage: &mut Stage) -> Outcome<String> {
    stage.generate(3, 3 * RECORDS_OF_AN_EXTRACT)?;
    let mut command = stage.instances[MORTAL].command();
    command.env(VARIABLE, format!("{}:3:hang", Failpoint::CommitDrained.name()));
    stage.instances[MORTAL].start_by(command)?;
    stage.instances[OTHER].start()?;
    stage.send_pds(|_| Ok(()))?;
    stage.send_next_extract()?;
    let begun = Instant::now();
    let mut status = None;
    let waited = poll_until(Duration::from_secs(150), Duration::from_millis(100), || {
        status = stage.instances[MORTAL].ended()?;
        Ok(status.is_some())
    });
    waited.map_err(|e| format!("a process with a worker that hangs did not end: {e}"))?;
    let took = begun.elapsed().as_secs();
    match status {
        Some(status) if stage.instances[MORTAL].hung(status)? => {}
        status => return Err(format!("the instance ended otherwise: {status:?}")),
    }
    if !stage.instances[MORTAL].told()?.contains("doing=\"sending positions\"") {
        return Err("the last word of the instance does not say what its worker was doing".to_owned());
    }
    stage.instances[MORTAL].start()?;
    stage.send_all_extracts()?;
    stage.await_jobs(Duration::from_secs(180))?;
    Ok(format!("a worker hung in a commit, and its process ended {took} s later"))
}

/// One life, which ends at the point and nowhere else.
fn die(stage: &mut Stage, point: Failpoint, passing: u64) -> Outcome<()> {
    prepare_disk(stage, point.reached())?;
    start(stage, point, passing)?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        provoke(stage, point.reached())?;
        let mut status = None;
        let wait = if point.reached() == Reached::ByHandOver { Duration::from_secs(9) } else { Duration::from_secs(4) };
        let until = Instant::now() + wait;
        while status.is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
            status = stage.instances[MORTAL].ended()?;
        }
        match status {
            Some(status) if stage.instances[MORTAL].was_taken_for_its_predecessor(status)? => {
                start(stage, point, passing)?;
            }
            Some(status) => break status,
            None => {}
        }
        if Instant::now() > deadline {
            return Err("the point was not reached".to_owned());
        }
    };
    let word = last_word(point, passing);
    if status.signal() != Some(ABORTED) || !stage.instances[MORTAL].told()?.contains(&word) {
        return Err(format!("the instance ended otherwise: {status}"));
    }
    Ok(())
}

fn start(stage: &mut Stage, point: Failpoint, passing: u64) -> Outcome<()> {
    let mut command = stage.instances[MORTAL].command();
    command.env(VARIABLE, format!("{}:{passing}", point.name()));
    stage.instances[MORTAL].start_by(command)
}

/// Makes the disk of the dead instance what the point is for.
fn prepare_disk(stage: &mut Stage, reached: Reached) -> Outcome<()> {
    use Reached::{ByStartWithForeignState, ByStartWithHalfClearedState, ByStartWithOldState};
    if matches!(reached, ByStartWithForeignState | ByStartWithOldState | ByStartWithHalfClearedState) {
        // What earlier lives have left half restored is no state to damage.
        stage.instances[MORTAL].start()?;
        stage.instances[MORTAL].await_tasks(PATIENCE)?;
        stage.instances[MORTAL].kill()?;
        stage.kills += 1;
    }
    match reached {
        Reached::ByWork | Reached::ByHandOver | Reached::ByStart | Reached::ByConnector => Ok(()),
        Reached::ByStartWithoutState => {
            std::fs::remove_dir_all(&stage.instances[MORTAL].state).map_err(|e| format!("deleting the state: {e}"))
        }
        Reached::ByStartWithForeignState => each_task(stage, |task| {
            for store in 0..task.stores().len() {
                if task.changelog_id(store)?.is_some() {
                    task.keep_changelog_id(store, "of another life")?;
                }
            }
            Ok(())
        }),
        Reached::ByStartWithOldState => each_task(stage, |task| {
            for store in 0..task.stores().len() {
                // Only what its changelog has gone on from is made anew.
                if let Some(position) = task.changelog_position(store).filter(|position| *position > 0) {
                    task.apply_restored(store, std::iter::empty(), position - 1)?;
                }
            }
            task.mark_up_to_date(jiff::Timestamp::now().as_millisecond() - SEVEN_DAYS_MS)
        }),
        Reached::ByStartWithHalfClearedState => each_task(stage, |task| {
            for store in 0..task.stores().len() {
                if task.stores()[store].is_derived {
                    task.clear_store(store)?;
                }
            }
            Ok(())
        }),
    }
}

/// Opens the tasks on the disk of the dead instance, one after the other.
fn each_task(stage: &Stage, change: impl Fn(&mut TaskState) -> Result<(), StateError>) -> Outcome<()> {
    let settings = Settings { application: APPLICATION.to_owned(), partitions: PARTITIONS, ..Settings::default() };
    let topology = topology(&settings).map_err(|e| e.to_string())?;
    let failed = |e: StateError| format!("changing the state: {e}");
    let directory = RocksDirectory::open(&stage.instances[MORTAL].state, RocksOptions::default()).map_err(failed)?;
    for (sub, partition) in directory.tasks().map_err(failed)? {
        let Some(definition) = topology.sub_topologies.iter().find(|definition| definition.name == sub) else {
            return Err(format!("the state has a sub-topology {sub}"));
        };
        let stores = &definition.stores;
        let backend = directory.open_task(&sub, partition, stores).map_err(failed)?;
        // The fingerprint is written with commits only.
        let mut task = TaskState::new(backend, stores.clone(), String::new()).map_err(failed)?;
        change(&mut task).map_err(failed)?;
    }
    Ok(())
}

/// Makes the instance pass the point, if that takes more than a start.
fn provoke(stage: &mut Stage, reached: Reached) -> Outcome<()> {
    match reached {
        Reached::ByWork => stage.send_next_extract(),
        Reached::ByHandOver => {
            // A member that is not settled yet has nothing to hand over.
            let has_died = stage.instances[MORTAL].await_tasks(PATIENCE).is_err();
            if has_died {
                return Ok(());
            }
            stage.send_next_extract()?;
            if stage.instances[OTHER].is_running() {
                stage.kills += 1;
                stage.instances[OTHER].kill()
            } else {
                stage.instances[OTHER].start()
            }
        }
        _ => Ok(()),
    }
}
