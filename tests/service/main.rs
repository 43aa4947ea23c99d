//! The whole service as its users have it: a practice's file arrives in a mailbox of MESH, and its results are in the recipient's
//! mailbox and a mail in the mail server. Every server is a real one of the test's own, so that it may be stopped; only PDS,
//! which is asked about every tenth patient, is played ([`pds`]).
//!
//! Two instances of `concord run` and `concord connect mesh`, `mail` and `pds` work on twenty-one files twice: once in peace, held
//! against what is known from how the people were made, and once while each process is killed and each server is stopped in turn.
//! Both times the same must have come out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod files;
mod outcome;
mod pds;
mod processes;
mod servers;
#[allow(dead_code, reason = "the program's own reading of topics, of which a part is needed here")]
#[path = "../../src/verify/topics.rs"]
mod topics;

use std::collections::BTreeMap;

use files::{Files, Kind};
use outcome::{CameOut, without_times};
use processes::Processes;
use servers::Servers;

/// What went wrong, in words.
pub type Outcome<T> = Result<T, String>;

/// What everything of one run plays on.
struct Stage {
    // Before the servers, so that they are ended first.
    processes: Processes,
    servers: Servers,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn set(files: &Files) -> Self {
        let folder = tempfile::Builder::new().prefix("concord-service-").tempdir().unwrap();
        let servers = Servers::start(folder.path(), files.asked_for.clone());
        let processes = Processes::prepare(folder.path(), &servers);
        processes.succeeds(&["topics", "apply"]);
        let pds = folder.path().join("pds.ndjson");
        std::fs::write(&pds, &files.pds).unwrap();
        let mut stage = Self { processes, servers, _folder: folder };
        stage.processes.start_all();
        stage.processes.succeeds(&["produce", "pds", pds.to_str().unwrap()]);
        stage.processes.await_lag_zero(&stage.servers);
        stage
    }

    /// Waits until each file's job has come to its end and everything that is to leave has left.
    fn finish(&mut self, files: &Files) -> CameOut {
        self.processes.await_jobs(files.expected_statuses());
        // The same file from another message: a copy, when its job is done.
        files.send_copy(&self.servers);
        self.processes.await_copy(&files.copied_job());
        outcome::read(self)
    }
}

#[test]
fn from_a_mailbox_to_the_recipients_mailbox_and_a_mail_whatever_is_killed_or_stopped_on_the_way() {
    if std::env::var_os("KAFKA_BOOTSTRAP").is_none() {
        eprintln!("SKIPPED: service wants real servers; set KAFKA_BOOTSTRAP as scripts/test.sh does");
        return;
    }
    let files = Files::generate();

    let mut stage = Stage::set(&files);
    for file in &files.files {
        file.send(&stage.servers);
    }
    let in_peace = stage.finish(&files);
    let (found, unknown) = stage.servers.pds.answered();
    drop(stage);
    assert!(found >= files.asked_for.len() as u64, "PDS is asked about each of whom it publishes nothing");
    assert!(unknown > 0, "PDS is asked about those whom nobody knows, too");
    is_what_was_planted(&files, &in_peace);

    let mut stage = Stage::set(&files);
    faults::meet(&mut stage, &files);
    let with_faults = stage.finish(&files);
    drop(stage);

    assert_eq!(with_faults.results, in_peace.results, "what the recipients have");
    assert_eq!(with_faults.mails, in_peace.mails, "what was mailed");
    assert_eq!(with_faults.jobs, in_peace.jobs, "what became of the files");
    assert_eq!(with_faults.refused, in_peace.refused, "what was not taken in");
}

/// The run without faults, against the truth.
fn is_what_was_planted(files: &Files, outcome: &CameOut) {
    for file in files.files.iter().filter(|file| file.kind == Kind::Good) {
        let job = &outcome.jobs[&file.job_id];
        assert_eq!(job.status, "COMPLETE", "{}", file.name);
        assert_eq!(job.counts, file.truth, "{}", file.name);
        let of_practice: BTreeMap<&str, usize> = outcome
            .results
            .iter()
            .filter(|result| result.name.starts_with(&file.practice))
            // Without the line of column names.
            .map(|result| (result.name.as_str(), result.text.lines().count() - 1))
            .collect();
        let name = |kind: &str| format!("{}-{kind}-T.csv", file.practice);
        let rows = |kind: &str| of_practice[name(kind).as_str()] as i64;
        assert_eq!(of_practice.len(), 3, "three files, each once: {of_practice:?}");
        assert_eq!(rows("OnlyOnGP"), file.truth["only_on_gp"], "{}", file.name);
        assert_eq!(rows("OnlyOnPDS"), file.truth["only_on_pds"], "{}", file.name);
        // One more for each of the sensitive, of whom only that is said.
        assert_eq!(rows("CDD"), file.truth["differences"] + file.truth["sensitive"], "{}", file.name);
        let mail = outcome.mail_about(&file.name, "PDS Comparison run");
        assert!(mail.contains(&format!("{} patient records were found on PDS", file.truth["only_on_pds"])), "{mail}");
        assert!(mail.contains(&file.job_id), "{mail}");
        assert!(of_practice.keys().all(|name| mail.contains(*name)), "{mail}");
    }
    for file in files.files.iter().filter(|file| file.kind == Kind::Bad) {
        assert_eq!(outcome.jobs[&file.job_id].status, "REJECTED", "{}", file.name);
        outcome.mail_about(&file.name, "Validation Failure");
        assert!(!outcome.results.iter().any(|result| result.name.starts_with(&file.practice)), "{}", file.name);
    }
    // Of another workflow: it is told, and stays where it is.
    assert_eq!(outcome.refused, ["CONCORD-CN-0011"]);
    let copied = files.files.iter().find(|file| file.job_id == files.copied_job()).unwrap();
    let answer = outcome.mail_about(&copied.name, "was received again");
    assert!(answer.contains("(COMPLETE)"), "{answer}");
    assert_eq!(outcome.jobs[&files.copied_job()].copies, 1);
    let good = files.files.iter().filter(|file| file.kind == Kind::Good).count();
    assert_eq!(outcome.results.len(), 3 * good);
    assert_eq!(outcome.mails.len(), files.expected_statuses().len() + 1);
}

#[test]
fn times_are_left_out_of_names_and_texts_and_nothing_else() {
    let text = "Y10000-CDD-20211201090507.csv at 09:05:07 on 01/12/2021 of 9000000009";
    assert_eq!(without_times(text), "Y10000-CDD-T.csv at T on 01/12/2021 of 9000000009");
}
