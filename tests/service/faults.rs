//! Each process is killed and each server stopped in turn, while the files are on their way.

use std::time::Duration;

use crate::Stage;
use crate::files::Files;

/// A file is sent before each of them.
const FAULTS: [fn(&mut Stage); 14] = [
    |stage| kill(stage, "mesh"),
    |stage| stop(stage, "smtp"),
    |stage| stop(stage, "pds"),
    |stage| kill(stage, "a"),
    |stage| stop(stage, "registry"),
    |stage| stop(stage, "mesh"),
    |stage| kill(stage, "mail"),
    |stage| kill(stage, "pds"),
    |stage| stage.servers.crash_the_broker(),
    |stage| kill(stage, "b"),
    |stage| stop(stage, "kafka"),
    // A start while the registry is away.
    |stage| {
        stage.servers.freeze("registry");
        kill(stage, "a");
        kill(stage, "mesh");
        std::thread::sleep(STOPPED);
        stage.servers.thaw("registry");
    },
    |stage| kill(stage, "mesh"),
    |stage| {
        kill(stage, "a");
        kill(stage, "b");
    },
];
/// How long a server answers nobody.
const STOPPED: Duration = Duration::from_secs(6);
/// Between two faults: in the midst of work, and not always at the same place of it.
const BETWEEN: [Duration; 3] = [Duration::from_millis(150), Duration::from_millis(700), Duration::from_millis(1500)];

pub fn meet(stage: &mut Stage, files: &Files) {
    let mut faults = FAULTS.iter();
    for (number, file) in files.files.iter().enumerate() {
        file.send(&stage.servers);
        std::thread::sleep(BETWEEN[number % BETWEEN.len()]);
        if let Some(fault) = faults.next() {
            fault(stage);
        }
    }
    assert!(faults.next().is_none(), "every fault has its file");
}

/// As a crash would end it; it is started again at once.
fn kill(stage: &mut Stage, process: &'static str) {
    stage.processes.kill(process);
    stage.processes.start(process);
}

/// The server takes connections and answers nobody, and then goes on as if no time had passed.
fn stop(stage: &mut Stage, server: &str) {
    stage.servers.freeze(server);
    std::thread::sleep(STOPPED);
    stage.servers.thaw(server);
}
