//! What must come out.

use std::collections::BTreeMap;

use bytes::Bytes;
use concord_engine::driver::TopologyTestDriver;
use concord_flows::list_reconciliation::topology::{DIFFERENCE, FILE, JOB, MAIL, OUTCOME};
use concord_flows::list_reconciliation::values::{Files, Jobs};

use crate::scenario::{Ending, Scenario};

/// The promises of the engine hold, every job has ended as the scenario says, and every file is whole.
pub fn agrees_with_the_truth(scenario: &Scenario, driver: &TopologyTestDriver) {
    driver.check_settled().unwrap();
    let mut endings: BTreeMap<String, Ending> = BTreeMap::new();
    for output in driver.outputs::<Jobs>(JOB).unwrap() {
        let job = output.value().unwrap().unwrap();
        let status = scenario.endings.get(job.job_id).map(|ending| ending.status).filter(|s| *s == job.status);
        let ending =
            Ending { status: status.unwrap_or("another"), counts: job.counts, invalid_records: job.invalid_records };
        endings.insert(job.job_id.to_owned(), ending);
    }
    assert_eq!(endings, scenario.endings, "how the jobs ended");
    files_are_whole(driver);
    let standing = last_values(driver, DIFFERENCE).into_values().filter(Option::is_some).count();
    assert_eq!(standing as i64, scenario.standing, "differences that stand");
    for store in ["report-found", "report-rows"] {
        assert!(driver.state("report", store).unwrap().is_empty(), "{store} still holds rows of jobs that are done");
    }
    for store in ["job-patients", "job-counts"] {
        assert!(driver.state("comparison", store).unwrap().is_empty(), "{store} still holds jobs that are done");
    }
    for store in ["intake-pieces", "intake-waiting"] {
        assert!(driver.state("intake", store).unwrap().is_empty(), "{store} still holds files that are done");
    }
    let letters = driver.dead_letters().unwrap();
    assert_eq!(letters.len() as u64, scenario.garbage, "one dead letter for each record that is no value");
    assert!(letters.iter().all(|letter| letter.code == "CONCORD-EN-0001"), "and for no other");
}

/// The pieces of each file are there once, in order, and the last one ends it.
fn files_are_whole(driver: &TopologyTestDriver) {
    let mut pieces: BTreeMap<String, Vec<(i32, bool)>> = BTreeMap::new();
    for output in driver.outputs::<Files>(FILE).unwrap() {
        let piece = output.value().unwrap().unwrap();
        pieces.entry(output.key().to_owned()).or_default().push((piece.sequence, piece.last));
    }
    for pieces in pieces.values() {
        let last = pieces.len() - 1;
        let expected: Vec<(i32, bool)> = (0..pieces.len()).map(|n| (n as i32, n == last)).collect();
        assert_eq!(*pieces, expected, "the pieces of a file");
    }
}

/// Both runs wrote the same values under the same keys in the same order, byte by byte, and each job has the same life. Of
/// differences the last values are the same: which of two lists of a practice comes first is a matter of the faults.
pub fn came_out_the_same(undisturbed: &TopologyTestDriver, disturbed: &TopologyTestDriver) {
    assert_eq!(lives(undisturbed), lives(disturbed), "the lives of the jobs");
    assert!(last_values(undisturbed, DIFFERENCE) == last_values(disturbed, DIFFERENCE), "other differences stand");
    for topic in [OUTCOME, FILE, MAIL] {
        let (expected, found) = (values(undisturbed, topic), values(disturbed, topic));
        let missing = expected.keys().filter(|key| !found.contains_key(*key)).count();
        let surplus = found.keys().filter(|key| !expected.contains_key(*key)).count();
        let other: Vec<String> = expected
            .iter()
            .filter_map(|(key, values)| {
                let found = found.get(key)?;
                let times = format!("{} values and not {}", found.len(), values.len());
                (found != values).then(|| format!("{}: {times}", String::from_utf8_lossy(key)))
            })
            .collect();
        assert!(
            missing == 0 && surplus == 0 && other.is_empty(),
            "{topic} differs from the undisturbed run: {missing} keys missing, {surplus} too many, other values of {other:?}"
        );
    }
}

fn values(driver: &TopologyTestDriver, topic: &str) -> BTreeMap<Vec<u8>, Vec<Option<Bytes>>> {
    let mut values: BTreeMap<Vec<u8>, Vec<Option<Bytes>>> = BTreeMap::new();
    for output in driver.outputs::<Jobs>(topic).unwrap() {
        let key = output.record.key.map(|key| key.to_vec()).unwrap_or_default();
        values.entry(key).or_default().push(output.record.value);
    }
    values
}

fn last_values(driver: &TopologyTestDriver, topic: &str) -> BTreeMap<Vec<u8>, Option<Bytes>> {
    values(driver, topic).into_iter().map(|(key, mut values)| (key, values.pop().flatten())).collect()
}

/// The last record of each job. Left out is what depends on when the records of other topics come: times, and whether a file had
/// to wait.
fn lives(driver: &TopologyTestDriver) -> BTreeMap<String, String> {
    let mut lives = BTreeMap::new();
    for output in driver.outputs::<Jobs>(JOB).unwrap() {
        let mut job = output.value().unwrap().unwrap();
        job.history.retain(|step| step.status != "WAITING");
        for step in &mut job.history {
            step.at_ms = 0;
        }
        lives.insert(output.key().to_owned(), format!("{job:#?}"));
    }
    lives
}
