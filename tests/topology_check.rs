//! `concord topology check` and the start of `concord run` on state that another topology wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use concord_engine::topology::Fingerprint;
use concord_flows::list_reconciliation::{Settings, topology};
use concord_state::{CommitMeta, RocksDirectory, RocksOptions, StateDirectory, TaskState};

const PARTITIONS: i32 = 2;

/// A state folder as a stopped process left it, and a configuration that names it.
struct Stopped {
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Stopped {
    fn without_state() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("concord.toml");
        let state = state_of(folder.path());
        let text = format!(
            "[instance]\nname = \"one\"\nstate_dir = {state:?}\n[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n\
             [topics]\npartitions = {PARTITIONS}\n[flows.list_reconciliation]\n"
        );
        fs::write(&config, text).unwrap();
        Self { folder, config }
    }

    /// With the state of one task, written by the topology of `config` after `change`.
    fn after(change: impl FnOnce(&mut Fingerprint)) -> Self {
        let mut fingerprint = Fingerprint::of(&topology(&settings()).unwrap());
        change(&mut fingerprint);
        Self::with_fingerprint(fingerprint.to_text())
    }

    fn with_fingerprint(fingerprint: String) -> Self {
        let stopped = Self::without_state();
        let topology = topology(&settings()).unwrap();
        let intake = topology.sub_topologies.iter().find(|sub| sub.name == "intake").unwrap();
        let directory = RocksDirectory::open(state_of(stopped.folder.path()), RocksOptions::default()).unwrap();
        let backend = directory.open_task(intake.name, 0, &intake.stores).unwrap();
        let mut state = TaskState::new(backend, intake.stores.clone(), fingerprint).unwrap();
        state.commit(CommitMeta::default()).unwrap();
        state.flush().unwrap();
        stopped
    }

    fn concord(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        let Output { status, stdout, stderr } =
            command.args(arguments).arg("--config").arg(&self.config).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[track_caller]
    fn expect_check(&self, code: i32, verdict: &str, reason: &str) {
        let (found, stdout, stderr) = self.concord(&["topology", "check"]);
        assert_eq!(found, Some(code), "{stdout}{stderr}");
        assert!(stdout.starts_with(&format!("{verdict} (topology ")) && stdout.contains(reason), "{stdout}");
        assert_eq!(code != 0, stderr.contains("the state does not fit this topology"), "{stderr}");
    }

    /// Before anything is asked of the cluster, which this configuration cannot reach.
    #[track_caller]
    fn expect_that_run_refuses(&self, reasons: &[&str]) {
        let (found, _, stderr) = self.concord(&["run"]);
        assert_eq!(found, Some(2), "{stderr}");
        for reason in reasons {
            assert!(stderr.contains(reason), "{reason} is not in: {stderr}");
        }
    }
}

fn settings() -> Settings {
    Settings { partitions: PARTITIONS, ..Settings::default() }
}

fn state_of(folder: &Path) -> PathBuf {
    folder.join("state")
}

#[test]
fn no_state_and_the_state_of_the_same_topology_are_the_same() {
    Stopped::without_state().expect_check(0, "same", "");
    Stopped::after(|_| {}).expect_check(0, "same", "");
}

#[test]
fn state_of_a_topology_without_a_store_is_compatible() {
    let stopped = Stopped::after(|old| {
        old.sub_topologies.get_mut("comparison").unwrap().stores.remove("job-counts");
    });
    stopped.expect_check(0, "compatible", "job-counts");
}

#[test]
fn state_that_would_stay_behind_needs_migration_and_exits_with_1() {
    let stopped = Stopped::after(|old| {
        let intake = old.sub_topologies.get_mut("intake").unwrap();
        intake.stores.insert("of-yesterday".to_string(), "key-value".to_string());
    });
    stopped.expect_check(1, "needs migration", "the store `of-yesterday` is gone");
    stopped.expect_that_run_refuses(&["of-yesterday", "--accept-migration"]);
}

#[test]
fn state_that_would_be_read_wrongly_is_refused_with_1() {
    let other_application = Stopped::after(|old| old.application = "other".to_string());
    other_application.expect_check(1, "refused", "the state belongs to the application `other`");
    other_application.expect_that_run_refuses(&["`other`", "Use another state_dir"]);
    let more_partitions = Stopped::after(|old| old.sub_topologies.get_mut("report").unwrap().partitions = 7);
    more_partitions.expect_check(1, "refused", "`report` had 7 partitions and has 2");
    more_partitions.expect_that_run_refuses(&["had 7 partitions"]);
    let unreadable = Stopped::with_fingerprint("no fingerprint".to_string());
    unreadable.expect_check(1, "refused", "the fingerprint of task intake-0 is unreadable");
}
