//! The asker under seeded faults of every kind.

use concord_engine::log::embedded::{FaultPlan, FaultRates};
use concord_flows::list_reconciliation::{DpsExchange, Profile};

use crate::random::Random;
use crate::side::{Side, answer_events, answer_of_dps, settings, sha256};
use crate::world::world;

/// Runs without `CONCORD_SEEDS`.
const SEEDS: u64 = 60;

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

/// A few steps of either worker; one that is down may come back.
fn turns(asking: &mut Side, random: &mut Random) {
    for _ in 0..random.below(40) {
        asking.driver.advance(random.below(60) as i64);
        let worker = random.below(2) as usize;
        if !asking.driver.is_up(worker) {
            if random.percent(20) {
                asking.driver.restart(worker).unwrap();
            }
            continue;
        }
        match random.below(200) {
            0 => asking.driver.crash_with_disk(worker).unwrap(),
            1 | 2 => asking.driver.crash(worker).unwrap(),
            _ => {
                asking.driver.step(worker).unwrap();
            }
        }
    }
}

#[test]
fn what_comes_out_of_an_answer_is_the_same_whatever_goes_wrong() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("CONCORD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CONCORD_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        eprintln!("seed {seed}: again with CONCORD_SEED={seed}");
        let mut random = Random::of(seed);
        let (file, pds) = world(10 + random.below(40), seed, random.below(6) as usize);
        let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
        let mut direct = Side::of(DpsExchange::Off);
        direct.publish(&pds);
        direct.send(&file);

        let plan = FaultPlan::seeded(seed, rates(&mut random));
        let mut asking = Side::faulty(settings(DpsExchange::Asks, Profile::Fixed), plan.clone());
        asking.give(&file);
        // Nobody answers what is not there.
        while !asking.has_sent(&file) {
            turns(&mut asking, &mut random);
        }
        let (job, id) = (file.job_id.as_str(), sha256(answer.as_bytes()));
        let times = 1 + random.below(2);
        for _ in 0..times {
            for event in &answer_events(job, &id, answer.as_bytes()) {
                asking.answer_event(job, event);
                turns(&mut asking, &mut random);
            }
        }
        plan.stop();
        asking.driver.restart_all().unwrap();
        asking.idle();
        // The answer may have been read before the intake's word of its job.
        asking.pass(60_000);
        assert_eq!(asking.job(job).status, "RECONCILED");
        assert_eq!(asking.results(job), direct.results(job));
        assert_eq!(asking.job(job).counts, direct.job(job).counts);
        assert_eq!(asking.mails(job), direct.mails(job));
        assert_eq!(asking.refused(), []);
        asking.check();
    }
}
