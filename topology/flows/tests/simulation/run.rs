//! One run of a scenario: undisturbed, or with everything going wrong that can.

use concord_engine::driver::{DriverSettings, TopologyTestDriver};
use concord_engine::log::embedded::{FaultPlan, FaultRates};
use concord_flows::list_reconciliation::{Delivered, MailSettings, Settings, topology};
use concord_schemas::list_reconciliation::CommandAction;

use crate::connector::Connector;
use crate::random::Random;
use crate::scenario::Scenario;

const WORKERS: usize = 2;
/// How long a file may wait for its end marker: longer than any run under faults takes.
const UPLOAD_TIMEOUT_MS: i64 = 60 * 60 * 1000;

/// A disturbed run at rest again.
pub struct Disturbed {
    pub driver: TopologyTestDriver,
    pub crashes: u64,
}

/// The run that the others are held against.
pub fn undisturbed(scenario: &Scenario) -> TopologyTestDriver {
    let mut driver = started(scenario, FaultPlan::none(), 2_000);
    scenario.publish_pds(&mut driver);
    close_post_office(scenario, &mut driver);
    driver.run_until_idle().unwrap();
    for event in 0..scenario.events() {
        scenario.publish_event(&mut driver, event);
    }
    open_post_office(scenario, &mut driver);
    finish(scenario, &mut driver, Connector::default());
    driver
}

/// The same input under the faults of a seed. They stop at some point, else nothing would ever be at rest.
pub fn disturbed(scenario: &Scenario, seed: u64) -> Disturbed {
    let mut random = Random::of(!seed);
    let plan = FaultPlan::seeded(seed, rates(&mut random));
    let mut driver = started(scenario, plan.clone(), 1 + random.below(50) as usize);
    let mut crashes = 0;
    scenario.publish_pds(&mut driver);
    close_post_office(scenario, &mut driver);
    for _ in 0..random.below(60) {
        crashes += turn(&mut driver, &mut random);
    }
    // Files are held against what PDS is known to hold when they come.
    while driver.log().lag("list-reconciliation") > 0 || driver.log().group_positions("list-reconciliation").is_empty()
    {
        crashes += turn(&mut driver, &mut random);
    }
    for event in 0..scenario.events() {
        scenario.publish_event(&mut driver, event);
        while random.percent(80) {
            crashes += turn(&mut driver, &mut random);
        }
    }
    open_post_office(scenario, &mut driver);
    let mut connector = Connector::default();
    for _ in 0..random.below(400) {
        crashes += turn(&mut driver, &mut random);
        if random.percent(5) {
            connector.send_what_is_there(&mut driver, random.percent(20));
        }
    }
    plan.stop();
    driver.restart_all().unwrap();
    finish(scenario, &mut driver, connector);
    Disturbed { driver, crashes }
}

fn started(scenario: &Scenario, faults: FaultPlan, poll_records: usize) -> TopologyTestDriver {
    let flow = Settings {
        partitions: scenario.partitions,
        upload_timeout_ms: UPLOAD_TIMEOUT_MS,
        mails: MailSettings { recipients: vec!["pcse@nhs.example".to_owned()], success: true },
        delivered: vec![Delivered::Lists, Delivered::Mails],
        ..Settings::default()
    };
    let mut settings = DriverSettings { faults, ..DriverSettings::with_workers(WORKERS) };
    settings.worker.poll_records = poll_records;
    TopologyTestDriver::start(topology(&flow).unwrap(), settings).unwrap()
}

fn close_post_office(scenario: &Scenario, driver: &mut TopologyTestDriver) {
    if scenario.is_closed_at_first {
        scenario.switch_route(driver, CommandAction::CloseRoute);
    }
}

fn open_post_office(scenario: &Scenario, driver: &mut TopologyTestDriver) {
    if scenario.is_closed_at_first {
        scenario.switch_route(driver, CommandAction::OpenRoute);
    }
}

/// Until nothing moves, then until every file without an end has timed out, then what of them is sent again; the results of all are sent.
fn finish(scenario: &Scenario, driver: &mut TopologyTestDriver, mut connector: Connector) {
    driver.run_until_idle().unwrap();
    driver.run_for(UPLOAD_TIMEOUT_MS).unwrap();
    scenario.publish_late(driver);
    driver.run_until_idle().unwrap();
    // Once for the lists, and once for the mails that they allow.
    for _ in 0..2 {
        connector.send_what_is_there(driver, false);
        driver.run_until_idle().unwrap();
    }
    // What was delivered is shown together, a little later.
    driver.run_for(10_000).unwrap();
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

/// Time passes, and one worker takes a step, dies, or comes back; answers how many died.
fn turn(driver: &mut TopologyTestDriver, random: &mut Random) -> u64 {
    driver.advance(match random.below(200) {
        // Beyond the session of a worker, and beyond its transaction.
        0 => 40_000,
        1..=3 => 6_000,
        _ => random.below(60) as i64,
    });
    let worker = random.below(WORKERS as u64) as usize;
    if !driver.is_up(worker) {
        if random.percent(20) {
            driver.restart(worker).unwrap();
        }
        return 0;
    }
    match random.below(400) {
        0 => driver.crash_with_disk(worker).unwrap(),
        1..=2 => driver.crash(worker).unwrap(),
        3 => driver.stop(worker).unwrap(),
        _ => {
            driver.step(worker).unwrap();
        }
    }
    u64::from(!driver.is_up(worker))
}
