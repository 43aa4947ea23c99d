//! The test driver: a whole topology on several workers, in virtual time, with crashes at will.
//!
//! Every worker is a process of its own with a disk of its own; a crash loses the process and keeps the disk. All workers
//! take their steps on the caller's thread, one at a time, so that a run repeats exactly. Time passes only in
//! [`TopologyTestDriver::advance`], [`TopologyTestDriver::run_until_idle`] and [`TopologyTestDriver::run_for`].
//!
//! ```
//! # use bytes::Bytes;
//! # use concord_engine::topology::{Cleanup, StoreHandle, TopologyBuilder};
//! # use concord_engine::value::Value;
//! # use concord_schemas::codec::{PDS_REGISTRATION, TopicSchema};
//! # use concord_schemas::list_reconciliation::Registration;
//! # struct Registrations;
//! # impl Value for Registrations {
//! #     type Of<'a> = Registration<'a>;
//! #     fn schema() -> &'static TopicSchema {
//! #         &PDS_REGISTRATION
//! #     }
//! # }
//! use concord_engine::driver::{DriverSettings, TopologyTestDriver};
//! use concord_engine::log::embedded::{Call, Fault};
//!
//! // A topology that counts how often each patient has registered.
//! let mut t = TopologyBuilder::new("registrations");
//! let registrations = t.input::<Registrations>("pds.registration", "NHS number", 2, Cleanup::Compact);
//! t.sub_topology("counting", |sub| {
//!     let source = sub.source(registrations);
//!     let counts = sub.key_value_store::<()>("counts");
//!     sub.processor("count", |p| {
//!         let counts = p.store(counts);
//!         p.on(source, |counts: &mut StoreHandle<()>, ctx, _| {
//!             let before = ctx.get(*counts, ctx.key()?.as_bytes())?.map_or(0, |count| count[0]);
//!             ctx.put_bytes(*counts, ctx.key()?.as_bytes(), Bytes::copy_from_slice(&[before + 1]))
//!         });
//!         move || counts
//!     });
//! });
//!
//! // The crash test: worker 0 dies at its first commit and never learns whether it went through.
//! let mut driver = TopologyTestDriver::start(t.build()?, DriverSettings::with_workers(2))?;
//! driver.fail_next(Call::Commit, Fault::Crash { took_effect: true });
//! let patient = Registration { nhs_number: "9990548609", gp_practice: "B85001", dispensing_flag: "" };
//! for _ in 0..3 {
//!     driver.pipe::<Registrations>("pds.registration", "9990548609", &patient)?;
//! }
//! driver.run_until_idle()?;
//! driver.restart_all()?;
//! driver.run_until_idle()?;
//! driver.check_settled()?;
//! assert_eq!(driver.state("counting", "counts")?[&b"9990548609"[..]], [3][..]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calls;
mod reading;
mod settled;

use std::sync::Arc;
use std::time::Duration;

use concord_schemas::Schemas;
use concord_schemas::codec::{CodecError, Decoder, Encoder};
use concord_state::{MemoryDirectory, StateError};

use crate::clock::{Clock, VirtualClock};
use crate::log::embedded::{Call, EmbeddedLog, EmbeddedProcess, EmbeddedSettings, Fault, FaultPlan};
use crate::log::{Log, LogError, OutgoingRecord, Publisher};
use crate::partitioner::partition_of;
use crate::queries::CommittedViews;
use crate::topics;
use crate::topology::{Fingerprint, Topology};
use crate::value::Value;
use crate::worker::{StepReport, Worker, WorkerError, WorkerParts, WorkerSettings};

pub use calls::{CallRates, SCRIPTED_FAILURE, ScriptedCalls};
pub use reading::{DeadLetter, Output};

/// How far the clock moves when a round of steps brought nothing and something is still under way.
const IDLE_ROUND_MS: i64 = 25;
/// Rounds after which [`TopologyTestDriver::run_until_idle`] gives up: about 40 minutes of virtual time.
const MOST_ROUNDS: u32 = 100_000;

