//! What can go wrong, whatever is promised: the same runs are held against exactly once and against at least once.

use concord_engine::driver::TopologyTestDriver;
use concord_engine::log::embedded::{Fault, FaultPlan, FaultRates};

use crate::counting::{register, register_from, settle};

pub const ROUNDS: usize = 4;

/// A guarantee: workers that give it, and what must hold once all is at rest, after so many rounds.
pub struct Promise {
    pub start: fn(usize, FaultPlan) -> TopologyTestDriver,
    pub check: fn(&TopologyTestDriver, usize, &str),
}

impl Promise {
    /// One run with these faults. The input comes in two halves, and whoever died meanwhile is back for the end.
    pub fn run(&self, workers: usize, faults: FaultPlan, case: &str) {
        let mut driver = (self.start)(workers, faults);
        register(&mut driver, ROUNDS / 2);
        settle(&mut driver);
        register_from(&mut driver, ROUNDS / 2, ROUNDS);
        settle(&mut driver);
        driver.restart_all().unwrap();
        settle(&mut driver);
        (self.check)(&driver, ROUNDS, case);
    }

    /// How many calls an undisturbed run makes.
    pub fn calls_of_a_run(&self, workers: usize) -> u64 {
        let mut driver = (self.start)(workers, FaultPlan::none());
        register(&mut driver, ROUNDS);
        settle(&mut driver);
        (self.check)(&driver, ROUNDS, "undisturbed");
        driver.faults().calls()
    }

    pub fn holds_after_a_crash_at_any_call(&self) {
        for workers in [1, 2] {
            let calls = self.calls_of_a_run(workers) + 50;
            for nth in 1..=calls {
                for took_effect in [false, true] {
                    let faults = FaultPlan::none().at_call(nth, Fault::Crash { took_effect });
                    let case = format!("{workers} workers, crash at call {nth}, took effect: {took_effect}");
                    self.run(workers, faults, &case);
                }
            }
        }
    }

    /// Worker 0 hangs, with whatever it has not committed, for longer than its session and its transaction last.
    pub fn holds_when_the_tasks_of_a_silent_worker_go_to_another(&self) {
        for silent_after in 0..12 {
            let mut driver = (self.start)(2, FaultPlan::none());
            register(&mut driver, ROUNDS);
            for _ in 0..silent_after {
                driver.step(0).unwrap();
                driver.step(1).unwrap();
                driver.advance(20);
            }
            for _ in 0..400 {
                driver.advance(100);
                driver.step(1).unwrap();
            }
            settle(&mut driver);
            (self.check)(&driver, ROUNDS, &format!("worker 0 hung after {silent_after} steps"));
        }
    }

    pub fn holds_under_faults_at_these_rates(&self, seeds: u64, rates: &FaultRates) {
        for seed in 0..seeds {
            let plan = FaultPlan::seeded(seed, *rates);
            let mut driver = (self.start)(3, plan.clone());
            for half in [0, ROUNDS / 2] {
                register_from(&mut driver, half, half + ROUNDS / 2);
                take_turns(&mut driver, 3, 60, seed);
            }
            plan.stop();
            driver.restart_all().unwrap();
            settle(&mut driver);
            (self.check)(&driver, ROUNDS, &format!("seed {seed}"));
        }
    }
}

/// Workers step one after the other, in an order that differs by seed, and those that died come back after a while.
pub fn take_turns(driver: &mut TopologyTestDriver, workers: usize, turns: usize, seed: u64) {
    for turn in 0..turns {
        let worker = (turn * 7 + seed as usize) % workers;
        if !driver.is_up(worker) && turn % 5 == 0 {
            driver.restart(worker).unwrap();
        }
        driver.step(worker).unwrap();
        driver.advance((turn as i64 * 37) % 90);
    }
}
