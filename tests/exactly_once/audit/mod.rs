//! The sequence audit under kills: what stands at the end is what was planted in the traffic, and nothing is said twice.

mod expected;
mod progress;
mod rounds;
mod verifier;

use std::time::Duration;

use concord_flows::sequence_audit::topology::{LINK_EVENTS, TRANSACTION_EVENTS};

use crate::clock::JumpingClock;
use crate::instance::Instance;
use crate::stage::Stage;
use crate::{Outcome, PARTITIONS, Size, poll_until};
use progress::Progress;
use rounds::{GRACE, Publishing, rounds};

pub use verifier::verify;

const PATIENCE: Duration = Duration::from_secs(60);
/// Of the kills of list reconciliation, one in so many: between two of them the audit comes to rest.
const KILLS_ONE_IN: u64 = 5;
/// Of the kills, those of instances whose timers are due.
const AT_TIMERS: u64 = 2;
/// The clock runs a hundred times as fast: in small steps, since a timer that fires over a minute late is put off.
const STEP_S: i64 = 5;
const STEP: Duration = Duration::from_millis(50);
/// Until every deadline has passed, and those that are set when others have. Brokers refuse what is an hour ahead.
const STEPS: i64 = 3 * GRACE.as_secs() / STEP_S;

/// What was published, and what was planted in it.
#[derive(Default)]
pub struct Audited {
    planted: Vec<concord_connectors::synthetic::PlantedFault>,
    published: u64,
}

/// Instances are killed while they read interchanges, and then while timers fire: gaps to be confirmed, receipts overdue.
///
/// Deadlines follow the times at which interchanges were received, which are those of the traffic, and at its end the
/// clock of both instances, which then runs ahead.
pub fn kill_instances(stage: &mut Stage, size: &Size) -> Outcome<String> {
    let kills = (size.kills / KILLS_ONE_IN).max(2 * AT_TIMERS);
    let traffic = rounds::traffic(kills, stage.seed, stage.now);
    stage.audited.planted = traffic.planted.iter().cloned().collect();
    let rounds = rounds(&traffic);
    let clock = JumpingClock::build(stage.folder())?;
    for instance in &mut stage.instances {
        instance.clock = Some(clock.clone());
    }
    stage.start_both()?;
    let mut publishing = Publishing::to(&stage.broker.bootstrap)?;
    let reading = Progress::of(&stage.broker.bootstrap)?;
    let while_reading = kills - AT_TIMERS;
    for (number, round) in rounds.iter().enumerate() {
        let (before, behind) = round.split_at(round.len() / 2);
        publishing.publish(before)?;
        if (number as u64) < while_reading {
            kill_one(stage, || publishing.publish(behind))?;
        } else {
            publishing.publish(behind)?;
        }
        stage.audited.published += round.len() as u64;
        let sent = publishing.sent();
        come_to_rest(stage, &reading, sent).map_err(|e| format!("round {number} of {}: {e}", rounds.len()))?;
    }
    for step in 1..=STEPS {
        clock.set_seconds(step * STEP_S)?;
        if step % (STEPS / 3) == 0 && step < STEPS {
            kill_one(stage, || Ok(()))?;
            // Meanwhile the clock stands.
            stage.instances.iter_mut().try_for_each(|instance| instance.await_tasks(PATIENCE))?;
        }
        std::thread::sleep(STEP);
    }
    let (interchanges, faults) = (stage.audited.published, stage.audited.planted.len());
    let (kills, rounds) = (stage.kills, rounds.len());
    Ok(format!("{kills} kills, {interchanges} interchanges in {rounds} rounds with {faults} faults"))
}

/// One instance dies at a random moment, and comes back after `meanwhile`; one in four dies once more while it starts.
fn kill_one(stage: &mut Stage, mut meanwhile: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    let victim = stage.dice.between(0, 2) as usize;
    std::thread::sleep(Duration::from_millis(stage.dice.between(0, 250)));
    stage.instances[victim].kill()?;
    stage.kills += 1;
    meanwhile()?;
    stage.instances[victim].start()?;
    if stage.dice.between(0, 4) == 0 {
        std::thread::sleep(Duration::from_millis(stage.dice.between(0, 500)));
        stage.instances[victim].kill()?;
        stage.kills += 1;
        stage.instances[victim].start()?;
    }
    Ok(())
}

/// Waits until all that was published, and all that it led to, is processed and committed.
fn come_to_rest(stage: &mut Stage, reading: &Progress, sent: [i64; PARTITIONS as usize]) -> Outcome<()> {
    let application = (stage.flow.topology)()?.application;
    let links = format!("{application}.{LINK_EVENTS}.repartition");
    let transactions = format!("{application}.{TRANSACTION_EVENTS}.repartition");
    poll_until(PATIENCE, Duration::from_millis(20), || {
        stage.instances.iter_mut().try_for_each(Instance::check_alive)?;
        if !reading.has_come_to(sent)? {
            return Ok(false);
        }
        // A position is seen before the records of its transaction. Interchanges lead to receipts on the topic they are on.
        for topic in [&links, &links, &transactions] {
            if !stage.topics.undecided(topic)?.is_empty() || stage.topics.lag(&application, topic)? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    })
}