/// What a driver is made with.
#[derive(Clone)]
pub struct DriverSettings {
    /// How many workers share the tasks.
    pub workers: usize,
    /// All workers share one disk, as those of one process do; otherwise each has its own.
    pub one_disk: bool,
    /// What goes wrong with the workers' calls to the log. The driver's own calls never fail.
    pub faults: FaultPlan,
    /// Where the clock stands at first, milliseconds since the epoch.
    pub now_ms: i64,
    /// Codecs of the driver and of every worker.
    pub schemas: Arc<Schemas>,
    /// Who performs calls.
    pub calls: ScriptedCalls,
    /// Settings of every worker; the name is replaced by `<application>-<number of the worker>`.
    pub worker: WorkerSettings,
}

impl DriverSettings {
    /// So many workers with the defaults, whom nothing befalls. However many records are bad, no worker stops.
    pub fn with_workers(workers: usize) -> Self {
        Self {
            workers,
            one_disk: false,
            faults: FaultPlan::none(),
            now_ms: 1_600_000_000_000,
            schemas: Arc::new(Schemas::bundled()),
            calls: ScriptedCalls::default(),
            worker: WorkerSettings { rejected_share: 1.0, ..WorkerSettings::named("") },
        }
    }
}

/// Why the driver could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// A worker stopped, and not by a crash.
    #[error("worker {worker} stopped: {cause}")]
    Worker {
        /// Its number.
        worker: usize,
        /// Why.
        cause: WorkerError,
    },
    /// The log refuses.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Committed state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A value does not fit its schema.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A name or number that is not there.
    #[error("there is no {what}: {known}")]
    Unknown {
        /// What was asked for.
        what: String,
        /// What there is.
        known: String,
    },
    /// The topology did not come to rest.
    #[error("not idle: {0}")]
    NotIdle(String),
    /// What must hold once all is at rest does not.
    #[error("not settled: {0}")]
    NotSettled(String),
}

/// A machine with one worker process. The disk outlives the process.
struct Machine {
    name: String,
    disk: MemoryDirectory,
    life: Option<Life>,
}

struct Life {
    process: EmbeddedProcess,
    worker: Worker,
    views: CommittedViews,
}

/// See the module.
pub struct TopologyTestDriver {
    topology: Arc<Topology>,
    schemas: Arc<Schemas>,
    settings: DriverSettings,
    clock: VirtualClock,
    log: EmbeddedLog,
    machines: Vec<Machine>,
    publisher: Box<dyn Publisher>,
    encoder: Encoder,
    decoder: Arc<Decoder>,
}

impl TopologyTestDriver {
    /// Creates the topics and starts every worker. Nothing is processed before a step.
    ///
    /// # Errors
    /// The topology's topics cannot be created.
    pub fn start(topology: Topology, settings: DriverSettings) -> Result<Self, DriverError> {
        let clock = VirtualClock::at(settings.now_ms);
        let log =
            EmbeddedLog::new(EmbeddedSettings { clock: Arc::new(clock.clone()), faults: settings.faults.clone() });
        topics::create(&log, &topology, 1)?;
        let schemas = settings.schemas.clone();
        let shared = MemoryDirectory::new();
        let machines = (0..settings.workers)
            .map(|number| Machine {
                name: format!("{}-{number}", topology.application),
                disk: if settings.one_disk { shared.clone() } else { MemoryDirectory::new() },
                life: None,
            })
            .collect();
        let mut driver = Self {
            publisher: log.publisher()?,
            encoder: schemas.encoder(),
            decoder: Arc::new(schemas.decoder()),
            topology: Arc::new(topology),
            schemas,
            settings,
            clock,
            log,
            machines,
        };
        driver.restart_all()?;
        Ok(driver)
    }

    // Input.

