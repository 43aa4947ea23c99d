//! The same under seeded faults: whatever goes wrong with workers and log, what was planted is found.
//!
//! `CONCORD_SEED=17 cargo test -p concord-flows --test sequence_audit simulation` is one run again, `CONCORD_SEEDS=1000` are many.

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{FaultPlan, FaultRates};
use concord_flows::sequence_audit::topology;

use crate::planted::{agree, traffic};
use crate::random::Random;
use crate::stage::{GRACE, NOW, OVERDUE, Stage, settings_with};

/// Runs of a test without `CONCORD_SEEDS`.
const SEEDS: u64 = 200;
const WORKERS: usize = 2;

#[test]
fn what_was_planted_is_found_whatever_goes_wrong() {
    let seeds = match (number("CONCORD_SEED"), number("CONCORD_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    let (mut crashes, mut planted) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let _replay = Replay(seed);
        let traffic = traffic(2, 30, seed);
        planted += traffic.planted.len();
        let mut random = Random::of(seed);
        let plan = FaultPlan::seeded(seed, rates(&mut random));
        let mut driver = DriverSettings { faults: plan.clone(), now_ms: NOW, ..DriverSettings::with_workers(WORKERS) };
        // With fewer, runs with many faults fall behind by more than any grace period.
        driver.worker.poll_records = 5 + random.below(50) as usize;
        let partitions = 1 + random.below(3) as i32;
        // What is held up by faults is not late: three times the time within which traffic arrives.
        let flow = topology(&settings_with(partitions, 3 * GRACE)).unwrap();
        let mut stage = Stage::of(TopologyTestDriver::start(flow, driver).unwrap());
        for delivery in &traffic.deliveries {
            while stage.driver.now_ms() < delivery.at.as_millisecond() {
                crashes += turn(&mut stage, &mut random, delivery.at.as_millisecond());
            }
            stage.publish(&delivery.text);
        }
        plan.stop();
        stage.driver.restart_all().unwrap();
        stage.settle();
        stage.pass(2 * OVERDUE);
        agree(&stage, &traffic, seed);
        stage.check();
    }
    eprintln!("{count} runs agreed: {crashes} crashes, {planted} faults found");
}

/// Time passes, and one worker takes a step, dies, or comes back; answers how many died.
fn turn(stage: &mut Stage, random: &mut Random, until_ms: i64) -> u64 {
    let left = until_ms - stage.driver.now_ms();
    stage.driver.advance((random.below(2_000) as i64 + 1).min(left));
    let worker = random.below(WORKERS as u64) as usize;
    if !stage.driver.is_up(worker) {
        if random.percent(40) {
            stage.driver.restart(worker).unwrap();
        }
        return 0;
    }
    match random.below(600) {
        0 => stage.driver.crash_with_disk(worker).unwrap(),
        1..=2 => stage.driver.crash(worker).unwrap(),
        3 => stage.driver.stop(worker).unwrap(),
        _ => {
            stage.driver.step(worker).unwrap();
        }
    }
    u64::from(!stage.driver.is_up(worker))
}

/// Some runs see all kinds of faults, some only a few.
fn rates(random: &mut Random) -> FaultRates {
    let mut rate = |most: f64| if random.percent(60) { most * (1 + random.below(4)) as f64 / 4.0 } else { 0.0 };
    FaultRates {
        retriable: rate(0.05),
        must_abort: rate(0.1),
        unknown_outcome: rate(0.1),
        crash: rate(0.004),
        delivery_failure: rate(0.005),
        marker_delay: rate(0.5),
        longest_marker_delay_ms: 2_000,
        short_poll: rate(0.4),
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text}: write a number")))
}

/// Tells how to run a failed seed again.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Again: CONCORD_SEED={} cargo test -p concord-flows --test sequence_audit simulation", self.0);
        }
    }
}
