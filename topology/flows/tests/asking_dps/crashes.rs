//! A crash at any commit, on either side, changes nothing of what comes out.

use concord_engine::log::embedded::{Call, Fault};
use concord_flows::list_reconciliation::{DpsExchange, Profile};

use crate::side::{Side, answer_of_dps, settings};
use crate::world::{File, Pds, world};

/// How many calls of a kind are tried: more than the scene makes.
const MOST_CALLS: usize = 400;

fn run(side: &mut Side, with_disk: bool) {
    for _ in 0..2 {
        side.idle();
        for worker in 0..2 {
            if with_disk && !side.driver.is_up(worker) {
                side.driver.crash_with_disk(worker).unwrap();
            }
        }
        side.driver.restart_all().unwrap();
    }
    side.idle();
}

fn crash_at(side: &Side, calls: usize, took_effect: bool) -> u64 {
    let nth = side.driver.faults().calls_of(Call::Commit) + 1 + calls as u64;
    // The driver follows it: clones share one plan.
    drop(side.driver.faults().clone().at(Call::Commit, nth, Fault::Crash { took_effect }));
    nth
}

/// The asker's side; `calls` calls to commit go well, and the next one kills its worker. False when there was no next one.
fn asked(scene: &Scene, calls: usize, took_effect: bool, with_disk: bool) -> bool {
    let mut asking = Side::committing_often(DpsExchange::Asks);
    asking.idle();
    let nth = crash_at(&asking, calls, took_effect);
    let job = &scene.file.job_id;
    asking.give(&scene.file);
    run(&mut asking, with_disk);
    let sent = asking.sent(&scene.file).expect("the extract was not sent");
    assert_eq!(sent.content, scene.file.content);
    asking.give_answer(job, &scene.bad);
    asking.give_answer(job, &scene.answer);
    run(&mut asking, with_disk);
    asking.give_answer(job, &scene.answer);
    run(&mut asking, with_disk);
    assert_eq!(asking.refused().len(), 1);
    assert_eq!(asking.results(job), scene.direct.results(job));
    assert_eq!(asking.job(job).counts, scene.direct.job(job).counts);
    assert_eq!(asking.mails(job), scene.direct.mails(job));
    assert_eq!(asking.job(job).history.len(), 6, "{:?}", asking.job(job).history);
    asking.check();
    asking.driver.faults().calls_of(Call::Commit) >= nth
}

/// The side of DPS.
fn answered(scene: &Scene, calls: usize, took_effect: bool, with_disk: bool) -> bool {
    let mut dps = Side::committing_often(DpsExchange::Answers);
    dps.publish(&scene.pds);
    let nth = crash_at(&dps, calls, took_effect);
    dps.give(&scene.file);
    run(&mut dps, with_disk);
    let files = dps.files(&scene.file.job_id);
    assert_eq!(files.into_values().collect::<Vec<_>>(), [scene.answer.as_str()]);
    dps.driver.check_settled().unwrap();
    dps.driver.faults().calls_of(Call::Commit) >= nth
}

struct Scene {
    file: File,
    pds: Pds,
    answer: String,
    bad: String,
    direct: Side,
}

impl Scene {
    fn new() -> Self {
        let (file, pds) = world(50, 41, 4);
        let answer = answer_of_dps(&pds, &file, settings(DpsExchange::Answers, Profile::Fixed));
        let bad = answer.lines().take(5).collect::<Vec<_>>().join("\n");
        let mut direct = Side::of(DpsExchange::Off);
        direct.publish(&pds);
        direct.send(&file);
        Self { file, pds, answer, bad, direct }
    }
}

fn whichever_commit_kills_its_worker(scene: fn(&Scene, usize, bool, bool) -> bool) {
    let made = Scene::new();
    for (took_effect, with_disk) in [(false, false), (true, false), (false, true), (true, true)] {
        let reached = (0..MOST_CALLS).take_while(|calls| scene(&made, *calls, took_effect, with_disk)).count();
        assert!((20..MOST_CALLS).contains(&reached), "the scene makes {reached} commits");
    }
}

#[test]
fn whichever_commit_kills_the_asker_everything_comes_out_once_and_right() {
    whichever_commit_kills_its_worker(asked);
}

#[test]
fn whichever_commit_kills_dps_its_answer_is_the_same() {
    whichever_commit_kills_its_worker(answered);
}
