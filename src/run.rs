//! `concord run`: the long-running processor, until it is told to stop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use concord_engine::calls::{CallService, NoCalls};
use concord_engine::clock::{Clock, SystemClock};
use concord_engine::metric_names as names;
use concord_engine::queries::CommittedViews;
use concord_engine::topics::TopicState;
use concord_engine::topology::{Compatibility, Fingerprint, TopicDeclaration, Topology};
use concord_engine::worker::{Worker, WorkerError, WorkerParts};
use concord_state::RocksDirectory;

use crate::cluster;
use crate::config::Config;
use crate::documents;
use crate::failure::Failure;
use crate::health::Health;
use crate::http::{self, Service, Stores};
use crate::watchdog::Watchdog;

/// How long a step may wait for records: how soon a stop is noticed.
const STEP: Duration = Duration::from_millis(100);

/// Runs the flows of a configuration file until SIGTERM or SIGINT.
///
/// # Errors
/// Configuration, state that does not fit, or a worker that must not go on.
pub fn run(config_file: &Path, accept_migration: bool) -> Result<(), Failure> {
    let config = Config::read(config_file)?;
    let topologies = config.topologies()?;
    check_state(&config, &topologies, accept_migration)?;
    let topologies: Vec<Arc<Topology>> = topologies.into_iter().map(Arc::new).collect();

    let stop = Arc::new(AtomicBool::new(false));
    let health = Health::default();
    let views = CommittedViews::default();
    let stores = Stores { views: views.clone(), topologies: topologies.clone() };
    let service = Service { health: health.clone(), stores: Some(stores) };
    let http = http::start(&config.http.listen, service, stop.clone())?;

    let log = cluster::wait_for_cluster(&config, &health)?;
    let schemas = Arc::new(cluster::wait_for_schemas(&config, &health)?);
    for topology in &topologies {
        check_topics(&cluster::wait_for_topics(log.as_ref(), topology, &health)?)?;
    }
    let directory =
        RocksDirectory::open(&config.instance.state_dir, config.stores()).map_err(|e| Failure::Usage(e.to_string()))?;
    let directory = Arc::new(directory);
    health.starts(config.instance.workers * topologies.len());
    let calls: Arc<dyn CallService> = match &config.flows.patient_documents {
        Some(section) => Arc::new(documents::calls(section, config.s3.as_ref())?),
        None => Arc::new(NoCalls),
    };
    let watchdog =
        Watchdog::start(config.processing.longest_step()).map_err(|e| Failure::other("starting the watchdog", e))?;
    let mut threads = Vec::new();
    for topology in &topologies {
        let parts = WorkerParts {
            fingerprint: Fingerprint::of(topology).to_text(),
            topology: topology.clone(),
            schemas: schemas.clone(),
            log: log.clone(),
            directory: directory.clone(),
            clock: Arc::new(SystemClock),
            views: views.clone(),
            calls: calls.clone(),
        };
        for of_flow in 0..config.instance.workers {
            // Counted over all flows.
            let number = threads.len();
            let (parts, health, stop, watchdog) = (parts.clone(), health.clone(), stop.clone(), watchdog.clone());
            let settings = config.worker(&topology.application, of_flow);
            let thread = thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || {
                    let outcome = work(number, parts, settings, &health, &watchdog, &stop);
                    // One worker that must not go on ends the process: the others leave cleanly.
                    stop.store(true, Ordering::SeqCst);
                    outcome
                })
                .map_err(|e| Failure::other("starting a worker", e))?;
            threads.push(thread);
        }
    }
    tracing::info!(workers = threads.len(), http = %http.address(), "Concord runs.");
    let mut failure = None;
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failure = Some(Failure::other("a worker stopped", error)),
            Err(_) => failure = Some(Failure::Other("a worker panicked: this is a fault of the program".to_string())),
        }
    }
    http.join();
    failure.map_or(Ok(()), Err)
}

fn work(
    number: usize,
    parts: WorkerParts,
    settings: concord_engine::worker::WorkerSettings,
    health: &Health,
    watchdog: &Watchdog,
    stop: &AtomicBool,
) -> Result<(), WorkerError> {
    let clock = parts.clock.clone();
    let mut worker = Worker::start(parts, settings)?;
    let _watch = watchdog.watch(number, worker.whereabouts());
    let label = number.to_string();
    while !stop.load(Ordering::SeqCst) {
        let report = worker.step(STEP)?;
        health.stepped(number, &report, clock.now_ms());
        metrics::gauge!(names::TASKS_RUNNING, "worker" => label.clone()).set(report.tasks_running as f64);
        metrics::gauge!(names::TASKS_RESTORING, "worker" => label.clone()).set(report.tasks_restoring as f64);
    }
    // A static member that is back within its session finds its tasks again, so a restart disturbs nobody.
    worker.stop(true)
}

fn check_state(config: &Config, topologies: &[Topology], accept_migration: bool) -> Result<(), Failure> {
    let list = |reasons: &[String]| reasons.join("; ");
    match cluster::verdict_on_state(&config.instance.state_dir, topologies)? {
        Compatibility::Same => Ok(()),
        Compatibility::Compatible(added) => {
            tracing::info!(additions = list(&added), "The topology has grown since the state was written.");
            Ok(())
        }
        Compatibility::NeedsMigration(left) if accept_migration => {
            tracing::warn!(left_behind = list(&left), "State is left behind, as was accepted.");
            Ok(())
        }
        Compatibility::NeedsMigration(left) => Err(Failure::Usage(format!(
            "the state in {} was written by another topology: {}. Run with --accept-migration if that is meant",
            config.instance.state_dir.display(),
            list(&left)
        ))),
        Compatibility::Refused(wrong) => Err(Failure::Usage(format!(
            "the state in {} cannot be used by this topology: {}. Use another state_dir and application id, or the \
             earlier settings",
            config.instance.state_dir.display(),
            list(&wrong)
        ))),
    }
}

fn check_topics(compared: &[(&TopicDeclaration, TopicState)]) -> Result<(), Failure> {
    for (topic, state) in compared {
        match state {
            TopicState::AsDeclared => {}
            TopicState::Missing => {
                return Err(Failure::Usage(format!(
                    "the topic {} does not exist: run `concord topics apply --config FILE` first",
                    topic.name
                )));
            }
            TopicState::WrongPartitions { found } => {
                return Err(Failure::Usage(format!(
                    "the topic {} has {found} partitions and must have {}: keys would meet on different tasks. Set \
                     topics.partitions to {found}, or create the topic anew",
                    topic.name, topic.partitions
                )));
            }
        }
    }
    Ok(())
}

/// The time of now for those who need no injected clock: health and HTTP.
pub fn now_ms() -> i64 {
    SystemClock.now_ms()
}