    /// Publishes a record with the time of now to the partition of its key.
    ///
    /// # Errors
    /// The topic does not exist, or the value does not fit its schema.
    pub fn pipe<V: Value>(&mut self, topic: &str, key: &str, value: &V::Of<'_>) -> Result<(), DriverError> {
        self.pipe_at::<V>(topic, key, value, self.now_ms())
    }

    /// [`Self::pipe`] with a time of the record's own, which is what stream time follows.
    ///
    /// # Errors
    /// As [`Self::pipe`].
    pub fn pipe_at<V: Value>(
        &mut self,
        topic: &str,
        key: &str,
        value: &V::Of<'_>,
        timestamp_ms: i64,
    ) -> Result<(), DriverError> {
        let mut bytes = Vec::new();
        self.encoder.encode(V::schema(), value, &mut bytes)?;
        self.publish(topic, Some(key.as_bytes()), Some(&bytes), timestamp_ms)
    }

    /// Publishes any bytes, also such as no producer should send; `None` as value is a tombstone. A record without a key
    /// goes to partition 0.
    ///
    /// # Errors
    /// The topic does not exist, or does not take such a record.
    pub fn pipe_bytes(&mut self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), DriverError> {
        self.publish(topic, key, value, self.now_ms())
    }

    fn publish(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<(), DriverError> {
        let declared = &self.topology.topics[self.topic(topic)?];
        let partition = key.map_or(0, |key| partition_of(key, declared.partitions));
        let record = OutgoingRecord { topic: &declared.name, partition, timestamp_ms, key, value, headers: &[] };
        Ok(self.publisher.send(&record)?)
    }

    fn topic(&self, name: &str) -> Result<usize, DriverError> {
        self.topology.topic(name).ok_or_else(|| DriverError::Unknown {
            what: format!("topic `{name}`"),
            known: self.topology.topics.iter().map(|t| t.name.to_string()).collect::<Vec<_>>().join(", "),
        })
    }

    // Time and steps.

    /// Milliseconds since the epoch on the virtual clock.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Moves the clock, without a step. A worker that is silent for longer than its session lasts has lost its tasks when it
    /// takes its next step, and a transaction left open for too long is aborted.
    pub fn advance(&mut self, ms: i64) {
        self.clock.advance(ms);
    }

    /// One step of one worker; of a worker that is down, nothing. A planned crash brings the worker down and is no error.
    ///
    /// # Errors
    /// There is no such worker, or it stopped for another reason than a crash, and is down.
    pub fn step(&mut self, worker: usize) -> Result<StepReport, DriverError> {
        let Some(life) = &mut self.machine(worker)?.life else { return Ok(StepReport::default()) };
        match life.worker.step(Duration::ZERO) {
            Ok(report) => Ok(report),
            Err(cause) => {
                let crashed = life.process.has_crashed();
                self.machines[worker].life = None;
                if crashed { Ok(StepReport::default()) } else { Err(DriverError::Worker { worker, cause }) }
            }
        }
    }

    /// One step of one worker that is frozen before its `nth` call to the log in this step (from 1), as SIGSTOP would: while it
    /// stands there `meanwhile` happens, to everybody else. False when the step made fewer calls, and nothing happened.
    ///
    /// # Errors
    /// As [`Self::step`]; or what `meanwhile` answered.
    pub fn step_frozen(
        &mut self,
        worker: usize,
        nth: u64,
        meanwhile: impl FnOnce(&mut Self) -> Result<(), DriverError>,
    ) -> Result<bool, DriverError> {
        let Some(mut life) = self.machine(worker)?.life.take() else { return Ok(false) };
        let (frozen, thaw) = life.process.freeze_before(nth);
        // Two threads, of which one always waits for the other: a run repeats exactly.
        let stepping = std::thread::spawn(move || {
            let outcome = life.worker.step(Duration::ZERO);
            life.process.do_not_freeze();
            (life, outcome)
        });
        let was_frozen = frozen.recv().is_ok();
        let answer = if was_frozen { meanwhile(self) } else { Ok(()) };
        drop(thaw);
        let (life, outcome) = stepping.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
        match outcome {
            Ok(_) => self.machines[worker].life = Some(life),
            Err(_) if life.process.has_crashed() => {}
            Err(cause) => return Err(DriverError::Worker { worker, cause }),
        }
        answer.map(|()| was_frozen)
    }

    /// Steps all workers that are up, in turn, until every record is processed and committed, every call has its result, every
    /// decided transaction is visible, and no timer is due. The clock moves on a little whenever nothing else does: commits, sessions, calls and
    /// delayed markers need time. Timers of a later time do not fire.
    ///
    /// # Errors
    /// Idleness cannot be reached, for instance because no worker is up; or as [`Self::step`].
    pub fn run_until_idle(&mut self) -> Result<(), DriverError> {
        for _ in 0..MOST_ROUNDS {
            let mut quiet = true;
            for worker in 0..self.machines.len() {
                let report = self.step(worker)?;
                // A task that is being restored may wait for a marker, which only time brings.
                quiet &= report.records == 0 && report.timers == 0 && report.results == 0 && !report.committed;
            }
            if self.running_workers() == 0 {
                return Err(DriverError::NotIdle("every worker is down: restart one".to_string()));
            }
            if quiet && self.is_idle()? {
                return Ok(());
            }
            if quiet {
                self.advance(IDLE_ROUND_MS);
            }
        }
        let (running, tasks) = self.tasks_running();
        Err(DriverError::NotIdle(format!(
            "after {MOST_ROUNDS} rounds {} records wait, {running} of {tasks} tasks are running, unfinished transactions: {:?}",
            self.log.lag(&self.topology.application),
            self.log.open_transactions(),
        )))
    }

    /// Lets at least so much time pass while all workers that are up go on working, so that nobody's session ends.
    ///
    /// # Errors
    /// As [`Self::run_until_idle`].
    pub fn run_for(&mut self, ms: i64) -> Result<(), DriverError> {
        let slice_ms = (self.settings.worker.session_timeout.as_millis() as i64 / 3).max(1);
        let end_ms = self.now_ms() + ms;
        self.run_until_idle()?;
        while self.now_ms() < end_ms {
            self.advance(slice_ms.min(end_ms - self.now_ms()));
            self.run_until_idle()?;
        }
        Ok(())
    }

    fn is_idle(&mut self) -> Result<bool, DriverError> {
        let (running, tasks) = self.tasks_running();
        let uncommitted = self.lives().any(|life| life.worker.has_uncommitted());
        let is_at_rest = running == tasks
            && !uncommitted
            && self.log.lag(&self.topology.application) == 0
            && self.log.open_transactions().is_empty();
        Ok(is_at_rest && self.pending_calls()? == 0)
    }

    /// Calls without a result, of all workers that are up.
    fn pending_calls(&mut self) -> Result<u64, DriverError> {
        let mut pending = 0;
        for (worker, machine) in self.machines.iter_mut().enumerate() {
            let Some(life) = &mut machine.life else { continue };
            pending += life.worker.pending_calls().map_err(|cause| DriverError::Worker { worker, cause })?;
        }
        Ok(pending)
    }

    /// Tasks that process, and all tasks.
    fn tasks_running(&self) -> (usize, usize) {
        let running = self.lives().map(|life| life.worker.readiness().0).sum();
        let tasks: i32 = self.topology.sub_topologies.iter().map(|sub| sub.partitions).sum();
        (running, tasks.unsigned_abs() as usize)
    }

    // Crashes.

    /// Kills a worker, as `kill -9` would; its disk stays. Of a worker that is down, nothing.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn crash(&mut self, worker: usize) -> Result<(), DriverError> {
        if let Some(life) = self.machine(worker)?.life.take() {
            life.process.crash();
        }
        Ok(())
    }

