//! The commands for operators, on a real cluster: jobs listed, shown, run again and cleaned up; a route closed and opened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "what tests of commands share, of which a part is needed here")]
mod on_a_cluster;

use std::fs;
use std::time::{Duration, Instant};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use jiff::Timestamp;
use serde_json::Value;

use on_a_cluster::{Program, unique};

const PATIENCE: Duration = Duration::from_secs(90);
const BY: [&str; 2] = ["--by", "Ann Operator"];

/// An application of its own on the cluster, with a practice and a route of its own.
struct Application {
    program: Program,
    practice: String,
}

impl Application {
    fn new(bootstrap: &str) -> Self {
        let unique = unique();
        let flows = format!(
            "[flows.list_reconciliation]\napplication = \"jobs-{unique:x}\"\n\
             [flows.list_reconciliation.mails]\nrecipients = [\"pcse@nhs.example\"]\nsuccess = true\n"
        );
        let program = Program::configured(bootstrap, "jobs", "pds.record", &flows);
        Self { program, practice: format!("Y{:05}", unique / 1_000 % 100_000) }
    }

    /// A command that must fail with this exit code; what it says.
    #[track_caller]
    fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = self.program.concord(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    /// Publishes an extract of so many patients; the job's id.
    fn publish(&self, patients: u64) -> String {
        let now = Timestamp::now();
        let settings = SyntheticSettings { practice: self.practice.clone(), patients, seed: 1, first_person: 0, now };
        let practice = SyntheticPractice::generate(settings).unwrap();
        let path = self.program.folder.path().join(practice.extract_file_name());
        fs::write(&path, practice.extract().collect::<String>()).unwrap();
        let said = self.program.succeeds(&["produce", "extract", path.to_str().unwrap()]);
        said.trim().strip_prefix("job ").unwrap().to_owned()
    }

    /// Waits until a job has a status, and answers it.
    #[track_caller]
    fn job_becomes(&self, id: &str, status: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.program.concord(&["jobs", "show", id, "--json"]);
            let job: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if job["status"] == status {
                return job;
            }
            assert!(Instant::now() < deadline, "the job is not {status} within {PATIENCE:?}, but {job}");
            // The interval of a poll with a deadline.
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }

    fn route(&self) -> Value {
        let said = self.program.succeeds(&["post-office", "status", "--json"]);
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }
}

fn statuses(job: &Value) -> Vec<&str> {
    job["history"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect()
}

#[test]
fn operators_see_jobs_run_them_again_end_them_and_let_files_wait() {
    let Ok(bootstrap) = std::env::var("KAFKA_BOOTSTRAP") else {
        eprintln!("SKIPPED: jobs wants a real cluster; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    };
    let mut application = Application::new(&bootstrap);
    application.program.succeeds(&["topics", "apply"]);
    application.program.start();

    let first = application.publish(20);
    let job = application.job_becomes(&first, "RECONCILED");
    assert_eq!(statuses(&job), ["RECEIVED", "VALIDATED", "RECONCILED"]);
    assert_eq!((&job["mails"][0]["service"], &job["mails"][0]["state"]), (&"LR-14".into(), &"OUTBOX".into()));
    let listed =
        application.program.succeeds(&["jobs", "list", "--practice", &application.practice, "--status", "reconciled"]);
    assert!(listed.lines().nth(1).unwrap().starts_with(&first), "{listed}");
    let shown = application.program.succeeds(&["jobs", "show", &first]);
    assert!(shown.contains("  history\n"), "{shown}");

    a_closed_route_lets_files_wait(&application);
    let again = a_job_is_run_again(&application, &first);
    a_job_is_cleaned_up(&application, &again);

    assert!(application.fails(&["jobs", "show", "nobody"], 1).contains("concord jobs list"));
    assert!(application.fails(&["jobs", "rerun", "nobody"], 1).contains("concord jobs list"));
    assert!(
        application.fails(&[&["post-office", "close", "--route", "mash"], &BY[..]].concat(), 2).contains("gp-extracts")
    );
    application.fails(&["jobs", "cleanup", &first], 2);
    application.fails(&["post-office", "close", "--by", ""], 2);
}

fn a_closed_route_lets_files_wait(application: &Application) {
    application.program.succeeds(&[&["post-office", "close", "--reason", "a test"], &BY[..]].concat());
    let deadline = Instant::now() + PATIENCE;
    while application.route()["state"] != "closed" {
        assert!(Instant::now() < deadline, "the route does not close: {}", application.route());
        std::thread::park_timeout(Duration::from_millis(200));
    }
    let waiting = application.publish(21);
    application.job_becomes(&waiting, "WAITING");
    let route = application.route();
    assert_eq!((&route["by"], &route["reason"]), (&"Ann Operator".into(), &"a test".into()));
    assert!(route["waiting"].as_i64().unwrap() >= 1, "{route}");
    application.program.succeeds(&[&["post-office", "open"], &BY[..]].concat());
    let job = application.job_becomes(&waiting, "RECONCILED");
    assert_eq!(statuses(&job), ["RECEIVED", "WAITING", "VALIDATED", "RECONCILED"]);
}

fn a_job_is_run_again(application: &Application, first: &str) -> String {
    let said = application.program.succeeds(&["jobs", "rerun", first]);
    let again = said.trim().strip_prefix("job ").unwrap().to_owned();
    let job = application.job_becomes(&again, "RECONCILED");
    assert_eq!(job["rerun_of"], first);
    let before = application.job_becomes(first, "RECONCILED");
    assert_eq!((&job["at_ms"], &job["counts"]), (&before["at_ms"], &before["counts"]));
    assert_ne!(
        application.program.succeeds(&["jobs", "rerun", &again]).trim(),
        said.trim(),
        "each re-run is a job of its own"
    );
    again
}

fn a_job_is_cleaned_up(application: &Application, id: &str) {
    application.program.succeeds(&[&["jobs", "cleanup", id, "--reason", "a test"], &BY[..]].concat());
    let job = application.job_becomes(id, "CLEANED_UP");
    let last = job["history"].as_array().unwrap().last().unwrap();
    assert_eq!(last["detail"], "by Ann Operator: a test");
}
