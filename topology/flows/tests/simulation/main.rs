//! List reconciliation whole, on two workers, under seeded faults: whatever goes wrong, what comes out is what comes out
//! when nothing does, and what the generator of the practices knows to be true.
//!
//! ```text
//! CONCORD_SEED=17 cargo test -p concord-flows --test simulation     one run again
//! CONCORD_SEEDS=100000 cargo test -p concord-flows --test simulation
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod check;
mod connector;
mod random;
mod run;
mod scenario;

use random::Random;
use scenario::Scenario;

/// Runs of a test without `CONCORD_SEEDS`.
const SEEDS: u64 = 2_000;

#[test]
fn list_reconciliation_comes_out_the_same_whatever_goes_wrong() {
    let seeds = match (number("CONCORD_SEED"), number("CONCORD_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    let (mut crashes, mut calls) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let _replay = Replay(seed);
        let scenario = Scenario::draw(&mut Random::of(seed));
        let undisturbed = run::undisturbed(&scenario);
        check::agrees_with_the_truth(&scenario, &undisturbed);
        let disturbed = run::disturbed(&scenario, seed);
        check::agrees_with_the_truth(&scenario, &disturbed.driver);
        check::came_out_the_same(&undisturbed, &disturbed.driver);
        crashes += disturbed.crashes;
        calls += disturbed.driver.faults().calls();
    }
    eprintln!("{count} runs agreed: {crashes} crashes, {calls} calls to the log");
    println!(r#"FIGURES {{"seeds":{count}}}"#);
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
            let seed = self.0;
            eprintln!("seed {seed} failed. Again: CONCORD_SEED={seed} cargo test -p concord-flows --test simulation");
        }
    }
}