    /// Kills a worker and destroys its disk.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn crash_with_disk(&mut self, worker: usize) -> Result<(), DriverError> {
        self.crash(worker)?;
        self.machine(worker)?.disk = MemoryDirectory::new();
        Ok(())
    }

    /// Stops a worker in good order: it commits and gives its tasks to the others.
    ///
    /// # Errors
    /// There is no such worker, or its last commit failed for good.
    pub fn stop(&mut self, worker: usize) -> Result<(), DriverError> {
        let Some(life) = self.machine(worker)?.life.take() else { return Ok(()) };
        match life.worker.stop(false) {
            Ok(()) => Ok(()),
            Err(_) if life.process.has_crashed() => Ok(()),
            Err(cause) => Err(DriverError::Worker { worker, cause }),
        }
    }

    /// Starts a worker on its old disk. One that is up is killed first.
    ///
    /// # Errors
    /// There is no such worker, or it cannot be started.
    pub fn restart(&mut self, worker: usize) -> Result<(), DriverError> {
        self.crash(worker)?;
        let (topology, schemas, clock) = (self.topology.clone(), self.schemas.clone(), self.clock.clone());
        let (log, template) = (self.log.clone(), self.settings.worker.clone());
        let calls = self.settings.calls.on_clock(&clock);
        let machine = self.machine(worker)?;
        let process = log.process(&machine.name);
        let views = CommittedViews::default();
        let parts = WorkerParts {
            fingerprint: Fingerprint::of(&topology).to_text(),
            topology,
            schemas,
            log: Arc::new(process.clone()),
            directory: Arc::new(machine.disk.clone()),
            clock: Arc::new(clock),
            views: views.clone(),
            calls,
        };
        let settings = WorkerSettings { name: machine.name.clone(), ..template };
        let started = Worker::start(parts, settings).map_err(|cause| DriverError::Worker { worker, cause })?;
        machine.life = Some(Life { process, worker: started, views });
        Ok(())
    }

    /// Starts every worker that is down.
    ///
    /// # Errors
    /// As [`Self::restart`].
    pub fn restart_all(&mut self) -> Result<(), DriverError> {
        for worker in 0..self.machines.len() {
            if !self.is_up(worker) {
                self.restart(worker)?;
            }
        }
        Ok(())
    }

    /// Whether a worker is up.
    pub fn is_up(&self, worker: usize) -> bool {
        self.machines.get(worker).is_some_and(|machine| machine.life.is_some())
    }

    /// How many workers are up.
    pub fn running_workers(&self) -> usize {
        self.lives().count()
    }

    fn machine(&mut self, worker: usize) -> Result<&mut Machine, DriverError> {
        let workers = self.machines.len();
        self.machines.get_mut(worker).ok_or_else(|| DriverError::Unknown {
            what: format!("worker {worker}"),
            known: format!("there are {workers}, counted from 0"),
        })
    }

    fn lives(&self) -> impl Iterator<Item = &Life> {
        self.machines.iter().filter_map(|machine| machine.life.as_ref())
    }

    // Faults.

    /// The next call of this name, by whichever worker makes it, fails so.
    pub fn fail_next(&mut self, call: Call, fault: Fault) {
        let nth = self.settings.faults.calls_of(call) + 1;
        self.settings.faults = self.settings.faults.clone().at(call, nth, fault);
    }

    /// The plan of faults, to stop it or to ask how many calls were made.
    pub fn faults(&self) -> &FaultPlan {
        &self.settings.faults
    }

    /// Settings of the workers that are started from now on.
    pub fn worker_settings(&mut self) -> &mut WorkerSettings {
        &mut self.settings.worker
    }

    /// The log, for what only tests of the log's own behaviour need, such as holding markers back.
    pub fn log(&self) -> &EmbeddedLog {
        &self.log
    }
}
